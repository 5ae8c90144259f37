//! Days and instants, which are never compared by accident.
//!
//! A licence names a [`Day`]: it is good through the whole of that day everywhere on earth, so it ends at noon UTC of the
//! day after, and "today" is the UTC date twelve hours ago. An [`Instant`] is for comparing and is never shown.
//!
//! Both have one text shape, checked here byte by byte: a calendar library takes more (`20261201`, `+002026-12-01`, a 60th
//! second), and a date that two programs read differently is a licence that two programs read differently.

use jiff::{SignedDuration, Span, civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

const DAY_SECONDS: i64 = 86_400;
const HALF_DAY: i64 = DAY_SECONDS / 2;
const EPOCH: civil::Date = civil::date(1970, 1, 1);
const FIRST_YEAR: i16 = 1970;
const LAST_YEAR: i16 = 9998;
/// 9998-12-31 in days since 1970-01-01.
const LAST_DAY: i32 = 2_932_531;

/// Why a text is not a date or an instant, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateError(pub &'static str);

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for DateError {}

const DAY_SHAPE: DateError = DateError("a date has the shape 2027-11-23");
const INSTANT_SHAPE: DateError = DateError("a time has the shape 2026-11-23T10:00:00Z");
const NO_SUCH_DAY: DateError = DateError("there is no such day in the calendar");
const NO_SUCH_TIME: DateError = DateError("there is no such time of day");
const NO_SUCH_YEAR: DateError = DateError("the year is not between 1970 and 9998");

/// A moment, in whole Unix seconds. As text and in JSON `2026-11-23T10:00:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instant(i64);

impl Instant {
    /// The moment `seconds` after 1970-01-01T00:00:00Z; any value, also one outside the years that a text may name.
    pub const fn from_unix(seconds: i64) -> Instant {
        Instant(seconds)
    }

    /// Unix seconds.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads exactly `YYYY-MM-DDTHH:MM:SSZ`, years 1970 to 9998.
    pub fn parse(text: &str) -> Result<Instant, DateError> {
        let bytes: &[u8; 20] = text.as_bytes().try_into().map_err(|_| INSTANT_SHAPE)?;
        shaped(bytes, b"0000-00-00T00:00:00Z", INSTANT_SHAPE)?;
        let date = calendar_day(number(&bytes[..4]), number(&bytes[5..7]), number(&bytes[8..10]))?;
        let (hour, minute, second) = (number(&bytes[11..13]), number(&bytes[14..16]), number(&bytes[17..19]));
        if hour > 23 || minute > 59 || second > 59 {
            return Err(NO_SUCH_TIME);
        }
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Ok(Instant(i64::from(Day(date).days_since_epoch()) * DAY_SECONDS + of_day))
    }

    /// This many seconds later (earlier when negative); stops at the ends of the range instead of wrapping.
    pub fn plus(self, seconds: i64) -> Instant {
        Instant(self.0.saturating_add(seconds))
    }
}

/// A moment outside the years 1970 to 9998 shows as the nearest one inside.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = self.0.clamp(0, (i64::from(LAST_DAY) + 1) * DAY_SECONDS - 1);
        let (day, second) = (Day::from_days(inside / DAY_SECONDS), inside % DAY_SECONDS);
        write!(f, "{day}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

/// A day in the calendar, 1970 to 9998. As text and in JSON `2027-11-23`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(civil::Date);

impl Day {
    /// Reads exactly `YYYY-MM-DD`, years 1970 to 9998.
    pub fn parse(text: &str) -> Result<Day, DateError> {
        let bytes: &[u8; 10] = text.as_bytes().try_into().map_err(|_| DAY_SHAPE)?;
        shaped(bytes, b"0000-00-00", DAY_SHAPE)?;
        calendar_day(number(&bytes[..4]), number(&bytes[5..7]), number(&bytes[8..10])).map(Day)
    }

    /// The day as a number: 20271123.
    pub fn number(self) -> i32 {
        i32::from(self.0.year()) * 10_000 + i32::from(self.0.month()) * 100 + i32::from(self.0.day())
    }

    /// "Today" at a moment: the UTC date of twelve hours before, which is the day that [`Day::ends_at`] has not ended yet.
    /// Moments outside the range give its first or last day.
    pub fn at(now: Instant) -> Day {
        Day::from_days(now.0.saturating_sub(HALF_DAY).div_euclid(DAY_SECONDS))
    }

    /// The first moment at which this day is over everywhere on earth: noon UTC of the day after.
    pub fn ends_at(self) -> Instant {
        Instant((i64::from(self.days_since_epoch()) + 1) * DAY_SECONDS + HALF_DAY)
    }

    /// When the warning before this day begins: midnight UTC of the same day one calendar month before, or of that month's
    /// last day when it is shorter (29, 30 and 31 March 2026 all warn from 28 February).
    pub fn warns_from(self) -> Instant {
        // Cannot fail: the calendar reaches far before 1969.
        let before = self.0.checked_sub(Span::new().months(1)).unwrap_or(self.0);
        Instant(i64::from(Day(before).days_since_epoch()) * DAY_SECONDS)
    }

    /// Days from this day until another; negative when the other is earlier.
    pub fn days_until(self, other: Day) -> i32 {
        other.days_since_epoch() - self.days_since_epoch()
    }

    /// Days since 1970-01-01.
    pub fn days_since_epoch(self) -> i32 {
        i32::try_from(self.0.duration_since(EPOCH).as_hours() / 24).unwrap_or(LAST_DAY)
    }

    /// Clamped to the range.
    fn from_days(days: i64) -> Day {
        let hours = days.clamp(0, i64::from(LAST_DAY)) * 24;
        Day(EPOCH.saturating_add(SignedDuration::from_hours(hours)))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

/// Whether the bytes have digits where the shape has `0` and the very same byte elsewhere.
fn shaped(bytes: &[u8], shape: &[u8], otherwise: DateError) -> Result<(), DateError> {
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    if bytes.iter().zip(shape).all(fits) { Ok(()) } else { Err(otherwise) }
}

/// The number that at most four digits write; they were checked to be digits.
fn number(digits: &[u8]) -> u16 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
}

fn calendar_day(year: u16, month: u16, day: u16) -> Result<civil::Date, DateError> {
    let year = i16::try_from(year).ok().filter(|year| (FIRST_YEAR..=LAST_YEAR).contains(year)).ok_or(NO_SUCH_YEAR)?;
    let (month, day) = (i8::try_from(month).map_err(|_| NO_SUCH_DAY)?, i8::try_from(day).map_err(|_| NO_SUCH_DAY)?);
    civil::Date::new(year, month, day).map_err(|_| NO_SUCH_DAY)
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        Instant::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        Day::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[path = "dates_tests.rs"]
mod tests;
