//! What Windows does to a library that writes files: other processes hold them, paths are long. Under wine, and on Windows itself.
//! `cargo test --test windows_faults --target x86_64-pc-windows-gnu`, or the part windows-faults of tests/run.
//!
//! Not proven by this, since wine is not Windows: that NTFS ignores what the read-only attribute says to a rename (wine ignores the
//! attribute), access lists against another account, opportunistic locks and filter drivers of real virus scanners, and how
//! the loader of Windows searches for a DLL that is in no system folder. docs/operations.md says what a person shows there.
#![cfg(windows)]

#[path = "../processes/alone.rs"]
mod alone;
mod held;
mod holder;
mod paths;
mod pulse;
#[path = "../support/mod.rs"]
mod support;
