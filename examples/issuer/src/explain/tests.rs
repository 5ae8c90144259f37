use super::*;
use crate::{SigningKey, sign};
use ors::licence::{LICENCE_TYPE, Role};

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

#[test]
fn distances_are_told_as_people_say_them() {
    for (to, expected) in [
        ("2026-11-23", "today"),
        ("2026-11-24", "tomorrow"),
        ("2026-11-22", "yesterday"),
        ("2026-12-23", "in 30 days"),
        ("2026-10-24", "30 days ago"),
    ] {
        assert_eq!(distance(day("2026-11-23"), day(to)), expected, "{to}");
    }
}

#[test]
fn a_signed_payload_that_is_no_licence_is_good_in_signature_only() {
    let key = SigningKey::from_seed("a", Role::Licence, [1; 32]);
    let ring = Keyring::from_host(&key.trusted_line()).unwrap();
    let file = sign(LICENCE_TYPE, br#"{"format":9,"serial":"42","sequence":7}"#, &[&key]);
    let said = explain(&file, Against { keys: Some(&ring), product: None, now: Instant::from_unix(0) });
    assert!(!said.good);
    for words in ["yes: signed by \"a\"", "Serial       42", "Sequence     7", "WRONG: "] {
        assert!(said.text.contains(words), "{words}: {}", said.text);
    }
}
