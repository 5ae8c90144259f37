use super::*;
use crate::licence::testkit::{TestKey, host, key, key_list, payload, product, seal, seal_licence, with};
use crate::licence::{KeyChain, Signature};
use serde_json::json;

fn vendor() -> TestKey {
    key(Role::Licence, "vendor-1")
}

fn reason(file: &[u8], keys: &Keyring) -> Reason {
    match verify(file, keys, &product()) {
        Ok(_) => Reason::None,
        Err(refusal) => refusal.reason,
    }
}

/// A payload with as few bytes as a licence can have.
fn small() -> serde_json::Value {
    let mut small = payload();
    small.as_object_mut().unwrap().remove("fls");
    for (name, value) in
        [("features", json!([])), ("customer", json!("C")), ("serial", json!("1")), ("expires_on", json!(null))]
    {
        small[name] = value;
    }
    small
}

/// A ring in which one key has each status.
fn ring() -> (Keyring, TestKey) {
    let root = key(Role::Root, "root");
    let entries = [
        root.entry(KeyStatus::Active),
        vendor().entry(KeyStatus::Active),
        key(Role::Licence, "old").entry(KeyStatus::Retired),
        key(Role::Licence, "stolen").entry(KeyStatus::Revoked),
        key(Role::Statement, "office").entry(KeyStatus::Active),
    ];
    let list = key_list(1, 1, &entries, &[&root]);
    (host(&[&root, &vendor()]).advance_chain(&list.to_json()).unwrap().0, root)
}

#[test]
fn a_genuine_licence_says_who_vouches_for_it() {
    let (keys, _) = ring();
    let file = seal_licence(&payload(), &vendor());
    let genuine = verify(&file, &keys, &product()).unwrap();
    assert_eq!(genuine.licence(), &Licence::parse(payload().to_string().as_bytes()).unwrap());
    assert_eq!(genuine.digest(), super::super::sha256(payload().to_string().as_bytes()));
    assert_eq!(genuine.key_fingerprint(), keys.keys()[1].fingerprint());
    assert_eq!(genuine.key_status(), KeyStatus::Active);
    assert_eq!(&**genuine.bytes(), &file[..]);
    let old = verify(&seal_licence(&payload(), &key(Role::Licence, "old")), &keys, &product()).unwrap();
    assert_eq!(old.key_status(), KeyStatus::Retired);
    assert_eq!(old.digest(), genuine.digest(), "signed again is the same licence");
}

#[test]
fn each_wrong_key_is_refused_by_its_own_reason() {
    let (keys, root) = ring();
    for (signer, wanted, words) in [
        (key(Role::Licence, "stranger"), Reason::UnknownKey, "None of the keys"),
        (root, Reason::KeyRole, "a root key"),
        (key(Role::Statement, "office"), Reason::KeyRole, "needs a licence key"),
        (key(Role::Licence, "stolen"), Reason::KeyRevoked, "\"stolen\""),
    ] {
        let refusal = verify(&seal_licence(&payload(), &signer), &keys, &product()).unwrap_err();
        assert_eq!(refusal.reason, wanted);
        assert!(refusal.detail.contains(words), "{}", refusal.detail);
        assert_eq!((refusal.serial.as_deref(), refusal.sequence), (Some("1234567890"), Some(7)));
    }
    let mut forged = seal(LICENCE_TYPE, payload().to_string().as_bytes(), &[&key(Role::Licence, "stranger")]);
    forged.signatures[0].keyid = Some("vendor-1".into());
    assert_eq!(reason(&forged.to_json(), &keys), Reason::Signature, "a name alone vouches for nothing");
}

#[test]
fn a_signature_does_not_move_to_another_type_or_content() {
    let (keys, _) = ring();
    let body = payload().to_string();
    for (signed_type, signed_body) in [(TIME_TYPE, body.as_bytes()), (LICENCE_TYPE, b"{}"), ("", body.as_bytes())] {
        let mut envelope = seal(LICENCE_TYPE, body.as_bytes(), &[]);
        envelope.signatures = vec![vendor().signature(signed_type, signed_body)];
        assert_eq!(reason(&envelope.to_json(), &keys), Reason::Signature, "{signed_type}");
    }
    for payload_type in [
        KEYS_TYPE,
        TIME_TYPE,
        "application/json",
        "application/vnd.ors.licence+json ",
        "Application/vnd.ors.licence+json",
    ] {
        assert_eq!(
            reason(&seal(payload_type, body.as_bytes(), &[&vendor()]).to_json(), &keys),
            Reason::Malformed,
            "{payload_type}"
        );
    }
}

#[test]
fn the_keyid_only_orders_the_search() {
    let (keys, _) = ring();
    let good = seal(LICENCE_TYPE, payload().to_string().as_bytes(), &[&vendor()]);
    for keyid in [None, Some(""), Some("office"), Some("unheard-of"), Some("stolen")] {
        let mut envelope = good.clone();
        envelope.signatures[0].keyid = keyid.map(str::to_owned);
        assert_eq!(reason(&envelope.to_json(), &keys), Reason::None, "{keyid:?}");
    }
}

#[test]
fn the_best_of_several_signatures_counts() {
    let (keys, root) = ring();
    let (old, stolen, stranger) =
        (key(Role::Licence, "old"), key(Role::Licence, "stolen"), key(Role::Licence, "stranger"));
    let good = vendor();
    let body = payload().to_string();
    for (signers, wanted) in [
        (vec![&stranger, &stolen, &root, &old, &good], Ok(KeyStatus::Active)),
        (vec![&old, &good], Ok(KeyStatus::Active)),
        (vec![&stolen, &root, &old], Ok(KeyStatus::Retired)),
        (vec![&root, &stolen], Err(Reason::KeyRevoked)),
        (vec![&stranger, &root], Err(Reason::KeyRole)),
        (vec![&stranger; 8], Err(Reason::UnknownKey)),
        (vec![&good; 8], Ok(KeyStatus::Active)),
        (vec![&good; 9], Err(Reason::Amount)),
        (vec![], Err(Reason::Amount)),
    ] {
        let file = seal(LICENCE_TYPE, body.as_bytes(), &signers).to_json();
        let found =
            verify(&file, &keys, &product()).map(|genuine| genuine.key_status()).map_err(|refusal| refusal.reason);
        assert_eq!(found, wanted, "{:?}", signers.iter().map(|key| &key.id).collect::<Vec<_>>());
    }
    let mut odd = seal(LICENCE_TYPE, body.as_bytes(), &[&good]);
    for length in [0, 1, 63, 65, 4096] {
        odd.signatures.insert(0, Signature { keyid: Some("vendor-1".into()), sig: vec![7; length] });
        assert_eq!(reason(&odd.to_json(), &keys), Reason::None, "foreign signatures of {length} bytes do no harm");
    }
}

#[test]
fn content_is_judged_only_after_the_key() {
    let (keys, _) = ring();
    for (body, wanted) in [
        (with("/product", json!("other")), Reason::Product),
        (with("/format", json!(2)), Reason::Format),
        (with("/users", json!(-1)), Reason::Malformed),
        (with("/expires_on", json!("1970-01-01")), Reason::None),
    ] {
        assert_eq!(reason(&seal_licence(&body, &vendor()), &keys), wanted, "{body}");
        assert_eq!(reason(&seal_licence(&body, &key(Role::Licence, "stranger")), &keys), Reason::UnknownKey);
    }
    let refusal = verify(&seal_licence(&with("/product", json!("other")), &vendor()), &keys, &product()).unwrap_err();
    assert_eq!((refusal.serial.as_deref(), refusal.sequence), (Some("1234567890"), Some(7)));
    assert!(refusal.detail.contains("\"other\"") && refusal.detail.contains("\"prismaprepare\""));
}

#[test]
fn properly_signed_nonsense_is_refused_all_the_same() {
    let (keys, _) = ring();
    let body = payload().to_string();
    let bodies: Vec<Vec<u8>> = vec![
        body.replacen("\"users\":5", "\"users\":5,\"us\\u0065rs\":500", 1).into_bytes(),
        body.replacen("\"id\":", "\"id\":\"a\",\"id\":", 1).into_bytes(),
        "[".repeat(100_000).into_bytes(),
        format!("{}{body}{}", "{\"a\":".repeat(40), "}".repeat(40)).into_bytes(),
        format!("{body}{body}").into_bytes(),
        format!("\u{FEFF}{body}").into_bytes(),
        body.replace("Print Room", "\\ud800").into_bytes(),
        body.replace("Print Room", "\\u0000").into_bytes(),
        body.replace("Print Room", "\\u202e").into_bytes(),
        body.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        body.bytes().chain([0]).collect(),
        vec![],
        vec![0xFF; 1000],
    ];
    for body in bodies {
        assert_eq!(reason(&seal(LICENCE_TYPE, &body, &[&vendor()]).to_json(), &keys), Reason::Malformed);
    }
}

#[test]
fn one_flipped_bit_anywhere_never_gives_other_content() {
    let (keys, _) = ring();
    let file = seal_licence(&small(), &vendor());
    let whole = verify(&file, &keys, &product()).unwrap();
    let mut harmless = 0;
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match verify(&flipped, &keys, &product()) {
            Ok(genuine) => {
                assert_eq!(genuine.licence(), whole.licence(), "bit {bit}");
                assert_eq!(genuine.digest(), whole.digest(), "bit {bit}");
                harmless += 1;
            }
            Err(refusal) => {
                let known = [Reason::Malformed, Reason::Signature, Reason::UnknownKey, Reason::Amount];
                assert!(known.contains(&refusal.reason), "bit {bit}: {refusal:?}");
                assert!(
                    refusal.detail.chars().count() <= 300
                        && !refusal.detail.chars().any(super::super::text::is_forbidden)
                );
            }
        }
    }
    // Only the name of "keyid" and its hint may change: 5 + 8 characters of 8 bits at most.
    assert!(harmless <= 13 * 8, "{harmless}");
}

#[test]
fn one_flipped_bit_in_payload_or_signature_is_a_wrong_signature() {
    let (keys, _) = ring();
    let good = seal(LICENCE_TYPE, small().to_string().as_bytes(), &[&vendor()]);
    for bit in 0..good.payload.len() * 8 {
        let mut envelope = good.clone();
        envelope.payload[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(reason(&envelope.to_json(), &keys), Reason::Signature, "payload bit {bit}");
    }
    for bit in 0..512 {
        let mut envelope = good.clone();
        envelope.signatures[0].sig[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(reason(&envelope.to_json(), &keys), Reason::Signature, "signature bit {bit}");
    }
}

#[test]
fn a_file_cut_at_any_length_is_malformed() {
    let (keys, _) = ring();
    let file = seal_licence(&payload(), &vendor());
    for end in 0..file.len() {
        assert_eq!(reason(&file[..end], &keys), Reason::Malformed, "{end}");
    }
}

#[test]
fn large_and_deep_files_are_refused_at_once() {
    let (keys, _) = ring();
    for (file, wanted) in [
        (vec![b' '; 2 << 20], Reason::TooLarge),
        (seal(LICENCE_TYPE, &vec![b' '; 1 << 20], &[&vendor()]).to_json(), Reason::TooLarge),
        (vec![b'['; 100_000], Reason::Malformed),
        ("{\"a\":".repeat(100_000).into_bytes(), Reason::Malformed),
        (vec![b'"'; 1 << 20], Reason::Malformed),
        (vec![0; 1 << 20], Reason::Malformed),
    ] {
        assert_eq!(reason(&file, &keys), wanted);
    }
}

#[test]
fn a_file_is_told_apart_by_its_own_word() {
    let (_, root) = ring();
    let list = key_list(2, 1, &[root.entry(KeyStatus::Active)], &[&root]);
    let chain = KeyChain { lists: vec![list.clone()] };
    for (file, wanted) in [
        (seal_licence(&payload(), &vendor()), Ok(FileKind::Licence)),
        (list.to_json(), Ok(FileKind::Keys)),
        (chain.to_json(), Ok(FileKind::Keys)),
        (seal(TIME_TYPE, b"{}", &[&vendor()]).to_json(), Ok(FileKind::Time)),
        (seal("x", b"{}", &[&vendor()]).to_json(), Err(Reason::Malformed)),
        (b"{}".to_vec(), Err(Reason::Malformed)),
        (vec![b' '; 2 << 20], Err(Reason::TooLarge)),
        (seal(LICENCE_TYPE, b"{}", &[]).to_json(), Err(Reason::Amount)),
    ] {
        assert_eq!(kind_of(&file).map_err(|refusal| refusal.reason), wanted);
    }
}
