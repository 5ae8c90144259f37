//! `src/agent/log.rs`.

use super::Model;

pub const MODEL: Model = Model { name: "log", source: "src/agent/log.rs", for_loom: FOR_LOOM, spoiled: SPOILED };

/// Its atomics and locks, and two lines that are kept instead of a thousand. Which thread is inside a sink is told by no
/// thread-local variable here: loom's threads are one thread of the system.
const FOR_LOOM: &[(&str, &str)] = &[
    ("use super::sync::{Condvar, Mutex};\n", "use crate::stand_in::{Condvar, Mutex};\n"),
    (
        "use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};",
        "use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};",
    ),
    ("const KEPT: usize = ", "const KEPT: usize = 2; // shipped: "),
    (
        "thread_local! {\n    static IN_SINK: Cell<bool> = const { Cell::new(false) };",
        "loom::thread_local! {\n    static IN_SINK: Cell<bool> = Cell::new(false);",
    ),
    ("    IN_SINK.with(Cell::get)\n", "    IN_SINK.with(|mark| mark.get())\n"),
];

const SPOILED: &[(&str, &str, &str)] = &[
    (
        "a_line_in_silence",
        "text });\n        drop(lines);\n        self.more.notify_all();\n",
        "text });\n        drop(lines);\n",
    ),
    ("woken_without_the_lock", "        drop(self.lines.lock());\n", ""),
    (
        "taken_back_while_it_runs",
        "        let Some(mut current) = self.sink.try_lock_for(wait) else { return false };\n        current.take_if(|(of, _)| *of == owner);\n",
        "",
    ),
    ("called_after_its_owner_went", "            sink.take_if(|(of, _)| *of != self.owner.load(SeqCst));\n", ""),
    ("the_same_line_without_end", "                lines.told = line.number;\n", ""),
    (
        "replaced_while_it_runs",
        "        let Some(mut current) = self.sink.try_lock_for(wait) else { return false };\n        self.level.store(level, SeqCst);\n",
        "        self.owner.store(if sink.is_some() { owner } else { 0 }, SeqCst);\n        if sink.is_none() {\n            return true;\n        }\n        let Some(mut current) = self.sink.try_lock_for(wait) else { return false };\n        self.level.store(level, SeqCst);\n",
    ),
];
