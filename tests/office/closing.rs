//! Closing, disabling and asking while the network does its worst: the host is never kept waiting.

use crate::alone::alone;
use crate::renewal::{enabled, options};
use crate::support::Site;
use crate::support::host::{Host, Options};
use crate::support::office::{CODE, ORGANISATION, Office, Raw};
use ors::ffi::*;
use serde_json::json;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// The names of this process's threads that talk to the network.
#[cfg(target_os = "linux")]
fn lines() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    tasks.filter_map(name).map(|name| name.trim().to_owned()).filter(|name| is_line(name)).collect()
}

#[cfg(target_os = "linux")]
fn is_line(name: &str) -> bool {
    ["ors-net", "ors-poll"].contains(&name)
}

/// Until both lines are gone, and how long that took.
#[cfg(target_os = "linux")]
fn until_no_lines(began: Instant) -> Duration {
    while !lines().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "left: {:?}", lines());
        std::thread::sleep(Duration::from_millis(1));
    }
    began.elapsed()
}

/// Closes and says how long that took. The time of a call is that of the machine, too, so a tenth of a second is asked of the
/// best of some.
fn closed(host: Host) -> Duration {
    let began = Instant::now();
    assert_eq!(host.close(), ORS_OK);
    began.elapsed()
}

#[cfg(target_os = "linux")]
#[test]
fn a_close_with_a_parked_poll_takes_a_tenth_of_a_second_and_leaves_no_thread() {
    if !alone("closing::a_close_with_a_parked_poll_takes_a_tenth_of_a_second_and_leaves_no_thread") {
        return;
    }
    let (site, office) = (Site::with(7), Office::open());
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let host = enabled(&site, &office);
        office.until("a parked poll", |state| state.parked == 1);
        assert_eq!(lines().len(), 2);
        let began = Instant::now();
        assert!(closed(host) < Duration::from_secs(2));
        best = best.min(until_no_lines(began));
        office.cut();
        office.until("nobody parked", |state| state.parked == 0);
    }
    println!("close with a parked poll, no thread left after: {best:?}");
    assert!(best < Duration::from_millis(100), "{best:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn disabling_ends_a_parked_poll_at_once_and_shows_it() {
    if !alone("closing::disabling_ends_a_parked_poll_at_once_and_shows_it") {
        return;
    }
    let (site, office) = (Site::with(7), Office::open());
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let began = Instant::now();
    host.set(&json!({ "enabled": false })).unwrap();
    let service = host.notices().service;
    assert!([ORS_SERVICE_STOPPING, ORS_SERVICE_OFF].contains(&service), "{service}");
    assert!(until_no_lines(began) < Duration::from_secs(1));
    host.until("off", |host| host.notices().service == ORS_SERVICE_OFF);
    let heard = office.state().seen.len();
    host.set(&json!({ "language": "en" })).unwrap();
    assert_eq!((office.state().seen.len(), lines()), (heard, Vec::new()), "nothing is said any more");
    host.set(&json!({ "enabled": true })).unwrap();
    office.until("polled again", |state| state.seen.len() > heard);
}

/// What hot calls take while something goes on, and how the close goes.
fn hot_calls_and_close(host: Host) {
    let mut slowest = Duration::ZERO;
    let mut over = 0;
    let began = Instant::now();
    let mut calls = 0u32;
    while began.elapsed() < Duration::from_secs(2) {
        let one = Instant::now();
        assert_ne!(host.notices().struct_size, 0);
        let _ = (host.settings(), host.diagnostics(), host.report(0));
        let took = one.elapsed();
        slowest = slowest.max(took);
        over += u32::from(took > Duration::from_millis(20));
        calls += 4;
    }
    let close = closed(host);
    println!("{calls} hot calls, slowest four {slowest:?}; close {close:?}");
    // Four calls with their JSON, in an unoptimised build, on a busy machine: a wait for the network would be seconds.
    assert!(over * 100 < calls, "{over} of {calls} took long");
    assert!(close < Duration::from_secs(2), "{close:?}");
}

#[test]
fn a_server_that_accepts_and_never_answers_harms_nobody() {
    let (site, office) = (Site::with(7), Office::open());
    office.script(|_, reply| reply.raw = Some(Raw::Silence));
    let host = enabled(&site, &office);
    office.until("a request", |state| !state.seen.is_empty());
    host.connect().unwrap();
    hot_calls_and_close(host);
}

/// A listener whose queue is full: Linux drops further attempts as a firewall does.
#[cfg(target_os = "linux")]
fn hole() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    // The queue of the standard library is 128 long, or what the system permits.
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
        assert!(queued.len() < 20_000, "the queue is never full");
    }
    (listener, queued, address)
}

#[cfg(target_os = "linux")]
#[test]
fn packets_that_are_dropped_harm_nobody() {
    let site = Site::with(7);
    let (_listener, _queued, address) = hole();
    let options = Options { office_url: Some(format!("http://{address}")), ..site.options() };
    let host = Host::open(&options).unwrap();
    host.until_sequence(7);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    let run = host.connect().unwrap();
    host.until("connecting", |host| host.report(run).unwrap()["steps"][3]["state"] == "running");
    hot_calls_and_close(host);
}

#[test]
fn a_name_that_does_not_exist_is_told_and_harms_nobody() {
    let site = Site::with(7);
    let options = Options { office_url: Some("https://office.invalid".to_owned()), ..site.options() };
    let host = Host::open(&options).unwrap();
    host.until_sequence(7);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    let report = host.connected(host.connect().unwrap());
    assert_eq!((&report["state"], &report["steps"][2]["state"]), (&json!("failed"), &json!("failed")), "{report:#}");
    assert!(report["steps"][2]["text"].as_str().unwrap().contains("office.invalid"));
    hot_calls_and_close(host);
}

#[test]
fn a_follower_says_nothing_to_anybody_until_it_leads() {
    let (site, office) = (Site::with(7), Office::open());
    let leader = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let follower = Host::open(&Options { commands: Some("{}".to_owned()), ..options(&site, &office) }).unwrap();
    assert_eq!(follower.notices().service, ORS_SERVICE_READY);
    let one = office.state().seen.last().unwrap().request.instance.clone();
    let connections = office.state().accepted;
    assert!(closed(leader) < Duration::from_secs(2));
    office.until("the other one took over", |state| {
        state.seen.last().is_some_and(|seen| seen.request.instance != one) && state.accepted > connections
    });
    follower.until("it leads", |host| host.settings()["runtime"]["role"] == "leader");
    assert_eq!(office.state().keys.len(), 1, "with the same key");
}
