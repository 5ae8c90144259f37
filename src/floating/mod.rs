//! The licence folder: where the floating licence server reads licences, and where we find and put them.
//!
//! [`scan`] reads the folder and judges nothing; [`put`] installs a licence so that a reader sees the old one or the new
//! one and nothing between; [`manual`] keeps the files that a person has to copy. Which licence counts is decided in
//! [`crate::licence::choose`], when to act in [`crate::agent`].

pub mod manual;
pub mod put;
pub mod remote;
pub mod scan;

pub use put::{PlaceError, Put};
pub use scan::{Content, FolderState, Found, Place, Scan, scan};

/// Files of a folder that are looked at, besides the one that the path names.
pub const MAX_FILES: usize = 64;

/// The newest key list, as a chain of steps, lies beside the licence under this name.
pub const KEYS_FILE: &str = "ors-keys.json";

/// Whether a file name is that of a licence.
pub fn is_licence_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len().checked_sub(9).and_then(|at| bytes.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(b".ors.json"))
}
