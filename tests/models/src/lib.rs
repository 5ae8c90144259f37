//! Files of the library as loom runs them, and copies of them with one fault each. `build/` makes them all from the shipped files; the
//! tests say what must hold, and that loom sees each fault.
//!
//! What a file needs of others is in [`stand_in`]: locks that loom knows and on which no wait ends by time, so that somebody who is not
//! woken hangs and is found; and types without what plays no part in a race.

pub mod stand_in;

include!(concat!(env!("OUT_DIR"), "/copies.rs"));

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Every interleaving with at most `switches` threads stopped where they could have gone on; `None` is no limit at all.
pub fn explore(switches: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = switches;
    builder.check(model);
}

/// What loom says when nobody can go on.
pub const HANGS: &str = "deadlock";

/// Runs a model on a spoiled copy: it must fail, and for the sake of `what`.
pub fn finds_the_fault(what: &str, model: impl FnOnce()) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(model)) else {
        panic!("loom explored everything and found no fault")
    };
    let message = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text.as_str(),
        (None, Some(text)) => text,
        (None, None) => "",
    };
    assert!(message.starts_with(what), "another failure than {what:?}: {message:?}");
}
