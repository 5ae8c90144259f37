//! The installation's own key.
//!
//! The agent makes it before it enrols and keeps it sealed. Its id follows from the key, so nobody can claim another's.

use super::words::is_hex;
use crate::licence::{Envelope, hex, sha256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as Ed25519Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;
use zeroize::Zeroizing;

/// Names an installation's key: the first 16 bytes of the public key's SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    pub fn parse(text: &str) -> Option<KeyId> {
        is_hex(text, 32).then(|| KeyId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What two people read to each other: eight letters and digits that cannot be taken for one another, as in `7KQ2-M9XD`.
/// 40 bits: enough against chance and against an attacker who has the length of a phone call.
pub fn fingerprint(public: &[u8; 32]) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digest = sha256(public);
    let bits = digest.iter().take(5).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let letter = |place: u32| {
        let index = bits >> (35 - 5 * place) & 31;
        usize::try_from(index).ok().and_then(|index| LETTERS.get(index)).map_or('0', |letter| char::from(*letter))
    };
    let mut out: String = (0..8).map(letter).collect();
    out.insert(4, '-');
    out
}

/// The public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPublic(VerifyingKey);

impl AgentPublic {
    /// Refuses what is no Ed25519 key, and keys of small order, for which anybody can sign.
    pub fn from_bytes(bytes: &[u8]) -> Option<AgentPublic> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        (!key.is_weak() && key.to_edwards().compress().as_bytes() == bytes).then_some(AgentPublic(key))
    }

    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub fn id(&self) -> KeyId {
        let digest = sha256(&self.to_bytes());
        KeyId(hex(digest.get(..16).unwrap_or_default()))
    }

    pub fn fingerprint(&self) -> String {
        fingerprint(&self.to_bytes())
    }

    /// Whether one of the envelope's signatures is this key's.
    pub(super) fn sealed(&self, envelope: &Envelope) -> bool {
        let message = Envelope::pae(&envelope.payload_type, &envelope.payload);
        envelope.signatures.iter().any(|signature| {
            Ed25519Signature::from_slice(&signature.sig).is_ok_and(|sig| self.0.verify_strict(&message, &sig).is_ok())
        })
    }
}

/// The whole key. It has no `Debug` and no `Clone`; the secret half is wiped when it goes.
pub struct AgentKey(SigningKey);

impl AgentKey {
    /// The key of 32 secret random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> AgentKey {
        AgentKey(SigningKey::from_bytes(seed))
    }

    pub fn public(&self) -> AgentPublic {
        AgentPublic(self.0.verifying_key())
    }

    /// Signs a payload and wraps it, as the JSON of an [`Envelope`]. A verification code may be in it: it is copied into memory of its
    /// final size alone, all of which is wiped.
    pub(super) fn seal(&self, payload_type: &str, payload: &[u8]) -> Zeroizing<Vec<u8>> {
        let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
        let mut signed = Zeroizing::new(Vec::with_capacity(head.len() + payload.len()));
        signed.extend_from_slice(head.as_bytes());
        signed.extend_from_slice(payload);
        let sig = STANDARD.encode(self.0.sign(&signed).to_bytes());
        let before = format!("{{\"payloadType\":\"{payload_type}\",\"payload\":\"");
        let after = format!("\",\"signatures\":[{{\"keyid\":\"{}\",\"sig\":\"{sig}\"}}]}}", self.public().id());
        let encoded = payload.len().div_ceil(3) * 4;
        let mut out = Zeroizing::new(vec![0; before.len() + encoded + after.len()]);
        let (head, rest) = out.split_at_mut(before.len());
        let (middle, tail) = rest.split_at_mut(encoded);
        head.copy_from_slice(before.as_bytes());
        tail.copy_from_slice(after.as_bytes());
        // It has exactly the room that it needs.
        let _ = STANDARD.encode_slice(payload, middle);
        out
    }
}
