//! Reads the payload of one key list. What it says counts only after `keys/chain.rs` has judged its signatures.

use super::{Key, KeyStatus, Keyring, MAX_KEYS, MAX_THRESHOLD, Quorum, Role, distinct};
use crate::licence::envelope::{Envelope, KEYS_TYPE, MAX_KEY_LIST_BYTES, decode_base64};
use crate::licence::fields::{self, Fields, malformed};
use crate::licence::model::MAX_SEQUENCE;
use crate::licence::{Reason, Refusal};

/// A key list as it claims to be.
pub(super) struct KeyList {
    pub version: u64,
    pub threshold: u32,
    pub keys: Vec<Key>,
}

impl KeyList {
    pub fn parse(envelope: &Envelope) -> Result<KeyList, Refusal> {
        envelope.expect_type(KEYS_TYPE)?;
        if envelope.payload.len() > MAX_KEY_LIST_BYTES || envelope.length() > MAX_KEY_LIST_BYTES {
            return Err(Refusal::new(Reason::TooLarge, "The key list is larger than 256 KiB."));
        }
        let members = fields::object(&envelope.payload, "key list")?;
        let fields = Fields::new(&members, "key list");
        fields.format_1()?;
        let version = fields.whole("version", 1, MAX_SEQUENCE)?;
        let threshold = fields.whole("threshold", 1, u64::from(MAX_THRESHOLD))?;
        let threshold = u32::try_from(threshold).unwrap_or(MAX_THRESHOLD);
        let mut keys = Vec::new();
        for (index, element) in fields.list("keys", MAX_KEYS)?.iter().enumerate() {
            let fields = Fields::element(element, format!("key list's keys[{index}]"))?;
            let id = fields.string("id")?;
            let role = Role::from_token(fields.string("role")?)
                .ok_or_else(|| fields.wrong("role", "is not root, licence or statement"))?;
            let status = KeyStatus::from_token(fields.string("status")?)
                .ok_or_else(|| fields.wrong("status", "is not active, retired or revoked"))?;
            let public =
                decode_base64(fields.string("public")?).ok_or_else(|| fields.wrong("public", "is not base64"))?;
            keys.push(
                Key::new(id, role, status, &public).map_err(|what| malformed(format!("In the key list, {what}.")))?,
            );
        }
        distinct(&keys).map_err(|what| malformed(format!("In the key list, {what}.")))?;
        Ok(KeyList { version, threshold, keys })
    }

    pub fn into_ring(self, envelope: &Envelope, before: Option<Quorum>) -> Keyring {
        let KeyList { version, threshold, keys } = self;
        Keyring { version, threshold, keys, list: Some(envelope.digest()), before }
    }
}
