//! What readers see of a runtime: the ring of integers, the view for texts, and the place where they wait.
//!
//! A board is never freed: a call that races with a close may still read it. The hot path is [`Board::status`]: no lock, no
//! allocation, no system call, no reference count. One writer at a time publishes, under `publish`.
//! What lies where in what is published is said in [`super::layout`].
//!
//! `tests/models` runs this very file under `loom`, beside copies of it with one line spoiled each.

use super::layout::{FROM, STATUS, STATUS_WORDS, UNTIL, facts, status_words, words};
use super::ring::Ring;
use super::sync::{Condvar, Mutex};
use super::view::View;
use crate::notice::{Facts, Image};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A sleeper looks again at least this often: a date may have passed with no writer to wake it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub struct Board {
    ring: Ring,
    view: ArcSwap<View>,
    publish: Mutex<()>,
    changed: Mutex<u64>,
    bell: Condvar,
    /// Raised when the board is given to another runtime: a thread of the one before must not publish any more.
    pub owner: AtomicU64,
}

impl Board {
    pub fn new() -> Board {
        let board = Board {
            ring: Ring::new(),
            view: ArcSwap::from_pointee(View::empty()),
            publish: Mutex::new(()),
            changed: Mutex::new(0),
            bell: Condvar::new(),
            owner: AtomicU64::new(0),
        };
        board.ring.publish(&words(&Facts::UNKNOWN, 0));
        board
    }

    /// Forgets the runtime before and belongs to a new one, whose number is returned.
    pub fn renew(&self) -> u64 {
        let _writer = self.publish.lock();
        self.ring.publish(&words(&Facts::UNKNOWN, 0));
        self.view.store(Arc::new(View::empty()));
        self.owner.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Publishes for `owner`; a thread that outlived its runtime publishes nothing.
    pub fn publish(&self, owner: u64, view: View, local: i64) -> bool {
        let writer = self.publish.lock();
        if self.owner.load(Ordering::Acquire) != owner {
            return false;
        }
        let words = words(&view.facts, local);
        // Before the integers: whoever has seen these finds texts that are no older.
        self.view.store(Arc::new(view));
        self.ring.publish(&words);
        drop(writer);
        self.wake();
        true
    }

    /// Puts the first `N` words of the answer at `local`, 8 for notices, 13 for the licence: `put(index, word)`. Should the
    /// slot be overwritten meanwhile, all are put again; the last time counts. `false`: the published answer is not for this
    /// instant, and [`Board::status`] has to be asked.
    ///
    /// Each word goes straight from the slot to the caller: an array in between would be stored in pieces of 8 bytes and
    /// loaded in pieces of 16, for which a processor waits; that was a fifth of the whole call.
    #[inline(always)]
    pub fn ready_status<const N: usize>(&self, local: i64, put: impl Fn(usize, u64)) -> bool {
        self.ring.read(|slot| {
            let inside = local >= slot.get(FROM).cast_signed() && local < slot.get(UNTIL).cast_signed();
            if inside {
                (0..N).for_each(|index| put(index, slot.get(STATUS + index)));
            }
            inside
        })
    }

    /// The words of the answer at `local`, made anew when the span is over and nobody has published since: an agent without a
    /// thread, or a worker that is held up.
    pub fn status(&self, local: i64) -> [u64; STATUS_WORDS] {
        status_words(&self.ring.read(facts).at(local))
    }

    /// The same answer with names.
    pub fn image(&self, local: i64) -> Image {
        self.ring.read(facts).at(local)
    }

    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Sleeps until the board shows something else than what was `seen`, until `deadline`, or until `closed`.
    pub fn wait(&self, seen: Seen, deadline: Instant, now: impl Fn() -> i64, closed: impl Fn() -> bool) -> Wait {
        let mut changed = self.changed.lock();
        loop {
            if closed() {
                return Wait::Closed;
            }
            let present = self.seen(now());
            if present != seen {
                return Wait::Changed(present);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Wait::TimedOut;
            }
            changed = self.bell.wait_for(changed, left.min(LOOK_AGAIN));
        }
    }

    /// What there is to see at `local`.
    pub fn seen(&self, local: i64) -> Seen {
        let image = self.image(local);
        Seen { revision: image.revision, service: image.service }
    }

    /// Wakes everybody in [`Board::wait`].
    pub fn wake(&self) {
        *self.changed.lock() += 1;
        self.bell.notify_all();
    }
}

/// What a wait compares. The service is in no revision, since it is this process's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub revision: u64,
    pub service: u32,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Changed(Seen),
    TimedOut,
    Closed,
}
