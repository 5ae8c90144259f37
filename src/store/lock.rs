//! A lock that is a file: one holder among all processes and within one.
//!
//! `flock` (Unix) or `LockFileEx` (Windows), never `fcntl` locks: those give two leaders in one process. The file stays
//! when the lock goes; deleting it would let two processes lock two files of the same name.
#![forbid(unsafe_code)]

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::os;

/// A held lock. Dropping it gives it back.
#[derive(Debug)]
pub struct FileLock {
    file: Option<File>,
    path: PathBuf,
    #[cfg(unix)]
    slot: usize,
    #[cfg(unix)]
    pid: u32,
}

impl FileLock {
    /// Takes the lock if nobody holds it; makes the file when it is missing.
    ///
    /// # Errors
    /// What the operating system said; a held lock is `Ok(None)`.
    pub fn try_take(path: &Path) -> io::Result<Option<FileLock>> {
        // A second round when the file was replaced between opening and locking: that lock would be nobody else's.
        for _ in 0..8 {
            let Some(lock) = FileLock::open_and_lock(path)? else { return Ok(None) };
            if lock.still_there() {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    #[cfg(unix)]
    fn open_and_lock(path: &Path) -> io::Result<Option<FileLock>> {
        let (file, slot) = os::open_lock(path)?;
        let lock = FileLock { file: Some(file), path: path.to_owned(), slot, pid: std::process::id() };
        lock.lock()
    }

    #[cfg(windows)]
    fn open_and_lock(path: &Path) -> io::Result<Option<FileLock>> {
        match os::open_lock(path)? {
            Some(file) => FileLock { file: Some(file), path: path.to_owned() }.lock(),
            None => Ok(None),
        }
    }

    fn lock(self) -> io::Result<Option<FileLock>> {
        match self.file.as_ref().map(File::try_lock) {
            Some(Ok(())) => Ok(Some(self)),
            Some(Err(TryLockError::Error(error))) => Err(error),
            Some(Err(TryLockError::WouldBlock)) | None => Ok(None),
        }
    }

    /// Takes the lock, waiting at most `wait` for its holder.
    ///
    /// # Errors
    /// What the operating system said; a lock not had in time is `Ok(None)`.
    pub fn take(path: &Path, wait: Duration) -> io::Result<Option<FileLock>> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(lock) = FileLock::try_take(path)? {
                return Ok(Some(lock));
            }
            let left = wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Whether the path still names the file that is locked. When it does not, somebody else may hold a lock of the
    /// same name, and this one is worth nothing.
    pub fn still_there(&self) -> bool {
        self.file.as_ref().is_some_and(|file| os::is_same_file(file, &self.path))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        #[cfg(unix)]
        {
            use std::os::fd::IntoRawFd;
            if std::process::id() != self.pid || !os::forget_lock(self.slot, &file) {
                // A forked child: the number was closed by the handler and may be another file's by now.
                let _ = file.into_raw_fd();
                return;
            }
        }
        // Said aloud, because a child forked a moment ago may still share the open file.
        let _ = file.unlock();
    }
}

/// Closes the descriptors of all locks held by the parent. For the atfork handler of a child and nothing else: uses
/// only what is allowed there.
#[cfg(unix)]
pub fn close_all_in_child() {
    os::close_noted_locks();
}

#[cfg(test)]
mod tests;
