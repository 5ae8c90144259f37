//! Every file of the state folder with a byte flipped, cut, or made useless.

use crate::support::host::Host;
use crate::support::{Site, feature, licence, move_as_a_person, text};
use issuer::{KeyListDraft, SigningKey, sign_key_list};
use ors::ffi::*;
use ors::licence::{KeyStatus, Serial};
use ors::store::verify_journal;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;

type Files = BTreeMap<String, Vec<u8>>;

/// A site whose state folder has been used for everything, and what lies in it.
struct Used {
    site: Site,
    files: Files,
}

/// The documents that are kept twice.
const DOCUMENTS: [&str; 4] = ["state", "floor", "settings", "acknowledged"];

impl Used {
    fn new() -> Used {
        let site = Site::with(7);
        let host = site.open();
        host.until("read", |host| host.diagnostics()["installed"]["source"] == "folder");
        let member = |key: &SigningKey| (key.id().to_owned(), key.role(), key.public_bytes(), KeyStatus::Active);
        let vendor = &site.vendor;
        let keys = [&vendor.root, &vendor.licence, &vendor.statement].map(member).to_vec();
        let list = sign_key_list(&KeyListDraft { version: 1, threshold: 1, keys }, &[&vendor.root]);
        host.install(&list).1.unwrap();
        host.set(&json!({ "language": "de", "proxy": { "port": 3128, "password": "secret" } })).unwrap();
        // Acted on at once, since it is the serial in use.
        host.set(&json!({ "confirm_serial": "1234567890" })).unwrap();
        let mut newer = licence(8);
        newer.features.push(feature("imposition", "Imposition"));
        host.install(&vendor.sign(&newer)).1.unwrap();
        host.until_sequence(8);
        host.until("announced", |host| host.notices().announcement == 8);
        host.acknowledge(8).unwrap();
        host.until("in the folder", |host| host.diagnostics()["installed"]["source"] == "folder");
        host.until("beside the licence", |_| site.file("ors-keys.json").exists());
        drop(host);
        let files = read(&site);
        Used { site, files }
    }

    /// Puts everything back as it was, with one file as given.
    fn with(&self, name: &str, bytes: &[u8]) -> &Site {
        self.restore();
        fs::write(self.site.state().join(name), bytes).unwrap();
        &self.site
    }

    fn restore(&self) {
        for name in read(&self.site).keys().filter(|name| !self.files.contains_key(*name)) {
            fs::remove_file(self.site.state().join(name)).unwrap();
        }
        for (name, bytes) in &self.files {
            fs::write(self.site.state().join(name), bytes).unwrap();
        }
    }
}

fn read(site: &Site) -> Files {
    let entries = fs::read_dir(site.state()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

fn notes(host: &Host) -> String {
    host.diagnostics()["notes"].to_string()
}

/// A few ways to spoil a file: bits flipped here and there, cuts, and other things altogether.
fn damages(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let places = [0, 3, bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10, bytes.len().saturating_sub(2)];
    for (index, at) in places.into_iter().enumerate().filter(|(_, at)| *at < bytes.len()) {
        let mut flipped = bytes.to_owned();
        flipped[at] ^= 1 << (index + 1);
        found.push((format!("byte {at} flipped"), flipped));
    }
    for length in [0, 1, bytes.len() / 2, bytes.len().saturating_sub(1)] {
        if length < bytes.len() {
            found.push((format!("cut at {length}"), bytes[..length].to_owned()));
        }
    }
    found.push(("zeros".to_owned(), vec![0; bytes.len().max(100)]));
    found
}

/// What has to hold whatever was damaged.
fn the_licence_stands(site: &Site, host: &Host, what: &str) {
    let status = host.licence();
    assert_eq!((status.state, status.sequence), (ORS_LICENCE_VALID, 8), "{what}");
    host.until("floor", |host| host.diagnostics()["floor"] == 8);
    assert_eq!(host.diagnostics()["serial"], "1234567890", "{what}");
    for (file, reason) in [
        (site.vendor.file(7), ORS_REASON_SEQUENCE),
        (site.vendor.file(8), ORS_REASON_SEQUENCE_CONFLICT),
        (other_serial(site), ORS_REASON_SERIAL),
    ] {
        let (result, done) = host.install(&file);
        assert_eq!((done.unwrap_err().code, result.reason), (ORS_E_REFUSED, reason), "{what}");
    }
}

fn other_serial(site: &Site) -> Vec<u8> {
    let mut other = licence(20);
    other.serial = Serial::parse("99").unwrap();
    site.vendor.sign(&other)
}

fn the_settings_stand(host: &Host, what: &str) {
    let settings = host.settings();
    assert_eq!((&settings["language"], &settings["proxy"]["port"]), (&json!("de"), &json!(3128)), "{what}");
}

/// Whether a journal differs before its last line: nothing vouches for that one until another follows it.
fn in_an_earlier_line(sound: &[u8], spoiled: &[u8]) -> bool {
    let last = sound[..sound.len() - 1].iter().rposition(|b| *b == b'\n').unwrap();
    spoiled.len() == sound.len() && spoiled[..last] != sound[..last]
}

#[test]
fn one_damaged_file_of_the_state_folder_costs_nothing_and_is_told() {
    let used = Used::new();
    let mut seen = Vec::new();
    for (name, bytes) in &used.files {
        let copies = |document: &str| [format!("{document}.a"), format!("{document}.b")];
        let document = DOCUMENTS.iter().any(|document| copies(document).contains(name));
        for (damage, spoiled) in damages(bytes) {
            let what = format!("{name}, {damage}");
            let site = used.with(name, &spoiled);
            let host = site.open();
            the_licence_stands(site, &host, &what);
            the_settings_stand(&host, &what);
            assert_eq!(host.notices().notices, 0, "{what}: the announcement stays acknowledged");
            let told = notes(&host);
            if document {
                assert!(told.contains(&format!("{name} is damaged")), "{what}: {told}");
            } else if name.ends_with(".sealed") || name == "secrets.key" || name == "secrets.entropy" {
                assert!(told.contains("enter") || told.contains(name.as_str()), "{what}: {told}");
                host.set(&json!({ "proxy": { "password": "entered again" } })).unwrap();
                assert_eq!(host.settings()["proxy"]["password"]["set"], true, "{what}");
            } else if name == "installed.ors.json" {
                assert!(told.contains("The verified copy of the licence is not used"), "{what}: {told}");
            } else if name == "keys.json" {
                assert!(told.contains("The stored key list is not used"), "{what}: {told}");
                host.until("the list from beside the licence", |host| host.about()["keys_version"] == 1);
            } else if name == "journal.jsonl" && in_an_earlier_line(bytes, &spoiled) {
                let report = verify_journal(&site.state()).unwrap();
                // A file without one readable line is set aside, and a new chain begins.
                assert!(!report.problems.is_empty() || told.contains("journal.jsonl"), "{what}: {report}, {told}");
            }
            drop(host);
            // What was damaged is whole again, or at least in nobody's way.
            let host = site.open();
            assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 8), "{what}, opened again");
            seen.push(name.clone());
        }
    }
    for name in
        ["state.a", "floor.b", "settings.a", "acknowledged.b", "installed.ors.json", "keys.json", "journal.jsonl"]
    {
        assert!(seen.iter().any(|seen| seen == name), "{name} is among them: {:?}", used.files.keys());
    }
}

#[test]
fn both_copies_of_a_document_torn_lose_only_what_they_held() {
    let used = Used::new();
    for document in DOCUMENTS {
        for (a, b) in [(&b"torn"[..], &b""[..]), (b"", b"ors-document 1 5 5 0\n{}")] {
            used.restore();
            let site = &used.site;
            fs::write(site.state().join(format!("{document}.a")), a).unwrap();
            fs::write(site.state().join(format!("{document}.b")), b).unwrap();
            let host = site.open();
            the_licence_stands(site, &host, document);
            let told = notes(&host);
            for copy in ["a", "b"] {
                assert!(told.contains(&format!("{document}.{copy} is damaged")), "{document}: {told}");
            }
            if document != "settings" {
                the_settings_stand(&host, document);
            }
            // Another serial in the folder is refused as before.
            site.drop_file("other.ors.json", &other_serial(site));
            host.until("refused", |host| {
                host.row("other.ors.json").is_some_and(|row| row["reason_code"] == ORS_REASON_SERIAL)
            });
            // And an administrator is still heard, whatever revisions the lost document counted.
            host.set(&json!({ "language": "fr", "confirm_serial": "99" })).unwrap();
            host.until_sequence(20);
            drop(host);
            fs::remove_file(site.file("other.ors.json")).unwrap();
        }
    }
}

#[test]
fn everything_torn_at_once_starts_from_what_is_installed() {
    let used = Used::new();
    let site = &used.site;
    for name in used.files.keys() {
        fs::write(site.state().join(name), "torn").unwrap();
    }
    let host = site.open();
    host.until_sequence(8);
    the_licence_stands(site, &host, "everything");
    host.set(&json!({ "language": "de" })).unwrap();
    drop(host);
    assert_eq!(site.open().settings()["language"], "de");
}

#[test]
fn the_copy_alone_and_the_folder_alone_each_keep_the_licence() {
    let used = Used::new();
    let site = &used.site;
    // The folder is gone, and the floor torn: the verified copy is still a licence.
    let away = site.place.path().join("away");
    move_as_a_person(&site.licences(), &away);
    for document in ["state", "floor"] {
        for copy in ["a", "b"] {
            fs::write(site.state().join(format!("{document}.{copy}")), "").unwrap();
        }
    }
    let host = site.open();
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 8));
    let (result, _) = host.install(&site.vendor.file(7));
    assert_eq!(result.reason, ORS_REASON_SEQUENCE, "it is the floor");
    drop(host);
    // The copy is torn and the folder holds an older licence: the floor stands, also when only one copy of it does.
    used.restore();
    move_as_a_person(&away, &site.licences());
    fs::write(site.state().join("installed.ors.json"), "").unwrap();
    fs::write(site.state().join("floor.a"), "").unwrap();
    site.drop_file("prismaprepare-1234567890.ors.json", &site.vendor.file(7));
    let host = site.open();
    host.until("refused", |host| host.licence().reason == ORS_REASON_SEQUENCE);
    assert_eq!(host.licence().state, ORS_LICENCE_REFUSED);
}

#[test]
fn a_state_folder_of_a_newer_version_is_not_touched() {
    let used = Used::new();
    let prefix = "ors-document 2 9 9";
    let hash = ors::licence::hex(&ors::licence::sha256(format!("{prefix}\n{{}}").as_bytes()));
    for document in DOCUMENTS {
        for copy in ["a", "b"] {
            let name = format!("{document}.{copy}");
            let newer = format!("{prefix} {hash}\n{{}}");
            let site = used.with(&name, newer.as_bytes());
            let before = read(site);
            match Host::open(&site.options()) {
                Err(failure) => {
                    assert_eq!(failure.code, ORS_E_NEWER_STATE, "{name}: {failure:?}");
                    assert_eq!(read(site), before, "{name}");
                }
                Ok(_) => panic!("{name}: opened"),
            }
            assert_eq!(text(&site.state()), site.options().state_folder.unwrap());
        }
    }
}
