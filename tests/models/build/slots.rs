//! `src/ffi/slots.rs`.

use super::Model;

pub const MODEL: Model = Model { name: "slots", source: "src/ffi/slots.rs", for_loom: FOR_LOOM, spoiled: SPOILED };

/// Its atomics, one slot (so that every open meets the last close), and stand-ins for an agent and what its readers read.
///
/// And the store that frees a slot is a swap. loom keeps no order between a store and a swap of two threads, and so lets the swap of an open
/// that found the slot taken overwrite, in its history, the store that came after: the slot would be taken for ever. No machine does
/// that: what a swap writes comes right behind what it read.
const FOR_LOOM: &[(&str, &str)] = &[
    ("use crate::agent::board::Board;\n", "use crate::stand_in::agent::Board;\n"),
    ("use crate::agent::{Agent, Error, Kind};\n", "use crate::stand_in::{Error, Kind, agent::Agent};\n"),
    ("use arc_swap::ArcSwapOption;\n", "use crate::stand_in::ArcSwapOption;\n"),
    (
        "use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering, fence};",
        "use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering, fence};",
    ),
    ("slot.taken.store(false, Ordering::Release);", "slot.taken.swap(false, Ordering::Release);"),
    ("pub const SLOTS: usize = ", "pub const SLOTS: usize = 1; // shipped: "),
    ("    const fn new() -> Slot {", "    fn new() -> Slot {"),
    ("    pub const fn new() -> Table {", "    pub fn new() -> Table {"),
    ("[const { Slot::new() }; SLOTS]", "std::array::from_fn(|_| Slot::new())"),
];

const SPOILED: &[(&str, &str, &str)] = &[
    ("still_without_fence", "        fence(Ordering::Acquire);\n", ""),
    (
        "agent_of_whoever_has_the_slot",
        "        if self.still() { Ok(agent) } else { Err(Error::closed()) }\n",
        "        Ok(agent)\n",
    ),
    (
        "every_close_wins",
        "        slot.live.compare_exchange(generation, 0, Ordering::AcqRel, Ordering::Relaxed).ok()?;\n",
        "        slot.live.store(0, Ordering::Release);\n",
    ),
    (
        "free_before_it_is_emptied",
        "        let agent = slot.agent.swap(None);\n        slot.taken.swap(false, Ordering::Release);\n",
        "        slot.taken.swap(false, Ordering::Release);\n        let agent = slot.agent.swap(None);\n",
    ),
    (
        "two_opens_in_one_slot",
        "if slot.taken.swap(true, Ordering::AcqRel) {",
        "if slot.taken.load(Ordering::Acquire) || { slot.taken.store(true, Ordering::Release); false } {",
    ),
    (
        "live_before_it_is_filled",
        "            slot.board.store(",
        "            slot.live.store(generation, Ordering::Release);\n            slot.board.store(",
    ),
    (
        "live_without_release",
        "            slot.live.store(generation, Ordering::Release);\n",
        "            slot.live.store(generation, Ordering::Relaxed);\n",
    ),
    ("generations_again", "            slot.last.store(generation, Ordering::Relaxed);\n", ""),
];
