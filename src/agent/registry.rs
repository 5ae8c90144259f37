//! All runtimes of this process. Opens with equal options share one, which ends with the last of them.
//!
//! What outlives its agent because a disk or share hangs is known here, so that opening again and again does not collect such
//! threads. A forked child makes a registry of its own: the inherited one may be locked by a thread that is not there.

use super::board::Board;
use super::errand::{self, Overdue};
use super::folder::Desk;
use super::options::Checked;
use super::runtime::Runtime;
use super::sync::Mutex;
use super::{Error, error::Kind, fork};
use crate::net::Dns;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};
use std::sync::{Arc, Weak};
use std::time::Instant;

use arc_swap::ArcSwapOption;

static REGISTRY: ArcSwapOption<Registry> = ArcSwapOption::const_empty();
static MADE_FOR: AtomicU64 = AtomicU64::new(0);

pub struct Registry {
    /// The fork generation it was made in.
    fork: u64,
    inner: Mutex<Inner>,
    /// The folder threads' desks that anybody still has.
    desks: Mutex<Vec<Weak<Desk>>>,
    pub overdue: Overdue,
    dns: Arc<Dns>,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    /// Those whose last handle was closed, until their thread has ended.
    leaving: Vec<Entry>,
    /// Boards that no runtime uses. Oldest first: a racing reader of a closed handle meets an old board, not a new one.
    boards: VecDeque<&'static Board>,
}

struct Entry {
    key: String,
    /// As the host wrote it.
    state_folder: Option<PathBuf>,
    runtime: Arc<Runtime>,
    handles: usize,
}

/// The registry of this process, made on first use and again in each forked child.
pub fn registry() -> Arc<Registry> {
    let generation = fork::generation();
    let before = MADE_FOR.load(Acquire);
    if before != generation && MADE_FOR.compare_exchange(before, generation, AcqRel, Acquire).is_ok() {
        let fresh = Registry {
            fork: generation,
            inner: Mutex::default(),
            desks: Mutex::default(),
            overdue: Overdue::default(),
            dns: Arc::default(),
        };
        // The one before is never dropped: it is not ours to look into.
        std::mem::forget(REGISTRY.swap(Some(Arc::new(fresh))));
    }
    loop {
        if let Some(registry) = REGISTRY.load_full().filter(|registry| registry.fork == generation) {
            return registry;
        }
        std::thread::yield_now();
    }
}

impl Registry {
    /// Joins the runtime with these options, or starts one. Waits until `deadline` for one that was closed before and has not
    /// ended: a disk that holds up its thread would hold up the next one as well.
    pub fn join(&self, options: Checked, deadline: Instant) -> Result<Arc<Runtime>, Error> {
        let mut inner = loop {
            let canonical = self.canonical(&options, deadline)?;
            let mut inner = self.inner.lock();
            if let Some(entry) = inner.entries.iter_mut().find(|entry| entry.is_for(&options, canonical.as_deref())) {
                entry.handles += 1;
                return Ok(entry.runtime.clone());
            }
            inner.leaving.retain(|entry| !entry.runtime.has_ended());
            let before = inner.leaving.iter().find(|entry| entry.equals(&options));
            let Some(before) = before.map(|entry| entry.runtime.clone()) else { break inner };
            drop(inner);
            if !before.wait_until_ended(deadline.saturating_duration_since(Instant::now())) {
                return Err(Error::new(
                    Kind::Timeout,
                    "state_folder",
                    "The agent that was closed before has not ended: something that it waits for does not answer.",
                ));
            }
        };
        let board = inner.board();
        let (key, state_folder) = (options.key.clone(), options.state_folder.clone());
        match Runtime::start(options, board) {
            Ok(runtime) => {
                inner.entries.push(Entry { key, state_folder, runtime: runtime.clone(), handles: 1 });
                Ok(runtime)
            }
            Err(error) => {
                inner.boards.push_back(board);
                Err(error)
            }
        }
    }

    /// The state folder's one name, where it matters: when there is a runtime that differs in nothing but how the folder is
    /// written. Not asked of the disk on the caller's thread.
    fn canonical(&self, options: &Checked, deadline: Instant) -> Result<Option<PathBuf>, Error> {
        let Some(folder) = options.state_folder.clone() else { return Ok(None) };
        let inner = self.inner.lock();
        let mut alike =
            inner.entries.iter().filter(|entry| entry.key == options.key && entry.runtime.alive()).peekable();
        let named_so = |entry: &Entry| entry.state_folder == options.state_folder;
        if alike.peek().is_none() || alike.any(named_so) {
            return Ok(None);
        }
        drop(inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let name = format!("the name of {}", folder.display());
        match errand::run(&name, left, move || std::fs::canonicalize(folder).ok())? {
            Some(found) => Ok(found),
            None => Err(Error::new(Kind::Timeout, "state_folder", "The state folder did not answer in time.")),
        }
    }

    /// Gives a handle back; the last one ends the runtime, which goes on by itself. `false`: others keep it.
    pub fn leave(&self, runtime: &Arc<Runtime>) -> bool {
        let mut inner = self.inner.lock();
        let Some(index) = inner.entries.iter().position(|entry| Arc::ptr_eq(&entry.runtime, runtime)) else {
            return true;
        };
        let Some(entry) = inner.entries.get_mut(index) else { return true };
        entry.handles -= 1;
        if entry.handles > 0 {
            drop(inner);
            // Waiters of the handle that went look whether they are the ones.
            runtime.board.wake();
            return false;
        }
        let entry = inner.entries.swap_remove(index);
        inner.leaving.retain(|entry| !entry.runtime.has_ended());
        inner.leaving.push(entry);
        inner.boards.push_back(runtime.board);
        drop(inner);
        runtime.stop();
        true
    }

    /// A runtime's thread is done.
    pub fn forget_ended(&self) {
        self.inner.lock().leaving.retain(|entry| !entry.runtime.has_ended());
    }

    /// A board for an agent without a thread.
    pub fn lend_board(&self) -> &'static Board {
        self.inner.lock().board()
    }

    pub fn return_board(&self, board: &'static Board) {
        board.wake();
        self.inner.lock().boards.push_back(board);
    }

    /// All lookups of this process: one hanging thread is enough.
    pub fn dns(&self) -> Arc<Dns> {
        self.dns.clone()
    }

    /// A desk for a new folder thread.
    pub fn new_desk(&self) -> Arc<Desk> {
        let desk = Arc::new(Desk::default());
        let mut desks = self.desks.lock();
        desks.retain(|desk| desk.strong_count() > 0);
        desks.push(Arc::downgrade(&desk));
        desk
    }

    /// Whether the folder thread of an agent that was closed is still in this folder.
    pub fn hangs_in(&self, folder: &Path) -> bool {
        self.desks.lock().iter().filter_map(Weak::upgrade).any(|desk| desk.hangs_in(folder))
    }
}

impl Entry {
    /// The same options, letter by letter.
    fn equals(&self, options: &Checked) -> bool {
        self.key == options.key && self.state_folder == options.state_folder
    }

    /// Whether an open with these options joins it.
    fn is_for(&self, options: &Checked, canonical: Option<&Path>) -> bool {
        let same_folder = || canonical.is_some() && self.runtime.state_folder() == canonical;
        self.runtime.alive() && (self.equals(options) || self.key == options.key && same_folder())
    }
}

impl Inner {
    /// Boards are never freed, only reused, and only after several others were: their number is that of the most agents
    /// that were ever open at once, and a few.
    fn board(&mut self) -> &'static Board {
        const RESTING: usize = 4;
        if self.boards.len() > RESTING
            && let Some(board) = self.boards.pop_front()
        {
            return board;
        }
        Box::leak(Box::new(Board::new()))
    }
}
