//! Reading what others may have put there: bounded, regular files only, and never waiting for a FIFO.
//!
//! Who may be trusted with the bytes is decided elsewhere; here nothing is interpreted.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use super::os;

/// A disk or cable that fails once is asked again before anybody concludes anything from it.
const TRIES: u32 = 3;
/// A folder is outside input.
const MOST_ENTRIES: usize = 4096;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Reads a regular file of at most `limit` bytes. The last element of the path is not followed when it is a link.
///
/// # Errors
/// `FileTooLarge` for a larger file, `InvalidInput` with words for a link, folder, FIFO, device or socket, else what the
/// operating system said.
pub fn read_limited(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    again(|| read_open(os::open_plain(path)?, limit))
}

/// The same, with up to `patience` for what passes.
///
/// # Errors
/// As [`read_limited`].
pub fn read_patiently(path: &Path, limit: usize, patience: Duration) -> io::Result<Vec<u8>> {
    let began = Instant::now();
    loop {
        match read_limited(path, limit) {
            Err(error) if (passes(&error) || os::in_the_way(&error)) && began.elapsed() < patience => {
                std::thread::sleep(LOOK_AGAIN);
            }
            other => return other,
        }
    }
}

/// The entries of a folder, all or none.
///
/// # Errors
/// What the operating system said.
pub fn list(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    again(|| fs::read_dir(folder)?.take(MOST_ENTRIES).collect())
}

/// Once more after an error of the disk.
fn again<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut tries_left = TRIES - 1;
    loop {
        match act() {
            Err(error) if tries_left > 0 && os::is_disk_error(&error) => tries_left -= 1,
            other => return other,
        }
    }
}

/// Whether reading may succeed in a moment with nobody doing anything: the machine has run out of something, or another
/// program holds the file. What is there is not known then, and nothing may be built on its absence.
pub fn passes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted
            | io::ErrorKind::WouldBlock
            | io::ErrorKind::OutOfMemory
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::TimedOut
            | io::ErrorKind::StaleNetworkFileHandle
    ) || os::is_shortage(error)
}

/// The same file, opened but not read, with its size.
///
/// # Errors
/// As [`read_limited`].
pub(super) fn open_limited(path: &Path, limit: usize) -> io::Result<(File, u64)> {
    let file = os::open_plain(path)?;
    let size = file.metadata()?.len();
    if size > u64::try_from(limit).unwrap_or(u64::MAX) { Err(too_large(limit)) } else { Ok((file, size)) }
}

/// For files of the operating system, which distributions turn into links.
#[cfg(unix)]
pub(super) fn read_limited_through_links(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_limited(&std::fs::canonicalize(path)?, limit)
}

fn read_open(file: File, limit: usize) -> io::Result<Vec<u8>> {
    let limit_u64 = u64::try_from(limit).unwrap_or(u64::MAX);
    let size = file.metadata()?.len();
    if size > limit_u64 {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(limit).saturating_add(1));
    // One byte more than allowed: the file may have grown since it was measured.
    file.take(limit_u64.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn too_large(limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {limit} bytes"))
}

/// What tells one version of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileStamp([i128; 4]);

/// The stamp of what is at `path` now (a link's own, not its target's); `None` when there is nothing or it cannot be
/// seen.
pub fn stamp(path: &Path) -> Option<FileStamp> {
    std::fs::symlink_metadata(path).ok().map(|meta| FileStamp(os::stamp_of(&meta)))
}

#[cfg(test)]
mod tests;
