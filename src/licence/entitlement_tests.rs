use super::*;
use crate::licence::Instant;
use crate::licence::testkit::with;
use serde_json::json;

fn licence(expires_on: Option<&str>, maintenance_until: Option<&str>) -> Licence {
    let mut payload = with("/expires_on", json!(expires_on));
    payload["maintenance_until"] = json!(maintenance_until);
    Licence::parse(payload.to_string().as_bytes()).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// A clock that shows this and is right.
fn right(now: &str) -> Judged {
    Judged { local: Instant::parse(now).unwrap().unix(), ..Judged::default() }
}

#[test]
fn release_and_maintenance_are_compared_day_against_day() {
    for (maintenance, release, verdict, reason) in [
        (Some("2027-05-31"), "2027-05-30", 1, Reason::None),
        (Some("2027-05-31"), "2027-05-31", 1, Reason::None),
        (Some("2027-05-31"), "2027-06-01", -1, Reason::MaintenanceEnded),
        (Some("2020-01-01"), "2019-12-31", 1, Reason::None),
        (None, "2019-12-31", -1, Reason::MaintenanceEnded),
    ] {
        let found =
            judge(Ok(&licence(None, maintenance)), day(release), || panic!("perpetual: the clock is not asked"));
        assert_eq!((found.verdict, found.reason), (verdict, reason), "{maintenance:?} {release}");
        assert_eq!(found.licence_last_day, NEVER_DAY);
        assert_eq!(found.maintenance_last_day, maintenance.map_or(0, |text| day(text).number()));
        assert_eq!((found.release_day, found.sequence), (day(release).number(), 7));
    }
}

#[test]
fn the_clock_is_asked_last_of_all() {
    let found = judge(Ok(&licence(Some("2027-11-23"), Some("2026-01-01"))), day("2026-12-01"), || {
        panic!("maintenance decides")
    });
    assert_eq!((found.verdict, found.reason), (-1, Reason::MaintenanceEnded));
    let found = judge(Err(Reason::UnknownKey), day("2026-12-01"), || panic!("there is no licence"));
    let none = Verdict {
        verdict: 0,
        reason: Reason::UnknownKey,
        release_day: 20_261_201,
        licence_last_day: 0,
        maintenance_last_day: 0,
        sequence: 0,
    };
    assert_eq!(found, none);
}

#[test]
fn expiry_counts_from_noon_of_the_day_after_and_a_wrong_clock_never_says_no() {
    let (good, late) = (right("2027-11-24T11:59:59Z"), right("2027-11-24T12:00:00Z"));
    let a_year_ahead = Judged { shift: -365 * 86_400, wrong: true, ..right("2028-11-24T12:00:00Z") };
    let floor = Instant::parse("2027-11-24T12:00:00Z").unwrap().unix();
    for (clock, verdict, reason) in [
        (good, 1, Reason::None),
        (late, -1, Reason::LicenceExpired),
        (Judged { wrong: true, ..late }, 0, Reason::Clock),
        (Judged { wrong: true, ..good }, 1, Reason::None),
        (Judged { wrong: true, unknown_dates: true, ..good }, 0, Reason::Clock),
        (Judged { wrong: true, unknown_dates: true, ..late }, 0, Reason::Clock),
        (a_year_ahead, 0, Reason::Clock),
        (Judged { shift: -367 * 86_400, ..a_year_ahead }, 1, Reason::None),
        (Judged { floor, ..good }, -1, Reason::LicenceExpired),
        (Judged { floor, wrong: true, ..good }, 0, Reason::Clock),
        (Judged { local: i64::MAX, ..good }, -1, Reason::LicenceExpired),
        (Judged { local: i64::MIN, shift: -5, ..good }, 1, Reason::None),
    ] {
        let found = judge(Ok(&licence(Some("2027-11-23"), Some("2027-05-31"))), day("2026-12-01"), || clock);
        assert_eq!((found.verdict, found.reason), (verdict, reason), "{clock:?}");
        assert_eq!((found.licence_last_day, found.maintenance_last_day), (20_271_123, 20_270_531));
    }
}
