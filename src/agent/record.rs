//! The leader's end of the journal: a line that the disk does not take now waits, and is written when it does. What is told
//! is what is written, never what waits.

use super::told::{Fact, Told};
use crate::store::{Journal, StateFolder, StoreError};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Lines that wait. More happen only when the disk refuses for hours; then the oldest go, and how many is recorded.
const MOST_WAITING: usize = 256;
/// Lines of the journal in which a new leader looks for what it tells. More than a leader writes before it writes its own
/// document again.
const LOOKED_AT: usize = 2 * MOST_WAITING;

/// Shorter than a tick of the worker, which tries again.
const REST: Duration = Duration::from_millis(900);

struct Line {
    time: i64,
    boot_seconds: u64,
    actor: String,
    what: String,
    fact: Option<Fact>,
}

#[derive(Default)]
pub struct Record {
    journal: Option<Journal>,
    waiting: VecDeque<Line>,
    lost: u64,
    /// What is written.
    told: Told,
    failed_at: Option<Instant>,
}

impl Record {
    /// Whether it is not worth trying: it failed a moment ago, and where a file is held each try takes its time, of which a
    /// host's call has little. What is added meanwhile waits.
    pub fn rests(&self) -> bool {
        self.failed_at.is_some_and(|at| at.elapsed() < REST)
    }

    /// Opens the journal if it is not open; `told` is what the leader's document says of it. Returns notes for the log.
    pub fn open(&mut self, folder: &StateFolder, told: &Told) -> Result<Vec<String>, StoreError> {
        if self.journal.is_some() {
            return Ok(Vec::new());
        }
        let opened = Journal::open(folder).and_then(|(journal, notes)| {
            let last = journal.last(LOOKED_AT, Fact::of)?;
            Ok((journal, notes, last))
        });
        let (journal, notes, last) = self.heed(opened)?;
        self.told = told.clone().with(last);
        self.journal = Some(journal);
        Ok(notes)
    }

    fn heed<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.failed_at = result.is_err().then(Instant::now);
        result
    }

    /// Somebody else leads, and writes.
    pub fn close(&mut self) {
        self.journal = None;
    }

    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// What the journal tells, once it is open.
    pub fn told(&self) -> Option<&Told> {
        self.journal.as_ref().map(|_| &self.told)
    }

    /// Adds a line behind those that wait.
    pub fn add(&mut self, time: i64, boot_seconds: u64, actor: &str, what: &str) {
        self.push(Line { time, boot_seconds, actor: actor.to_owned(), what: what.to_owned(), fact: None });
    }

    /// Adds a line that tells something, unless it is told or waits already. Returns whether it did.
    pub fn tell(&mut self, time: i64, boot_seconds: u64, actor: &str, (what, fact): (String, Fact)) -> bool {
        let mut known = self.told.clone();
        self.waiting.iter().filter_map(|line| line.fact.clone()).for_each(|fact| known.take(fact));
        let new = !known.has(&fact);
        if new {
            self.push(Line { time, boot_seconds, actor: actor.to_owned(), what, fact: Some(fact) });
        }
        new
    }

    fn push(&mut self, line: Line) {
        self.waiting.push_back(line);
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
            self.lost += 1;
        }
    }

    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes what waits, in order.
    pub fn write(&mut self) -> Result<(), StoreError> {
        let written = self.write_all();
        self.heed(written)
    }

    fn write_all(&mut self) -> Result<(), StoreError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        while let Some(line) = self.waiting.front() {
            // It may have waited for a journal that tells it already, by another leader.
            if line.fact.as_ref().is_none_or(|fact| !self.told.has(fact)) {
                if self.lost > 0 {
                    let what = format!("{} entries before this one could not be recorded", self.lost);
                    journal.append(line.time, line.boot_seconds, "ors", &what)?;
                    self.lost = 0;
                }
                journal.append(line.time, line.boot_seconds, &line.actor, &line.what)?;
            }
            if let Some(fact) = self.waiting.pop_front().and_then(|line| line.fact) {
                self.told.take(fact);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{FaultyDisk, verify_journal};
    use std::sync::Arc;

    fn written(folder: &StateFolder) -> Vec<(i64, String)> {
        let text = std::fs::read_to_string(folder.file("journal.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| (line["time"].as_i64().unwrap(), line["what"].as_str().unwrap().to_owned())).collect()
    }

    fn acknowledged(id: u64) -> (String, Fact) {
        super::super::told::acknowledged(id)
    }

    #[test]
    fn what_a_full_disk_did_not_take_is_recorded_later_in_its_order_and_with_its_time() {
        let temp = tempfile::tempdir().unwrap();
        let disk = Arc::new(FaultyDisk::new());
        let folder = StateFolder::existing(temp.path()).unwrap().with_disk(disk.clone());
        let mut record = Record::default();
        record.open(&folder, &Told::default()).unwrap();
        record.add(1, 1, "Ann", "first");
        record.write().unwrap();
        disk.fail_at(0, 28, true);
        for time in 2..5 {
            record.add(time, 1, "Ann", &format!("line {time}"));
            assert!(record.write().is_err() && record.waits());
        }
        disk.heal();
        record.write().unwrap();
        assert!(!record.waits());
        let expected = [(1, "first"), (2, "line 2"), (3, "line 3"), (4, "line 4")];
        assert_eq!(written(&folder), expected.map(|(time, what)| (time, what.to_owned())));
        assert!(verify_journal(temp.path()).unwrap().problems.is_empty());
    }

    #[test]
    fn no_more_wait_than_there_is_room_for_and_how_many_went_is_recorded() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        let mut record = Record::default();
        for time in 0..300 {
            record.add(time, 1, "Ann", "line");
            record.write().unwrap();
        }
        record.open(&folder, &Told::default()).unwrap();
        record.write().unwrap();
        let written = written(&folder);
        assert_eq!(written.len(), MOST_WAITING + 1);
        assert_eq!(written[0], (44, "44 entries before this one could not be recorded".to_owned()));
        assert_eq!(written[1].0, 44);
    }

    #[test]
    fn a_line_that_waits_is_not_told_until_it_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let disk = Arc::new(FaultyDisk::new());
        let folder = StateFolder::existing(temp.path()).unwrap().with_disk(disk.clone());
        let mut record = Record::default();
        record.open(&folder, &Told::default()).unwrap();
        disk.fail_at(0, 28, true);
        for _ in 0..3 {
            record.tell(1, 1, "Ann", acknowledged(7));
            assert!(record.write().is_err());
            assert_eq!(record.told().unwrap().acknowledged, 0);
        }
        // Here the process could be killed: the next one knows nothing of the line, and tells it from the same files.
        disk.heal();
        record.write().unwrap();
        assert_eq!(record.told().unwrap().acknowledged, 7);
        record.tell(2, 1, "Ann", acknowledged(7));
        assert!(!record.waits());
        assert_eq!(
            written(&folder),
            [(1, "announcement 7 was acknowledged".to_owned())],
            "once, although it was asked often"
        );
    }

    #[test]
    fn a_leader_killed_after_a_line_and_before_its_document_does_not_tell_it_twice() {
        let temp = tempfile::tempdir().unwrap();
        let folder = StateFolder::existing(temp.path()).unwrap();
        let mut killed = Record::default();
        killed.open(&folder, &Told::default()).unwrap();
        killed.tell(1, 1, "Ann", acknowledged(7));
        killed.write().unwrap();
        // This one waited for the lock with a line of its own.
        let mut next = Record::default();
        next.tell(2, 1, "Ann", acknowledged(7));
        next.add(2, 1, "", "process 2 leads");
        next.open(&folder, &Told::default()).unwrap();
        next.write().unwrap();
        next.tell(3, 1, "Ann", acknowledged(7));
        next.tell(3, 1, "Ann", acknowledged(8));
        next.write().unwrap();
        let lines: Vec<String> = written(&folder).into_iter().map(|(_, what)| what).collect();
        assert_eq!(lines, ["announcement 7 was acknowledged", "process 2 leads", "announcement 8 was acknowledged"]);
        assert_eq!(next.told().unwrap().acknowledged, 8);
    }
}
