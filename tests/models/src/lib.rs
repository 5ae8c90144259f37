//! Files of the library as loom runs them, and copies of them with one fault each. `build/` makes them all from the shipped files; the
//! tests say what must hold, and that loom sees each fault.
//!
//! What a file needs of others is in [`stand_in`]: locks that loom knows and on which no wait ends by time, so that somebody who is not
//! woken hangs and is found; and types without what plays no part in a race.

pub mod stand_in;

include!(concat!(env!("OUT_DIR"), "/copies.rs"));

use std::process::Command;

/// Every interleaving with at most `switches` threads stopped where they could have gone on; `None` is no limit at all.
pub fn explore(switches: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = switches;
    builder.check(model);
}

/// What loom says when nobody can go on.
pub const HANGS: &str = "deadlock; threads";

/// What loom says when there is no end.
pub const ENDLESS: &str = "Model exceeded maximum number of branches";

/// Names the test that runs its model in this very process.
const ALONE: &str = "ORS_MODEL_ALONE";

/// Runs a model on a spoiled copy: it must fail, and for the sake of `what`. In a process of its own, which a failing model may abort:
/// what loom unwinds then panics again. `test` is the name of the test that says this.
pub fn finds_the_fault(test: &str, what: &str, model: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some_and(|name| name == test) {
        return model();
    }
    let mut itself = Command::new(std::env::current_exe().expect("a test program"));
    itself.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ALONE, test).env("RUST_BACKTRACE", "0");
    let output = itself.output().expect("this very program");
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("running 1 test"), "{test} is no test: {told}");
    assert!(!output.status.success(), "loom explored everything and found no fault: {told}");
    assert!(told.contains(&format!("\n{what}")), "another failure than {what:?}: {told}");
}
