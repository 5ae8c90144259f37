//! Several runtimes and several processes on one state folder, forked children, and what is left behind.
mod alone;
mod child;
#[cfg(target_os = "linux")]
mod footprint;
#[cfg(unix)]
mod fork;
#[cfg(target_os = "linux")]
mod hung;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod takeover;

use std::time::{Duration, Instant};

/// Waits until `holds`, and tells how long that took.
fn took(what: &str, holds: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

/// Waits until `holds`, which has to be within `seconds`; and as much again for a busy computer.
fn within(seconds: u64, what: &str, holds: impl Fn() -> bool) {
    let took = took(what, holds);
    assert!(took < Duration::from_secs(2 * seconds), "{what}: after {took:?}");
}

fn role(host: &support::host::Host) -> String {
    host.diagnostics()["role"].as_str().unwrap().to_owned()
}
