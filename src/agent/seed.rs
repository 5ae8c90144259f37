//! The installation's own key, sealed in the state folder, and opened for each request: an idle process holds none.

use crate::licence::hex;
use crate::office::protocol::AgentKey;
use crate::store::{Access, StateFolder, StoreError, durable, read_limited, secrets, secrets::SecretsProblem};
use ring::hmac;
use std::io;
use zeroize::Zeroizing;

pub const FILE: &str = "agent-key.sealed";
const LARGEST: usize = 4 << 10;
/// Of SHA-256, in bytes.
const BLOCK: usize = 64;

/// The 32 secret bytes.
pub struct Seed(Zeroizing<[u8; 32]>);

/// Why there is no key to be had.
pub enum NoSeed {
    /// There is none, or none that can ever be opened here: a new one has to be made. In words, if there was one.
    Lost(Option<String>),
    /// Not now.
    Later(StoreError),
}

impl Seed {
    pub fn open(folder: &StateFolder) -> Result<Seed, NoSeed> {
        let path = folder.file(FILE);
        let later = |error| NoSeed::Later(StoreError::io("read the installation's key", &path)(error));
        let sealed = match read_limited(&path, LARGEST) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NoSeed::Lost(None)),
            Err(error) if matches!(error.kind(), io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput) => {
                return Err(NoSeed::Lost(Some(error.to_string())));
            }
            Err(error) => return Err(later(error)),
        };
        let plain = match secrets::open(folder, &sealed) {
            Ok(plain) => plain,
            Err(SecretsProblem::KeyHeld(error)) => return Err(later(error)),
            Err(problem) => return Err(NoSeed::Lost(Some(problem.to_string()))),
        };
        let mut seed = Zeroizing::new([0; 32]);
        if plain.len() != seed.len() {
            return Err(NoSeed::Lost(Some("it has a wrong length".to_owned())));
        }
        seed.copy_from_slice(&plain);
        Ok(Seed(seed))
    }

    /// Makes a new key; the one before is gone. It is on the disk before anybody hears of it.
    pub fn make(folder: &StateFolder) -> Result<Seed, StoreError> {
        let path = folder.file(FILE);
        let step = "make the installation's key";
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed)
            .map_err(|error| StoreError::io(step, &path)(io::Error::other(format!("no random numbers: {error}"))))?;
        let sealed = secrets::seal(folder, &*seed)?;
        durable::replace(folder.disk().as_ref(), &path, &sealed, Access::Owner).map_err(StoreError::io(step, &path))?;
        Ok(Seed(seed))
    }

    pub fn key(&self) -> AgentKey {
        AgentKey::from_seed(&self.0)
    }

    /// What can be remembered of credentials without anybody being able to try codes against it.
    pub fn mark(&self, organisation: &str, code: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.0);
        let parts = ["ors refused credentials", organisation, code];
        // Room from the start, and zeros behind: the hash keeps a copy of its last block on the stack.
        let size: usize = parts.iter().map(|part| 8 + part.len()).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(size + 2 * BLOCK));
        // Each with its length before it, so that no two pairs are the same text.
        for part in parts {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        text.resize(size + 2 * BLOCK, 0);
        hex(hmac::sign(&key, &text).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_sealed_and_is_the_same_afterwards() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        assert!(matches!(Seed::open(&folder), Err(NoSeed::Lost(None))));
        let made = Seed::make(&folder).unwrap();
        let opened = Seed::open(&folder).map_err(|_| ()).unwrap();
        assert_eq!(made.key().public(), opened.key().public());
        assert_eq!(made.mark("org", "code"), opened.mark("org", "code"));
        let file = std::fs::read(folder.file(FILE)).unwrap();
        assert!(!file.windows(32).any(|window| window == *made.0), "the seed is not in the file");
    }

    #[test]
    fn one_that_was_damaged_or_sealed_elsewhere_is_lost_and_one_that_is_held_is_not() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        let before = Seed::make(&folder).unwrap().key().public();
        let key_file = folder.file(secrets::KEY_FILE);
        let key = std::fs::read(&key_file).unwrap();
        std::fs::write(&key_file, [9; 32]).unwrap();
        assert!(matches!(Seed::open(&folder), Err(NoSeed::Lost(Some(_)))));
        std::fs::write(&key_file, key).unwrap();
        assert!(Seed::open(&folder).is_ok_and(|seed| seed.key().public() == before));
        std::fs::write(folder.file(FILE), b"x").unwrap();
        assert!(matches!(Seed::open(&folder), Err(NoSeed::Lost(Some(_)))));
        assert_ne!(Seed::make(&folder).unwrap().key().public(), before);
    }

    #[test]
    fn marks_of_other_credentials_and_other_keys_differ() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        let (one, other) = (Seed::make(&folder).unwrap(), Seed::make(&folder).unwrap());
        let marks = [one.mark("a", "bc"), one.mark("ab", "c"), one.mark("a", "bd"), other.mark("a", "bc")];
        for (at, mark) in marks.iter().enumerate() {
            assert_eq!(mark.len(), 64);
            assert!(!marks[..at].contains(mark));
        }
    }
}
