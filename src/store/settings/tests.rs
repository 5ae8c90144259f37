use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::store::durable::tests::temps;
use crate::store::{FaultyDisk, document};

mod damage;
mod merging;
mod secret;

fn folder(path: &Path) -> StateFolder {
    StateFolder::existing(path).unwrap()
}

fn rest() -> ReadOnlyPart {
    ReadOnlyPart {
        serial: Some("4711".into()),
        runtime: json!({ "role": "leader" }),
        clock_challenge: Some("c-1".into()),
        contact: None,
        enrolment: "none",
        fingerprint: None,
        service_account: None,
    }
}

fn get(folder: &StateFolder) -> Value {
    let (settings, notes) = Settings::load(folder).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    settings.to_json(rest())
}

fn set(folder: &StateFolder, json: &Value) -> Result<Settings, SettingsError> {
    Settings::change(folder, json.to_string().as_bytes(), "Ann", 1_000, &get(folder))
}

/// What a refused set says, by code: `argument proxy.port`.
fn said(result: Result<Settings, SettingsError>) -> String {
    match result {
        Ok(settings) => format!("ok {}", settings.revision),
        Err(error) => {
            assert!(!error.message.is_empty());
            let kind = match error.kind {
                SettingsErrorKind::Argument => "argument",
                SettingsErrorKind::Text => "text",
                SettingsErrorKind::Stale => "stale",
                SettingsErrorKind::Busy => "busy",
                SettingsErrorKind::Store(_) => "store",
            };
            format!("{kind} {}", error.member)
        }
    }
}

fn absolute() -> &'static str {
    if cfg!(windows) { r"C:\licences" } else { "/srv/licences" }
}

fn full() -> Value {
    json!({
        "enabled": true,
        "licence_path": absolute(),
        "organisation_id": "ORG 1",
        "verification_code": "correct horse",
        "allow_assistance": true,
        "assistance": { "capabilities": ["vpn", "view"], "longest_minutes": 60 },
        "proxy": { "mode": "manual", "host": "proxy.example", "port": 8080, "authentication": true, "user": "u",
            "password": "battery", "domain": "D" },
        "share_account": { "kind": "other", "user": "s", "password": "staple", "domain": "E" },
        "language": "pt-BR",
        "unreachable_hours": 48,
        "product_version": "8.2.1",
        "confirm_serial": "A-1",
    })
}

#[test]
fn without_a_document_everything_is_off() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let (settings, notes) = Settings::load(&folder).unwrap();
    assert!(!settings.enabled && !settings.allow_assistance && settings.revision == 0 && notes.is_empty());
    assert_eq!((settings.unreachable_hours, settings.assistance.longest_minutes), (24, 1440));
    assert_eq!((settings.proxy.mode.as_str(), settings.share_account.kind.as_str()), ("none", "host"));
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "reading writes nothing");
}

#[test]
fn a_set_is_read_back_by_the_next_process() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    assert_eq!(said(set(&folder, &full())), "ok 1");
    let (settings, _) = Settings::load(&folder).unwrap();
    assert!(settings.enabled && settings.allow_assistance && settings.proxy.authentication);
    assert_eq!(settings.licence_path.as_deref(), Some(absolute()));
    assert_eq!((settings.licence_path_revision, settings.changed_at("language")), (1, 1));
    assert_eq!(settings.assistance.capabilities, ["view", "vpn"]);
    assert_eq!((settings.proxy.port, settings.proxy.domain.as_deref()), (Some(8080), Some("D")));
    assert_eq!(settings.confirm_serial.as_deref(), Some("A-1"));
    assert_eq!(settings.secrets_set, ["verification_code", "proxy.password", "share_account.password"]);
    let secrets = Settings::open_secrets(&folder).unwrap();
    let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    assert_eq!(text(&secrets.verification_code).as_deref(), Some("correct horse"));
    assert_eq!(text(&secrets.proxy_password).as_deref(), Some("battery"));
    assert_eq!(text(&secrets.share_password).as_deref(), Some("staple"));
}

#[test]
fn a_whole_get_sent_back_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    for _ in 0..2 {
        let before = get(&folder);
        let revision = before["revision"].as_u64().unwrap();
        assert_eq!(said(set(&folder, &before)), format!("ok {revision}"));
        assert_eq!(get(&folder), before);
        set(&folder, &full()).unwrap();
    }
    // The runtime and the last contact move by themselves.
    let mut moved = get(&folder);
    (moved["runtime"], moved["contact"]) = (json!({ "role": "none" }), json!("yesterday"));
    (moved["enrolment"], moved["fingerprint"]) = (json!("pending"), json!("7KQ2-M9XD"));
    moved["language"] = json!("de");
    assert!(set(&folder, &moved).is_ok());
    assert_eq!(get(&folder)["language"], "de");
}

#[test]
fn every_wrong_value_is_refused_by_its_name_and_nothing_changes() {
    let long = "x".repeat(201);
    let cases: Vec<(Value, &str)> = vec![
        (json!([]), "argument "),
        (json!(null), "argument "),
        (json!({ "enabled": "yes" }), "argument enabled"),
        (json!({ "enabled": null }), "argument enabled"),
        (json!({ "enabled": 1 }), "argument enabled"),
        (json!({ "licence_path": 7 }), "argument licence_path"),
        (json!({ "licence_path": "relative/path" }), "argument licence_path"),
        (json!({ "licence_path": format!("{}{}", absolute(), "x".repeat(4096)) }), "text licence_path"),
        (json!({ "licence_path": format!("{}\u{0}", absolute()) }), "text licence_path"),
        (json!({ "organisation_id": [] }), "argument organisation_id"),
        (json!({ "organisation_id": long }), "text organisation_id"),
        (json!({ "organisation_id": "a\u{202e}b" }), "text organisation_id"),
        (json!({ "verification_code": 1 }), "argument verification_code"),
        (json!({ "verification_code": {} }), "argument verification_code"),
        (json!({ "verification_code": { "set": 1 } }), "argument verification_code"),
        (json!({ "verification_code": { "set": true, "x": 1 } }), "argument verification_code"),
        (json!({ "verification_code": "" }), "argument verification_code"),
        (json!({ "verification_code": long }), "text verification_code"),
        (json!({ "allow_assistance": {} }), "argument allow_assistance"),
        (json!({ "assistance": null }), "argument assistance"),
        (json!({ "assistance": { "capabilities": "view" } }), "argument assistance.capabilities"),
        (json!({ "assistance": { "capabilities": ["rdp"] } }), "argument assistance.capabilities"),
        (json!({ "assistance": { "capabilities": [1] } }), "argument assistance.capabilities"),
        (json!({ "assistance": { "capabilities": ["view", "view"] } }), "argument assistance.capabilities"),
        (json!({ "assistance": { "longest_minutes": 0 } }), "argument assistance.longest_minutes"),
        (json!({ "assistance": { "longest_minutes": 10_081 } }), "argument assistance.longest_minutes"),
        (json!({ "assistance": { "longest_minutes": null } }), "argument assistance.longest_minutes"),
        (json!({ "proxy": [] }), "argument proxy"),
        (json!({ "proxy": { "mode": "auto" } }), "argument proxy.mode"),
        (json!({ "proxy": { "mode": null } }), "argument proxy.mode"),
        (json!({ "proxy": { "host": "http://proxy" } }), "argument proxy.host"),
        (json!({ "proxy": { "host": "a b" } }), "argument proxy.host"),
        (json!({ "proxy": { "host": false } }), "argument proxy.host"),
        (json!({ "proxy": { "port": 0 } }), "argument proxy.port"),
        (json!({ "proxy": { "port": 65_536 } }), "argument proxy.port"),
        (json!({ "proxy": { "port": -1 } }), "argument proxy.port"),
        (json!({ "proxy": { "port": 8080.5 } }), "argument proxy.port"),
        (json!({ "proxy": { "port": "8080" } }), "argument proxy.port"),
        (json!({ "proxy": { "authentication": "basic" } }), "argument proxy.authentication"),
        (json!({ "proxy": { "user": 1 } }), "argument proxy.user"),
        (json!({ "proxy": { "password": [] } }), "argument proxy.password"),
        (json!({ "proxy": { "password": "a\nb" } }), "text proxy.password"),
        (json!({ "proxy": { "domain": {} } }), "argument proxy.domain"),
        (json!({ "proxy": { "url": "x" } }), "argument proxy.url"),
        (json!({ "share_account": { "kind": "me" } }), "argument share_account.kind"),
        (json!({ "share_account": { "user": 1 } }), "argument share_account.user"),
        (json!({ "share_account": { "password": true } }), "argument share_account.password"),
        (json!({ "share_account": { "domain": 1 } }), "argument share_account.domain"),
        (json!({ "language": "x" }), "argument language"),
        (json!({ "language": "en_US" }), "argument language"),
        (json!({ "language": 1 }), "argument language"),
        (json!({ "language": format!("en{}", "-abcdefgh".repeat(4)) }), "text language"),
        (json!({ "unreachable_hours": 0 }), "argument unreachable_hours"),
        (json!({ "unreachable_hours": 8761 }), "argument unreachable_hours"),
        (json!({ "unreachable_hours": "24" }), "argument unreachable_hours"),
        (json!({ "confirm_serial": "a b" }), "argument confirm_serial"),
        (json!({ "confirm_serial": 5 }), "argument confirm_serial"),
        (json!({ "revision": "1" }), "argument revision"),
        (json!({ "revision": null }), "argument revision"),
        (json!({ "serial": "other" }), "argument serial"),
        (json!({ "serial": null }), "argument serial"),
        (json!({ "clock_challenge": "c-2" }), "argument clock_challenge"),
        (json!({ "service_account": "root" }), "argument service_account"),
        (json!({ "colour": "red" }), "argument colour"),
        (json!({ "proxy.port": 80 }), "argument proxy.port"),
        (json!({ "": 1 }), "argument "),
    ];
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    set(&folder, &full()).unwrap();
    let before = get(&folder);
    for (wrong, expected) in cases {
        // Beside a right value: all or nothing.
        let mut json = wrong.clone();
        if let Some(object) = json.as_object_mut() {
            object.entry("unreachable_hours").or_insert(json!(7));
        }
        assert_eq!(said(set(&folder, &json)), expected, "{wrong}");
        assert_eq!(get(&folder), before, "{wrong}");
    }
}

#[test]
fn text_that_is_no_plain_json_object_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let deep = format!("{}{}", r#"{"proxy":"#.repeat(100_000), "}".repeat(100_000));
    let nested = format!("{{\"enabled\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let huge = format!("{{\"organisation_id\":\"{}\"}}", "x".repeat(70_000));
    let cases: [(&[u8], &str); 10] = [
        (b"", "argument "),
        (b"{", "argument "),
        (b"{}x", "argument "),
        (b"\xef\xbb\xbf{}", "argument "),
        (b"{\"language\":\"\xff\"}", "text "),
        (br#"{"enabled":true,"enabled":false}"#, "argument enabled"),
        (br#"{"enabled":true,"en\u0061bled":false}"#, "argument enabled"),
        (deep.as_bytes(), "text "),
        (nested.as_bytes(), "argument "),
        (huge.as_bytes(), "text "),
    ];
    for (json, expected) in cases {
        let result = Settings::change(&folder, json, "Ann", 1, &Value::Null);
        assert_eq!(said(result), expected, "{:?}", String::from_utf8_lossy(&json[..json.len().min(40)]));
    }
    for by in ["a\nb", &"x".repeat(201)] {
        assert_eq!(said(Settings::change(&folder, b"{\"enabled\":true}", by, 1, &Value::Null)), "text by");
    }
    assert!(!folder.file("settings.a").exists());
}

#[test]
fn values_at_their_limits_are_taken_and_kept() {
    let long_host = "h".repeat(200);
    let cases = [
        ("/unreachable_hours", json!({ "unreachable_hours": 1 }), json!(1)),
        ("/unreachable_hours", json!({ "unreachable_hours": 8760 }), json!(8760)),
        ("/assistance/longest_minutes", json!({ "assistance": { "longest_minutes": 10_080 } }), json!(10_080)),
        ("/assistance/capabilities", json!({ "assistance": { "capabilities": [] } }), json!([])),
        ("/proxy/port", json!({ "proxy": { "port": 65_535 } }), json!(65_535)),
        ("/proxy/port", json!({ "proxy": { "port": null } }), json!(null)),
        ("/proxy/host", json!({ "proxy": { "host": long_host } }), json!(long_host)),
        ("/proxy/host", json!({ "proxy": { "host": "[::1]" } }), json!("[::1]")),
        ("/proxy/host", json!({ "proxy": { "host": "" } }), json!(null)),
        ("/organisation_id", json!({ "organisation_id": "é".repeat(200) }), json!("é".repeat(200))),
        ("/organisation_id", json!({ "organisation_id": "<img src=x>" }), json!("<img src=x>")),
        ("/language", json!({ "language": "zh-Hant-TW" }), json!("zh-Hant-TW")),
        ("/language", json!({ "language": null }), json!(null)),
        ("/licence_path", json!({ "licence_path": null }), json!(null)),
    ];
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    for (pointer, json, kept) in cases {
        set(&folder, &json).unwrap();
        assert_eq!(get(&folder).pointer(pointer), Some(&kept), "{json}");
    }
}

#[test]
fn each_change_is_remembered_with_its_maker_and_without_values() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    set(&folder, &json!({ "enabled": true, "proxy": { "password": "battery" } })).unwrap();
    let settings = Settings::change(&folder, b"{\"language\":\"de\"}", "Bob", -5, &Value::Null).unwrap();
    let change = |revision, by: &str, time, members: &[&str]| Change {
        revision,
        by: by.to_owned(),
        time,
        members: members.iter().map(|&member| member.to_owned()).collect(),
    };
    let expected = [change(1, "Ann", 1_000, &["enabled", "proxy.password"]), change(2, "Bob", -5, &["language"])];
    assert_eq!(settings.changes_after(0), expected);
    assert_eq!(settings.changes_after(1), expected[1..]);
    assert_eq!(settings.changes_after(2), []);
}

#[test]
fn to_confirm_the_same_serial_again_is_a_change() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    for revision in [1, 2] {
        let settings = set(&folder, &json!({ "confirm_serial": "A-1" })).unwrap();
        assert_eq!((settings.revision, settings.changed_at("confirm_serial")), (revision, revision));
    }
    assert_eq!(get(&folder).get("confirm_serial"), None, "write only");
    assert_eq!(set(&folder, &json!({ "confirm_serial": null })).unwrap().confirm_serial, None);
}

#[test]
fn a_set_waits_for_the_lock_and_says_when_it_is_not_had() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let lock = handover::settings_lock(&folder).unwrap();
    assert_eq!(said(set(&folder, &json!({ "enabled": true }))), "busy ");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| said(set(&folder, &json!({ "enabled": true }))));
        drop(lock);
        assert_eq!(waiting.join().unwrap(), "ok 1");
    });
}

#[test]
fn sets_by_several_at_once_are_all_kept() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let sets = [
        json!({ "enabled": true }),
        json!({ "language": "de" }),
        json!({ "proxy": { "port": 1 } }),
        json!({ "proxy": { "password": "p" } }),
        json!({ "verification_code": "v" }),
    ];
    std::thread::scope(|scope| {
        for json in &sets {
            let folder = &folder;
            scope.spawn(move || Settings::change(folder, json.to_string().as_bytes(), "Ann", 1, &Value::Null).unwrap());
        }
    });
    let now = get(&folder);
    assert_eq!((&now["revision"], &now["enabled"], &now["language"]), (&json!(5), &json!(true), &json!("de")));
    assert_eq!(
        (&now["proxy"]["port"], &now["proxy"]["password"], &now["verification_code"]),
        (&json!(1), &json!({ "set": true }), &json!({ "set": true }))
    );
}
