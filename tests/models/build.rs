//! Makes loom's copies of `src/agent/ring.rs`: the shipped one, and one for each fault that loom must find.
//!
//! The shipped file knows nothing of loom. Every copy is that file with the [`FOR_LOOM`] replacements and at most one line
//! spoiled. A replacement that does not fit exactly once stops the build, so a copy can never silently be the original.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// What lets the shipped file run under loom: its atomics (which have no `const` constructor), two words instead of
/// many (tearing needs two), no unit tests.
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
    ("\n#[cfg(test)]\nmod tests;\n", "\n"),
    ("#![forbid(unsafe_code)]\n", ""),
    (
        "self.counter.0.load(Ordering::Relaxed).wrapping_add(1)",
        "unsafe { self.counter.0.unsync_load() }.wrapping_add(1)",
    ),
];

/// A module name, the shipped text, and the fault put in its place.
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

fn main() {
    let shipped = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../src/agent/ring.rs");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", shipped.display());
    let text = fs::read_to_string(&shipped).expect("src/agent/ring.rs").replace("\r\n", "\n");
    let text = FOR_LOOM.iter().fold(text, |text, (from, to)| swap("for loom", &text, from, to));

    let out = env::var_os("OUT_DIR").expect("set by cargo");
    let mut modules = String::new();
    let spoiled = SPOILED.iter().map(|(name, from, to)| (*name, swap(name, &text, from, to)));
    for (name, text) in [("shipped", text.clone())].into_iter().chain(spoiled) {
        let file = Path::new(&out).join(format!("{name}.rs"));
        fs::write(&file, text).expect("a file in OUT_DIR");
        writeln!(modules, "#[path = {file:?}]\npub mod {name};").expect("a String grows");
    }
    fs::write(Path::new(&out).join("rings.rs"), modules).expect("a file in OUT_DIR");
}

fn swap(what: &str, text: &str, from: &str, to: &str) -> String {
    let times = text.matches(from).count();
    assert!(
        times == 1,
        "{what}: src/agent/ring.rs holds {from:?} {times} times, so this copy cannot be made; mend build.rs"
    );
    text.replacen(from, to, 1)
}
