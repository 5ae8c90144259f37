//! What the copies find in place of the library's other files.

use loom::sync as loomed;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::{Duration, Instant};

pub type Guard<'a, T> = loomed::MutexGuard<'a, T>;

/// `src/agent/sync.rs`.
#[derive(Debug)]
pub struct Mutex<T>(loomed::Mutex<T>);

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Mutex<T> {
        Mutex(loomed::Mutex::new(value))
    }

    pub fn lock(&self) -> Guard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever may wait waits for as long as it takes.
    pub fn try_lock_for(&self, wait: Duration) -> Option<Guard<'_, T>> {
        if !wait.is_zero() {
            return Some(self.lock());
        }
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// The bell of `src/agent/sync.rs`, on which no wait ends by time.
#[derive(Debug)]
pub struct Condvar(loomed::Condvar);

impl Default for Condvar {
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl Condvar {
    pub fn new() -> Condvar {
        Condvar(loomed::Condvar::new())
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    pub fn wait_for<'a, T>(&self, guard: Guard<'a, T>, _: Duration) -> Guard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wait_while_until<'a, T>(
        &self,
        mut guard: Guard<'a, T>,
        _: Instant,
        mut still: impl FnMut(&mut T) -> bool,
    ) -> Guard<'a, T> {
        while still(&mut guard) {
            guard = self.wait_for(guard, Duration::ZERO);
        }
        guard
    }
}

/// `arc_swap::ArcSwapOption` as a lock. That orders a little more than the original does: a load before a later store.
pub struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

impl<T> ArcSwapOption<T> {
    pub fn const_empty() -> ArcSwapOption<T> {
        ArcSwapOption(Mutex::new(None))
    }

    pub fn load_full(&self) -> Option<Arc<T>> {
        self.0.lock().clone()
    }

    pub fn store(&self, value: Option<Arc<T>>) {
        self.swap(value);
    }

    pub fn swap(&self, value: Option<Arc<T>>) -> Option<Arc<T>> {
        std::mem::replace(&mut *self.0.lock(), value)
    }
}

/// `arc_swap::ArcSwap` in the same way.
pub struct ArcSwap<T>(Mutex<Arc<T>>);

impl<T> ArcSwap<T> {
    pub fn from_pointee(value: T) -> ArcSwap<T> {
        ArcSwap(Mutex::new(Arc::new(value)))
    }

    pub fn load_full(&self) -> Arc<T> {
        self.0.lock().clone()
    }

    pub fn store(&self, value: Arc<T>) {
        *self.0.lock() = value;
    }
}

/// `src/agent/error.rs`, without words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Closed,
    Internal,
    Limit,
    Timeout,
}

impl Error {
    pub fn new(kind: Kind, _: &str, _: &str) -> Error {
        Error(kind)
    }

    pub fn closed() -> Error {
        Error(Kind::Closed)
    }

    pub fn timeout() -> Error {
        Error(Kind::Timeout)
    }
}

/// What is asked of the worker, and what comes of it.
pub type Command = u32;
pub type Done = u32;
pub type Outcome = u32;

/// What a slot of the table holds.
pub mod agent {
    use super::Error;
    use loom::sync::atomic::{AtomicU64, Ordering, fence};

    /// One word, written as the ring writes its words.
    pub struct Board(AtomicU64);

    impl Board {
        /// Boards are never freed.
        pub fn with(word: u64) -> &'static Board {
            Box::leak(Box::new(Board(AtomicU64::new(word))))
        }

        pub fn publish(&self, word: u64) {
            fence(Ordering::Release);
            self.0.store(word, Ordering::Relaxed);
        }

        pub fn word(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    pub struct Agent {
        pub board: &'static Board,
        pub number: u64,
    }

    impl Agent {
        pub fn board(&self) -> Result<&'static Board, Error> {
            Ok(self.board)
        }
    }
}

/// A slot of the ring with two words, and the view that goes with it.
pub mod layout {
    use crate::ring::shipped::{WORDS, Words};

    pub const FROM: usize = 0;
    pub const UNTIL: usize = 1;
    pub const STATUS: usize = 0;
    pub const STATUS_WORDS: usize = 2;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Facts {
        pub revision: u64,
        pub service: u32,
    }

    pub type Image = Facts;

    impl Facts {
        pub const UNKNOWN: Facts = Facts { revision: 0, service: 0 };

        pub fn at(&self, _: i64) -> Image {
            *self
        }
    }

    pub fn words(facts: &Facts, _: i64) -> [u64; WORDS] {
        [facts.revision, facts.service.into()]
    }

    pub fn facts(slot: &Words) -> Facts {
        Facts { revision: slot.get(0), service: slot.get(1) as u32 }
    }

    pub fn status_words(image: &Image) -> [u64; STATUS_WORDS] {
        [image.revision, image.service.into()]
    }

    #[derive(Debug)]
    pub struct View {
        pub facts: Facts,
    }

    impl View {
        pub fn empty() -> View {
            View { facts: Facts::UNKNOWN }
        }
    }
}
