//! English.

use super::Phrases;
use crate::licence::{Changes, Reason};
use crate::office::{Enrolment, Problem};

mod connect;

pub struct English;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names in one list before "and N more".
const LISTED: usize = 5;

impl Phrases for English {
    fn tag(&self) -> &'static str {
        "en"
    }

    fn day(&self, number: i32) -> String {
        if number == crate::notice::NEVER_DAY {
            return "no end".to_owned();
        }
        let month = usize::try_from(number / 100 % 100).unwrap_or(0);
        match MONTHS.get(month.wrapping_sub(1)) {
            Some(name) => format!("{} {name} {}", number % 100, number / 10_000),
            None => "no date".to_owned(),
        }
    }

    fn licence_expiring(&self, days_left: i32, last_day: i32) -> String {
        format!("The licence expires {}.", self.when(days_left, last_day))
    }

    fn licence_expired(&self, last_day: i32) -> String {
        format!("The licence has expired. Its last day was {}.", self.day(last_day))
    }

    fn maintenance_expiring(&self, days_left: i32, last_day: i32) -> String {
        format!("Maintenance ends {}.", self.when(days_left, last_day))
    }

    fn maintenance_expired(&self, last_day: i32) -> String {
        format!("Maintenance has ended. Its last day was {}.", self.day(last_day))
    }

    fn changed(&self, changes: &Changes) -> String {
        let mut parts = vec!["Your licence has changed.".to_owned()];
        for (word, names) in [
            ("New", &changes.added),
            ("Changed", &changes.changed),
            ("Removed", &changes.removed),
            ("Ended", &changes.ended),
        ] {
            if !names.is_empty() {
                parts.push(format!("{word}: {}.", list(names)));
            }
        }
        if let Some((from, to)) = changes.users {
            parts.push(format!("Users: {to} (before: {from})."));
        }
        if let Some((_, to)) = changes.maintenance {
            parts.push(match to {
                Some(day) => format!("Maintenance until {}.", self.day(day.number())),
                None => "No maintenance contract.".to_owned(),
            });
        }
        if let Some((_, to)) = changes.expiry {
            parts.push(match to {
                Some(day) => format!("Licence until {}.", self.day(day.number())),
                None => "The licence has no end date.".to_owned(),
            });
        }
        parts.join(" ")
    }

    fn manual_copy(&self, files: usize, source: &str, target: &str) -> String {
        if target.is_empty() {
            return "A licence waits, and no licence folder is set. Set the licence path.".to_owned();
        }
        let what = if files == 1 { "one file".to_owned() } else { format!("{files} files") };
        format!("A licence has to be copied by hand: {what} from {source} to {target}.")
    }

    fn no_licence(&self, reason: Reason, folder: &str) -> String {
        let place = if folder.is_empty() {
            "No licence folder is set.".to_owned()
        } else {
            format!("Licence folder: {folder}.")
        };
        match reason {
            Reason::None | Reason::NoLicence => format!("There is no licence for this product. {place}"),
            other => format!("There is no valid licence for this product. {} {place}", self.refusal(other)),
        }
    }

    fn clock_wrong(&self, dates_judged: bool) -> String {
        if dates_judged {
            "The clock of this computer is wrong by more than an hour. Please set it.".to_owned()
        } else {
            "The clock of this computer is wrong by more than a day, so the licence cannot be judged. Please set it."
                .to_owned()
        }
    }

    fn service_unreachable(&self) -> String {
        "The service organisation has not been reached for a while. See the settings page for the reason.".to_owned()
    }

    fn assistance_requested(&self) -> String {
        "The help desk asks for access to this computer. Nothing happens unless you allow it.".to_owned()
    }

    fn assistance_active(&self) -> String {
        "Remote assistance is active. You can stop it at any moment.".to_owned()
    }

    fn refusal(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::None => "",
            Reason::NoLicence => "No licence was found.",
            Reason::Unreadable => "The file or folder cannot be read.",
            Reason::Malformed => "The file is not a licence, or it is damaged.",
            Reason::UnknownKey => "The licence is signed with a key that this product does not know.",
            Reason::Signature => "The signature does not fit: the file was changed or damaged.",
            Reason::Format => "The licence has a newer format than this product version knows. Update the product.",
            Reason::Product => "The licence is for another product.",
            Reason::Serial => "The licence is for another serial number.",
            Reason::Sequence => "The licence is not newer than the one in use.",
            Reason::LicenceExpired => "The licence has expired.",
            Reason::MaintenanceEnded => "Maintenance ended before this release.",
            Reason::Clock => "The clock of this computer is wrong.",
            Reason::Ambiguous => {
                "The folder holds licences with more than one serial number: set the licence path to one file."
            }
            Reason::KeyRevoked => "The key that signed the licence was revoked. Ask for a new licence.",
            Reason::KeyRetired => "The key that signed the licence was retired. Ask for a new licence.",
            Reason::KeyRole => "The licence is signed with a key that may not sign licences.",
            Reason::SequenceConflict => "Another licence with the same sequence number is known.",
            Reason::TooLarge => "The file is too large.",
            Reason::NotAFile => "This is not an ordinary file.",
            Reason::KeyListFork => "The key list contradicts the one that is known. Ask the vendor.",
            Reason::Amount => "There are too many files, signatures or features.",
        }
    }

    fn error(&self, code: i32) -> &'static str {
        match code {
            0 => "No error.",
            -1 => "A required pointer is NULL.",
            -2 => "An argument, flag, field or JSON member is not one that is known.",
            -3 => "A text is not UTF-8, has a NUL inside, or is too long.",
            -4 => "struct_size is not a size that this library accepts.",
            -5 => "The buffer is too small; the size needed was stored.",
            -6 => "The handle is closed.",
            -7 => "The agent was opened read only.",
            -8 => "It did not happen in time.",
            -9 => "What was named is no longer the current one.",
            -10 => "The service is switched off.",
            -11 => "The settings do not allow this.",
            -12 => "The licence was not taken.",
            -13 => "This function cannot be called from inside the log sink.",
            -15 => "The state folder was written by a newer version.",
            -16 => "This request has been answered already.",
            -17 => "A fixed limit is reached.",
            -100 => "A file could not be read or written.",
            -101 => "The operating system did not allow it.",
            -900 => "An internal error was contained.",
            _ => "An error that this version does not know.",
        }
    }

    fn connect(&self, problem: &Problem) -> String {
        connect::problem(problem)
    }

    fn enrolment(&self, state: Enrolment) -> &'static str {
        connect::enrolment(state)
    }

    fn update(
        &self,
        verdict: i32,
        reason: Reason,
        release_day: i32,
        licence_last_day: i32,
        maintenance_last_day: i32,
    ) -> String {
        let release = self.day(release_day);
        match (verdict, reason) {
            (1, _) if maintenance_last_day == 0 => format!("The release of {release} may be installed."),
            (1, _) => format!(
                "The release of {release} may be installed: maintenance covers releases up to {}.",
                self.day(maintenance_last_day)
            ),
            (-1, Reason::LicenceExpired) => {
                format!(
                    "The release of {release} may not be installed: the licence expired, its last day was {}.",
                    self.day(licence_last_day)
                )
            }
            (-1, Reason::MaintenanceEnded) if maintenance_last_day == 0 => {
                format!("The release of {release} may not be installed: there is no maintenance contract.")
            }
            (-1, Reason::MaintenanceEnded) => format!(
                "The release of {release} may not be installed: maintenance covers releases up to {}.",
                self.day(maintenance_last_day)
            ),
            (-1, other) => format!("The release of {release} may not be installed. {}", self.refusal(other)),
            (_, other) => {
                format!("It cannot be told whether the release of {release} may be installed. {}", self.refusal(other))
            }
        }
    }
}

impl English {
    fn when(&self, days_left: i32, last_day: i32) -> String {
        let day = self.day(last_day);
        match days_left {
            0 => format!("at the end of today, {day}"),
            1 => format!("tomorrow, at the end of {day}"),
            more => format!("in {more} days, at the end of {day}"),
        }
    }
}

fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    let more = names.len() - shown.len();
    match (shown.as_slice(), more) {
        ([one], 0) => (*one).to_owned(),
        ([head @ .., last], 0) => format!("{} and {last}", head.join(", ")),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::Day;

    #[test]
    fn sentences_name_the_day_and_count_in_words_a_person_would_use() {
        let cases = [
            (English.licence_expiring(0, 20270531), "The licence expires at the end of today, 31 May 2027."),
            (English.licence_expiring(1, 20270531), "The licence expires tomorrow, at the end of 31 May 2027."),
            (English.maintenance_expiring(12, 20270205), "Maintenance ends in 12 days, at the end of 5 February 2027."),
            (English.licence_expired(20270531), "The licence has expired. Its last day was 31 May 2027."),
            (English.manual_copy(1, "/a", "/b"), "A licence has to be copied by hand: one file from /a to /b."),
            (English.day(0), "no date"),
        ];
        for (is, should) in cases {
            assert_eq!(is, should);
        }
    }

    #[test]
    fn an_announcement_names_what_changed_and_long_lists_end_with_more() {
        let names = |n: usize| (1..=n).map(|i| format!("Option {i}")).collect::<Vec<_>>();
        let changes = Changes { added: names(7), removed: names(1), users: Some((5, 10)), ..Changes::default() };
        assert_eq!(
            English.changed(&changes),
            "Your licence has changed. New: Option 1, Option 2, Option 3, Option 4, Option 5 and 2 more. Removed: Option 1. Users: 10 (before: 5)."
        );
        let until = Day::parse("2028-01-31").ok();
        let changes = Changes {
            added: names(2),
            maintenance: Some((None, until)),
            expiry: Some((until, None)),
            ..Changes::default()
        };
        assert_eq!(
            English.changed(&changes),
            "Your licence has changed. New: Option 1 and Option 2. Maintenance until 31 January 2028. The licence has no end date."
        );
    }

    #[test]
    fn every_code_and_reason_has_a_sentence_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for code in 1..=21 {
            let reason = Reason::from_code(code).expect("reasons 1 to 21 exist");
            assert!(seen.insert(English.refusal(reason)), "{reason:?}");
        }
        let codes = (-17..=0).filter(|code| *code != -14).chain([-100, -101, -900]);
        for code in codes {
            assert!(seen.insert(English.error(code)), "{code}");
        }
    }
}
