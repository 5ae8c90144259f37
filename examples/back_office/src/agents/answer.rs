//! Statements: what the office says, signed, to one request.

use super::{Line, Refusal};
use crate::domain::Problem;
use issuer::sign;
use ors::licence::{Instant, Product, Serial, text};
use ors::office::protocol::{
    KeyId, Kind, Nonce, Refused, RefusedFor, Request, STATEMENT_LIFE, STATEMENT_TYPE, Statement,
};
use serde_json::Value;

/// What comes of a request.
pub enum Heard {
    /// A statement.
    Said {
        status: u16,
        body: Vec<u8>,
        /// Seconds for `Retry-After`.
        after: Option<i64>,
    },
    /// Nobody knows who asked: no statement, but a word for people.
    Unproven(&'static str),
    /// The database does not answer: no statement, so that the agent tries again later.
    Failed(Problem),
    /// A poll that waits for events.
    Park(Box<super::Parked>),
}

/// Whom an answer is for.
#[derive(Clone, Debug)]
pub struct To {
    pub product: Product,
    pub serial: Serial,
    pub key: KeyId,
    pub nonce: Nonce,
    /// How long the answer may be under way, seconds.
    pub life: i64,
}

impl To {
    pub fn of(request: &Request) -> To {
        To {
            product: request.product.clone(),
            serial: request.serial.clone(),
            key: request.key.clone(),
            nonce: request.nonce.clone(),
            life: STATEMENT_LIFE,
        }
    }
}

/// What a verb comes to.
pub type Done = Result<(Kind, Value), No>;

/// Why a verb has no answer.
#[derive(Debug)]
pub enum No {
    /// It is refused.
    Refused(Refusal),
    /// It failed; that is nobody's fault who asked.
    Failed(Problem),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> No {
        No::Refused(refusal)
    }
}

impl From<Problem> for No {
    fn from(problem: Problem) -> No {
        No::Failed(problem)
    }
}

impl From<crate::store::StoreError> for No {
    fn from(error: crate::store::StoreError) -> No {
        No::Failed(error.into())
    }
}

impl From<ors::licence::Refusal> for No {
    /// A body that cannot be read.
    fn from(refusal: ors::licence::Refusal) -> No {
        No::Refused(Refusal::new(RefusedFor::Request, refusal.detail))
    }
}

impl Line {
    /// The statement that says it.
    pub(super) fn said(&self, to: &To, done: Done, now: Instant) -> Heard {
        match done {
            Ok((kind, body)) => Heard::Said { status: 200, body: self.sealed(to, kind, body, now), after: None },
            Err(No::Failed(problem)) => Heard::Failed(problem),
            Err(No::Refused(refusal)) => {
                self.metrics.refused(refusal.reason);
                let status = match refusal.reason {
                    RefusedFor::Clock => 401,
                    RefusedFor::Nonce => 409,
                    RefusedFor::Throttled => 429,
                    RefusedFor::Request => 400,
                    _ => 403,
                };
                let detail = text::clean(&refusal.detail, ors::licence::LONGEST_DETAIL);
                let body = Refused { reason: refusal.reason, detail }.to_body();
                Heard::Said { status, body: self.sealed(to, Kind::Refused, body, now), after: refusal.after }
            }
        }
    }

    fn sealed(&self, to: &To, kind: Kind, body: Value, now: Instant) -> Vec<u8> {
        let statement = Statement {
            kind,
            office: self.origin.clone(),
            product: to.product.clone(),
            serial: to.serial.clone(),
            key: to.key.clone(),
            nonce: to.nonce.clone(),
            server_time: now,
            expires_at: now.plus(to.life),
            body,
        };
        sign(STATEMENT_TYPE, &statement.to_payload(), &[&self.statement])
    }
}
