//! The signer: a process of its own that holds the licence key, and signs little.
//!
//! The web process may be taken over; then whoever did it can ask, and no more: for a serial number that an administrator
//! registered, the next sequence and no other, at most [`PER_HOUR`] times an hour, and every answer is in a record that is
//! only ever appended to. What was signed is in the record before anybody gets it, so the same question gets the same
//! envelope again, and a kill at any moment issues nothing twice.
//!
//! * this file: the rules; * `record`: the file; * `wire`: what is said on the socket; * `serve`: the socket; * `client`: the
//!   other end, in the web process and on the command line.

mod client;
mod record;
mod serve;
mod wire;

pub use client::{Client, Unanswered};
pub use record::{Record, RecordError};
pub use serve::{Doors, Serving, serve};
pub use wire::{Answer, Name, No, Question, Said};

use issuer::{SigningKey, sign};
use ors::licence::{
    Instant, Keyring, LICENCE_TYPE, Licence, Product, Reason, Refusal, Role, Sequence, Serial, sha256, verify,
};
use ors::office::protocol::MAX_CARRIED_BYTES;
use record::{Entry, What};
use std::collections::VecDeque;

/// Licences that are signed in an hour, at most.
pub const PER_HOUR: usize = 500;
const HOUR: i64 = 3600;
/// How far ahead of the signer's clock a licence may say it was issued. A date far ahead would move the clocks of products.
const AHEAD: i64 = 600;

/// The rules, the key and the record.
pub struct Signer {
    key: SigningKey,
    /// What its own signatures are judged by, and licences that are brought.
    trusted: Keyring,
    record: Record,
    recent: VecDeque<i64>,
}

impl Signer {
    /// # Errors
    /// A sentence: the key is no licence key, or none that `trusted` names active.
    pub fn new(key: SigningKey, trusted: Keyring, record: Record) -> Result<Signer, String> {
        if key.role() != Role::Licence {
            return Err(format!("{:?} is a {} key; the signer needs a licence key", key.id(), key.role().token()));
        }
        let known = trusted.keys().iter().any(|known| {
            known.public_bytes() == key.public_bytes()
                && known.role == Role::Licence
                && known.status == ors::licence::KeyStatus::Active
        });
        if !known {
            return Err(format!(
                "{:?} is no active licence key of the trusted keys; no product would take what it signs",
                key.id()
            ));
        }
        let recent = record.signed_times().collect();
        Ok(Signer { key, trusted, record, recent })
    }

    /// Answers what may be asked through the web process's door, and through the administrator's when `administrator`.
    pub fn answer(&mut self, question: Question, administrator: bool, now: Instant) -> Answer {
        match question {
            Question::Sign { payload } => self.sign(&payload, now),
            Question::Adopt { file } => self.adopt(&file, now),
            Question::Last { name } => {
                let entry = self.known(&name)?;
                Ok(Said::Last { sequence: entry.last })
            }
            Question::Signed { name, sequence } => {
                self.known(&name)?;
                let file = self.record.first_from(&name, sequence).map_err(No::record)?;
                Ok(Said::File { file })
            }
            Question::Known { names } => {
                Ok(Said::Known { known: names.iter().map(|name| self.record.entry(name).is_some()).collect() })
            }
            Question::Register { names } if administrator => self.register(&names, now),
            Question::Register { .. } => {
                Err(No::NotAllowed { detail: "Serial numbers are registered at the signer's own door.".to_owned() })
            }
            Question::Status => Ok(Said::Status {
                key: self.key.id().to_owned(),
                serials: self.record.serials(),
                signed_last_hour: self.in_last_hour(now),
                per_hour: PER_HOUR,
            }),
        }
    }

    fn known(&self, name: &Name) -> Result<Entry, No> {
        self.record.entry(name).ok_or_else(|| No::UnknownSerial {
            detail: format!("The serial number {} of {} is not registered with the signer.", name.serial, name.product),
        })
    }

    fn sign(&mut self, payload: &[u8], now: Instant) -> Answer {
        let licence = Licence::parse(payload).map_err(|refusal| No::Payload { detail: refusal.detail })?;
        if licence.to_json() != payload {
            let detail = "The payload has members that are not known, or not in the usual order.".to_owned();
            return Err(No::Payload { detail });
        }
        let name = Name::of(&licence);
        let entry = self.known(&name)?;
        let sequence = licence.sequence.get();
        if sequence == entry.last && entry.digest == Some(sha256(payload)) {
            return Ok(Said::File { file: self.record.file(&name, sequence).map_err(No::record)? });
        }
        if entry.last.checked_add(1) != Some(sequence) {
            let detail = format!(
                "The next licence of {} {} has the sequence {}, not {sequence}.",
                name.product,
                name.serial,
                entry.last + 1
            );
            return Err(No::Sequence { last: entry.last, detail });
        }
        if licence.issued_at > now.plus(AHEAD) {
            return Err(No::Payload { detail: format!("issued_at is {}, and it is {now}.", licence.issued_at) });
        }
        if self.in_last_hour(now) >= PER_HOUR {
            return Err(No::Limit {
                detail: format!("The signer has signed {PER_HOUR} licences within an hour. Try again later."),
            });
        }
        let file = self.sealed(payload, &licence.product)?;
        self.record.append(What::Signed, &name, Some((sequence, &file, sha256(payload))), now).map_err(No::record)?;
        self.recent.push_back(now.unix());
        Ok(Said::File { file })
    }

    /// The envelope, which a product would take: nothing else leaves this process.
    fn sealed(&self, payload: &[u8], product: &Product) -> Result<String, No> {
        let file = sign(LICENCE_TYPE, payload, &[&self.key]);
        if file.len() > MAX_CARRIED_BYTES {
            let detail =
                format!("The licence is larger than {} KiB, and agents take no larger ones.", MAX_CARRIED_BYTES >> 10);
            return Err(No::Payload { detail });
        }
        verify(&file, &self.trusted, product).map_err(|refusal| No::Payload { detail: refusal.detail })?;
        String::from_utf8(file).map_err(|_| No::Payload { detail: "The licence is not text.".to_owned() })
    }

    fn adopt(&mut self, file: &str, now: Instant) -> Answer {
        let genuine = self.genuine(file.as_bytes()).map_err(|refusal| No::Licence { detail: refusal.detail })?;
        let name = Name::of(genuine.licence());
        let entry = self.known(&name)?;
        let sequence = genuine.licence().sequence.get();
        if sequence > entry.last {
            let line = Some((sequence, file, genuine.digest()));
            self.record.append(What::Adopted, &name, line, now).map_err(No::record)?;
        } else if sequence == entry.last && entry.digest != Some(genuine.digest()) {
            let detail = format!(
                "Another licence of {} {} with the sequence {sequence} is in the signer's record.",
                name.product, name.serial
            );
            return Err(No::Licence { detail });
        }
        Ok(Said::Last { sequence: entry.last.max(sequence) })
    }

    fn genuine(&self, file: &[u8]) -> Result<ors::licence::Genuine, Refusal> {
        let envelope = ors::licence::Envelope::parse(file)?;
        let product = Licence::parse(&envelope.payload)?.product;
        let genuine = verify(file, &self.trusted, &product)?;
        if file.len() > MAX_CARRIED_BYTES {
            return Err(Refusal::new(Reason::TooLarge, "The licence is larger than agents take."));
        }
        Ok(genuine)
    }

    fn register(&mut self, names: &[Name], now: Instant) -> Answer {
        let mut added = 0;
        for name in names {
            let fits = Product::parse(&name.product).is_ok() && Serial::parse(&name.serial).is_ok();
            if !fits {
                let detail = format!("{:?} {:?} is no product and serial number.", name.product, name.serial);
                return Err(No::Payload { detail });
            }
        }
        for name in names {
            if self.record.entry(name).is_none() {
                self.record.append(What::Registered, name, None, now).map_err(No::record)?;
                added += 1;
            }
        }
        Ok(Said::Registered { added, known: names.len() - added })
    }

    /// Counted by the latest time that was ever seen: a clock that is set back opens nothing.
    fn in_last_hour(&mut self, now: Instant) -> usize {
        let latest = self.recent.iter().copied().max().unwrap_or(i64::MIN).max(now.unix());
        self.recent.retain(|at| *at > latest.saturating_sub(HOUR));
        self.recent.len()
    }
}

/// A sequence that every reader keeps exactly; the record holds no other.
fn is_sequence(number: u64) -> bool {
    Sequence::new(number).is_ok()
}

#[cfg(test)]
mod tests;
