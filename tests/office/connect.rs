//! [Connect]: what it says of each step, and what it does about refusals.

use crate::renewal::{enabled, options};
use crate::support::Site;
use crate::support::host::Host;
use crate::support::office::{CODE, ORGANISATION, Office, Raw, Standing};
use crate::support::schema::{of_docs, problems};
use ors::ffi::*;
use ors::office::protocol::{RefusedFor, Verb};
use serde_json::{Value, json};

/// The steps of a report as "step state".
fn steps(report: &Value) -> Vec<String> {
    let found = problems(&of_docs("connect-report"), report);
    assert!(found.is_empty(), "{found:#?}\n{report:#}");
    let rows = report["steps"].as_array().unwrap();
    rows.iter().map(|row| format!("{} {}", row["step"].as_str().unwrap(), row["state"].as_str().unwrap())).collect()
}

fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["steps"].as_array().unwrap().iter().find(|row| row["step"] == name).unwrap()
}

/// The one step that failed, and its sentence.
fn failed(report: &Value) -> (String, String) {
    steps(report);
    assert_eq!(report["state"], "failed", "{report:#}");
    let rows = report["steps"].as_array().unwrap();
    let bad: Vec<&Value> = rows.iter().filter(|row| row["state"] == "failed").collect();
    assert_eq!(bad.len(), 1, "{report:#}");
    let text = bad[0]["text"].as_str().unwrap().to_owned();
    assert!(text.ends_with('.') && text.contains(':') || text.contains("try again"), "{text}");
    (bad[0]["step"].as_str().unwrap().to_owned(), text)
}

const ALL_WELL: [&str; 9] = [
    "settings ok",
    "serial ok",
    "dns ok",
    "connect ok",
    "proxy skipped",
    "proxy-auth skipped",
    "tls skipped",
    "http ok",
    "enrolment ok",
];

#[test]
fn a_run_tells_each_step_and_ends_with_the_fingerprint() {
    let (site, office) = (Site::with(7), Office::open());
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let run = host.connect().unwrap();
    let report = host.connected(run);
    assert_eq!(steps(&report), ALL_WELL);
    assert_eq!(report["state"], "ok");
    let fingerprint = host.settings()["fingerprint"].clone();
    assert_eq!(step(&report, "enrolment")["fingerprint"], fingerprint);
    assert_eq!(host.text(ORS_TEXT_FINGERPRINT), fingerprint.as_str().unwrap());
    assert_eq!(step(&report, "serial")["text"], "1234567890");
    for name in ["settings", "serial", "dns", "connect", "http", "enrolment"] {
        assert!(step(&report, name)["ms"].as_u64().unwrap() < 5_000, "{report:#}");
    }
    let public = office.state().keys.values().next().unwrap().0.fingerprint();
    assert_eq!(fingerprint, json!(public), "the office sees the same one");
    assert_eq!(host.report(0).unwrap(), report, "0 is the last one");
    assert_eq!(host.report(run + 1), Err(ORS_E_STALE));
    let next = host.connect().unwrap();
    assert_eq!((next, host.report(run)), (run + 1, Err(ORS_E_STALE)));
    assert_eq!(host.connected(next)["state"], "ok");
    // A poll that was parked meanwhile stays.
    office.until("still parked", |state| state.parked == 1);
}

#[test]
fn before_any_run_there_is_no_report_and_disabled_there_is_no_run() {
    let (site, office) = (Site::with(7), Office::open());
    let host = Host::open(&options(&site, &office)).unwrap();
    assert_eq!(host.report(0), Err(ORS_E_STALE));
    let refused = host.connect().unwrap_err();
    assert_eq!((refused.code, refused.place.as_str()), (ORS_E_DISABLED, "enabled"));
    assert_eq!(office.state().accepted, 0, "nothing was said to anybody");
}

#[test]
fn what_is_missing_here_is_told_before_anything_is_sent() {
    let (site, office) = (Site::new(), Office::open());
    let host = Host::open(&options(&site, &office)).unwrap();
    host.set(&json!({ "enabled": true })).unwrap();
    let run = |place: &str, word: &str| {
        let report = host.connected(host.connect().unwrap());
        let (step, text) = failed(&report);
        assert_eq!(step, place);
        assert!(text.contains(word), "{text}");
    };
    run("settings", "ID");
    host.set(&json!({ "organisation_id": ORGANISATION })).unwrap();
    run("settings", "verification code");
    host.set(&json!({ "verification_code": CODE })).unwrap();
    run("serial", "licence");
    assert_eq!(office.state().accepted, 0);
    let without = Host::open(&site.options()).unwrap();
    let (step, text) = failed(&without.connected(without.connect().unwrap()));
    assert!(step == "settings" && text.contains("vendor"), "{step}: {text}");
}

#[test]
fn a_wrong_code_says_its_sentence_and_is_not_tried_again_until_connect_or_another_code() {
    let (site, office) = (Site::with(7), Office::open());
    let host = Host::open(&options(&site, &office)).unwrap();
    host.until_sequence(7);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": "wrong-code" })).unwrap();
    office.until("an attempt", |state| !state.seen.is_empty());
    host.until("refused", |host| host.diagnostics()["office"]["failure"].as_str().is_some_and(|why| why.contains("code")));
    // Not after a restart either.
    host.restart().unwrap();
    host.until("up again", |host| host.notices().service == ORS_SERVICE_READY);
    host.set(&json!({ "language": "en" })).unwrap();
    assert_eq!(office.count(Verb::Enrol), 1);
    let report = host.connected(host.connect().unwrap());
    let (step, text) = failed(&report);
    assert_eq!(step, "enrolment");
    assert!(text.starts_with("The ID or the verification code is not right"), "{text}");
    assert_eq!(office.count(Verb::Enrol), 2);
    host.set(&json!({ "verification_code": CODE })).unwrap();
    host.until("enrolled", |host| host.settings()["enrolment"] == "active");
    assert_eq!(office.count(Verb::Enrol), 3);
}

#[test]
fn a_second_key_waits_for_an_administrator_and_is_active_once_it_is_approved() {
    let (site, office) = (Site::with(7), Office::open());
    office.state().newcomers = Standing::Pending;
    let host = enabled(&site, &office);
    host.until("pending", |host| host.settings()["enrolment"] == "pending");
    let report = host.connected(host.connect().unwrap());
    assert_eq!(report["state"], "ok");
    let row = step(&report, "enrolment");
    assert!(row["text"].as_str().unwrap().contains("approve"), "{row}");
    assert_eq!(row["fingerprint"], host.settings()["fingerprint"]);
    office.state().keys.values_mut().for_each(|(_, standing)| *standing = Standing::Active);
    office.happen(ors::office::protocol::EventKind::Enrolment);
    host.until("active", |host| host.settings()["enrolment"] == "active");
}

#[test]
fn a_key_that_was_superseded_says_so_and_falls_silent_until_somebody_presses_connect() {
    let (site, office) = (Site::with(7), Office::open());
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    office.state().keys.values_mut().for_each(|(_, standing)| *standing = Standing::No(RefusedFor::Superseded));
    office.happen(ors::office::protocol::EventKind::Enrolment);
    host.until("superseded", |host| host.settings()["enrolment"] == "superseded");
    let heard = office.state().seen.len();
    let (step, text) = failed(&host.connected(host.connect().unwrap()));
    assert!(step == "enrolment" && text.contains("taken the place"), "{step}: {text}");
    assert_eq!(office.state().seen.len(), heard + 1, "one attempt for one click");
    assert_eq!(host.settings()["enrolment"], "superseded");
}

#[test]
fn a_log_in_page_is_named_with_its_status_title_and_target() {
    let (site, office) = (Site::with(7), Office::open());
    office.script(|_, reply| {
        reply.status = 302;
        reply.headers.push("Location: https://portal.example/login".to_owned());
        reply.raw = Some(Raw::Body(b"<html><title>Hotel Portal</title></html>".to_vec()));
    });
    let host = enabled(&site, &office);
    let (step, text) = failed(&host.connected(host.connect().unwrap()));
    assert_eq!(step, "http");
    for word in ["302", "Hotel Portal", "https://portal.example/login"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn nobody_there_is_a_failed_connect_with_the_address() {
    let (site, office) = (Site::with(7), Office::open());
    let options = options(&site, &office);
    let address = office.address;
    drop(office);
    let host = Host::open(&options).unwrap();
    host.until_sequence(7);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    let report = host.connected(host.connect().unwrap());
    let (step, text) = failed(&report);
    assert!(step == "connect" && text.contains(&address.to_string()), "{step}: {text}");
    assert_eq!(steps(&report)[7..], ["http skipped", "enrolment skipped"]);
}

#[test]
fn any_process_may_ask_and_the_leader_connects_and_every_process_shows_it() {
    let (site, office) = (Site::with(7), Office::open());
    let leader = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let other = crate::support::host::Options { commands: Some("{}".to_owned()), ..options(&site, &office) };
    let follower = Host::open(&other).unwrap();
    assert_eq!(follower.settings()["runtime"]["role"], "follower");
    let run = follower.connect().unwrap();
    assert_eq!(follower.report(run).unwrap()["state"], "running");
    assert_eq!(steps(&follower.connected(run)), ALL_WELL);
    assert_eq!(leader.report(run).unwrap(), follower.report(run).unwrap());
    follower.until("as the leader says", |host| host.settings()["enrolment"] == "active");
    assert_eq!(follower.settings()["fingerprint"], leader.settings()["fingerprint"]);
    assert_eq!(office.state().keys.len(), 1, "one key for all of them");
}

#[test]
fn a_restart_shows_in_the_service_and_keeps_handle_licence_and_key() {
    let (site, office) = (Site::with(7), Office::open());
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let fingerprint = host.settings()["fingerprint"].clone();
    let before = office.state().seen.last().unwrap().request.instance.clone();
    host.restart().unwrap();
    office.until("the lines went down", |state| state.parked == 0);
    assert_eq!(host.licence().sequence, 7, "hot calls go on");
    office.until("another instance polls", |state| {
        state.parked == 1 && state.seen.last().is_some_and(|seen| seen.request.instance != before)
    });
    host.until("ready", |host| host.notices().service == ORS_SERVICE_READY);
    assert_eq!(host.settings()["fingerprint"], fingerprint);
    assert_eq!(office.count(Verb::Enrol), 1, "it is enrolled already");
}
