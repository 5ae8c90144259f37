//! What can go wrong in a call, in one enum; the C number and the caller's struct are made from it in `src/ffi/error.rs`.

use crate::licence::{Reason, Refusal};
use crate::store::{SettingsError, SettingsErrorKind, StoreError};
use std::io;

/// The kinds of failure of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Argument,
    Text,
    StructSize,
    BufferTooSmall,
    Closed,
    ReadOnly,
    Timeout,
    Stale,
    Disabled,
    Refused,
    Reentrant,
    NewerState,
    Limit,
    Io,
    Permission,
    Internal,
}

/// A failed call: what, where, and a sentence that a user can act on. No secret goes in here.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: Kind,
    /// The argument, setting (`proxy.port`) or step.
    pub place: String,
    pub message: String,
    /// `errno` or `GetLastError`, else 0.
    pub os_code: i32,
    /// Why a licence was refused.
    pub reason: Reason,
}

impl Error {
    pub fn new(kind: Kind, place: impl Into<String>, message: impl Into<String>) -> Error {
        Error { kind, place: place.into(), message: message.into(), os_code: 0, reason: Reason::None }
    }

    pub fn argument(place: impl Into<String>, message: impl Into<String>) -> Error {
        Error::new(Kind::Argument, place, message)
    }

    pub fn io(place: impl Into<String>, what: &str, error: &io::Error) -> Error {
        let denied = matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
        let kind = if denied { Kind::Permission } else { Kind::Io };
        Error {
            os_code: error.raw_os_error().unwrap_or(0),
            ..Error::new(kind, place, format!("Could not {what}: {error}."))
        }
    }

    pub fn refused(refusal: Refusal) -> Error {
        Error { reason: refusal.reason, ..Error::new(Kind::Refused, refusal.reason.token(), refusal.detail) }
    }

    pub fn timeout() -> Error {
        Error::new(Kind::Timeout, "", "It is not done yet; it may still happen. Repeating the call is safe.")
    }

    pub fn closed() -> Error {
        Error::new(Kind::Closed, "agent", "The handle is closed.")
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

fn sentence(error: &StoreError) -> String {
    format!("The state folder cannot be used: {error}.")
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        match &error {
            StoreError::Io { what, path, error } => {
                Error::io("state_folder", &format!("{what} ({})", path.display()), error)
            }
            StoreError::Busy { .. } => Error { message: sentence(&error), ..Error::timeout() },
            StoreError::NewerFormat { .. } => Error::new(Kind::NewerState, "state_folder", sentence(&error)),
            _ => Error::new(Kind::Io, "state_folder", sentence(&error)),
        }
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Error {
        let kind = match error.kind {
            SettingsErrorKind::Argument => Kind::Argument,
            SettingsErrorKind::Text => Kind::Text,
            SettingsErrorKind::Stale => Kind::Stale,
            SettingsErrorKind::Busy => Kind::Timeout,
            SettingsErrorKind::Store(inner) => return Error::from(inner),
        };
        // The room's words follow the member's name, or stand for themselves.
        let message = if error.member.is_empty() {
            let mut letters = error.message.chars();
            let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            format!("{first}{}.", letters.as_str())
        } else {
            format!("\"{}\" {}.", error.member, error.message)
        };
        Error::new(kind, error.member, message)
    }
}
