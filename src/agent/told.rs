//! What the journal tells of what other files say: settings, acknowledgements, the licence in use. Each is told once, and
//! nothing is left out, wherever the leader was killed.
//!
//! The journal itself is what counts. The leader's document repeats it, for the time when those lines are no more among the
//! last ones; it is written after them, so a kill may leave it behind. A new leader starts from both, member by member:
//! see [`Told::with`]. The lines are made and read here, so that the two stay in step.

use crate::licence::{Licence, Source};
use crate::store::Change;
use serde::{Deserialize, Serialize};

/// One thing that a line of the journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Settings of this revision.
    Settings(u64),
    /// Settings were lost, or older ones came back: they count from this revision again.
    SettingsAgain(u64),
    /// The highest acknowledged announcement.
    Acknowledged(u64),
    /// The licence in use, by sequence and serial.
    InUse(String),
}

const SETTINGS: &str = "settings changed (revision ";
const AGAIN: &str = "settings count from revision ";
const ANNOUNCEMENT: &str = "announcement ";
const ACKNOWLEDGED: &str = " was acknowledged";
const LICENCE: &str = "licence ";
const IN_USE: &str = " is in use, from ";

pub fn settings(change: &Change) -> (String, Fact) {
    let line = format!("{SETTINGS}{}): {}", change.revision, change.members.join(", "));
    (line, Fact::Settings(change.revision))
}

pub fn settings_again(revision: u64) -> (String, Fact) {
    (format!("{AGAIN}{revision} again"), Fact::SettingsAgain(revision))
}

pub fn acknowledged(id: u64) -> (String, Fact) {
    (format!("{ANNOUNCEMENT}{id}{ACKNOWLEDGED}"), Fact::Acknowledged(id))
}

pub fn in_use(licence: &Licence, source: &Source) -> (String, Fact) {
    let name = format!("{} of serial {}", licence.sequence.get(), licence.serial.as_str());
    let from = match source {
        Source::Folder(file) => file.as_str(),
        Source::Copy => "the verified copy",
    };
    (format!("{LICENCE}{name}{IN_USE}{from}"), Fact::InUse(name))
}

impl Fact {
    /// The fact that a line tells, if it is one of the above.
    pub fn of(line: &str) -> Option<Fact> {
        let number = |text: &str| text.parse().ok();
        if let Some(rest) = line.strip_prefix(SETTINGS) {
            return number(rest.split_once(')')?.0).map(Fact::Settings);
        }
        if let Some(rest) = line.strip_prefix(AGAIN) {
            return number(rest.split_once(' ')?.0).map(Fact::SettingsAgain);
        }
        if let Some(id) = line.strip_prefix(ANNOUNCEMENT).and_then(|rest| rest.strip_suffix(ACKNOWLEDGED)) {
            return number(id).map(Fact::Acknowledged);
        }
        line.strip_prefix(LICENCE)?.split_once(IN_USE).map(|(name, _)| Fact::InUse(name.to_owned()))
    }
}

/// Up to where everything is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The settings revision.
    pub settings: u64,
    pub acknowledged: u64,
    /// Empty: none yet.
    pub licence: String,
}

impl Told {
    pub fn has(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Settings(revision) => self.settings >= *revision,
            Fact::SettingsAgain(revision) => self.settings <= *revision,
            Fact::Acknowledged(id) => self.acknowledged >= *id,
            Fact::InUse(name) => self.licence == *name,
        }
    }

    /// Takes note of the next line.
    pub fn take(&mut self, fact: Fact) {
        match fact {
            Fact::Settings(revision) | Fact::SettingsAgain(revision) => self.settings = revision,
            Fact::Acknowledged(id) => self.acknowledged = self.acknowledged.max(id),
            Fact::InUse(name) => self.licence = name,
        }
    }

    /// What the leader's document says, put right by what the last lines of the journal tell: of each member what the journal says
    /// of it last, and the document's where it says nothing.
    pub fn with(mut self, facts: impl IntoIterator<Item = Fact>) -> Told {
        let (mut settings, mut acknowledged) = (None, None);
        for fact in facts {
            match fact {
                Fact::Settings(revision) | Fact::SettingsAgain(revision) => settings = Some(revision),
                Fact::Acknowledged(id) => acknowledged = acknowledged.max(Some(id)),
                Fact::InUse(name) => self.licence = name,
            }
        }
        self.settings = settings.unwrap_or(self.settings);
        self.acknowledged = acknowledged.unwrap_or(self.acknowledged);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::{Instant, Product, Sequence, Serial};

    fn change(revision: u64) -> Change {
        Change {
            revision,
            by: "Ann".to_owned(),
            time: 0,
            members: vec!["language".to_owned(), "proxy.port".to_owned()],
        }
    }

    #[test]
    fn every_line_that_is_told_is_read_again_as_what_it_tells() {
        let licence = Licence {
            product: Product::parse("prismaprepare").unwrap(),
            serial: Serial::parse("1234567890").unwrap(),
            customer: "Print Room".to_owned(),
            sequence: Sequence::new(9).unwrap(),
            issued_at: Instant::parse("2026-01-05T10:00:00Z").unwrap(),
            expires_on: None,
            maintenance_until: None,
            users: 5,
            features: Vec::new(),
            fls: Vec::new(),
        };
        for source in [Source::Copy, Source::Folder("a (b) is in use, from c.ors.json".to_owned())] {
            let (line, fact) = in_use(&licence, &source);
            assert_eq!(Fact::of(&line), Some(fact), "{line}");
        }
        for (line, fact) in [settings(&change(7)), settings_again(3), acknowledged(12)] {
            assert_eq!(Fact::of(&line), Some(fact), "{line}");
        }
        for other in ["licence 9 was uploaded", "process 7 leads", "announcement x was acknowledged", "settings", ""] {
            assert_eq!(Fact::of(other), None, "{other}");
        }
    }

    #[test]
    fn what_the_journal_says_counts_and_the_document_says_the_rest() {
        let behind = Told { settings: 5, acknowledged: 9, licence: "8 of serial 1".to_owned() };
        let lines = [settings(&change(6)).0, "licence 9 of serial 1 is in use, from a".to_owned(), "else".to_owned()];
        let told = behind.clone().with(lines.iter().filter_map(|line| Fact::of(line)));
        assert_eq!(told, Told { settings: 6, acknowledged: 9, licence: "9 of serial 1".to_owned() });
        assert_eq!(behind.clone().with([]), behind);
    }

    #[test]
    fn settings_that_were_lost_are_told_anew_from_where_they_begin_again() {
        let lines = [settings(&change(40)).0, settings_again(0).0, settings(&change(1)).0];
        let behind = Told { settings: 40, ..Told::default() };
        let told = behind.with(lines.iter().filter_map(|line| Fact::of(line)));
        assert!(told.has(&Fact::Settings(1)) && !told.has(&Fact::Settings(2)) && !told.has(&Fact::SettingsAgain(0)));
    }
}
