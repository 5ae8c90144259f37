//! What the model knows of a handle: by whom it can be used, whether somebody has begun to close it, whether it is closed.

use crate::sink::Context;
use crate::sites::Kind;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle that `ors_open` gave out.
pub struct Handle {
    pub value: u64,
    pub read_only: bool,
    pub site: Kind,
    /// Somebody has called, or is about to call, `ors_close` with it.
    pub closing: AtomicBool,
    /// A close has returned.
    pub closed: AtomicBool,
    /// Closes that returned something else than `ORS_E_CLOSED`.
    pub won: AtomicU64,
    /// The highest sequence that a call with it has shown.
    pub shown: AtomicU64,
    /// The log sinks that were set with it and have not been taken back.
    pub sinks: Mutex<Vec<Arc<Context>>>,
}

impl Handle {
    pub fn new(value: u64, read_only: bool, site: Kind) -> Handle {
        Handle {
            value,
            read_only,
            site,
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            won: AtomicU64::new(0),
            shown: AtomicU64::new(0),
            sinks: Mutex::default(),
        }
    }
}

/// What a call may have met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    Open,
    Closed,
    /// Somebody closed it during the call.
    Either,
}

/// What a call is made with.
pub struct Target {
    pub value: u64,
    /// `None` for a number that was never given out.
    pub handle: Option<Arc<Handle>>,
    closed_before: bool,
}

impl Target {
    pub fn of(handle: &Arc<Handle>) -> Target {
        let closed_before = handle.closed.load(SeqCst);
        Target { value: handle.value, handle: Some(handle.clone()), closed_before }
    }

    pub fn made_up(value: u64) -> Target {
        Target { value, handle: None, closed_before: true }
    }

    /// Asked after the call.
    pub fn met(&self) -> Met {
        match &self.handle {
            _ if self.closed_before => Met::Closed,
            Some(handle) if !handle.closing.load(SeqCst) => Met::Open,
            _ => Met::Either,
        }
    }

    pub fn read_only(&self) -> bool {
        self.handle.as_ref().is_some_and(|handle| handle.read_only)
    }
}

/// All handles.
#[derive(Default)]
pub struct Handles {
    open: Mutex<Vec<Arc<Handle>>>,
    /// Some of those that were closed.
    closed: Mutex<VecDeque<Arc<Handle>>>,
}

/// So many closed handles are remembered, and tried again.
const REMEMBERED: usize = 200;

impl Handles {
    pub fn add(&self, handle: Arc<Handle>) {
        locked(&self.open).push(handle);
    }

    pub fn how_many_are_open(&self) -> usize {
        locked(&self.open).len()
    }

    /// One that is open, or was a moment ago.
    pub fn one_open(&self, number: u64) -> Option<Arc<Handle>> {
        let open = locked(&self.open);
        (!open.is_empty()).then(|| open[number as usize % open.len()].clone())
    }

    pub fn one_closed(&self, number: u64) -> Option<Arc<Handle>> {
        let closed = locked(&self.closed);
        (!closed.is_empty()).then(|| closed[number as usize % closed.len()].clone())
    }

    /// It goes to the closed ones; once only, however many have closed it.
    pub fn retire(&self, handle: &Arc<Handle>) {
        let mut open = locked(&self.open);
        let Some(at) = open.iter().position(|one| Arc::ptr_eq(one, handle)) else { return };
        let handle = open.swap_remove(at);
        drop(open);
        let mut closed = locked(&self.closed);
        closed.push_back(handle);
        if closed.len() > REMEMBERED {
            closed.pop_front();
        }
    }

    pub fn take_all(&self) -> Vec<Arc<Handle>> {
        std::mem::take(&mut *locked(&self.open))
    }
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
