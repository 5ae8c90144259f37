use super::*;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}
fn instant(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

#[test]
fn only_one_shape_of_a_date_is_read() {
    let refused = [
        "",
        "20261201",
        "+002026-12-01",
        "-002026-12-01",
        "2026-12-1",
        "2026-1-01",
        "26-12-01",
        "02026-12-01",
        "2026-12-01 ",
        " 2026-12-01",
        "2026-12-01\n",
        "2026/12/01",
        "2026-12-01T00:00:00Z",
        "2026-W49-2",
        "2026-335",
        "2026-12",
        "2026--1-01",
        "2026-12-00",
        "2026-00-01",
        "2026-13-01",
        "2026-02-29",
        "2026-04-31",
        "2026-12-32",
        "0000-01-01",
        "0001-01-01",
        "1969-12-31",
        "9999-01-01",
        "9999-12-31",
        "2026-12-0١",
        "２０２６-12-01",
        "2026-12-01\0",
        "today",
        "2026-12-01[UTC]",
        "2026\u{2212}12\u{2212}01",
        "2026-99-99",
    ];
    for text in refused {
        assert!(Day::parse(text).is_err(), "{text:?}");
        assert!(serde_json::from_value::<Day>(serde_json::json!(text)).is_err(), "{text:?}");
    }
    for text in ["1970-01-01", "2024-02-29", "2026-12-01", "9998-12-31", "2000-02-29"] {
        assert_eq!(day(text).to_string(), text);
        assert_eq!(serde_json::to_value(day(text)).unwrap(), serde_json::json!(text));
    }
}

#[test]
fn only_one_shape_of_an_instant_is_read() {
    let refused = [
        "",
        "2026-12-01",
        "2026-12-01T10:00:60Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01T10:60:00Z",
        "2026-12-01T10:00:00z",
        "2026-12-01t10:00:00Z",
        "2026-12-01 10:00:00Z",
        "2026-12-01T10:00:00",
        "2026-12-01T10:00:00+00:00",
        "2026-12-01T10:00:00.5Z",
        "2026-12-01T10:00Z",
        "20261201T100000Z",
        "2026-12-01T10:00:00Z ",
        "+002026-12-01T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-12-01T-1:00:00Z",
        "2026-12-01T10:00:00Z[UTC]",
        "2026-12-01T10:00:61Z",
        "2026-12-01T99:99:99Z",
    ];
    for text in refused {
        assert!(Instant::parse(text).is_err(), "{text:?}");
        assert!(serde_json::from_value::<Instant>(serde_json::json!(text)).is_err(), "{text:?}");
    }
    for (text, unix) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T10:00:00Z", 1_795_428_000),
        ("2038-01-19T03:14:08Z", 1 << 31),
        ("9998-12-31T23:59:59Z", 253_370_764_799),
    ] {
        assert_eq!(instant(text).unix(), unix, "{text}");
        assert_eq!(Instant::from_unix(unix).to_string(), text);
        assert_eq!(serde_json::from_value::<Instant>(serde_json::json!(text)).unwrap(), instant(text));
    }
    assert!(serde_json::from_str::<Instant>("1795428000").is_err());
}

#[test]
fn a_day_lasts_until_noon_utc_of_the_next() {
    for (text, ends) in [
        ("2027-11-23", "2027-11-24T12:00:00Z"),
        ("2026-12-31", "2027-01-01T12:00:00Z"),
        ("2028-02-28", "2028-02-29T12:00:00Z"),
        ("2027-02-28", "2027-03-01T12:00:00Z"),
    ] {
        assert_eq!(day(text).ends_at(), instant(ends), "{text}");
        assert_eq!(Day::at(instant(ends).plus(-1)), day(text));
        assert_eq!(Day::at(instant(ends)).days_until(day(text)), -1);
    }
    assert_eq!(day("9998-12-31").ends_at().unix(), 253_370_764_800 + 43_200);
}

#[test]
fn warning_starts_one_calendar_month_before_clamped_to_the_months_end() {
    for (text, warns) in [
        ("2026-03-28", "2026-02-28"),
        ("2026-03-29", "2026-02-28"),
        ("2026-03-30", "2026-02-28"),
        ("2026-03-31", "2026-02-28"),
        ("2028-03-31", "2028-02-29"),
        ("2028-03-29", "2028-02-29"),
        ("2028-03-28", "2028-02-28"),
        ("2026-05-31", "2026-04-30"),
        ("2026-07-31", "2026-06-30"),
        ("2026-08-31", "2026-07-31"),
        ("2027-01-15", "2026-12-15"),
        ("2026-12-31", "2026-11-30"),
        ("2100-03-29", "2100-02-28"),
    ] {
        assert_eq!(day(text).warns_from().to_string(), format!("{warns}T00:00:00Z"), "{text}");
    }
    assert_eq!(day("1970-01-15").warns_from().unix(), -17 * 86_400, "the month before the first is still counted");
}

#[test]
fn today_is_clamped_at_both_ends_of_time() {
    for (unix, expected) in [
        (i64::MIN, "1970-01-01"),
        (-1, "1970-01-01"),
        (0, "1970-01-01"),
        (43_199, "1970-01-01"),
        (86_400 + 43_199, "1970-01-01"),
        (86_400 + 43_200, "1970-01-02"),
        (253_370_764_799, "9998-12-31"),
        (253_402_300_799, "9998-12-31"),
        (i64::MAX, "9998-12-31"),
    ] {
        assert_eq!(Day::at(Instant::from_unix(unix)).to_string(), expected, "{unix}");
    }
    assert_eq!(Instant::from_unix(i64::MIN).to_string(), "1970-01-01T00:00:00Z");
    assert_eq!(Instant::from_unix(i64::MAX).to_string(), "9998-12-31T23:59:59Z");
    assert_eq!(Instant::from_unix(i64::MAX).plus(1).unix(), i64::MAX);
    assert_eq!(Instant::from_unix(i64::MIN).plus(-1).unix(), i64::MIN);
}

#[test]
fn numbers_and_distances_agree_with_the_calendar() {
    assert_eq!(day("2027-11-23").number(), 20_271_123);
    assert_eq!(day("1970-01-01").days_since_epoch(), 0);
    assert_eq!(day("9998-12-31").days_since_epoch(), LAST_DAY);
    assert_eq!(day("2026-02-28").days_until(day("2026-03-01")), 1);
    assert_eq!(day("2028-02-28").days_until(day("2028-03-01")), 2);
    assert_eq!(day("2027-01-01").days_until(day("2026-01-01")), -365);
    let mut walked = day("2023-12-31");
    for days in walked.days_since_epoch()..walked.days_since_epoch() + 800 {
        assert_eq!(walked.days_since_epoch(), days);
        assert_eq!(Day::from_days(i64::from(days)), walked);
        assert_eq!(Day::parse(&walked.to_string()), Ok(walked));
        walked = Day(walked.0.tomorrow().unwrap());
    }
}
