//! The licence folder as people and programs leave it: things that are no files, too many of them, names, several
//! serials, a path that names one file, a folder that vanishes.

use crate::support::host::Host;
use crate::support::{DAY, Site, licence, move_as_a_person, remove_as_a_person, text};
use crate::tools::{changed, is_sentence, log};
use ors::ffi::*;
use ors::licence::Serial;
use serde_json::json;
use std::fs;

const OURS: &str = "prismaprepare-1234567890.ors.json";

fn of_serial(site: &Site, serial: &str, sequence: u64) -> Vec<u8> {
    site.vendor.sign(&changed(sequence, |licence| licence.serial = Serial::parse(serial).unwrap()))
}

fn refused(host: &Host, file: &str) -> i64 {
    host.row(file).filter(|row| row["state"] == "refused").map_or(0, |row| row["reason_code"].as_i64().unwrap())
}

fn source(host: &Host) -> String {
    host.diagnostics()["installed"]["source"].as_str().unwrap_or_default().to_owned()
}

#[cfg(unix)]
mod unix;

#[test]
fn a_refused_file_that_stays_is_told_once() {
    let site = Site::with(7);
    let host = site.open();
    site.drop_file("forged.ors.json", &issuer::sign_licence(&licence(8), &site.vendor.stranger));
    site.drop_file("other.ors.json", &of_serial(&site, "99", 8));
    let now = |host: &Host| host.diagnostics()["boot_seconds"].as_u64().unwrap();
    host.until("both refused", |host| refused(host, "forged.ors.json") != 0 && refused(host, "other.ors.json") != 0);
    let then = now(&host) + 4;
    host.until("some looks later", |host| now(host) > then);
    for file in ["forged", "other"] {
        let told = log(&host).into_iter().filter(|line| line.starts_with(file)).count();
        assert_eq!(told, 1, "{file}");
    }
}

#[test]
fn only_so_many_files_of_a_folder_are_looked_at() {
    // The many stand before ours in the order of names, or after it: the file in use is looked at first.
    for many in ["a", "z"] {
        let site = Site::with(7);
        let host = site.open();
        host.until("read", |host| source(host) == "folder");
        for number in 0..100 {
            site.drop_file(&format!("{many}{number:03}.ors.json"), b"{}");
        }
        let rows = |host: &Host, reason: i32| {
            let found = host.diagnostics()["licences"].as_array().unwrap().clone();
            found.into_iter().filter(|row| row["reason_code"] == reason).count()
        };
        host.until("one says so", |host| rows(host, ORS_REASON_AMOUNT) == 1);
        host.until("64 in all", |host| rows(host, ORS_REASON_MALFORMED) + 1 == 64 && source(host) == "folder");
        assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    }
    // The file that the path names is looked at besides.
    let site = Site::with(7);
    for number in 0..100 {
        site.drop_file(&format!("a{number:03}.ors.json"), b"{}");
    }
    let mut options = site.options();
    options.licence_folder = Some(text(&site.file(OURS)));
    let host = Host::open(&options).unwrap();
    host.until("read", |host| source(host) == "folder" && host.licence().sequence == 7);
    host.until("one says so", |host| refused(host, "a064.ors.json") == i64::from(ORS_REASON_AMOUNT));
    assert_eq!(refused(&host, "a063.ors.json"), i64::from(ORS_REASON_MALFORMED));
}

#[test]
fn other_names_are_not_looked_at_and_case_does_not_matter() {
    let site = Site::with(7);
    let host = site.open();
    for name in ["new.lic", "new.json", "new.ors.json.bak", "new.ors.jsonx", "ors.json", ".ors.tmp"] {
        site.drop_file(name, &site.vendor.file(20));
    }
    site.drop_file("NEW.Ors.JSON", &site.vendor.file(8));
    host.until_sequence(8);
    let rows = host.diagnostics()["licences"].as_array().unwrap().len();
    assert_eq!(rows, 2, "{:#}", host.diagnostics()["licences"]);
}

#[test]
fn a_folder_that_vanishes_leaves_the_licence_in_use_and_one_that_comes_back_is_followed() {
    let site = Site::with(7);
    let host = site.open();
    host.until("read", |host| source(host) == "folder");
    let away = site.place.path().join("away");
    for round in 0..3 {
        move_as_a_person(&site.licences(), &away);
        host.until("missing", |host| host.diagnostics()["licence_folder_state"] == "missing");
        assert!(host.diagnostics()["licence_folder_error"].as_str().unwrap().contains("licences"));
        assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7), "{round}");
        move_as_a_person(&away, &site.licences());
        host.until("back", |host| source(host) == "folder" && host.notices().notices == 0);
    }
    site.drop_file(OURS, &site.vendor.file(8));
    host.until_sequence(8);
}

#[test]
fn without_a_licence_the_reason_is_the_folders_or_that_of_the_newest_refused_file() {
    let site = Site::new();
    let host = site.open();
    let status = host.licence();
    assert_eq!((status.state, status.reason), (ORS_LICENCE_MISSING, ORS_REASON_NO_LICENCE));
    assert_eq!(status.notices, ORS_NOTICE_NO_LICENCE);
    site.drop_file("a.ors.json", b"{}");
    host.until("refused", |host| host.licence().reason == ORS_REASON_MALFORMED);
    site.drop_file("b.ors.json", &issuer::sign_licence(&licence(8), &site.vendor.stranger));
    host.until("refused", |host| host.licence().reason == ORS_REASON_UNKNOWN_KEY);
    let status = host.licence();
    assert_eq!((status.state, status.sequence, status.users), (ORS_LICENCE_REFUSED, 0, 0));
    assert_eq!(host.text(ORS_TEXT_LICENCE_REASON), "b.ors.json: None of the keys trusted here has signed this file.");
    remove_as_a_person(&site.licences());
    host.until("missing", |host| host.licence().state == ORS_LICENCE_MISSING);
    assert_eq!(host.licence().notices, ORS_NOTICE_NO_LICENCE);
}

#[test]
fn two_serials_in_one_folder_are_no_licence_until_the_path_names_a_file() {
    let site = Site::with(7);
    site.drop_file("second.ors.json", &of_serial(&site, "99", 9));
    let host = site.open();
    host.until("ambiguous", |host| host.licence().reason == ORS_REASON_AMBIGUOUS);
    assert_eq!(host.licence().state, ORS_LICENCE_REFUSED);
    for file in [OURS, "second.ors.json"] {
        assert_eq!(refused(&host, file), i64::from(ORS_REASON_AMBIGUOUS));
        assert!(log(&host).iter().any(|line| line.starts_with(&format!("{file} was refused (ambiguous)"))));
    }
    assert!(is_sentence(&host.text(ORS_TEXT_LICENCE_REASON)));
    host.set(&json!({ "licence_path": text(&site.file(OURS)) })).unwrap();
    host.until_sequence(7);
    assert_eq!(refused(&host, "second.ors.json"), i64::from(ORS_REASON_SERIAL));
    // The serial is fixed by that: the folder as a whole is no question any more.
    host.set(&json!({ "licence_path": text(&site.licences()) })).unwrap();
    host.until("read anew", |host| source(host) == "folder");
    assert_eq!(host.licence().sequence, 7);
    assert_eq!(host.settings()["serial"], "1234567890");
}

#[test]
fn a_fixed_serial_lets_another_in_only_when_an_administrator_says_so() {
    let site = Site::with(7);
    let host = site.open();
    host.until("read", |host| source(host) == "folder");
    site.drop_file("second.ors.json", &of_serial(&site, "99", 9));
    host.until("refused", |host| refused(host, "second.ors.json") == i64::from(ORS_REASON_SERIAL));
    let (result, done) = host.install(&of_serial(&site, "99", 10));
    assert_eq!((done.unwrap_err().code, result.reason), (ORS_E_REFUSED, ORS_REASON_SERIAL));

    // A serial of which there is no licence takes nothing away.
    host.set(&json!({ "confirm_serial": "77" })).unwrap();
    let (result, done) = host.install(&of_serial(&site, "99", 10));
    assert_eq!((done.unwrap_err().code, result.reason), (ORS_E_REFUSED, ORS_REASON_SERIAL), "another than confirmed");
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    assert_eq!(refused(&host, "second.ors.json"), i64::from(ORS_REASON_SERIAL));

    host.set(&json!({ "confirm_serial": "99" })).unwrap();
    host.until_sequence(9);
    assert_eq!(host.settings()["serial"], "99");
    assert_eq!(refused(&host, OURS), i64::from(ORS_REASON_SERIAL), "the first is now the other");
    assert_eq!(host.notices().announcement, 0, "another serial is no change of this one");
    drop(host);
    let host = site.open();
    assert_eq!(host.licence().sequence, 9, "over a restart");
    // There and back: to confirm one again is to confirm it anew.
    for (serial, sequence) in [("1234567890", 7), ("99", 9)] {
        host.set(&json!({ "confirm_serial": serial })).unwrap();
        host.until_sequence(sequence);
    }
}

#[test]
fn a_confirmed_serial_may_come_later_and_by_upload() {
    let site = Site::with(7);
    let host = site.open();
    host.until("read", |host| source(host) == "folder");
    host.set(&json!({ "confirm_serial": "99" })).unwrap();
    let now = |host: &Host| host.diagnostics()["boot_seconds"].as_u64().unwrap();
    let then = now(&host) + 2;
    host.until("some looks later", |host| now(host) > then);
    assert_eq!(host.licence().sequence, 7);
    host.install(&of_serial(&site, "99", 3)).1.unwrap();
    host.until_sequence(3);
    assert_eq!(host.settings()["serial"], "99");
}

#[test]
fn a_changed_path_lets_another_serial_in() {
    let site = Site::with(7);
    let second = site.place.path().join("second");
    fs::create_dir(&second).unwrap();
    fs::write(second.join("x.ors.json"), of_serial(&site, "99", 3)).unwrap();
    let host = site.open();
    host.until("read", |host| source(host) == "folder");
    host.set(&json!({ "licence_path": text(&second) })).unwrap();
    host.until_sequence(3);
    assert_eq!(host.settings()["serial"], "99");
    // And then it is fixed again.
    fs::write(second.join("y.ors.json"), site.vendor.file(8)).unwrap();
    host.until("refused", |host| refused(host, "y.ors.json") == i64::from(ORS_REASON_SERIAL));
    // An empty folder takes nothing away.
    let third = site.place.path().join("third");
    fs::create_dir(&third).unwrap();
    host.set(&json!({ "licence_path": text(&third) })).unwrap();
    host.until("read", |host| host.diagnostics()["licence_folder"] == text(&third));
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 3));
}

#[test]
fn of_two_licences_with_one_sequence_every_process_takes_the_same_and_the_installed_one_stays() {
    let twin = |site: &Site| site.vendor.sign(&changed(7, |licence| licence.users = 99));
    let users: Vec<u32> = ["a.ors.json", "z.ors.json"]
        .into_iter()
        .map(|name| {
            let site = Site::with(7);
            site.drop_file(name, &twin(&site));
            let host = site.open();
            host.until_sequence(7);
            let rows = host.diagnostics()["licences"].as_array().unwrap().clone();
            let conflict = rows.iter().filter(|row| row["reason_code"] == ORS_REASON_SEQUENCE_CONFLICT).count();
            assert_eq!((rows.len(), conflict), (2, 1));
            host.notices().users
        })
        .collect();
    assert_eq!(users[0], users[1], "whatever they are called");
    let site = Site::new();
    let (installed, other) =
        if users[0] == 99 { (site.vendor.file(7), twin(&site)) } else { (twin(&site), site.vendor.file(7)) };
    site.drop_file("m.ors.json", &installed);
    let host = site.open();
    host.until_sequence(7);
    let before = host.notices().users;
    site.drop_file("a.ors.json", &other);
    host.until("refused", |host| refused(host, "a.ors.json") == i64::from(ORS_REASON_SEQUENCE_CONFLICT));
    assert_eq!(
        host.notices().users,
        before,
        "the one that would win among strangers does not replace the installed one"
    );
}

#[test]
fn a_path_to_a_file_that_is_not_there_yet_is_where_an_upload_goes() {
    let site = Site::new();
    let mut options = site.options();
    options.licence_folder = Some(text(&site.file("mine.ors.json")));
    let host = Host::open(&options).unwrap();
    assert_eq!(host.licence().state, ORS_LICENCE_MISSING);
    host.install(&site.vendor.file(7)).1.unwrap();
    host.until_sequence(7);
    assert_eq!(fs::read(site.file("mine.ors.json")).unwrap(), site.vendor.file(7));
    assert_eq!(fs::read_dir(site.licences()).unwrap().count(), 1);
}

#[test]
fn a_licence_over_its_day_is_in_use_and_expired_and_a_newer_one_ends_that() {
    let site = Site::new();
    let days = |days: i64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        ors::licence::Day::at(ors::licence::Instant::from_unix(now.cast_signed() + days * DAY))
    };
    site.drop_file(OURS, &site.vendor.sign(&changed(7, |licence| licence.expires_on = Some(days(-3)))));
    let host = site.open();
    host.until_sequence(7);
    let status = host.licence();
    assert_eq!((status.state, status.notices), (ORS_LICENCE_EXPIRED, ORS_NOTICE_LICENCE_EXPIRED));
    assert_eq!(status.licence_days_left, -3);
    site.drop_file("next.ors.json", &site.vendor.file(8));
    host.until_sequence(8);
    assert_eq!((host.licence().state, host.licence().notices), (ORS_LICENCE_VALID, 0));
}
