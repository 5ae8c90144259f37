use super::*;

fn unix(text: &str) -> i64 {
    Instant::parse(text).expect("an instant").unix()
}

fn term(day: &str) -> Term {
    Term::until(Day::parse(day).expect("a day"))
}

fn facts(licence: Term, maintenance: Term) -> Facts {
    Facts { state: LicenceState::Valid, licence, maintenance, sequence: 7, users: 5, ..Facts::UNKNOWN }
}

use crate::licence::Instant;

#[test]
fn what_holds_at_which_instant() {
    let both = facts(term("2027-11-23"), term("2027-05-31"));
    let cases: &[(&str, u32, LicenceState, i32, i32)] = &[
        ("2027-04-29T23:59:59Z", 0, LicenceState::Valid, 208, 32),
        ("2027-04-30T00:00:00Z", MAINTENANCE_EXPIRING, LicenceState::Valid, 208, 32),
        ("2027-05-31T12:00:00Z", MAINTENANCE_EXPIRING, LicenceState::Valid, 176, 0),
        ("2027-06-01T11:59:59Z", MAINTENANCE_EXPIRING, LicenceState::Valid, 176, 0),
        ("2027-06-01T12:00:00Z", MAINTENANCE_EXPIRED, LicenceState::Valid, 175, -1),
        ("2027-10-23T00:00:00Z", MAINTENANCE_EXPIRED | LICENCE_EXPIRING, LicenceState::Valid, 32, -144),
        ("2027-11-24T11:59:59Z", MAINTENANCE_EXPIRED | LICENCE_EXPIRING, LicenceState::Valid, 0, -176),
        ("2027-11-24T12:00:00Z", MAINTENANCE_EXPIRED | LICENCE_EXPIRED, LicenceState::Expired, -1, -177),
        ("2036-01-01T00:00:00Z", MAINTENANCE_EXPIRED | LICENCE_EXPIRED, LicenceState::Expired, -2960, -3136),
    ];
    for (at, notices, state, licence_left, maintenance_left) in cases {
        let image = both.at(unix(at));
        assert_eq!((image.notices, image.licence_state()), (*notices, *state), "{at}");
        assert_eq!((image.licence_days_left, image.maintenance_days_left), (*licence_left, *maintenance_left), "{at}");
    }
}

#[test]
fn without_a_mark_an_answer_of_after_1970_is_not_kept_for_a_clock_before_it() {
    for facts in [facts(term("2027-11-23"), Term::NONE), facts(Term::PERPETUAL, Term::NONE)] {
        for local in [0, -1, -3_600, -3_601, -86_400, -86_401, 1_700_000_000] {
            let image = facts.at(local);
            assert!(image.from <= local && local < image.until, "{local}");
            for other in [image.from, image.until - 1] {
                assert_eq!(facts.at(other), image, "at {other} as at {local}");
            }
        }
        assert_eq!(facts.at(-3_600).notices & CLOCK_WRONG, 0);
        assert_ne!(facts.at(-3_601).notices & CLOCK_WRONG, 0);
    }
}

#[test]
fn month_ends_are_clamped_when_the_warning_starts() {
    for day in ["2026-03-29", "2026-03-30", "2026-03-31"] {
        assert_eq!(term(day).warns, unix("2026-02-28T00:00:00Z"), "{day}");
    }
}

#[test]
fn a_perpetual_licence_never_warns_and_no_contract_says_nothing() {
    let image = facts(Term::PERPETUAL, Term::NONE).at(unix("2099-01-01T00:00:00Z"));
    assert_eq!((image.notices, image.licence_state()), (0, LicenceState::Valid));
    assert_eq!(
        (image.licence_last_day, image.licence_days_left, image.licence_expires_at),
        (NEVER_DAY, NEVER_LEFT, NEVER)
    );
    assert_eq!((image.maintenance_last_day, image.maintenance_days_left, image.maintenance_ends_at), (0, 0, 0));
}

#[test]
fn a_clock_behind_the_mark_is_judged_at_the_mark_and_a_day_behind_not_at_all() {
    let floor = unix("2027-11-20T00:00:00Z");
    let dated = Facts { floor, ..facts(term("2027-11-23"), Term::NONE) };
    let perpetual = Facts { floor, ..facts(Term::PERPETUAL, term("2027-11-25")) };
    let cases = [
        (floor - 3_600, LICENCE_EXPIRING, LicenceState::Valid),
        (floor - 3_601, LICENCE_EXPIRING | CLOCK_WRONG, LicenceState::Valid),
        (floor - 86_400, LICENCE_EXPIRING | CLOCK_WRONG, LicenceState::Valid),
        (floor - 86_401, CLOCK_WRONG, LicenceState::Unknown),
        (0, CLOCK_WRONG, LicenceState::Unknown),
        (i64::MIN, CLOCK_WRONG, LicenceState::Unknown),
    ];
    for (at, notices, state) in cases {
        let image = dated.at(at);
        assert_eq!((image.notices, image.licence_state()), (notices, state), "{at}");
        let image = perpetual.at(at);
        assert_eq!(image.licence_state(), LicenceState::Valid, "a perpetual licence is not touched by a clock, {at}");
        assert_ne!(image.notices & MAINTENANCE_EXPIRING, 0, "{at}");
    }
    let zero = dated.at(0);
    assert_eq!((zero.licence_days_left, zero.maintenance_days_left, zero.licence_last_day), (0, 0, 0));
}

#[test]
fn a_signed_time_moves_every_date() {
    let shifted = Facts { shift: 10 * 86_400, steady: CLOCK_WRONG, ..facts(term("2027-11-23"), Term::NONE) };
    assert_eq!(shifted.at(unix("2027-11-14T11:59:59Z")).licence_state(), LicenceState::Valid);
    assert_eq!(shifted.at(unix("2027-11-14T12:00:00Z")).licence_state(), LicenceState::Expired);
}

/// The promise behind the hot path: inside the span an answer is copied, so it must be the very answer of each instant.
#[test]
fn an_answer_stays_right_through_its_span_and_not_beyond() {
    let floor = unix("2027-04-01T07:00:00Z");
    for facts in [
        facts(term("2027-11-23"), term("2027-05-31")),
        Facts { floor, ..facts(term("2027-05-02"), term("2027-05-02")) },
        Facts { floor, shift: -7_777, ..facts(term("2027-04-02"), Term::NONE) },
        facts(Term::PERPETUAL, Term::NONE),
        Facts::UNKNOWN,
    ] {
        let mut at = unix("2027-03-20T00:00:00Z");
        let end = unix("2027-12-01T00:00:00Z");
        while at < end {
            let image = facts.at(at);
            assert!(image.from <= at && at < image.until, "{at} {image:?}");
            for inside in [image.from.max(0), at, at.midpoint(image.until.min(end)), image.until.min(end) - 1] {
                assert_eq!(facts.at(inside), image, "{inside}");
            }
            assert!(image.until <= at + 86_400 || !facts.licence.dated(), "a dated answer changes each day");
            at = image.until.min(end);
        }
    }
}

#[test]
fn the_revision_moves_with_everything_that_shows_and_not_with_the_service() {
    let base = facts(term("2027-11-23"), term("2027-05-31"));
    let at = unix("2027-01-01T12:00:00Z");
    let revision = |facts: Facts| facts.at(at).revision;
    let same = revision(base);
    assert_ne!(same, 0);
    assert_eq!(revision(Facts { service: 2, ..base }), same);
    let moved = [
        Facts { steady: NEW_FEATURES, ..base },
        Facts { users: 6, ..base },
        Facts { announcement: 1, ..base },
        Facts { assistance_request: 1, ..base },
        Facts { sequence: 8, ..base },
        Facts { copy_sequence: 8, ..base },
        Facts { other: 1, ..base },
        Facts { licence: term("2027-11-24"), ..base },
        Facts { maintenance: Term::NONE, ..base },
    ];
    let mut seen: Vec<u64> = moved.into_iter().map(revision).chain([same, base.at(at + 86_400).revision]).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), moved.len() + 2, "each of them another revision");
    // Other processes, other versions: the number itself is a promise.
    assert_eq!(same, 16_603_505_973_373_817_054);
}

#[test]
fn nothing_overflows_at_the_ends_of_time() {
    for floor in [0, i64::MIN, i64::MAX, 1] {
        for shift in [0, i64::MIN, i64::MAX] {
            for at in [i64::MIN, -1, 0, 1, i64::MAX] {
                let facts = Facts { floor, shift, ..facts(term("9998-12-30"), term("1970-01-02")) };
                let _ = facts.at(at);
            }
        }
    }
}
