//! `src/agent/ring.rs`.

use super::Model;

pub const MODEL: Model = Model { name: "ring", source: "src/agent/ring.rs", for_loom: FOR_LOOM, spoiled: SPOILED };

/// What lets the shipped file run under loom: its atomics (which have no `const` constructor), two words instead of
/// many (tearing needs two).
///
/// And the writer's own look at the counter must not be an access that loom counts. loom tries another order of two accesses
/// only if the later one conflicts with the *last* access of that location; the writer's load just before its store would be
/// that last access, and the reader's load before it would never be tried on the other side of the store. With it, loom runs
/// one single interleaving of one publication and finds nothing wrong with a `Relaxed` publish. `unsync_load` reads without
/// being such an access, and checks in passing that no other writer is at work.
const FOR_LOOM: &[(&str, &str)] = &[
    ("use std::sync::atomic::{AtomicU64, Ordering, fence};", "use loom::sync::atomic::{AtomicU64, Ordering, fence};"),
    ("pub const WORDS: usize = ", "pub const WORDS: usize = 2; // shipped: "),
    ("    const fn new() -> Words {", "    fn new() -> Words {"),
    ("[const { AtomicU64::new(0) }; WORDS]", "std::array::from_fn(|_| AtomicU64::new(0))"),
    ("pub const fn new() -> Ring", "pub fn new() -> Ring"),
    ("[const { Words::new() }; SLOTS]", "std::array::from_fn(|_| Words::new())"),
    ("#![forbid(unsafe_code)]\n", ""),
    (
        "self.counter.0.load(Ordering::Relaxed).wrapping_add(1)",
        "unsafe { self.counter.0.unsync_load() }.wrapping_add(1)",
    ),
];

const SPOILED: &[(&str, &str, &str)] = &[
    ("no_writer_fence", "        fence(Ordering::Release);\n", ""),
    ("no_reader_fence", "            fence(Ordering::Acquire);\n", ""),
    ("window_of_three", "const TOLERATED: u64 = 2;", "const TOLERATED: u64 = 3;"),
    ("three_slots", "const SLOTS: usize = 4;", "const SLOTS: usize = 3;"),
    ("reader_counter_relaxed", "self.counter.0.load(Ordering::Acquire)", "self.counter.0.load(Ordering::Relaxed)"),
    (
        "reader_fence_before_the_words",
        "            let seen = look(self.slot(before));\n            fence(Ordering::Acquire);\n",
        "            fence(Ordering::Acquire);\n            let seen = look(self.slot(before));\n",
    ),
    (
        "no_second_look",
        "if after.wrapping_sub(before) <= TOLERATED {",
        "if after.wrapping_sub(before) <= TOLERATED || after >= before {",
    ),
    ("writes_where_readers_look", "in self.slot(next).0", "in self.slot(next.wrapping_sub(1)).0"),
    (
        "counter_before_the_words",
        "        fence(Ordering::Release);\n",
        "        self.counter.0.store(next, Ordering::Release);\n        fence(Ordering::Release);\n",
    ),
    ("old_number_published", "self.counter.0.store(next, ", "self.counter.0.store(next.wrapping_sub(1), "),
    (
        "publish_relaxed",
        "self.counter.0.store(next, Ordering::Release)",
        "self.counter.0.store(next, Ordering::Relaxed)",
    ),
];
