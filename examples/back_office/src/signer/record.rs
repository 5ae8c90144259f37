//! The signer's record: a file that is only ever appended to.
//!
//! One JSON object a line, each with the hash of the line before. A line is on the disk before anybody hears of it; what a
//! kill or a power cut left of the last one was heard of by nobody, and is cut off at the next start. Anything else that does
//! not fit is damage or tampering, and the signer does not start.

use super::is_sequence;
use super::wire::{MAX_LINE, Name};
use ors::licence::{Digest, Instant, hex, sha256};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why the record cannot be used.
#[derive(Debug)]
pub enum RecordError {
    Io {
        path: PathBuf,
        doing: &'static str,
        error: io::Error,
    },
    /// Another signer has it open.
    Held(PathBuf),
    /// A line is not what was written.
    Damaged {
        path: PathBuf,
        line: u64,
        what: String,
    },
    /// A write failed and could not be undone: nothing is signed until a restart has looked at the file.
    Stopped,
    /// It holds no such licence.
    NoSuch,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Io { path, doing, error } => {
                write!(f, "cannot {doing} the record {}: {error}", path.display())
            }
            RecordError::Held(path) => write!(f, "another signer has the record {} open", path.display()),
            RecordError::Damaged { path, line, what } => {
                write!(f, "the record {} is damaged at line {line}: {what}; restore it from its backup", path.display())
            }
            RecordError::Stopped => {
                f.write_str("the record could not be written, and not be put right; restart the signer")
            }
            RecordError::NoSuch => f.write_str("the record holds no licence with this sequence"),
        }
    }
}

impl std::error::Error for RecordError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Registered,
    Signed,
    Adopted,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    n: u64,
    before: String,
    time: Instant,
    what: What,
    name: Name,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    licence: Option<Written>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sequence: u64,
    digest: String,
    file: String,
}

/// What is known of a serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 0: none yet.
    pub last: u64,
    /// SHA-256 of the last payload.
    pub digest: Option<Digest>,
}

struct Kept {
    entry: Entry,
    /// Sequence, and where its line begins and how long it is.
    lines: Vec<(u64, u64, usize)>,
}

/// The opened record.
pub struct Record {
    path: PathBuf,
    file: File,
    length: u64,
    lines: u64,
    last_hash: Digest,
    known: HashMap<Name, Kept>,
    signed: Vec<i64>,
    stopped: bool,
}

impl Record {
    /// Opens or makes the record, and reads all of it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn open(path: &Path) -> Result<Record, RecordError> {
        let failed = |doing| move |error| RecordError::Io { path: path.to_owned(), doing, error };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(RecordError::Held(path.to_owned())),
            Err(std::fs::TryLockError::Error(error)) => return Err(failed("lock")(error)),
        }
        sync_folder(path).map_err(failed("make"))?;
        let mut record = Record {
            path: path.to_owned(),
            file,
            length: 0,
            lines: 0,
            last_hash: Digest::default(),
            known: HashMap::new(),
            signed: Vec::new(),
            stopped: false,
        };
        record.read_all()?;
        Ok(record)
    }

    fn read_all(&mut self) -> Result<(), RecordError> {
        let again = self.file.try_clone().map_err(|error| self.io("read", error))?;
        let mut reader = BufReader::new(again);
        reader.seek(SeekFrom::Start(0)).map_err(|error| self.io("read", error))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = MAX_LINE as u64 * 2;
            let read =
                (&mut reader).take(limit).read_until(b'\n', &mut line).map_err(|error| self.io("read", error))?;
            if read == 0 {
                return Ok(());
            }
            let torn = line.pop_if(|byte| *byte == b'\n').is_none() || line.contains(&0);
            if torn {
                // Only the last line can be: it was being written when the machine stopped. Nobody heard of it.
                let rest = reader.read_until(b'\n', &mut Vec::new()).map_err(|error| self.io("read", error))?;
                if rest > 0 {
                    return Err(self.damaged("it is torn in the middle"));
                }
                return self.cut().map_err(|error| self.io("repair", error));
            }
            let parsed: Line = serde_json::from_slice(&line).map_err(|_| self.damaged("it cannot be read"))?;
            self.check(&parsed)?;
            let at = self.length;
            self.take(&line, &parsed, at);
        }
    }

    fn check(&self, line: &Line) -> Result<(), RecordError> {
        if line.n != self.lines + 1 || line.before != hex(&self.last_hash) {
            return Err(self.damaged("it does not follow the line before"));
        }
        let known = self.known.get(&line.name).map(|kept| kept.entry.last);
        let fits = match (line.what, &line.licence, known) {
            (What::Registered, None, None) => true,
            (What::Signed, Some(licence), Some(last)) => licence.sequence == last + 1 && is_sequence(licence.sequence),
            (What::Adopted, Some(licence), Some(last)) => licence.sequence > last && is_sequence(licence.sequence),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.damaged("it says what no signer would have written")) }
    }

    /// Notes a line that is on the disk.
    fn take(&mut self, bytes: &[u8], line: &Line, at: u64) {
        self.lines += 1;
        self.last_hash = sha256(bytes);
        self.length = at + bytes.len() as u64 + 1;
        let new = || Kept { entry: Entry { last: 0, digest: None }, lines: Vec::new() };
        let kept = self.known.entry(line.name.clone()).or_insert_with(new);
        if let Some(licence) = &line.licence {
            kept.entry = Entry { last: licence.sequence, digest: digest(&licence.digest) };
            kept.lines.push((licence.sequence, at, bytes.len()));
        }
        if line.what == What::Signed {
            self.signed.push(line.time.unix());
        }
    }

    /// Appends a line. On return it is on the disk; after an error it is not there.
    pub fn append(
        &mut self,
        what: What,
        name: &Name,
        licence: Option<(u64, &str, Digest)>,
        now: Instant,
    ) -> Result<(), RecordError> {
        if self.stopped {
            return Err(RecordError::Stopped);
        }
        let licence =
            licence.map(|(sequence, file, digest)| Written { sequence, digest: hex(&digest), file: file.to_owned() });
        let (n, before) = (self.lines + 1, hex(&self.last_hash));
        let line = Line { n, before, time: now, what, name: name.clone(), licence };
        // Texts and numbers cannot fail to serialise.
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        if let Err(error) = self.put(&bytes) {
            // After a failed sync nobody knows what is on the disk; what is cut off was heard of by nobody.
            self.stopped = self.cut().is_err();
            return Err(self.io("write", error));
        }
        bytes.pop();
        let at = self.length;
        self.take(&bytes, &line, at);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_all()
    }

    /// What is known of a serial number; `None`: it is not registered.
    pub fn entry(&self, name: &Name) -> Option<Entry> {
        self.known.get(name).map(|kept| kept.entry.clone())
    }

    /// The licence with this sequence.
    pub fn file(&self, name: &Name, sequence: u64) -> Result<String, RecordError> {
        self.find(name, |known| known == sequence)
    }

    /// The first licence with this sequence or a larger one.
    pub fn first_from(&self, name: &Name, sequence: u64) -> Result<String, RecordError> {
        self.find(name, |known| known >= sequence)
    }

    fn find(&self, name: &Name, wanted: impl Fn(u64) -> bool) -> Result<String, RecordError> {
        let found = self.known.get(name).and_then(|kept| kept.lines.iter().find(|(known, ..)| wanted(*known)));
        let (_, at, length) = found.ok_or(RecordError::NoSuch)?;
        let mut bytes = vec![0; *length];
        self.file.read_exact_at(&mut bytes, *at).map_err(|error| self.io("read", error))?;
        let line: Option<Line> = serde_json::from_slice(&bytes).ok();
        line.and_then(|line| line.licence).map(|licence| licence.file).ok_or(RecordError::NoSuch)
    }

    /// How many serial numbers are registered.
    pub fn serials(&self) -> usize {
        self.known.len()
    }

    /// When licences were signed, the oldest first.
    pub fn signed_times(&self) -> impl Iterator<Item = i64> {
        self.signed.iter().copied()
    }

    fn io(&self, doing: &'static str, error: io::Error) -> RecordError {
        RecordError::Io { path: self.path.clone(), doing, error }
    }

    fn damaged(&self, what: &str) -> RecordError {
        RecordError::Damaged { path: self.path.clone(), line: self.lines + 1, what: what.to_owned() }
    }
}

fn digest(text: &str) -> Option<Digest> {
    let mut out = Digest::default();
    for (byte, at) in out.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(out)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
