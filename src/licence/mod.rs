//! The licence room: what a licence is, who may vouch for it, and what follows from it.
//!
//! Everything in here is a function of values. The room never opens a file, never reads a clock, never starts a thread and
//! never panics, whatever the bytes: every file is bounded before it is parsed, and nothing recurses deeper than 32 levels.
//! Reading and writing files is next door in [`crate::store`], time comes from [`crate::clock`].
//!
//! A file becomes a licence in this order, and each step has its own file:
//!
//! 1. `json`: the raw bytes, before any parser that recurses or keeps the last of two equal keys;
//! 2. `envelope`: the DSSE envelope and what a signature is made over;
//! 3. `keys`: which keys are trusted, for what, and how a key list replaces them;
//! 4. `model`: the payload with every limit;
//! 5. `verify`: the gate. A [`Genuine`] licence is another type than a [`Licence`], and only [`verify()`] makes it.
//!
//! Which file of a folder counts is decided in `choose`. What follows from a genuine licence: `dates` (when it ends and when to warn), `changes` (what to announce), `entitlement`
//! (may this release be installed), `clock_mark` and `time_file` (which time dates are judged at). What was refused, and why, is
//! a [`Refusal`]: a number for programs and a sentence for people, in `reason`.
#![forbid(unsafe_code)]

pub mod json;
pub mod text;

mod changes;
mod choose;
mod clock_mark;
mod dates;
mod entitlement;
mod envelope;
mod fields;
mod keys;
mod model;
mod reason;
#[cfg(test)]
pub(crate) mod testkit;
mod time_file;
mod verify;
pub(crate) mod written;

pub use changes::{Changes, Content, FeatureState};
pub use choose::{Candidate, Choice, FileReport, FileState, Known, Source, choose};
pub use clock_mark::{Judged, Mark, Moment, Signed};
pub use dates::{DateError, Day, Instant};
pub use entitlement::{NEVER_DAY, Verdict, judge};
pub use envelope::{
    Digest, Envelope, KEYS_TYPE, LICENCE_TYPE, MAX_KEY_LIST_BYTES, MAX_LICENCE_BYTES, MAX_SIGNATURES, Signature,
    TIME_TYPE, hex, sha256,
};
pub(crate) use fields::{Fields, object as parse_object};
pub use json::{MAX_ESCAPED, MAX_NESTING, MAX_VALUES, RawProblem, check_raw};
pub use keys::{Advance, Key, KeyChain, KeyStatus, Keyring, KeysProblem, MAX_KEYS, MAX_THRESHOLD, Role};
pub use model::{
    FILE_SUFFIX, Feature, FlsFile, KEYS_FILE, Licence, MAX_FEATURES, MAX_FLS_BYTES, MAX_FLS_FILES, MAX_SEQUENCE,
    MAX_TEXT, MAX_USERS, NameError, Product, Sequence, Serial,
};
pub use reason::{LONGEST_DETAIL, Reason, Refusal};
pub use time_file::{MAX_CHALLENGE, TimeFile, verify_time};
pub use verify::{FileKind, Genuine, kind_of, verify};
