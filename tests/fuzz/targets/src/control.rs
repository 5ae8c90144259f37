//! Broken promises of every kind, which fuzzing and replay have to notice: without them a green run would say nothing.

use crate::Target;
use crate::allocation::{LARGEST, bounded};
use std::hint::black_box;
use std::time::{Duration, Instant};

pub const CONTROLS: &[Target] = &[
    Target { name: "control-memory", run: beyond_the_end },
    Target { name: "control-allocation", run: too_much },
    Target { name: "control-time", run: too_long },
    Target { name: "control-stack", run: too_deep },
];

/// One byte beyond what was allocated, which nothing but AddressSanitizer sees.
fn beyond_the_end(data: &[u8]) {
    let block = data.to_vec().into_boxed_slice();
    // SAFETY: none; that is the point. A volatile read cannot be optimised away, and does no more harm than that.
    black_box(unsafe { block.as_ptr().add(block.len()).read_volatile() });
}

fn too_much(data: &[u8]) {
    bounded("the control", || black_box(vec![data.len(); LARGEST / 8 + 1]).len());
}

fn too_long(_: &[u8]) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        black_box(());
    }
}

/// What a parser without a limit of ours does with a text that is nested as deep as its own limit allows.
fn too_deep(_: &[u8]) {
    let text = "{\"a\":".repeat(127) + "1" + &"}".repeat(127);
    black_box(serde_json::from_str::<serde_json::Value>(&text).expect("127 levels"));
}
