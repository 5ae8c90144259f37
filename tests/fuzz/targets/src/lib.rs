//! Hostile bytes for every place at which bytes come in from outside, as plain functions.
//!
//! A target takes any bytes and must return. It panics when a promise is broken: a crash, an allocation over the limit
//! ([`allocation`]), an answer that cannot be right. libFuzzer looks for such bytes (`../libfuzzer`), the program `replay` runs the
//! kept ones on a small stack, `seeds` makes the first ones from genuine files.
//!
//! In every input a byte 0xFF begins a repetition ([`expand`]), so that a few bytes can stand for a file of the largest size.
//! What a target needs signed or sealed it signs or seals itself: no fuzzer guesses an Ed25519 signature.

mod abi;
pub mod allocation;
mod control;
mod envelope;
pub mod expand;
pub mod fixture;
mod handover;
mod journal;
mod keys;
mod notice;
mod payload;
pub mod place;
mod promises;
mod reader;
mod settings;
mod state;
mod time_file;

/// One place at which bytes come in.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

/// All of them, in the order of the table in docs/operations.md.
pub const TARGETS: &[Target] = &[
    Target { name: "envelope", run: envelope::run },
    Target { name: "payload", run: payload::run },
    Target { name: "keys", run: keys::run },
    Target { name: "time-file", run: time_file::run },
    Target { name: "settings", run: settings::run },
    Target { name: "state", run: state::run },
    Target { name: "journal", run: journal::run },
    Target { name: "handover", run: handover::run },
    Target { name: "notice", run: notice::run },
    Target { name: "abi", run: abi::run },
];

impl Target {
    /// A target, or one of the controls: broken promises that have to be noticed.
    pub fn named(name: &str) -> Option<&'static Target> {
        TARGETS.iter().chain(control::CONTROLS).find(|target| target.name == name)
    }
}
