//! Licences for the measuring hosts: any number for one serial, each with another number of users and another feature.
//!
//! Signed here by a dozen lines of their own, with another Ed25519 implementation than the library verifies with, so that
//! these measurements need neither the issuer nor anything of the library but the file that is shipped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

pub const FILE_NAME: &str = "prismaprepare-1234567890.ors.json";
const TYPE: &str = "application/vnd.ors.licence+json";

pub struct Vendor {
    root: Ed25519KeyPair,
    licence: Ed25519KeyPair,
}

impl Vendor {
    pub fn new() -> Vendor {
        let key = |seed| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("any 32 bytes are a seed");
        Vendor { root: key(1), licence: key(2) }
    }

    /// What a host gives as `trusted_keys`.
    pub fn trusted_keys(&self) -> String {
        let line =
            |role: &str, key: &Ed25519KeyPair| format!("{role} {role}-1 {}\n", STANDARD.encode(key.public_key()));
        line("root", &self.root) + &line("licence", &self.licence)
    }

    /// The licence with this sequence; its `users` is the sequence too. Dated, so that every refresh compares instants.
    pub fn licence(&self, sequence: u64) -> Vec<u8> {
        let payload = json!({
            "format": 1, "product": "prismaprepare", "serial": "1234567890", "customer": "Print Room",
            "sequence": sequence, "issued_at": "2026-01-01T10:00:00Z", "expires_on": "2090-11-23",
            "maintenance_until": "2090-05-31", "users": sequence,
            "features": [
                { "id": "pdf-toolbox", "name": "PDF Toolbox", "expires_on": null },
                { "id": format!("option-{}", sequence % 7), "name": format!("Option {}", sequence % 7), "expires_on": "2089-01-31" },
            ],
            "fls": [{ "name": "prismaprepare.lic", "text": format!("FEATURE prismaprepare {sequence}\n") }],
        })
        .to_string();
        let sealed = format!("DSSEv1 {} {TYPE} {} {payload}", TYPE.len(), payload.len());
        let signature = STANDARD.encode(self.licence.sign(sealed.as_bytes()));
        json!({
            "payloadType": TYPE, "payload": STANDARD.encode(payload),
            "signatures": [{ "keyid": "licence-1", "sig": signature }],
        })
        .to_string()
        .into_bytes()
    }
}
