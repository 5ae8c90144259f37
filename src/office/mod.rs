//! The office room: what is said between an installation and the back office.
//!
//! [`protocol`] is the one format both ways, used by both ends. It is pure: bytes and values in, bytes and values out. How the bytes
//! get out is the floor below in `src/net`; when something is said is decided by the runtime above.
#![forbid(unsafe_code)]

pub mod protocol;
