//! Two administrators with two pages open.

use super::*;

#[test]
fn a_set_on_an_older_revision_is_merged_or_stale() {
    // Ann read revision 1; Bob then set the port. Ann's set follows.
    let cases = [
        (json!({ "revision": 1, "language": "de" }), "ok 3", "another member"),
        (json!({ "revision": 1, "proxy": { "port": 99 } }), "stale proxy.port", "the same member"),
        (json!({ "revision": 1, "language": "de", "proxy": { "port": 99 } }), "stale proxy.port", "both"),
        (json!({ "revision": 1, "proxy": { "port": 2 } }), "ok 2", "what Bob set too"),
        (json!({ "revision": 1, "proxy": { "port": 8080 } }), "ok 2", "only repeated from revision 1"),
        (json!({ "revision": 2, "proxy": { "port": 99 } }), "ok 3", "on the newest revision"),
        (json!({ "proxy": { "port": 99 } }), "ok 3", "without a revision"),
        (json!({ "revision": 0, "language": "de" }), "stale language", "changed at 1"),
        (json!({ "revision": 3, "language": "de" }), "stale revision", "a revision to come"),
        (json!({ "revision": 1, "proxy": { "password": "p" } }), "ok 3", "a secret nobody changed"),
        (json!({ "revision": 1, "verification_code": "x" }), "stale verification_code", "a secret Bob changed"),
        (json!({ "revision": 1, "verification_code": { "set": true } }), "ok 2", "a secret left alone"),
    ];
    for (json, expected, why) in cases {
        let temp = tempfile::tempdir().unwrap();
        let folder = folder(temp.path());
        set(&folder, &full()).unwrap();
        set(&folder, &json!({ "proxy": { "port": 2 }, "verification_code": "new" })).unwrap();
        assert_eq!(said(set(&folder, &json)), expected, "{why}");
        let bobs = if expected == "ok 3" && json["proxy"]["port"] == 99 { 99 } else { 2 };
        assert_eq!(get(&folder)["proxy"]["port"], bobs, "{why}");
    }
}

/// A page posts the whole form; what it did not touch must not undo another's change.
#[test]
fn a_whole_form_on_an_older_revision_keeps_what_others_changed() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    set(&folder, &full()).unwrap();
    let mut form = get(&folder);
    for port in [1, 2, 3] {
        set(&folder, &json!({ "proxy": { "port": port } })).unwrap();
    }
    form["language"] = json!("de");
    assert_eq!(said(set(&folder, &form)), "ok 5");
    let now = get(&folder);
    assert_eq!((&now["language"], &now["proxy"]["port"]), (&json!("de"), &json!(3)));
    form["proxy"]["port"] = json!(7);
    assert_eq!(said(set(&folder, &form)), "stale proxy.port");
}

#[test]
fn changes_longer_ago_than_is_remembered_are_stale_when_they_differ() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    set(&folder, &json!({ "proxy": { "port": 1 } })).unwrap();
    set(&folder, &json!({ "proxy": { "port": 2 } })).unwrap();
    for n in 0..CHANGES_KEPT as u64 {
        set(&folder, &json!({ "unreachable_hours": n % 2 + 1 })).unwrap();
    }
    let (settings, _) = Settings::load(&folder).unwrap();
    assert_eq!(settings.changes_after(0).len(), CHANGES_KEPT);
    assert_eq!(settings.changes_after(settings.revision - 2).len(), 2);
    assert_eq!(said(set(&folder, &json!({ "revision": 1, "proxy": { "port": 1 } }))), "stale proxy.port");
    assert_eq!(said(set(&folder, &json!({ "revision": 1, "proxy": { "port": 2 } }))), "ok 52");
}
