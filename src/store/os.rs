//! The two operating systems, under the same names: opening, renaming, rights, process ids.
//!
//! Here, and nowhere else in this room, is unsafe code. What is done when, is decided by the neighbours.

mod registers;
pub(super) use registers::forget_vectors;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_locks;
#[cfg(unix)]
pub(super) use unix::*;
#[cfg(unix)]
pub(super) use unix_locks::{close_noted_locks, forget_lock, open_lock};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
mod windows_rights;
#[cfg(windows)]
pub(super) use windows::*;
#[cfg(windows)]
pub(super) use windows_rights::{protect, unprotect};
