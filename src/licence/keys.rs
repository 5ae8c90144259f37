//! The keys an installation trusts, and what each of them may sign.
//!
//! A [`Keyring`] begins as the host's `trusted_keys` (version 0) and moves on by key lists, each of which is signed by
//! enough root keys of the version before *and* of its own. This file holds the ring and the judgement of signatures;
//! `keys/host.rs` reads the host's lines, `keys/list.rs` one key list, `keys/chain.rs` follows lists from version to version.

mod chain;
mod host;
mod list;

pub use chain::{Advance, KeyChain};
pub use host::KeysProblem;

use super::envelope::{self, Digest, Envelope};
use super::{Reason, Refusal, text};
use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey};

/// The most keys that are trusted at a time.
pub const MAX_KEYS: usize = 64;
/// The largest threshold: an envelope has no more signatures than that.
pub const MAX_THRESHOLD: u32 = envelope::MAX_SIGNATURES as u32;

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Key lists, nothing else.
    Root,
    /// Licences.
    Licence,
    /// What the back office says online: answers, events, time.
    Statement,
}

impl Role {
    /// The word in `trusted_keys` and in key lists.
    pub fn token(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Licence => "licence",
            Role::Statement => "statement",
        }
    }

    /// The role of a word.
    pub fn from_token(token: &str) -> Option<Role> {
        [Role::Root, Role::Licence, Role::Statement].into_iter().find(|role| role.token() == token)
    }
}

/// What a key list says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    /// Its signatures count.
    Active,
    /// A licence that is already installed stays good; nothing new by it is taken.
    Retired,
    /// Nothing by it counts.
    Revoked,
}

impl KeyStatus {
    /// The word in key lists and in diagnostics.
    pub fn token(self) -> &'static str {
        match self {
            KeyStatus::Active => "active",
            KeyStatus::Retired => "retired",
            KeyStatus::Revoked => "revoked",
        }
    }

    /// The status of a word.
    pub fn from_token(token: &str) -> Option<KeyStatus> {
        [KeyStatus::Active, KeyStatus::Retired, KeyStatus::Revoked].into_iter().find(|status| status.token() == token)
    }
}

/// One public key with its role and status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `[A-Za-z0-9._:-]{1,128}`; unique in its ring.
    pub id: String,
    pub role: Role,
    pub status: KeyStatus,
    public: VerifyingKey,
}

impl Key {
    /// Checks id and public key. Refuses points that are no key, keys of small order (the identity among them: anybody can
    /// "sign" for those) and a second spelling of a key.
    fn new(id: &str, role: Role, status: KeyStatus, public: &[u8]) -> Result<Key, String> {
        if !text::is_name(id, 128, b"._:-") {
            return Err(format!("\"{}\" is no key id: 1 to 128 of A-Z a-z 0-9 . _ : -", text::clean(id, 60)));
        }
        let bytes: &[u8; 32] = public.try_into().map_err(|_| format!("the public key of \"{id}\" is not 32 bytes"))?;
        let public =
            VerifyingKey::from_bytes(bytes).map_err(|_| format!("the public key of \"{id}\" is no Ed25519 key"))?;
        if public.is_weak() || public.to_edwards().compress().as_bytes() != bytes {
            return Err(format!("the public key of \"{id}\" is weak"));
        }
        Ok(Key { id: id.to_owned(), role, status, public })
    }

    /// The 32 bytes of the public key.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.public.to_bytes()
    }

    /// The first 16 hexadecimal digits of the public key's SHA-256: names the key wherever an id could be given to another.
    pub fn fingerprint(&self) -> String {
        let mut digits = envelope::hex(&envelope::sha256(&self.public_bytes()));
        digits.truncate(16);
        digits
    }

    fn made(&self, signature: &[u8], message: &[u8]) -> bool {
        Ed25519Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify_strict(message, &signature).is_ok())
    }

    fn made_any_of(&self, envelope: &Envelope, message: &[u8]) -> bool {
        envelope.signatures.iter().any(|signature| self.made(&signature.sig, message))
    }

    fn is_active_root(&self) -> bool {
        self.role == Role::Root && self.status == KeyStatus::Active
    }
}

/// The keys trusted now.
#[derive(Clone, Debug)]
pub struct Keyring {
    version: u64,
    /// 1 or more: whoever reads it sees to that.
    threshold: u32,
    keys: Vec<Key>,
    /// Digest of the list that this ring is; none for the host's own lines.
    list: Option<Digest>,
    /// The roots of the version before, who may tell that this version has been signed twice.
    before: Option<Quorum>,
}

/// The root keys of one version and how many of them must sign.
#[derive(Clone, Debug)]
struct Quorum {
    /// 1 or more: whoever reads it sees to that.
    threshold: u32,
    roots: Vec<Key>,
}

impl Quorum {
    /// How many distinct roots signed: a root that signed twice counts once, and ids do not matter.
    fn count(&self, envelope: &Envelope) -> u32 {
        let message = Envelope::pae(&envelope.payload_type, &envelope.payload);
        let signed = self.roots.iter().filter(|root| root.made_any_of(envelope, &message)).count();
        u32::try_from(signed).unwrap_or(u32::MAX)
    }
}

/// No two keys may share an id or the key itself: a key with two roles, or listed both active and revoked, has none.
fn distinct(keys: &[Key]) -> Result<(), String> {
    for (index, key) in keys.iter().enumerate() {
        for other in keys.iter().take(index) {
            if other.id == key.id {
                return Err(format!("the key id \"{}\" is given twice", key.id));
            }
            if other.public == key.public {
                return Err(format!("\"{}\" and \"{}\" are the same key", other.id, key.id));
            }
        }
    }
    Ok(())
}

impl Keyring {
    /// 0 for the host's own lines, else the version of the key list.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many roots must sign the next key list, 1 to [`MAX_THRESHOLD`].
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// All keys, revoked ones too, in the order of the host's lines or of the list.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The key of a [`Key::fingerprint`], if the ring has it.
    pub fn by_fingerprint(&self, fingerprint: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.fingerprint() == fingerprint)
    }

    /// The key of this role that sealed the envelope: an active one, else a retired one (the caller decides what that is worth).
    ///
    /// All keys are tried with all signatures; those that a `keyid` names come first and that is all it does. Refuses with
    /// `KeyRevoked`, `KeyRole`, `Signature` (a key is named, but did not sign this content) or `UnknownKey`, whichever of these
    /// comes first here.
    pub fn sealed_by(&self, envelope: &Envelope, role: Role) -> Result<&Key, Refusal> {
        let message = Envelope::pae(&envelope.payload_type, &envelope.payload);
        let named =
            |key: &&Key| envelope.signatures.iter().any(|signature| signature.keyid.as_deref() == Some(&key.id));
        let order = self.keys.iter().filter(named).chain(self.keys.iter().filter(|key| !named(key)));
        let (mut retired, mut revoked, mut misused) = (None, None, None);
        for key in order {
            let slot = match key.status {
                KeyStatus::Revoked => &mut revoked,
                _ if key.role != role => &mut misused,
                KeyStatus::Retired => &mut retired,
                KeyStatus::Active if key.made_any_of(envelope, &message) => return Ok(key),
                KeyStatus::Active => continue,
            };
            if slot.is_none() && key.made_any_of(envelope, &message) {
                *slot = Some(key);
            }
        }
        if let Some(key) = retired {
            return Ok(key);
        }
        Err(if let Some(key) = revoked {
            Refusal::new(Reason::KeyRevoked, format!("Signed by the key \"{}\", which has been revoked.", key.id))
        } else if let Some(key) = misused {
            let (has, wants) = (key.role.token(), role.token());
            let id = &key.id;
            Refusal::new(
                Reason::KeyRole,
                format!("Signed by \"{id}\", a {has} key; this kind of file needs a {wants} key."),
            )
        } else if let Some(key) = self.keys.iter().find(named) {
            let id = &key.id;
            Refusal::new(
                Reason::Signature,
                format!("The signature of \"{id}\" does not fit: the file was altered or damaged."),
            )
        } else {
            Refusal::new(Reason::UnknownKey, "None of the keys trusted here has signed this file.")
        })
    }

    fn quorum(&self) -> Quorum {
        let roots = self.keys.iter().filter(|key| key.is_active_root()).cloned().collect();
        Quorum { threshold: self.threshold, roots }
    }
}

#[cfg(test)]
mod tests;
