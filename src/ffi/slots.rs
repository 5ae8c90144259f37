//! Handles: slot and generation in a table that is never freed.
//!
//! A handle is checked by one load. What a slot points to for readers, a board, is never freed either; a reader that raced
//! with a close finds the generation changed afterwards and throws its answer away. No lock anywhere, so a forked child
//! finds the table usable.
//!
//! `tests/models` runs this very file under `loom`, beside copies of it with one line spoiled each.

use crate::agent::board::Board;
use crate::agent::{Agent, Error, Kind};
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering, fence};

/// Most handles that are open at once.
pub const SLOTS: usize = 4_096;

struct Slot {
    /// The generation of the live handle; 0 while there is none.
    live: AtomicU32,
    board: AtomicPtr<Board>,
    agent: ArcSwapOption<Agent>,
    /// Taken by an open from before it fills the slot until its close has emptied it.
    taken: AtomicBool,
    /// The last generation that was given out.
    last: AtomicU32,
}

impl Slot {
    const fn new() -> Slot {
        Slot {
            live: AtomicU32::new(0),
            board: AtomicPtr::new(std::ptr::null_mut()),
            agent: ArcSwapOption::const_empty(),
            taken: AtomicBool::new(false),
            last: AtomicU32::new(0),
        }
    }
}

/// All handles of a process.
pub struct Table {
    slots: [Slot; SLOTS],
    /// Where the next search for a free slot begins: a slot rests as long as possible before it is used again.
    next: AtomicU32,
}

/// A live handle's slot.
#[derive(Clone, Copy)]
pub struct Live<'t> {
    slot: &'t Slot,
    generation: u32,
}

impl Live<'_> {
    /// What readers of this handle read.
    #[inline(always)]
    pub fn board(&self) -> Option<&'static Board> {
        // SAFETY: a slot's board is null or one of the boards that are never freed; it was stored before `live` was.
        unsafe { self.slot.board.load(Ordering::Acquire).as_ref() }
    }

    /// Whether the handle lives still: what was read before this was read from its own board.
    #[inline(always)]
    pub fn still(&self) -> bool {
        fence(Ordering::Acquire);
        self.slot.live.load(Ordering::Relaxed) == self.generation
    }

    pub fn agent(&self) -> Result<Arc<Agent>, Error> {
        let agent = self.slot.agent.load_full().ok_or_else(Error::closed)?;
        if self.still() { Ok(agent) } else { Err(Error::closed()) }
    }

    /// After a fork the agent may have got a new board, in place of `before`. A slot that was given to another handle
    /// meanwhile has another board than `before`, and keeps it.
    pub fn follow(&self, agent: &Agent, before: Option<&'static Board>) {
        let (Some(before), Ok(now)) = (before, agent.board()) else { return };
        if !std::ptr::eq(before, now) {
            let (before, now) = (std::ptr::from_ref(before).cast_mut(), std::ptr::from_ref(now).cast_mut());
            let _ = self.slot.board.compare_exchange(before, now, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

impl Table {
    pub const fn new() -> Table {
        Table { slots: [const { Slot::new() }; SLOTS], next: AtomicU32::new(0) }
    }

    /// The slot of `handle`, if that is a live one.
    #[inline(always)]
    pub fn find(&self, handle: u64) -> Option<Live<'_>> {
        let index = (handle as u32).wrapping_sub(1) as usize;
        let generation = (handle >> 32) as u32;
        let slot = self.slots.get(index)?;
        (generation != 0 && slot.live.load(Ordering::Acquire) == generation).then_some(Live { slot, generation })
    }

    /// Gives an agent a handle.
    pub fn insert(&self, agent: Agent) -> Result<u64, Error> {
        let board = agent.board()?;
        let start = self.next.fetch_add(1, Ordering::Relaxed) as usize;
        for step in 0..SLOTS {
            let index = (start + step) % SLOTS;
            let Some(slot) = self.slots.get(index) else { break };
            if slot.taken.swap(true, Ordering::AcqRel) {
                continue;
            }
            let generation = match slot.last.load(Ordering::Relaxed).wrapping_add(1) {
                0 => 1,
                next => next,
            };
            slot.last.store(generation, Ordering::Relaxed);
            slot.board.store(std::ptr::from_ref(board).cast_mut(), Ordering::Release);
            slot.agent.store(Some(Arc::new(agent)));
            slot.live.store(generation, Ordering::Release);
            return Ok((u64::from(generation) << 32) | (index as u64 + 1));
        }
        Err(Error::new(Kind::Limit, "agent", "All 4,096 handles are in use."))
    }

    /// Ends a handle. Exactly one of several closes gets the agent.
    pub fn remove(&self, handle: u64) -> Option<Arc<Agent>> {
        let Live { slot, generation } = self.find(handle)?;
        slot.live.compare_exchange(generation, 0, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        let agent = slot.agent.swap(None);
        slot.taken.store(false, Ordering::Release);
        agent
    }
}
