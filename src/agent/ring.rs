//! The published snapshot: one writer, any number of readers, and no reader ever waits.
//!
//! This room keeps [`WORDS`] plain integers that belong together and hands them out together. It never looks at what they
//! mean (that is `board`), never takes a lock and never allocates; the lock that keeps writers apart belongs to the caller.
//!
//! # How it works
//!
//! Four slots stand under one counter. Publication `n` lies in slot `n % 4`, so a writer always fills the slot that has
//! been out of use for longest, and a reader has three further publications' time before its slot is written again. A
//! reader that was overtaken all the same notices it by the counter and looks once more. It never finds a "being written"
//! mark to wait for: a writer that stops in the middle, for ever, in a debugger or as a thread that a `fork` did not take
//! along, leaves the last publication readable, and the next writer simply fills that slot anew.
//!
//! # Why each ordering is there
//!
//! | step | ordering | without it |
//! |---|---|---|
//! | writer: `fence` before the words | `Release` | a reader may see a word of `n + 4` and yet an old counter: torn |
//! | writer: words | `Relaxed` | |
//! | writer: counter | `Release` | a reader may see the new counter and words from before it: torn or old |
//! | reader: counter | `Acquire` | the same from the other side |
//! | reader: words | `Relaxed` | |
//! | reader: `fence` after the words | `Acquire` | the second look at the counter may be older than the words: torn |
//! | reader: counter again | `Relaxed` | |
//!
//! The two fences are a pair (C++20 [atomics.fences]): when a reader has seen any word of publication `n + 4`, everything
//! before the writer's fence is before its second look at the counter, and the last thing before that fence was the counter
//! becoming `n + 3`. So a slot that may have been touched shows as a counter that moved by three or more, and a reader
//! accepts a move of at most [`TOLERATED`] = 2. Accepting 3 is one too many.
//!
//! # What proves it
//!
//! `tests/models` runs this very file under `loom`, beside copies of it with one line spoiled each: no writer fence, no
//! reader fence, a window of 3, three slots, and more. Loom must find the fault in every copy.
//!
//! **What loom cannot see by itself** is a `Relaxed` publish of the counter, and x86 hides it too, since its stores stay in
//! order. loom remembers only the last access of a location, and the writer's own load of the counter, just before its
//! store, hides the readers' loads: of one publication it then tries a single interleaving and passes the fault. The models
//! therefore take that load out of loom's sight (their `build/ring.rs` says how), and then loom does find it. Whoever touches
//! the counter's orderings, or adds an access to the counter, should not trust a green model before having read that.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// How many 64-bit words one publication holds: four cache lines.
pub const WORDS: usize = 32;

/// How many publications can be told apart before a slot is used again.
const SLOTS: usize = 4;

/// By how much the counter may move during a look that still counts: the writer of publication `n + SLOTS`, the first to
/// touch the slot of `n`, begins after the counter became `n + SLOTS - 1`.
const TOLERATED: u64 = 2;

/// The last publication, readable at any time from any thread. All zeros until the first [`Ring::publish`].
#[derive(Debug)]
pub struct Ring {
    counter: Counter,
    slots: [Words; SLOTS],
}

/// Number of the last publication, on a cache line that changes only when something is published.
#[derive(Debug)]
#[repr(align(64))]
struct Counter(AtomicU64);

/// One publication, as [`Ring::read`] shows it. Its words belong together only if the look that read them is accepted, so
/// what a look computes must be harmless for words that do not fit each other.
#[derive(Debug)]
#[repr(align(64))]
pub struct Words([AtomicU64; WORDS]);

impl Words {
    const fn new() -> Words {
        Words([const { AtomicU64::new(0) }; WORDS])
    }

    /// The word at `index`; 0 for an index of [`WORDS`] or more.
    #[inline(always)]
    pub fn get(&self, index: usize) -> u64 {
        match self.0.get(index) {
            Some(word) => word.load(Ordering::Relaxed),
            None => 0,
        }
    }
}

impl Ring {
    /// A ring whose words are all 0.
    pub const fn new() -> Ring {
        Ring { counter: Counter(AtomicU64::new(0)), slots: [const { Words::new() }; SLOTS] }
    }

    /// Makes `words` the publication that every look beginning after this call sees. Never waits for readers.
    ///
    /// One writer at a time: the caller holds its publish lock. Two at once would not harm the process, but could mix
    /// their words in one publication.
    pub fn publish(&self, words: &[u64; WORDS]) {
        let next = self.counter.0.load(Ordering::Relaxed).wrapping_add(1);
        fence(Ordering::Release);
        for (word, value) in self.slot(next).0.iter().zip(words) {
            word.store(*value, Ordering::Relaxed);
        }
        self.counter.0.store(next, Ordering::Release);
    }

    /// What `look` makes of the last publication.
    ///
    /// `look` runs again when its slot was overwritten meanwhile, which takes three publications during one look, and the words
    /// that it was shown then need not fit each other: what it does must be harmless to repeat, and only its last run counts.
    #[inline(always)]
    pub fn read<T>(&self, look: impl Fn(&Words) -> T) -> T {
        loop {
            let before = self.counter.0.load(Ordering::Acquire);
            let seen = look(self.slot(before));
            fence(Ordering::Acquire);
            let after = self.counter.0.load(Ordering::Relaxed);
            if after.wrapping_sub(before) <= TOLERATED {
                return seen;
            }
        }
    }

    /// The slot of one publication. The index is below `SLOTS` by its very computation.
    #[inline(always)]
    fn slot(&self, publication: u64) -> &Words {
        &self.slots[publication as usize % SLOTS]
    }
}

impl Default for Ring {
    fn default() -> Ring {
        Ring::new()
    }
}

#[cfg(test)]
mod tests;
