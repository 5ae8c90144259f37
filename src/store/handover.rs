//! Small files by which a process hands the leader something, and which the leader may find twice without harm.
//!
//! *acknowledged* (only grows), *uploads* (`<sha256>.lic`, with who sent it in `<sha256>.by`). No messages: what is to be done
//! is what the files say. Whether an upload is a licence is the leader's question; here it is bytes. What somebody pressed is in
//! [`super::asked`].
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::disk::Access;
use super::document;
use super::durable;
use super::error::StoreError;
use super::folder::StateFolder;
use super::lock::FileLock;
use super::reading::read_limited;
use super::{Digest, hex, sha256};
use crate::licence::text::clean;

/// The lock under which small shared documents are changed.
pub const SETTINGS_LOCK: &str = "settings.lock";
/// How long a change waits for it. A host's call may take 2 s in all.
pub const LOCK_WAIT: Duration = Duration::from_millis(1500);
/// How many uploads may wait.
pub const MOST_UPLOADS: usize = 64;
/// How large one may be, in bytes: a licence or a chain of key lists.
pub const LARGEST_UPLOAD: usize = 1 << 20;

const ACKNOWLEDGED: &str = "acknowledged";
/// The folder of uploads, in the state folder.
pub const UPLOADS: &str = "uploads";
/// More names than this are not even looked at.
const MOST_NAMES: usize = 4096;
const LONGEST_BY: usize = 200;

pub(super) fn settings_lock(folder: &StateFolder) -> Result<FileLock, StoreError> {
    let path = folder.file(SETTINGS_LOCK);
    FileLock::take(&path, LOCK_WAIT)
        .map_err(StoreError::io("take the settings lock", &path))?
        .ok_or_else(|| StoreError::Busy { what: SETTINGS_LOCK.to_owned() })
}

/// What was acknowledged on this installation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The highest announcement; 0 when none was.
    pub id: u64,
    /// Who did it; empty when that is not known.
    pub by: String,
}

/// The highest acknowledgement; none when it cannot be read.
pub fn acknowledged(folder: &StateFolder) -> Acknowledged {
    read_acknowledged(folder).ok().and_then(|read| read.value).unwrap_or_default()
}

/// The same, with what is damaged.
///
/// # Errors
/// As [`document::read`].
pub fn read_acknowledged(folder: &StateFolder) -> Result<document::Read<Acknowledged>, StoreError> {
    document::read(folder, ACKNOWLEDGED)
}

/// Acknowledges up to `id`. A lower number than before changes nothing.
///
/// # Errors
/// [`StoreError::Busy`] when the lock is not had in time, or what the disk said.
pub fn acknowledge(folder: &StateFolder, id: u64, by: &str) -> Result<(), StoreError> {
    if acknowledged(folder).id >= id {
        return Ok(());
    }
    let _lock = settings_lock(folder)?;
    let before = read_acknowledged(folder)?;
    if before.value.is_some_and(|before| before.id >= id) {
        return Ok(());
    }
    let by = clean(by, LONGEST_BY);
    document::write(folder, ACKNOWLEDGED, before.revision.saturating_add(1), &Acknowledged { id, by })
}

/// One file that waits for the leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// SHA-256 of the bytes, lower-case hex; names it in [`drop_upload`].
    pub digest: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Who sent it; empty when that is not known.
    pub by: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Keeps a file for the leader, durably. The same bytes twice are one upload.
///
/// # Errors
/// [`StoreError::Limit`] when the file is too large or too many wait, else what the disk said.
pub fn put_upload(folder: &StateFolder, bytes: &[u8], by: &str) -> Result<Digest, StoreError> {
    if bytes.len() > LARGEST_UPLOAD {
        return Err(StoreError::Limit(format!("the file is larger than {LARGEST_UPLOAD} bytes")));
    }
    let step = "keep an uploaded file";
    let uploads = folder.sub(UPLOADS).map_err(StoreError::io(step, &folder.file(UPLOADS)))?;
    let digest = sha256(bytes);
    let name = hex(&digest);
    let path = uploads.file(&format!("{name}.lic"));
    if std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
        return Ok(digest);
    }
    if names(&uploads).map_err(StoreError::io(step, uploads.path()))?.len() >= MOST_UPLOADS {
        return Err(StoreError::Limit(format!("{MOST_UPLOADS} uploaded files wait already")));
    }
    let disk = folder.disk().as_ref();
    let by_path = uploads.file(&format!("{name}.by"));
    // Who sent it first: the licence file is the commit.
    durable::replace(disk, &by_path, clean(by, LONGEST_BY).as_bytes(), Access::Owner)
        .map_err(StoreError::io(step, &by_path))?;
    if let Err(error) = durable::replace(disk, &path, bytes, Access::Owner) {
        // Not when it is in place after all and only its folder could not be synced.
        if std::fs::symlink_metadata(&path).is_err() {
            let _ = durable::remove(disk, &by_path);
        }
        return Err(StoreError::io(step, &path)(error));
    }
    Ok(digest)
}

/// The folder if it is there, and is no link.
fn uploads_folder(folder: &StateFolder) -> Option<StateFolder> {
    let path = folder.file(UPLOADS);
    let is_folder = std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
    if is_folder { StateFolder::existing(&path) } else { None }
}

fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The digests by name, oldest first.
fn names(uploads: &StateFolder) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(uploads.path())?.take(MOST_NAMES) {
        let entry = entry?;
        let name = entry.file_name();
        let Some(digest) = name.to_str().and_then(|name| name.strip_suffix(".lic")).filter(|name| is_digest(name))
        else {
            continue;
        };
        let time = entry.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        found.push((time, digest.to_owned()));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, digest)| digest).collect())
}

/// The uploads that wait, oldest first, at most [`MOST_UPLOADS`]. For the leader: a file whose bytes are not those its
/// name says is removed, so that it does not take a place for ever.
///
/// # Errors
/// The folder cannot be listed. A folder that is not there is an empty list.
pub fn uploads(folder: &StateFolder) -> io::Result<Vec<Upload>> {
    let Some(uploads) = uploads_folder(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for digest in names(&uploads)?.into_iter().take(MOST_UPLOADS) {
        let path = uploads.file(&format!("{digest}.lic"));
        match read_limited(&path, LARGEST_UPLOAD) {
            Ok(bytes) if hex(&sha256(&bytes)) == digest => {
                let by = read_limited(&uploads.file(&format!("{digest}.by")), 4 * LONGEST_BY).unwrap_or_default();
                let by = clean(&String::from_utf8_lossy(&by), LONGEST_BY);
                found.push(Upload { digest, bytes, by, path });
            }
            Ok(_) => drop_upload(folder, &digest),
            Err(error) if matches!(error.kind(), io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput) => {
                drop_upload(folder, &digest);
            }
            Err(_) => {}
        }
    }
    Ok(found)
}

/// Removes an upload that was dealt with. What cannot be removed is found again, and dealt with again.
pub fn drop_upload(folder: &StateFolder, digest: &str) {
    if !is_digest(digest) {
        return;
    }
    let Some(uploads) = uploads_folder(folder) else { return };
    let disk = folder.disk().as_ref();
    // The licence first: a `.by` alone is no upload.
    if durable::remove(disk, &uploads.file(&format!("{digest}.lic"))).is_ok() {
        let _ = durable::remove(disk, &uploads.file(&format!("{digest}.by")));
    }
}

#[cfg(test)]
mod tests;
