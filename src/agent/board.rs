//! What readers see of a runtime: the ring of integers, the view for texts, and the place where they wait.
//!
//! A board is never freed: a call that races with a close may still read it. The hot path is [`Board::status`]: no lock, no
//! allocation, no system call, no reference count. One writer at a time publishes, under `publish`.

use super::ring::{Ring, WORDS, Words};
use super::sync::{Condvar, Mutex};
use super::view::View;
use crate::licence::Reason;
use crate::notice::{Facts, Image, LicenceState, Term};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// `ors_licence_status` as 13 words of 8 bytes; the first eight are `ors_notice_status`. The low half of word 0 is the
/// caller's `struct_size`, which is put back when the answer is written.
pub const STATUS_WORDS: usize = 13;

/// Where each word of a published slot is: the span, the ready answer, then the facts it was made from.
const FROM: usize = 0;
const UNTIL: usize = 1;
const STATUS: usize = 2;
const FACTS: usize = STATUS + STATUS_WORDS;

/// A sleeper looks again at least this often: a date may have passed with no writer to wake it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub struct Board {
    ring: Ring,
    view: ArcSwap<View>,
    publish: Mutex<()>,
    changed: Mutex<u64>,
    bell: Condvar,
    service: AtomicU32,
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
            service: AtomicU32::new(0),
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
        self.service.store(0, Ordering::Release);
        self.owner.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Publishes for `owner`; a thread that outlived its runtime publishes nothing.
    pub fn publish(&self, owner: u64, view: View, local: i64) -> bool {
        let writer = self.publish.lock();
        if self.owner.load(Ordering::Acquire) != owner {
            return false;
        }
        self.ring.publish(&words(&view.facts, local));
        self.service.store(view.facts.service, Ordering::Release);
        self.view.store(Arc::new(view));
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

    /// Sleeps until the revision differs from `seen` or `service` changed, until `deadline`, or until `closed`.
    pub fn wait(&self, seen: u64, deadline: Instant, now: impl Fn() -> i64, closed: impl Fn() -> bool) -> Wait {
        let service = self.service.load(Ordering::Acquire);
        let mut changed = self.changed.lock();
        loop {
            if closed() {
                return Wait::Closed;
            }
            let revision = self.image(now()).revision;
            if revision != seen || self.service.load(Ordering::Acquire) != service {
                return Wait::Changed(revision);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Wait::TimedOut(revision);
            }
            changed = self.bell.wait_for(changed, left.min(LOOK_AGAIN));
        }
    }

    /// Wakes everybody in [`Board::wait`].
    pub fn wake(&self) {
        *self.changed.lock() += 1;
        self.bell.notify_all();
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Changed(u64),
    TimedOut(u64),
    Closed,
}

fn pair(high: u32, low: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}

/// The answer as the words of the C struct, little-endian halves first: this library runs on little-endian machines only.
fn status_words(image: &Image) -> [u64; STATUS_WORDS] {
    [
        pair(image.notices, 0),
        image.revision,
        pair(image.maintenance_last_day.cast_unsigned(), image.licence_last_day.cast_unsigned()),
        pair(image.maintenance_days_left.cast_unsigned(), image.licence_days_left.cast_unsigned()),
        image.announcement,
        image.assistance_request,
        pair(image.service, image.users),
        0,
        pair(image.reason.cast_unsigned(), image.state),
        image.sequence,
        image.copy_sequence,
        image.licence_expires_at.cast_unsigned(),
        image.maintenance_ends_at.cast_unsigned(),
    ]
}

const _: () = assert!(cfg!(target_endian = "little"), "the words of a status are written for little-endian machines");

fn words(facts: &Facts, local: i64) -> [u64; WORDS] {
    let image = facts.at(local);
    let mut words = [0; WORDS];
    let all =
        [image.from.cast_unsigned(), image.until.cast_unsigned()].into_iter().chain(status_words(&image)).chain([
            pair(facts.steady, facts.state as u32),
            pair(facts.reason.code().cast_unsigned(), facts.users),
            pair(facts.licence.last_day.cast_unsigned(), facts.maintenance.last_day.cast_unsigned()),
            facts.licence.warns.cast_unsigned(),
            facts.licence.ends.cast_unsigned(),
            facts.maintenance.warns.cast_unsigned(),
            facts.maintenance.ends.cast_unsigned(),
            facts.announcement,
            facts.assistance_request,
            facts.sequence,
            facts.copy_sequence,
            facts.other,
            facts.shift.cast_unsigned(),
            facts.floor.cast_unsigned(),
            u64::from(facts.service),
        ]);
    for (to, from) in words.iter_mut().zip(all) {
        *to = from;
    }
    words
}

const _: () = assert!(FACTS + 15 <= WORDS, "a slot holds the answer and its facts");

fn facts(slot: &Words) -> Facts {
    let word = |index: usize| slot.get(FACTS + index);
    let high = |index: usize| (word(index) >> 32) as u32;
    let low = |index: usize| word(index) as u32;
    let signed = |index: usize| word(index).cast_signed();
    Facts {
        steady: high(0),
        state: LicenceState::from_number(low(0)),
        reason: Reason::from_code(high(1).cast_signed()).unwrap_or(Reason::None),
        users: low(1),
        licence: Term { last_day: high(2).cast_signed(), warns: signed(3), ends: signed(4) },
        maintenance: Term { last_day: low(2).cast_signed(), warns: signed(5), ends: signed(6) },
        announcement: word(7),
        assistance_request: word(8),
        sequence: word(9),
        copy_sequence: word(10),
        other: word(11),
        shift: signed(12),
        floor: signed(13),
        service: low(14),
    }
}
