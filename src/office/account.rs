//! What is kept over restarts about the back office. Pure values; the leader keeps them in the state folder.

use crate::licence::Moment;
use serde::{Deserialize, Serialize};

/// How this installation stands with the back office.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    #[default]
    None,
    Active,
    /// An administrator has to approve the key.
    Pending,
    /// An administrator refused the key.
    Declined,
    /// Another key was approved for this serial number.
    Superseded,
    Revoked,
}

impl Enrolment {
    /// The word in JSON, and in the journal.
    pub fn token(self) -> &'static str {
        match self {
            Enrolment::None => "none",
            Enrolment::Active => "active",
            Enrolment::Pending => "pending",
            Enrolment::Declined => "declined",
            Enrolment::Superseded => "superseded",
            Enrolment::Revoked => "revoked",
        }
    }

    /// Decided against this key: nothing more is said until somebody here does something.
    pub fn is_final(self) -> bool {
        matches!(self, Enrolment::Declined | Enrolment::Superseded | Enrolment::Revoked)
    }

    /// Known to the back office, which may be asked for news.
    pub fn is_known(self) -> bool {
        matches!(self, Enrolment::Active | Enrolment::Pending)
    }
}

/// The last verified answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Unix seconds by the local clock.
    pub at: i64,
    pub boot: String,
    pub boot_seconds: u64,
}

impl Contact {
    /// Seconds since: by the clock that nobody sets where that goes back so far, else by the local one.
    fn age(&self, now: &Moment) -> i64 {
        if self.boot == now.boot {
            return i64::try_from(now.boot_seconds.saturating_sub(self.boot_seconds)).unwrap_or(i64::MAX);
        }
        now.local.saturating_sub(self.at)
    }
}

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The serial number that the key stands for; another one gets another key.
    pub serial: Option<String>,
    pub enrolment: Enrolment,
    /// The organisation's name, as the back office says it.
    pub organisation: String,
    /// Of this installation's key, to compare by phone.
    pub fingerprint: Option<String>,
    pub contact: Option<Contact>,
    /// The last attempt failed.
    pub failing: bool,
    /// Keyed hash of the ID and code that were refused: not tried again.
    pub refused: Option<String>,
    /// Digest of the licence that did not prove the serial number: not sent again.
    pub refused_licence: Option<String>,
    /// Under which revision of the settings the decision against the key came.
    pub decided_at: u64,
    /// Boot-time seconds of attempts to enrol of which nobody knows what came, with the boot they belong to.
    pub(super) tries: Vec<u64>,
    pub(super) tries_boot: String,
    /// How far the journal is stored at the back office: chain and number.
    pub reported: Option<(String, u64)>,
}

/// Attempts with an unknown outcome in an hour.
const TRIES: usize = 3;
const HOUR: u64 = 3_600;

impl Account {
    /// That of an installation which has said nothing yet.
    pub fn of(serial: &str) -> Account {
        Account { serial: Some(serial.to_owned()), ..Account::default() }
    }

    /// Whether the two differ in nothing but the last contact.
    pub fn equals_but_for_contact(&self, other: &Account) -> bool {
        *self == Account { contact: self.contact.clone(), ..other.clone() }
    }

    /// `SERVICE_UNREACHABLE`: it is known there, it does not get through, and the last answer is too long ago.
    pub fn is_unreachable(&self, hours: u32, now: &Moment) -> bool {
        let known = self.enrolment.is_known() && self.failing;
        known && self.contact.as_ref().is_some_and(|contact| contact.age(now) >= i64::from(hours) * 3_600)
    }

    /// Whether one more attempt to enrol may be made; if not, seconds until it may.
    pub(super) fn may_try(&self, now: &Moment) -> Result<(), u64> {
        if self.tries_boot != now.boot {
            return Ok(());
        }
        let recent: Vec<u64> =
            self.tries.iter().map(|at| now.boot_seconds.saturating_sub(*at)).filter(|age| *age < HOUR).collect();
        match recent.iter().max() {
            Some(oldest) if recent.len() >= TRIES => Err(HOUR - oldest),
            _ => Ok(()),
        }
    }

    /// Counts an attempt, before it is made: one that nobody lives to hear of counts too.
    pub(super) fn count_try(&mut self, now: &Moment) {
        if self.tries_boot != now.boot {
            self.tries.clear();
            self.tries_boot.clone_from(&now.boot);
        }
        self.tries.retain(|at| now.boot_seconds.saturating_sub(*at) < HOUR);
        self.tries.push(now.boot_seconds);
    }

    /// What came of the last attempt is known.
    pub(super) fn uncount_try(&mut self) {
        self.tries.pop();
    }

    /// Somebody pressed [Connect]: whatever was refused is tried again.
    pub(super) fn try_again(&mut self) {
        self.refused = None;
        self.refused_licence = None;
        self.tries.clear();
        if self.enrolment.is_final() {
            self.enrolment = Enrolment::None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(boot: &str, boot_seconds: u64, local: i64) -> Moment {
        Moment { local, boot: boot.to_owned(), boot_seconds }
    }

    fn contact(boot: &str, boot_seconds: u64, at: i64) -> Option<Contact> {
        Some(Contact { at, boot: boot.to_owned(), boot_seconds })
    }

    #[test]
    fn unreachable_is_who_is_known_and_has_heard_nothing_for_so_long() {
        let known = Account { enrolment: Enrolment::Active, failing: true, ..Account::default() };
        let day = 86_400;
        for (account, now, unreachable) in [
            // By the boot clock within one boot, wherever the local clock was moved.
            (Account { contact: contact("a", 100, 5), ..known.clone() }, moment("a", 99 + day, 0), false),
            (Account { contact: contact("a", 100, 5), ..known.clone() }, moment("a", 100 + day, 0), true),
            (Account { contact: contact("a", 100, 5), ..known.clone() }, moment("a", 200, i64::MAX), false),
            // By the local one over a restart.
            (Account { contact: contact("a", 100, 5), ..known.clone() }, moment("b", 1, 4 + 86_400), false),
            (Account { contact: contact("a", 100, 5), ..known.clone() }, moment("b", 1, 5 + 86_400), true),
            (
                Account { contact: contact("a", 100, 5), failing: false, ..known.clone() },
                moment("b", 1, 900_000),
                false,
            ),
            (Account { contact: None, ..known.clone() }, moment("b", 1, 900_000), false),
            (
                Account { contact: contact("a", 100, 5), enrolment: Enrolment::Superseded, ..known.clone() },
                moment("b", 1, 900_000),
                false,
            ),
        ] {
            assert_eq!(account.is_unreachable(24, &now), unreachable, "{account:?} at {now:?}");
        }
    }

    #[test]
    fn three_attempts_of_which_nothing_is_known_are_made_in_an_hour() {
        let mut account = Account::default();
        for at in [10, 20, 30] {
            assert_eq!(account.may_try(&moment("a", at, 0)), Ok(()));
            account.count_try(&moment("a", at, 0));
        }
        assert_eq!(account.may_try(&moment("a", 40, 0)), Err(3_570));
        assert_eq!(account.may_try(&moment("a", 3_610, 0)), Ok(()));
        assert_eq!(account.may_try(&moment("b", 1, 0)), Ok(()), "another boot");
        account.uncount_try();
        assert_eq!(account.may_try(&moment("a", 40, 0)), Ok(()), "one of them was answered");
    }

    #[test]
    fn a_record_of_another_version_is_read_as_far_as_it_is_known() {
        let read: Account = serde_json::from_str(r#"{"serial":"1","enrolment":"active","more":1}"#).unwrap();
        assert_eq!((read.serial.as_deref(), read.enrolment), (Some("1"), Enrolment::Active));
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Account>(&written).unwrap(), read);
    }
}
