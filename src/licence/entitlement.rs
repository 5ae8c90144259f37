//! The installer's question: may this customer install this release?

use super::clock_mark::Judged;
use super::dates::Day;
use super::{Licence, Reason};

/// `licence_last_day` of a perpetual licence: `ORS_NEVER_DAY`.
pub const NEVER_DAY: i32 = 99_991_231;

/// The answer, as in `ors_update_verdict`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// 1 allowed, -1 not entitled, 0 cannot tell.
    pub verdict: i32,
    /// The first condition that fails.
    pub reason: Reason,
    /// 20261201.
    pub release_day: i32,
    /// [`NEVER_DAY`] = perpetual; 0 = no licence.
    pub licence_last_day: i32,
    /// 0 = no contract, or no licence.
    pub maintenance_last_day: i32,
    /// 0 = no licence.
    pub sequence: u64,
}

/// Judges a release against a licence, or says why there is none to judge by.
///
/// Maintenance is compared day against day, without a clock. The clock is asked last of all, and only for a licence that
/// expires; one that is known to be wrong never makes the answer "not entitled": that is `Clock`, cannot tell.
pub fn judge(licence: Result<&Licence, Reason>, release: Day, clock: impl FnOnce() -> Judged) -> Verdict {
    let nothing = Verdict {
        verdict: 0,
        reason: Reason::NoLicence,
        release_day: release.number(),
        licence_last_day: 0,
        maintenance_last_day: 0,
        sequence: 0,
    };
    let licence = match licence {
        Ok(licence) => licence,
        Err(reason) => return Verdict { reason, ..nothing },
    };
    let known = Verdict {
        licence_last_day: licence.expires_on.map_or(NEVER_DAY, Day::number),
        maintenance_last_day: licence.maintenance_until.map_or(0, Day::number),
        sequence: licence.sequence.get(),
        ..nothing
    };
    if licence.maintenance_until.is_none_or(|last| release > last) {
        return Verdict { verdict: -1, reason: Reason::MaintenanceEnded, ..known };
    }
    let (verdict, reason) = match licence.expires_on {
        None => (1, Reason::None),
        Some(last) => {
            let clock = clock();
            let expired = clock.at_reading() >= last.ends_at();
            match (clock.unknown_dates || clock.wrong && expired, expired) {
                (true, _) => (0, Reason::Clock),
                (false, true) => (-1, Reason::LicenceExpired),
                (false, false) => (1, Reason::None),
            }
        }
    };
    Verdict { verdict, reason, ..known }
}

#[cfg(test)]
#[path = "entitlement_tests.rs"]
mod tests;
