//! What can go wrong in the state folder: the step, the place and the cause, in words that a person can act on.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Why something could not be read from or written to the state folder. Never holds a secret.
#[derive(Debug)]
pub enum StoreError {
    /// The operating system refused a step. `what` names the step, such as `write settings`.
    Io {
        /// The step, in words.
        what: String,
        /// The file or folder concerned.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A file was written by a newer version of this library; it is neither read nor overwritten.
    NewerFormat {
        /// Name of the file within the state folder.
        file: String,
        /// The format number found there.
        format: u64,
    },
    /// The path given as a folder is something else.
    NotAFolder(PathBuf),
    /// A lock was not had in time: another process is writing.
    Busy {
        /// The lock, by file name.
        what: String,
    },
    /// A fixed limit is reached; the sentence says which.
    Limit(String),
    /// A value cannot be represented in a state document; a defect of the caller.
    Encode {
        /// The document.
        what: String,
        /// What the encoder said.
        message: String,
    },
}

impl StoreError {
    /// For `map_err`: an I/O error with its step and path.
    pub fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let (what, path) = (what.to_owned(), path.to_owned());
        move |error| StoreError::Io { what, path, error }
    }

    /// The operating system's error number, when it gave one.
    pub fn os_code(&self) -> Option<i32> {
        match self {
            StoreError::Io { error, .. } => error.raw_os_error(),
            _ => None,
        }
    }

    /// Whether rights are missing, as opposed to a disk that fails.
    pub fn is_permission(&self) -> bool {
        matches!(self, StoreError::Io { error, .. } if error.kind() == io::ErrorKind::PermissionDenied)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Io { what, path, error } => write!(f, "cannot {what} ({}): {error}", path.display()),
            StoreError::NewerFormat { file, format } => {
                write!(f, "{file} has format {format}, written by a newer version of this library")
            }
            StoreError::NotAFolder(path) => write!(f, "{} is not a folder", path.display()),
            StoreError::Busy { what } => write!(f, "{what} is held by another process; try again"),
            StoreError::Limit(what) => f.write_str(what),
            StoreError::Encode { what, message } => write!(f, "{what} cannot be encoded: {message}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
