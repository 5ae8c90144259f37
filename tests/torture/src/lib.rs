//! All exported functions at random, with hostile arguments, from many threads, against a model of what each must return.
//!
//! [`run::run`] starts the threads; each is a [`thread::Thread`], whose [`dice::Dice`] say which function it calls next and with what. What the
//! model knows is in [`handles`] (which handle is open, closed, read only) and [`sites`] (which licences have been issued); what a call may
//! return follows from that and from what is wrong with its arguments. Arguments lie in [`memory`] that ends at a page that nobody may
//! touch. A run repeats what each thread does when it is given the same seed; with one thread it repeats the whole.

mod arguments;
mod calls;
mod codes;
mod dice;
pub mod exports;
mod handles;
mod harm;
mod memory;
pub mod run;
mod sink;
mod sites;
mod status;
#[path = "../../support/mod.rs"]
mod support;
mod thread;

pub use support::table;
