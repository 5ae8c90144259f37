//! What the leader tells the journal, and in which order: first the line, then its own document that says so.

use super::memory::State;
use super::told::{self, Fact, Told};
use super::worker::Worker;
use crate::licence::Moment;
use crate::store::handover::Acknowledged;

impl Worker {
    /// Records in the journal what other processes did by files: settings, acknowledgements.
    pub(super) fn tell_journal(&mut self, moment: &Moment) {
        let mut state = self.memory.state.clone();
        let newest = self.memory.settings.revision;
        // Settings that were lost count their revisions from the beginning again.
        for acted_on in [&mut state.path_revision, &mut state.confirmed_revision] {
            *acted_on = newest.min(*acted_on);
        }
        if self.told().settings > newest {
            self.tell(moment, "", told::settings_again(newest));
        }
        for change in self.memory.settings.changes_after(self.told().settings.min(newest)) {
            self.tell(moment, &change.by, told::settings(&change));
        }
        let Acknowledged { id, by } = self.memory.acknowledged.clone();
        if id > 0 {
            self.tell(moment, &by, told::acknowledged(id));
        }
        self.save_told(state);
    }

    /// What the journal tells.
    fn told(&self) -> &Told {
        self.record.told().unwrap_or(&self.memory.state.told)
    }

    /// Appends a line to the journal unless it tells the same already. Returns whether it did not.
    pub(super) fn tell(&mut self, moment: &Moment, actor: &str, line: (String, Fact)) -> bool {
        let new = self.record.tell(moment.local, moment.boot_seconds, actor, line);
        if new {
            self.write_record();
        }
        new
    }

    /// Saves the leader's document, with what the journal tells by now and nothing that still waits for the disk.
    pub(super) fn save_told(&mut self, mut state: State) {
        state.told = self.told().clone();
        if let Err(error) = self.memory.save(state) {
            self.trouble("The state could not be stored", &error);
        }
    }

    /// Appends to the journal. Only the leader has one.
    pub(super) fn journal(&mut self, moment: &Moment, actor: &str, what: &str) {
        if self.lock.is_some() {
            self.record.add(moment.local, moment.boot_seconds, actor, what);
            self.write_record();
        }
    }

    /// Writes what the journal has not got yet.
    pub(super) fn write_record(&mut self) {
        if self.record.rests() {
            return;
        }
        match self.record.open(&self.memory.folder, &self.memory.state.told) {
            Ok(notes) => notes.into_iter().for_each(|note| self.note(note)),
            Err(error) => return self.trouble("The journal cannot be opened", &error),
        }
        if let Err(error) = self.record.write() {
            self.trouble("The journal could not be written", &error);
        }
    }
}
