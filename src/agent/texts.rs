//! One text about one thing, from the published view.

use super::view::View;
use super::{Agent, Error, error::Kind};
use crate::clock;
use crate::notice::{self, Facts};
use crate::words;

/// The fields of `ors_text` that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Serial,
    Customer,
    Product,
    LicenceReason,
    CopySource,
    CopyTarget,
    CopyFileNames,
    CopyLicence,
    /// Of this installation's key.
    Fingerprint,
    /// About remote assistance: nothing to tell before that exists on this installation.
    Later,
}

/// What a page showed, for [`Agent::notice_text`]: the sentence is about these very dates and ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub notices: u32,
    pub licence_last_day: i32,
    pub maintenance_last_day: i32,
    pub licence_days_left: i32,
    pub maintenance_days_left: i32,
    pub announcement: u64,
    pub assistance_request: u64,
}

fn stale(place: &str) -> Error {
    Error::new(Kind::Stale, place, "What was named is no longer the current one.")
}

impl Agent {
    /// The sentence for one notice of `shown`, in the best language for `language`.
    ///
    /// # Errors
    /// `Argument` when `bit` is not one bit that `shown` holds, `Stale` when its dates or announcement are gone.
    pub fn notice_text(&self, shown: &Shown, bit: u32, language: Option<&str>) -> Result<String, Error> {
        if !bit.is_power_of_two() || shown.notices & bit == 0 {
            return Err(Error::argument("notice", "notice is one bit of shown.notices."));
        }
        let view = self.board()?.view();
        let words = words::choose(language, view.language.as_deref());
        let facts = &view.facts;
        let same = |current: i32, shown: i32| if current == shown { Ok(()) } else { Err(stale("shown")) };
        match bit {
            notice::LICENCE_EXPIRING | notice::LICENCE_EXPIRED => {
                same(facts.licence.last_day, shown.licence_last_day)?;
                Ok(match bit {
                    notice::LICENCE_EXPIRING => words.licence_expiring(shown.licence_days_left, shown.licence_last_day),
                    _ => words.licence_expired(shown.licence_last_day),
                })
            }
            notice::MAINTENANCE_EXPIRING | notice::MAINTENANCE_EXPIRED => {
                same(facts.maintenance.last_day, shown.maintenance_last_day)?;
                Ok(match bit {
                    notice::MAINTENANCE_EXPIRING => {
                        words.maintenance_expiring(shown.maintenance_days_left, shown.maintenance_last_day)
                    }
                    _ => words.maintenance_expired(shown.maintenance_last_day),
                })
            }
            notice::NEW_FEATURES => {
                let changes = view.announcements.changes_of(shown.announcement, view.acknowledged);
                Ok(words.changed(&changes.ok_or_else(|| stale("announcement"))?))
            }
            notice::MANUAL_COPY => {
                let waiting = view.waiting.as_ref().ok_or_else(|| stale("shown"))?;
                let source = waiting.source.display().to_string();
                Ok(words.manual_copy(waiting.files.len(), &source, view.copy_target()))
            }
            notice::NO_LICENCE if facts.steady & notice::NO_LICENCE != 0 => {
                Ok(words.no_licence(facts.reason, &view.folder))
            }
            notice::NO_LICENCE => Err(stale("shown")),
            notice::CLOCK_WRONG => Ok(words.clock_wrong(shown.licence_last_day != 0 || !dated(facts))),
            notice::SERVICE_UNREACHABLE => Ok(words.service_unreachable()),
            notice::ASSISTANCE_REQUESTED => Ok(words.assistance_requested()),
            notice::ASSISTANCE_ACTIVE => Ok(words.assistance_active()),
            _ => Err(Error::argument("notice", "This notice is not known.")),
        }
    }

    /// One text about one thing. `subject` 0 is the current one.
    ///
    /// # Errors
    /// `Stale` when `subject` is no longer the current one.
    pub fn text(&self, field: Field, subject: u64) -> Result<String, Error> {
        let view = self.board()?.view();
        let about = |current: u64| if subject == 0 || subject == current { Ok(()) } else { Err(stale("subject")) };
        let licence = view.in_use.as_ref().map(|(genuine, _)| genuine.licence());
        let of_licence = |pick: fn(&crate::licence::Licence) -> &str| {
            about(view.facts.sequence)?;
            Ok(licence.map(pick).unwrap_or_default().to_owned())
        };
        match field {
            Field::Serial if licence.is_none() => {
                about(view.facts.sequence)?;
                let serial = view.standing.as_ref().and_then(|standing| standing.serial.as_ref());
                Ok(serial.map(|serial| serial.as_str().to_owned()).unwrap_or_default())
            }
            Field::Serial => of_licence(|licence| licence.serial.as_str()),
            Field::Customer => of_licence(|licence| &licence.customer),
            Field::Product => of_licence(|licence| licence.product.as_str()),
            Field::LicenceReason => {
                about(view.facts.sequence)?;
                Ok(reason(&view))
            }
            Field::CopySource | Field::CopyTarget | Field::CopyFileNames | Field::CopyLicence => {
                about(view.facts.copy_sequence)?;
                let Some(waiting) = &view.waiting else { return Ok(String::new()) };
                Ok(match field {
                    Field::CopySource => waiting.source.display().to_string(),
                    Field::CopyTarget => view.copy_target().to_owned(),
                    Field::CopyFileNames => waiting.files.join("\n"),
                    _ => String::from_utf8_lossy(waiting.genuine.bytes()).into_owned(),
                })
            }
            Field::Fingerprint => about(0).map(|()| view.account.fingerprint.clone().unwrap_or_default()),
            Field::Later => about(0).map(|()| String::new()),
        }
    }
}

fn dated(facts: &Facts) -> bool {
    facts.licence.ends != 0 && facts.licence.ends != notice::NEVER
}

/// Why there is no licence, with the particulars of the file that says most.
fn reason(view: &View) -> String {
    if view.facts.at(clock::coarse_seconds()).state != notice::LicenceState::Refused as u32 {
        return String::new();
    }
    let row = view.files.iter().filter(|file| file.reason == view.reason).max_by_key(|file| file.sequence);
    match row {
        Some(row) => format!("{}: {}", row.file, row.text),
        None => words::choose(None, view.language.as_deref()).refusal(view.reason).to_owned(),
    }
}
