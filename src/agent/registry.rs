//! All runtimes of this process. Opens with equal options share one, which ends with the last of them.
//!
//! A forked child makes a registry of its own: the inherited one may be locked by a thread that is not there.

use super::board::Board;
use super::options::Checked;
use super::runtime::Runtime;
use super::sync::Mutex;
use super::{Error, fork};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};
use std::time::Duration;

use arc_swap::ArcSwapOption;

static REGISTRY: ArcSwapOption<Registry> = ArcSwapOption::const_empty();
static MADE_FOR: AtomicU64 = AtomicU64::new(0);

pub struct Registry {
    /// The fork generation it was made in.
    fork: u64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    /// Boards that no runtime uses. Oldest first: a racing reader of a closed handle meets an old board, not a new one.
    boards: VecDeque<&'static Board>,
}

struct Entry {
    key: String,
    runtime: Arc<Runtime>,
    handles: usize,
}

/// The registry of this process, made on first use and again in each forked child.
pub fn registry() -> Arc<Registry> {
    let generation = fork::generation();
    let before = MADE_FOR.load(Acquire);
    if before != generation && MADE_FOR.compare_exchange(before, generation, AcqRel, Acquire).is_ok() {
        // The one before is never dropped: it is not ours to look into.
        std::mem::forget(REGISTRY.swap(Some(Arc::new(Registry { fork: generation, inner: Mutex::default() }))));
    }
    loop {
        if let Some(registry) = REGISTRY.load_full().filter(|registry| registry.fork == generation) {
            return registry;
        }
        std::thread::yield_now();
    }
}

impl Registry {
    /// Joins the runtime with these options, or starts one.
    pub fn join(&self, options: Checked) -> Result<Arc<Runtime>, Error> {
        let mut inner = self.inner.lock();
        if let Some(entry) = inner.entries.iter_mut().find(|entry| entry.key == options.key && entry.runtime.alive()) {
            entry.handles += 1;
            return Ok(entry.runtime.clone());
        }
        let board = inner.board();
        let key = options.key.clone();
        match Runtime::start(options, board) {
            Ok(runtime) => {
                inner.entries.push(Entry { key, runtime: runtime.clone(), handles: 1 });
                Ok(runtime)
            }
            Err(error) => {
                inner.boards.push_back(board);
                Err(error)
            }
        }
    }

    /// Gives a handle back; the last one ends the runtime. `false`: a thread still ends by itself.
    pub fn leave(&self, runtime: &Arc<Runtime>, wait: Duration) -> bool {
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
            return true;
        }
        inner.entries.swap_remove(index);
        inner.boards.push_back(runtime.board);
        drop(inner);
        runtime.stop();
        runtime.wait_until_ended(wait)
    }

    /// A board for an agent without a thread.
    pub fn lend_board(&self) -> &'static Board {
        self.inner.lock().board()
    }

    pub fn return_board(&self, board: &'static Board) {
        board.wake();
        self.inner.lock().boards.push_back(board);
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
