//! The two ends of a journal file, read without what lies between: a start needs no more, and the file may be large.
//!
//! Whether all that lies between is as it was written is told by [`super::verify_journal`], which reads everything.
#![forbid(unsafe_code)]

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::{Entry, LARGEST_FILE, LONGEST_LINE, entry_of};
use crate::store::reading::open_limited;
use crate::store::{hex, sha256};

/// Holds more than the longest line. Where it holds no good one, the next piece is looked at.
const PIECE: u64 = 32 << 10;
/// By how much two pieces overlap: the longest line with the line feeds around it is whole in one of them.
const OVERLAP: u64 = LONGEST_LINE as u64 + 2;
const _: () = assert!(PIECE > OVERLAP);

/// What is at the ends of a file.
pub(super) struct Ends {
    /// Bytes of the whole file.
    pub size: u64,
    /// `None` when no line is good.
    pub tail: Option<Tail>,
}

/// The last good line of a file.
pub(super) struct Tail {
    pub entry: Entry,
    pub hash: String,
    /// Number of the first good line.
    pub first: u64,
    /// Bytes up to and with the last good line.
    pub length: u64,
}

/// Looks at the ends of a file that may be as large as [`LARGEST_FILE`].
pub(super) fn ends(path: &Path) -> io::Result<Ends> {
    let (mut file, size) = open_limited(path, LARGEST_FILE)?;
    ends_of(&mut file, size)
}

fn ends_of(file: &mut (impl Read + Seek), size: u64) -> io::Result<Ends> {
    let tail = match last(file, size)? {
        Some((entry, hash, length)) => {
            let first = first(file, size)?.unwrap_or(entry.n);
            Some(Tail { entry, hash, first, length })
        }
        None => None,
    };
    Ok(Ends { size, tail })
}

fn piece(file: &mut (impl Read + Seek), from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(to - from).unwrap_or(0));
    file.seek(SeekFrom::Start(from))?;
    file.take(to - from).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last good line, its hash, and where it ends.
fn last(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<(Entry, String, u64)>> {
    backwards(file, size, |entry, line, end| Some((entry, hex(&sha256(line)), end)))
}

/// Shows the last `most` good entries of a file, the newest first. Returns how many there were.
pub(super) fn recent(path: &Path, most: usize, mut show: impl FnMut(Entry)) -> io::Result<usize> {
    let mut shown = 0;
    if most > 0 {
        let (mut file, size) = open_limited(path, LARGEST_FILE)?;
        backwards(&mut file, size, |entry, _, _| {
            show(entry);
            shown += 1;
            (shown == most).then_some(())
        })?;
    }
    Ok(shown)
}

/// Shows the good lines and where they end, the last one first, until one is what is looked for.
fn backwards<T>(
    file: &mut (impl Read + Seek),
    size: u64,
    mut each: impl FnMut(Entry, &[u8], u64) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut to = size;
    loop {
        let from = to.saturating_sub(PIECE);
        let bytes = piece(file, from, to)?;
        let mut end = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        while let Some((_, complete)) = bytes.get(..end).and_then(<[u8]>::split_last) {
            let start = complete.iter().rposition(|&b| b == b'\n').map(|at| at + 1);
            // The first line of a piece may have begun before it.
            let Some(start) = start.or((from == 0).then_some(0)) else { break };
            let line = complete.get(start..).unwrap_or_default();
            if let Some(found) = entry_of(line).and_then(|entry| each(entry, line, from + end as u64)) {
                return Ok(Some(found));
            }
            end = start;
        }
        if from == 0 {
            return Ok(None);
        }
        // What is left of the piece is the end of a line, which is looked at whole next time; one that is too long is none.
        to = if end > LONGEST_LINE + 1 { from } else { from + end as u64 };
    }
}

/// The number of the first good line.
fn first(file: &mut (impl Read + Seek), size: u64) -> io::Result<Option<u64>> {
    let mut from = 0;
    loop {
        let to = size.min(from + PIECE);
        let bytes = piece(file, from, to)?;
        let whole = bytes.iter().rposition(|&b| b == b'\n').unwrap_or(0);
        // The first line of a piece may have begun before it.
        let cut = usize::from(from > 0);
        let mut lines = bytes.get(..whole).unwrap_or_default().split(|&b| b == b'\n').skip(cut);
        if let Some(entry) = lines.find_map(entry_of) {
            return Ok(Some(entry.n));
        }
        if to == size {
            return Ok(None);
        }
        from = to - OVERLAP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Counts what is read.
    struct Counted(Cursor<Vec<u8>>, u64);

    impl Read for Counted {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(to)?;
            self.1 += read as u64;
            Ok(read)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn line(n: u64, length: usize) -> Vec<u8> {
        let what = "w".repeat(length);
        let entry =
            Entry { chain: "c".into(), n, time: 1, boot: 1, actor: String::new(), what, prev: format!("{n:064}") };
        let mut line = serde_json::to_vec(&entry).unwrap();
        line.push(b'\n');
        line
    }

    /// First number, last number, length up to the last good line.
    type Seen = Option<(u64, u64, u64)>;

    /// What is found, and how many bytes were read for it.
    fn seen(bytes: Vec<u8>) -> (Seen, u64) {
        let size = bytes.len() as u64;
        let mut file = Counted(Cursor::new(bytes), 0);
        let ends = ends_of(&mut file, size).unwrap();
        assert_eq!(ends.size, size);
        (ends.tail.map(|tail| (tail.first, tail.entry.n, tail.length)), file.1)
    }

    #[test]
    fn a_start_reads_the_ends_of_the_largest_journal_and_nothing_between() {
        let mut bytes: Vec<u8> = Vec::new();
        let mut n = 40;
        while bytes.len() < LARGEST_FILE - 10_000 {
            n += 1;
            bytes.extend(line(n, if n % 7 == 0 { 8_000 } else { 60 }));
        }
        let length = bytes.len() as u64;
        let expected = Some((41, n, length));
        assert_eq!(seen(bytes.clone()), (expected, 2 * PIECE));
        bytes.extend_from_slice(b"{\"chain\":\"torn");
        assert_eq!(seen(bytes), (expected, 2 * PIECE));
    }

    #[test]
    fn each_good_line_is_shown_once_from_the_last_to_the_first() {
        let mut bytes = Vec::new();
        for n in 1..=500 {
            bytes.extend(line(n, usize::try_from(n).unwrap() * 37 % 2_000));
            if n % 50 == 0 {
                bytes.extend(vec![b'x'; usize::try_from(n).unwrap() * 1_000]);
                bytes.push(b'\n');
            }
        }
        bytes.extend_from_slice(b"{\"torn");
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("journal.jsonl");
        std::fs::write(&path, &bytes).unwrap();
        for most in [0, 1, 7, 500, 1_000] {
            let mut numbers = Vec::new();
            assert_eq!(recent(&path, most, |entry| numbers.push(entry.n)).unwrap(), numbers.len());
            let expected: Vec<u64> = (1..=500).rev().take(most).collect();
            assert_eq!(numbers, expected, "{most}");
        }
    }

    #[test]
    fn the_ends_are_found_wherever_good_lines_are() {
        let junk = |length: u64| [vec![b'x'; length as usize], b"\n".to_vec()].concat();
        let far = 3 * PIECE;
        let (one, two) = (line(1, 9), line(2, 9));
        let rows: Vec<(&str, Vec<Vec<u8>>, Seen)> = vec![
            ("nothing", vec![], None),
            ("no whole line", vec![vec![b'x'; 100]], None),
            ("no whole line in a piece", vec![vec![b'x'; far as usize]], None),
            ("junk only", vec![junk(far), junk(1)], None),
            ("empty lines only", vec![vec![b'\n'; far as usize]], None),
            ("one line", vec![one.clone()], Some((1, 1, one.len() as u64))),
            (
                "far from the end",
                vec![one.clone(), two.clone(), junk(far)],
                Some((1, 2, (one.len() + two.len()) as u64)),
            ),
            (
                "far from the beginning",
                vec![junk(far), one.clone(), two.clone()],
                Some((1, 2, far + 1 + (one.len() + two.len()) as u64)),
            ),
            (
                "half a line is no line",
                vec![one.clone(), two[..two.len() - 1].to_vec()],
                Some((1, 1, one.len() as u64)),
            ),
        ];
        for (what, parts, expected) in rows {
            assert_eq!(seen(parts.concat()).0, expected, "{what}");
        }
        // A line that a piece cuts anywhere.
        for before in PIECE - 200..PIECE + 200 {
            let bytes = [one.clone(), junk(100), two.clone(), junk(before)].concat();
            let length = (one.len() + 101 + two.len()) as u64;
            assert_eq!(seen(bytes).0, Some((1, 2, length)), "{before} bytes of junk");
        }
    }
}
