//! What changed between the licence last acknowledged and the one in use.

use super::dates::Day;
use super::model::Licence;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A feature as it stood on some day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureState {
    pub id: String,
    pub name: String,
    pub expires_on: Option<Day>,
    /// Its own last day was over.
    pub ended: bool,
}

impl FeatureState {
    /// What people call it: the name, or the id of a feature without one.
    fn label(&self) -> String {
        if self.name.is_empty() { self.id.clone() } else { self.name.clone() }
    }
}

/// What can change in a licence, as it stood on some day: kept in the state folder when an announcement is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub sequence: u64,
    pub users: u32,
    pub expires_on: Option<Day>,
    pub maintenance_until: Option<Day>,
    pub features: Vec<FeatureState>,
}

impl Content {
    /// The content of a licence on a day.
    pub fn of(licence: &Licence, today: Day) -> Content {
        let features = licence.features.iter().map(|feature| FeatureState {
            id: feature.id.clone(),
            name: feature.name.clone(),
            expires_on: feature.expires_on,
            ended: feature.expires_on.is_some_and(|last| last < today),
        });
        Content {
            sequence: licence.sequence.get(),
            users: licence.users,
            expires_on: licence.expires_on,
            maintenance_until: licence.maintenance_until,
            features: features.collect(),
        }
    }
}

/// The difference of two contents. Lists hold names for people, in the order of the licence; pairs are (from, to).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    /// Another name, or another last day.
    pub changed: Vec<String>,
    /// Their own last day has passed since.
    pub ended: Vec<String>,
    pub users: Option<(u32, u32)>,
    pub maintenance: Option<(Option<Day>, Option<Day>)>,
    pub expiry: Option<(Option<Day>, Option<Day>)>,
}

impl Changes {
    /// What a person who knows `from` has to be told about `to`. A feature counts by its id; one that has ended since is
    /// listed as ended and nowhere else.
    pub fn between(from: &Content, to: &Content) -> Changes {
        fn pair<T: PartialEq>(from: T, to: T) -> Option<(T, T)> {
            (from != to).then_some((from, to))
        }
        let before: BTreeMap<&str, &FeatureState> =
            from.features.iter().map(|known| (known.id.as_str(), known)).collect();
        let mut changes = Changes {
            users: pair(from.users, to.users),
            maintenance: pair(from.maintenance_until, to.maintenance_until),
            expiry: pair(from.expires_on, to.expires_on),
            ..Changes::default()
        };
        for feature in &to.features {
            let list = match before.get(feature.id.as_str()) {
                Some(known) if feature.ended && !known.ended => &mut changes.ended,
                Some(known) if known.name != feature.name || known.expires_on != feature.expires_on => {
                    &mut changes.changed
                }
                Some(_) => continue,
                None if feature.ended => &mut changes.ended,
                None => &mut changes.added,
            };
            list.push(feature.label());
        }
        let kept: std::collections::BTreeSet<&str> = to.features.iter().map(|feature| feature.id.as_str()).collect();
        let removed = from.features.iter().filter(|known| !kept.contains(known.id.as_str()));
        changes.removed = removed.map(FeatureState::label).collect();
        changes
    }

    /// Whether people have to be told: features or users changed. Dates alone announce nothing.
    pub fn announces(&self) -> bool {
        self.features() || self.users.is_some()
    }

    /// `ORS_CHANGED_*`: features 1, users 2, maintenance 4, expiry 8.
    pub fn bits(&self) -> u32 {
        u32::from(self.features())
            | u32::from(self.users.is_some()) << 1
            | u32::from(self.maintenance.is_some()) << 2
            | u32::from(self.expiry.is_some()) << 3
    }

    /// All names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.added, &self.removed, &self.changed, &self.ended].into_iter().flatten().map(String::as_str)
    }

    fn features(&self) -> bool {
        self.names().next().is_some()
    }
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
