//! What a vendor's own machine does: it makes keys, key lists, licences and time files, and explains what it is shown.
//!
//! The rooms, in reading order: [`SigningKey`] and the `sign_*` functions make signed files out of values; [`key_file`]
//! keeps a key on disk under a passphrase; [`pending`] collects the signatures of a key list from several holders of
//! root keys; [`trusted`] reads the keys to verify by, and [`passphrase`] a passphrase; [`explain`] tells in plain words what a
//! file is; [`files`] reads and writes them. The command `issuer` is a thin shell around these rooms.
//!
//! Nothing here decides whether a licence is genuine: that is `ors::licence`, which the product runs. This crate asks
//! that very code before it hands out a file.
#![forbid(unsafe_code)]

pub mod explain;
pub mod files;
pub mod key_file;
mod key_list;
pub mod passphrase;
pub mod pending;
mod signing;
pub mod trusted;

pub use key_list::{KeyListDraft, Member, sign_key_list};
pub use signing::{NoRandomness, SigningKey, public_line, sign, sign_licence, sign_time};
