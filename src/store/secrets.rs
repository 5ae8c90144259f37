//! Sealing of what must not be read from a stolen state folder: passwords, the verification code, keys.
//!
//! Windows: DPAPI of the machine plus entropy from a file whose access list is what protects it, because several
//! accounts share the secrets. Elsewhere: AES-256-GCM under a key derived from `secrets.key` (32 random bytes with the
//! folder's rights) and the machine's identity, so that a copied folder is not enough.
//!
//! A secret never appears in a log, an error, an argument or a diagnostic. Which secrets exist is [`super::settings`].
#![forbid(unsafe_code)]

use std::fmt;
use std::io;

use zeroize::Zeroizing;

use super::disk::Access;
use super::durable;
use super::error::StoreError;
use super::folder::StateFolder;
use super::reading::read_limited;

#[cfg(not(windows))]
mod sealing;

/// A text that is wiped from memory when it goes. It has no `Debug`, `Display` or `Clone` on purpose.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text over that was wiped from everywhere else and never grew.
    pub(super) fn from_wiped(text: Zeroizing<String>) -> Secret {
        Secret(text)
    }

    /// The text itself, for the one who has to send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Held while secrets are handled: when it goes, so does what they left in the registers of this thread. Memory is
/// wiped by those who own it.
#[must_use = "it acts when it is dropped"]
pub struct NoTraces(());

impl NoTraces {
    /// From here to the end of the scope. Name it first, so that it goes last.
    pub fn from_here() -> NoTraces {
        NoTraces(())
    }
}

impl Drop for NoTraces {
    fn drop(&mut self) {
        super::os::forget_vectors();
    }
}

/// Why a sealed secret cannot be had back. For the user it means, but for `KeyHeld`: enter it again.
#[derive(Debug)]
pub enum SecretsProblem {
    /// The key file is missing.
    NoKey,
    /// The key file is damaged, or no file.
    KeyUnreadable(String),
    /// The operating system does not let us read the key file now; nothing is lost by that.
    KeyHeld(io::Error),
    /// The sealed bytes were altered, or sealed on another machine or with another key.
    NotOurs,
}

impl fmt::Display for SecretsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretsProblem::NoKey => f.write_str("the key of the secrets is missing; enter them again"),
            SecretsProblem::KeyUnreadable(why) => write!(f, "the key of the secrets cannot be read: {why}"),
            SecretsProblem::KeyHeld(error) => write!(f, "the key of the secrets cannot be read now: {error}"),
            SecretsProblem::NotOurs => f.write_str("sealed on another machine, or damaged; enter the secrets again"),
        }
    }
}

impl std::error::Error for SecretsProblem {}

/// Name of the key file (Windows: the entropy file) in the state folder.
#[cfg(not(windows))]
pub const KEY_FILE: &str = "secrets.key";
/// Name of the key file (Windows: the entropy file) in the state folder.
#[cfg(windows)]
pub const KEY_FILE: &str = "secrets.entropy";

const KEY_BYTES: usize = 32;

type Key = Zeroizing<Vec<u8>>;

fn read_key(folder: &StateFolder) -> Result<Key, SecretsProblem> {
    match read_limited(&folder.file(KEY_FILE), KEY_BYTES) {
        Ok(bytes) => {
            let key = Zeroizing::new(bytes);
            if key.len() == KEY_BYTES {
                Ok(key)
            } else {
                Err(SecretsProblem::KeyUnreadable(format!("{KEY_FILE} has a wrong length")))
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SecretsProblem::NoKey),
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge) => {
            Err(SecretsProblem::KeyUnreadable(format!("{KEY_FILE}: {error}")))
        }
        Err(error) => Err(SecretsProblem::KeyHeld(error)),
    }
}

/// The key, made when it is missing. A damaged key file is replaced: what it sealed is lost already. One that the
/// operating system does not let us read is left alone.
fn key_for_sealing(folder: &StateFolder) -> Result<Key, StoreError> {
    let path = folder.file(KEY_FILE);
    let step = "make the key of the secrets";
    let mut replace = false;
    // Twice: when another process makes the key at this moment, the first made counts.
    for _ in 0..2 {
        match read_key(folder) {
            Ok(key) => return Ok(key),
            Err(SecretsProblem::NoKey) => {}
            Err(SecretsProblem::KeyHeld(error)) => {
                return Err(StoreError::io("read the key of the secrets", &path)(error));
            }
            Err(_) => match read_limited(&path, KEY_BYTES) {
                Ok(_) => replace = true,
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => replace = true,
                Err(error) => return Err(StoreError::io("read the key of the secrets", &path)(error)),
            },
        }
        let mut key = Zeroizing::new(vec![0; KEY_BYTES]);
        getrandom::fill(&mut key)
            .map_err(|error| StoreError::io(step, &path)(io::Error::other(format!("no random numbers: {error}"))))?;
        let disk = folder.disk().as_ref();
        let placed = if replace {
            durable::replace(disk, &path, &key, Access::Secret)
        } else {
            durable::place_new(disk, &path, &key, Access::Secret)
        };
        match placed {
            Ok(()) => return Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(StoreError::io(step, &path)(error)),
        }
    }
    read_key(folder).map_err(|problem| StoreError::io(step, &path)(io::Error::other(problem.to_string())))
}

/// Seals bytes for this folder on this machine. Makes the key file when it is missing.
///
/// # Errors
/// The key file cannot be read or made, or the operating system has no random numbers.
pub fn seal(folder: &StateFolder, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let key = key_for_sealing(folder)?;
    seal_with(&key, plain).map_err(StoreError::io("seal secrets", folder.path()))
}

/// Opens what [`seal`] made.
///
/// # Errors
/// Why it cannot be had back; nothing of the secret is in the error.
pub fn open(folder: &StateFolder, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SecretsProblem> {
    let key = read_key(folder)?;
    open_with(&key, sealed).ok_or(SecretsProblem::NotOurs)
}

/// Whether secrets sealed now can be opened on this machine only. False where the machine has no identity
/// (`/etc/machine-id`): then whoever has the folder has the secrets, and diagnostics say so.
pub fn machine_bound() -> bool {
    #[cfg(windows)]
    {
        true
    }
    #[cfg(not(windows))]
    {
        super::os::machine_id().is_some()
    }
}

#[cfg(not(windows))]
fn seal_with(key: &[u8], plain: &[u8]) -> io::Result<Vec<u8>> {
    sealing::seal(key, super::os::machine_id().as_deref(), plain)
}

#[cfg(not(windows))]
fn open_with(key: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    sealing::open(key, super::os::machine_id().as_deref(), sealed)
}

#[cfg(windows)]
const DPAPI_MARK: &[u8] = b"ors-dpapi-1\n";

#[cfg(windows)]
fn seal_with(entropy: &[u8], plain: &[u8]) -> io::Result<Vec<u8>> {
    let sealed = super::os::protect(plain, entropy)?;
    // Not every implementation of DPAPI looks at every byte of what it made: damage is told by a hash of ours.
    Ok([DPAPI_MARK, &super::sha256(&sealed), &sealed].concat())
}

#[cfg(windows)]
fn open_with(entropy: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (hash, sealed) = sealed.strip_prefix(DPAPI_MARK)?.split_at_checked(32)?;
    if hash != super::sha256(sealed) {
        return None;
    }
    super::os::unprotect(sealed, entropy).ok()
}

#[cfg(test)]
mod tests;
