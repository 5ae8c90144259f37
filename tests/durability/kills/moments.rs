//! What cannot be read for a moment, while an older value could be: nothing is built on the older one.

use super::host::{Host, Order};
use super::licences::FILE_NAME;
use super::place::Place;
use super::strace::{Harm, Injection, Scope, Strace, thread_named};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn done(host: &mut Host, place: &Place, order: &Order) {
    let answer = host.order(place, order).expect("an answer");
    assert_eq!(answer.code, 0, "{order:?}: {}", answer.error);
}

fn ask(host: &mut Host, place: &Place, name: &str) -> Value {
    host.order(place, &Order::Ask).expect("an answer").told.remove(name).expect("it is told")
}

fn until(host: &mut Host, place: &Place, what: &str, holds: impl Fn(&mut Host) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds(host) {
        assert!(Instant::now() < deadline, "in vain: {what}: {:#}", ask(host, place, "diagnostics"));
        host.order(place, &Order::Wait(20));
    }
}

fn leads(host: &mut Host, place: &Place) -> bool {
    let told = ask(host, place, "diagnostics");
    told["role"] == "leader" && told["installed"]["source"] == "folder"
}

/// From now on a file cannot be opened, by anybody in that process or thread.
fn closed_to(thread: u32, scope: Scope, place: &Place, path: &Path, error: &'static str) -> Strace {
    let harm = Injection { call: "openat".to_owned(), at: 1, harm: Harm::ForEver(error) };
    Strace::attach(thread, scope, &[path.to_owned()], Some(&harm), place.path().join("trace"))
}

/// A document's second copy as it was before the change, as a process leaves it that is killed between the two.
fn behind(place: &Place, name: &str, change: impl FnOnce()) {
    let second = place.state().join(format!("{name}.b"));
    let old = fs::read(&second).expect("the second copy");
    change();
    assert_ne!(fs::read(&second).expect("the second copy"), old);
    fs::write(&second, old).expect("the old copy");
}

#[test]
fn nothing_is_set_on_top_of_older_settings_while_the_newer_cannot_be_read() {
    let place = Place::new();
    let mut host = Host::start(&place);
    done(&mut host, &place, &Order::Open);
    until(&mut host, &place, "the lead", |host| leads(host, &place));
    done(&mut host, &place, &Order::Set(json!({ "language": "de" })));
    behind(&place, "settings", || done(&mut host, &place, &Order::Set(json!({ "language": "fr" }))));
    let agent = thread_named(host.id(), "ors-agent").expect("its thread");
    let strace = closed_to(agent, Scope::Thread, &place, &place.state().join("settings.a"), "EMFILE");
    let refused = host.order(&place, &Order::Set(json!({ "unreachable_hours": 7 }))).expect("an answer");
    assert_ne!(refused.code, 0, "it would have been set on top of what was before \"fr\"");
    drop(strace);
    done(&mut host, &place, &Order::Set(json!({ "unreachable_hours": 7 })));
    let settings = ask(&mut host, &place, "settings");
    assert_eq!((&settings["language"], &settings["unreachable_hours"]), (&json!("fr"), &json!(7)));
}

#[test]
fn a_licence_that_cannot_be_read_is_not_replaced_by_an_older_one() {
    let place = Place::new();
    let mut host = Host::start(&place);
    done(&mut host, &place, &Order::Open);
    until(&mut host, &place, "the lead", |host| leads(host, &place));
    done(&mut host, &place, &Order::Install(2));
    done(&mut host, &place, &Order::Raised(2));
    let folder = thread_named(host.id(), "ors-folder").expect("its thread");
    let strace = closed_to(folder, Scope::Thread, &place, &place.licences().join(FILE_NAME), "EIO");
    place.copy_by_hand(3, FILE_NAME);
    until(&mut host, &place, "a refused file", |host| {
        ask(host, &place, "diagnostics")["licences"][0]["reason"] == "unreadable"
    });
    // The verified copy is in use; some more looks at the folder, each of which could have put it back.
    for _ in 0..3 {
        host.order(&place, &Order::Wait(1_000));
        assert_eq!(ask(&mut host, &place, "status")["sequence"], 2);
    }
    drop(strace);
    done(&mut host, &place, &Order::Until(3));
    assert_eq!(fs::read(place.licences().join(FILE_NAME)).expect("the licence"), place.vendor.licence(3));
}

#[test]
fn nobody_leads_on_an_older_state_while_the_newer_cannot_be_read() {
    let place = Place::new();
    let mut host = Host::start(&place);
    done(&mut host, &place, &Order::Open);
    until(&mut host, &place, "the lead", |host| leads(host, &place));
    behind(&place, "state", || {
        done(&mut host, &place, &Order::Install(2));
        done(&mut host, &place, &Order::Raised(2));
    });
    drop(host);

    let mut host = Host::start(&place);
    done(&mut host, &place, &Order::Patience(10_000));
    let strace = closed_to(host.id(), Scope::Process, &place, &place.state().join("state.a"), "EMFILE");
    done(&mut host, &place, &Order::Open);
    for _ in 0..2 {
        host.order(&place, &Order::Wait(1_000));
        assert_eq!(ask(&mut host, &place, "diagnostics")["role"], "follower");
    }
    drop(strace);
    until(&mut host, &place, "the lead", |host| leads(host, &place));
    assert_eq!(ask(&mut host, &place, "status")["announcement"], 2, "what was announced still is");
    done(&mut host, &place, &Order::Acknowledge(2));
}
