//! `src/agent/life.rs`.

use super::Model;

pub const MODEL: Model = Model { name: "life", source: "src/agent/life.rs", for_loom: FOR_LOOM, spoiled: SPOILED };

/// Its locks, and an error without words.
const FOR_LOOM: &[(&str, &str)] = &[
    ("use super::sync::{Condvar, Mutex};\n", "use crate::stand_in::{Condvar, Mutex};\n"),
    ("use super::{Error, error::Kind};\n", "use crate::stand_in::{Error, Kind};\n"),
];

const SPOILED: &[(&str, &str, &str)] = &[
    (
        "ended_in_silence",
        "        self.stage.lock().ended = true;\n        self.bell.notify_all();\n",
        "        self.stage.lock().ended = true;\n",
    ),
    (
        "an_end_before_the_loading_is_not_seen",
        "|stage| stage.loaded.is_none() && !stage.ended);",
        "|stage| stage.loaded.is_none());",
    ),
    ("the_last_word_counts", "        if first {\n", "        if true {\n"),
];
