//! The state folder: what the library keeps on disk, and the only code that writes there durably.
//!
//! Read [`durable`] first: one function replaces a file so that a power cut leaves the old or the new one, whole.
//! Everything else stands on it: [`document`] keeps a small value twice, [`settings`] is such a document with a
//! revision, [`secrets`] seals what must not be read, [`journal`] is the chained record of what was done,
//! [`handover`] holds the small files by which processes hand each other work, [`lock`] says who may write.
//!
//! This room never interprets a licence, never asks the clock what day it is and never speaks to a network: its
//! neighbours `licence` (what a file means), `clock` and `floating` (where the licence server reads) do that.
//! Unsafe code lives in `os/` only.

pub mod disk;
pub mod document;
pub mod durable;
mod error;
pub mod folder;
pub mod handover;
pub mod journal;
pub mod lock;
mod os;
pub mod reading;
pub mod secrets;
pub mod settings;

#[cfg(any(test, feature = "test-disk"))]
pub use disk::faulty::FaultyDisk;
pub use disk::{Access, BriefDisk, Disk, RealDisk, lent};
pub use durable::{clear_old_temps, clear_stale_temps, place_new, remove, replace, replace_if, take_over};
pub use error::StoreError;
pub use folder::StateFolder;
pub use handover::Upload;
pub use journal::{Journal, JournalReport, verify_journal};
pub use lock::FileLock;
#[cfg(unix)]
pub use lock::close_all_in_child;
pub use reading::{FileStamp, list, passes, read_limited, read_patiently, stamp};
pub use secrets::{NoTraces, Secret, SecretsProblem};
pub use settings::{Change, ReadOnlyPart, Secrets, Settings, SettingsError, SettingsErrorKind};

/// SHA-256.
pub type Digest = [u8; 32];

fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    out
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
