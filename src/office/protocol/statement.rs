//! What the back office says, signed by a `statement` key.

use super::key::KeyId;
use super::words::{Nonce, Origin, Read};
use super::{MAX_MESSAGE_BYTES, STATEMENT_TYPE};
use crate::licence::{
    Envelope, Fields, Instant, KeyStatus, Keyring, Product, Refusal, Role, Serial, parse_object, text,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

/// What a statement is an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Enrolled,
    Checked,
    Events,
    Stored,
    /// The answer to any verb, when it is no.
    Refused,
}

impl Kind {
    const ALL: [(Kind, &'static str); 5] = [
        (Kind::Enrolled, "enrolled"),
        (Kind::Checked, "checked"),
        (Kind::Events, "events"),
        (Kind::Stored, "stored"),
        (Kind::Refused, "refused"),
    ];

    pub fn token(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, token)| token)
    }

    fn from_token(token: &str) -> Option<Kind> {
        Kind::ALL.iter().find(|(_, known)| *known == token).map(|(kind, _)| *kind)
    }
}

/// One answer: to one request, of one key, at one office.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub kind: Kind,
    pub office: Origin,
    pub product: Product,
    pub serial: Serial,
    pub key: KeyId,
    /// That of the request.
    pub nonce: Nonce,
    /// The time that the office vouches for.
    pub server_time: Instant,
    /// An answer that arrives later than this after the request is not taken.
    pub expires_at: Instant,
    /// What the kind's own type in `answers` reads and writes.
    pub body: Value,
}

/// What the agent asked, and so what an answer has to name.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    pub office: &'a Origin,
    pub product: &'a Product,
    pub serial: &'a Serial,
    pub key: &'a KeyId,
    pub nonce: &'a Nonce,
    /// Seconds since the request was made, by a clock that nobody sets.
    pub elapsed: i64,
}

/// Why an answer is not taken. Nothing follows from such an answer, except that there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// Not a statement at all: a proxy or a log-in page answered, or a server that is no back office.
    NotOurs(Refusal),
    /// A statement that no `statement` key trusted here has signed.
    Key(Refusal),
    /// Signed, but not as this version reads it.
    Malformed(Refusal),
    /// Signed, but for another office, product, serial number or key: the word for which.
    Another(&'static str),
    /// Signed, but the answer to another request: replayed, or mixed up.
    Nonce,
    /// Signed, but it was on its way for too long.
    Late,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Untrusted::NotOurs(refusal) => write!(f, "the answer is not one of the back office: {refusal}"),
            Untrusted::Key(refusal) => write!(f, "the answer is not signed by a key that is trusted here: {refusal}"),
            Untrusted::Malformed(refusal) => write!(f, "the answer cannot be read: {refusal}"),
            Untrusted::Another(what) => write!(f, "the answer is for another {what}"),
            Untrusted::Nonce => f.write_str("the answer is that to another request"),
            Untrusted::Late => f.write_str("the answer was on its way for too long"),
        }
    }
}

impl std::error::Error for Untrusted {}

#[derive(Serialize)]
struct Wire<'a> {
    format: u32,
    #[serde(rename = "type")]
    kind: &'a str,
    office: &'a str,
    product: &'a Product,
    serial: &'a Serial,
    key: &'a str,
    nonce: &'a str,
    server_time: Instant,
    expires_at: Instant,
    body: &'a Value,
}

impl Statement {
    /// The payload, for the back office to sign as [`STATEMENT_TYPE`].
    pub fn to_payload(&self) -> Vec<u8> {
        let wire = Wire {
            format: 1,
            kind: self.kind.token(),
            office: self.office.as_str(),
            product: &self.product,
            serial: &self.serial,
            key: self.key.as_str(),
            nonce: self.nonce.as_str(),
            server_time: self.server_time,
            expires_at: self.expires_at,
            body: &self.body,
        };
        // Texts and numbers cannot fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// The statement in some bytes, if the back office made it as the answer to this very request.
    ///
    /// # Errors
    /// [`Untrusted`] says in which way it did not.
    pub fn verify(bytes: &[u8], keys: &Keyring, expected: &Expected<'_>) -> Result<Statement, Untrusted> {
        debug_assert!(bytes.len() <= MAX_MESSAGE_BYTES);
        let envelope = Envelope::parse(bytes).map_err(Untrusted::NotOurs)?;
        if envelope.payload_type != STATEMENT_TYPE {
            let found = text::clean(&envelope.payload_type, 100);
            let detail = format!("It is of type \"{found}\".");
            return Err(Untrusted::NotOurs(Refusal::new(crate::licence::Reason::Malformed, detail)));
        }
        let key = keys.sealed_by(&envelope, Role::Statement).map_err(Untrusted::Key)?;
        if key.status != KeyStatus::Active {
            let detail = format!("Signed by the key \"{}\", which signs nothing new any more.", key.id);
            return Err(Untrusted::Key(Refusal::new(crate::licence::Reason::KeyRetired, detail)));
        }
        let members = parse_object(&envelope.payload, "answer").map_err(Untrusted::Malformed)?;
        let statement = read(&members).map_err(Untrusted::Malformed)?;
        statement.answers(expected)
    }

    fn answers(self, expected: &Expected<'_>) -> Result<Statement, Untrusted> {
        let same = [
            ("office", self.office == *expected.office),
            ("product", self.product == *expected.product),
            ("serial number", self.serial == *expected.serial),
            ("key", self.key == *expected.key),
        ];
        if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
            return Err(Untrusted::Another(what));
        }
        if self.nonce != *expected.nonce {
            return Err(Untrusted::Nonce);
        }
        if expected.elapsed > self.expires_at.unix().saturating_sub(self.server_time.unix()) {
            return Err(Untrusted::Late);
        }
        Ok(self)
    }
}

fn read(members: &Map<String, Value>) -> Read<Statement> {
    let fields = Fields::new(members, "answer");
    fields.format_1()?;
    let kind = Kind::from_token(fields.string("type")?).ok_or_else(|| fields.wrong("type", "is not known"))?;
    Ok(Statement {
        kind,
        office: super::request::office(&fields)?,
        product: Product::parse(fields.string("product")?).map_err(|error| fields.wrong("product", error.0))?,
        serial: Serial::parse(fields.string("serial")?).map_err(|error| fields.wrong("serial", error.0))?,
        key: KeyId::parse(fields.string("key")?).ok_or_else(|| fields.wrong("key", "is not a key id"))?,
        nonce: Nonce::parse(fields.string("nonce")?).ok_or_else(|| fields.wrong("nonce", "is not a nonce"))?,
        server_time: fields.instant("server_time")?,
        expires_at: fields.instant("expires_at")?,
        body: fields.object("body")?.clone().into(),
    })
}
