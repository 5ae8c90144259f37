//! A newer licence: found, announced, acknowledged, put back, copied by hand.

use crate::support::{Site, feature, fls, licence};
use ors::ffi::*;

#[test]
fn a_newer_licence_dropped_into_the_folder_is_announced_until_acknowledged() {
    let site = Site::with(7);
    let host = site.open();
    let first = host.licence();
    assert_eq!((first.state, first.sequence, first.announcement, first.users), (ORS_LICENCE_VALID, 7, 0, 5));

    let mut newer = licence(8);
    newer.users = 10;
    newer.features.push(feature("imposition", "Imposition"));
    site.drop_file("newer.ors.json", &site.vendor.sign(&newer));
    host.until_sequence(8);
    let status = host.notices();
    assert_eq!((status.notices, status.announcement, status.users), (ORS_NOTICE_NEW_FEATURES, 8, 10));
    let text = host.notice_text(ORS_NOTICE_NEW_FEATURES).unwrap();
    assert_eq!(text, "Your licence has changed. New: Imposition. Users: 10 (before: 5).");

    assert_eq!(host.acknowledge(9).unwrap_err().code, ORS_E_STALE);
    host.acknowledge(8).unwrap();
    assert_eq!(host.notices().notices, 0, "in force on return");
    host.acknowledge(8).expect("again is fine");
    assert_eq!(host.row("prismaprepare-1234567890.ors.json").unwrap()["state"], "superseded");
}

#[test]
fn an_upload_reaches_the_folder_with_the_floating_servers_files() {
    let site = Site::with(7);
    let host = site.open();
    let mut newer = licence(8);
    newer.fls.push(fls("prismaprepare.lic", "FEATURE one"));
    let (result, done) = host.install(&site.vendor.sign(&newer));
    done.unwrap();
    assert_eq!((result.state, result.sequence, result.changes), (ORS_INSTALL_ACCEPTED, 8, 0));
    host.until_sequence(8);
    assert_eq!(std::fs::read_to_string(site.file("prismaprepare.lic")).unwrap(), "FEATURE one");
    assert_eq!(std::fs::read(site.file("prismaprepare-1234567890.ors.json")).unwrap(), site.vendor.sign(&newer));

    // A person spoils the server's file: it is repaired from the envelope.
    site.drop_file("prismaprepare.lic", b"spoiled");
    host.until("the repair", |_| {
        std::fs::read(site.file("prismaprepare.lic")).is_ok_and(|bytes| bytes == b"FEATURE one")
    });
    let (again, done) = host.install(&site.vendor.sign(&newer));
    done.unwrap();
    assert_eq!(again.state, ORS_INSTALL_PRESENT);
}

#[test]
fn a_licence_that_disappears_stays_in_use_and_is_put_back_three_times() {
    let site = Site::with(7);
    let host = site.open();
    let file = site.file("prismaprepare-1234567890.ors.json");
    for round in 1..=3 {
        std::fs::remove_file(&file).unwrap();
        host.until(&format!("put back, {round}"), |_| file.exists());
        host.until("read again", |host| host.diagnostics()["installed"]["source"] == "folder");
        assert_eq!(host.licence().state, ORS_LICENCE_VALID);
    }
    std::fs::remove_file(&file).unwrap();
    host.until("a person is asked", |host| host.notices().notices & ORS_NOTICE_MANUAL_COPY != 0);
    let status = host.licence();
    assert_eq!((status.state, status.sequence, status.copy_sequence), (ORS_LICENCE_VALID, 7, 7));
    assert_eq!(host.text(ORS_TEXT_COPY_FILE_NAMES), "prismaprepare-1234567890.ors.json");
    assert_eq!(host.text(ORS_TEXT_COPY_TARGET), site.licences().to_str().unwrap());
    std::fs::copy(
        std::path::Path::new(&host.text(ORS_TEXT_COPY_SOURCE)).join("prismaprepare-1234567890.ors.json"),
        &file,
    )
    .unwrap();
    host.until("copied by hand", |host| host.notices().notices == 0);
    assert_eq!(host.licence().copy_sequence, 0);
}

#[test]
fn a_licence_for_a_folder_that_vanished_waits_for_a_person_and_goes_there_when_it_is_back() {
    let site = Site::with(7);
    let host = site.open();
    crate::support::remove_as_a_person(&site.licences());
    let mut newer = licence(8);
    newer.fls.push(fls("server.lic", "text"));
    host.until("seen", |host| host.diagnostics()["licence_folder_state"] == "missing");
    let (result, done) = host.install(&site.vendor.sign(&newer));
    done.unwrap();
    assert_eq!(result.sequence, 8);
    host.until("8 waits", |host| host.licence().copy_sequence == 8);
    assert_eq!(host.licence().sequence, 7, "a licence that only waits changes nothing");
    assert_eq!(host.text(ORS_TEXT_COPY_FILE_NAMES), "server.lic\nprismaprepare-1234567890.ors.json");
    assert_eq!(host.text(ORS_TEXT_COPY_LICENCE).as_bytes(), site.vendor.sign(&newer));
}

#[test]
fn the_last_known_licence_is_there_when_open_returns() {
    let site = Site::with(7);
    site.open().close();
    crate::support::remove_as_a_person(&site.licences());
    let host = site.open();
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
}
