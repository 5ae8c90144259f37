//! ORS: licences, notices, entitlement and remote assistance inside another product's process.
//!
//! A map for the newcomer, from the bottom up; each floor uses only those below it:
//!
//! | room | what it does |
//! |---|---|
//! | [`licence`] | what a licence says, who signed it, what follows from it. Pure: no I/O, no clock |
//! | [`store`] | the state folder: durable writes, settings, secrets, journal, locks |
//! | [`clock`] | the only reader of clocks |
//! | [`notice`], [`words`] | which notices hold at an instant, and the sentences for people. Pure |
//! | [`floating`] | the licence folder: reading it, putting a licence into it |
//! | [`office`] | what is said between an installation and the back office: the protocol. Pure |
//! | [`agent`] | the runtime in the host: snapshot, worker, leader; [`Agent`] is the Rust face |
//! | [`ffi`] | the C ABI and nothing else |
//! | [`injected`] | where tests may let the library panic; nothing of it is shipped |
//!
//! Start with [`Agent`], then [`licence::verify`]. Why things are as they are is in `docs/decisions.md`.
#![deny(unsafe_op_in_unsafe_fn)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unimplemented)
)]

pub mod agent;
pub mod clock;
pub mod ffi;
pub mod floating;
pub mod injected;
pub mod licence;
pub mod net;
pub mod notice;
pub mod office;
pub mod store;
pub mod words;

pub use agent::{Agent, Options};

/// Version of the C ABI: major << 16 | minor.
pub const ABI_VERSION: u32 = 0x0001_0000;
