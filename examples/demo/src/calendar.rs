//! Days relative to today: the computer's, or the one that `--at` names.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

const DAY: i64 = 86_400;

/// A clock with a fixed distance from the computer's own.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    now: Timestamp,
    offset_days: i64,
}

impl Calendar {
    pub fn real() -> Calendar {
        Calendar { now: Timestamp::now(), offset_days: 0 }
    }

    /// The same time of day, on another day.
    pub fn at(self, day: Date) -> Calendar {
        let epoch = Date::constant(1970, 1, 1);
        let number = |date: Date| date.duration_since(epoch).as_hours() / 24;
        let offset_days = number(day) - number(Calendar { offset_days: 0, ..self }.today());
        Calendar { offset_days, ..self }
    }

    /// What the library's clock is moved by.
    pub fn offset_seconds(&self) -> i64 {
        self.offset_days * DAY
    }

    /// Today as the library counts it: the day that has not yet ended everywhere on earth is the day of 12 hours ago.
    pub fn today(&self) -> Date {
        let seconds = self.now.as_second() + self.offset_seconds() - DAY / 2;
        let whole_days = i32::try_from(seconds.div_euclid(DAY)).unwrap_or(0);
        Date::constant(1970, 1, 1).saturating_add(whole_days.days())
    }

    /// As licences write it.
    pub fn in_days(&self, days: i32) -> String {
        self.today().saturating_add(days.days()).to_string()
    }

    pub fn in_months(&self, months: i32) -> Date {
        self.today().saturating_add(months.months())
    }

    /// An instant as licences write it.
    pub fn instant_in_hours(&self, hours: i64) -> String {
        let seconds = self.now.as_second() + self.offset_seconds() + hours * 3_600;
        Timestamp::from_second(seconds).unwrap_or(self.now).to_string()
    }
}

/// "2027-11-23" as a person reads it; anything else stays as it is.
pub fn text_in_words(day: &str) -> String {
    day.parse().map_or_else(|_| day.to_owned(), words)
}

fn words(date: Date) -> String {
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
    let month = usize::try_from(date.month() - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or("");
    format!("{} {month} {}", date.day(), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(instant: &str) -> Calendar {
        Calendar { now: instant.parse().unwrap(), offset_days: 0 }
    }

    #[test]
    fn today_changes_at_noon_utc() {
        assert_eq!(at("2026-11-23T11:59:59Z").today().to_string(), "2026-11-22");
        assert_eq!(at("2026-11-23T12:00:00Z").today().to_string(), "2026-11-23");
    }

    #[test]
    fn another_day_is_today_there_whatever_the_hour() {
        for now in ["2026-11-23T00:00:00Z", "2026-11-23T11:59:59Z", "2026-11-23T12:00:00Z", "2026-11-23T23:59:59Z"] {
            for day in ["2027-05-01", "1999-01-01", "2026-11-23"] {
                assert_eq!(at(now).at(day.parse().unwrap()).today().to_string(), day, "{now}");
            }
        }
    }

    #[test]
    fn days_are_written_for_people() {
        assert_eq!(text_in_words("2027-05-01"), "1 May 2027");
        assert_eq!(text_in_words("2027-13-40"), "2027-13-40");
    }

    #[test]
    fn instants_have_whole_seconds() {
        assert_eq!(at("2026-11-23T10:00:00Z").instant_in_hours(-24), "2026-11-22T10:00:00Z");
    }
}
