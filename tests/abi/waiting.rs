//! `ors_wait`: woken by every change, by nothing else, and never too late.

use crate::support::{Site, licence};
use ors::ffi::*;
use serde_json::json;
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
    std::thread::scope(|scope| {
        // Whether it sleeps already or begins to only then.
        let waiting = scope.spawn(|| wait(host.agent, revision, 60_000));
        host.set(&json!({ "enabled": true })).unwrap();
        assert_eq!(host.notices().service, ORS_SERVICE_READY, "in force on return");
        let (code, told, took) = waiting.join().unwrap();
        assert_eq!((code, told), (ORS_OK, revision), "the service is this process's own and in no revision");
        assert!(took < Duration::from_secs(20), "{took:?}");
    });
    assert_eq!(host.notices().revision, revision);
}

#[test]
fn a_service_that_changed_before_the_wait_is_told_once_on_each_handle() {
    let site = Site::with(7);
    let (one, other) = (site.open(), site.open());
    one.until_sequence(7);
    let revision = one.notices().revision;
    one.set(&json!({ "enabled": true })).unwrap();
    for host in [&one, &other] {
        let (code, told, took) = wait(host.agent, revision, 60_000);
        assert_eq!((code, told), (ORS_OK, revision), "changed before the wait began");
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert_eq!(wait(host.agent, revision, 50).0, ORS_E_TIMEOUT, "it was told");
    }
    one.set(&json!({ "enabled": false })).unwrap();
    one.set(&json!({ "enabled": true })).unwrap();
    assert_eq!(wait(one.agent, revision, 50).0, ORS_E_TIMEOUT, "as it was told");
    let late = site.open();
    assert_eq!(wait(late.agent, revision, 50).0, ORS_E_TIMEOUT, "as it was when this handle was opened");
}
