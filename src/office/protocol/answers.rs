//! What is answered to each verb.

use super::bodies::{carried, digest, fits};
use super::words::{Nonce, Read};
use super::{MAX_EVENTS, MAX_KEY_STEPS};
use crate::licence::{Digest, Fields, MAX_SEQUENCE, MAX_TEXT, Refusal, hex};
use serde_json::{Value, json};

/// An enrolment that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Another key is active for this serial number: an administrator has to approve this one. Until then it gets nothing.
    pub pending: bool,
    /// The organisation's name, for the page.
    pub organisation: String,
}

impl Enrolled {
    pub fn to_body(&self) -> Value {
        json!({"state": if self.pending { "pending" } else { "active" }, "organisation": self.organisation})
    }

    pub fn read(body: &Value) -> Read<Enrolled> {
        let fields = answer(body)?;
        let pending = match fields.string("state")? {
            "active" => false,
            "pending" => true,
            _ => return Err(fields.wrong("state", "is neither \"active\" nor \"pending\"")),
        };
        Ok(Enrolled { pending, organisation: fields.plain("organisation", MAX_TEXT)? })
    }
}

/// What is new, if anything is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Checked {
    /// The newest licence that was issued for this serial number; 0 when the office knows none.
    pub sequence: u64,
    /// SHA-256 of its file.
    pub digest: Option<Digest>,
    /// The file itself, when it is newer than what was named in the check.
    pub licence: Option<String>,
    /// The newest key list.
    pub keys_version: u64,
    /// The lists that lead there from the version named in the check, in order, as many as fit.
    pub keys: Vec<String>,
    /// The installation has a higher sequence than the office knows: it shall send its licence with the next check.
    pub send_licence: bool,
}

impl Checked {
    /// # Errors
    /// `TooLarge` for a file over [`super::MAX_CARRIED_BYTES`].
    pub fn to_body(&self) -> Read<Value> {
        self.licence.as_deref().map_or(Ok(()), |licence| fits(licence, "licence"))?;
        self.keys.iter().try_for_each(|list| fits(list, "keys"))?;
        Ok(json!({
            "sequence": self.sequence, "digest": self.digest.map(|digest| hex(&digest)), "licence": self.licence,
            "keys_version": self.keys_version, "keys": self.keys, "send_licence": self.send_licence,
        }))
    }

    pub fn read(body: &Value) -> Read<Checked> {
        let fields = answer(body)?;
        let list = |value: &Value| {
            let text = value.as_str().ok_or_else(|| fields.wrong("keys", "holds something that is not a text"))?;
            fits(text, "keys").map(|()| text.to_owned())
        };
        Ok(Checked {
            sequence: fields.whole("sequence", 0, MAX_SEQUENCE)?,
            digest: digest(&fields, "digest")?,
            licence: carried(&fields, "licence")?,
            keys_version: fields.whole("keys_version", 0, MAX_SEQUENCE)?,
            keys: fields.list("keys", MAX_KEY_STEPS)?.iter().map(list).collect::<Read<_>>()?,
            send_licence: fields.flag("send_licence")?,
        })
    }
}

/// What happened since the last event that the poll named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// The stream that the ids belong to. Another one than the poll's: what was missed is not known, and a check tells.
    pub epoch: Nonce,
    /// The newest id of the stream.
    pub last: u64,
    /// In order. None: nothing happened for as long as the poll was held.
    pub events: Vec<Event>,
}

/// A hint that something happened. What exactly is the check's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: u64,
    pub kind: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A licence was issued.
    Licence,
    /// A key list was published.
    Keys,
    /// The key was approved, refused, superseded or revoked.
    Enrolment,
    /// Somebody looks: answer with this nonce in the next poll.
    Probe(Nonce),
    /// Of a newer office. It is passed over.
    Unknown,
}

impl Event {
    fn to_value(&self) -> Value {
        match &self.kind {
            EventKind::Licence => json!({"id": self.id, "type": "licence"}),
            EventKind::Keys => json!({"id": self.id, "type": "keys"}),
            EventKind::Enrolment => json!({"id": self.id, "type": "enrolment"}),
            EventKind::Probe(nonce) => json!({"id": self.id, "type": "probe", "probe": nonce.as_str()}),
            EventKind::Unknown => json!({"id": self.id, "type": "unknown"}),
        }
    }

    fn read(value: &Value) -> Read<Event> {
        let fields = Fields::element(value, "answer's event".to_owned())?;
        let kind = match fields.string("type")? {
            "licence" => EventKind::Licence,
            "keys" => EventKind::Keys,
            "enrolment" => EventKind::Enrolment,
            "probe" => {
                let nonce = Nonce::parse(fields.string("probe")?);
                EventKind::Probe(nonce.ok_or_else(|| fields.wrong("probe", "is not 32 hexadecimal digits"))?)
            }
            _ => EventKind::Unknown,
        };
        Ok(Event { id: fields.whole("id", 1, MAX_SEQUENCE)?, kind })
    }
}

impl Happened {
    pub fn to_body(&self) -> Value {
        let events: Vec<Value> = self.events.iter().map(Event::to_value).collect();
        json!({"epoch": self.epoch.as_str(), "last": self.last, "events": events})
    }

    pub fn read(body: &Value) -> Read<Happened> {
        let fields = answer(body)?;
        Ok(Happened {
            epoch: Nonce::parse(fields.string("epoch")?)
                .ok_or_else(|| fields.wrong("epoch", "is not 32 hexadecimal digits"))?,
            last: fields.whole("last", 0, MAX_SEQUENCE)?,
            events: fields.list("events", MAX_EVENTS)?.iter().map(Event::read).collect::<Read<_>>()?,
        })
    }
}

/// How far the journal is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The number of the last line that is stored; the next report begins after it.
    pub through: u64,
}

impl Stored {
    pub fn to_body(&self) -> Value {
        json!({"through": self.through})
    }

    pub fn read(body: &Value) -> Read<Stored> {
        Ok(Stored { through: answer(body)?.whole("through", 0, MAX_SEQUENCE)? })
    }
}

/// Why the office says no. The words never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedFor {
    /// The request's time is more than [`super::CLOCK_TOLERANCE`] off; `server_time` tells the right one.
    Clock,
    /// The ID or the verification code is not right.
    Code,
    /// Too many wrong codes.
    Throttled,
    /// The licence in an enrolment does not prove the serial number.
    Licence,
    /// The key waits for an administrator.
    Pending,
    /// An administrator refused the key.
    Declined,
    /// Another key was approved for this serial number.
    Superseded,
    /// The key was revoked.
    Revoked,
    /// The office does not know this key: enrol (again).
    UnknownKey,
    /// The nonce was used before.
    Nonce,
    /// The request cannot be read: another version, or damaged.
    Request,
}

impl RefusedFor {
    pub const ALL: [(RefusedFor, &'static str); 11] = [
        (RefusedFor::Clock, "clock"),
        (RefusedFor::Code, "code"),
        (RefusedFor::Throttled, "throttled"),
        (RefusedFor::Licence, "licence"),
        (RefusedFor::Pending, "pending"),
        (RefusedFor::Declined, "declined"),
        (RefusedFor::Superseded, "superseded"),
        (RefusedFor::Revoked, "revoked"),
        (RefusedFor::UnknownKey, "unknown-key"),
        (RefusedFor::Nonce, "nonce"),
        (RefusedFor::Request, "request"),
    ];

    pub fn token(self) -> &'static str {
        RefusedFor::ALL.iter().find(|(reason, _)| *reason == self).map_or("", |(_, token)| token)
    }

    fn from_token(token: &str) -> Option<RefusedFor> {
        RefusedFor::ALL.iter().find(|(_, known)| *known == token).map(|(reason, _)| *reason)
    }
}

/// "No", and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reason: RefusedFor,
    /// One sentence for people.
    pub detail: String,
}

impl Refused {
    pub fn to_body(&self) -> Value {
        json!({"reason": self.reason.token(), "detail": self.detail})
    }

    pub fn read(body: &Value) -> Read<Refused> {
        let fields = answer(body)?;
        Ok(Refused {
            reason: RefusedFor::from_token(fields.string("reason")?)
                .ok_or_else(|| fields.wrong("reason", "is not known"))?,
            detail: fields.plain("detail", crate::licence::LONGEST_DETAIL)?,
        })
    }
}

impl From<Refusal> for Refused {
    /// A request that cannot be read, or a signature that does not fit.
    fn from(refusal: Refusal) -> Refused {
        Refused { reason: RefusedFor::Request, detail: refusal.detail }
    }
}

fn answer(body: &Value) -> Read<Fields<'_>> {
    Fields::element(body, "answer".to_owned())
}
