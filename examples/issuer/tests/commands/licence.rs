use crate::desk::Desk;
use ors::licence::{Keyring, Licence, Product, verify};

fn genuine(desk: &Desk, file: &str) -> Licence {
    let ring = Keyring::from_host(&desk.run(&["key", "show", "a.key"]).ok()).unwrap();
    verify(&desk.bytes(file), &ring, &Product::parse("p").unwrap()).unwrap().licence().clone()
}

#[test]
fn a_licence_from_the_command_line_is_genuine_and_says_what_was_asked() {
    let desk = Desk::new();
    desk.key("licence", "a");
    desk.put("flex.lic", "SERVER this_host ANY\n");
    desk.run(&[
        "licence",
        "new",
        "--key",
        "a.key",
        "--passphrase-file",
        "pass",
        "--product",
        "p",
        "--serial",
        "S-1",
        "--customer",
        "Print <Room> & Söhne",
        "--sequence",
        "7",
        "--users",
        "5",
        "--expires-on",
        "never",
        "--maintenance-until",
        "none",
        "--feature",
        "pdf=PDF Toolbox",
        "--feature",
        "trial=Imposition:2027-01-31",
        "--fls",
        "flex.lic",
        "--issued-at",
        "2026-11-23T10:00:00Z",
    ])
    .ok();
    let licence = genuine(&desk, "p-S-1.ors.json");
    assert_eq!(licence.customer, "Print <Room> & Söhne");
    assert_eq!(
        (licence.sequence.get(), licence.users, licence.expires_on, licence.maintenance_until),
        (7, 5, None, None)
    );
    assert_eq!(licence.features[1].expires_on.unwrap().to_string(), "2027-01-31");
    assert_eq!((licence.fls[0].name.as_str(), licence.fls[0].text.as_str()), ("flex.lic", "SERVER this_host ANY\n"));
    assert_eq!(licence.issued_at.to_string(), "2026-11-23T10:00:00Z");
}

const PAYLOAD: &str = r#"{ "format": 1, "product": "p", "serial": "42", "customer": "Shop", "sequence": 3,
  "issued_at": "2026-11-23T10:00:00Z", "expires_on": null, "maintenance_until": "2027-05-31", "users": 5,
  "features": [], "note": "for a later version" }"#;

#[test]
fn a_payload_file_is_signed_byte_for_byte() {
    let desk = Desk::new();
    desk.key("licence", "a");
    desk.put("payload.json", PAYLOAD);
    std::fs::create_dir(desk.path("licences")).unwrap();
    desk.with_pass("licence new --key a.key --payload payload.json --out licences").ok();
    let file = desk.bytes("licences/p-42.ors.json");
    assert_eq!(ors::licence::Envelope::parse(&file).unwrap().payload, PAYLOAD.as_bytes());
}

#[test]
fn payloads_that_no_product_would_take_are_refused_before_signing() {
    let desk = Desk::new();
    desk.key("licence", "a");
    let cases = [
        ("users", PAYLOAD.replace("\"users\": 5", "\"users\": 1000001"), "users"),
        ("date", PAYLOAD.replace("2027-05-31", "20270531"), "maintenance_until"),
        ("missing", PAYLOAD.replace("\"customer\": \"Shop\", ", ""), "customer"),
        ("format", PAYLOAD.replace("\"format\": 1", "\"format\": 2"), "format"),
        ("twice", PAYLOAD.replace("\"users\": 5", "\"users\": 5, \"users\": 6"), "users"),
        ("bidi", PAYLOAD.replace("Shop", "Sh\u{202e}op"), "customer"),
        ("not json", "{".to_owned(), ""),
    ];
    for (name, payload, words) in cases {
        desk.put("payload.json", &payload);
        let said = desk.with_pass("licence new --key a.key --payload payload.json").failed(1);
        assert!(said.contains(words), "{name}: {said}");
    }
    let flags = "--product p --serial 42 --customer Shop --users 5 --expires-on never --maintenance-until none";
    for (change, code) in [
        ("--product p --product q", 2),
        ("--serial a/b", 1),
        ("--sequence 0", 1),
        ("--sequence 9007199254740992", 1),
        ("--users -1", 2),
        ("--expires-on 2027-02-29", 2),
        ("--expires-on 20270228", 2),
        ("--feature pdf=A --feature pdf=B", 1),
        ("--feature PDF=A", 1),
        ("--fls pass.ors.json", 3),
        ("--payload payload.json", 2),
    ] {
        let name = change.split(' ').next().unwrap();
        let mut words: Vec<&str> = vec!["licence", "new", "--key", "a.key", "--passphrase-file", "pass"];
        let mut given = flags.split(' ').peekable();
        while let (Some(flag), Some(value)) = (given.next(), given.next()) {
            if flag != name {
                words.extend([flag, value]);
            }
        }
        words.extend(change.split(' '));
        let ended = desk.run(&words);
        assert_eq!(ended.code, code, "{change}: {ended:?}");
    }
    assert_eq!(desk.names(), ["a.key", "pass", "payload.json"], "nothing was written");
}

#[test]
fn only_a_licence_key_signs_licences() {
    let desk = Desk::new();
    desk.put("payload.json", PAYLOAD);
    for role in ["root", "statement"] {
        desk.key(role, role);
        let said = desk.with_pass(&format!("licence new --key {role}.key --payload payload.json")).failed(1);
        assert!(said.contains("licences need a licence key"), "{said}");
    }
}

#[test]
fn an_existing_licence_is_left_alone_without_force() {
    let desk = Desk::new();
    desk.licence();
    let before = desk.bytes("p-42.ors.json");
    desk.put("payload.json", PAYLOAD);
    assert_eq!(desk.with_pass("licence new --key a.key --payload payload.json").code, 3);
    assert_eq!(desk.with_pass("licence next p-42.ors.json --key a.key").code, 3);
    assert_eq!(desk.bytes("p-42.ors.json"), before);
    desk.with_pass("licence next p-42.ors.json --key a.key --force").ok();
    assert_eq!(genuine(&desk, "p-42.ors.json").sequence.get(), 2);
}

#[test]
fn the_next_licence_changes_what_was_asked_and_nothing_else() {
    let desk = Desk::new();
    desk.licence();
    desk.put("flex.lic", "one");
    let ended = desk.with_pass(
        "licence next p-42.ors.json --key a.key --out 2.ors.json --maintenance-until 2028-05-31 --users 10 \
         --add-feature ocr=OCR:2028-01-01 --remove-feature pdf --fls flex.lic",
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    for words in [
        "Sequence 2 follows 1",
        "Features added: OCR",
        "Features removed: Toolbox",
        "Users: 5 -> 10",
        "2027-05-31 -> 2028-05-31",
    ] {
        assert!(ended.err.contains(words), "{words}: {}", ended.err);
    }
    let (old, new) = (genuine(&desk, "p-42.ors.json"), genuine(&desk, "2.ors.json"));
    assert_eq!((new.sequence.get(), new.users, new.expires_on), (2, 10, old.expires_on));
    assert_eq!((new.features.len(), new.features[0].id.as_str(), new.customer), (1, "ocr", old.customer));
    assert!(new.issued_at > old.issued_at);
    desk.put("flex.lic", "two");
    desk.with_pass("licence next 2.ors.json --key a.key --out 3.ors.json --fls flex.lic --add-feature ocr=Reader --expires-on never").ok();
    let third = genuine(&desk, "3.ors.json");
    assert_eq!((third.fls.len(), third.fls[0].text.as_str(), third.features[0].name.as_str()), (1, "two", "Reader"));
    desk.with_pass("licence next 3.ors.json --key a.key --out 4.ors.json --remove-fls FLEX.lic --sequence 10").ok();
    let fourth = genuine(&desk, "4.ors.json");
    assert_eq!((fourth.fls.len(), fourth.sequence.get(), fourth.expires_on), (0, 10, None));
}

#[test]
fn a_renewal_never_turns_a_forged_licence_into_a_real_one() {
    let desk = Desk::new();
    desk.licence();
    desk.key("licence", "b");
    let said = desk.with_pass("licence next p-42.ors.json --key b.key --out x.ors.json").failed(1);
    assert!(said.contains("--keys"), "{said}");
    // With the key that signed it named, another key may go on.
    desk.with_pass("licence next p-42.ors.json --key b.key --out b.ors.json --keys a.key").ok();
    let text = String::from_utf8(desk.bytes("p-42.ors.json")).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let payload = value["payload"].as_str().unwrap().to_owned();
    value["payload"] = payload.replacen('e', "f", 1).into();
    desk.put("forged.ors.json", &value.to_string());
    assert_eq!(desk.with_pass("licence next forged.ors.json --key a.key --out x.ors.json").code, 1);
    assert!(!desk.path("x.ors.json").exists());
}

#[test]
fn a_next_licence_that_does_not_follow_is_refused() {
    let desk = Desk::new();
    desk.licence();
    for (change, words) in [
        ("--sequence 1", "does not follow"),
        ("--remove-feature none", "no feature \"none\""),
        ("--remove-fls none", "no file \"none\""),
        ("--users 1000001", "users"),
    ] {
        let said =
            desk.with_pass(&format!("licence next p-42.ors.json --key a.key --out x.ors.json {change}")).failed(1);
        assert!(said.contains(words), "{change}: {said}");
    }
}

#[test]
fn members_of_a_later_version_are_named_when_they_are_left_out() {
    let desk = Desk::new();
    desk.key("licence", "a");
    desk.put("payload.json", PAYLOAD);
    desk.with_pass("licence new --key a.key --payload payload.json").ok();
    let ended = desk.with_pass("licence next p-42.ors.json --key a.key --force");
    assert!(ended.code == 0 && ended.err.contains("\"note\""), "{ended:?}");
}

#[test]
fn a_wrong_passphrase_writes_nothing() {
    let desk = Desk::new();
    desk.key("licence", "a");
    desk.put("payload.json", PAYLOAD);
    desk.put("wrong", "not the right passphrase");
    let ended =
        desk.run(&["licence", "new", "--key", "a.key", "--payload", "payload.json", "--passphrase-file", "wrong"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(desk.names(), ["a.key", "pass", "payload.json", "wrong"]);
}
