//! One runtime: the shared part of an agent's threads, and its end.
//!
//! Cold calls put a letter into the [`Mailbox`] and wait a bounded time for the answer; the `ors-agent` thread does the work.
//! Ending it never waits longer than asked: a thread that does not end in time is fenced (it finds the runtime stopped
//! before each durable step, publish and job) and ends by itself.

use super::board::Board;
use super::folder::{Desk, Outcome};
use super::life::Life;
use super::log::{self, Log};
use super::mailbox::{Letters, Mailbox, STARTS_ANEW, starts_anew};
use super::options::{COLD, Checked};
use super::registry::registry;
use super::sync::Mutex;
use super::worker::Worker;
use super::{Command, Done, Error, error::Kind, fork};
use crate::injected;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
pub struct Runtime {
    pub log: Log,
    pub board: &'static Board,
    owner: u64,
    /// The fork generation it was made in.
    pub fork: u64,
    mailbox: Mailbox,
    desk: Mutex<Option<Arc<Desk>>>,
    life: Life,
    /// The state folder's one name, once it was read.
    state_folder: OnceLock<PathBuf>,
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
            mailbox: Mailbox::new(),
            desk: Mutex::default(),
            life: Life::new(),
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
                self.life.set_loaded(Ok(worker.knows_a_licence()));
                worker.run();
                Ok::<(), Error>(())
            }));
            match result {
                Ok(Ok(())) => break,
                Ok(Err(error)) => {
                    self.log.write(log::ERROR, format!("The agent could not start: {error}"));
                    if self.life.set_loaded(Err(error)) {
                        break;
                    }
                }
                Err(_) => {
                    self.log.write(log::ERROR, STARTS_ANEW);
                    // Who waits for the opening shall not do so in vain.
                    if self.life.set_loaded(Err(starts_anew())) {
                        break;
                    }
                }
            }
            self.mailbox.rest(backoff.after(began.elapsed()));
        }
        self.stop();
        self.mailbox.refuse(Error::closed());
        // Nothing of a host's panicking sink may keep the end from being told.
        let _ = catch_unwind(AssertUnwindSafe(|| self.log.flush()));
        self.life.set_ended();
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
        self.mailbox.open()
    }

    /// The licence has been looked for: what is published is not for want of a look.
    pub fn set_settled(&self) {
        self.life.set_settled();
    }

    /// Waits until the last known licence is published; and for the first look at the folder where none is known.
    pub fn wait_until_loaded(&self, deadline: Instant) -> Result<(), Error> {
        injected::point();
        self.life.wait_until_loaded(deadline)
    }

    /// Hands a command to the worker and waits for it, two seconds at most.
    pub fn ask(&self, command: Command) -> Result<Done, Error> {
        let awaited = self.mailbox.post(command, Instant::now() + COLD)?;
        injected::point();
        awaited.answer()
    }

    /// The folder thread brings an outcome.
    pub fn tell(&self, outcome: Outcome) {
        self.mailbox.tell(outcome);
    }

    /// What waits for the worker; waits up to `rest` for something. `None`: the runtime ends.
    pub fn next_letters(&self, rest: Duration) -> Option<Letters> {
        self.mailbox.next(rest)
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

    /// Asks the threads to end and wakes everybody who sleeps on this runtime.
    pub fn stop(&self) {
        self.mailbox.stop();
        if let Some(desk) = self.desk.lock().as_ref() {
            desk.end();
        }
        self.log.close();
        self.board.wake();
    }

    pub fn has_ended(&self) -> bool {
        self.life.has_ended()
    }

    /// Waits for the `ors-agent` thread. `false`: it still ends by itself.
    pub fn wait_until_ended(&self, wait: Duration) -> bool {
        self.life.wait_until_ended(wait)
    }
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
