//! One runtime: the shared part of an agent's threads, its mailbox, and its end.
//!
//! Cold calls put a letter into the mailbox and wait a bounded time for the answer; the `ors-agent` thread does the work.
//! Ending it never waits longer than asked: a thread that does not end in time is fenced (it finds the runtime stopped
//! before each durable step, publish and job) and ends by itself.

use super::board::Board;
use super::folder::{Desk, Outcome};
use super::line::{self, News};
use super::log::{self, Log};
use super::options::{COLD, Checked};
use super::registry::registry;
use super::sync::{Condvar, Mutex};
use super::worker::Worker;
use super::{Command, Done, Error, error::Kind, fork};
use crate::injected;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Letters that may wait: a host that floods cold calls while a disk hangs must not make us grow.
const MAX_LETTERS: usize = 256;
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// A first open waits this long for the first look at the folder, so that its first answer is not "unknown".
const FIRST_LOOK: Duration = Duration::from_millis(1_000);
/// Where a licence is known from before, an open waits so long for a look: a host that opens, asks once and closes sees a newer
/// licence too, and a folder that hangs costs no more than this.
const LOOK_WITH_COPY: Duration = Duration::from_millis(100);

pub struct Runtime {
    pub log: Log,
    pub board: &'static Board,
    owner: u64,
    /// The fork generation it was made in.
    pub fork: u64,
    stopping: AtomicBool,
    mail: Mutex<Mail>,
    bell: Condvar,
    desk: Mutex<Option<Arc<Desk>>>,
    lines: Mutex<Vec<Arc<line::Desk>>>,
    life: Mutex<Life>,
    life_bell: Condvar,
    /// The state folder's one name, once it was read.
    state_folder: OnceLock<PathBuf>,
}

#[derive(Default)]
struct Mail {
    commands: VecDeque<(Command, Reply)>,
    outcomes: VecDeque<Outcome>,
    news: VecDeque<News>,
    /// While the thread rests after a panic: when it goes on.
    rests_until: Option<Instant>,
}

/// What the worker takes out at once.
pub struct Letters {
    pub commands: VecDeque<(Command, Reply)>,
    pub outcomes: VecDeque<Outcome>,
    pub news: VecDeque<News>,
}

#[derive(Default)]
struct Life {
    /// How loading went, and whether a licence is known from before.
    loaded: Option<Result<bool, Error>>,
    settled: bool,
    ended: bool,
}

impl Runtime {
    /// Starts the thread. Returns before anything was read: see [`Runtime::wait_until_loaded`].
    pub fn start(options: Checked, board: &'static Board) -> Result<Arc<Runtime>, Error> {
        fork::prepare();
        let runtime = Arc::new(Runtime {
            log: Log::new(),
            board,
            owner: board.renew(),
            fork: fork::generation(),
            stopping: AtomicBool::new(false),
            mail: Mutex::default(),
            bell: Condvar::new(),
            desk: Mutex::default(),
            lines: Mutex::default(),
            life: Mutex::default(),
            life_bell: Condvar::new(),
            state_folder: OnceLock::new(),
        });
        let inside = runtime.clone();
        std::thread::Builder::new()
            .name("ors-agent".to_owned())
            .stack_size(super::STACK)
            .spawn(move || inside.live(&options))
            .map_err(|error| Error { kind: Kind::Limit, ..Error::io("thread", "start the agent's thread", &error) })?;
        Ok(runtime)
    }

    fn live(self: &Arc<Runtime>, options: &Checked) {
        let mut backoff = Backoff::new();
        while self.alive() {
            let began = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| {
                let mut worker = Worker::start(self.clone(), options.clone(), self.owner)?;
                self.note_state_folder(worker.state_folder());
                self.set_loaded(Ok(worker.knows_a_licence()));
                Ok::<bool, Error>(worker.run())
            }));
            match result {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => break,
                Ok(Err(error)) => {
                    self.log.write(log::ERROR, format!("The agent could not start: {error}"));
                    if self.set_loaded(Err(error)) {
                        break;
                    }
                }
                Err(_) => {
                    self.log.write(log::ERROR, STARTS_ANEW);
                    // Who waits for the opening shall not do so in vain.
                    if self.set_loaded(Err(starts_anew())) {
                        break;
                    }
                }
            }
            self.rest(backoff.after(began.elapsed()));
        }
        self.stop();
        self.refuse_letters(Error::closed());
        // Nothing of a host's panicking sink may keep the end from being told.
        let _ = catch_unwind(AssertUnwindSafe(|| self.log.flush()));
        self.life.lock().ended = true;
        self.life_bell.notify_all();
        registry().forget_ended();
    }

    fn note_state_folder(&self, path: &Path) {
        if let Ok(path) = std::fs::canonicalize(path) {
            let _ = self.state_folder.set(path);
        }
    }

    /// Its one name; `None` until it was read.
    pub fn state_folder(&self) -> Option<&Path> {
        self.state_folder.get().map(PathBuf::as_path)
    }

    /// Whether anything may still be changed, published or asked for.
    pub fn alive(&self) -> bool {
        !self.stopping.load(SeqCst)
    }

    /// Notes how loading went, once. Returns whether this was the first word on it.
    fn set_loaded(&self, result: Result<bool, Error>) -> bool {
        let mut life = self.life.lock();
        let first = life.loaded.is_none();
        if first {
            life.loaded = Some(result);
        }
        drop(life);
        self.life_bell.notify_all();
        first
    }

    /// The licence has been looked for: what is published is not for want of a look.
    pub fn set_settled(&self) {
        let mut life = self.life.lock();
        if !life.settled {
            life.settled = true;
            drop(life);
            self.life_bell.notify_all();
        }
    }

    /// Waits until the last known licence is published; and for the first look at the folder where none is known.
    pub fn wait_until_loaded(&self, deadline: Instant) -> Result<(), Error> {
        injected::point();
        let life = self.life.lock();
        let life = self.life_bell.wait_while_until(life, deadline, |life| life.loaded.is_none() && !life.ended);
        let look = match &life.loaded {
            Some(Ok(true)) => LOOK_WITH_COPY,
            Some(Ok(false)) => FIRST_LOOK,
            Some(Err(error)) => return Err(error.clone()),
            None if life.ended => return Err(Error::closed()),
            None => {
                return Err(Error::new(Kind::Timeout, "state_folder", "The state folder did not answer in time."));
            }
        };
        let deadline = deadline.min(Instant::now() + look);
        drop(self.life_bell.wait_while_until(life, deadline, |life| !life.settled && !life.ended));
        Ok(())
    }

    /// Hands a command to the worker and waits for it, two seconds at most.
    pub fn ask(&self, command: Command) -> Result<Done, Error> {
        let deadline = Instant::now() + COLD;
        let slot = Arc::new(Slot::default());
        {
            let mut mail = self.mail.lock();
            if !self.alive() {
                return Err(Error::closed());
            }
            if mail.rests_until.is_some_and(|end| end > deadline) {
                // It would be told so in two seconds, too.
                return Err(starts_anew());
            }
            if mail.commands.len() >= MAX_LETTERS {
                return Err(Error::new(Kind::Timeout, "", "Too many calls wait already."));
            }
            mail.commands.push_back((command, Reply(slot.clone())));
        }
        self.bell.notify_one();
        injected::point();
        let mut answer = slot.bell.wait_while_until(slot.answer.lock(), deadline, |answer| answer.is_none());
        answer.take().unwrap_or_else(|| Err(Error::timeout()))
    }

    /// The folder thread brings an outcome.
    pub fn tell(&self, outcome: Outcome) {
        if self.alive() {
            self.mail.lock().outcomes.push_back(outcome);
            self.bell.notify_one();
        }
    }

    /// What waits for the worker; waits up to `rest` for something. `None`: the runtime ends.
    pub fn next_letters(&self, rest: Duration) -> Option<Letters> {
        let deadline = Instant::now() + rest;
        let mut mail = self.bell.wait_while_until(self.mail.lock(), deadline, |mail| {
            self.alive() && mail.commands.is_empty() && mail.outcomes.is_empty() && mail.news.is_empty()
        });
        if !self.alive() {
            return None;
        }
        Some(Letters {
            commands: std::mem::take(&mut mail.commands),
            outcomes: std::mem::take(&mut mail.outcomes),
            news: std::mem::take(&mut mail.news),
        })
    }

    /// So that ending the runtime ends the folder thread when it is free.
    pub fn set_desk(&self, desk: &Arc<Desk>) {
        if let Some(before) = self.desk.lock().replace(desk.clone()) {
            before.end();
        }
        if !self.alive() {
            desk.end();
        }
    }

    /// A line to the network brings something.
    pub fn bring(&self, news: News) {
        if self.alive() {
            self.mail.lock().news.push_back(news);
            self.bell.notify_one();
        }
    }

    /// So that ending the runtime ends the lines to the network at once, whatever the worker is doing.
    pub fn set_lines(&self, lines: Vec<Arc<line::Desk>>) {
        *self.lines.lock() = lines;
        if !self.alive() {
            self.end_lines();
        }
    }

    fn end_lines(&self) {
        let lines = std::mem::take(&mut *self.lines.lock());
        lines.iter().for_each(|desk| desk.end());
    }

    fn refuse_letters(&self, error: Error) {
        let letters = std::mem::take(&mut self.mail.lock().commands);
        for (_, reply) in letters {
            reply.send(Err(error.clone()));
        }
    }

    /// Rests after a panic. Calls that wait are told; those that come and cannot be served in time, at once.
    fn rest(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut mail = self.mail.lock();
        mail.rests_until = Some(deadline);
        drop(mail);
        self.refuse_letters(starts_anew());
        let mut mail = self.bell.wait_while_until(self.mail.lock(), deadline, |_| self.alive());
        mail.rests_until = None;
    }

    /// Asks the threads to end and wakes everybody who sleeps on this runtime.
    pub fn stop(&self) {
        let mail = self.mail.lock();
        self.stopping.store(true, SeqCst);
        drop(mail);
        self.bell.notify_all();
        if let Some(desk) = self.desk.lock().as_ref() {
            desk.end();
        }
        self.end_lines();
        self.log.close();
        self.board.wake();
    }

    pub fn has_ended(&self) -> bool {
        self.life.lock().ended
    }

    /// Waits for the `ors-agent` thread. `false`: it still ends by itself.
    pub fn wait_until_ended(&self, wait: Duration) -> bool {
        if wait.is_zero() {
            // Also said while a panic unwinds: no clock that could fail is asked.
            return self.life.lock().ended;
        }
        let deadline = Instant::now() + wait;
        self.life_bell.wait_while_until(self.life.lock(), deadline, |life| !life.ended).ended
    }
}

const STARTS_ANEW: &str = "An internal error was contained; the agent starts anew.";

fn starts_anew() -> Error {
    Error::new(Kind::Internal, "", STARTS_ANEW)
}

/// How long the thread rests after a panic: twice as long each time, unless it had gone well for a while.
struct Backoff(Duration);

impl Backoff {
    fn new() -> Backoff {
        Backoff(FIRST_BACKOFF)
    }

    /// The rest after a run that took `ran`.
    fn after(&mut self, ran: Duration) -> Duration {
        if ran > LONGEST_BACKOFF {
            self.0 = FIRST_BACKOFF;
        }
        let now = self.0;
        self.0 = (now * 2).min(LONGEST_BACKOFF);
        now
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_double_up_to_a_minute_and_begin_anew_after_a_good_while() {
        let mut backoff = Backoff::new();
        let short = Duration::from_secs(3);
        let rests: Vec<u64> = (0..9).map(|_| backoff.after(short).as_secs()).collect();
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.after(Duration::from_secs(61)).as_secs(), 1);
        assert_eq!(backoff.after(short).as_secs(), 2);
    }
}
