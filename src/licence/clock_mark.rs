//! The clock mark: the latest time known to be real, and what it makes of a reading of the local clock.
//!
//! The mark keeps an installation from living in the past, and lets a clock that strays into the future for a while leave no
//! trace. Nothing here reads a clock: [`Moment`]s come from [`crate::clock`], and the mark is kept by the state folder.

use super::dates::Instant;
use serde::{Deserialize, Serialize};

const HOUR: i64 = 3_600;
/// How long local time must stand above the mark before it is believed, how long a signed time is fresh, and how far behind
/// the mark dates are still judged, in seconds.
const DAY: i64 = 86_400;

/// A signed time and when it came, by the clock that nobody can set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Unix seconds.
    pub time: i64,
    /// Name of the boot in which it came.
    pub boot: String,
    /// Seconds since that boot.
    pub boot_seconds: u64,
}

/// The latest time known to be real.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Unix seconds; 0 = none.
    pub at: i64,
    /// Seconds of running time for which local time has now stood above `at`.
    pub above: u64,
    /// Of those, the lowest that local time was, less the seconds that had then passed: where the clock stood at their
    /// beginning by the most modest of its own readings. 0 while `above` is 0.
    #[serde(default)]
    pub lowest: i64,
    /// The last signed time.
    pub signed: Option<Signed>,
}

/// Local time and boot time, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds by the wall clock.
    pub local: i64,
    /// Name of this boot.
    pub boot: String,
    /// Seconds since it, sleep included.
    pub boot_seconds: u64,
}

/// What a reading of the local clock is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The reading that was judged, Unix seconds.
    pub local: i64,
    /// To add to local time, seconds; 0 unless a fresh signed time differs by more than an hour.
    pub shift: i64,
    /// Dates are judged at the later of `local + shift` and this, Unix seconds.
    pub floor: i64,
    /// `CLOCK_WRONG`: more than an hour off, either way.
    pub wrong: bool,
    /// More than 24 hours behind: a licence with a last day is not judged at all.
    pub unknown_dates: bool,
}

impl Judged {
    /// The moment at which dates are judged when the local clock shows `local`.
    pub fn now(&self, local: i64) -> Instant {
        Instant::from_unix(local.saturating_add(self.shift).max(self.floor))
    }

    /// [`Judged::now`] at the reading that was judged.
    pub fn at_reading(&self) -> Instant {
        self.now(self.local)
    }
}

impl Mark {
    /// Judges a reading.
    ///
    /// With a signed time of this boot, less than 24 hours old, time is that plus the boot time since; else it is local time,
    /// and the mark where that is later.
    pub fn judge(&self, moment: &Moment) -> Judged {
        let off = self.fresh(moment).map_or(0, |real| real.saturating_sub(moment.local));
        let shift = if off.unsigned_abs() > HOUR.unsigned_abs() { off } else { 0 };
        let behind = match self.at {
            0 => 0,
            at => at.saturating_sub(moment.local.saturating_add(shift)),
        };
        Judged {
            local: moment.local,
            shift,
            floor: self.at,
            wrong: shift != 0 || behind > HOUR,
            unknown_dates: behind > DAY,
        }
    }

    /// Notes that the agent ran for `running_seconds` up to this moment.
    ///
    /// Once local time has stood above the mark for 24 hours of running time, added up over restarts, the mark follows: not to
    /// the reading of that very second, but to where the lowest reading of those hours puts it. So an hour in 2036 leaves
    /// no trace, wherever in those hours it falls.
    pub fn ran(&mut self, moment: &Moment, running_seconds: u64) {
        // A clock that a fresh signed time has found wrong is not believed here either.
        let local = self.judge(moment).shift.saturating_add(moment.local);
        if local <= self.at {
            self.begin_anew();
            return;
        }
        if running_seconds == 0 {
            return;
        }
        let passed = i64::try_from(self.above.saturating_add(running_seconds)).unwrap_or(i64::MAX);
        let began = local.saturating_sub(passed);
        self.lowest = if self.above == 0 { began } else { self.lowest.min(began) };
        self.above = passed.unsigned_abs();
        if passed >= DAY {
            self.at = self.at.max(self.lowest.saturating_add(passed));
            self.begin_anew();
        }
    }

    /// Notes that a genuine licence was installed. One that is `newer` than the one before may lower the mark: the vendor has
    /// said since what time it is.
    pub fn licence_issued(&mut self, issued_at: Instant, newer: bool) {
        if newer || issued_at.unix() > self.at {
            self.put(issued_at.unix());
        }
    }

    /// Notes a time that the back office signed just now, in answer to a question of this moment.
    pub fn signed(&mut self, time: Instant, moment: &Moment) {
        self.put(time.unix());
        self.signed = Some(Signed { time: time.unix(), boot: moment.boot.clone(), boot_seconds: moment.boot_seconds });
    }

    /// Notes the time of a verified time file. It was carried here by hand, so it only moves the mark, down as well as up:
    /// how long ago that time was, nobody knows.
    pub fn time_file(&mut self, time: Instant) {
        self.put(time.unix());
    }

    /// The time now by the last signed one, if that is of this boot and less than 24 hours old.
    fn fresh(&self, moment: &Moment) -> Option<i64> {
        let signed = self.signed.as_ref().filter(|signed| signed.boot == moment.boot)?;
        let since = i64::try_from(moment.boot_seconds.checked_sub(signed.boot_seconds)?).ok()?;
        (since < DAY).then(|| signed.time.saturating_add(since))
    }

    fn put(&mut self, at: i64) {
        // 0 means "none": a time at or before 1970 says nothing.
        self.at = at.max(0);
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        self.above = 0;
        self.lowest = 0;
    }
}

#[cfg(test)]
#[path = "clock_mark_tests.rs"]
mod tests;
