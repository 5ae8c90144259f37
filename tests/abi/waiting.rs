//! `ors_wait`: woken by every change, by nothing else, and never too late.

use crate::support::{Site, licence};
use ors::ffi::*;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

fn wait(agent: ors_agent, seen: u64, timeout_ms: u32) -> (i32, u64, Duration) {
    let began = Instant::now();
    let mut revision = 77;
    let code = unsafe { ors_wait(agent, seen, timeout_ms, &mut revision) };
    (code, revision, began.elapsed())
}

#[test]
fn a_wait_without_news_lasts_as_long_as_asked() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let revision = host.notices().revision;
    for (asked, least) in [(0, 0), (1, 1), (700, 700), (ORS_DEFAULT_WAIT, 2_000)] {
        let (code, told, took) = wait(host.agent, revision, asked);
        assert_eq!((code, told), (ORS_E_TIMEOUT, 0), "{asked} ms");
        assert!(took >= Duration::from_millis(least), "{asked} ms: {took:?}");
        assert!(took < Duration::from_millis(least) + Duration::from_secs(10), "{asked} ms: {took:?}");
    }
}

#[test]
fn a_change_before_the_wait_is_not_missed() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let before = host.notices().revision;
    site.drop_file(
        "newer.ors.json",
        &site.vendor.sign(&{
            let mut newer = licence(8);
            newer.users = 6;
            newer
        }),
    );
    host.until_sequence(8);
    for _ in 0..3 {
        let (code, revision, _) = wait(host.agent, before, 60_000);
        assert_eq!((code, revision), (ORS_OK, host.notices().revision), "as often as it is asked");
    }
    assert_eq!(wait(host.agent, 0, 60_000).0, ORS_OK, "a caller that has seen nothing");
}

#[test]
fn a_change_during_the_wait_wakes_it() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let before = host.notices().revision;
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(host.agent, before, 60_000));
        site.drop_file("newer.ors.json", &site.vendor.file(8));
        let (code, revision, took) = waiting.join().unwrap();
        assert_eq!(code, ORS_OK);
        assert!(revision != before && took < Duration::from_secs(20), "{took:?}");
    });
}

#[test]
fn enabling_makes_the_service_ready_and_wakes_who_waits() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let revision = host.notices().revision;
    assert_eq!((host.notices().service, host.settings()["runtime"]["state"].as_str()), (ORS_SERVICE_OFF, Some("off")));
    let woken = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(wait(host.agent, revision, 60_000).0, ORS_OK);
            woken.store(true, SeqCst);
        });
        let deadline = Instant::now() + Duration::from_secs(20);
        // The thread may not sleep yet at the first change.
        for enabled in [true, false].into_iter().cycle() {
            host.set(&json!({ "enabled": enabled })).unwrap();
            let ready = if enabled { ORS_SERVICE_READY } else { ORS_SERVICE_OFF };
            assert_eq!(host.notices().service, ready, "in force on return");
            if woken.load(SeqCst) || Instant::now() > deadline {
                break;
            }
        }
        assert!(woken.load(SeqCst));
    });
    assert_eq!(host.notices().revision, revision, "the service is this process's own and in no revision");
}
