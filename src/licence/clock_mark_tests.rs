use super::*;

/// 2026-11-23T10:00:00Z
const NOW: i64 = 1_795_428_000;
const YEAR: i64 = 365 * DAY;

fn at(local: i64) -> Moment {
    Moment { local, boot: "boot-1".into(), boot_seconds: 1_000_000 }
}

fn later(moment: &Moment, boot_seconds: u64) -> Moment {
    Moment { boot_seconds: moment.boot_seconds + boot_seconds, ..moment.clone() }
}

fn mark(at: i64) -> Mark {
    Mark { at, ..Mark::default() }
}

/// Lets the agent run for so many hours, a note each minute, local time beginning at `local` and passing as it should.
fn run(mark: &mut Mark, local: i64, hours: i64) {
    for minute in 0..hours * 60 {
        mark.ran(&at(local.saturating_add(minute * 60 + 60)), 60);
    }
}

#[test]
fn without_a_signed_time_only_the_mark_judges() {
    for (behind, wrong, unknown) in [
        (-10 * YEAR, false, false),
        (0, false, false),
        (HOUR, false, false),
        (HOUR + 1, true, false),
        (DAY, true, false),
        (DAY + 1, true, true),
        (NOW, true, true),
        (NOW + 10 * YEAR, true, true),
    ] {
        let judged = mark(NOW).judge(&at(NOW - behind));
        assert_eq!((judged.shift, judged.wrong, judged.unknown_dates), (0, wrong, unknown), "{behind}");
        assert_eq!(judged.at_reading().unix(), NOW.max(NOW - behind));
        assert_eq!(judged.now(NOW + 5).unix(), NOW + 5);
    }
    for local in [i64::MIN, -1, 0, NOW, 1 << 31, i64::MAX] {
        let judged = Mark::default().judge(&at(local));
        assert_eq!(
            (judged.wrong, judged.unknown_dates, judged.shift),
            (false, false, 0),
            "no mark, nothing to say: {local}"
        );
        let _ = (mark(i64::MAX).judge(&at(local)), mark(i64::MIN).judge(&at(local)));
    }
}

#[test]
fn a_fresh_signed_time_shifts_a_clock_that_is_an_hour_off() {
    for (off, shifted) in [
        (0, false),
        (HOUR, false),
        (-HOUR, false),
        (HOUR + 1, true),
        (-HOUR - 1, true),
        (10 * YEAR, true),
        (-10 * YEAR, true),
    ] {
        let mut mark = mark(NOW + 20 * YEAR);
        mark.signed(Instant::from_unix(NOW), &at(NOW + off));
        let moment = later(&at(NOW + off + 600), 600);
        let judged = mark.judge(&moment);
        assert_eq!((judged.wrong, judged.unknown_dates), (shifted, false), "{off}");
        assert_eq!(judged.shift, if shifted { -off } else { 0 });
        let wanted = if shifted { NOW + 600 } else { (NOW + off + 600).max(NOW) };
        assert_eq!(judged.at_reading().unix(), wanted, "{off}");
    }
}

#[test]
fn a_signed_time_is_fresh_for_a_day_of_the_same_boot() {
    let mut mark = mark(0);
    mark.signed(Instant::from_unix(NOW), &at(NOW));
    let off = |moment: &Moment| mark.judge(moment).shift != 0;
    let strayed = at(NOW + YEAR);
    assert!(off(&later(&strayed, DAY.unsigned_abs() - 1)));
    assert!(!off(&later(&strayed, DAY.unsigned_abs())));
    assert!(!off(&Moment { boot: "boot-2".into(), ..strayed.clone() }));
    assert!(!off(&Moment { boot_seconds: 999_999, ..strayed.clone() }), "a boot clock that went back is another boot");
    assert!(!off(&Moment { boot_seconds: u64::MAX, ..strayed }));
}

#[test]
fn local_time_moves_the_mark_after_24_hours_of_running_above_it() {
    let mut it = mark(NOW);
    run(&mut it, NOW + YEAR, 23);
    assert_eq!(it.at, NOW);
    run(&mut it, NOW + YEAR + 23 * HOUR, 1);
    assert_eq!((it.at, it.above), (NOW + YEAR + DAY, 0));
    let mut once = mark(NOW);
    once.ran(&at(NOW + YEAR), DAY.unsigned_abs());
    assert_eq!(once.at, NOW + YEAR);
    // Added up over restarts: the hours between do not count.
    let mut restarted = mark(NOW);
    for day in 1..=24 {
        assert_eq!(restarted.at, NOW);
        run(&mut restarted, NOW + day * DAY, 1);
    }
    assert!((NOW + 1..=NOW + 24 * DAY + HOUR).contains(&restarted.at));
}

#[test]
fn an_hour_in_2036_leaves_no_trace_wherever_it_falls() {
    for before in 0..30 {
        let mut it = mark(NOW);
        run(&mut it, NOW, before);
        run(&mut it, NOW + 10 * YEAR, 1);
        run(&mut it, NOW + before * HOUR, 40);
        assert!(it.at <= NOW + (before + 40) * HOUR, "after {before} h: {}", it.at - NOW);
        assert!(!it.judge(&at(NOW + (before + 40) * HOUR)).wrong, "after {before} h");
    }
}

#[test]
fn a_clock_at_or_below_the_mark_starts_the_count_anew() {
    let mut it = mark(NOW);
    run(&mut it, NOW + YEAR, 23);
    it.ran(&at(NOW), 60);
    assert_eq!((it.at, it.above, it.lowest), (NOW, 0, 0));
    run(&mut it, NOW + YEAR, 23);
    assert_eq!(it.at, NOW);
    it.ran(&at(NOW - 50 * YEAR), DAY.unsigned_abs());
    assert_eq!(it.at, NOW);
    it.ran(&at(NOW + 1), 0);
    assert_eq!(it.above, 0);
}

#[test]
fn extreme_readings_never_overflow() {
    for local in [i64::MIN, -1, 0, 1, i64::MAX] {
        for running in [0, 1, u64::MAX] {
            for start in [i64::MIN, 0, NOW, i64::MAX] {
                let mut it = Mark { at: start, above: u64::MAX, lowest: i64::MIN, signed: None };
                it.signed = Some(Signed { time: i64::MAX, boot: "boot-1".into(), boot_seconds: 1_000_000 });
                it.ran(&at(local), running);
                let _ = it.judge(&at(local)).now(i64::MAX);
                it.licence_issued(Instant::from_unix(local), true);
                it.signed(Instant::from_unix(local), &at(local));
                it.ran(&at(local), running);
            }
        }
    }
}

#[test]
fn a_clock_found_wrong_by_a_signed_time_does_not_move_the_mark() {
    let mut it = mark(0);
    it.signed(Instant::from_unix(NOW), &at(NOW + 10 * YEAR));
    for minute in 1..24 * 60 {
        it.ran(&later(&at(NOW + 10 * YEAR + minute * 60), minute.unsigned_abs() * 60), 60);
    }
    assert!(it.at <= NOW + DAY);
}

#[test]
fn three_things_lower_the_mark_and_an_older_licence_is_none_of_them() {
    let low = Instant::from_unix(NOW);
    let high = NOW + 10 * YEAR;
    let mut it = mark(high);
    it.licence_issued(low, false);
    assert_eq!(it.at, high);
    it.licence_issued(low, true);
    assert_eq!(it.at, NOW);
    it = mark(high);
    it.time_file(low);
    assert_eq!((it.at, &it.signed), (NOW, &None));
    assert!(!it.judge(&at(NOW + 30 * DAY)).wrong, "carried by hand for a month: no alarm");
    it = mark(high);
    it.signed(low, &at(NOW));
    assert_eq!(it.at, NOW);
    it = mark(NOW);
    it.licence_issued(Instant::from_unix(high), false);
    assert_eq!(it.at, high);
}

#[test]
fn the_mark_survives_the_state_folder() {
    let mut it = mark(NOW);
    it.signed(Instant::from_unix(NOW), &at(NOW));
    run(&mut it, NOW + YEAR, 2);
    assert_eq!(serde_json::from_slice::<Mark>(&serde_json::to_vec(&it).unwrap()).unwrap(), it);
}
