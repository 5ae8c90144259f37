//! Settings that are none: wrong types, unknown members, other people's changes. All or nothing, and told.

use crate::support::Site;
use crate::support::host::Host;
use crate::tools::{is_sentence, log};
use ors::ffi::*;
use serde_json::{Value, json};

/// The settings without what moves by itself.
fn kept(host: &Host) -> Value {
    let mut settings = host.settings();
    settings.as_object_mut().unwrap().remove("runtime");
    settings
}

#[test]
fn no_wrong_setting_is_taken_and_the_call_names_the_member() {
    let site = Site::with(7);
    let host = site.open();
    host.set(&json!({ "language": "de", "proxy": { "mode": "manual", "host": "proxy", "port": 3128 } })).unwrap();
    let before = kept(&host);
    let rows: [(&[u8], i32, &str); 24] = [
        (b"", ORS_E_ARGUMENT, ""),
        (b"{", ORS_E_ARGUMENT, ""),
        (b"[]", ORS_E_ARGUMENT, ""),
        (b"null", ORS_E_ARGUMENT, ""),
        (b"{\"language\":\"fr\",\"language\":\"it\"}", ORS_E_ARGUMENT, "language"),
        (b"{\"enabled\":\"yes\"}", ORS_E_ARGUMENT, "enabled"),
        (b"{\"enabled\":1}", ORS_E_ARGUMENT, "enabled"),
        (b"{\"enabled\":null}", ORS_E_ARGUMENT, "enabled"),
        (b"{\"licence_path\":7}", ORS_E_ARGUMENT, "licence_path"),
        (b"{\"licence_path\":\"licences\"}", ORS_E_ARGUMENT, "licence_path"),
        (b"{\"proxy\":[]}", ORS_E_ARGUMENT, "proxy"),
        (b"{\"proxy\":{\"port\":\"8080\"}}", ORS_E_ARGUMENT, "proxy.port"),
        (b"{\"proxy\":{\"port\":70000}}", ORS_E_ARGUMENT, "proxy.port"),
        (b"{\"proxy\":{\"port\":1e3}}", ORS_E_ARGUMENT, "proxy.port"),
        (b"{\"proxy\":{\"prot\":1}}", ORS_E_ARGUMENT, "proxy.prot"),
        (b"{\"assistance\":{\"capabilities\":\"view\"}}", ORS_E_ARGUMENT, "assistance.capabilities"),
        (b"{\"unreachable_hours\":0}", ORS_E_ARGUMENT, "unreachable_hours"),
        (b"{\"confirm_serial\":\"a b\"}", ORS_E_ARGUMENT, "confirm_serial"),
        (b"{\"verification_code\":true}", ORS_E_ARGUMENT, "verification_code"),
        (b"{\"unknown\":1}", ORS_E_ARGUMENT, "unknown"),
        (b"{\"serial\":\"99\"}", ORS_E_ARGUMENT, "serial"),
        (b"{\"organisation_id\":\"a\\u202eb\"}", ORS_E_TEXT, "organisation_id"),
        (b"{\"revision\":0,\"language\":\"fr\"}", ORS_E_STALE, "language"),
        // All or nothing: what is right beside what is wrong is not taken either.
        (b"{\"language\":\"fr\",\"proxy\":{\"host\":\"other\",\"port\":0}}", ORS_E_ARGUMENT, "proxy.port"),
    ];
    let deep = ["[".repeat(30_000), "]".repeat(30_000)].concat();
    for (json, code, member) in rows.into_iter().chain([(deep.as_bytes(), ORS_E_ARGUMENT, "")]) {
        let name = String::from_utf8_lossy(&json[..json.len().min(60)]).into_owned();
        let failure = host.set_raw(json).expect_err(&name);
        assert_eq!((failure.code, failure.place.as_str()), (code, member), "{name}: {failure:?}");
        assert!(is_sentence(&failure.message), "{name}: {failure:?}");
        assert_eq!(kept(&host), before, "{name}");
        let told = log(&host).pop().unwrap();
        assert_eq!(told, format!("Settings were not taken: {}", failure.message), "{name}");
    }
    // What is no text of a bearable size is the caller's mistake, and is not looked into.
    let large = format!("{{\"language\":\"{}\"}}", "x".repeat(64 << 10));
    for text in [large.as_bytes(), b"{\"language\":\"\xff\"}"] {
        let failure = host.set_raw(text).unwrap_err();
        assert_eq!((failure.code, failure.place.as_str()), (ORS_E_TEXT, "json"));
        assert_eq!(kept(&host), before);
    }
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    drop(host);
    assert_eq!(kept(&site.open()), before, "over a restart");
}

#[test]
fn what_was_read_may_be_sent_back_and_no_secret_is_ever_told() {
    let site = Site::with(7);
    let host = site.open();
    host.set(&json!({ "proxy": { "password": "Zw1ebelkuchen" }, "verification_code": "Pfl4umenmus" })).unwrap();
    let whole = host.settings();
    host.set(&whole).expect("unchanged it changes nothing");
    host.set(&json!({ "proxy": { "password": "Zw1ebelkuchen\n" } })).unwrap_err();
    let told = format!("{} {} {} {:?}", host.settings(), host.diagnostics(), host.about(), log(&host));
    for secret in ["Zw1ebelkuchen", "Pfl4umenmus"] {
        assert!(!told.contains(secret));
        for entry in std::fs::read_dir(site.state()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "not on the disk either");
        }
    }
}
