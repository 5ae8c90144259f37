//! Which notices hold at an instant: a pure function of what is published and of the time.
//!
//! [`Facts`] are the plain integers that the worker publishes. [`Facts::at`] turns them into an [`Image`], the answer that a
//! host gets, together with the span of local time in which that very answer stays right: within it a call only copies.
//! No clock, no I/O, no allocation; the words for people are in [`crate::words`].

use crate::licence::{Day, Judged, Licence, Reason};

pub const MAINTENANCE_EXPIRING: u32 = 0x001;
pub const LICENCE_EXPIRING: u32 = 0x002;
pub const LICENCE_EXPIRED: u32 = 0x004;
pub const MAINTENANCE_EXPIRED: u32 = 0x008;
pub const NEW_FEATURES: u32 = 0x010;
pub const MANUAL_COPY: u32 = 0x020;
pub const ASSISTANCE_REQUESTED: u32 = 0x040;
pub const ASSISTANCE_ACTIVE: u32 = 0x080;
pub const NO_LICENCE: u32 = 0x100;
pub const CLOCK_WRONG: u32 = 0x200;
pub const SERVICE_UNREACHABLE: u32 = 0x400;

pub const NEVER: i64 = i64::MAX;
pub const NEVER_DAY: i32 = 99_991_231;
pub const NEVER_LEFT: i32 = i32::MAX;

/// State of the licence, as numbered in the ABI.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenceState {
    Unknown = 0,
    Valid = 1,
    Expired = 2,
    Missing = 3,
    Refused = 4,
}

impl LicenceState {
    /// The word in JSON.
    pub fn token(self) -> &'static str {
        match self {
            LicenceState::Unknown => "unknown",
            LicenceState::Valid => "valid",
            LicenceState::Expired => "expired",
            LicenceState::Missing => "missing",
            LicenceState::Refused => "refused",
        }
    }

    /// The state with this number; an unknown number is `Unknown`, which denies.
    pub fn from_number(number: u32) -> LicenceState {
        match number {
            1 => LicenceState::Valid,
            2 => LicenceState::Expired,
            3 => LicenceState::Missing,
            4 => LicenceState::Refused,
            _ => LicenceState::Unknown,
        }
    }
}

/// One date with its two instants, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// 20271123, `NEVER_DAY`, or 0 = none.
    pub last_day: i32,
    /// When the warning begins; `NEVER` when it never does.
    pub warns: i64,
    /// The instant it is over; `NEVER`, or 0 = none.
    pub ends: i64,
}

impl Term {
    pub const NONE: Term = Term { last_day: 0, warns: NEVER, ends: 0 };
    pub const PERPETUAL: Term = Term { last_day: NEVER_DAY, warns: NEVER, ends: NEVER };

    fn until(day: Day) -> Term {
        Term { last_day: day.number(), warns: day.warns_from().unix(), ends: day.ends_at().unix() }
    }

    fn dated(&self) -> bool {
        self.ends != 0 && self.ends != NEVER
    }

    /// Days until the last day: 0 on it, negative from the instant of expiry on.
    fn days_left(&self, now: i64) -> i32 {
        match self.ends {
            0 => 0,
            NEVER => NEVER_LEFT,
            // Day D ends at (D+1)T12:00Z and "today" is the UTC date of now - 12 h, so both count in days that begin at noon.
            ends => {
                let last = ends.saturating_sub(NOON).div_euclid(DAY) - 1;
                let today = now.saturating_sub(NOON).div_euclid(DAY);
                i32::try_from(last - today).unwrap_or(if last > today { NEVER_LEFT } else { i32::MIN })
            }
        }
    }
}

const DAY: i64 = 86_400;
const NOON: i64 = 43_200;

/// What is published. Every member is an integer, so that a reader can copy it without a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Notices that hold whatever the time is.
    pub steady: u32,
    pub state: LicenceState,
    pub reason: Reason,
    pub licence: Term,
    pub maintenance: Term,
    pub users: u32,
    pub service: u32,
    pub announcement: u64,
    pub assistance_request: u64,
    pub sequence: u64,
    pub copy_sequence: u64,
    /// Assistance state and whatever else shows without being a member here; part of the revision.
    pub other: u64,
    /// Added to local time before anything is judged.
    pub shift: i64,
    /// The clock mark: dates are judged at `max(local + shift, floor)`.
    pub floor: i64,
}

impl Facts {
    /// Nothing known: answers of an agent that has not read a licence yet.
    pub const UNKNOWN: Facts = Facts {
        steady: 0,
        state: LicenceState::Unknown,
        reason: Reason::None,
        licence: Term::NONE,
        maintenance: Term::NONE,
        users: 0,
        service: 0,
        announcement: 0,
        assistance_request: 0,
        sequence: 0,
        copy_sequence: 0,
        other: 0,
        shift: 0,
        floor: 0,
    };

    /// The facts of a genuine licence; whoever publishes adds announcement, copy and service.
    pub fn of(licence: &Licence, judged: &Judged) -> Facts {
        Facts {
            state: LicenceState::Valid,
            licence: licence.expires_on.map_or(Term::PERPETUAL, Term::until),
            maintenance: licence.maintenance_until.map_or(Term::NONE, Term::until),
            users: licence.users,
            sequence: licence.sequence.get(),
            ..Facts::none(LicenceState::Unknown, Reason::None, judged)
        }
    }

    /// The facts where no licence is in use.
    pub fn none(state: LicenceState, reason: Reason, judged: &Judged) -> Facts {
        let missing = matches!(state, LicenceState::Missing | LicenceState::Refused);
        Facts {
            steady: if missing { NO_LICENCE } else { 0 } | if judged.shift != 0 { CLOCK_WRONG } else { 0 },
            state,
            reason,
            shift: judged.shift,
            floor: judged.floor,
            ..Facts::UNKNOWN
        }
    }

    /// The answer at `local`, a reading of the wall clock.
    pub fn at(&self, local: i64) -> Image {
        let corrected = local.saturating_add(self.shift);
        let behind = self.floor.saturating_sub(corrected);
        let now = corrected.max(self.floor);
        let mut notices = self.steady;
        if behind > WRONG_FROM {
            notices |= CLOCK_WRONG;
        }
        if behind > UNKNOWN_FROM && self.licence.dated() {
            return self.image(LicenceState::Unknown, notices, Term::NONE, Term::NONE, now, local);
        }
        let mut state = self.state;
        if self.licence.dated() {
            if now >= self.licence.ends {
                notices |= LICENCE_EXPIRED;
                state = LicenceState::Expired;
            } else if now >= self.licence.warns {
                notices |= LICENCE_EXPIRING;
            }
        }
        if self.maintenance.dated() {
            if now >= self.maintenance.ends {
                notices |= MAINTENANCE_EXPIRED;
            } else if now >= self.maintenance.warns {
                notices |= MAINTENANCE_EXPIRING;
            }
        }
        self.image(state, notices, self.licence, self.maintenance, now, local)
    }

    fn image(
        &self,
        state: LicenceState,
        notices: u32,
        licence: Term,
        maintenance: Term,
        now: i64,
        local: i64,
    ) -> Image {
        let licence_days_left = licence.days_left(now);
        let maintenance_days_left = maintenance.days_left(now);
        let (from, until) = self.span(local);
        let mut image = Image {
            notices,
            revision: 0,
            licence_last_day: licence.last_day,
            maintenance_last_day: maintenance.last_day,
            licence_days_left,
            maintenance_days_left,
            announcement: self.announcement,
            assistance_request: self.assistance_request,
            users: self.users,
            service: self.service,
            state: state as u32,
            reason: self.reason.code(),
            sequence: self.sequence,
            copy_sequence: self.copy_sequence,
            licence_expires_at: licence.ends,
            maintenance_ends_at: maintenance.ends,
            from,
            until,
        };
        image.revision = image.hash(self.other);
        image
    }

    /// The span of local time around `local` in which nothing in the answer changes.
    fn span(&self, local: i64) -> (i64, i64) {
        let corrected = local.saturating_add(self.shift);
        let (mut from, mut until) = (i64::MIN, NEVER);
        let mut edge = |at: i64| {
            if at <= corrected {
                from = from.max(at);
            } else {
                until = until.min(at);
            }
        };
        // Also where there is no mark, which is 0: a clock before 1970 is wrong.
        edge(self.floor);
        edge(self.floor.saturating_sub(WRONG_FROM));
        edge(self.floor.saturating_sub(UNKNOWN_FROM));
        for term in [&self.licence, &self.maintenance] {
            if term.dated() {
                edge(term.warns);
                edge(term.ends);
                let today = (corrected.saturating_sub(NOON)).div_euclid(DAY);
                edge(today.saturating_mul(DAY).saturating_add(NOON));
                edge(today.saturating_add(1).saturating_mul(DAY).saturating_add(NOON));
            }
        }
        let local_of = |at: i64| if at == i64::MIN || at == NEVER { at } else { at.saturating_sub(self.shift) };
        (local_of(from), local_of(until))
    }
}

/// More than this far behind the mark is `CLOCK_WRONG`.
const WRONG_FROM: i64 = 3_600;
/// More than this far behind the mark, a dated licence is not judged at all.
const UNKNOWN_FROM: i64 = 86_400;

/// The answer at one instant: the members of `ors_licence_status`, and the span of local time in which it stays right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    pub notices: u32,
    pub revision: u64,
    pub licence_last_day: i32,
    pub maintenance_last_day: i32,
    pub licence_days_left: i32,
    pub maintenance_days_left: i32,
    pub announcement: u64,
    pub assistance_request: u64,
    pub users: u32,
    pub service: u32,
    pub state: u32,
    pub reason: i32,
    pub sequence: u64,
    pub copy_sequence: u64,
    pub licence_expires_at: i64,
    pub maintenance_ends_at: i64,
    pub from: i64,
    pub until: i64,
}

impl Image {
    pub fn licence_state(&self) -> LicenceState {
        LicenceState::from_number(self.state)
    }

    /// One number for all that shows (`service` apart: it belongs to the process). Equal facts give equal numbers in every
    /// process and version: the mixing is part of the contract between processes on one state folder.
    fn hash(&self, other: u64) -> u64 {
        let pair = |high: u32, low: u32| (u64::from(high) << 32) | u64::from(low);
        let words = [
            pair(self.notices, self.users),
            pair(self.licence_last_day.cast_unsigned(), self.maintenance_last_day.cast_unsigned()),
            pair(self.licence_days_left.cast_unsigned(), self.maintenance_days_left.cast_unsigned()),
            self.announcement,
            self.assistance_request,
            pair(self.state, self.reason.cast_unsigned()),
            self.sequence,
            self.copy_sequence,
            other,
        ];
        let mut hash = 0x6f72_7320_7265_7631u64;
        for word in words {
            // The finaliser of splitmix64 over a running sum: every bit of every word reaches every bit of the result.
            hash = hash.wrapping_add(word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            hash ^= hash >> 31;
        }
        // 0 is what a zeroed struct holds: never a real revision.
        hash.max(1)
    }
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
