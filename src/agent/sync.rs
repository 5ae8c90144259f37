//! Locks and bells that survive a fork: those of the standard library, which are a word of memory each.
//!
//! A lock with a table for the whole process (`parking_lot`) does not: the child inherits the table with the entries of
//! threads that are not there, and its own threads get the very stacks that those entries lie on.
//!
//! A panic while a lock is held leaves it usable: what it guards is set in single steps.
#![forbid(unsafe_code)]

use std::sync::{self, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How often somebody who may wait only so long looks whether a lock is free.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub type Guard<'a, T> = sync::MutexGuard<'a, T>;

#[derive(Debug, Default)]
pub struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Mutex<T> {
        Mutex(sync::Mutex::new(value))
    }

    pub fn lock(&self) -> Guard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, if it is had within `wait`.
    pub fn try_lock_for(&self, wait: Duration) -> Option<Guard<'_, T>> {
        let mut began = None;
        loop {
            match self.0.try_lock() {
                Ok(guard) => return Some(guard),
                Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = match wait {
                Duration::ZERO => wait,
                _ => wait.saturating_sub(began.get_or_insert_with(Instant::now).elapsed()),
            };
            if left.is_zero() {
                return None;
            }
            std::thread::sleep(left.min(LOOK_AGAIN));
        }
    }
}

#[derive(Debug, Default)]
pub struct Condvar(sync::Condvar);

impl Condvar {
    pub const fn new() -> Condvar {
        Condvar(sync::Condvar::new())
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Sleeps until it is rung, for `time` at most.
    pub fn wait_for<'a, T>(&self, guard: Guard<'a, T>, time: Duration) -> Guard<'a, T> {
        self.0.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Sleeps for as long as `still` says so.
    pub fn wait_while<'a, T>(&self, guard: Guard<'a, T>, still: impl FnMut(&mut T) -> bool) -> Guard<'a, T> {
        self.0.wait_while(guard, still).unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, until `deadline` at most: the caller asks again what it waited for.
    pub fn wait_while_until<'a, T>(
        &self,
        guard: Guard<'a, T>,
        deadline: Instant,
        still: impl FnMut(&mut T) -> bool,
    ) -> Guard<'a, T> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.0.wait_timeout_while(guard, left, still).unwrap_or_else(PoisonError::into_inner).0
    }
}
