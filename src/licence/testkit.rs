//! Keys and signed files for this room's tests: made here by hand, so that no test depends on the issuer it should judge.

use super::{Envelope, KEYS_TYPE, KeyStatus, Keyring, LICENCE_TYPE, Product, Role, Serial, Signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

pub struct TestKey {
    pub id: String,
    pub role: Role,
    secret: SigningKey,
}

/// The same id always gives the same key.
pub fn key(role: Role, id: &str) -> TestKey {
    TestKey { id: id.to_owned(), role, secret: SigningKey::from_bytes(&super::sha256(id.as_bytes())) }
}

impl TestKey {
    pub fn public(&self) -> String {
        STANDARD.encode(self.secret.verifying_key().as_bytes())
    }

    pub fn line(&self) -> String {
        format!("{} {} {}\n", self.role.token(), self.id, self.public())
    }

    pub fn signature(&self, payload_type: &str, payload: &[u8]) -> Signature {
        let sig = self.secret.sign(&Envelope::pae(payload_type, payload)).to_bytes().to_vec();
        Signature { keyid: Some(self.id.clone()), sig }
    }

    pub fn entry(&self, status: KeyStatus) -> Value {
        json!({"id": self.id, "role": self.role.token(), "public": self.public(), "status": status.token()})
    }
}

pub fn seal(payload_type: &str, payload: &[u8], keys: &[&TestKey]) -> Envelope {
    let signatures = keys.iter().map(|key| key.signature(payload_type, payload)).collect();
    Envelope { payload_type: payload_type.to_owned(), payload: payload.to_vec(), signatures }
}

pub fn seal_licence(payload: &Value, key: &TestKey) -> Vec<u8> {
    seal(LICENCE_TYPE, payload.to_string().as_bytes(), &[key]).to_json()
}

pub fn key_list(version: u64, threshold: u32, entries: &[Value], signers: &[&TestKey]) -> Envelope {
    let payload = json!({"format": 1, "version": version, "threshold": threshold, "keys": entries});
    seal(KEYS_TYPE, payload.to_string().as_bytes(), signers)
}

pub fn host(keys: &[&TestKey]) -> Keyring {
    Keyring::from_host(&keys.iter().map(|key| key.line()).collect::<String>()).unwrap()
}

pub fn product() -> Product {
    Product::parse("prismaprepare").unwrap()
}

pub fn serial() -> Serial {
    Serial::parse("1234567890").unwrap()
}

/// A payload with every member.
pub fn payload() -> Value {
    json!({
        "format": 1, "product": "prismaprepare", "serial": "1234567890", "customer": "Print Room", "sequence": 7,
        "issued_at": "2026-11-23T10:00:00Z", "expires_on": "2027-11-23", "maintenance_until": "2027-05-31", "users": 5,
        "features": [{"id": "pdf-toolbox", "name": "PDF Toolbox", "expires_on": null}],
        "fls": [{"name": "prismaprepare.lic", "text": "FEATURE x\r\n"}],
    })
}

/// The payload with one member set, by JSON pointer: "/features/0/name".
pub fn with(pointer: &str, value: Value) -> Value {
    let mut changed = payload();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        other => *other.pointer_mut(&format!("/{name}")).unwrap() = value,
    }
    changed
}

/// The payload without one member.
pub fn without(pointer: &str) -> Value {
    let mut changed = payload();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    changed
}
