//! Reading what others may have put there: bounded, regular files only, and never waiting for a FIFO.
//!
//! Who may be trusted with the bytes is decided elsewhere; here nothing is interpreted.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::os;

/// Reads a regular file of at most `limit` bytes. The last element of the path is not followed when it is a link.
///
/// # Errors
/// `FileTooLarge` for a larger file, `InvalidInput` with words for a link, folder, FIFO, device or socket, else what the
/// operating system said.
pub fn read_limited(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_open(os::open_plain(path)?, limit)
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
