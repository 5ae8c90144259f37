//! How far a runtime has come: opened, settled, ended; and those who wait for that.
//!
//! `tests/models` runs this very file under `loom`, together with [`super::mailbox`].
#![forbid(unsafe_code)]

use super::sync::{Condvar, Mutex};
use super::{Error, error::Kind};
use std::time::{Duration, Instant};

/// A first open waits this long for the first look at the folder, so that its first answer is not "unknown".
const FIRST_LOOK: Duration = Duration::from_millis(1_000);
/// Where a licence is known from before, an open waits so long for a look: a host that opens, asks once and closes sees a newer
/// licence too, and a folder that hangs costs no more than this.
const LOOK_WITH_COPY: Duration = Duration::from_millis(100);

#[derive(Default)]
pub struct Life {
    stage: Mutex<Stage>,
    bell: Condvar,
}

#[derive(Default)]
struct Stage {
    /// How loading went, and whether a licence is known from before.
    loaded: Option<Result<bool, Error>>,
    settled: bool,
    ended: bool,
}

impl Life {
    pub fn new() -> Life {
        Life::default()
    }

    /// Notes how loading went, once. Returns whether this was the first word on it.
    pub fn set_loaded(&self, result: Result<bool, Error>) -> bool {
        let mut stage = self.stage.lock();
        let first = stage.loaded.is_none();
        if first {
            stage.loaded = Some(result);
        }
        drop(stage);
        self.bell.notify_all();
        first
    }

    /// The licence has been looked for: what is published is not for want of a look.
    pub fn set_settled(&self) {
        let mut stage = self.stage.lock();
        if !stage.settled {
            stage.settled = true;
            drop(stage);
            self.bell.notify_all();
        }
    }

    /// The thread is done.
    pub fn set_ended(&self) {
        self.stage.lock().ended = true;
        self.bell.notify_all();
    }

    /// Waits until the last known licence is published; and for the first look at the folder where none is known.
    pub fn wait_until_loaded(&self, deadline: Instant) -> Result<(), Error> {
        let stage = self.stage.lock();
        let stage = self.bell.wait_while_until(stage, deadline, |stage| stage.loaded.is_none() && !stage.ended);
        let look = match &stage.loaded {
            Some(Ok(true)) => LOOK_WITH_COPY,
            Some(Ok(false)) => FIRST_LOOK,
            Some(Err(error)) => return Err(error.clone()),
            None if stage.ended => return Err(Error::closed()),
            None => {
                return Err(Error::new(Kind::Timeout, "state_folder", "The state folder did not answer in time."));
            }
        };
        let deadline = deadline.min(Instant::now() + look);
        drop(self.bell.wait_while_until(stage, deadline, |stage| !stage.settled && !stage.ended));
        Ok(())
    }

    pub fn has_ended(&self) -> bool {
        self.stage.lock().ended
    }

    /// Waits for the thread. `false`: it still ends by itself.
    pub fn wait_until_ended(&self, wait: Duration) -> bool {
        if wait.is_zero() {
            // Also said while a panic unwinds: no clock that could fail is asked.
            return self.has_ended();
        }
        let deadline = Instant::now() + wait;
        self.bell.wait_while_until(self.stage.lock(), deadline, |stage| !stage.ended).ended
    }
}
