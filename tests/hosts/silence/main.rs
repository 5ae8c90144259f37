//! Disabled is silent: no packet, no lookup. In a network namespace that tests/parts/55-silence.sh makes: every address is this machine,
//! so that the loopback interface counts all there is, and the name server is this test.
#![cfg(target_os = "linux")]

#[path = "../../support/mod.rs"]
mod support;

use ors::ffi::*;
use serde_json::json;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use support::Site;
use support::host::{Host, Options};
use support::office::{CODE, ORGANISATION};
use support::table::row;

/// Packets that were sent on any interface.
fn packets() -> u64 {
    let interfaces = std::fs::read_dir("/sys/class/net").unwrap().flatten();
    let sent = |name: &std::path::Path| std::fs::read_to_string(name.join("statistics/tx_packets"));
    interfaces.filter_map(|interface| sent(&interface.path()).ok()).map(|count| count.trim().parse::<u64>().unwrap()).sum()
}

/// A name server that hears everything and says nothing. Returns how many queries it heard.
fn name_server() -> Arc<AtomicUsize> {
    let socket = UdpSocket::bind("192.0.2.53:53").expect("the namespace that tests/parts/55-silence.sh makes");
    let heard = Arc::new(AtomicUsize::new(0));
    let count = heard.clone();
    std::thread::spawn(move || {
        let mut packet = [0; 2_048];
        while socket.recv_from(&mut packet).is_ok() {
            count.fetch_add(1, SeqCst);
        }
    });
    heard
}

/// A product that has everything it takes to talk, and is disabled.
fn disabled(site: &Site) -> Host {
    let options = Options { office_url: Some("https://office.example".to_owned()), ..site.options() };
    let host = Host::open(&options).unwrap();
    host.until_sequence(7);
    host.set(&json!({
        "organisation_id": ORGANISATION, "verification_code": CODE,
        "proxy": { "mode": "manual", "host": "proxy.example", "port": 3128 },
    }))
    .unwrap();
    host
}

#[test]
fn a_disabled_service_is_silent_and_a_resolver_that_hangs_keeps_nobody_waiting() {
    let heard = name_server();
    let site = Site::with(7);
    let host = disabled(&site);
    let before = packets();
    let began = Instant::now();
    let mut refreshes = 0u64;
    while began.elapsed() < Duration::from_secs(60) {
        // A product that is used: pages, log-ins, an About box, an upload, a restart.
        for _ in 0..1_000 {
            host.notices();
            refreshes += 1;
        }
        (host.licence(), host.about(), host.settings(), host.diagnostics());
        let failure = host.connect().unwrap_err();
        assert_eq!(failure.code, ORS_E_DISABLED);
        std::thread::sleep(Duration::from_millis(50));
    }
    host.install(&site.vendor.file(8)).1.unwrap();
    host.until_sequence(8);
    host.restart().unwrap();
    host.until("up again", |host| host.settings()["runtime"]["role"] == "leader");
    let (sent, asked) = (packets() - before, heard.load(SeqCst));
    println!("disabled for {:?}, {refreshes} refreshes: {sent} packets, {asked} lookups", began.elapsed());
    row("a disabled service, packets and lookups in a minute", refreshes, sent + asked as u64);

    // The counters count: enabled, it looks the name up.
    host.set(&json!({ "enabled": true })).unwrap();
    let began = Instant::now();
    while heard.load(SeqCst) == 0 || packets() == before {
        assert!(began.elapsed() < Duration::from_secs(10), "enabled, nothing is counted either");
        std::thread::sleep(Duration::from_millis(10));
    }
    // And now the resolver hangs, for ten seconds and more.
    let run = host.connect().unwrap();
    host.until("looking up", |host| host.report(run).unwrap()["steps"][2]["state"] == "running");
    let (mut slowest, began) = (Duration::ZERO, Instant::now());
    while began.elapsed() < Duration::from_secs(3) {
        let one = Instant::now();
        (host.notices(), host.settings(), host.report(run).unwrap());
        slowest = slowest.max(one.elapsed());
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    let began = Instant::now();
    host.set(&json!({ "enabled": false })).unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
    host.set(&json!({ "enabled": true })).unwrap();
    let began = Instant::now();
    assert_eq!(host.close(), ORS_OK);
    let close = began.elapsed();
    println!("while the resolver hangs: slowest hot calls {slowest:?}, close {close:?}");
    row("a close while the resolver hangs, within 2 s", 1, u64::from(close > Duration::from_secs(2)));
    let dns = || std::fs::read_dir("/proc/self/task").unwrap().flatten().filter(|task| {
        std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "ors-dns")
    });
    assert!(dns().count() <= 1, "one hanging lookup at most");
}
