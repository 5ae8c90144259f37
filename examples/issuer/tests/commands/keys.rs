use crate::desk::Desk;
use ors::licence::{KeyStatus, Keyring};

/// Root keys r1, r2, r3, licence key a, and hosts that trust r1 and r2 with threshold 2, and a.
fn desk() -> Desk {
    let desk = Desk::new();
    for id in ["r1", "r2", "r3"] {
        desk.key("root", id);
    }
    desk.key("licence", "a");
    let text = desk.run(&["keys", "host-line", "r1.key", "r2.key", "a.key", "--threshold", "2"]).ok();
    desk.put("trusted.txt", &text);
    desk
}

fn trusted(desk: &Desk) -> Keyring {
    Keyring::from_host(&String::from_utf8(desk.bytes("trusted.txt")).unwrap()).unwrap()
}

const NEW: &str = "keys new --add r1.key --add r2.key --add a.key --threshold 2 --trusted trusted.txt --out 1.json";

#[test]
fn signatures_are_collected_one_holder_at_a_time_until_products_take_the_list() {
    let desk = desk();
    desk.run(&NEW.split(' ').collect::<Vec<_>>()).ok();
    let said = desk.with_pass("keys sign 1.json --root r1.key --out ors-keys.json").failed(1);
    assert!(said.contains("by 1 of the 2") && said.contains("could still sign: r2"), "{said}");
    assert!(!desk.path("ors-keys.json").exists());
    desk.with_pass("keys sign 1.json --root r1.key").ok();
    assert_eq!(
        desk.run(&["keys", "sign", "1.json", "--out", "ors-keys.json"]).code,
        1,
        "the same root twice counts once"
    );
    desk.with_pass("keys sign 1.json --root r2.key --out ors-keys.json").ok();
    let (ring, steps) = trusted(&desk).advance_chain(&desk.bytes("ors-keys.json")).unwrap();
    assert_eq!((ring.version(), ring.threshold(), ring.keys().len(), steps.len()), (1, 2, 3, 1));
}

#[test]
fn the_next_list_retires_revokes_adds_and_changes_roots() {
    let desk = desk();
    desk.run(&NEW.split(' ').collect::<Vec<_>>()).ok();
    desk.with_pass("keys sign 1.json --root r1.key --root r2.key --out ors-keys.json").ok();
    desk.key("licence", "b");
    let words = "keys next ors-keys.json --add b.key --add r3.key --retire a --revoke r1 --out 2.json";
    desk.run(&words.split(' ').collect::<Vec<_>>()).ok();
    // r1 and r2 make the old threshold, r2 and r3 the new one.
    desk.with_pass("keys sign 2.json --root r2.key --root r3.key").ok();
    let said = desk.run(&["keys", "sign", "2.json", "--out", "ors-keys.json", "--force"]).failed(1);
    assert!(said.contains("by 1 of the 2 root keys that version 1 asks for: r2; could still sign: r1"), "{said}");
    assert_eq!(desk.with_pass("keys sign 2.json --root r1.key --out ors-keys.json").code, 3, "the chain file exists");
    desk.with_pass("keys sign 2.json --root r1.key --out ors-keys.json --force").ok();
    let (ring, steps) = trusted(&desk).advance_chain(&desk.bytes("ors-keys.json")).unwrap();
    assert_eq!((ring.version(), steps.len()), (2, 2));
    let status = |id: &str| ring.keys().iter().find(|key| key.id == id).unwrap().status;
    assert_eq!(
        [status("a"), status("b"), status("r1"), status("r3")],
        [KeyStatus::Retired, KeyStatus::Active, KeyStatus::Revoked, KeyStatus::Active]
    );
    let line = desk.run(&["keys", "host-line", "ors-keys.json"]).ok();
    assert!(line.starts_with("list "));
    assert_eq!(Keyring::from_host(&line).unwrap().version(), 2);
}

#[test]
fn a_list_can_stand_on_its_own() {
    let desk = desk();
    desk.run(&"keys new --add r3.key --add a.key --threshold 1 --out 1.json".split(' ').collect::<Vec<_>>()).ok();
    desk.with_pass("keys sign 1.json --root r3.key --out ors-keys.json").ok();
    let line = desk.run(&["keys", "host-line", "ors-keys.json"]).ok();
    assert_eq!(Keyring::from_host(&line).unwrap().version(), 1);
    assert!(trusted(&desk).advance_chain(&desk.bytes("ors-keys.json")).is_err(), "hosts with other roots refuse it");
}

#[test]
fn lists_that_no_product_would_take_are_not_begun() {
    let desk = desk();
    desk.run(&NEW.split(' ').collect::<Vec<_>>()).ok();
    desk.with_pass("keys sign 1.json --root r1.key --root r2.key --out ors-keys.json").ok();
    desk.put("junk.txt", "licence only-two-words\n");
    for (words, expected) in [
        ("keys new --add a.key --threshold 1", "no active root key"),
        ("keys new --add r1.key --threshold 2", "threshold is 2"),
        ("keys new --add r1.key --threshold 0", "threshold is 0"),
        ("keys new --add r1.key --add r1.key --threshold 1", "r1"),
        ("keys new --add junk.txt --threshold 1", "junk.txt"),
        ("keys new --add ors-keys.json --threshold 1", "not a key file"),
        ("keys next ors-keys.json --retire nobody", "no key \"nobody\""),
        ("keys next ors-keys.json --revoke r1", "threshold is 2"),
        ("keys next ors-keys.json --add a.key", "\"a\""),
        ("keys next ors-keys.json --drop a", "not revoked"),
        ("keys next ors-keys.json --revoke a --retire a --threshold 9", "threshold is 9"),
        ("keys next trusted.txt", "trusted.txt"),
    ] {
        let ended = desk.run(&words.split(' ').chain(["--out", "x.json"]).collect::<Vec<_>>());
        assert!(matches!(ended.code, 1 | 4) && ended.err.contains(expected), "{words}: {ended:?}");
        assert!(!desk.path("x.json").exists(), "{words}");
    }
}

#[test]
fn foreign_keys_and_changed_files_are_refused_at_signing() {
    let desk = desk();
    desk.run(&NEW.split(' ').collect::<Vec<_>>()).ok();
    for (key, words) in [("r3", "no active root key"), ("a", "no active root key")] {
        let said = desk.with_pass(&format!("keys sign 1.json --root {key}.key")).failed(1);
        assert!(said.contains(words), "{said}");
    }
    desk.with_pass("keys sign 1.json --root r1.key").ok();
    let text = String::from_utf8(desk.bytes("1.json")).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let sig = value["signatures"][0]["sig"].as_str().unwrap().to_owned();
    value["signatures"][0]["sig"] = sig.replacen(&sig[..1], if sig.starts_with('A') { "B" } else { "A" }, 1).into();
    desk.put("changed.json", &value.to_string());
    let said = desk.with_pass("keys sign changed.json --root r2.key").failed(1);
    assert!(said.contains("does not fit"), "{said}");
    assert_eq!(desk.with_pass("keys sign a.key --root r2.key").code, 1);
}

#[test]
fn host_lines_are_checked_as_a_product_would() {
    let desk = desk();
    assert!(desk.run(&["keys", "host-line", "r1.key", "--threshold", "2"]).failed(1).contains("threshold"));
    assert_eq!(desk.run(&["keys", "host-line", "trusted.txt"]).code, 1);
}
