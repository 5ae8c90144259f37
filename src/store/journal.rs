//! The record of what was done: one JSON object a line, each with the hash of the line before it.
//!
//! A line that is changed or taken out breaks the chain, and [`verify_journal`] says where. That the newest lines were
//! taken off can be seen only by somebody who remembers them; the record is "not anchored" until a back office
//! does. Only the leader writes. What is worth an entry is decided by those who call.
//!
//! `journal.jsonl` grows to 1 MiB and becomes `journal-<n>.jsonl`, n being its first entry's number; eight of these are
//! kept. The first line after it holds the last hash, as every line does.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::Access;
use super::durable;
use super::error::StoreError;
use super::folder::StateFolder;
use super::reading::read_limited;
use super::{hex, sha256};
use crate::licence::text::clean;

mod reading;
mod verify;
pub use reading::{Lines, lines_after};
pub use verify::{JournalReport, verify_journal};

const CURRENT: &str = "journal.jsonl";
const ROTATE_AT: u64 = 1 << 20;
/// A file that cannot be rotated grows no further than this, and none larger is read.
const LARGEST_FILE: usize = 4 << 20;
const KEPT: usize = 8;
const LONGEST_ACTOR: usize = 200;
const LONGEST_WHAT: usize = 2000;
/// The hash before the first line.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    chain: String,
    n: u64,
    time: i64,
    boot: u64,
    actor: String,
    what: String,
    prev: String,
}

/// The writing end of the journal.
#[derive(Debug)]
pub struct Journal {
    folder: StateFolder,
    chain: String,
    n: u64,
    hash: String,
    /// Number of the first entry of the current file.
    first: u64,
    length: u64,
    /// What the next append has to record first, such as a torn line that was cut.
    pending: Vec<String>,
    /// A write failed and could not be taken back: the file is looked at again before the next one.
    unsure: bool,
}

/// The last good line of a file.
struct Tail {
    entry: Entry,
    hash: String,
    /// Number of the first good line.
    first: u64,
    /// Bytes up to and with the last good line.
    length: usize,
}

fn tail(bytes: &[u8]) -> Option<Tail> {
    let mut end = bytes.iter().rposition(|&b| b == b'\n')? + 1;
    let first = bytes.split(|&b| b == b'\n').find_map(|line| serde_json::from_slice::<Entry>(line).ok())?.n;
    while let Some((_, complete)) = bytes.get(..end).and_then(<[u8]>::split_last) {
        let start = complete.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = complete.get(start..)?;
        if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
            return Some(Tail { entry, hash: hex(&sha256(line)), first, length: end });
        }
        end = start;
    }
    None
}

/// The rotated files with the number of their first entry, lowest first.
fn rotated(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".jsonl")?.parse().ok());
        if let Some(number) = number {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

impl Journal {
    /// Opens the journal of a state folder for writing. A torn last line (a power cut in the middle of writing) is cut
    /// and recorded as an entry of its own before the next one. Returns notes for the log.
    ///
    /// # Errors
    /// A step that the disk refused.
    pub fn open(folder: &StateFolder) -> Result<(Journal, Vec<String>), StoreError> {
        let path = folder.file(CURRENT);
        let mut notes = Vec::new();
        let found = match read_limited(&path, LARGEST_FILE) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if matches!(error.kind(), io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput) => {
                notes.push(format!("{CURRENT} {error}"));
                set_aside(folder, &path, &mut notes)?;
                None
            }
            Err(error) => return Err(StoreError::io("read the journal", &path)(error)),
        };
        let mut journal = Journal {
            folder: folder.clone(),
            chain: String::new(),
            n: 0,
            hash: NO_HASH.to_owned(),
            first: 0,
            length: 0,
            pending: Vec::new(),
            unsure: false,
        };
        match found.as_deref().map(|bytes| (bytes.len(), tail(bytes))) {
            Some((all, Some(tail))) => {
                let torn = all - tail.length;
                if torn > 0 {
                    journal.cut_to(tail.length)?;
                    notes.push(format!("a torn last line of the journal, {torn} bytes, was cut"));
                }
                (journal.first, journal.length) = (tail.first, tail.length as u64);
                journal.follow(tail);
            }
            Some((all, None)) => {
                if all > 0 {
                    notes.push(format!("{CURRENT} holds no readable line"));
                    set_aside(folder, &path, &mut notes)?;
                }
                journal.follow_rotated(&mut notes)?;
            }
            None => journal.follow_rotated(&mut notes)?,
        }
        if journal.chain.is_empty() {
            let mut id = [0; 16];
            getrandom::fill(&mut id).map_err(|error| {
                StoreError::io("begin the journal", &path)(io::Error::other(format!("no random numbers: {error}")))
            })?;
            journal.chain = hex(&id);
        }
        journal.pending.clone_from(&notes);
        Ok((journal, notes))
    }

    fn follow(&mut self, tail: Tail) {
        self.chain = tail.entry.chain;
        self.n = tail.entry.n;
        self.hash = tail.hash;
    }

    /// The current file is missing or useless: the chain goes on from the newest rotated one.
    fn follow_rotated(&mut self, notes: &mut Vec<String>) -> Result<(), StoreError> {
        let folder = self.folder.path().to_owned();
        let files = rotated(&folder).map_err(StoreError::io("list the journal", &folder))?;
        for (_, path) in files.iter().rev() {
            match read_limited(path, LARGEST_FILE).map(|bytes| tail(&bytes)) {
                Ok(Some(tail)) => {
                    self.follow(tail);
                    return Ok(());
                }
                Ok(None) => notes.push(format!("{} holds no readable line", path.display())),
                Err(error) => notes.push(format!("{} cannot be read: {error}", path.display())),
            }
        }
        Ok(())
    }

    fn cut_to(&self, length: usize) -> Result<(), StoreError> {
        let path = self.folder.file(CURRENT);
        let disk = self.folder.disk();
        disk.append(&path, Access::Owner)
            .and_then(|file| {
                disk.cut(&file, length as u64)?;
                disk.sync(&file)
            })
            .map_err(StoreError::io("cut a torn line of the journal", &path))
    }

    /// Appends an entry, durably, and returns its number. `time` is Unix seconds, `boot_seconds` the running time of
    /// the machine. Texts are cut to a line's measure (200 and 2,000 characters) and cleaned of control characters.
    ///
    /// # Errors
    /// What the disk said; then the entry is not in the journal, and the chain goes on from the one before.
    pub fn append(&mut self, time: i64, boot_seconds: u64, actor: &str, what: &str) -> Result<u64, StoreError> {
        if self.unsure || self.on_disk() != self.length {
            let (again, _) = Journal::open(&self.folder)?;
            let before = std::mem::replace(self, again);
            // What was to be recorded still is. An emptied journal goes on with the chain that this process knows.
            self.pending.extend(before.pending);
            if self.n < before.n {
                self.pending.push(format!("entries {} to {} were lost from the journal", self.n + 1, before.n));
                (self.chain, self.n, self.hash) = (before.chain, before.n, before.hash);
            }
        }
        while let Some(note) = self.pending.first().cloned() {
            self.write_entry(time, boot_seconds, "ors", &note)?;
            self.pending.remove(0);
        }
        self.write_entry(time, boot_seconds, actor, what)
    }

    fn on_disk(&self) -> u64 {
        std::fs::symlink_metadata(self.folder.file(CURRENT)).map_or(0, |meta| meta.len())
    }

    fn write_entry(&mut self, time: i64, boot: u64, actor: &str, what: &str) -> Result<u64, StoreError> {
        let path = self.folder.file(CURRENT);
        let step = "write the journal";
        let entry = Entry {
            chain: self.chain.clone(),
            n: self.n.saturating_add(1),
            time,
            boot,
            actor: clean(actor, LONGEST_ACTOR),
            what: clean(what, LONGEST_WHAT),
            prev: self.hash.clone(),
        };
        let mut line = serde_json::to_vec(&entry)
            .map_err(|error| StoreError::Encode { what: "a journal entry".to_owned(), message: error.to_string() })?;
        let hash = hex(&sha256(&line));
        line.push(b'\n');
        if self.length >= ROTATE_AT {
            self.rotate();
        }
        let length = self.length + line.len() as u64;
        if length > LARGEST_FILE as u64 {
            return Err(StoreError::Limit(format!("{CURRENT} cannot be rotated and may not grow further")));
        }
        let new = self.length == 0;
        self.write_line(&path, &line).map_err(StoreError::io(step, &path))?;
        if new {
            self.first = entry.n;
        }
        (self.n, self.hash, self.length) = (entry.n, hash, length);
        Ok(entry.n)
    }

    fn write_line(&mut self, path: &Path, line: &[u8]) -> io::Result<()> {
        let disk = self.folder.disk().as_ref();
        if self.length == 0 {
            // The first line comes with its file, so that there is no moment with an empty journal.
            return durable::replace(disk, path, line, Access::Owner);
        }
        let mut file = disk.append(path, Access::Owner)?;
        let written = disk.write(&mut file, line).and_then(|()| disk.sync(&file));
        if written.is_err() {
            // Half a line, or a line of which the disk is not sure: taken back. Failing that, the next append looks
            // at the file again.
            let taken_back = disk.cut(&file, self.length).and_then(|()| disk.sync(&file));
            self.unsure = taken_back.is_err();
        }
        written
    }

    /// Failing is no reason not to write: the file grows on, within [`LARGEST_FILE`].
    fn rotate(&mut self) {
        let disk = self.folder.disk().as_ref();
        let to = self.folder.file(&format!("journal-{}.jsonl", self.first));
        if disk.rename(&self.folder.file(CURRENT), &to).is_err() {
            return;
        }
        let _ = disk.sync_folder(self.folder.path());
        self.length = 0;
        if let Ok(files) = rotated(self.folder.path()) {
            let surplus = files.len().saturating_sub(KEPT);
            for (_, path) in files.iter().take(surplus) {
                let _ = durable::remove(disk, path);
            }
        }
    }

    /// The chain's id, the number of the last entry (0: none yet) and the hash of its line.
    pub fn head(&self) -> (String, u64, String) {
        (self.chain.clone(), self.n, self.hash.clone())
    }
}

/// Moves a file that cannot be used out of the way, keeping it for whoever wants to look.
fn set_aside(folder: &StateFolder, path: &Path, notes: &mut Vec<String>) -> Result<(), StoreError> {
    let aside = folder.file("journal-set-aside");
    folder.disk().rename(path, &aside).map_err(StoreError::io("set a damaged journal aside", path))?;
    notes.push("it was set aside as journal-set-aside".to_owned());
    Ok(())
}

#[cfg(test)]
mod tests;
