//! What waits for the `ors-agent` thread, how it is answered, and the word that it shall end.
//!
//! A call puts a letter in and waits a bounded time for the answer. Whatever becomes of the thread, a letter is answered: by
//! what came of it, by the refusal when the runtime ends, or by its being dropped. What is decided is none of this room's business.
//!
//! `tests/models` runs this very file under `loom`, beside copies of it with one line spoiled each.
#![forbid(unsafe_code)]

use super::folder::Outcome;
use super::sync::{Condvar, Mutex};
use super::{Command, Done, Error, error::Kind};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Letters that may wait: a host that floods cold calls while a disk hangs must not make us grow.
const MAX_LETTERS: usize = 256;

#[derive(Default)]
pub struct Mailbox {
    stopping: AtomicBool,
    mail: Mutex<Mail>,
    bell: Condvar,
}

#[derive(Default)]
struct Mail {
    commands: VecDeque<(Command, Reply)>,
    outcomes: VecDeque<Outcome>,
    /// While the thread rests after a panic: when it goes on.
    rests_until: Option<Instant>,
}

/// What the worker takes out at once.
pub struct Letters {
    pub commands: VecDeque<(Command, Reply)>,
    pub outcomes: VecDeque<Outcome>,
}

/// An answer that is being waited for.
pub struct Awaited {
    slot: Arc<Slot>,
    deadline: Instant,
}

impl Mailbox {
    pub fn new() -> Mailbox {
        Mailbox::default()
    }

    /// Whether anything may still be changed, published or asked for.
    pub fn open(&self) -> bool {
        !self.stopping.load(SeqCst)
    }

    /// Hands a command to the worker.
    pub fn post(&self, command: Command, deadline: Instant) -> Result<Awaited, Error> {
        let slot = Arc::new(Slot::default());
        let mut mail = self.mail.lock();
        if !self.open() {
            return Err(Error::closed());
        }
        if mail.rests_until.is_some_and(|end| end > deadline) {
            // It would be told so at the deadline, too.
            return Err(starts_anew());
        }
        if mail.commands.len() >= MAX_LETTERS {
            return Err(Error::new(Kind::Timeout, "", "Too many calls wait already."));
        }
        mail.commands.push_back((command, Reply(slot.clone())));
        drop(mail);
        self.bell.notify_one();
        Ok(Awaited { slot, deadline })
    }

    /// The folder thread brings an outcome.
    pub fn tell(&self, outcome: Outcome) {
        if self.open() {
            self.mail.lock().outcomes.push_back(outcome);
            self.bell.notify_one();
        }
    }

    /// What waits for the worker; waits up to `rest` for something. `None`: the runtime ends.
    pub fn next(&self, rest: Duration) -> Option<Letters> {
        let deadline = Instant::now() + rest;
        let mut mail = self.bell.wait_while_until(self.mail.lock(), deadline, |mail| {
            self.open() && mail.commands.is_empty() && mail.outcomes.is_empty()
        });
        if !self.open() {
            return None;
        }
        Some(Letters { commands: std::mem::take(&mut mail.commands), outcomes: std::mem::take(&mut mail.outcomes) })
    }

    /// Answers all that waits, without its having been done.
    pub fn refuse(&self, error: Error) {
        let letters = std::mem::take(&mut self.mail.lock().commands);
        for (_, reply) in letters {
            reply.send(Err(error.clone()));
        }
    }

    /// Rests after a panic. Calls that wait are told; those that come and cannot be served in time, at once.
    pub fn rest(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut mail = self.mail.lock();
        mail.rests_until = Some(deadline);
        drop(mail);
        self.refuse(starts_anew());
        let mut mail = self.bell.wait_while_until(self.mail.lock(), deadline, |_| self.open());
        mail.rests_until = None;
    }

    /// From now on nothing is taken in or given out.
    pub fn stop(&self) {
        let mail = self.mail.lock();
        self.stopping.store(true, SeqCst);
        drop(mail);
        self.bell.notify_all();
    }
}

pub const STARTS_ANEW: &str = "An internal error was contained; the agent starts anew.";

pub fn starts_anew() -> Error {
    Error::new(Kind::Internal, "", STARTS_ANEW)
}

impl Awaited {
    /// The answer, or that it did not come in time.
    pub fn answer(self) -> Result<Done, Error> {
        let answer = self.slot.answer.lock();
        let mut answer = self.slot.bell.wait_while_until(answer, self.deadline, |answer| answer.is_none());
        answer.take().unwrap_or_else(|| Err(Error::timeout()))
    }
}

#[derive(Default)]
struct Slot {
    answer: Mutex<Option<Result<Done, Error>>>,
    bell: Condvar,
    sent: AtomicBool,
}

/// The worker's end of one call. Dropping it unanswered (a panic) answers too: nobody waits in vain.
pub struct Reply(Arc<Slot>);

impl Reply {
    pub fn send(self, result: Result<Done, Error>) {
        self.0.put(result);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.0.sent.load(Relaxed) {
            self.0.put(Err(Error::new(Kind::Internal, "", "An internal error was contained.")));
        }
    }
}

impl Slot {
    fn put(&self, result: Result<Done, Error>) {
        self.sent.store(true, Relaxed);
        *self.answer.lock() = Some(result);
        self.bell.notify_all();
    }
}
