//! From the issue of a licence to its use, over the network.

use crate::support::Site;
use crate::support::host::{Host, Options};
use crate::support::office::{CODE, ORGANISATION, Office};
use ors::ffi::*;
use ors::office::protocol::Verb;
use serde_json::json;

/// The site's product, with this office.
pub fn options(site: &Site, office: &Office) -> Options {
    Options { office_url: Some(office.url.clone()), ..site.options() }
}

/// Opened, with a licence in use, and enabled with the right credentials.
pub fn enabled(site: &Site, office: &Office) -> Host {
    let host = Host::open(&options(site, office)).unwrap();
    host.until("a licence in use", |host| host.licence().sequence != 0);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    host
}

#[test]
fn a_licence_that_is_issued_is_in_use_and_the_office_is_told() {
    let (site, office) = (Site::with(7), Office::open());
    office.issue(7, &site.vendor.file(7));
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    assert_eq!(host.notices().service, ORS_SERVICE_READY);
    assert_eq!(host.settings()["enrolment"], "active");
    office.issue(8, &site.vendor.file(8));
    host.until_sequence(8);
    office.until("told", |state| state.checks.iter().any(|check| check.sequence == 8));
    assert_eq!(office.count(Verb::Enrol), 1);
    host.set(&json!({ "product_version": "8.2.1" })).unwrap();
    host.connect().unwrap();
    office.until("the product's version", |state| state.checks.iter().any(|check| check.product_version == "8.2.1"));
}

#[test]
fn the_journal_is_stored_at_the_office_once_and_in_order() {
    let (site, office) = (Site::with(7), Office::open());
    let host = enabled(&site, &office);
    office.until("a report", |state| !state.journal.is_empty());
    host.until("stored", |host| host.diagnostics()["office"]["reported"].is_object());
    let reported = host.diagnostics()["office"]["reported"]["n"].as_u64().unwrap();
    let file = std::fs::read_to_string(site.state().join("journal.jsonl")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let state = office.state();
    for (n, line) in &state.journal {
        assert_eq!(lines[usize::try_from(*n).unwrap() - 1], line, "line {n} as it stands in the file");
    }
    assert_eq!(state.journal.keys().copied().collect::<Vec<_>>(), (1..=reported).collect::<Vec<_>>());
    // The head goes with each check.
    let head = state.checks.last().unwrap().journal.clone().unwrap();
    assert_eq!(head.hash, crate::support::office::digest(lines[usize::try_from(head.n).unwrap() - 1]));
}

#[test]
fn an_office_that_lost_its_newest_licences_gets_ours() {
    let (site, office) = (Site::with(9), Office::open());
    office.issue(7, &site.vendor.file(7));
    let host = enabled(&site, &office);
    office.until("our licence", |state| state.checks.iter().any(|check| check.licence.is_some()));
    let sent = office.state().checks.iter().find_map(|check| check.licence.clone()).unwrap();
    assert_eq!(sent.into_bytes(), site.vendor.file(9));
    assert_eq!(host.licence().sequence, 9);
}

#[test]
fn a_probe_is_answered_at_once() {
    let (site, office) = (Site::with(7), Office::open());
    let _host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let probe = crate::support::office::nonce(77);
    let began = std::time::Instant::now();
    office.happen(ors::office::protocol::EventKind::Probe(probe.clone()));
    office.until("the pong", |state| state.pongs.contains(&probe));
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    office.until("parked again", |state| state.parked == 1);
}

#[test]
fn an_office_that_starts_anew_is_found_again() {
    let site = Site::with(7);
    let office = Office::open();
    let address = office.address;
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let keys = office.state().keys.clone();
    drop(office);
    host.until("noticed", |host| !host.diagnostics()["office"]["failure"].is_null());
    let again = Office::on(std::net::TcpListener::bind(address).unwrap(), None, "127.0.0.1");
    again.state().keys = keys;
    again.state().epoch = crate::support::office::nonce(2);
    again.issue(8, &site.vendor.file(8));
    host.connect().unwrap();
    host.until_sequence(8);
}

#[test]
fn a_licence_that_waits_to_be_copied_by_hand_is_told_to_the_office() {
    let (site, office) = (Site::with(7), Office::open());
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    std::fs::remove_dir_all(site.licences()).unwrap();
    host.until("seen", |host| host.diagnostics()["licence_folder_state"] == "missing");
    office.issue(8, &site.vendor.file(8));
    host.until("8 waits", |host| host.licence().copy_sequence == 8);
    host.connect().unwrap();
    office.until("told", |state| state.checks.iter().any(|check| (check.sequence, check.waiting) == (7, 8)));
}

#[test]
fn a_hundred_licences_are_in_use_two_seconds_after_they_are_issued() {
    use crate::support::table::{count, row};
    let (site, office) = (Site::with(7), Office::open());
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    let (runs, mut late, mut worst) = (count(20, 100), 0, std::time::Duration::ZERO);
    for sequence in 8..8 + runs {
        let file = site.vendor.file(sequence);
        let began = std::time::Instant::now();
        office.issue(sequence, &file);
        host.until_sequence(sequence);
        let took = began.elapsed();
        (late, worst) = (late + u64::from(took > std::time::Duration::from_secs(2)), worst.max(took));
        // The next one is sold when this one has settled.
        office.until("parked again", |state| {
            state.parked == 1 && state.checks.last().is_some_and(|check| check.sequence == sequence)
        });
    }
    println!("issued to in use, worst of {runs}: {worst:?}");
    row("a licence that is issued, in use 2 s later", runs, late);
}
