//! The clock at 1970, 2038, years off, moved in the middle; the clock mark, and the signed time file that lowers it.
//!
//! The offsets of the test clock hold for the whole process, so these cases are a binary of their own and run one at a time.
#[path = "../support/mod.rs"]
mod support;

use ors::clock::test::{set_boot_offset, set_wall_offset};
use ors::ffi::*;
use ors::licence::{Day, Instant, Licence};
use serde_json::Value;
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};
use support::host::Host;
use support::{DAY, PRODUCT, SERIAL, Site, licence};

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * DAY;
const OURS: &str = "prismaprepare-1234567890.ors.json";

static TURN: Mutex<()> = Mutex::new(());

/// The clocks of this process, held by one test at a time and set right again when it ends.
struct Clocks {
    _turn: MutexGuard<'static, ()>,
    boot: i64,
}

impl Clocks {
    fn take() -> Clocks {
        let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let clocks = Clocks { _turn: turn, boot: 0 };
        clocks.wall(0);
        set_boot_offset(0);
        clocks
    }

    /// Moves the wall clock to so many seconds from the real time.
    fn wall(&self, seconds: i64) {
        set_wall_offset(seconds);
    }

    fn wall_at(&self, unix: i64) {
        set_wall_offset(unix - real());
    }

    /// Lets the agent run for so long, in steps that it takes notice of.
    fn run(&mut self, host: &Host, seconds: i64) {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(12 * HOUR);
            left -= step;
            self.boot += step;
            set_boot_offset(self.boot);
            ticked(host);
        }
    }
}

impl Drop for Clocks {
    fn drop(&mut self) {
        set_wall_offset(0);
        set_boot_offset(0);
    }
}

/// Waits until the worker has looked at the clocks once more, which it does each second: a second, then two calls that it
/// carries out, between which it has gone round.
fn ticked(host: &Host) {
    let since = std::time::Instant::now();
    while since.elapsed() < std::time::Duration::from_millis(1_050) {
        unsafe { ors_wait(host.agent, host.notices().revision, 50, std::ptr::null_mut()) };
    }
    for _ in 0..2 {
        assert_eq!(host.acknowledge(u64::MAX).unwrap_err().code, ORS_E_STALE);
    }
}

fn real() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

fn day(seconds_from_now: i64) -> Option<Day> {
    Some(Day::at(Instant::from_unix(real() + seconds_from_now)))
}

/// A licence issued `issued` seconds from now that ends `ends` seconds from now.
fn dated(sequence: u64, issued: i64, ends: i64) -> Licence {
    Licence {
        issued_at: Instant::from_unix(real() + issued),
        expires_on: day(ends),
        maintenance_until: day(ends),
        ..licence(sequence)
    }
}

fn perpetual(sequence: u64) -> Licence {
    Licence {
        issued_at: Instant::from_unix(real() - 30 * DAY),
        expires_on: None,
        maintenance_until: None,
        ..licence(sequence)
    }
}

fn site(licence: &Licence) -> Site {
    let site = Site::new();
    site.drop_file(OURS, &site.vendor.sign(licence));
    site
}

/// State and notices, as a login and a page see them.
fn seen(host: &Host) -> (u32, u32) {
    let status = host.licence();
    (status.state, status.notices)
}

fn clock(host: &Host) -> Value {
    host.diagnostics()["clock"].clone()
}

fn mark(host: &Host) -> i64 {
    clock(host)["mark"].as_str().map_or(0, |text| Instant::parse(text).unwrap().unix())
}

#[test]
fn a_clock_moved_while_the_agent_runs_is_judged_in_the_very_next_answer() {
    let clocks = Clocks::take();
    // Issued a month ago, good for another 60 days.
    let site = site(&dated(7, -30 * DAY, 60 * DAY));
    let host = site.open();
    host.until_sequence(7);
    let wrong = ORS_NOTICE_CLOCK_WRONG;
    let over = ORS_NOTICE_LICENCE_EXPIRED | ORS_NOTICE_MAINTENANCE_EXPIRED;
    let ending = ORS_NOTICE_LICENCE_EXPIRING | ORS_NOTICE_MAINTENANCE_EXPIRING;
    let year_2038 = 2_147_483_648 - real();
    let rows: [(&str, i64, (u32, u32)); 18] = [
        ("now", 0, (ORS_LICENCE_VALID, 0)),
        ("an hour back", -HOUR, (ORS_LICENCE_VALID, 0)),
        ("29 days back, still after it was issued", -29 * DAY, (ORS_LICENCE_VALID, 0)),
        ("just before it was issued", -30 * DAY - HOUR / 2, (ORS_LICENCE_VALID, 0)),
        ("two hours before", -30 * DAY - 2 * HOUR, (ORS_LICENCE_VALID, wrong)),
        ("two days before", -32 * DAY, (ORS_LICENCE_UNKNOWN, wrong)),
        ("10 years back", -10 * YEAR, (ORS_LICENCE_UNKNOWN, wrong)),
        ("1970", 1 - real(), (ORS_LICENCE_UNKNOWN, wrong)),
        ("before 1970", -5 * YEAR - real(), (ORS_LICENCE_UNKNOWN, wrong)),
        ("right again", 0, (ORS_LICENCE_VALID, 0)),
        ("40 days on", 40 * DAY, (ORS_LICENCE_VALID, ending)),
        ("70 days on", 70 * DAY, (ORS_LICENCE_EXPIRED, over)),
        ("the last second of 32 bits", year_2038 - 1, (ORS_LICENCE_EXPIRED, over)),
        ("2038", year_2038 + 1, (ORS_LICENCE_EXPIRED, over)),
        ("10 years on", 10 * YEAR, (ORS_LICENCE_EXPIRED, over)),
        ("the year 9999", 7_900 * YEAR, (ORS_LICENCE_EXPIRED, over)),
        ("as far as it goes", i64::MAX / 4, (ORS_LICENCE_EXPIRED, over)),
        ("right again, without a trace", 0, (ORS_LICENCE_VALID, 0)),
    ];
    for (name, offset, wanted) in rows {
        clocks.wall(offset);
        assert_eq!(seen(&host), wanted, "{name}");
        let status = host.licence();
        if wanted.0 == ORS_LICENCE_UNKNOWN {
            assert_eq!(
                (status.licence_last_day, status.licence_days_left, status.licence_expires_at),
                (0, 0, 0),
                "{name}"
            );
        }
        for bit in (0..11).map(|bit| 1 << bit).filter(|bit| status.notices & bit != 0) {
            assert!(host.notice_text(bit).is_ok_and(|text| text.ends_with('.')), "{name}: {bit:#x}");
        }
        host.about();
        assert_eq!(status.sequence, 7, "{name}: it stays the licence in use");
    }
    // After all of it: nothing was lost, nothing was written that lasts.
    ticked(&host);
    assert_eq!(seen(&host), (ORS_LICENCE_VALID, 0));
    drop(host);
    assert_eq!(seen(&site.open()), (ORS_LICENCE_VALID, 0));
}

#[test]
fn an_agent_that_is_opened_under_a_wrong_clock_says_so_and_opens() {
    let clocks = Clocks::take();
    for (name, at, wanted) in [
        ("1970", 1, ORS_LICENCE_UNKNOWN),
        ("10 years back", real() - 10 * YEAR, ORS_LICENCE_UNKNOWN),
        ("2038", 2_147_483_648, ORS_LICENCE_EXPIRED),
    ] {
        clocks.wall_at(at);
        let site = site(&dated(7, -30 * DAY, 60 * DAY));
        let host = site.open();
        host.until_sequence(7);
        assert_eq!(host.licence().state, wanted, "{name}");
        // A newer licence is taken all the same.
        host.install(&site.vendor.sign(&dated(8, -DAY, 60 * DAY))).1.unwrap();
        host.until_sequence(8);
        drop(host);
        clocks.wall(0);
        let host = site.open();
        assert_eq!(seen(&host), (ORS_LICENCE_VALID, 0), "{name}, put right");
    }
}

#[test]
fn a_perpetual_licence_does_not_care_what_the_clock_shows() {
    let clocks = Clocks::take();
    let site = site(&perpetual(7));
    let host = site.open();
    host.until_sequence(7);
    for at in [1, real() - 10 * YEAR, real(), 2_147_483_648, real() + 10 * YEAR, i64::MAX / 4] {
        clocks.wall_at(at);
        let status = host.licence();
        assert_eq!((status.state, status.licence_last_day), (ORS_LICENCE_VALID, ORS_NEVER_DAY), "{at}");
        let behind = at < real() - 31 * DAY;
        assert_eq!(status.notices, if behind { ORS_NOTICE_CLOCK_WRONG } else { 0 }, "{at}");
    }
}

#[test]
fn an_hour_in_a_far_year_leaves_no_trace_and_a_day_of_it_is_believed() {
    let mut clocks = Clocks::take();
    let site = site(&dated(7, -30 * DAY, 60 * DAY));
    let host = site.open();
    host.until_sequence(7);
    let issued = mark(&host);
    assert!((issued - (real() - 30 * DAY)).abs() < 60, "the licence says since when time has run");
    // Ten hours of running time, ten years ahead.
    clocks.wall(10 * YEAR);
    clocks.run(&host, 10 * HOUR);
    assert_eq!(mark(&host), issued);
    // Right again, for a whole day: the mark follows to now, and not further.
    clocks.wall(0);
    clocks.run(&host, 30 * HOUR);
    assert!((mark(&host) - real()).abs() < 2 * DAY, "{}", clock(&host));
    assert_eq!(seen(&host), (ORS_LICENCE_VALID, 0));
    // A day and more of running time, ten years ahead: nobody put it right, so it is the time.
    clocks.wall(10 * YEAR);
    clocks.run(&host, 60 * HOUR);
    assert!(mark(&host) > real() + 9 * YEAR, "{}", clock(&host));
    clocks.wall(0);
    assert_eq!(seen(&host), (ORS_LICENCE_UNKNOWN, ORS_NOTICE_CLOCK_WRONG));
}

#[test]
fn running_time_is_added_up_over_restarts() {
    let mut clocks = Clocks::take();
    let site = site(&dated(7, -30 * DAY, 60 * DAY));
    let issued = real() - 30 * DAY;
    for run in 0..3 {
        let host = site.open();
        host.until_sequence(7);
        assert!((mark(&host) - issued).abs() < 60, "run {run}: {}", clock(&host));
        clocks.run(&host, 10 * HOUR);
        if run == 2 {
            assert!(mark(&host) > issued + 20 * DAY, "{}", clock(&host));
        }
    }
}

#[test]
fn a_signed_time_file_for_this_very_question_lowers_the_mark_once() {
    let mut clocks = Clocks::take();
    let site = site(&dated(7, -30 * DAY, 60 * DAY));
    let host = site.open();
    host.until_sequence(7);
    clocks.wall(10 * YEAR);
    clocks.run(&host, 48 * HOUR);
    clocks.wall(0);
    assert_eq!(seen(&host), (ORS_LICENCE_UNKNOWN, ORS_NOTICE_CLOCK_WRONG));

    let challenge = |host: &Host| host.settings()["clock_challenge"].as_str().unwrap().to_owned();
    let question = challenge(&host);
    assert_eq!(clock(&host)["challenge"], question.as_str());
    let vendor = &site.vendor;
    let file = |product: &str, serial: &str, challenge: &str, key: &issuer::SigningKey| {
        issuer::sign_time(product, serial, challenge, Instant::from_unix(real()), key)
    };
    let rows = [
        ("another question", file(PRODUCT, SERIAL, "0123456789abcdef", &vendor.statement), ORS_REASON_CLOCK),
        ("another product", file("other", SERIAL, &question, &vendor.statement), ORS_REASON_PRODUCT),
        ("another serial", file(PRODUCT, "99", &question, &vendor.statement), ORS_REASON_SERIAL),
        ("a licence key", file(PRODUCT, SERIAL, &question, &vendor.licence), ORS_REASON_KEY_ROLE),
        ("a root key", file(PRODUCT, SERIAL, &question, &vendor.root), ORS_REASON_KEY_ROLE),
        ("a stranger", file(PRODUCT, SERIAL, &question, &vendor.stranger), ORS_REASON_UNKNOWN_KEY),
        ("no question", file(PRODUCT, SERIAL, "", &vendor.statement), ORS_REASON_MALFORMED),
    ];
    for (name, bytes, reason) in &rows {
        let (result, done) = host.install(bytes);
        assert_eq!((done.expect_err(name).code, result.reason), (ORS_E_REFUSED, *reason), "{name}");
        assert_eq!(seen(&host), (ORS_LICENCE_UNKNOWN, ORS_NOTICE_CLOCK_WRONG), "{name}");
        assert_eq!(challenge(&host), question, "{name}: the question stands");
    }
    let answer = file(PRODUCT, SERIAL, &question, &vendor.statement);
    let (result, done) = host.install(&answer);
    done.unwrap();
    assert_eq!((result.state, result.changes), (ORS_INSTALL_ACCEPTED, ORS_CHANGED_CLOCK));
    assert_eq!(seen(&host), (ORS_LICENCE_VALID, 0), "in force on return");
    assert_ne!(challenge(&host), question, "the next answer needs another question");
    assert_eq!(host.install(&answer).0.reason, ORS_REASON_CLOCK, "an answer counts once");
    drop(host);
    assert_eq!(seen(&site.open()), (ORS_LICENCE_VALID, 0), "over a restart");
}

#[test]
fn a_newer_licence_lowers_the_mark_and_an_older_one_does_not() {
    let mut clocks = Clocks::take();
    let site = site(&dated(7, -30 * DAY, 60 * DAY));
    let host = site.open();
    host.until_sequence(7);
    clocks.wall(10 * YEAR);
    clocks.run(&host, 48 * HOUR);
    clocks.wall(0);
    assert_eq!(seen(&host), (ORS_LICENCE_UNKNOWN, ORS_NOTICE_CLOCK_WRONG));
    assert_eq!(host.install(&site.vendor.sign(&dated(6, -DAY, 60 * DAY))).0.reason, ORS_REASON_SEQUENCE);
    assert_eq!(host.licence().state, ORS_LICENCE_UNKNOWN);
    drop(host);
    let host = site.open();
    assert_eq!(host.licence().state, ORS_LICENCE_UNKNOWN, "the same licence read anew is no newer one");
    host.install(&site.vendor.sign(&dated(8, -DAY, 60 * DAY))).1.unwrap();
    host.until_sequence(8);
    assert_eq!(seen(&host), (ORS_LICENCE_VALID, 0));
}

#[test]
fn a_boot_clock_that_jumps_breaks_nothing() {
    let _clocks = Clocks::take();
    let site = site(&dated(7, -30 * DAY, 60 * DAY));
    let host = site.open();
    host.until_sequence(7);
    for offset in [30 * DAY, 0, -DAY, i64::MAX / 4, 0, 5] {
        set_boot_offset(offset);
        assert_eq!(seen(&host).0, ORS_LICENCE_VALID, "{offset}");
        host.about();
    }
    site.drop_file("new.ors.json", &site.vendor.sign(&dated(8, -DAY, 60 * DAY)));
    host.until_sequence(8);
}

#[test]
fn the_installer_is_never_told_no_because_of_a_clock_that_is_known_to_be_wrong() {
    let mut clocks = Clocks::take();
    let ends = dated(7, -30 * DAY, 60 * DAY);
    let maintained = Licence { maintenance_until: Day::parse("2090-01-01").ok(), ..ends };
    let site = site(&maintained);
    let host = site.open();
    host.until_sequence(7);
    let ask = |state: bool| {
        let answer = ors::agent::check_update(&ors::agent::UpdateQuery {
            licence_folder: support::text(&site.licences()),
            product: PRODUCT.to_owned(),
            trusted_keys: site.vendor.trusted(),
            release_date: "2026-12-01".to_owned(),
            state_folder: state.then(|| support::text(&site.state())),
            ..ors::agent::UpdateQuery::default()
        });
        let verdict = answer.unwrap().verdict;
        (verdict.verdict, verdict.reason.code())
    };
    for (name, offset, wanted) in [
        ("now", 0, (1, ORS_REASON_NONE)),
        ("a year on", YEAR, (-1, ORS_REASON_LICENCE_EXPIRED)),
        ("before the licence was issued", -40 * DAY, (0, ORS_REASON_CLOCK)),
        ("1970", 1 - real(), (0, ORS_REASON_CLOCK)),
    ] {
        clocks.wall(offset);
        assert_eq!((ask(false), ask(true)), (wanted, wanted), "{name}");
    }
    // The mark is ten years ahead: the clock is behind what is known, and the licence would be over.
    clocks.wall(10 * YEAR);
    clocks.run(&host, 48 * HOUR);
    clocks.wall(0);
    assert_eq!(ask(true), (0, ORS_REASON_CLOCK));
    assert_eq!(ask(false), (1, ORS_REASON_NONE), "without the state folder only the licence tells the time");
    site.drop_file(OURS, &site.vendor.sign(&Licence { expires_on: None, ..licence(9) }));
    for at in [1, real(), real() + 100 * YEAR] {
        clocks.wall_at(at);
        assert_eq!(ask(true), (1, ORS_REASON_NONE), "perpetual: the clock is not asked");
    }
}
