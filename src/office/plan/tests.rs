use super::*;
use crate::licence::sha256;
use crate::net::{Step, Trouble, Why};
use crate::office::client::Said;
use crate::office::protocol::{Checked, Enrolled, Event, EventKind, Happened, RefusedFor, Stored};

const START: u64 = 1_000_000;

fn facts(now: u64) -> Facts {
    Facts {
        now,
        moment: Moment {
            local: 1_790_000_000 + (now / SECOND) as i64,
            boot: "boot".to_owned(),
            boot_seconds: now / SECOND,
        },
        time: 1_790_000_000,
        installed: Some(Installed { serial: Serial::parse("1234567890").unwrap(), sequence: 7, digest: [7; 32] }),
        credentials: Some("credentials".to_owned()),
        settings: 3,
        keys_version: 1,
        journal: Some(("chain".to_owned(), 0)),
    }
}

fn plan() -> Plan {
    Plan::new(Account::of("1234567890"), 5)
}

fn known() -> Plan {
    Plan::new(Account { enrolment: Enrolment::Active, ..Account::of("1234567890") }, 5)
}

fn says(said: Said) -> Result<Heard, Failure> {
    Ok(Heard { said, server_time: Instant::from_unix(1_790_001_000), retry_after: None })
}

fn refuses(reason: RefusedFor) -> Result<Heard, Failure> {
    says(Said::Refused(Refused { reason, detail: "No.".to_owned() }))
}

fn enrolled(pending: bool) -> Result<Heard, Failure> {
    says(Said::Enrolled(Enrolled { pending, organisation: "Print Service".to_owned() }))
}

fn nothing_new() -> Checked {
    Checked { sequence: 7, digest: Some([7; 32]), keys_version: 1, ..Checked::default() }
}

fn checked(checked: Checked) -> Result<Heard, Failure> {
    says(Said::Checked(checked))
}

fn happened(epoch: u8, last: u64, events: Vec<EventKind>) -> Result<Heard, Failure> {
    let events = events.into_iter().map(|kind| Event { id: last.max(1), kind }).collect();
    says(Said::Happened(Happened { epoch: nonce(epoch), last, events }))
}

fn nonce(byte: u8) -> Nonce {
    Nonce::from_random([byte; 16])
}

fn trouble(why: Why, sent: bool, kept: bool) -> Result<Heard, Failure> {
    Err(Failure::Net(Trouble { step: Step::Http, why, sent, kept }))
}

fn unreachable() -> Result<Heard, Failure> {
    trouble(Why::Refused { address: "192.0.2.1:443".to_owned() }, false, false)
}

const CHECK: Ask = Ask::Check { with_licence: false };

/// Asks, expects this, and answers at once.
fn exchange(plan: &mut Plan, line: Line, facts: &Facts, ask: &Ask, heard: Result<Heard, Failure>) -> Vec<Effect> {
    assert_eq!(plan.next(line, facts).as_ref(), Some(ask));
    plan.heard(line, facts, heard)
}

/// A plan that is enrolled, has checked, and polls the stream 1.
fn polling() -> Plan {
    let mut plan = known();
    exchange(&mut plan, Line::Short, &facts(START), &CHECK, checked(nothing_new()));
    assert!(matches!(plan.next(Line::Poll, &facts(START)), Some(Ask::Poll { stream: None, after: 0, .. })));
    plan.heard(Line::Poll, &facts(START), happened(1, 4, vec![]));
    exchange(&mut plan, Line::Short, &facts(START), &CHECK, checked(nothing_new()));
    plan
}

#[test]
fn it_enrols_checks_and_polls_and_then_only_polls() {
    let mut plan = plan();
    let effects = exchange(&mut plan, Line::Short, &facts(START), &Ask::Enrol, enrolled(false));
    assert!(effects.contains(&Effect::Enrolment(Enrolment::Active)));
    assert_eq!(plan.next(Line::Poll, &facts(START)), None, "the office has not answered a check yet");
    exchange(&mut plan, Line::Short, &facts(START), &CHECK, checked(nothing_new()));
    let Some(Ask::Poll { stream: None, after: 0, hold, pongs }) = plan.next(Line::Poll, &facts(START)) else {
        panic!("a poll")
    };
    assert!((40..=50).contains(&hold) && pongs.is_empty());
    plan.heard(Line::Poll, &facts(START), happened(1, 4, vec![]));
    // What happened before the stream was known is made good.
    exchange(&mut plan, Line::Short, &facts(START), &CHECK, checked(nothing_new()));
    for round in 1..200 {
        let now = facts(START + round * 45 * SECOND);
        assert_eq!(plan.next(Line::Short, &now), None, "round {round}");
        match plan.next(Line::Poll, &now) {
            Some(Ask::Poll { stream: Some(stream), after: 4, .. }) if stream == nonce(1) => {}
            other => panic!("{other:?}"),
        }
        plan.heard(Line::Poll, &facts(START + (round + 1) * 45 * SECOND), happened(1, 4, vec![]));
    }
    assert_eq!(plan.next(Line::Short, &facts(START + 7 * HOUR)), Some(CHECK), "every six hours or so");
}

#[test]
fn without_id_code_or_licence_nothing_is_said() {
    for change in [|facts: &mut Facts| facts.credentials = None, |facts: &mut Facts| facts.installed = None] {
        let mut facts = facts(START);
        change(&mut facts);
        let mut plan = plan();
        assert_eq!((plan.next(Line::Short, &facts), plan.next(Line::Poll, &facts)), (None, None));
        assert_eq!(plan.wakes_at(&facts), None);
    }
}

#[test]
fn an_event_is_a_hint_and_the_check_brings_the_licence() {
    let mut plan = polling();
    for kind in [EventKind::Licence, EventKind::Keys, EventKind::Enrolment] {
        plan.next(Line::Poll, &facts(START + 30 * SECOND)).unwrap();
        plan.heard(Line::Poll, &facts(START + 30 * SECOND), happened(1, 5, vec![kind]));
        exchange(&mut plan, Line::Short, &facts(START + 30 * SECOND), &CHECK, checked(nothing_new()));
    }
    plan.next(Line::Poll, &facts(START + 40 * SECOND)).unwrap();
    plan.heard(Line::Poll, &facts(START + 40 * SECOND), happened(1, 6, vec![EventKind::Unknown]));
    assert_eq!(plan.next(Line::Short, &facts(START + 40 * SECOND)), None, "an event of a newer office");
    plan.next(Line::Poll, &facts(START + 50 * SECOND)).unwrap();
    plan.heard(Line::Poll, &facts(START + 50 * SECOND), happened(1, 7, vec![EventKind::Licence]));
    let file = "a licence".to_owned();
    let news =
        Checked { sequence: 8, digest: Some(sha256(file.as_bytes())), licence: Some(file.clone()), ..nothing_new() };
    let effects = exchange(&mut plan, Line::Short, &facts(START + 50 * SECOND), &CHECK, checked(news));
    assert!(effects.contains(&Effect::Licence { file, sequence: 8 }));
    // Once it is installed, the office is told.
    let mut installed = facts(START + 52 * SECOND);
    installed.installed.as_mut().unwrap().digest = [8; 32];
    exchange(&mut plan, Line::Short, &installed, &CHECK, checked(nothing_new()));
    assert_eq!(plan.next(Line::Short, &installed), None);
}

#[test]
fn a_hint_that_comes_during_a_check_or_before_one_that_fails_is_not_lost() {
    let mut plan = polling();
    let now = facts(START + 30 * SECOND);
    let hint = |plan: &mut Plan, last: u64| {
        plan.next(Line::Poll, &now).unwrap();
        plan.heard(Line::Poll, &now, happened(1, last, vec![EventKind::Licence]));
    };
    hint(&mut plan, 5);
    assert_eq!(plan.next(Line::Short, &now), Some(CHECK));
    hint(&mut plan, 6);
    // Made before the second event: it may not know of it.
    plan.heard(Line::Short, &now, checked(nothing_new()));
    exchange(&mut plan, Line::Short, &now, &CHECK, checked(nothing_new()));
    assert_eq!(plan.next(Line::Short, &now), None);
    for bad in [unreachable(), refuses(RefusedFor::Request), refuses(RefusedFor::Throttled)] {
        hint(&mut plan, 7);
        exchange(&mut plan, Line::Short, &now, &CHECK, bad);
        let later = facts(START + 2 * HOUR);
        exchange(&mut plan, Line::Short, &later, &CHECK, checked(nothing_new()));
        assert_eq!(plan.next(Line::Short, &later), None);
    }
}

#[test]
fn a_licence_with_another_digest_than_announced_is_not_taken_nor_an_older_or_equal_one() {
    let file = "a licence".to_owned();
    let right = sha256(file.as_bytes());
    for (sequence, digest, taken) in [
        (8, Some(right), true),
        (8, Some([0; 32]), false),
        (8, None, false),
        (7, Some(right), false),
        (6, Some(right), false),
    ] {
        let mut plan = known();
        let news = Checked { sequence, digest, licence: Some(file.clone()), ..nothing_new() };
        let effects = exchange(&mut plan, Line::Short, &facts(START), &CHECK, checked(news));
        let licence = effects.iter().any(|effect| matches!(effect, Effect::Licence { .. }));
        assert_eq!(licence, taken, "{sequence} {digest:?}");
        assert_eq!(effects.iter().any(|effect| matches!(effect, Effect::Wrong(_))), digest != Some(right));
        assert_eq!(plan.next(Line::Short, &facts(START)), None, "and it does not ask again and again");
    }
}

#[test]
fn key_lists_are_asked_for_until_all_are_there_and_not_when_they_are_of_no_use() {
    let lists = || Checked { keys_version: 20, keys: vec!["list".to_owned()], ..nothing_new() };
    let mut plan = known();
    let effects = exchange(&mut plan, Line::Short, &facts(START), &CHECK, checked(lists()));
    assert!(effects.contains(&Effect::Keys(vec!["list".to_owned()])));
    let taken = Facts { keys_version: 9, ..facts(START) };
    exchange(&mut plan, Line::Short, &taken, &CHECK, checked(lists()));
    assert_eq!(plan.next(Line::Short, &taken), None, "these were refused here");
}

#[test]
fn the_licence_is_sent_once_when_the_office_asks_for_it() {
    let mut plan = known();
    let asks = || Checked { sequence: 3, send_licence: true, ..nothing_new() };
    exchange(&mut plan, Line::Short, &facts(START), &CHECK, checked(asks()));
    exchange(&mut plan, Line::Short, &facts(START), &Ask::Check { with_licence: true }, checked(asks()));
    assert_eq!(plan.next(Line::Short, &facts(START)), None, "once is enough");
}

#[test]
fn a_probe_is_answered_by_the_next_poll_and_by_the_one_after_it_if_that_did_not_arrive() {
    let mut plan = polling();
    let now = facts(START + 10 * SECOND);
    plan.next(Line::Poll, &now).unwrap();
    plan.heard(Line::Poll, &now, happened(1, 5, vec![EventKind::Probe(nonce(9))]));
    let pongs = |plan: &mut Plan, now: &Facts| match plan.next(Line::Poll, now) {
        Some(Ask::Poll { pongs, .. }) => pongs,
        other => panic!("{other:?}"),
    };
    assert_eq!(pongs(&mut plan, &now), [nonce(9)]);
    plan.heard(Line::Poll, &now, unreachable());
    let later = facts(START + 20 * SECOND);
    assert_eq!(pongs(&mut plan, &later), [nonce(9)]);
    plan.heard(Line::Poll, &later, happened(1, 5, vec![]));
    assert!(pongs(&mut plan, &later).is_empty());
}

#[test]
fn a_wrong_clock_is_put_right_once_and_a_used_nonce_replaced_once() {
    for reason in [RefusedFor::Clock, RefusedFor::Nonce] {
        let mut plan = known();
        exchange(&mut plan, Line::Short, &facts(START), &CHECK, refuses(reason));
        assert_eq!(plan.time(&facts(START + 2 * SECOND)).unix(), 1_790_001_002, "by the signed time from now on");
        let effects = exchange(&mut plan, Line::Short, &facts(START), &CHECK, refuses(reason));
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Refused(_))));
        assert_eq!(plan.next(Line::Short, &facts(START)), None, "not a third time");
        assert_eq!(plan.next(Line::Short, &facts(START + 2 * SECOND)), Some(CHECK), "but later");
    }
}

#[test]
fn refused_credentials_are_not_tried_again_until_they_change_or_somebody_presses_connect() {
    let mut plan = plan();
    exchange(&mut plan, Line::Short, &facts(START), &Ask::Enrol, refuses(RefusedFor::Code));
    let next_day = facts(START + 24 * HOUR);
    assert_eq!(plan.next(Line::Short, &next_day), None);
    // Kept over a restart.
    let mut restarted = Plan::new(plan.account.clone(), 6);
    assert_eq!(restarted.next(Line::Short, &next_day), None);
    let other = Facts { credentials: Some("others".to_owned()), ..facts(START) };
    assert_eq!(restarted.next(Line::Short, &other), Some(Ask::Enrol));
    plan.connect();
    assert_eq!(plan.next(Line::Short, &facts(START)), Some(Ask::Enrol));
}

#[test]
fn three_attempts_with_an_unknown_outcome_an_hour_and_none_counts_that_was_not_sent() {
    let mut plan = plan();
    let mut now = START;
    let mut attempt = |plan: &mut Plan, heard: Result<Heard, Failure>| {
        now += 400 * SECOND;
        let made = plan.next(Line::Short, &facts(now)).is_some();
        plan.heard(Line::Short, &facts(now), heard);
        made
    };
    for _ in 0..4 {
        assert!(attempt(&mut plan, unreachable()));
    }
    for _ in 0..3 {
        assert!(attempt(&mut plan, trouble(Why::Silent, true, false)));
    }
    assert!(!attempt(&mut plan, unreachable()));
    plan.connect();
    assert!(attempt(&mut plan, enrolled(true)));
}

#[test]
fn pending_polls_for_the_decision_and_asks_every_ten_minutes() {
    let mut plan = plan();
    exchange(&mut plan, Line::Short, &facts(START), &Ask::Enrol, enrolled(true));
    assert!(matches!(plan.next(Line::Poll, &facts(START)), Some(Ask::Poll { .. })));
    assert_eq!(plan.next(Line::Short, &facts(START + 9 * MINUTE)), None);
    exchange(&mut plan, Line::Short, &facts(START + 10 * MINUTE), &CHECK, refuses(RefusedFor::Pending));
    plan.heard(Line::Poll, &facts(START + 11 * MINUTE), happened(1, 1, vec![EventKind::Enrolment]));
    let effects = exchange(&mut plan, Line::Short, &facts(START + 11 * MINUTE), &CHECK, checked(nothing_new()));
    assert!(effects.contains(&Effect::Enrolment(Enrolment::Active)));
}

#[test]
fn a_decision_against_the_key_ends_all_talk_until_a_setting_changes_or_somebody_presses_connect() {
    for (reason, state) in [
        (RefusedFor::Declined, Enrolment::Declined),
        (RefusedFor::Superseded, Enrolment::Superseded),
        (RefusedFor::Revoked, Enrolment::Revoked),
    ] {
        for line in [Line::Short, Line::Poll] {
            let mut plan = polling();
            let now = facts(START + 8 * HOUR);
            plan.next(line, &now).unwrap();
            let effects = plan.heard(line, &now, refuses(reason));
            assert!(effects.contains(&Effect::Enrolment(state)));
            let later = facts(START + 90 * HOUR);
            assert_eq!((plan.next(Line::Short, &later), plan.next(Line::Poll, &later)), (None, None));
            assert_eq!(plan.wakes_at(&later), None);
            let mut changed = Plan::new(plan.account.clone(), 1);
            assert_eq!(changed.next(Line::Short, &Facts { settings: 4, ..later.clone() }), Some(Ask::Enrol));
            plan.connect();
            assert_eq!(plan.next(Line::Short, &later), Some(Ask::Enrol));
        }
    }
}

#[test]
fn an_unknown_key_enrols_and_an_office_that_forgets_it_again_and_again_is_asked_ever_more_slowly() {
    let mut plan = known();
    let (mut asked, mut now) = (0, START);
    while now < START + HOUR {
        if let Some(ask) = plan.next(Line::Short, &facts(now)) {
            asked += 1;
            let heard = if ask == Ask::Enrol { enrolled(false) } else { refuses(RefusedFor::UnknownKey) };
            plan.heard(Line::Short, &facts(now), heard);
        }
        now += SECOND;
    }
    assert!((10..120).contains(&asked), "{asked} requests in an hour");
}

#[test]
fn a_licence_that_proves_nothing_is_not_sent_again_but_another_one_is() {
    let mut plan = plan();
    exchange(&mut plan, Line::Short, &facts(START), &Ask::Enrol, refuses(RefusedFor::Licence));
    assert_eq!(plan.next(Line::Short, &facts(START + HOUR)), None);
    let mut other = facts(START + HOUR);
    other.installed.as_mut().unwrap().digest = [8; 32];
    assert_eq!(plan.next(Line::Short, &other), Some(Ask::Enrol));
}

#[test]
fn throttled_waits_as_told_and_a_year_is_an_hour() {
    for (told, wait) in [(Some(60), 60), (Some(31_536_000), 3_600), (None, 900)] {
        let mut plan = plan();
        plan.next(Line::Short, &facts(START)).unwrap();
        let said = Said::Refused(Refused { reason: RefusedFor::Throttled, detail: "Later.".to_owned() });
        let heard = Heard { said, server_time: Instant::from_unix(1_790_000_000), retry_after: told };
        plan.heard(Line::Short, &facts(START), Ok(heard));
        assert_eq!(plan.next(Line::Short, &facts(START + (wait - 1) * SECOND)), None);
        assert_eq!(plan.next(Line::Short, &facts(START + wait * SECOND)), Some(Ask::Enrol));
    }
}

#[test]
fn failures_are_followed_by_growing_waits_and_a_reconnect_by_a_check() {
    let mut plan = polling();
    let (mut now, mut asked) = (START, 0);
    while now < START + 2 * HOUR {
        if plan.next(Line::Poll, &facts(now)).is_some() {
            asked += 1;
            let effects = plan.heard(Line::Poll, &facts(now), unreachable());
            assert!(matches!(effects[..], [Effect::Failed(_)]));
        }
        assert_eq!(plan.next(Line::Short, &facts(now)), None, "one line is enough to find out");
        now += SECOND;
    }
    assert!((24..90).contains(&asked), "{asked} polls in two hours without an office");
    now += 301 * SECOND;
    plan.next(Line::Poll, &facts(now)).unwrap();
    let effects = plan.heard(Line::Poll, &facts(now), happened(1, 4, vec![]));
    assert!(effects.contains(&Effect::CameBack));
    assert_eq!(plan.next(Line::Short, &facts(now)), Some(CHECK));
}

#[test]
fn a_hold_that_is_cut_gets_shorter_and_after_many_good_ones_longer_again() {
    let mut plan = polling();
    let mut now = START + HOUR;
    let mut hold = |plan: &mut Plan, seconds: Option<u64>| {
        now += 2 * SECOND;
        let Some(Ask::Poll { hold, .. }) = plan.next(Line::Poll, &facts(now)) else { panic!("a poll") };
        now += seconds.unwrap_or(hold) * SECOND;
        let heard = if seconds.is_some() { trouble(Why::Cut, true, true) } else { happened(1, 4, vec![]) };
        let effects = plan.heard(Line::Poll, &facts(now), heard);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Failed(_))), "a cut hold is no failure");
        hold
    };
    assert!(hold(&mut plan, Some(30)) >= 40);
    assert_eq!(hold(&mut plan, Some(20)), 21);
    assert_eq!(hold(&mut plan, None), 15);
    for _ in 1..GOOD_HOLDS {
        assert_eq!(hold(&mut plan, None), 15);
    }
    for expected in [21, 30, 42] {
        for _ in 0..GOOD_HOLDS {
            assert_eq!(hold(&mut plan, None), expected);
        }
    }
    assert!(hold(&mut plan, None) >= 40);
}

#[test]
fn an_office_that_answers_everything_at_once_with_events_does_not_make_it_spin() {
    let mut plan = polling();
    let (mut now, mut asked) = (START, 0);
    while now < START + MINUTE {
        for line in [Line::Poll, Line::Short] {
            if let Some(ask) = plan.next(line, &facts(now)) {
                asked += 1;
                let heard = match ask {
                    Ask::Poll { .. } => happened(asked as u8, 4, vec![EventKind::Licence]),
                    _ => checked(nothing_new()),
                };
                plan.heard(line, &facts(now), heard);
            }
        }
        now += 10;
    }
    assert!(asked <= 2 * (10 + 30), "{asked} requests in a minute");
}

#[test]
fn the_journal_is_reported_in_parts_from_where_it_is_stored() {
    let mut plan = polling();
    let with = |now: u64, chain: &str, n: u64| Facts { journal: Some((chain.to_owned(), n)), ..facts(now) };
    let report = |chain: &str, after: u64| Ask::Report { chain: chain.to_owned(), after };
    let stored = |through: u64| says(Said::Stored(Stored { through }));
    let now = START + MINUTE;
    exchange(&mut plan, Line::Short, &with(now, "a", 120), &report("a", 0), stored(50));
    exchange(&mut plan, Line::Short, &with(now, "a", 120), &report("a", 50), stored(120));
    assert_eq!(plan.next(Line::Short, &with(now, "a", 121)), None, "once a minute");
    exchange(&mut plan, Line::Short, &with(now + MINUTE, "a", 121), &report("a", 120), stored(u64::MAX));
    assert_eq!(plan.account.reported, Some(("a".to_owned(), 121)), "never beyond what there is");
    // Another chain is another journal.
    exchange(&mut plan, Line::Short, &with(now + 3 * MINUTE, "b", 3), &report("b", 0), stored(0));
    assert_eq!(plan.next(Line::Short, &with(now + 4 * MINUTE, "b", 3)), None, "it has taken nothing");
    assert_eq!(plan.next(Line::Short, &with(now + 64 * MINUTE, "b", 3)), Some(report("b", 0)));
}

#[test]
fn a_kept_connection_that_was_closed_costs_no_wait() {
    let mut plan = known();
    exchange(&mut plan, Line::Short, &facts(START), &CHECK, trouble(Why::Cut, true, true));
    let effects = exchange(&mut plan, Line::Short, &facts(START), &CHECK, trouble(Why::Cut, true, false));
    assert!(matches!(effects[..], [Effect::Failed(_)]));
}

#[test]
fn what_was_called_off_changes_nothing() {
    let mut plan = polling();
    let before = plan.account.clone();
    plan.next(Line::Poll, &facts(START + MINUTE)).unwrap();
    assert!(plan.heard(Line::Poll, &facts(START + MINUTE), trouble(Why::Stopped, true, true)).is_empty());
    assert_eq!(plan.account, before);
    assert!(plan.next(Line::Poll, &facts(START + MINUTE)).is_some());
    plan.forget(Line::Poll);
    assert!(plan.next(Line::Poll, &facts(START + MINUTE)).is_some());
}

#[test]
fn it_says_when_it_wants_to_be_asked_again_and_asks_for_nothing_before() {
    let mut plan = plan();
    let (mut now, mut asked) = (START, 0);
    for step in 0..2_000 {
        for line in [Line::Short, Line::Poll] {
            if let Some(ask) = plan.next(line, &facts(now)) {
                asked += 1;
                let heard = match (&ask, step % 7) {
                    (_, 0) => unreachable(),
                    (Ask::Enrol, _) => enrolled(false),
                    (Ask::Check { .. }, _) => checked(nothing_new()),
                    (Ask::Poll { hold, .. }, _) => {
                        now += hold * SECOND;
                        happened(1, 4, vec![])
                    }
                    (Ask::Report { .. }, _) => unreachable(),
                };
                plan.heard(line, &facts(now), heard);
            }
        }
        let wakes = plan.wakes_at(&facts(now)).expect("it wants to go on");
        if wakes > now + 1 {
            assert_eq!(plan.next(Line::Short, &facts(wakes - 1)), None);
            assert_eq!(plan.next(Line::Poll, &facts(wakes - 1)), None);
        }
        now = wakes.max(now);
    }
    assert!(asked > 2_000, "{asked}");
}
