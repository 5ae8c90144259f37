use super::super::{MAX_KEYS, Role};
use super::*;
use crate::licence::Reason;
use crate::licence::envelope;
use crate::licence::testkit::{TestKey, key, key_list, seal_licence};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

fn root(number: u32) -> TestKey {
    key(Role::Root, &format!("root-{number}"))
}

fn active(keys: &[&TestKey]) -> Vec<Value> {
    keys.iter().map(|key| key.entry(KeyStatus::Active)).collect()
}

#[test]
fn host_lines_are_read_as_documented() {
    let (one, two, three) = (root(1), key(Role::Licence, "vendor:2026.1_a-b"), key(Role::Statement, "s"));
    let url_safe = URL_SAFE.encode(STANDARD.decode(two.public()).unwrap());
    let text = format!(
        "\u{FEFF}# trusted keys\r\n\r\n{}\t{} \t {}  \r\nlicence {} {url_safe}\n  # indented\nthreshold 1\r\n{}",
        "root",
        one.id,
        one.public(),
        two.id,
        three.line().trim_end(),
    );
    let ring = Keyring::from_host(&text).unwrap();
    assert_eq!((ring.version(), ring.threshold()), (0, 1));
    let found: Vec<_> = ring.keys().iter().map(|key| (key.role, key.id.as_str(), key.status)).collect();
    let on = KeyStatus::Active;
    assert_eq!(
        found,
        [(Role::Root, "root-1", on), (Role::Licence, "vendor:2026.1_a-b", on), (Role::Statement, "s", on)]
    );
    assert_eq!(STANDARD.encode(ring.keys()[1].public_bytes()), two.public());
    let fingerprint = ring.keys()[1].fingerprint();
    assert_eq!(fingerprint, envelope::hex(&envelope::sha256(&ring.keys()[1].public_bytes()))[..16]);
    assert_eq!(ring.by_fingerprint(&fingerprint).unwrap().id, two.id);
    assert!(ring.by_fingerprint("0000000000000000").is_none());
}

#[test]
fn a_mistake_in_host_lines_is_named_with_its_line() {
    let good = root(1).line();
    let public = root(2).public();
    let encode = |bytes: &[u8]| STANDARD.encode(bytes);
    let list = encode(&key_list(1, 1, &active(&[&root(1)]), &[&root(1)]).to_json());
    let unsigned = encode(&key_list(1, 2, &active(&[&root(1), &root(2)]), &[&root(1)]).to_json());
    for (text, line, words) in [
        (String::new(), 0, "no key"),
        ("# only a comment\n\n".into(), 0, "no key"),
        (format!("{good}master m {public}"), 2, "no role"),
        (format!("{good}Root m {public}"), 2, "no role"),
        (format!("{good}\n\nroot a b c"), 4, "not \"role key-id base64\""),
        (format!("{good}root"), 2, "not \"role key-id base64\""),
        (format!("{good}root m {}", &public[..40]), 2, "32 bytes"),
        (format!("{good}root m {}", public.trim_end_matches('=')), 2, "base64"),
        (format!("{good}root m ?"), 2, "base64"),
        (format!("{good}root m/n {public}"), 2, "no key id"),
        (format!("{good}root {} {public}", "x".repeat(129)), 2, "no key id"),
        (format!("{good}root root-1 {public}"), 2, "given twice"),
        (format!("{good}licence other {}", root(1).public()), 2, "same key"),
        (format!("{good}threshold 0"), 2, "from 1 to 8"),
        (format!("{good}threshold 9"), 2, "from 1 to 8"),
        (format!("{good}threshold -1"), 2, "from 1 to 8"),
        (format!("{good}threshold many"), 2, "from 1 to 8"),
        (format!("{good}threshold 4294967297"), 2, "from 1 to 8"),
        (format!("{good}threshold 2"), 2, "there are 1 root keys"),
        (format!("threshold 1\n{}", key(Role::Licence, "l").line()), 1, "there are 0 root keys"),
        (format!("{good}threshold 1\nthreshold 1"), 3, "twice"),
        (format!("{good}list {list}"), 2, "only entry"),
        (format!("list {list}\nthreshold 1"), 1, "only entry"),
        (format!("list {list}\nlist {list}"), 2, "twice"),
        ("list ?".into(), 1, "base64"),
        (format!("list {}", encode(b"{}")), 1, "payloadType"),
        (format!("list {}", encode(&seal_licence(&json!({}), &root(1)))), 1, "is a licence, not a key list"),
        (format!("# x\nlist {unsigned}"), 2, "1 of the 2"),
        (" ".repeat(600 << 10), 0, "longer than"),
        (format!("list {}", encode(&vec![b' '; 300 << 10])), 1, "larger than 256 KiB"),
    ] {
        let problem = Keyring::from_host(&text).unwrap_err();
        assert_eq!(problem.line, line, "{text:.80} {problem}");
        assert!(problem.what.contains(words), "{text:.80} {problem}");
    }
    let many: String = (0..65).map(|number| root(number).line()).collect();
    assert_eq!(Keyring::from_host(&many).unwrap_err().line, 65);
    let most: String = (0..64).map(|number| root(number).line()).collect();
    assert_eq!(Keyring::from_host(&most).unwrap().keys().len(), MAX_KEYS);
}

/// All encodings of the eight points of small order, and encodings of no point at all.
fn weak_keys() -> Vec<[u8; 32]> {
    let end = |first: u8, middle: u8, last: u8| {
        let mut bytes = [middle; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    let mut keys = vec![
        end(1, 0, 0),          // the identity
        end(1, 0, 0x80),       // the identity with the other sign
        end(0xEE, 0xFF, 0x7F), // the identity written as p + 1
        end(0xEE, 0xFF, 0xFF),
        end(0xEC, 0xFF, 0x7F), // order 2
        end(0xEC, 0xFF, 0xFF),
        end(0, 0, 0), // order 4
        end(0, 0, 0x80),
        end(0xED, 0xFF, 0x7F), // the same written as p
        end(0xED, 0xFF, 0xFF),
        end(2, 0, 0), // no point
        [0xFF; 32],   // y = 18 written as p + 18, if it is a point
    ];
    for text in [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).unwrap();
        }
        keys.push(bytes);
    }
    // A second spelling of every y that has one.
    keys.extend((0..19).map(|small| end(0xED + small, 0xFF, 0x7F)));
    keys
}

#[test]
fn the_identity_and_other_weak_keys_are_never_trusted() {
    for bytes in weak_keys() {
        let public = STANDARD.encode(bytes);
        for role in ["root", "licence", "statement"] {
            let problem = Keyring::from_host(&format!("{role} weak {public}")).unwrap_err();
            assert!(problem.what.contains("weak") || problem.what.contains("no Ed25519 key"), "{problem}");
        }
        let entry = json!({"id": "weak", "role": "licence", "public": public, "status": "active"});
        let list = key_list(1, 1, &[root(1).entry(KeyStatus::Active), entry], &[&root(1)]);
        let ring = Keyring::from_host(&root(1).line()).unwrap();
        assert_eq!(ring.advance(&list).unwrap_err().reason, Reason::Malformed);
    }
}
