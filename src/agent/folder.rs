//! The thread that touches the licence folder, and nobody else does.
//!
//! A folder may be a share that hangs for ever, so this thread is never joined and never waited for: jobs go in, outcomes
//! come back through the worker's mailbox, and a thread whose runtime has ended finds its number outdated before each step
//! that changes something.

use super::sync::{Condvar, Mutex};
use crate::floating::scan::Ask;
use crate::floating::{KEYS_FILE, PlaceError, Put, Scan, scan};
use crate::injected;
use crate::licence::{Genuine, Keyring, Product};
use crate::store::{Access, Disk, FileStamp, StateFolder, clear_old_temps, clear_stale_temps, replace_if, stamp};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where files that an installation replaces are kept, in the state folder.
pub const BACKUP: &str = "backup";

/// Something to do in the licence folder.
pub enum Job {
    Scan {
        path: PathBuf,
        ask: Ask,
    },
    Put(Box<PutJob>),
    /// Removes what a write that was killed left there.
    Clear {
        folder: PathBuf,
        disk: Arc<dyn Disk>,
        remote: bool,
    },
    /// Writes the newest key list beside the licence.
    Keys {
        folder: PathBuf,
        disk: Arc<dyn Disk>,
        bytes: Vec<u8>,
        /// What lay there when that was decided. What somebody has put there since is looked at first.
        seen: Option<FileStamp>,
    },
}

impl Job {
    /// Where it is done.
    pub fn folder(&self) -> &Path {
        match self {
            Job::Scan { path, .. } => path,
            Job::Put(job) => &job.folder,
            Job::Clear { folder, .. } | Job::Keys { folder, .. } => folder,
        }
    }
}

pub struct PutJob {
    pub folder: PathBuf,
    pub file: String,
    pub genuine: Genuine,
    pub keyring: Keyring,
    pub product: Product,
    pub left_overs: Vec<(String, String)>,
    pub state: StateFolder,
    pub now: i64,
}

/// What became of it.
pub enum Outcome {
    Scanned(Box<Scan>),
    Put(Result<(), Failed>),
    /// Whether it was written; `false` where something else lies there by now.
    Keys(Result<bool, String>),
    Cleared,
}

/// Why nothing was put.
pub enum Failed {
    /// A newer licence lies there: it is not for a person to copy this one over it.
    Newer(String),
    Other(String),
}

/// The jobs' side, shared with the thread.
#[derive(Default)]
pub struct Desk {
    inner: Mutex<Inner>,
    bell: Condvar,
}

#[derive(Default)]
struct Inner {
    job: Option<Job>,
    /// Where the thread is, from the handing over of a job until it is done.
    busy: Option<PathBuf>,
    ended: bool,
}

impl Desk {
    /// Hands a job over. `false` while the one before is not done.
    pub fn give(&self, job: Job) -> bool {
        let mut inner = self.inner.lock();
        if inner.busy.is_some() || inner.ended {
            return false;
        }
        inner.busy = Some(job.folder().to_owned());
        inner.job = Some(job);
        self.bell.notify_one();
        true
    }

    pub fn end(&self) {
        self.inner.lock().ended = true;
        self.bell.notify_one();
    }

    /// Whether its agent is closed while its thread is still in this folder, or in a file of it, or in a folder above.
    pub fn hangs_in(&self, folder: &Path) -> bool {
        let inner = self.inner.lock();
        let there = |at: &PathBuf| at.starts_with(folder) || folder.starts_with(at);
        inner.ended && inner.busy.as_ref().is_some_and(there)
    }

    fn next(&self) -> Option<Job> {
        let inner = self.inner.lock();
        let mut inner = self.bell.wait_while(inner, |inner| !inner.ended && inner.job.is_none());
        if inner.ended {
            // A job that was not begun is not being done.
            inner.busy = None;
            None
        } else {
            inner.job.take()
        }
    }

    fn done(&self) {
        self.inner.lock().busy = None;
    }
}

/// Starts the thread. `tell` brings outcomes to the worker; `alive` says whether the runtime still wants anything done.
pub fn start(
    desk: Arc<Desk>,
    tell: impl Fn(Outcome) + Send + 'static,
    alive: impl Fn() -> bool + Send + 'static,
) -> io::Result<()> {
    let run = move || {
        while let Some(job) = desk.next() {
            // A panic here is ours: the desk must not stay busy, and the next job may well succeed.
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(job, &alive)));
            desk.done();
            match outcome {
                Ok(outcome) => tell(outcome),
                Err(_) => tell(Outcome::Put(Err(Failed::Other("an internal error was contained".to_owned())))),
            }
        }
    };
    std::thread::Builder::new().name("ors-folder".to_owned()).stack_size(super::STACK).spawn(run).map(drop)
}

fn work(job: Job, alive: &dyn Fn() -> bool) -> Outcome {
    injected::point();
    match job {
        Job::Scan { path, ask } => Outcome::Scanned(Box::new(scan(&path, &ask))),
        Job::Put(job) => Outcome::Put(put(&job, alive)),
        Job::Clear { folder, disk, remote } => {
            // Never through a link.
            if alive() && std::fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
                if remote {
                    clear_old_temps(disk.as_ref(), &folder)
                } else {
                    clear_stale_temps(disk.as_ref(), &folder)
                };
            }
            Outcome::Cleared
        }
        Job::Keys { folder, disk, bytes, seen } => {
            let path = folder.join(KEYS_FILE);
            let written = replace_if(disk.as_ref(), &path, &bytes, Access::Licence, || stamp(&path) == seen);
            Outcome::Keys(written.map_err(|error| error.to_string()))
        }
    }
}

fn put(job: &PutJob, alive: &dyn Fn() -> bool) -> Result<(), Failed> {
    let backup =
        job.state.sub(BACKUP).map_err(|error| Failed::Other(format!("cannot make the backup folder: {error}")))?;
    let put = Put {
        disk: job.state.disk().as_ref(),
        folder: &job.folder,
        file: &job.file,
        genuine: &job.genuine,
        keyring: &job.keyring,
        product: &job.product,
        left_overs: &job.left_overs,
        backup: &backup,
        now: job.now,
        may_go_on: alive,
    };
    put.install().map_err(|error| match error {
        PlaceError::Newer(..) => Failed::Newer(error.to_string()),
        _ => Failed::Other(error.to_string()),
    })
}
