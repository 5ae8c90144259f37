//! The state folder damaged, deleted, full: the old licence stays in use, nothing is lowered, and what is wrong is told.
#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod damage;
#[cfg(unix)]
mod full_disk;
mod gone;
mod killed;
