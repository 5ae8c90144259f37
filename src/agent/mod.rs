//! The runtime: what runs inside the host, and the Rust face of the library.
//!
//! [`Agent`] is one opened handle. Readers go through its [`board::Board`] and never wait; calls that change something go
//! through the mailbox of its [`runtime::Runtime`] to the one `ors-agent` thread ([`worker`]), which decides with pure
//! functions of the floors below and has the effects. The licence folder is touched by a thread of its own ([`folder`]).
//! Nothing in here knows C: that is `crate::ffi`. Unsafe code is in `fork/` alone.

mod announce;
pub(crate) mod board;
mod commands;
mod errand;
mod error;
mod folder;
mod fork;
mod glance;
mod leader;
mod line;
pub(crate) mod log;
mod memory;
mod office;
mod options;
mod publish;
mod record;
mod registry;
mod reread;
mod ring;
mod runtime;
mod seed;
mod standing;
mod sync;
mod texts;
mod update;
mod view;
mod watch;
mod worker;

pub(crate) use crate::store::NoTraces;
pub use commands::{INSTALL_ACCEPTED, INSTALL_COPY, INSTALL_PRESENT, Installed};
pub use error::{Error, Kind};
pub use log::Line;
pub use options::Options;
pub use texts::{Field, Shown};
pub use update::{Answer, UpdateQuery, check_update};

use crate::clock;
use crate::injected;
use crate::notice::Image;
use arc_swap::ArcSwapOption;
use board::{Board, Wait};
use commands::{Command, Done};
use options::{COLD, Checked};
use runtime::Runtime;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Stack of our threads: nothing recurses deeper than the 32 levels of a licence.
const STACK: usize = 512 << 10;

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// One opened agent. Dropping it closes it without waiting.
pub struct Agent {
    checked: Checked,
    kind: Opened,
    closed: AtomicBool,
    /// Its own number: a log sink belongs to the agent that set it.
    number: u64,
}

enum Opened {
    ReadOnly { board: &'static Board, log: log::Log, fork: u64 },
    Live(ArcSwapOption<Runtime>),
}

impl Agent {
    /// Opens an agent. Returns with the last known licence published.
    ///
    /// # Errors
    /// `Argument` and `Text` for options that are not right, `Io` and `Permission` for the state folder, `Timeout` when it
    /// does not answer within 2 s, `NewerState` when a newer version wrote it, `Limit` when no thread can be started.
    pub fn open(options: &Options) -> Result<Agent, Error> {
        let checked = options.check()?;
        let agent = |checked, kind| Agent {
            checked,
            kind,
            closed: AtomicBool::new(false),
            number: NUMBER.fetch_add(1, Relaxed),
        };
        if checked.read_only {
            let kind = Agent::glance(&checked)?;
            return Ok(agent(checked, kind));
        }
        let deadline = Instant::now() + COLD;
        let runtime = registry::registry().join(checked.clone(), deadline)?;
        // From here on whatever goes wrong leaves the runtime again.
        let agent = agent(checked, Opened::Live(ArcSwapOption::from(Some(runtime.clone()))));
        injected::point();
        runtime.wait_until_loaded(deadline)?;
        Ok(agent)
    }

    fn glance(checked: &Checked) -> Result<Opened, Error> {
        fork::notice();
        let wanted = glance::Wanted {
            product: checked.product.clone(),
            keyring: checked.keyring.clone(),
            licence_folder: checked.licence_folder.clone().map(PathBuf::from),
            state_folder: checked.state_folder.clone(),
            heed_settings: true,
        };
        let found = wanted.look(Duration::from_secs(5))?;
        let board = registry::registry().lend_board();
        let owner = board.renew();
        let log = log::Log::new();
        let view = found.view();
        view.notes.iter().for_each(|note| log.write(log::WARNING, note.clone()));
        board.publish(owner, view, clock::coarse_seconds());
        Ok(Opened::ReadOnly { board, log, fork: fork::generation() })
    }

    /// Ends this handle and its log sink; the runtime ends with the last handle on it. `false`: a thread still ends by
    /// itself, or the sink is running.
    pub fn close(&self, wait: Duration) -> bool {
        if self.closed.swap(true, SeqCst) {
            return true;
        }
        match &self.kind {
            Opened::ReadOnly { board, log, fork } => {
                // Inherited by a fork: a lock may be held by a thread that is not there.
                if *fork == fork::generation() {
                    log.close();
                    registry::registry().return_board(board);
                }
                true
            }
            Opened::Live(runtime) => match runtime.swap(None) {
                Some(runtime) if runtime.fork == fork::generation() => {
                    // First of all: nothing that goes wrong from here on may keep the runtime.
                    let last = registry::registry().leave(&runtime);
                    injected::point();
                    runtime.log.wake();
                    let began = (!wait.is_zero()).then(Instant::now);
                    let ended = !last || runtime.wait_until_ended(wait);
                    let left = began.map_or(wait, |began| wait.saturating_sub(began.elapsed()));
                    // Others may keep the runtime; the sink goes with the agent that set it.
                    runtime.log.take_back(self.number, left) && ended
                }
                // Inherited by a fork: forgotten, not dropped.
                inherited => {
                    std::mem::forget(inherited);
                    true
                }
            },
        }
    }

    /// The runtime of this process: in a forked child a new one, started now.
    fn runtime(&self) -> Result<Arc<Runtime>, Error> {
        let Opened::Live(current) = &self.kind else {
            return Err(Error::new(Kind::ReadOnly, "agent", "The agent was opened read only."));
        };
        let runtime = current.load_full().ok_or_else(Error::closed)?;
        if runtime.fork == fork::generation() {
            return Ok(runtime);
        }
        let deadline = Instant::now() + COLD;
        let fresh = registry::registry().join(self.checked.clone(), deadline)?;
        let before = current.compare_and_swap(&runtime, Some(fresh.clone()));
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, &runtime)) {
            std::mem::forget(runtime);
        } else {
            // Another thread of the child was faster, or closed the handle.
            registry::registry().leave(&fresh);
            std::mem::forget(runtime);
            return current.load_full().filter(|now| now.fork == fork::generation()).ok_or_else(Error::closed);
        }
        fresh.wait_until_loaded(deadline)?;
        Ok(fresh)
    }

    /// What readers read. In a forked child the inherited one serves until a call starts a new runtime.
    pub(crate) fn board(&self) -> Result<&'static Board, Error> {
        match &self.kind {
            Opened::ReadOnly { board, .. } => Ok(*board),
            Opened::Live(runtime) => runtime.load().as_ref().map(|runtime| runtime.board).ok_or_else(Error::closed),
        }
    }

    fn log<T>(&self, work: impl FnOnce(&log::Log) -> T) -> Result<T, Error> {
        match &self.kind {
            Opened::ReadOnly { log, fork, .. } if *fork == fork::generation() => Ok(work(log)),
            Opened::ReadOnly { .. } => Ok(work(&log::Log::new())),
            Opened::Live(_) => Ok(work(&self.runtime()?.log)),
        }
    }

    /// The answer for now: notices, dates, state.
    pub fn status(&self) -> Result<Image, Error> {
        Ok(self.board()?.image(clock::coarse_seconds()))
    }

    /// Sleeps until the revision differs from `seen`; returns the present one.
    ///
    /// # Errors
    /// `Timeout` after `wait`, `Closed` when this handle is closed meanwhile.
    pub fn wait(&self, seen: u64, wait: Duration) -> Result<u64, Error> {
        let deadline = Instant::now() + wait;
        if let Opened::Live(_) = &self.kind {
            // In a forked child: a runtime of its own, or nobody would ever wake this call.
            self.runtime()?;
        }
        match self.board()?.wait(seen, deadline, clock::coarse_seconds, || self.closed.load(SeqCst)) {
            Wait::Changed(revision) => Ok(revision),
            Wait::TimedOut(_) => Err(Error::new(Kind::Timeout, "", "Nothing changed in that time.")),
            Wait::Closed => Err(Error::closed()),
        }
    }

    /// The About box, as JSON.
    pub fn about(&self) -> Result<String, Error> {
        Ok(self.board()?.view().about(clock::coarse_seconds()).to_string())
    }

    /// What a person on call wants to know, as JSON. No secret is in it.
    pub fn diagnostics(&self) -> Result<String, Error> {
        let view = self.board()?.view();
        let local = clock::coarse_seconds();
        let text = match &self.kind {
            Opened::ReadOnly { log, fork, .. } if *fork == fork::generation() => view.diagnostics(log, local),
            Opened::ReadOnly { .. } => view.diagnostics(&log::Log::new(), local),
            Opened::Live(runtime) => match runtime.load().as_ref().filter(|runtime| runtime.fork == fork::generation())
            {
                Some(runtime) => view.diagnostics(&runtime.log, local),
                // In a forked child the inherited log may be locked for ever.
                None => view.diagnostics(&log::Log::new(), local),
            },
        };
        Ok(text.to_string())
    }

    /// The settings as JSON, secrets as `{"set": true}`.
    pub fn settings(&self) -> Result<String, Error> {
        Ok(self.board()?.view().settings.to_string())
    }

    /// Changes settings: all or nothing, in force and on disk on return.
    ///
    /// # Errors
    /// `Argument` or `Text` naming the member, `Stale`, `Timeout` (not yet), `ReadOnly`, `Io`.
    pub fn set_settings(&self, json: &[u8], by: &str) -> Result<(), Error> {
        self.runtime()?.ask(Command::Settings { json: Zeroizing::new(json.to_owned()), by: by.to_owned() }).map(drop)
    }

    /// Starts a run through all steps of a connection to the back office, or joins the one that runs. Returns its number.
    ///
    /// # Errors
    /// `Disabled` when the service is switched off, `Timeout`, `ReadOnly`, `Io`.
    pub fn connect(&self, by: &str) -> Result<u64, Error> {
        match self.runtime()?.ask(Command::Connect { by: by.to_owned() })? {
            Done::Run(run) => Ok(run),
            Done::Nothing | Done::Installed(_) => Err(Error::new(Kind::Internal, "", "There is no run.")),
        }
    }

    /// The report of a run so far, as JSON. 0 is the last one.
    ///
    /// # Errors
    /// `Stale` when that is not the last run, or when there was none.
    pub fn connect_report(&self, run: u64) -> Result<String, Error> {
        let view = self.board()?.view();
        let report = view.report.as_ref().filter(|report| run == 0 || report.run == run);
        report
            .map(|report| report.to_json().to_string())
            .ok_or_else(|| Error::new(Kind::Stale, "run", "This is not the last run of Connect, or there was none."))
    }

    /// Starts the runtime anew, here and in every process that uses the state folder. Returns at once; handles stay good.
    ///
    /// # Errors
    /// `Timeout`, `ReadOnly`, `Io`.
    pub fn restart(&self, by: &str) -> Result<(), Error> {
        self.runtime()?.ask(Command::Restart { by: by.to_owned() }).map(drop)
    }

    /// Acknowledges the announcements up to `id`, for the installation.
    ///
    /// # Errors
    /// `Stale` for an id that was not raised yet, `Timeout`, `ReadOnly`, `Io`.
    pub fn acknowledge(&self, id: u64, by: &str) -> Result<(), Error> {
        if id == 0 {
            return Err(Error::argument("announcement", "0 is no announcement."));
        }
        self.runtime()?.ask(Command::Acknowledge { id, by: by.to_owned() }).map(drop)
    }

    /// Verifies a licence, key list or signed time, keeps it durably, and sets it on its way.
    ///
    /// # Errors
    /// `Refused` with the reason, `Timeout`, `ReadOnly`, `Io`.
    pub fn install(&self, file: &[u8], by: &str) -> Result<Installed, Error> {
        let runtime = self.runtime()?;
        // Judged on the caller's own thread first: nothing that is refused costs the worker or the disk anything.
        if let Some(standing) = &self.board()?.view().standing
            && let Err(refusal) = standing.judge(file)
        {
            runtime
                .log
                .write(log::WARNING, format!("An upload was refused ({}): {}", refusal.reason.token(), refusal.detail));
            return Err(Error::refused(refusal));
        }
        match runtime.ask(Command::Upload { bytes: file.to_owned(), by: by.to_owned() })? {
            Done::Installed(installed) => Ok(installed),
            Done::Nothing | Done::Run(_) => Ok(Installed::default()),
        }
    }

    /// The first kept log line after number `after`; waits for one up to `wait`.
    ///
    /// # Errors
    /// `Timeout` when there is none, `Closed` when this handle is closed meanwhile.
    pub fn read_log(&self, after: u64, wait: Duration) -> Result<Line, Error> {
        let deadline = Instant::now() + wait;
        let closed = || self.closed.load(SeqCst);
        let line = self.log(|log| log.next(after, deadline, closed))?;
        line.ok_or_else(|| match closed() {
            true => Error::closed(),
            false => Error::new(Kind::Timeout, "", "There is no newer line."),
        })
    }

    /// Sets level and sink. Returns after the last call of the old sink.
    ///
    /// # Errors
    /// `Timeout` when the old sink is still running after 2 s: nothing has changed then. `Closed`.
    pub fn set_log(&self, level: u32, sink: Option<log::Sink>) -> Result<(), Error> {
        let set = self.log(|log| {
            let set = log.set(self.number, level, sink, COLD);
            if self.closed.load(SeqCst) {
                // The close may have been before: nobody would take this sink back.
                log.take_back(self.number, COLD);
                return Err(Error::closed());
            }
            Ok(set)
        })??;
        set.then_some(()).ok_or_else(|| Error::new(Kind::Timeout, "", "The old sink is still running."))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}
