//! The leader's end of the journal: a line that the disk does not take now waits, and is written when it does.

use crate::store::{Journal, StateFolder, StoreError};
use std::collections::VecDeque;

/// Lines that wait. More happen only when the disk refuses for hours; then the oldest go, and how many is recorded.
const MOST_WAITING: usize = 256;

struct Line {
    time: i64,
    boot_seconds: u64,
    actor: String,
    what: String,
}

#[derive(Default)]
pub struct Record {
    journal: Option<Journal>,
    waiting: VecDeque<Line>,
    lost: u64,
}

impl Record {
    /// Opens the journal if it is not open. Returns notes for the log.
    pub fn open(&mut self, folder: &StateFolder) -> Result<Vec<String>, StoreError> {
        if self.journal.is_some() {
            return Ok(Vec::new());
        }
        let (journal, notes) = Journal::open(folder)?;
        self.journal = Some(journal);
        Ok(notes)
    }

    /// Somebody else leads, and writes.
    pub fn close(&mut self) {
        self.journal = None;
    }

    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Adds a line behind those that wait.
    pub fn add(&mut self, time: i64, boot_seconds: u64, actor: &str, what: &str) {
        self.waiting.push_back(Line { time, boot_seconds, actor: actor.to_owned(), what: what.to_owned() });
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
        let Some(journal) = &mut self.journal else { return Ok(()) };
        while let Some(line) = self.waiting.front() {
            if self.lost > 0 {
                let what = format!("{} entries before this one could not be recorded", self.lost);
                journal.append(line.time, line.boot_seconds, "ors", &what)?;
                self.lost = 0;
            }
            journal.append(line.time, line.boot_seconds, &line.actor, &line.what)?;
            self.waiting.pop_front();
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

    #[test]
    fn what_a_full_disk_did_not_take_is_recorded_later_in_its_order_and_with_its_time() {
        let temp = tempfile::tempdir().unwrap();
        let disk = Arc::new(FaultyDisk::new());
        let folder = StateFolder::existing(temp.path()).unwrap().with_disk(disk.clone());
        let mut record = Record::default();
        record.open(&folder).unwrap();
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
        record.open(&folder).unwrap();
        record.write().unwrap();
        let written = written(&folder);
        assert_eq!(written.len(), MOST_WAITING + 1);
        assert_eq!(written[0], (44, "44 entries before this one could not be recorded".to_owned()));
        assert_eq!(written[1].0, 44);
    }
}
