//! `src/agent/board.rs`.

use super::Model;

pub const MODEL: Model = Model { name: "board", source: "src/agent/board.rs", for_loom: FOR_LOOM, spoiled: SPOILED };

/// Its atomics and locks, and facts of two words: a revision and a service. The ring is the shipped one, as `ring` has it.
const FOR_LOOM: &[(&str, &str)] = &[
    ("use super::layout::{", "use crate::stand_in::layout::{"),
    ("use super::ring::Ring;\n", "use crate::ring::shipped::Ring;\n"),
    ("use super::sync::{Condvar, Mutex};\n", "use crate::stand_in::{Condvar, Mutex};\n"),
    ("use super::view::View;\n", "use crate::stand_in::layout::View;\n"),
    ("use crate::notice::{Facts, Image};\n", "use crate::stand_in::layout::{Facts, Image};\n"),
    ("use arc_swap::ArcSwap;\n", "use crate::stand_in::ArcSwap;\n"),
    ("use std::sync::atomic::{AtomicU64, Ordering};", "use loom::sync::atomic::{AtomicU64, Ordering};"),
];

const SPOILED: &[(&str, &str, &str)] = &[
    (
        "texts_after_the_integers",
        "        self.view.store(Arc::new(view));\n        self.ring.publish(&words);\n",
        "        self.ring.publish(&words);\n        self.view.store(Arc::new(view));\n",
    ),
    (
        "owner_before_the_lock",
        "        let writer = self.publish.lock();\n        if self.owner.load(Ordering::Acquire) != owner {\n            return false;\n        }\n",
        "        if self.owner.load(Ordering::Acquire) != owner {\n            return false;\n        }\n        let writer = self.publish.lock();\n",
    ),
    ("nobody_is_woken", "        drop(writer);\n        self.wake();\n", "        drop(writer);\n"),
    (
        "woken_before_there_is_news",
        "        self.ring.publish(&words);\n        drop(writer);\n        self.wake();\n",
        "        self.wake();\n        self.ring.publish(&words);\n        drop(writer);\n",
    ),
    ("woken_without_the_lock", "        *self.changed.lock() += 1;\n", ""),
    (
        "service_as_the_wait_begins",
        "        let mut changed = self.changed.lock();\n        loop {",
        "        let seen = Seen { service: self.seen(now()).service, ..seen };\n        let mut changed = self.changed.lock();\n        loop {",
    ),
];
