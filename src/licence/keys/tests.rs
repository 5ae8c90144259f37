use super::*;
use crate::licence::testkit::{TestKey, host, key, key_list, seal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use envelope::{KEYS_TYPE, LICENCE_TYPE};
use serde_json::{Value, json};

fn root(number: u32) -> TestKey {
    key(Role::Root, &format!("root-{number}"))
}

/// A host with roots 1 to `roots` and a threshold.
fn host_with(roots: u32, threshold: u32) -> Keyring {
    let lines: String = (1..=roots).map(|number| root(number).line()).collect();
    Keyring::from_host(&format!("{lines}threshold {threshold}\n")).unwrap()
}

fn active(keys: &[&TestKey]) -> Vec<Value> {
    keys.iter().map(|key| key.entry(KeyStatus::Active)).collect()
}

fn next(ring: &Keyring, list: &Envelope) -> Keyring {
    match ring.advance(list) {
        Ok(Advance::Next(next)) => next,
        other => panic!("{other:?}"),
    }
}

fn refusal(ring: &Keyring, list: &Envelope) -> Reason {
    ring.advance(list).expect_err("a refusal").reason
}

#[test]
fn a_built_in_list_is_the_whole_trust_of_the_host() {
    let vendor = key(Role::Licence, "v");
    let mut entries = active(&[&root(1), &root(2), &vendor]);
    entries.push(key(Role::Licence, "old").entry(KeyStatus::Retired));
    let list = key_list(5, 2, &entries, &[&root(1), &root(2)]);
    let ring = Keyring::from_host(&format!("# built in\r\nlist {}\r\n", STANDARD.encode(list.to_json()))).unwrap();
    assert_eq!((ring.version(), ring.threshold(), ring.keys().len()), (5, 2, 4));
    assert!(matches!(ring.advance(&list), Ok(Advance::Present)));
    let older = key_list(4, 1, &active(&[&root(9)]), &[&root(9)]);
    assert!(matches!(ring.advance(&older), Ok(Advance::Older)));
    let six = key_list(6, 2, &active(&[&root(1), &root(2)]), &[&root(1), &root(2)]);
    assert_eq!(next(&ring, &six).version(), 6);
    let other_five = key_list(5, 1, &active(&[&root(1), &root(2)]), &[&root(1), &root(2)]);
    assert_eq!(refusal(&ring, &other_five), Reason::KeyListFork);
}

#[test]
fn the_next_list_needs_enough_distinct_roots_of_both_versions() {
    let stranger = root(99);
    // (roots, threshold) of the host; threshold and roots of the list; signers; what follows
    type Case = (u32, u32, u32, &'static [u32], &'static [u32], Result<(), Reason>);
    let cases: [Case; 16] = [
        (1, 1, 1, &[1], &[1], Ok(())),
        (3, 2, 2, &[1, 2, 3], &[1, 2], Ok(())),
        (3, 2, 2, &[1, 2, 3], &[3, 1], Ok(())),
        (3, 2, 2, &[1, 2, 3], &[1], Err(Reason::Signature)),
        (3, 2, 2, &[1, 2, 3], &[1, 1], Err(Reason::Signature)),
        (3, 2, 2, &[1, 2, 3], &[1, 1, 1, 1, 1, 1, 1, 1], Err(Reason::Signature)),
        (3, 2, 1, &[1, 2, 3], &[1], Err(Reason::Signature)),
        (3, 1, 2, &[1, 2, 3], &[1], Err(Reason::Signature)),
        (3, 1, 2, &[1, 2, 3], &[1, 2], Ok(())),
        (1, 1, 1, &[2], &[1], Err(Reason::Signature)),
        (1, 1, 1, &[2], &[2], Err(Reason::UnknownKey)),
        (1, 1, 1, &[2], &[1, 2], Ok(())),
        (2, 2, 2, &[3, 4], &[1, 2, 3, 4], Ok(())),
        (2, 2, 2, &[3, 4], &[1, 2, 3], Err(Reason::Signature)),
        (2, 2, 2, &[3, 4], &[1, 3, 4], Err(Reason::Signature)),
        (1, 1, 2, &[1], &[1, 1], Err(Reason::Signature)),
    ];
    for (roots, threshold, next_threshold, next_roots, signers, wanted) in cases {
        let keys: Vec<TestKey> = next_roots.iter().map(|number| root(*number)).collect();
        let signers: Vec<TestKey> = signers.iter().map(|number| root(*number)).collect();
        let list =
            key_list(1, next_threshold, &active(&keys.iter().collect::<Vec<_>>()), &signers.iter().collect::<Vec<_>>());
        let found = host_with(roots, threshold).advance(&list).map(|_| ()).map_err(|refusal| refusal.reason);
        assert_eq!(found, wanted, "{roots}/{threshold} -> {next_roots:?}/{next_threshold}");
    }
    let list = key_list(1, 1, &active(&[&stranger]), &[&stranger]);
    assert_eq!(refusal(&host_with(3, 2), &list), Reason::UnknownKey);
}

#[test]
fn one_root_under_several_names_counts_once() {
    let mut list = key_list(1, 1, &active(&[&root(1), &root(2)]), &[&root(1), &root(1)]);
    list.signatures[1].keyid = Some("root-2".into());
    assert_eq!(refusal(&host_with(2, 2), &list), Reason::Signature);
    // A list that names one key twice is no list.
    let mut alias = root(1).entry(KeyStatus::Active);
    alias["id"] = json!("alias");
    let list = key_list(1, 1, &[root(1).entry(KeyStatus::Active), alias], &[&root(1)]);
    assert_eq!(refusal(&host_with(1, 1), &list), Reason::Malformed);
}

#[test]
fn only_active_roots_sign_lists() {
    let (one, two, vendor) = (root(1), root(2), key(Role::Licence, "v"));
    for (status, wanted) in [(KeyStatus::Retired, Reason::Signature), (KeyStatus::Revoked, Reason::KeyRevoked)] {
        let first = key_list(
            1,
            1,
            &[one.entry(KeyStatus::Active), two.entry(status), vendor.entry(KeyStatus::Active)],
            &[&one],
        );
        let ring = next(&host_with(2, 1), &first);
        let by = |signers: &[&TestKey]| key_list(2, 1, &active(&[&one, &two]), signers);
        assert_eq!(refusal(&ring, &by(&[&two])), wanted);
        assert_eq!(refusal(&ring, &by(&[&vendor])), Reason::KeyRole);
        assert!(ring.advance(&by(&[&one])).is_ok());
    }
    // A root that the next version revokes has still signed for this one.
    let leaving = key_list(1, 1, &[one.entry(KeyStatus::Revoked), two.entry(KeyStatus::Active)], &[&one, &two]);
    assert_eq!(next(&host_with(1, 1), &leaving).keys().len(), 2);
}

#[test]
fn a_list_replaces_the_hosts_keys() {
    let (one, old, new) = (root(1), key(Role::Licence, "old"), key(Role::Licence, "new"));
    let by_host = host(&[&one, &old]);
    let ring = next(&by_host, &key_list(1, 1, &active(&[&one, &new]), &[&one]));
    let sealed = |signer: &TestKey| seal(LICENCE_TYPE, b"{}", &[signer]);
    assert!(by_host.sealed_by(&sealed(&old), Role::Licence).is_ok());
    assert_eq!(ring.sealed_by(&sealed(&old), Role::Licence).unwrap_err().reason, Reason::UnknownKey);
    assert_eq!(ring.sealed_by(&sealed(&new), Role::Licence).unwrap().id, "new");
}

#[test]
fn a_second_list_of_one_version_is_a_fork_only_when_its_roots_signed_it() {
    let (one, two, three) = (root(1), root(2), root(3));
    let by_host = host_with(2, 2);
    let ring = next(&by_host, &key_list(1, 1, &active(&[&one, &three]), &[&one, &two, &three]));
    let other = |signers: &[&TestKey]| key_list(1, 1, &active(&[&one, &two]), signers);
    for (signers, wanted) in [
        (vec![&one], Reason::KeyListFork),
        (vec![&three], Reason::KeyListFork),
        (vec![&one, &two], Reason::KeyListFork),
        (vec![&two], Reason::UnknownKey),
    ] {
        assert_eq!(refusal(&ring, &other(&signers)), wanted);
    }
    let stranger = root(9);
    assert_eq!(refusal(&ring, &other(&[&stranger])), Reason::UnknownKey);
    // Roots of the version before count even when this version no longer has them.
    let moved = next(&host_with(1, 1), &key_list(1, 1, &active(&[&three]), &[&one, &three]));
    assert_eq!(refusal(&moved, &key_list(1, 1, &active(&[&one]), &[&one])), Reason::KeyListFork);
    // The same payload signed again is the same list.
    let again = key_list(1, 1, &active(&[&three]), &[&three]);
    assert!(matches!(moved.advance(&again), Ok(Advance::Present)));
}

#[test]
fn a_gap_names_the_missing_version() {
    let one = root(1);
    let refusal = host_with(1, 1).advance(&key_list(3, 1, &active(&[&one]), &[&one])).unwrap_err();
    assert_eq!(refusal.reason, Reason::Sequence);
    assert!(refusal.detail.contains("version 1 is missing"), "{}", refusal.detail);
}

#[test]
fn each_fault_of_a_list_is_refused() {
    let one = root(1);
    let ring = host_with(1, 1);
    let good = json!({"format": 1, "version": 1, "threshold": 1, "keys": [one.entry(KeyStatus::Active)]});
    let judge = |payload: &Value| {
        ring.advance(&seal(KEYS_TYPE, payload.to_string().as_bytes(), &[&one])).map(|_| ()).map_err(|r| r.reason)
    };
    assert_eq!(judge(&good), Ok(()));
    for name in ["format", "version", "threshold", "keys"] {
        let mut payload = good.clone();
        payload.as_object_mut().unwrap().remove(name);
        assert_eq!(judge(&payload), Err(Reason::Malformed), "{name}");
    }
    for name in ["id", "role", "public", "status"] {
        let mut payload = good.clone();
        payload["keys"][0].as_object_mut().unwrap().remove(name);
        assert_eq!(judge(&payload), Err(Reason::Malformed), "{name}");
    }
    for (pointer, value, wanted) in [
        ("/format", json!(2), Reason::Format),
        ("/version", json!(0), Reason::Malformed),
        ("/version", json!(1u64 << 53), Reason::Malformed),
        ("/version", json!("1"), Reason::Malformed),
        ("/threshold", json!(0), Reason::Malformed),
        ("/threshold", json!(9), Reason::Malformed),
        ("/threshold", json!((1u64 << 32) + 1), Reason::Malformed),
        ("/keys", json!([]), Reason::Signature),
        ("/keys", json!({}), Reason::Malformed),
        ("/keys", json!([[]]), Reason::Malformed),
        ("/keys", json!(vec![one.entry(KeyStatus::Active); 65]), Reason::Amount),
        ("/keys", json!(vec![one.entry(KeyStatus::Active); 2]), Reason::Malformed),
        ("/keys/0/id", json!("a b"), Reason::Malformed),
        ("/keys/0/id", json!(""), Reason::Malformed),
        ("/keys/0/role", json!("admin"), Reason::Malformed),
        ("/keys/0/status", json!("Active"), Reason::Malformed),
        ("/keys/0/status", json!("retired"), Reason::Signature),
        ("/keys/0/public", json!("AAAA"), Reason::Malformed),
        ("/keys/0/public", json!("?"), Reason::Malformed),
    ] {
        let mut payload = good.clone();
        *payload.pointer_mut(pointer).unwrap() = value.clone();
        let found = judge(&payload);
        assert_eq!(found, Err(wanted), "{pointer} {value}");
    }
    let mut large = good.clone();
    large["note"] = json!("x".repeat(200 << 10));
    assert_eq!(judge(&large), Err(Reason::TooLarge));
    let twice = good.to_string().replacen("\"version\":1", "\"version\":1,\"v\\u0065rsion\":2", 1);
    assert_eq!(refusal(&ring, &seal(KEYS_TYPE, twice.as_bytes(), &[&one])), Reason::Malformed);
    assert_eq!(refusal(&ring, &seal(KEYS_TYPE, &vec![b'['; 100_000], &[&one])), Reason::Malformed);
    assert_eq!(refusal(&ring, &seal(LICENCE_TYPE, good.to_string().as_bytes(), &[&one])), Reason::Malformed);
}

#[test]
fn one_flipped_bit_in_a_list_never_changes_the_keys() {
    let one = root(1);
    let ring = host_with(1, 1);
    let list = key_list(1, 1, &active(&[&one]), &[&one]);
    for bit in 0..list.payload.len() * 8 {
        let mut flipped = list.clone();
        flipped.payload[bit / 8] ^= 1 << (bit % 8);
        assert!(ring.advance(&flipped).is_err(), "bit {bit}");
    }
}

/// Lists 1 to `last`, each by root 1.
fn steps(last: u64) -> Vec<Envelope> {
    (1..=last).map(|version| key_list(version, 1, &active(&[&root(1)]), &[&root(1)])).collect()
}

#[test]
fn a_chain_takes_an_installation_over_all_missing_steps() {
    let lists = steps(4);
    let chain = |from: usize, to: usize| KeyChain { lists: lists[from..to].to_vec() }.to_json();
    let start = host_with(1, 1);
    let (ring, taken) = start.advance_chain(&chain(0, 4)).unwrap();
    assert_eq!((ring.version(), taken), (4, lists.clone()));
    let (again, taken) = ring.advance_chain(&chain(0, 4)).unwrap();
    assert_eq!((again.version(), taken.len()), (4, 0));
    let (older, taken) = ring.advance_chain(&chain(0, 2)).unwrap();
    assert_eq!((older.version(), taken.len()), (4, 0));
    let (two, _) = start.advance_chain(&chain(0, 2)).unwrap();
    assert_eq!(two.advance_chain(&chain(1, 4)).unwrap().1, lists[2..4]);
    assert_eq!(start.advance_chain(&lists[0].to_json()).unwrap().0.version(), 1, "a bare list will do");
    assert_eq!(start.advance_chain(&chain(1, 4)).unwrap_err().reason, Reason::Sequence);
    assert_eq!(start.advance_chain(&chain(0, 0)).unwrap().0.version(), 0);
}

#[test]
fn a_bad_step_stops_the_chain_and_shows_from_the_ring_reached() {
    let mut lists = steps(3);
    lists[2] = key_list(3, 1, &active(&[&root(1)]), &[&root(9)]);
    let file = KeyChain { lists }.to_json();
    let (ring, taken) = host_with(1, 1).advance_chain(&file).unwrap();
    assert_eq!((ring.version(), taken.len()), (2, 2));
    assert_eq!(ring.advance_chain(&file).unwrap_err().reason, Reason::UnknownKey);
    let forked = KeyChain { lists: vec![key_list(2, 1, &active(&[&root(1), &root(2)]), &[&root(1)])] };
    assert_eq!(ring.advance_chain(&forked.to_json()).unwrap_err().reason, Reason::KeyListFork);
}

#[test]
fn a_chain_file_is_bounded_and_strict() {
    let list = serde_json::from_slice::<Value>(&steps(1)[0].to_json()).unwrap();
    let large = key_list(1, 1, &[json!({"note": "x".repeat(200 << 10)})], &[&root(1)]).to_json();
    let large = format!("{{\"format\":1,\"lists\":[{}]}}", String::from_utf8(large).unwrap());
    for (file, wanted) in [
        (json!({"format": 1, "lists": [list]}).to_string(), None),
        (json!({"format": 1, "lists": [], "x": 1}).to_string(), None),
        (json!({"format": 2, "lists": [list]}).to_string(), Some(Reason::Format)),
        (json!({"lists": [list]}).to_string(), Some(Reason::Malformed)),
        (json!({"format": 1}).to_string(), Some(Reason::Malformed)),
        (json!({"format": 1, "lists": [1]}).to_string(), Some(Reason::Malformed)),
        (json!({"format": 1, "lists": [{}]}).to_string(), Some(Reason::Malformed)),
        (json!({"format": 1, "lists": {}}).to_string(), Some(Reason::Malformed)),
        (json!([list]).to_string(), Some(Reason::Malformed)),
        (json!({"format": 1, "lists": vec![1; 5000]}).to_string(), Some(Reason::Amount)),
        (format!("{{\"format\":1,\"lists\":{}", "[".repeat(100_000)), Some(Reason::Malformed)),
        (large, Some(Reason::TooLarge)),
        (" ".repeat(2 << 20), Some(Reason::TooLarge)),
    ] {
        assert_eq!(KeyChain::parse(file.as_bytes()).err().map(|refusal| refusal.reason), wanted, "{file:.100}");
    }
}

#[test]
fn a_chain_never_grows_past_what_is_read_again() {
    let filler = json!({"note": "x".repeat(120 << 10)});
    let list = key_list(1, 1, &[filler], &[&root(1)]);
    let mut chain = KeyChain::default();
    let mut pushed = 0;
    while chain.push(list.clone()) {
        pushed += 1;
        assert!(pushed < 100);
    }
    assert_eq!(pushed, chain.lists.len());
    assert_eq!(KeyChain::parse(&chain.to_json()).unwrap(), chain);
}
