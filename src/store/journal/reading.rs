//! Lines of the journal for somebody else to keep.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};

use super::{CURRENT, Entry, LARGEST_FILE, rotated};
use crate::store::read_limited;

/// Some lines in order, as they stand in the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The number of the first.
    pub first: u64,
    pub lines: Vec<String>,
}

/// The lines of `chain` after number `after`, at most `count` of at most `bytes` bytes together (but one at least). Where older
/// files were dropped, from the oldest that is there. The numbers have no gap.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn lines_after(folder: &Path, chain: &str, after: u64, count: usize, bytes: usize) -> io::Result<Lines> {
    let mut found = Lines::default();
    let mut size = 0;
    for path in files_from(folder, after)? {
        let content = match read_limited(&path, LARGEST_FILE) {
            Ok(content) => content,
            // Rotated away a moment ago, or there is none yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in content.split(|&b| b == b'\n') {
            let Ok(entry) = serde_json::from_slice::<Entry>(line) else { continue };
            let expected = found.first + found.lines.len() as u64;
            if entry.chain != chain || entry.n <= after || (!found.lines.is_empty() && entry.n != expected) {
                continue;
            }
            size += line.len();
            let full = found.lines.len() >= count || (size > bytes && !found.lines.is_empty());
            let Some(text) = std::str::from_utf8(line).ok().filter(|_| !full) else { return Ok(found) };
            if found.lines.is_empty() {
                found.first = entry.n;
            }
            found.lines.push(text.to_owned());
        }
    }
    Ok(found)
}

/// The files in which lines after that number may stand, oldest first.
fn files_from(folder: &Path, after: u64) -> io::Result<Vec<PathBuf>> {
    let rotated = rotated(folder)?;
    // Each begins with the number in its name: those before the last that begins at or before the line are older.
    let skip = rotated.iter().rposition(|(first, _)| *first <= after.saturating_add(1)).unwrap_or(0);
    let mut files: Vec<PathBuf> = rotated.into_iter().skip(skip).map(|(_, path)| path).collect();
    files.push(folder.join(CURRENT));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Journal, StateFolder};

    fn numbers(found: &Lines) -> Vec<u64> {
        let n = |line: &String| serde_json::from_str::<Entry>(line).unwrap().n;
        found.lines.iter().map(n).collect()
    }

    #[test]
    fn lines_come_in_order_in_parts_and_over_the_ends_of_files() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        assert_eq!(lines_after(temp.path(), "none", 0, 50, 1 << 20).unwrap(), Lines::default());
        let (mut journal, _) = Journal::open(&folder).unwrap();
        let long = "x".repeat(1_900);
        for n in 1..=2_000 {
            journal.append(n, 1, "Ann", &long).unwrap();
        }
        let (chain, newest, _) = journal.head();
        assert!(super::rotated(temp.path()).unwrap().len() >= 2, "it was rotated");
        let mut after = 0;
        while after < newest {
            let found = lines_after(temp.path(), &chain, after, 50, 1 << 20).unwrap();
            assert_eq!(found.first, after + 1);
            let expected: Vec<u64> = (after + 1..=(after + 50).min(newest)).collect();
            assert_eq!(numbers(&found), expected);
            after += found.lines.len() as u64;
        }
        assert_eq!(lines_after(temp.path(), &chain, newest, 50, 1 << 20).unwrap().lines.len(), 0);
        assert_eq!(lines_after(temp.path(), &chain, 0, 50, 5_000).unwrap().lines.len(), 2, "as many as fit");
        assert_eq!(lines_after(temp.path(), &chain, 0, 50, 10).unwrap().lines.len(), 1, "one at least");
        assert_eq!(lines_after(temp.path(), "another", 0, 50, 1 << 20).unwrap().lines.len(), 0);
    }

    #[test]
    fn where_the_oldest_lines_were_dropped_it_begins_with_those_that_are_left() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        let (mut journal, _) = Journal::open(&folder).unwrap();
        for n in 1..=900 {
            journal.append(n, 1, "Ann", &"x".repeat(1_900)).unwrap();
        }
        let (chain, _, _) = journal.head();
        let rotated = super::rotated(temp.path()).unwrap();
        std::fs::remove_file(&rotated[0].1).unwrap();
        let found = lines_after(temp.path(), &chain, 0, 50, 1 << 20).unwrap();
        assert!(found.first > 1 && numbers(&found)[0] == found.first);
    }

    #[test]
    fn the_longest_line_that_can_be_written_fits_into_a_report() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        let (mut journal, _) = Journal::open(&folder).unwrap();
        for letter in ["\u{1f600}", "\"", "\u{202e}"] {
            journal.append(i64::MAX, u64::MAX, &letter.repeat(9_000), &letter.repeat(9_000)).unwrap();
        }
        let found = lines_after(temp.path(), &journal.head().0, 0, 50, 1 << 20).unwrap();
        assert_eq!(found.lines.len(), 3);
        let longest = found.lines.iter().map(String::len).max().unwrap();
        assert!(longest <= crate::office::protocol::MAX_LINE_BYTES, "{longest}");
    }
}
