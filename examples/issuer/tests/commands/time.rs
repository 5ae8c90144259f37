use crate::desk::Desk;
use ors::licence::{Keyring, Product, Serial, verify_time};

const NEW: &str = "time new --key s.key --product p --serial 42 --challenge 5f2c-91aa --time 2026-11-23T10:00:00Z";

#[test]
fn a_time_file_answers_one_challenge_of_one_installation() {
    let desk = Desk::new();
    desk.key("statement", "s");
    desk.with_pass(NEW).ok();
    let ring = Keyring::from_host(&desk.run(&["key", "show", "s.key"]).ok()).unwrap();
    let (product, serial) = (Product::parse("p").unwrap(), Serial::parse("42").unwrap());
    let file = desk.bytes("p-42.time.json");
    assert_eq!(verify_time(&file, &ring, &product, &serial, "5f2c-91aa").unwrap().to_string(), "2026-11-23T10:00:00Z");
    assert!(verify_time(&file, &ring, &product, &serial, "another").is_err());
    let page = desk.run(&["show", "p-42.time.json", "--keys", "s.key"]).ok();
    for words in ["A time file", "yes: signed by an active statement key", "5f2c-91aa", "2026-11-23T10:00:00Z"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(desk.with_pass(NEW).code, 3, "it exists");
}

#[test]
fn a_time_file_that_no_product_would_take_is_not_made() {
    let desk = Desk::new();
    for role in ["licence", "statement"] {
        desk.key(role, role);
    }
    for (key, change, code) in [
        ("licence", "--challenge c", 1),
        ("statement", "--challenge ", 1),
        ("statement", "--challenge c --serial a/b", 2),
        ("statement", "--challenge c --time 2026-11-23", 2),
    ] {
        let words = format!("time new --key {key}.key --product p --serial 42 {change}");
        let ended = desk.with_pass(&words);
        assert_eq!(ended.code, code, "{words}: {ended:?}");
    }
    assert!(!desk.path("p-42.time.json").exists());
}
