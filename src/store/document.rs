//! Small state documents, each kept twice (`NAME.a`, `NAME.b`) so that one torn or altered copy costs nothing.
//!
//! A copy is one line and a JSON text:
//! `ors-document FORMAT ORDER REVISION SHA256`, where the hash covers the line before it and the text after it. Any
//! byte flipped or cut is seen, and the other copy counts. ORDER counts the writes of this document and decides which
//! of two whole copies is newer; REVISION is the caller's. Later formats keep this line, so that an older library
//! knows a newer document from a damaged one.
//!
//! What the value means is the caller's business; so is that only one process writes it at a time.
#![forbid(unsafe_code)]

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ring::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::Access;
use super::durable::{self, Ready};
use super::error::StoreError;
use super::folder::StateFolder;
use super::reading::{self, FileStamp, passes, read_patiently};
use crate::licence::json::check_document;
use crate::licence::text::clean;

const FORMAT: u64 = 1;
const MARK: &str = "ors-document";
const LIMIT: usize = 4 << 20;
/// For a copy that cannot be read just now, before the other one is taken for the newer. A host's call reads four.
const PATIENCE: Duration = Duration::from_millis(30);
const LONGEST_LINE: usize = 160;
/// Characters of a parser's words that are repeated in a note.
const LONGEST_WHY: usize = 200;
const COPIES: [&str; 2] = ["a", "b"];

/// What was found of a document.
#[derive(Debug)]
pub struct Read<T> {
    /// The newest whole copy's value; `None` when there is none.
    pub value: Option<T>,
    /// The copies that do not count, each with the reason in words; for the log.
    pub damaged: Vec<String>,
    /// The revision given when the value was written; 0 without a value.
    pub revision: u64,
    /// A copy that could not be read just now: see [`Read::to_change`].
    pub(super) unread: Option<StoreError>,
}

impl<T> Read<T> {
    /// The same, for those who write on top of the value: a copy that cannot be read just now may be the newer one, and
    /// what it holds would be lost.
    ///
    /// # Errors
    /// [`StoreError::Io`] for that copy.
    pub fn to_change(self) -> Result<Read<T>, StoreError> {
        match self.unread {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}

struct Copy<'a> {
    format: u64,
    order: u64,
    revision: u64,
    body: &'a [u8],
}

enum Found {
    Missing,
    Damaged(String),
    /// The operating system would not let us read it.
    Unreadable(io::Error),
    Bytes(Vec<u8>),
}

fn path_of(folder: &StateFolder, name: &str, copy: &str) -> PathBuf {
    folder.file(&format!("{name}.{copy}"))
}

fn find(folder: &StateFolder, name: &str, copy: &str) -> Found {
    match read_patiently(&path_of(folder, name, copy), LIMIT, PATIENCE) {
        Ok(bytes) => Found::Bytes(bytes),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Found::Missing,
            io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge => {
                Found::Damaged(format!("{name}.{copy} {error}"))
            }
            _ => Found::Unreadable(error),
        },
    }
}

fn seal(prefix: &str, body: &[u8]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(prefix.as_bytes());
    context.update(b"\n");
    context.update(body);
    super::hex(context.finish().as_ref())
}

fn parse(bytes: &[u8]) -> Option<Copy<'_>> {
    let end = bytes.iter().take(LONGEST_LINE).position(|&b| b == b'\n')?;
    let line = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let body = bytes.get(end + 1..)?;
    let (prefix, hash) = line.rsplit_once(' ')?;
    if seal(prefix, body) != hash {
        return None;
    }
    let mut words = prefix.split(' ');
    if words.next()? != MARK {
        return None;
    }
    let mut number = || words.next()?.parse::<u64>().ok();
    Some(Copy { format: number()?, order: number()?, revision: number()?, body })
}

fn newer_format(name: &str, copy: &str, format: u64) -> StoreError {
    StoreError::NewerFormat { file: format!("{name}.{copy}"), format }
}

/// The newest whole copy, and what became of the others.
struct Best<T> {
    newest: Option<Newest<T>>,
    damaged: Vec<String>,
    /// Copies that do not hold what the newest one holds.
    behind: Vec<&'static str>,
    refused: Option<StoreError>,
    unread: Option<StoreError>,
}

struct Newest<T> {
    copy: &'static str,
    order: u64,
    revision: u64,
    value: T,
    bytes: Vec<u8>,
}

fn best<T: DeserializeOwned>(folder: &StateFolder, name: &str) -> Result<Best<T>, StoreError> {
    let mut best = Best { newest: None, damaged: Vec::new(), behind: Vec::new(), refused: None, unread: None };
    for copy in COPIES {
        let bytes = match find(folder, name, copy) {
            Found::Missing => {
                best.behind.push(copy);
                continue;
            }
            Found::Damaged(why) => {
                best.behind.push(copy);
                best.damaged.push(why);
                continue;
            }
            Found::Unreadable(error) => {
                best.damaged.push(format!("{name}.{copy} cannot be read: {error}"));
                let why = if passes(&error) { &mut best.unread } else { &mut best.refused };
                why.get_or_insert(StoreError::io(&format!("read {name}"), &path_of(folder, name, copy))(error));
                continue;
            }
            Found::Bytes(bytes) => bytes,
        };
        let Some(found) = parse(&bytes) else {
            best.behind.push(copy);
            best.damaged.push(format!("{name}.{copy} is damaged"));
            continue;
        };
        if found.format > FORMAT {
            return Err(newer_format(name, copy, found.format));
        }
        let (order, revision) = (found.order, found.revision);
        match value_of(found.body) {
            Ok(value) => match &best.newest {
                Some(newest) if newest.bytes == bytes => {}
                Some(newest) if newest.order >= order => best.behind.push(copy),
                before => {
                    best.behind.extend(before.as_ref().map(|before| before.copy));
                    best.newest = Some(Newest { copy, order, revision, value, bytes });
                }
            },
            Err(why) => {
                best.behind.push(copy);
                let why = clean(&why, LONGEST_WHY);
                best.damaged.push(format!("{name}.{copy} does not hold what it should: {why}"));
            }
        }
    }
    Ok(best)
}

/// A body whose checksum fits may still be anybody's who could write here: bounded before a parser that recurses, and that
/// repeats a wrong text in its message, sees it.
fn value_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    check_document(body).map_err(|problem| problem.to_string())?;
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// Reads a document. A document that was never written has no value, no damage and revision 0.
///
/// # Errors
/// [`StoreError::NewerFormat`] when either copy is one; [`StoreError::Io`] when a copy cannot be opened and the other
/// does not count.
pub fn read<T: DeserializeOwned>(folder: &StateFolder, name: &str) -> Result<Read<T>, StoreError> {
    let Best { newest, damaged, refused, unread, .. } = best::<T>(folder, name)?;
    match newest {
        Some(Newest { revision, value, .. }) => Ok(Read { value: Some(value), damaged, revision, unread }),
        None => match unread.or(refused) {
            Some(error) => Err(error),
            None => Ok(Read { value: None, damaged, revision: 0, unread: None }),
        },
    }
}

/// Makes both copies hold the newest value, where one fell behind: its writer was killed between the two, or it was
/// damaged since. Until then the next damage could bring an older value back.
///
/// # Errors
/// As [`read`], or what the disk said.
pub fn mend<T: DeserializeOwned>(folder: &StateFolder, name: &str) -> Result<(), StoreError> {
    let Best { newest: Some(newest), behind, .. } = best::<T>(folder, name)? else { return Ok(()) };
    for copy in behind {
        let path = path_of(folder, name, copy);
        durable::replace(folder.disk().as_ref(), &path, &newest.bytes, Access::Owner)
            .map_err(StoreError::io(&format!("mend {name}"), &path))?;
    }
    Ok(())
}

/// Writes a document: both copies are made ready, then `a` is renamed into place, then `b`.
///
/// The rename of `a` is the commit. What goes wrong with `b` after it is not an error: the value is durable, and the
/// next write puts `b` right.
///
/// # Errors
/// The old value still counts, except when the folder could not be synced after the commit: then the new one is seen,
/// and a power cut may bring the old one back. [`StoreError::NewerFormat`] when a copy is one: it is not overwritten.
pub fn write<T: Serialize>(folder: &StateFolder, name: &str, revision: u64, value: &T) -> Result<(), StoreError> {
    let mut order = 0;
    for copy in COPIES {
        if let Found::Bytes(bytes) = find(folder, name, copy)
            && let Some(found) = parse(&bytes)
        {
            if found.format > FORMAT {
                return Err(newer_format(name, copy, found.format));
            }
            order = order.max(found.order);
        }
    }
    let body = serde_json::to_vec(value)
        .map_err(|error| StoreError::Encode { what: name.to_owned(), message: error.to_string() })?;
    // Nothing is written that would not be read again.
    check_document(&body).map_err(|problem| StoreError::Limit(format!("{name} cannot be written: {problem}")))?;
    let prefix = format!("{MARK} {FORMAT} {} {revision}", order.saturating_add(1));
    let mut bytes = format!("{prefix} {}\n", seal(&prefix, &body)).into_bytes();
    bytes.extend_from_slice(&body);
    if bytes.len() > LIMIT {
        return Err(StoreError::Limit(format!("{name} would be larger than {LIMIT} bytes")));
    }
    let (a, b) = (path_of(folder, name, "a"), path_of(folder, name, "b"));
    let disk = folder.disk().as_ref();
    let step = format!("write {name}");
    // Both are on the disk before either is renamed: a full disk is met while nothing has changed.
    let first = Ready::prepare(disk, &a, &bytes, Access::Owner).map_err(StoreError::io(&step, &a))?;
    let second = Ready::prepare(disk, &b, &bytes, Access::Owner).map_err(StoreError::io(&step, &b))?;
    first.commit().map_err(StoreError::io(&step, &a))?;
    let _ = second.commit();
    Ok(())
}

/// For a change that is there already: certain on return, also when the call that made it failed at its last step.
///
/// # Errors
/// As [`mend`].
pub fn confirm<T: DeserializeOwned>(folder: &StateFolder, name: &str) -> Result<(), StoreError> {
    mend::<T>(folder, name)?;
    folder.disk().sync_folder(folder.path()).map_err(StoreError::io(&format!("write {name}"), folder.path()))
}

/// What tells one state of a document from another without reading it; moves when either copy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp([Option<FileStamp>; 2]);

/// The stamp of a document now.
pub fn stamp(folder: &StateFolder, name: &str) -> Stamp {
    Stamp(COPIES.map(|copy| reading::stamp(&path_of(folder, name, copy))))
}

#[cfg(test)]
mod tests;
