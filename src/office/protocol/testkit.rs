//! Messages for this room's tests.

use super::*;
use crate::licence::testkit::{self as licences, TestKey};
use crate::licence::{Instant, Keyring, Role};
use serde_json::{Value, json};

pub fn office() -> Origin {
    Origin::of_url("https://office.example").unwrap()
}

pub fn agent_key() -> AgentKey {
    AgentKey::from_seed(&[7; 32])
}

pub fn nonce(byte: u8) -> Nonce {
    Nonce::from_random([byte; 16])
}

pub fn now() -> Instant {
    Instant::parse("2026-11-26T10:00:00Z").unwrap()
}

pub fn request(verb: Verb, body: Value) -> Request {
    Request {
        verb,
        office: office(),
        product: licences::product(),
        serial: licences::serial(),
        key: agent_key().public().id(),
        instance: nonce(1),
        nonce: nonce(2),
        created: now(),
        body,
    }
}

pub fn statement() -> Statement {
    Statement {
        kind: Kind::Checked,
        office: office(),
        product: licences::product(),
        serial: licences::serial(),
        key: agent_key().public().id(),
        nonce: nonce(2),
        server_time: now(),
        expires_at: now().plus(STATEMENT_LIFE),
        body: json!({}),
    }
}

pub fn office_key() -> TestKey {
    licences::key(Role::Statement, "office-1")
}

pub fn keyring() -> Keyring {
    licences::host(&[&office_key(), &licences::key(Role::Licence, "licence-1")])
}

pub fn sealed(statement: &Statement) -> Vec<u8> {
    licences::seal(STATEMENT_TYPE, &statement.to_payload(), &[&office_key()]).to_json()
}

/// What the agent of [`request`] waits for.
pub fn verify(bytes: &[u8], elapsed: i64) -> Result<Statement, Untrusted> {
    let (office, product, serial) = (office(), licences::product(), licences::serial());
    let (key, nonce) = (agent_key().public().id(), nonce(2));
    let expected = Expected { office: &office, product: &product, serial: &serial, key: &key, nonce: &nonce, elapsed };
    Statement::verify(bytes, &keyring(), &expected)
}
