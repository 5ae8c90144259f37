//! Reading and writing files by name: bounded reads, whole writes, nothing replaced unasked.
//!
//! The writing itself is `ors::store`'s: after a power cut a file is the old one or the new one.

use std::io;
use std::path::{Path, PathBuf};

use ors::store::{Access, RealDisk, place_new, read_limited, replace};

/// What to do when the name of an output is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and fail.
    Keep,
    /// Replace it as a whole.
    Replace,
}

/// Why a file was not read or written. The message names the file.
#[derive(Debug)]
pub enum FileError {
    /// The output exists.
    Exists(PathBuf),
    /// Larger than this many bytes, or not a regular file, or what the operating system says.
    Io {
        /// "read" or "write".
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FileError::Exists(path) => {
                write!(f, "{} exists and is left as it is; --force replaces it", path.display())
            }
            FileError::Io { doing, path, error } => write!(f, "cannot {doing} {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for FileError {}

/// Reads a regular file of at most `limit` bytes. A symbolic link is followed: the user named it.
///
/// # Errors
/// [`FileError::Io`].
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let failed = |error| FileError::Io { doing: "read", path: path.to_owned(), error };
    let real = path.canonicalize().map_err(failed)?;
    read_limited(&real, limit).map_err(failed)
}

/// Writes a file that anyone may read: a licence, a key list.
///
/// # Errors
/// [`FileError::Exists`], [`FileError::Io`]; the file is then as it was.
pub fn write_public(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), FileError> {
    write(path, bytes, existing, Access::Licence)
}

/// Writes a file that only its owner may read: a key.
///
/// # Errors
/// As [`write_public`].
pub fn write_private(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), FileError> {
    write(path, bytes, existing, Access::Owner)
}

fn write(path: &Path, bytes: &[u8], existing: Existing, access: Access) -> Result<(), FileError> {
    let failed = |error| FileError::Io { doing: "write", path: path.to_owned(), error };
    // A bare name has no folder to sync.
    let absolute = std::path::absolute(path).map_err(failed)?;
    let written = match existing {
        Existing::Keep => place_new(&RealDisk, &absolute, bytes, access),
        Existing::Replace => replace(&RealDisk, &absolute, bytes, access),
    };
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists if existing == Existing::Keep => FileError::Exists(path.to_owned()),
        _ => failed(error),
    })
}

/// Fails early when an output is taken, so that nobody types a passphrase for nothing. The write itself decides.
///
/// # Errors
/// [`FileError::Exists`].
pub fn check_free(path: &Path, existing: Existing) -> Result<(), FileError> {
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(FileError::Exists(path.to_owned()));
    }
    Ok(())
}
