//! The signed envelope: DSSE 1.0.2 (Dead Simple Signing Envelope), its limits, and what a signature is made over.
//!
//! An envelope that parses is not yet trusted by anyone; that is for [`super::Keyring`]. The payload is kept as the very bytes
//! that were signed, and exactly those are parsed afterwards.

use super::fields::{self, Fields, malformed};
use super::{Reason, Refusal, written};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Serialize;
use serde_json::{Map, Value};

/// Payload type of a licence.
pub const LICENCE_TYPE: &str = "application/vnd.ors.licence+json";
/// Payload type of a key list.
pub const KEYS_TYPE: &str = "application/vnd.ors.keys+json";
/// Payload type of a signed time file.
pub const TIME_TYPE: &str = "application/vnd.ors.time+json";
/// The largest signed file that is read, in bytes.
pub const MAX_LICENCE_BYTES: usize = 1 << 20;
/// The largest single key list, in bytes.
pub const MAX_KEY_LIST_BYTES: usize = 256 << 10;
/// The most signatures an envelope may carry.
pub const MAX_SIGNATURES: usize = 8;

/// A SHA-256.
pub type Digest = [u8; 32];

/// One signature of an envelope, trusted by nobody yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A hint at which key to try first; proves nothing.
    pub keyid: Option<String>,
    /// The decoded bytes; 64 for Ed25519, another length belongs to somebody else's scheme.
    pub sig: Vec<u8>,
}

/// A parsed envelope, trusted by nobody yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub payload_type: String,
    /// The decoded payload.
    pub payload: Vec<u8>,
    pub signatures: Vec<Signature>,
}

impl Envelope {
    /// Reads an envelope of at most [`MAX_LICENCE_BYTES`] with 1 to [`MAX_SIGNATURES`] signatures. Both base64 alphabets are
    /// read, with canonical padding only; unknown members are ignored.
    ///
    /// Refuses with `TooLarge`, `Malformed` or `Amount`.
    pub fn parse(bytes: &[u8]) -> Result<Envelope, Refusal> {
        if bytes.len() > MAX_LICENCE_BYTES {
            return Err(Refusal::new(Reason::TooLarge, "The file is larger than 1 MiB."));
        }
        Envelope::from_members(fields::object(bytes, "file")?)
    }

    /// The envelope in an object that was parsed from bytes that passed [`super::json::check_raw`].
    pub(super) fn from_members(members: Map<String, Value>) -> Result<Envelope, Refusal> {
        let fields = Fields::new(&members, "file");
        let payload_type = fields.string("payloadType")?.to_owned();
        let payload = fields.string("payload")?;
        let listed = fields.list("signatures", MAX_SIGNATURES)?;
        if listed.is_empty() {
            return Err(Refusal::new(Reason::Amount, "The file carries no signature."));
        }
        let mut signatures = Vec::with_capacity(listed.len());
        for (index, element) in listed.iter().enumerate() {
            let fields = Fields::element(element, format!("file's signatures[{index}]"))?;
            let keyid = match element.get("keyid") {
                None | Some(Value::Null) => None,
                Some(_) => Some(fields.string("keyid")?.to_owned()),
            };
            let sig = decode_base64(fields.string("sig")?).ok_or_else(|| fields.wrong("sig", "is not base64"))?;
            signatures.push(Signature { keyid, sig });
        }
        let payload = decode_base64(payload).ok_or_else(|| fields.wrong("payload", "is not base64"))?;
        Ok(Envelope { payload_type, payload, signatures })
    }

    /// What a signature is made over: DSSE's pre-authentication encoding.
    pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
        let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
        out.extend_from_slice(payload);
        out
    }

    /// The envelope as JSON, in the standard base64 alphabet.
    pub fn to_json(&self) -> Vec<u8> {
        written::bytes(&self.wire())
    }

    /// How long [`Envelope::to_json`] is.
    pub(super) fn length(&self) -> usize {
        written::length(&self.wire())
    }

    /// The envelope as it stands in a larger JSON document.
    pub(super) fn wire(&self) -> impl Serialize {
        Wire {
            payload_type: self.payload_type.clone(),
            payload: STANDARD.encode(&self.payload),
            signatures: self
                .signatures
                .iter()
                .map(|signature| WireSignature { keyid: signature.keyid.clone(), sig: STANDARD.encode(&signature.sig) })
                .collect(),
        }
    }

    /// SHA-256 of the decoded payload: what "the same licence" means, whoever signed it again.
    pub fn digest(&self) -> Digest {
        sha256(&self.payload)
    }

    /// Refuses another payload type, in words that say what the file is instead.
    pub(super) fn expect_type(&self, wanted: &str) -> Result<(), Refusal> {
        if self.payload_type == wanted {
            return Ok(());
        }
        let name = |payload_type: &str| match payload_type {
            LICENCE_TYPE => Some("a licence"),
            KEYS_TYPE => Some("a key list"),
            TIME_TYPE => Some("a time file"),
            _ => None,
        };
        let wanted = name(wanted).unwrap_or(wanted);
        Err(malformed(match name(&self.payload_type) {
            Some(found) => format!("This file is {found}, not {wanted}."),
            None => format!("This file is of type \"{}\", not {wanted}.", super::text::clean(&self.payload_type, 100)),
        }))
    }
}

#[derive(Serialize)]
struct Wire {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize)]
struct WireSignature {
    #[serde(skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

/// Decodes either alphabet, never a mixture; padding must be there and unused bits must be zero, so that one value has one
/// spelling in each alphabet.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut out = Digest::default();
    out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    out
}

/// Lower-case hexadecimal, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
