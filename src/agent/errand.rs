//! Short work on a thread of its own, for what may hang for ever: a share, a disk that is frozen.
//!
//! Nobody waits for it longer than he said. Where a thread hangs already, no second one is sent after it: a host that asks
//! again and again would collect them.

use super::registry::registry;
use super::sync::{Condvar, Mutex};
use super::{Error, error::Kind, fork};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// The errands that took longer than their callers waited, by what they are for.
#[derive(Default)]
pub struct Overdue(Mutex<Vec<(String, Arc<Ended>)>>);

#[derive(Default)]
struct Ended {
    ended: Mutex<bool>,
    bell: Condvar,
}

impl Ended {
    fn wait_until(&self, deadline: Instant) -> bool {
        *self.bell.wait_while_until(self.ended.lock(), deadline, |ended| !*ended)
    }
}

/// Told however the work ends.
struct Telling(Arc<Ended>);

impl Drop for Telling {
    fn drop(&mut self) {
        *self.0.ended.lock() = true;
        self.0.bell.notify_all();
    }
}

/// Does `work` and waits for it, `wait` at most. `None`: it goes on without anybody, or one with the same name hangs.
pub fn run<T: Send + 'static>(
    name: &str,
    wait: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Error> {
    let deadline = Instant::now() + wait;
    let registry = registry();
    while let Some(before) = registry.overdue.first(name) {
        if !before.wait_until(deadline) {
            return Ok(None);
        }
    }
    // On Windows the library is pinned before any thread of its own.
    fork::prepare();
    let (send, receive) = mpsc::sync_channel(1);
    let ended = Arc::new(Ended::default());
    let telling = Telling(ended.clone());
    let run = move || {
        let _telling = telling;
        let _ = send.send(work());
    };
    std::thread::Builder::new()
        .name("ors-look".to_owned())
        .stack_size(super::STACK)
        .spawn(run)
        .map_err(|error| Error { kind: Kind::Limit, ..Error::io("thread", "start a thread for the share", &error) })?;
    match receive.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(done) => Ok(Some(done)),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            registry.overdue.0.lock().push((name.to_owned(), ended));
            Ok(None)
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(Error::new(Kind::Internal, "", "An internal error was contained."))
        }
    }
}

impl Overdue {
    /// One that has not ended yet.
    fn first(&self, name: &str) -> Option<Arc<Ended>> {
        let mut all = self.0.lock();
        all.retain(|(_, ended)| !*ended.ended.lock());
        all.iter().find(|(of, _)| of == name).map(|(_, ended)| ended.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn where_one_hangs_no_second_one_is_sent_and_afterwards_all_is_well() {
        let (release, held) = mpsc::channel::<()>();
        let started = Arc::new(AtomicUsize::new(0));
        let count = started.clone();
        let short = Duration::from_millis(30);
        let first = run("a share", short, move || {
            count.fetch_add(1, SeqCst);
            let _ = held.recv();
        });
        assert!(first.unwrap().is_none());
        for _ in 0..5 {
            let count = started.clone();
            let again = run("a share", short, move || count.fetch_add(1, SeqCst));
            assert!(again.unwrap().is_none());
        }
        assert_eq!(started.load(SeqCst), 1);
        assert_eq!(run("another share", Duration::from_secs(10), || 7).unwrap(), Some(7));
        drop(release);
        assert_eq!(run("a share", Duration::from_secs(10), || 8).unwrap(), Some(8));
    }

    #[test]
    fn a_panic_of_the_work_is_told_at_once() {
        let began = Instant::now();
        let error = run("a panic", Duration::from_secs(60), || panic!("meant")).unwrap_err();
        assert_eq!(error.kind, Kind::Internal);
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
