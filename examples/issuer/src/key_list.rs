//! The payload of a key list: made here, and read back to show it or to make the next one.
//!
//! Reading it says nothing about who signed it; that is `ors::licence::Keyring`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ors::licence::{KeyStatus, Role};
use serde::{Deserialize, Serialize};

use crate::signing::{SigningKey, sign_list_payload};

/// A key as a list names it: id, role, public half, status.
pub type Member = (String, Role, [u8; 32], KeyStatus);

/// A key list before it is signed.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyListDraft {
    /// One more than the list before; the host's `trusted_keys` are version 0.
    pub version: u64,
    /// How many root keys must sign this list, and the next one too.
    pub threshold: u32,
    /// Every key, retired and revoked ones too.
    pub keys: Vec<Member>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u64,
    version: u64,
    threshold: u32,
    keys: Vec<WrittenKey>,
}

#[derive(Serialize, Deserialize)]
struct WrittenKey {
    id: String,
    role: String,
    public: String,
    status: String,
}

impl KeyListDraft {
    /// The bytes that root keys sign.
    pub fn payload(&self) -> Vec<u8> {
        let written = |(id, role, public, status): &Member| WrittenKey {
            id: id.clone(),
            role: role.token().to_owned(),
            public: STANDARD.encode(public),
            status: status.token().to_owned(),
        };
        let keys = self.keys.iter().map(written).collect();
        // Strings and numbers cannot fail to serialise.
        serde_json::to_vec(&Written { format: 1, version: self.version, threshold: self.threshold, keys })
            .unwrap_or_default()
    }

    /// Reads a list's payload, whoever signed it.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn parse(payload: &[u8]) -> Result<KeyListDraft, String> {
        let written: Written = serde_json::from_slice(payload).map_err(|error| format!("not a key list: {error}"))?;
        if written.format != 1 {
            return Err(format!("a key list of format {}; this issuer knows format 1", written.format));
        }
        let keys: Option<Vec<Member>> = written.keys.into_iter().map(member).collect();
        let keys =
            keys.ok_or("not a key list: a key has an unknown role or status, or a public half that is no key")?;
        Ok(KeyListDraft { version: written.version, threshold: written.threshold, keys })
    }

    /// The root keys that may sign with this list.
    pub(crate) fn active_roots(&self) -> impl Iterator<Item = &Member> {
        self.keys.iter().filter(|(_, role, _, status)| (*role, *status) == (Role::Root, KeyStatus::Active))
    }
}

fn member(key: WrittenKey) -> Option<Member> {
    let public = STANDARD.decode(&key.public).ok()?.try_into().ok()?;
    Some((key.id, Role::from_token(&key.role)?, public, KeyStatus::from_token(&key.status)?))
}

/// Signs a key list with root keys. It checks nothing; [`crate::pending`] is the careful way.
pub fn sign_key_list(list: &KeyListDraft, roots: &[&SigningKey]) -> Vec<u8> {
    sign_list_payload(&list.payload(), roots)
}
