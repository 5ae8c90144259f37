//! What the library returns as JSON is what docs/abi.md says, in every state that an agent can be in.

use crate::support::schema::{of_docs as schema, problems};
use crate::support::host::{Host, text_of};
use crate::support::{Site, feature, fls, licence, text};
use ors::ffi::*;
use ors::licence::Day;
use serde_json::{Value, json};

fn hold(host: &Host, state: &str) {
    for (name, value) in [("about", host.about()), ("settings", host.settings()), ("diagnostics", host.diagnostics())] {
        let found = problems(&schema(name), &value);
        assert!(found.is_empty(), "{name} of {state}: {found:#?}\n{value:#}");
    }
}

#[test]
fn the_schemas_allow_nothing_else() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    for (name, value) in [("about", host.about()), ("settings", host.settings()), ("diagnostics", host.diagnostics())] {
        let schema = schema(name);
        for broken in [json!({}), json!([]), Value::Null] {
            assert!(!problems(&schema, &broken).is_empty(), "{name}: {broken}");
        }
        let mut more = value.clone();
        more["surprise"] = json!(1);
        assert!(!problems(&schema, &more).is_empty(), "{name}: an unknown member");
        // Each member is described: one of a wrong type is found, unless it may be anything.
        for member in value.as_object().unwrap().keys() {
            let mut wrong = value.clone();
            wrong[member] = json!([[[]]]);
            assert!(!problems(&schema, &wrong).is_empty(), "{name}.{member}");
        }
    }
}

#[test]
fn json_is_as_described_without_a_licence() {
    let site = Site::new();
    let host = site.open();
    host.until("read", |host| host.licence().state == ORS_LICENCE_MISSING);
    hold(&host, "an empty folder");
    let mut options = site.options();
    options.licence_folder = None;
    options.state_folder = Some(text(&site.place.path().join("other")));
    hold(&Host::open(&options).unwrap(), "no folder at all");
    std::fs::remove_dir_all(site.licences()).unwrap();
    host.until("gone", |host| host.diagnostics()["licence_folder_state"] == "missing");
    hold(&host, "a folder that is gone");
}

#[test]
fn json_is_as_described_with_refused_files() {
    let site = Site::new();
    site.drop_file("a.ors.json", b"{}");
    site.drop_file("b.ors.json", &issuer::sign_licence(&licence(3), &site.vendor.stranger));
    std::fs::create_dir(site.file("c.ors.json")).unwrap();
    let host = site.open();
    host.until("refused", |host| host.licence().state == ORS_LICENCE_REFUSED);
    hold(&host, "refused files");
    site.drop_file("d.ors.json", &site.vendor.file(7));
    host.until_sequence(7);
    hold(&host, "refused files beside a good one");
}

#[test]
fn json_is_as_described_with_announcements_settings_and_a_perpetual_licence() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    hold(&host, "a valid licence");
    let mut newer = licence(8);
    (newer.users, newer.expires_on, newer.maintenance_until) = (10, None, None);
    newer.features = vec![feature("imposition", "Imposition"), feature("trial", "Trial")];
    newer.features[1].expires_on = Day::parse("2026-01-31").ok();
    site.drop_file("newer.ors.json", &site.vendor.sign(&newer));
    host.until_sequence(8);
    hold(&host, "an announcement");
    host.acknowledge(host.notices().announcement).unwrap();
    let all = json!({
        "enabled": true, "allow_assistance": true, "organisation_id": "ORG-1", "verification_code": "secret",
        "assistance": { "capabilities": ["view"], "longest_minutes": 30 }, "language": "en", "unreachable_hours": 48, "product_version": "8.2.1",
        "proxy": { "mode": "manual", "host": "proxy.example", "port": 8080, "authentication": true, "user": "u", "password": "p", "domain": "D" },
        "share_account": { "kind": "other", "user": "u", "password": "p", "domain": "D" }, "licence_path": text(&site.licences()),
    });
    host.set(&all).unwrap();
    hold(&host, "every setting set, an announcement acknowledged");
    let settings = host.settings();
    assert_eq!(
        (&settings["verification_code"], &settings["proxy"]["password"]),
        (&json!({ "set": true }), &json!({ "set": true }))
    );
    host.set(&settings).expect("what was read may be set as it is");
    let follower =
        Host::open(&crate::support::host::Options { commands: Some("{}".to_owned()), ..site.options() }).unwrap();
    hold(&follower, "a follower");
}

#[test]
fn json_is_as_described_while_a_licence_waits_to_be_copied() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    std::fs::remove_dir_all(site.licences()).unwrap();
    host.until("seen", |host| host.diagnostics()["licence_folder_state"] == "missing");
    let mut newer = licence(8);
    newer.fls.push(fls("server.lic", "text"));
    host.install(&site.vendor.sign(&newer)).1.unwrap();
    host.until("8 waits", |host| host.licence().copy_sequence == 8);
    hold(&host, "a manual copy");
    assert_eq!(host.diagnostics()["copy"]["sequence"], 8);
}

#[test]
fn json_is_as_described_for_an_agent_opened_read_only() {
    let site = Site::with(7);
    for state in [None, Some(text(&site.state()))] {
        let mut options = site.options();
        (options.flags, options.state_folder) = (ORS_OPEN_READ_ONLY, state);
        hold(&Host::open(&options).unwrap(), "read only, before any state");
    }
    let host = site.open();
    host.until_sequence(7);
    host.set(&json!({ "enabled": true })).unwrap();
    let mut options = site.options();
    options.flags = ORS_OPEN_READ_ONLY;
    hold(&Host::open(&options).unwrap(), "read only, beside a leader");
}

#[test]
fn no_secret_is_in_any_json() {
    const SECRETS: [&str; 3] = ["code-4711-secret", "proxy-4712-secret", "share-4713-secret"];
    let site = Site::with(7);
    let host = site.open();
    let set = json!({
        "verification_code": SECRETS[0], "proxy": { "password": SECRETS[1] }, "share_account": { "password": SECRETS[2] },
    });
    host.set(&set).unwrap();
    let agent = host.agent;
    for (what, text) in [
        ("settings", text_of(|buf, cap, needed| unsafe { ors_settings_get(agent, buf, cap, needed) })),
        ("diagnostics", text_of(|buf, cap, needed| unsafe { ors_diagnostics(agent, buf, cap, needed) })),
        ("about", text_of(|buf, cap, needed| unsafe { ors_about(agent, buf, cap, needed) })),
    ] {
        let text = text.unwrap();
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{what}");
    }
    for entry in std::fs::read_dir(site.state()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(SECRETS.iter().all(|secret| !bytes.contains(secret)), "{}", path.display());
        }
    }
}
