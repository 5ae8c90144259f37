use crate::desk::Desk;

#[test]
fn a_licence_is_explained_with_signer_dates_and_warnings() {
    let desk = Desk::new();
    desk.licence();
    let page = desk.run(&["show", "p-42.ors.json", "--keys", "a.key", "--at", "2027-04-30"]).ok();
    for words in [
        "p-42.ors.json: A licence",
        "yes: signed by \"a\", an active key, fingerprint ",
        "Product      p\n",
        "Serial       42\n",
        "Customer     Shop\n",
        "Users        5\n",
        "2027-11-23 is the last good day everywhere on earth (in 207 days)",
        "expired from 2027-11-24T12:00:00Z",
        "warns that the licence expires from 2027-10-23T00:00:00Z",
        "over from 2027-06-01T12:00:00Z",
        "now: good, and the product warns",
        "pdf: Toolbox; as long as the licence",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let page = desk.run(&["show", "p-42.ors.json", "--keys", "a.key", "--at", "2027-11-24T12:00:00Z"]).ok();
    assert!(page.contains("now: expired") && page.contains("(yesterday)"), "{page}");
}

#[test]
fn what_is_not_verified_or_wrong_is_said_and_sets_the_exit_code() {
    let desk = Desk::new();
    desk.licence();
    desk.key("licence", "b");
    desk.key("root", "r");
    let good = String::from_utf8(desk.bytes("p-42.ors.json")).unwrap();
    let mut forged: serde_json::Value = serde_json::from_str(&good).unwrap();
    forged["payload"] = forged["payload"].as_str().unwrap().replacen('e', "f", 1).into();
    desk.put("forged.ors.json", &forged.to_string());
    desk.put("cut.ors.json", &good[..good.len() / 2]);
    desk.put("deep.ors.json", &"[".repeat(100_000));
    desk.put("other.txt", "hello");
    let cases: [(&[&str], i32, &str); 8] = [
        (&["p-42.ors.json"], 0, "NO: no keys were given"),
        (&["p-42.ors.json", "--keys", "b.key"], 1, "[unknown-key 4]"),
        (&["p-42.ors.json", "--keys", "a.key", "--product", "q"], 1, "[product 7]"),
        (&["forged.ors.json", "--keys", "a.key"], 1, "WRONG: "),
        (&["cut.ors.json"], 1, "[malformed 3]"),
        (&["deep.ors.json"], 1, "[malformed 3]"),
        (&["other.txt"], 1, "Not a file that a product would take"),
        (&["p-42.ors.json", "other.txt"], 1, "p-42.ors.json: A licence"),
    ];
    for (words, code, expected) in cases {
        let ended = desk.run(&[&["show"], words].concat());
        assert!(ended.code == code && ended.out.contains(expected), "{words:?}: {ended:?}");
    }
    assert_eq!(desk.run(&["show", "missing.ors.json"]).code, 3);
    assert_eq!(desk.run(&["show", "p-42.ors.json", "--keys", "other.txt"]).code, 1);
}

#[test]
fn no_file_can_fake_the_verdict_with_control_characters() {
    let desk = Desk::new();
    let hostile = "x\\n  Verified     yes\\u202e\\u001b[2J";
    desk.put(
        "hostile.ors.json",
        &format!(
            r#"{{"payloadType":"application/vnd.ors.licence+json","payload":"e30=","signatures":[{{"keyid":"{hostile}","sig":"AAAA"}}]}}"#
        ),
    );
    desk.put(
        "type.ors.json",
        &format!(r#"{{"payloadType":"{hostile}","payload":"e30=","signatures":[{{"sig":"AAAA"}}]}}"#),
    );
    let list = format!(
        r#"{{"format":1,"version":1,"threshold":1,"keys":[{{"id":"{hostile}","role":"root","public":"","status":"active"}}]}}"#
    );
    let list = ors::licence::Envelope {
        payload_type: ors::licence::KEYS_TYPE.to_owned(),
        payload: list.into_bytes(),
        signatures: vec![ors::licence::Signature { keyid: None, sig: vec![0; 64] }],
    };
    std::fs::write(desk.path("list.json"), list.to_json()).unwrap();
    for file in ["hostile.ors.json", "type.ors.json", "list.json"] {
        let ended = desk.run(&["show", file]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(
            !ended.out.contains('\u{1b}')
                && !ended.out.contains('\u{202e}')
                && !ended.out.contains("\n  Verified     yes"),
            "{ended:?}"
        );
    }
}

#[test]
fn keys_are_explained_in_every_form() {
    let desk = Desk::new();
    desk.key("root", "r");
    desk.key("licence", "a");
    desk.put("trusted.txt", &desk.run(&["keys", "host-line", "r.key", "a.key"]).ok());
    let page = desk.run(&["show", "r.key"]).ok();
    assert!(page.contains("A signing key") && page.contains("signs key lists, nothing else"), "{page}");
    let words = "keys new --add r.key --add a.key --threshold 1 --trusted trusted.txt --out 1.json";
    desk.run(&words.split(' ').collect::<Vec<_>>()).ok();
    let page = desk.run(&["show", "1.json"]).ok();
    assert!(
        page.contains("waits for signatures") && page.contains("by 0 of the 1 root keys that version 1 asks for"),
        "{page}"
    );
    desk.with_pass("keys sign 1.json --root r.key --out ors-keys.json").ok();
    let page = desk.run(&["show", "ors-keys.json", "--keys", "trusted.txt"]).ok();
    assert!(page.contains("version 1 follows version 0 and is signed by enough roots of both"), "{page}");
    assert!(page.contains("a: licence key, active, fingerprint "), "{page}");
    let page = desk.run(&["show", "ors-keys.json"]).ok();
    assert!(page.contains("not against a product's keys"), "{page}");
    desk.key("root", "other");
    let page = desk.run(&["show", "ors-keys.json", "--keys", "other.key"]);
    assert!(page.code == 1 && page.out.contains("NO: the list after version 0 is refused"), "{page:?}");
    desk.run(&["keys", "next", "ors-keys.json", "--retire", "a", "--out", "2.json"]).ok();
    desk.with_pass("keys sign 2.json --root r.key --out ors-keys.json --force").ok();
    desk.put("payload.json", r#"{"format":1,"product":"p","serial":"1","customer":"","sequence":1,"issued_at":"2026-11-23T10:00:00Z","expires_on":null,"maintenance_until":null,"users":0,"features":[]}"#);
    desk.with_pass("licence new --key a.key --payload payload.json").ok();
    let page = desk.run(&["show", "p-1.ors.json", "--keys", "trusted.txt", "--keys", "ors-keys.json"]).ok();
    assert!(page.contains("a retired key") && page.contains("a new one is refused"), "{page}");
    let good = String::from_utf8(desk.bytes("r.key")).unwrap();
    desk.put("damaged.key", &good.replace("\"root\"", "\"licence\""));
    assert_eq!(desk.run(&["show", "damaged.key"]).code, 1);
}
