use super::*;
use crate::licence::testkit::{host, key, key_list, product, seal, serial};
use crate::licence::{LICENCE_TYPE, Role};
use serde_json::{Value, json};

const CHALLENGE: &str = "c4a7-19b2";

fn payload() -> Value {
    json!({"format": 1, "product": "prismaprepare", "serial": "1234567890", "challenge": CHALLENGE, "time": "2026-11-23T10:00:00Z"})
}

fn judge(payload: &Value, role: Role, id: &str) -> Result<Instant, Reason> {
    let keys = host(&[&key(Role::Root, "r"), &key(Role::Licence, "l"), &key(Role::Statement, "s")]);
    let file = seal(TIME_TYPE, payload.to_string().as_bytes(), &[&key(role, id)]).to_json();
    verify_time(&file, &keys, &product(), &serial(), CHALLENGE).map_err(|refusal| refusal.reason)
}

#[test]
fn a_time_file_is_taken_only_from_a_statement_key() {
    assert_eq!(judge(&payload(), Role::Statement, "s"), Ok(Instant::parse("2026-11-23T10:00:00Z").unwrap()));
    assert_eq!(judge(&payload(), Role::Licence, "l"), Err(Reason::KeyRole));
    assert_eq!(judge(&payload(), Role::Root, "r"), Err(Reason::KeyRole));
    assert_eq!(judge(&payload(), Role::Statement, "stranger"), Err(Reason::UnknownKey));
}

#[test]
fn a_retired_or_revoked_key_tells_no_time() {
    let (root, office) = (key(Role::Root, "r"), key(Role::Statement, "s"));
    for (status, wanted) in [(KeyStatus::Retired, Reason::KeyRetired), (KeyStatus::Revoked, Reason::KeyRevoked)] {
        let list = key_list(1, 1, &[root.entry(KeyStatus::Active), office.entry(status)], &[&root]);
        let (keys, _) = host(&[&root, &office]).advance_chain(&list.to_json()).unwrap();
        let file = seal(TIME_TYPE, payload().to_string().as_bytes(), &[&office]).to_json();
        let refusal = verify_time(&file, &keys, &product(), &serial(), CHALLENGE).unwrap_err();
        assert_eq!(refusal.reason, wanted);
    }
}

#[test]
fn a_time_file_is_for_one_installation_and_one_challenge() {
    for (name, value, wanted) in [
        ("product", json!("other"), Reason::Product),
        ("serial", json!("S2"), Reason::Serial),
        ("challenge", json!("c4a7-19b3"), Reason::Clock),
        ("challenge", json!("C4A7-19B2"), Reason::Clock),
        ("challenge", json!(""), Reason::Malformed),
        ("challenge", json!("x".repeat(129)), Reason::Malformed),
        ("challenge", json!("a\u{202E}b"), Reason::Malformed),
        ("challenge", json!(null), Reason::Malformed),
        ("time", json!("2026-11-23"), Reason::Malformed),
        ("time", json!("2026-11-23T10:00:60Z"), Reason::Malformed),
        ("time", json!("1969-12-31T23:59:59Z"), Reason::Malformed),
        ("time", json!("9999-01-01T00:00:00Z"), Reason::Malformed),
        ("time", json!(1_795_428_000), Reason::Malformed),
        ("serial", json!("a/b"), Reason::Malformed),
        ("product", json!("P"), Reason::Malformed),
        ("format", json!(2), Reason::Format),
    ] {
        let mut changed = payload();
        changed[name] = value.clone();
        assert_eq!(judge(&changed, Role::Statement, "s"), Err(wanted), "{name} {value}");
    }
    for name in ["format", "product", "serial", "challenge", "time"] {
        let mut changed = payload();
        changed.as_object_mut().unwrap().remove(name);
        assert_eq!(judge(&changed, Role::Statement, "s"), Err(Reason::Malformed), "{name}");
    }
}

#[test]
fn an_installation_without_a_challenge_takes_no_time_file() {
    let keys = host(&[&key(Role::Statement, "s")]);
    let mut empty = payload();
    empty["challenge"] = json!("");
    for payload in [payload(), empty] {
        let file = seal(TIME_TYPE, payload.to_string().as_bytes(), &[&key(Role::Statement, "s")]).to_json();
        assert!(verify_time(&file, &keys, &product(), &serial(), "").is_err());
    }
}

#[test]
fn another_kind_of_file_and_every_flipped_bit_are_refused() {
    let keys = host(&[&key(Role::Statement, "s"), &key(Role::Licence, "l")]);
    let office = key(Role::Statement, "s");
    let body = payload().to_string();
    let judge =
        |file: &[u8]| verify_time(file, &keys, &product(), &serial(), CHALLENGE).map_err(|refusal| refusal.reason);
    assert_eq!(judge(&seal(LICENCE_TYPE, body.as_bytes(), &[&office]).to_json()), Err(Reason::Malformed));
    assert_eq!(judge(&vec![b' '; 2 << 20]), Err(Reason::TooLarge));
    let good = seal(TIME_TYPE, body.as_bytes(), &[&office]);
    for bit in 0..body.len() * 8 {
        let mut flipped = good.clone();
        flipped.payload[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(judge(&flipped.to_json()), Err(Reason::Signature), "{bit}");
    }
}
