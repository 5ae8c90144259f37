//! Handles: dead ones, closes in the middle of calls, and all 4,096 of them.

use crate::alone::alone;
use crate::calls::{Opening, STALE, stale_error, told};
use crate::support::host::{Host, zeroed};
use crate::support::{Site, licence};
use ors::ffi::*;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Every function on `agent`: each says that it is closed, and leaves nothing that a host could take for an answer.
fn all_say_closed(agent: ors_agent, what: &str) {
    let mut status: ors_notice_status = unsafe { std::mem::transmute([STALE; 64]) };
    status.struct_size = 64;
    assert_eq!(unsafe { ors_notify_status(agent, &mut status) }, ORS_E_CLOSED, "{what}");
    let bytes: [u8; 64] = unsafe { std::mem::transmute(status) };
    assert!(bytes[4..].iter().all(|byte| *byte == 0), "{what}: ors_notify_status");
    let mut status: ors_licence_status = unsafe { std::mem::transmute([STALE; 104]) };
    status.struct_size = 104;
    assert_eq!(unsafe { ors_check_licence(agent, &mut status) }, ORS_E_CLOSED, "{what}");
    let bytes: [u8; 104] = unsafe { std::mem::transmute(status) };
    assert!(bytes[4..].iter().all(|byte| *byte == 0), "{what}: ors_check_licence");

    let mut shown: ors_notice_status = zeroed();
    (shown.struct_size, shown.notices) = (64, 1);
    for (name, call) in crate::calls::text_functions(agent, &shown).into_iter().filter(|(name, _)| takes_agent(name)) {
        let (mut buffer, mut needed) = ([STALE; 8], 77);
        assert_eq!(call(buffer.as_mut_ptr().cast(), 8, &mut needed), ORS_E_CLOSED, "{what}: {name}");
        assert_eq!((needed, buffer), (0, [0, STALE, STALE, STALE, STALE, STALE, STALE, STALE]), "{what}: {name}");
    }

    let mut revision = 77;
    assert_eq!(unsafe { ors_wait(agent, 0, 60_000, &mut revision) }, ORS_E_CLOSED, "{what}");
    assert_eq!(revision, 0, "{what}: ors_wait");
    let mut error = stale_error();
    assert_eq!(unsafe { ors_acknowledge(agent, 1, null(), 0, &mut error) }, ORS_E_CLOSED, "{what}");
    assert_eq!(told(&error), (ORS_E_CLOSED, "agent".to_owned(), true), "{what}");
    assert_eq!(unsafe { ors_settings_set(agent, c"{}".as_ptr(), 2, null(), 0, null_mut()) }, ORS_E_CLOSED, "{what}");
    let (mut run, mut error) = (77, stale_error());
    assert_eq!(unsafe { ors_connect(agent, null(), 0, &mut run, &mut error) }, ORS_E_CLOSED, "{what}");
    assert_eq!((run, told(&error)), (0, (ORS_E_CLOSED, "agent".to_owned(), true)), "{what}: ors_connect");
    assert_eq!(unsafe { ors_restart(agent, null(), 0, null_mut()) }, ORS_E_CLOSED, "{what}");
    let (mut buffer, mut needed) = ([STALE; 8], 77);
    let code = unsafe { ors_connect_report(agent, 1, buffer.as_mut_ptr().cast(), 8, &mut needed) };
    assert_eq!((code, needed, buffer[0]), (ORS_E_CLOSED, 0, 0), "{what}: ors_connect_report");
    let mut result: ors_install_result = unsafe { std::mem::transmute([STALE; 32]) };
    result.struct_size = 32;
    assert_eq!(
        unsafe { ors_install_licence(agent, b"{}".as_ptr(), 2, null(), 0, &mut result, null_mut()) },
        ORS_E_CLOSED,
        "{what}"
    );
    let bytes: [u8; 32] = unsafe { std::mem::transmute(result) };
    assert!(bytes[4..].iter().all(|byte| *byte == 0), "{what}: ors_install_licence");
    assert_eq!(unsafe { ors_set_log(agent, 3, None, null_mut()) }, ORS_E_CLOSED, "{what}");
    assert_eq!(ors_close(agent, ORS_DEFAULT_WAIT), ORS_E_CLOSED, "{what}");
}

fn takes_agent(name: &str) -> bool {
    !["ors_version", "ors_error_text", "ors_update_text"].contains(&name)
}

#[test]
fn a_handle_that_is_made_up_closed_or_stale_is_closed() {
    let site = Site::with(7);
    let host = site.open();
    let agent = host.agent;
    for (what, handle) in [
        ("zero", 0),
        ("all bits", u64::MAX),
        ("a slot without generation", agent & 0xffff_ffff),
        ("a generation without slot", agent & !0xffff_ffff),
        ("another generation", agent + (1 << 32)),
        ("the last generation", agent | !0xffff_ffff),
        ("a slot beyond the table", (agent & !0xffff_ffff) | 4_097),
        ("a slot far beyond the table", (agent & !0xffff_ffff) | 0xffff_ffff),
        ("a pointer", std::ptr::from_ref(&host) as u64),
    ] {
        all_say_closed(handle, what);
    }
    assert_eq!(host.close(), ORS_OK);
    all_say_closed(agent, "closed");
    let next = site.open();
    assert_ne!(next.agent, agent);
    all_say_closed(agent, "closed, and another opened");
}

#[test]
fn two_handles_of_one_runtime_end_one_by_one() {
    let site = Site::with(7);
    let (first, second) = (site.open(), site.open());
    assert_ne!(first.agent, second.agent);
    let agent = first.agent;
    assert_eq!(first.close(), ORS_OK);
    all_say_closed(agent, "the first");
    assert_eq!(second.licence().sequence, 7);
    second.set(&serde_json::json!({ "language": "en" })).unwrap();
    assert_eq!(second.close(), ORS_OK);
}

#[test]
fn exactly_one_of_many_closes_is_the_one() {
    let site = Site::with(7);
    for _ in 0..10 {
        let host = site.open();
        let agent = host.agent;
        std::mem::forget(host);
        let closes: Vec<i32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| ors_close(agent, 10_000))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(closes.iter().filter(|code| **code == ORS_OK).count(), 1, "{closes:?}");
        assert_eq!(closes.iter().filter(|code| **code == ORS_E_CLOSED).count(), 5, "{closes:?}");
    }
}

#[test]
fn a_close_wakes_the_waits_of_its_handle_and_no_other() {
    let site = Site::with(7);
    let other = site.open();
    other.until_sequence(7);
    for _ in 0..5 {
        let host = site.open();
        let seen = host.notices().revision;
        let waits = AtomicU64::new(0);
        let agent = host.agent;
        std::thread::scope(|scope| {
            let wait = || {
                waits.fetch_add(1, SeqCst);
                let began = Instant::now();
                (unsafe { ors_wait(agent, seen, 60_000, null_mut()) }, began.elapsed())
            };
            let waiting: Vec<_> = (0..3).map(|_| scope.spawn(wait)).collect();
            let longer = scope.spawn(|| unsafe { ors_wait(other.agent, seen, 600, null_mut()) });
            while waits.load(SeqCst) < 3 {
                std::thread::yield_now();
            }
            assert_eq!(host.close(), ORS_OK);
            for thread in waiting {
                let (code, took) = thread.join().unwrap();
                assert_eq!(code, ORS_E_CLOSED);
                assert!(took < Duration::from_secs(20), "woken after {took:?}");
            }
            assert_eq!(longer.join().unwrap(), ORS_E_TIMEOUT, "the other handle sleeps on");
        });
    }
}

fn open_at_last(site: &Site) -> Host {
    let began = Instant::now();
    loop {
        match Host::open(&site.options()) {
            Err(failure) if failure.code == ORS_E_TIMEOUT && began.elapsed() < Duration::from_secs(60) => {}
            other => return other.unwrap(),
        }
    }
}

#[test]
fn a_close_in_a_storm_of_refreshes_shows_the_right_licence_or_none() {
    let sites = [Site::with(7), Site::new()];
    sites[1].drop_file("a.ors.json", &sites[1].vendor.sign(&licence(9)));
    let sequences = [7, 9];
    let current = [AtomicU64::new(0), AtomicU64::new(0)];
    let done = AtomicBool::new(false);
    let answers = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for which in [0, 1, 0, 1, 0, 1, 0, 1] {
            let (current, done, answers) = (&current, &done, &answers);
            scope.spawn(move || {
                while !done.load(SeqCst) {
                    let agent = current[which].load(SeqCst);
                    let mut out: ors_licence_status = zeroed();
                    out.struct_size = 104;
                    let code = unsafe { ors_check_licence(agent, &mut out) };
                    let mut notices: ors_notice_status = zeroed();
                    notices.struct_size = 64;
                    unsafe { ors_notify_status(agent, &mut notices) };
                    match code {
                        ORS_OK => {
                            assert_eq!((out.state, out.sequence), (ORS_LICENCE_VALID, sequences[which]));
                            answers.fetch_add(1, SeqCst);
                        }
                        _ => assert_eq!((code, out.state, out.sequence, out.revision), (ORS_E_CLOSED, 0, 0, 0)),
                    }
                    std::thread::yield_now();
                }
            });
        }
        // However this ends: the storm ends with it.
        struct Ends<'a>(&'a AtomicBool);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        let _ends = Ends(&done);
        for round in 0..40 {
            // Eight threads that never rest may starve the one that opens: it is told so, and the storm is what this is about.
            let host = open_at_last(&sites[round % 2]);
            // For the same reason an open may be over before the first look.
            host.until_sequence(sequences[round % 2]);
            let handle = host.agent;
            let before = answers.load(SeqCst);
            current[round % 2].store(handle, SeqCst);
            let deadline = Instant::now() + Duration::from_secs(20);
            while answers.load(SeqCst) < before + 100 && Instant::now() < deadline {
                std::thread::yield_now();
            }
            assert!(answers.load(SeqCst) > before, "round {round}: somebody got an answer");
            assert!([ORS_OK, ORS_E_TIMEOUT].contains(&host.close()), "round {round}");
        }
    });
}

#[test]
fn there_are_4096_handles_and_a_closed_one_is_free_again() {
    if !alone("handles::there_are_4096_handles_and_a_closed_one_is_free_again") {
        return;
    }
    let site = Site::with(7);
    let opening = Opening::new(&site.options());
    let open = || {
        let (mut agent, mut error) = (7, stale_error());
        let code = unsafe { ors_open(&opening.given, &mut agent, &mut error) };
        (code, agent, told(&error))
    };
    let mut agents: Vec<ors_agent> = (0..4_096)
        .map(|number| {
            let (code, agent, _) = open();
            assert_eq!(code, ORS_OK, "handle {number}");
            agent
        })
        .collect();
    for _ in 0..2 {
        assert_eq!(open(), (ORS_E_LIMIT, 0, (ORS_E_LIMIT, "agent".to_owned(), true)));
    }
    let unique: std::collections::HashSet<_> = agents.iter().collect();
    assert_eq!(unique.len(), 4_096);
    let freed = agents.swap_remove(1_000);
    assert_eq!(ors_close(freed, ORS_DEFAULT_WAIT), ORS_OK);
    let (code, again, _) = open();
    assert_eq!(code, ORS_OK);
    assert!(again != freed && again & 0xffff_ffff == freed & 0xffff_ffff, "the same slot, another generation");
    all_say_closed(freed, "its slot is another's now");
    agents.push(again);
    for agent in agents {
        let host = Host { agent };
        assert_eq!(host.licence().sequence, 7);
        assert_eq!(host.close(), ORS_OK);
    }
}
