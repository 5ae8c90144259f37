//! The one gate from "a file says so" to "the vendor says so".

use super::envelope::{Digest, Envelope, KEYS_TYPE, LICENCE_TYPE, TIME_TYPE};
use super::fields::malformed;
use super::model::claims_of;
use super::{KeyStatus, Keyring, Licence, Product, Reason, Refusal, Role};
use std::sync::Arc;

/// A licence for which a trusted key vouches. Only [`verify()`] makes one.
#[derive(Clone, Debug)]
pub struct Genuine {
    licence: Arc<Licence>,
    digest: Digest,
    key_fingerprint: String,
    key_status: KeyStatus,
    bytes: Arc<[u8]>,
}

impl Genuine {
    /// What it says.
    pub fn licence(&self) -> &Licence {
        &self.licence
    }

    /// SHA-256 of the decoded payload: two files with the same one are the same licence, whoever signed them.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// [`super::Key::fingerprint`] of the key that vouches.
    pub fn key_fingerprint(&self) -> &str {
        &self.key_fingerprint
    }

    /// `Active`, or `Retired`: then it counts only where it was installed before.
    pub fn key_status(&self) -> KeyStatus {
        self.key_status
    }

    /// The file as it was found.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }
}

/// Verifies a file: size, raw bytes, envelope, type, key, and then format, fields and product.
///
/// A licence by a retired key is genuine and says so; by a revoked one it is refused. Expiry is not looked at: an expired
/// licence is genuine. A refusal carries the serial and sequence that the file claims, where they are readable.
pub fn verify(file: &[u8], keys: &Keyring, product: &Product) -> Result<Genuine, Refusal> {
    let envelope = Envelope::parse(file)?;
    envelope.expect_type(LICENCE_TYPE)?;
    let key = keys.sealed_by(&envelope, Role::Licence).map_err(|refusal| {
        let (serial, sequence) = claims_of(&envelope.payload);
        refusal.about(serial, sequence)
    })?;
    let licence = Licence::parse(&envelope.payload)?;
    if licence.product != *product {
        let detail = format!("This licence is for the product \"{}\", not for \"{product}\".", licence.product);
        let (serial, sequence) = (licence.serial.as_str().to_owned(), licence.sequence.get());
        return Err(Refusal::new(Reason::Product, detail).about(Some(serial), Some(sequence)));
    }
    Ok(Genuine {
        licence: Arc::new(licence),
        digest: envelope.digest(),
        key_fingerprint: key.fingerprint(),
        key_status: key.status,
        bytes: file.into(),
    })
}

/// What a signed file is, by its own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Licence,
    /// One key list, or a file of them.
    Keys,
    Time,
}

/// Tells what a file is, so that the caller knows whom to ask; nothing about it is verified.
pub fn kind_of(file: &[u8]) -> Result<FileKind, Refusal> {
    match Envelope::parse(file) {
        Ok(envelope) => match envelope.payload_type.as_str() {
            LICENCE_TYPE => Ok(FileKind::Licence),
            KEYS_TYPE => Ok(FileKind::Keys),
            TIME_TYPE => Ok(FileKind::Time),
            other => Err(malformed(format!(
                "This file is of type \"{}\", which is none of ours.",
                super::text::clean(other, 100)
            ))),
        },
        Err(refusal) if refusal.reason == Reason::Malformed => {
            super::KeyChain::parse(file).map(|_| FileKind::Keys).map_err(|_| refusal)
        }
        Err(refusal) => Err(refusal),
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
