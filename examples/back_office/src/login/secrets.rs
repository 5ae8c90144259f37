//! How second factors lie in the database: sealed with a key that lies beside it and in no backup of it.

use crate::domain::{Kind, Outcome, Problem, random};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The key. It has no `Debug`.
pub struct Secrets(LessSafeKey);

impl Secrets {
    /// Reads the key file, or makes it.
    ///
    /// # Errors
    /// `Store`, with a sentence that names the file.
    pub fn open_file(path: &Path) -> Outcome<Secrets> {
        let failed = |error: &dyn std::fmt::Display| problem(format!("cannot use {}: {error}", path.display()));
        let mut key = Zeroizing::new(random::<32>()?);
        let new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match new {
            Ok(mut file) => {
                file.write_all(key.as_ref()).and_then(|()| file.sync_all()).map_err(|error| failed(&error))?
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| failed(&error))?);
                key = Zeroizing::new(bytes.as_slice().try_into().map_err(|_| failed(&"it has not 32 bytes"))?);
            }
            Err(error) => return Err(failed(&error)),
        }
        Secrets::from_key(&key)
    }

    /// The key of 32 secret bytes.
    ///
    /// # Errors
    /// `Store`.
    pub fn from_key(key: &[u8; 32]) -> Outcome<Secrets> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| problem("no key".to_owned()))?;
        Ok(Secrets(LessSafeKey::new(key)))
    }

    /// Seals a secret of this user; for nobody else it opens.
    ///
    /// # Errors
    /// `Store`.
    pub fn seal(&self, user: i64, secret: &[u8]) -> Outcome<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = secret.to_vec();
        let aad = Aad::from(user.to_be_bytes());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| problem("a secret could not be sealed".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// # Errors
    /// `Store` when the key is another than the one that sealed it.
    pub fn open(&self, user: i64, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let wrong = || problem("a second factor cannot be read: secrets.key is another one; reset it".to_owned());
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or_else(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut bytes = sealed.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(user.to_be_bytes()), &mut bytes).map_err(|_| wrong())?;
        Ok(opened.to_vec())
    }
}

fn problem(detail: String) -> Problem {
    Problem { kind: Kind::Store, detail, member: None }
}
