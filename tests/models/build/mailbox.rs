//! `src/agent/mailbox.rs`.

use super::Model;

pub const MODEL: Model =
    Model { name: "mailbox", source: "src/agent/mailbox.rs", for_loom: FOR_LOOM, spoiled: SPOILED };

/// Its atomics and locks, and numbers for commands and what comes of them. No wait ends by time here: who is not woken hangs, and that
/// is what loom finds.
const FOR_LOOM: &[(&str, &str)] = &[
    ("use super::folder::Outcome;\n", "use crate::stand_in::Outcome;\n"),
    ("use super::sync::{Condvar, Mutex};\n", "use crate::stand_in::{Condvar, Mutex};\n"),
    ("use super::{Command, Done, Error, error::Kind};\n", "use crate::stand_in::{Command, Done, Error, Kind};\n"),
    (
        "use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};",
        "use loom::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};",
    ),
];

const SPOILED: &[(&str, &str, &str)] = &[
    (
        "stopped_without_the_lock",
        "        let mail = self.mail.lock();\n        self.stopping.store(true, SeqCst);\n        drop(mail);\n",
        "        self.stopping.store(true, SeqCst);\n",
    ),
    (
        "open_before_the_lock",
        "        let mut mail = self.mail.lock();\n        if !self.open() {\n            return Err(Error::closed());\n        }\n",
        "        if !self.open() {\n            return Err(Error::closed());\n        }\n        let mut mail = self.mail.lock();\n",
    ),
    ("nobody_rings", "        drop(mail);\n        self.bell.notify_one();\n", "        drop(mail);\n"),
    ("stopped_in_silence", "        drop(mail);\n        self.bell.notify_all();\n", "        drop(mail);\n"),
    (
        "answered_in_silence",
        "        *self.answer.lock() = Some(result);\n        self.bell.notify_all();\n",
        "        *self.answer.lock() = Some(result);\n",
    ),
    ("a_dropped_letter_is_not_answered", "        if !self.0.sent.load(Relaxed) {\n", "        if false {\n"),
    (
        "given_out_after_the_end",
        "        if !self.open() {\n            return None;\n        }\n        Some(Letters",
        "        Some(Letters",
    ),
];
