use super::*;
use crate::licence::Role;
use crate::licence::testkit::{key, seal};
use serde_json::json;

fn sample() -> Value {
    json!({"payloadType": "t", "payload": "eyJhIjoxfQ==", "signatures": [{"keyid": "k", "sig": "AAEC"}]})
}

fn parse(value: &Value) -> Result<Envelope, Refusal> {
    Envelope::parse(value.to_string().as_bytes())
}

#[test]
fn a_signature_is_made_over_the_encoding_of_the_dsse_specification() {
    let pae = Envelope::pae("http://example.com/HelloWorld", b"hello world");
    assert_eq!(pae, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(Envelope::pae("é", b""), "DSSEv1 2 é 0 ".as_bytes(), "lengths are in bytes");
}

#[test]
fn an_envelope_survives_writing_and_reading() {
    let sealed = seal(LICENCE_TYPE, &[0xFB, 0xFF, 0, 1], &[&key(Role::Licence, "a"), &key(Role::Licence, "b")]);
    assert_eq!(Envelope::parse(&sealed.to_json()).unwrap(), sealed);
    let mut anonymous = sealed.clone();
    anonymous.signatures[0].keyid = None;
    assert_eq!(Envelope::parse(&anonymous.to_json()).unwrap(), anonymous);
    assert_eq!(anonymous.digest(), sealed.digest());
    assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn unknown_members_are_ignored_and_keyid_may_be_absent() {
    let mut value = sample();
    value["x"] = json!({"payload": 1});
    value["signatures"][0]["y"] = json!([]);
    assert!(parse(&value).is_ok());
    for keyid in [json!(null), json!("")] {
        value["signatures"][0]["keyid"] = keyid;
        assert!(parse(&value).is_ok());
    }
    value["signatures"][0].as_object_mut().unwrap().remove("keyid");
    assert_eq!(parse(&value).unwrap().signatures[0].keyid, None);
}

#[test]
fn both_alphabets_are_read_and_only_canonical_padding() {
    for (text, bytes) in
        [("+/8=", Some(&[0xFB, 0xFF][..])), ("-_8=", Some(&[0xFB, 0xFF])), ("", Some(&[])), ("AA==", Some(&[0]))]
    {
        assert_eq!(decode_base64(text).as_deref(), bytes, "{text}");
    }
    for text in [
        "+_8=", "-/8=", "+/8", "+/9=", "AA", "AA=", "AA===", "AB==", "A", "=", "AA==\n", " AA==", "AA==AA==", "A A=",
        "AÄ==", "AAA==",
    ] {
        assert_eq!(decode_base64(text), None, "{text}");
    }
}

#[test]
fn each_member_must_be_there_and_of_its_type() {
    for name in ["payloadType", "payload", "signatures"] {
        let mut value = sample();
        value.as_object_mut().unwrap().remove(name);
        let refusal = parse(&value).unwrap_err();
        assert_eq!(refusal.reason, Reason::Malformed, "{name}");
        assert!(refusal.detail.contains(name), "{}", refusal.detail);
        for wrong in [json!(null), json!(1), json!({}), json!(true)] {
            let mut value = sample();
            value[name] = wrong;
            assert_eq!(parse(&value).unwrap_err().reason, Reason::Malformed, "{value}");
        }
    }
    for wrong in [
        json!({"keyid": "k"}),
        json!({"keyid": 1, "sig": ""}),
        json!({"keyid": "k", "sig": null}),
        json!({"keyid": "k", "sig": "AA"}),
        json!(["k", "AAEC"]),
        json!("AAEC"),
        json!(null),
    ] {
        let mut value = sample();
        value["signatures"] = json!([wrong]);
        assert_eq!(parse(&value).unwrap_err().reason, Reason::Malformed, "{value}");
    }
    for whole in [json!(["t", "eyJhIjoxfQ==", [["k", "AAEC"]]]), json!(null), json!("x"), json!([]), json!({})] {
        assert_eq!(parse(&whole).unwrap_err().reason, Reason::Malformed, "{whole}");
    }
}

#[test]
fn one_to_eight_signatures_are_read() {
    for (count, wanted) in
        [(0, Some(Reason::Amount)), (1, None), (8, None), (9, Some(Reason::Amount)), (10_000, Some(Reason::Amount))]
    {
        let mut value = sample();
        value["signatures"] = json!(vec![json!({"sig": "AAEC"}); count]);
        assert_eq!(parse(&value).err().map(|refusal| refusal.reason), wanted, "{count}");
    }
}

#[test]
fn size_is_limited_before_anything_is_parsed() {
    let text = sample().to_string();
    for (size, wanted) in
        [(MAX_LICENCE_BYTES, None), (MAX_LICENCE_BYTES + 1, Some(Reason::TooLarge)), (2 << 20, Some(Reason::TooLarge))]
    {
        let padded = format!("{text}{}", " ".repeat(size - text.len()));
        assert_eq!(Envelope::parse(padded.as_bytes()).err().map(|refusal| refusal.reason), wanted, "{size}");
    }
    assert_eq!(Envelope::parse(&vec![b'['; 2 << 20]).unwrap_err().reason, Reason::TooLarge);
}

#[test]
fn hostile_bytes_are_refused_in_words() {
    let text = sample().to_string();
    let nested = format!("{{\"x\":{}", "[".repeat(100_000));
    let escaped = text.replacen("\"payload\"", "\"p\\u0061yload\":\"\",\"payload\"", 1);
    let inner = text.replacen("\"sig\"", "\"sig\":\"\",\"s\\u0069g\"", 1);
    for (bytes, words) in [
        (nested.as_bytes(), "nested"),
        (escaped.as_bytes(), "twice"),
        (inner.as_bytes(), "twice"),
        (b"\xFF\xFE{\0}\0", "UTF-8"),
        (b"\xEF\xBB\xBF{}", "JSON"),
        (b"", "JSON"),
        (b"\0\0\0\0", "JSON"),
        (b"PK\x03\x04", "JSON"),
    ] {
        let refusal = Envelope::parse(bytes).unwrap_err();
        assert_eq!(refusal.reason, Reason::Malformed);
        assert!(refusal.detail.contains(words), "{}", refusal.detail);
    }
    for end in 0..text.len() {
        assert_eq!(Envelope::parse(&text.as_bytes()[..end]).unwrap_err().reason, Reason::Malformed, "{end}");
    }
}

#[test]
fn another_type_is_refused_by_its_name() {
    let sealed = |payload_type: &str| seal(payload_type, b"{}", &[&key(Role::Root, "r")]);
    assert_eq!(sealed(LICENCE_TYPE).expect_type(LICENCE_TYPE), Ok(()));
    for (found, wanted, words) in [
        (KEYS_TYPE, LICENCE_TYPE, "is a key list, not a licence"),
        (LICENCE_TYPE, TIME_TYPE, "is a licence, not a time file"),
        ("application/vnd.in-toto+json", KEYS_TYPE, "of type \"application/vnd.in-toto+json\", not a key list"),
        ("\u{202E}\n", LICENCE_TYPE, "of type \"\u{FFFD}\u{FFFD}\""),
    ] {
        let refusal = sealed(found).expect_type(wanted).unwrap_err();
        assert_eq!(refusal.reason, Reason::Malformed);
        assert!(refusal.detail.contains(words), "{}", refusal.detail);
    }
}
