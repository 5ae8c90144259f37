//! Power cuts on real file systems, while a process installs, sets and acknowledges: nothing is torn, nothing that it was told
//! is lost. The file system is shut down so that what it had not on its disk is gone. `cargo test --test power`, as root on
//! Linux; needs mkfs.ext4 and mkfs.xfs.
#![cfg(target_os = "linux")]

#[path = "../../crash/customer.rs"]
mod customer;
#[path = "../../crash/promised.rs"]
mod promised;
#[path = "../../support/mod.rs"]
mod support;
mod volume;
mod worker;

use customer::Customer;
use promised::Promised;
use std::time::{Duration, Instant};
use support::table::{count, row};
use volume::{EXT4, EXT4_WRITEBACK, Kind, Volume, XFS};
use worker::{Said, Worker};

/// How long a worker may need until it says that everything was kept, or was not.
const PATIENCE: Duration = Duration::from_secs(60);
/// A library that does not sync is found out at the first cut; the control fails after so many.
const CONTROLS: u64 = 10;

/// Cuts the power up to `times` times. Returns how often it was cut, and the first harm.
fn cut_again_and_again(kind: Kind, times: u64, careless: bool) -> (u64, Option<String>) {
    let volume = Volume::new(kind);
    Customer::new().settle_in(&volume.root());
    volume.sync();
    let mut random = Random(0x5eed ^ times ^ kind.name.len() as u64);
    let mut promised = Promised::default();
    let mut calls = 0;
    for cut in 0..=times {
        let mut worker = Worker::start(&volume.root(), promised, careless);
        match worker.next(PATIENCE) {
            Some(Said::Well) => {}
            Some(Said::Harm(harm)) => return (cut, Some(format!("after cut {cut}, promised {promised:?}: {harm}"))),
            _ => return (cut, Some(format!("after cut {cut}: the worker says nothing"))),
        }
        // The last one only looks.
        if cut < times {
            let until = Instant::now() + Duration::from_millis(random.below(250));
            let mut told = |said| {
                if let Said::Promised(now) = said {
                    promised = now;
                    calls += 1;
                }
            };
            while let Some(said) = worker.next(until.saturating_duration_since(Instant::now())) {
                told(said);
            }
            volume.cut_power();
        }
        promised = worker.kill().unwrap_or(promised);
        volume.unmount();
        volume.mount();
    }
    println!("{}: {times} cuts, {calls} things promised, licence {}", kind.name, promised.sequence);
    assert!(calls >= times, "{}: hardly anything was done between the cuts", kind.name);
    (times, None)
}

/// Where in its work the library is met. The same in every run; the disk and the threads are not.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn nothing_is_lost(kind: Kind) {
    let (cuts, harm) = cut_again_and_again(kind, count(50, 200), false);
    if let Some(harm) = &harm {
        eprintln!("{}: {harm}", kind.name);
    }
    row(&format!("power cut while a process works: {}", kind.name), cuts.max(1), u64::from(harm.is_some()));
}

/// The negative control.
fn is_found_out(kind: Kind) {
    let (cuts, harm) = cut_again_and_again(kind, CONTROLS, true);
    println!("{}, without sync: {} after {cuts} cuts", kind.name, harm.as_deref().unwrap_or("nothing is lost"));
    let what = format!("the same, control: no sync on {}; harmed = not found out", kind.name);
    row(&what, cuts.max(1), u64::from(harm.is_none()));
}

#[test]
fn power_cuts_on_ext4_lose_nothing_that_was_promised() {
    nothing_is_lost(EXT4);
}

#[test]
fn power_cuts_on_ext4_that_writes_data_back_late_lose_nothing_that_was_promised() {
    nothing_is_lost(EXT4_WRITEBACK);
}

#[test]
fn power_cuts_on_xfs_lose_nothing_that_was_promised() {
    nothing_is_lost(XFS);
}

#[test]
fn a_library_that_does_not_sync_is_found_out_by_power_cuts_on_each_file_system() {
    for kind in [EXT4, EXT4_WRITEBACK, XFS] {
        is_found_out(kind);
    }
}
