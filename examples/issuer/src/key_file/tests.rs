use super::*;

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
const PASSPHRASE: &str = "correct horse battery";

fn key() -> SigningKey {
    SigningKey::from_seed("licence-2026", Role::Licence, [7; 32])
}

fn file() -> Vec<u8> {
    KeyFile::seal(&key(), PASSPHRASE, CHEAP).unwrap().to_json()
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_only() {
    let file = KeyFile::parse(&file()).unwrap();
    let opened = file.open(PASSPHRASE).unwrap();
    assert_eq!(
        (opened.id(), opened.role(), opened.public_bytes()),
        ("licence-2026", Role::Licence, key().public_bytes())
    );
    assert_eq!(file.trusted_line(), key().trusted_line());
    for wrong in ["", "correct horse batterz", "correct horse battery "] {
        assert_eq!(file.open(wrong).err(), Some(KeyFileError::WrongPassphrase), "{wrong:?}");
    }
}

#[test]
fn the_secret_stands_nowhere_in_the_file() {
    let text = String::from_utf8(file()).unwrap();
    assert!(!text.contains(&STANDARD.encode([7; 32])) && !text.contains(&hex(&[7; 32])));
    assert_ne!(file(), file(), "salt and nonce are new for every sealing");
}

#[test]
fn every_changed_byte_and_every_cut_is_seen() {
    let good = file();
    // The final line end carries nothing.
    let end = good.len() - 1;
    for at in 0..end {
        for flip in [0x01, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            // White space between members may become other white space; then the file says the same.
            match KeyFile::parse(&bytes) {
                Err(_) => {}
                Ok(read) => assert_eq!(read.to_json(), good, "byte {at} ^ {flip:#x}"),
            }
        }
        assert!(KeyFile::parse(&good[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn what_stands_in_the_clear_is_bound_to_the_secret() {
    let file = KeyFile::parse(&file()).unwrap();
    type Change = fn(&mut KeyFile);
    let changes: [(&str, Change); 4] = [
        ("role", |f| f.role = Role::Root),
        ("id", |f| f.id = "licence-2027".to_owned()),
        ("public", |f| f.public = [9; 32]),
        ("cost", |f| f.cost.passes = 2),
    ];
    for (what, change) in changes {
        let mut changed = file.clone();
        change(&mut changed);
        // Whoever changes the file also sets the checksum right.
        let reread = KeyFile::parse(&changed.to_json()).unwrap();
        assert_eq!(reread.open(PASSPHRASE).err(), Some(KeyFileError::WrongPassphrase), "{what}");
    }
}

#[test]
fn bad_files_are_told_apart() {
    let good = String::from_utf8(file()).unwrap();
    let cases: [(&str, String, KeyFileError); 5] = [
        ("empty", String::new(), KeyFileError::NotAKeyFile("it does not begin like one".into())),
        ("other", r#"{"format":1,"kind":"x"}"#.into(), KeyFileError::NotAKeyFile("it is another kind of file".into())),
        ("newer", good.replace("\"format\": 1", "\"format\": 2"), KeyFileError::NewerFormat(2)),
        ("large", good.clone() + &" ".repeat(MAX_BYTES), KeyFileError::NotAKeyFile("it is too large".into())),
        ("role", good.replace("\"licence\"", "\"root\""), KeyFileError::Damaged),
    ];
    for (name, text, expected) in cases {
        assert_eq!(KeyFile::parse(text.as_bytes()).err(), Some(expected), "{name}");
    }
}

#[test]
fn an_unbearable_cost_is_refused_before_it_is_paid() {
    for cost in [
        Cost { memory_kib: 2 << 20, ..CHEAP },
        Cost { passes: 65, ..CHEAP },
        Cost { lanes: 65, ..CHEAP },
        Cost { passes: 0, ..CHEAP },
    ] {
        assert_eq!(KeyFile::seal(&key(), PASSPHRASE, cost).err(), Some(KeyFileError::Cost), "{cost:?}");
    }
    let mut costly = KeyFile::parse(&file()).unwrap();
    costly.cost.memory_kib = u32::MAX;
    assert_eq!(KeyFile::parse(&costly.to_json()).err(), Some(KeyFileError::Cost));
}

#[test]
fn short_passphrases_and_bad_ids_make_no_file() {
    assert_eq!(KeyFile::seal(&key(), "elevenchars", CHEAP).err(), Some(KeyFileError::PassphraseTooShort));
    assert!(KeyFile::seal(&key(), "zwölfzeichen", CHEAP).is_ok(), "characters are counted, not bytes");
    for id in ["", "two words", "line\nend", "ümlaut", &"x".repeat(129)] {
        let key = SigningKey::from_seed(id, Role::Licence, [7; 32]);
        assert_eq!(KeyFile::seal(&key, PASSPHRASE, CHEAP).err(), Some(KeyFileError::Id), "{id:?}");
    }
}
