//! Durable writes: after a power cut a file is the old one or the new one, whole.
//!
//! Temporary file in the same folder with its final rights, write, sync, rename, sync the folder; an error before the
//! rename discards the temporary file and leaves everything as it was. After a failed sync nothing of that file is
//! used again: the kernel may have dropped the pages and call the next sync a success.
//!
//! One error comes too late to undo: when the rename was done and syncing the folder fails, the new file is in place
//! but a power cut may bring the old one back. The error is returned all the same.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::disk::{Access, Disk};
use super::os;
use crate::injected;

pub(super) const STALE_AFTER: Duration = Duration::from_secs(3600);

/// Makes `path` hold exactly `bytes`, replacing what is there.
///
/// # Errors
/// What the operating system said. Nothing changed and no temporary file is left, but see the module's text.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let ready = Ready::prepare(disk, path, bytes, access)?;
    injected::point();
    ready.commit()
}

/// The same if `still` says so at the last moment, when all that remains to be done is the rename. Returns whether it did.
///
/// # Errors
/// As [`replace`].
pub fn replace_if(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    access: Access,
    still: impl FnOnce() -> bool,
) -> io::Result<bool> {
    let ready = Ready::prepare(disk, path, bytes, access)?;
    injected::point();
    if still() { ready.commit().map(|()| true) } else { Ok(false) }
}

/// Makes `path` hold `bytes` unless the name exists.
///
/// # Errors
/// `AlreadyExists` when the name is taken; else as [`replace`].
pub fn place_new(disk: &dyn Disk, path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let ready = Ready::prepare(disk, path, bytes, access)?;
    injected::point();
    ready.commit_new()
}

/// Removes a file for good. A missing file is success.
///
/// # Errors
/// What the operating system said.
pub fn remove(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    disk.sync_folder(folder_of(path)?)
}

/// A file that is complete and on the disk under a temporary name. Dropped without a commit, it is discarded.
pub(super) struct Ready<'a> {
    disk: &'a dyn Disk,
    temp: PathBuf,
    path: &'a Path,
    done: bool,
}

impl<'a> Ready<'a> {
    pub(super) fn prepare(disk: &'a dyn Disk, path: &'a Path, bytes: &[u8], access: Access) -> io::Result<Ready<'a>> {
        let access = match access {
            Access::Licence => os::kept_access(path).unwrap_or(Access::Licence),
            other => other,
        };
        let temp = folder_of(path)?.join(temp_name()?);
        let mut file = disk.create(&temp, access)?;
        let ready = Ready { disk, temp, path, done: false };
        // The file is closed before `ready` goes: Windows removes no open file.
        let written = disk.write(&mut file, bytes).and_then(|()| disk.sync(&file));
        drop(file);
        written.map(|()| ready)
    }

    pub(super) fn commit(mut self) -> io::Result<()> {
        self.disk.rename(&self.temp, self.path)?;
        self.done = true;
        self.disk.sync_folder(folder_of(self.path)?)
    }

    fn commit_new(mut self) -> io::Result<()> {
        self.disk.rename_new(&self.temp, self.path)?;
        self.done = true;
        self.disk.sync_folder(folder_of(self.path)?)
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        if !self.done {
            let _ = self.disk.remove(&self.temp);
        }
    }
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a file path without a folder"))
}

/// Tells this process's temporary files from those of an earlier process with the same id. 0 = not drawn yet. An
/// atomic, not a once-cell: a fork in the middle of drawing must not leave the child waiting.
static NONCE: AtomicU64 = AtomicU64::new(0);
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn nonce() -> io::Result<u64> {
    let known = NONCE.load(Ordering::Relaxed);
    if known != 0 {
        return Ok(known);
    }
    let drawn = getrandom::u64().map_err(|error| io::Error::other(format!("no random numbers: {error}")))? | 1;
    match NONCE.compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => Ok(drawn),
        Err(first) => Ok(first),
    }
}

fn temp_name() -> io::Result<String> {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Ok(format!(".ors-{}-{:016x}-{number}.tmp", std::process::id(), nonce()?))
}

/// Process id and nonce of a temporary name of ours.
fn parse_temp_name(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(".ors-")?.strip_suffix(".tmp")?.split('-');
    let pid = parts.next()?.parse().ok()?;
    let nonce = u64::from_str_radix(parts.next()?, 16).ok()?;
    parts.next()?.parse::<u64>().ok()?;
    parts.next().is_none().then_some((pid, nonce))
}

/// Takes a folder over from a process that may have died at any moment: its temporary files go, and the names that it gave
/// are on the disk before anything is built on them. A missing folder is success.
///
/// # Errors
/// What the operating system said.
pub fn take_over(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    clear_stale_temps(disk, folder);
    match disk.sync_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes temporary files of ours that nobody will rename any more: their process is gone, or it is an earlier one
/// with our id, or they are older than an hour. Returns how many went. For local folders.
pub fn clear_stale_temps(disk: &dyn Disk, folder: &Path) -> usize {
    clear_temps(disk, folder, |pid, nonce| {
        if pid == std::process::id() { nonce != NONCE.load(Ordering::Relaxed) } else { !os::process_exists(pid) }
    })
}

/// The same for a share, which other machines write: their process ids mean nothing here, and only age counts.
pub fn clear_old_temps(disk: &dyn Disk, folder: &Path) -> usize {
    clear_temps(disk, folder, |_, _| false)
}

fn clear_temps(disk: &dyn Disk, folder: &Path, is_orphaned: impl Fn(u32, u64) -> bool) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    // A file's age is its time against the machine's clock, which a test's other date must not move.
    let now = SystemTime::now();
    let mut removed = 0;
    for entry in entries.flatten() {
        let Some((pid, nonce)) = entry.file_name().to_str().and_then(parse_temp_name) else { continue };
        let Ok(meta) = std::fs::symlink_metadata(entry.path()) else { continue };
        if !meta.is_file() {
            continue;
        }
        let old =
            meta.modified().ok().and_then(|time| now.duration_since(time).ok()).is_some_and(|age| age > STALE_AFTER);
        if (old || is_orphaned(pid, nonce)) && disk.remove(&entry.path()).is_ok() {
            removed += 1;
        }
    }
    removed
}

#[cfg(test)]
pub(crate) mod tests;
