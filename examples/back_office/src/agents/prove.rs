//! From bytes to a request whose sender is known: read, find the key, signature, office, clock, nonce. In this order: what
//! comes after the signature is told to nobody who did not make it.

use super::answer::{Heard, To};
use super::nonces::Use;
use super::{Line, Refusal};
use crate::domain::agent_keys::{self, AgentKey};
use ors::licence::{Instant, Reason};
use ors::office::protocol::{AgentPublic, CLOCK_TOLERANCE, RefusedFor, Request, Unproven, Verb};
use std::sync::atomic::Ordering::Relaxed;

/// A proven request.
pub struct Asker {
    pub request: Request,
    pub to: To,
    /// The key that made it.
    pub public: AgentPublic,
    /// What is known of it; nothing when it asks for the first time.
    pub key: Option<AgentKey>,
}

/// Reads and proves a request.
pub fn read(line: &Line, verb: Verb, body: &[u8], now: Instant) -> Result<Asker, Heard> {
    let unproven = |why| {
        line.metrics.unproven.fetch_add(1, Relaxed);
        Heard::Unproven(why)
    };
    let found = Unproven::read(body).map_err(|_| unproven("This is no request of an installation."))?;
    let to = To::of(found.claims());
    let refuse = |refusal: Refusal| line.said(&to, Err(refusal.into()), now);
    let key = known(line, found.claims()).map_err(Heard::Failed)?;
    let public = match (&key, verb) {
        (_, Verb::Enrol) => found.public_in_body(),
        (Some(key), _) => AgentPublic::from_bytes(&key.public),
        (None, _) => {
            return Err(refuse(Refusal::new(RefusedFor::UnknownKey, "The back office does not know this key.")));
        }
    };
    let public = public.ok_or_else(|| unproven("The request brings no key."))?;
    let request = found.prove(&public, &line.origin).map_err(|refusal| match refusal.reason {
        // Signed, and for another office: who asked is known.
        Reason::Malformed => refuse(Refusal::new(RefusedFor::Request, refusal.detail)),
        _ => unproven("The signature does not fit."),
    })?;
    if request.verb != verb {
        return Err(refuse(Refusal::new(RefusedFor::Request, "The request was sent to the address of another verb.")));
    }
    if (request.created.unix() - now.unix()).abs() > CLOCK_TOLERANCE {
        let detail = format!("The request was made at {}, and it is {now}.", request.created);
        return Err(refuse(Refusal::new(RefusedFor::Clock, detail)));
    }
    // Of a key that nobody knows nothing is remembered: there are as many as somebody cares to make.
    if key.is_some() {
        match line.nonces.use_up(request.key.as_str(), &request.nonce, now) {
            Use::First => {}
            Use::Again => return Err(refuse(Refusal::new(RefusedFor::Nonce, "This nonce was used before."))),
            Use::TooMany => {
                let detail = "This key asks more often than any agent has to.";
                return Err(refuse(Refusal { after: Some(60), ..Refusal::new(RefusedFor::Throttled, detail) }));
            }
        }
    }
    Ok(Asker { request, to, public, key })
}

fn known(line: &Line, request: &Request) -> crate::domain::Outcome<Option<AgentKey>> {
    let (product, serial) = (request.product.as_str(), request.serial.as_str());
    line.store.read(|db| agent_keys::find(db, request.key.as_str(), product, serial))
}
