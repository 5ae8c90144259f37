//! Announcements: what changed since the licence last acknowledged. Pure; the leader keeps the value in its state file.

use crate::licence::{Changes, Content, MAX_FEATURES, MAX_TEXT, text};
use serde::{Deserialize, Serialize};

/// Announcements that are kept for the About box; fewer when they are very long.
const KEPT: usize = 10;
/// What the kept ones may take together, so that the leader's document can always be written and read again, and the About box stays
/// below 1 MiB: ten of a licence with 300 features. JSON values, bytes of the contents' names, bytes of the changes' names.
const MOST: Size = Size { values: 20_000, content: 1 << 20, told: 128 << 10 };

/// One announcement: the licence it told of, and when it was raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    pub id: u64,
    /// Unix seconds.
    pub raised_at: i64,
    pub content: Content,
    /// What it said when it was raised.
    pub changes: Changes,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Announcements {
    /// The licence before the oldest entry: the first of this machine, or the last acknowledged that was dropped.
    baseline: Option<Content>,
    /// The licence in use.
    content: Option<Content>,
    entries: Vec<Announcement>,
    last_id: u64,
    /// The entry that tells of the licence in use; 0 when it differs in nothing that is announced.
    current: u64,
}

/// As it lies in the document: anybody who could write there may have made it.
#[derive(Deserialize)]
struct Unchecked {
    baseline: Option<Content>,
    content: Option<Content>,
    entries: Vec<Announcement>,
    last_id: u64,
    current: u64,
}

impl TryFrom<Unchecked> for Announcements {
    type Error = &'static str;

    fn try_from(found: Unchecked) -> Result<Announcements, &'static str> {
        let Unchecked { baseline, content, entries, last_id, current } = found;
        let contents = baseline.iter().chain(&content).chain(entries.iter().map(|entry| &entry.content));
        let sound = entries.len() <= KEPT
            && Size::of(&entries).fits()
            && contents.into_iter().all(|content| {
                content.features.len() <= MAX_FEATURES
                    && content.features.iter().all(|feature| is_name(&feature.id) && is_name(&feature.name))
            })
            && entries.iter().flat_map(|entry| entry.changes.names()).all(is_name);
        if sound {
            Ok(Announcements { baseline, content, entries, last_id, current })
        } else {
            Err("no announcements of ours")
        }
    }
}

fn is_name(name: &str) -> bool {
    text::is_plain(name, MAX_TEXT)
}

/// What announcements take.
#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    content: usize,
    told: usize,
}

impl Size {
    fn of(entries: &[Announcement]) -> Size {
        entries.iter().fold(Size::default(), |sum, Announcement { content, changes, .. }| Size {
            // An object with four members for each feature, one text for each name that is told, and the rest of an entry.
            values: sum.values + content.features.len() * 5 + changes.names().count() + 40,
            content: sum.content
                + content.features.iter().map(|feature| feature.id.len() + feature.name.len()).sum::<usize>(),
            told: sum.told + changes.names().map(str::len).sum::<usize>(),
        })
    }

    fn fits(self) -> bool {
        self.values <= MOST.values && self.content <= MOST.content && self.told <= MOST.told
    }
}

impl Announcements {
    /// Takes note of the licence in use. Returns whether anything changed.
    pub fn follow(&mut self, content: Content, acknowledged: u64, now: i64) -> bool {
        if self.content.as_ref() == Some(&content) {
            return false;
        }
        self.content = Some(content.clone());
        let Some(baseline) = self.baseline_at(acknowledged) else {
            // The first licence on a machine: nothing to announce.
            self.baseline = Some(content);
            self.current = 0;
            return true;
        };
        let changes = Changes::between(baseline, &content);
        self.current = 0;
        if changes.announces() {
            let id = self.next_id(content.sequence);
            self.last_id = id;
            self.current = id;
            self.entries.push(Announcement { id, raised_at: now, content, changes });
            self.drop_oldest(acknowledged);
        }
        true
    }

    /// A licence with another serial took over: what was announced was about another one.
    pub fn start_anew(&mut self) {
        *self = Announcements { last_id: self.last_id, ..Announcements::default() };
    }

    /// The id that a licence with this sequence would get: ids only grow.
    pub fn next_id(&self, sequence: u64) -> u64 {
        self.last_id.saturating_add(1).max(sequence)
    }

    /// Whether this id was raised on this installation.
    pub fn raised(&self, id: u64) -> bool {
        id != 0 && id <= self.last_id
    }

    /// The announcement to show, with what changed since the licence last acknowledged.
    pub fn shown(&self, acknowledged: u64) -> Option<(u64, Changes)> {
        if self.current == 0 || self.current <= acknowledged {
            return None;
        }
        let changes = Changes::between(self.baseline_at(acknowledged)?, self.content.as_ref()?);
        changes.announces().then_some((self.current, changes))
    }

    /// What the announcement `id` says now, if it is still kept.
    pub fn changes_of(&self, id: u64, acknowledged: u64) -> Option<Changes> {
        match self.shown(acknowledged) {
            Some((shown, changes)) if shown == id => Some(changes),
            _ => self.entries.iter().find(|entry| entry.id == id).map(|entry| entry.changes.clone()),
        }
    }

    pub fn entries(&self) -> &[Announcement] {
        &self.entries
    }

    /// What `content` would announce if it came now.
    pub fn would_announce(&self, content: &Content, acknowledged: u64) -> Option<Changes> {
        self.baseline_at(acknowledged).map(|baseline| Changes::between(baseline, content)).filter(Changes::announces)
    }

    fn baseline_at(&self, acknowledged: u64) -> Option<&Content> {
        let seen = self.entries.iter().rev().find(|entry| entry.id <= acknowledged);
        seen.map(|entry| &entry.content).or(self.baseline.as_ref())
    }

    fn drop_oldest(&mut self, acknowledged: u64) {
        while self.entries.len() > KEPT || !Size::of(&self.entries).fits() {
            let oldest = self.entries.remove(0);
            if oldest.id <= acknowledged {
                self.baseline = Some(oldest.content);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::{Day, FeatureState};

    fn content(sequence: u64, users: u32) -> Content {
        Content { sequence, users, expires_on: None, maintenance_until: None, features: Vec::new() }
    }

    #[test]
    fn the_first_licence_announces_nothing_and_the_next_one_does() {
        let mut told = Announcements::default();
        assert!(told.follow(content(7, 5), 0, 0));
        assert_eq!(told.shown(0), None);
        assert!(told.follow(content(8, 10), 0, 0));
        assert!(!told.follow(content(8, 10), 0, 0), "the same licence again is no news");
        let (id, changes) = told.shown(0).expect("ten users are news");
        assert_eq!((id, changes.users), (8, Some((5, 10))));
        assert_eq!(told.shown(8), None);
    }

    #[test]
    fn two_renewals_before_a_click_show_as_one_list() {
        let mut told = Announcements::default();
        for (sequence, users) in [(1, 5), (2, 6), (3, 9)] {
            told.follow(content(sequence, users), 0, 0);
        }
        assert_eq!(told.shown(0).map(|(id, changes)| (id, changes.users)), Some((3, Some((5, 9)))));
        // Acknowledging the first of them leaves the second, told from there.
        assert_eq!(told.shown(2).map(|(id, changes)| (id, changes.users)), Some((3, Some((6, 9)))));
        assert!(told.raised(2) && told.raised(3) && !told.raised(4) && !told.raised(0));
    }

    #[test]
    fn ids_only_grow_even_when_a_sequence_does_not() {
        let mut told = Announcements::default();
        for (sequence, users) in [(50, 5), (51, 6), (9, 7)] {
            told.follow(content(sequence, users), 0, 0);
        }
        assert_eq!(told.shown(0).map(|(id, _)| id), Some(52));
    }

    #[test]
    fn going_back_to_what_was_acknowledged_is_no_news() {
        let mut told = Announcements::default();
        for (sequence, users) in [(1, 5), (2, 6), (3, 5)] {
            told.follow(content(sequence, users), 0, 0);
        }
        assert_eq!(told.shown(0), None);
    }

    /// A licence of about the largest size: it has 768 KiB in its envelope.
    fn largest(sequence: u64) -> Content {
        let name = |n: u64| format!("{n} {}", "漢".repeat(190));
        let feature = |n: u64| FeatureState {
            id: format!("feature-{n}"),
            name: name(n + sequence),
            expires_on: Day::parse("2027-11-23").ok(),
            ended: false,
        };
        Content { features: (0..1_000).map(feature).collect(), ..content(sequence, 5) }
    }

    #[test]
    fn licences_of_the_largest_size_are_announced_again_and_again_and_can_be_read_again() {
        let mut told = Announcements::default();
        for sequence in 1..=12 {
            told.follow(largest(sequence), 0, 0);
            let written = serde_json::to_vec(&told).unwrap();
            assert!(written.len() < 3 << 20, "{} bytes", written.len());
            crate::licence::json::check_document(&written).unwrap();
            assert_eq!(serde_json::from_slice::<Announcements>(&written).unwrap(), told);
        }
        let (id, changes) = told.shown(0).expect("other names are news");
        assert_eq!((id, changes.changed.len()), (12, 1_000));
        // Of a size that is met, all ten are kept.
        let mut told = Announcements::default();
        for sequence in 1..=20 {
            let mut usual = largest(sequence);
            usual.features.truncate(300);
            usual.features.iter_mut().for_each(|feature| feature.name = format!("Option {sequence}"));
            told.follow(usual, 0, 0);
        }
        assert_eq!(told.entries().len(), KEPT);
    }

    #[test]
    fn announcements_that_we_would_not_write_are_not_read() {
        let mut told = Announcements::default();
        told.follow(content(1, 5), 0, 0);
        told.follow(content(2, 6), 0, 0);
        let sound = serde_json::to_value(&told).unwrap();
        assert_eq!(serde_json::from_value::<Announcements>(sound.clone()).unwrap(), told);
        let feature = |name: &str| serde_json::json!({"id": "a", "name": name, "expires_on": null, "ended": false});
        let entry = &sound["entries"][0];
        for (pointer, wrong) in [
            ("/entries", vec![entry.clone(); KEPT + 1].into()),
            ("/entries/0/changes/added", vec!["x".repeat(200); 700].into()),
            ("/entries/0/changes/added", vec!["x".repeat(201)].into()),
            ("/entries/0/changes/ended", vec!["\u{202E}".to_owned()].into()),
            ("/baseline/features", vec![feature("x"); MAX_FEATURES + 1].into()),
            ("/content/features", vec![feature("a\nb")].into()),
        ] {
            let mut changed = sound.clone();
            *changed.pointer_mut(pointer).unwrap() = wrong;
            assert!(serde_json::from_value::<Announcements>(changed).is_err(), "{pointer}");
        }
    }

    #[test]
    fn the_last_ten_are_kept_and_the_baseline_survives_their_loss() {
        let mut told = Announcements::default();
        for sequence in 1..=40 {
            told.follow(content(sequence, sequence as u32), sequence.saturating_sub(2), 0);
        }
        assert_eq!(told.entries().len(), 10);
        assert_eq!(told.shown(38).map(|(_, changes)| changes.users), Some(Some((38, 40))));
        let mut unread = Announcements::default();
        for sequence in 1..=40 {
            unread.follow(content(sequence, sequence as u32), 0, 0);
        }
        assert_eq!(unread.shown(0).map(|(_, changes)| changes.users), Some(Some((1, 40))));
    }
}
