//! Reading a journal from end to end: is every line there, unchanged, in its place?
//!
//! Pure reading; nothing is repaired here.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::{CURRENT, Entry, LARGEST_FILE, NO_HASH, rotated};
use crate::licence::text::clean;
use crate::store::document;
use crate::store::error::StoreError;
use crate::store::folder::StateFolder;
use crate::store::{hex, read_limited, sha256};

/// More than this are not listed.
const MOST_PROBLEMS: usize = 50;

/// What [`verify_journal`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalReport {
    /// The chain's id; empty for an empty journal.
    pub chain: String,
    /// The first entry that is there; 0 for an empty journal. Above 1 when older files were dropped.
    pub from: u64,
    /// The last entry that is there.
    pub to: u64,
    /// Everything that does not fit, each with file and line; empty when the chain is whole. At most 50.
    pub problems: Vec<String>,
    /// Up to which entry a back office remembers the same chain; `None` until one does.
    pub anchored: Option<u64>,
}

impl fmt::Display for JournalReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.to, self.problems.is_empty()) {
            (0, true) => f.write_str("empty")?,
            (_, true) => write!(f, "complete from {} to {}", self.from, self.to)?,
            (_, false) => write!(f, "not complete from {} to {}", self.from, self.to)?,
        }
        match self.anchored {
            Some(n) => write!(f, "; anchored up to {n}")?,
            None => f.write_str("; not anchored")?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl JournalReport {
    fn problem(&mut self, text: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(clean(&text, 300));
        }
    }
}

/// Reads the whole journal of a state folder and tells whether its chain is whole.
///
/// # Errors
/// A file that cannot be read. Damage is not an error but a problem in the report.
pub fn verify_journal(folder: &Path) -> Result<JournalReport, StoreError> {
    let mut files: Vec<_> = rotated(folder)
        .map_err(StoreError::io("list the journal", folder))?
        .into_iter()
        .map(|(_, path)| path)
        .collect();
    files.push(folder.join(CURRENT));
    let mut report = JournalReport::default();
    let mut expected: Option<(u64, String)> = None;
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = match read_limited(&path, LARGEST_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if matches!(error.kind(), io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput) => {
                report.problem(format!("{name} {error}"));
                continue;
            }
            Err(error) => return Err(StoreError::io("read the journal", &path)(error)),
        };
        let (lines, torn) = match bytes.strip_suffix(b"\n") {
            Some(lines) => (lines, None),
            None if bytes.is_empty() => continue,
            None => match bytes.iter().rposition(|&b| b == b'\n') {
                Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..)),
                None => (&[][..], Some(bytes.as_slice())),
            },
        };
        if !lines.is_empty() {
            for (at, line) in lines.split(|&b| b == b'\n').enumerate() {
                check(&mut report, &mut expected, line, &format!("{name}, line {}", at + 1));
            }
        }
        if torn.is_some() {
            report.problem(format!("{name} ends in the middle of a line"));
        }
    }
    anchor(&mut report, folder);
    Ok(report)
}

/// The document in which it stands how far the back office has stored this journal.
const ACCOUNT: &str = "office";

#[derive(Deserialize)]
struct Account {
    reported: Option<(String, u64)>,
}

/// What the back office has cannot be taken off here unseen.
fn anchor(report: &mut JournalReport, folder: &Path) {
    let account = StateFolder::existing(folder).and_then(|folder| document::read::<Account>(&folder, ACCOUNT).ok());
    let reported = account.and_then(|read| read.value).and_then(|account| account.reported);
    if let Some((_, n)) = reported.filter(|(chain, _)| *chain == report.chain) {
        report.anchored = Some(n);
        if n > report.to {
            report.problem(format!("entries {} to {n}, which the back office has, are missing", report.to + 1));
        }
    }
}

fn check(report: &mut JournalReport, expected: &mut Option<(u64, String)>, line: &[u8], at: &str) {
    let Ok(entry) = serde_json::from_slice::<Entry>(line) else {
        report.problem(format!("{at}: is not a journal entry"));
        return;
    };
    match expected {
        Some((n, hash)) => {
            if entry.chain != report.chain {
                report.problem(format!("{at}: another journal begins (chain {})", entry.chain));
            } else if entry.n != *n {
                report.problem(format!("{at}: entry {} stands where {n} should", entry.n));
            } else if entry.prev != *hash {
                report.problem(format!("{at}: the line before entry {} is not the one that was written", entry.n));
            }
        }
        None => {
            report.from = entry.n;
            if entry.n == 1 && entry.prev != NO_HASH {
                report.problem(format!("{at}: the first entry claims one before it"));
            }
        }
    }
    report.chain = entry.chain;
    report.to = entry.n;
    *expected = Some((entry.n.saturating_add(1), hex(&sha256(line))));
}
