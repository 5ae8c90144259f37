use super::*;
use crate::licence::testkit::{payload, with, without};
use serde_json::json;

fn parse(value: &Value) -> Result<Licence, Refusal> {
    Licence::parse(value.to_string().as_bytes())
}

fn reason(value: &Value) -> Reason {
    match parse(value) {
        Ok(_) => Reason::None,
        Err(refusal) => refusal.reason,
    }
}

#[test]
fn a_licence_is_read_and_written_whole() {
    let licence = parse(&payload()).unwrap();
    assert_eq!(licence.product.as_str(), "prismaprepare");
    assert_eq!(licence.serial.as_str(), "1234567890");
    assert_eq!((licence.customer.as_str(), licence.sequence.get(), licence.users), ("Print Room", 7, 5));
    assert_eq!(licence.issued_at.to_string(), "2026-11-23T10:00:00Z");
    assert_eq!(licence.expires_on.unwrap().number(), 20_271_123);
    assert_eq!(licence.maintenance_until.unwrap().number(), 20_270_531);
    assert_eq!(licence.features, [Feature { id: "pdf-toolbox".into(), name: "PDF Toolbox".into(), expires_on: None }]);
    assert_eq!(licence.fls, [FlsFile { name: "prismaprepare.lic".into(), text: "FEATURE x\r\n".into() }]);
    assert_eq!(licence.file_name(), "prismaprepare-1234567890.ors.json");
    assert_eq!(Licence::parse(&licence.to_json()).unwrap(), licence);
    assert_eq!(serde_json::from_slice::<Value>(&licence.to_json()).unwrap(), payload());
    let bare = Licence { fls: vec![], features: vec![], expires_on: None, maintenance_until: None, ..licence };
    assert_eq!(Licence::parse(&bare.to_json()).unwrap(), bare);
    assert!(String::from_utf8(bare.to_json()).unwrap().contains("\"expires_on\":null"));
}

#[test]
fn each_missing_field_is_refused_by_name_and_fls_is_optional() {
    for name in [
        "format",
        "product",
        "serial",
        "customer",
        "sequence",
        "issued_at",
        "expires_on",
        "maintenance_until",
        "users",
        "features",
    ] {
        let refusal = parse(&without(&format!("/{name}"))).unwrap_err();
        assert_eq!(refusal.reason, Reason::Malformed, "{name}");
        assert!(refusal.detail.contains(&format!("\"{name}\"")), "{}", refusal.detail);
        assert_eq!(refusal.serial.as_deref(), (name != "serial").then_some("1234567890"), "{name}");
        assert_eq!(refusal.sequence, (name != "sequence").then_some(7), "{name}");
    }
    for pointer in ["/features/0/id", "/features/0/name", "/features/0/expires_on", "/fls/0/name", "/fls/0/text"] {
        assert_eq!(reason(&without(pointer)), Reason::Malformed, "{pointer}");
    }
    assert_eq!(parse(&without("/fls")).unwrap().fls, []);
    assert_eq!(parse(&with("/fls", json!([]))).unwrap().fls, []);
}

#[test]
fn unknown_fields_are_ignored() {
    for pointer in ["/x", "/features/0/x", "/fls/0/x"] {
        for value in [json!(null), json!({"format": 2}), json!([[[]]])] {
            assert_eq!(reason(&with(pointer, value)), Reason::None, "{pointer}");
        }
    }
}

#[test]
fn each_field_of_another_type_is_refused() {
    let fields = [
        "/product",
        "/serial",
        "/customer",
        "/sequence",
        "/issued_at",
        "/expires_on",
        "/maintenance_until",
        "/users",
        "/features",
        "/fls",
        "/features/0",
        "/features/0/id",
        "/features/0/name",
        "/features/0/expires_on",
        "/fls/0",
        "/fls/0/name",
        "/fls/0/text",
    ];
    for pointer in fields {
        for wrong in [json!(null), json!(true), json!(-1), json!(1.5), json!({}), json!([1]), json!([]), json!("\u{7}")]
        {
            let allowed = wrong.is_null()
                && (pointer.ends_with("expires_on") || pointer.ends_with("maintenance_until"))
                || wrong == json!([]) && (pointer == "/features" || pointer == "/fls")
                || wrong == json!("\u{7}") && pointer == "/fls/0/text";
            let wanted = if allowed { Reason::None } else { Reason::Malformed };
            assert_eq!(reason(&with(pointer, wrong.clone())), wanted, "{pointer} {wrong}");
        }
    }
    for whole in [json!([]), json!(null), json!(1), json!("x"), json!([payload()])] {
        assert_eq!(reason(&whole), Reason::Malformed, "{whole}");
    }
}

#[test]
fn an_unknown_format_is_refused_before_its_fields_are_judged() {
    for (format, wanted) in [
        (json!(1), Reason::None),
        (json!(0), Reason::Format),
        (json!(2), Reason::Format),
        (json!(-1), Reason::Format),
        (json!(1.5), Reason::Format),
        (json!(1.0), Reason::Format),
        (json!(u64::MAX), Reason::Format),
        (json!("1"), Reason::Malformed),
        (json!(null), Reason::Malformed),
    ] {
        assert_eq!(reason(&with("/format", format.clone())), wanted, "{format}");
    }
    let refusal = parse(&json!({"format": 2, "serial": "S1", "sequence": 9, "users": "many"})).unwrap_err();
    assert_eq!((refusal.reason, refusal.serial.as_deref(), refusal.sequence), (Reason::Format, Some("S1"), Some(9)));
}

#[test]
fn numbers_have_their_ranges() {
    for (pointer, value, good) in [
        ("/sequence", json!(1), true),
        ("/sequence", json!(MAX_SEQUENCE), true),
        ("/sequence", json!(0), false),
        ("/sequence", json!(MAX_SEQUENCE + 1), false),
        ("/sequence", json!(u64::MAX), false),
        ("/sequence", json!(-7), false),
        ("/sequence", json!(7.0), false),
        ("/sequence", json!("7"), false),
        ("/users", json!(0), true),
        ("/users", json!(1_000_000), true),
        ("/users", json!(1_000_001), false),
        ("/users", json!(1u64 << 32), false),
        ("/users", json!(5.0), false),
    ] {
        assert_eq!(reason(&with(pointer, value.clone())) == Reason::None, good, "{pointer} {value}");
    }
    for raw in ["1e0", "7E0", "18446744073709551616", "1e999", "-0", "07", "+7", "0x7", "NaN"] {
        let text = payload().to_string().replacen("\"sequence\":7", &format!("\"sequence\":{raw}"), 1);
        assert_eq!(Licence::parse(text.as_bytes()).unwrap_err().reason, Reason::Malformed, "{raw}");
    }
}

#[test]
fn names_have_their_alphabets() {
    let long = "x".repeat(64);
    let too_long = "x".repeat(65);
    let odd = ["", " ", "a b", "a/b", "a\\b", "a:b", "ä", "a\0", "a\n", "a\u{202E}", "%2e", &too_long];
    for pointer in ["/product", "/serial", "/features/0/id", "/fls/0/name"] {
        for text in odd {
            assert_eq!(reason(&with(pointer, json!(text))), Reason::Malformed, "{pointer} {text:?}");
        }
        for text in [&long, "a.b_c-1", "0"] {
            assert_eq!(reason(&with(pointer, json!(text))), Reason::None, "{pointer} {text:?}");
        }
        let upper_is_good = matches!(pointer, "/serial" | "/fls/0/name");
        assert_eq!(reason(&with(pointer, json!("Ab"))) == Reason::None, upper_is_good, "{pointer}");
    }
}

#[test]
fn texts_are_200_plain_characters_and_not_html_encoded() {
    for pointer in ["/customer", "/features/0/name"] {
        for text in ["", "<img src=x onerror=alert(1)>", "Ağır Şirket & Söhne", "印刷所", "مطبعة", "👩\u{200D}🔧"]
        {
            assert_eq!(reason(&with(pointer, json!(text))), Reason::None, "{pointer} {text:?}");
        }
        assert_eq!(reason(&with(pointer, json!("é".repeat(200)))), Reason::None);
        assert_eq!(reason(&with(pointer, json!("é".repeat(201)))), Reason::Malformed);
        for c in "\0\u{1}\t\n\r\u{1B}\u{7F}\u{85}\u{9F}\u{61C}\u{200E}\u{200F}\u{2028}\u{2029}\u{202A}\u{202E}\u{2066}\u{2069}\u{FEFF}".chars() {
            let refusal = parse(&with(pointer, json!(format!("a{c}b")))).unwrap_err();
            assert_eq!(refusal.reason, Reason::Malformed, "{pointer} {c:?}");
            assert!(!refusal.detail.chars().any(text::is_forbidden));
        }
    }
}

#[test]
fn dates_in_shapes_that_the_calendar_library_takes_are_refused() {
    let days = [
        "20261201",
        "+002026-12-01",
        "2026-12-01 ",
        "2026-335",
        "2026-W49-2",
        "0000-01-01",
        "1969-12-31",
        "9999-12-31",
        "2026-02-29",
        "",
    ];
    for pointer in ["/expires_on", "/maintenance_until", "/features/0/expires_on"] {
        for text in days {
            assert_eq!(reason(&with(pointer, json!(text))), Reason::Malformed, "{pointer} {text}");
        }
        for text in ["1970-01-01", "9998-12-31"] {
            assert_eq!(reason(&with(pointer, json!(text))), Reason::None, "{pointer} {text}");
        }
    }
    for text in [
        "2026-11-23T10:00:60Z",
        "2026-11-23T10:00:00+00:00",
        "2026-11-23",
        "20261123T100000Z",
        "9999-01-01T00:00:00Z",
        "2026-11-23 10:00:00Z",
    ] {
        assert_eq!(reason(&with("/issued_at", json!(text))), Reason::Malformed, "{text}");
    }
}

#[test]
fn features_are_at_most_a_thousand_with_ids_of_their_own() {
    let feature = |index: usize| json!({"id": format!("f{index}"), "name": "F", "expires_on": null});
    for (count, wanted) in [(0, Reason::None), (1_000, Reason::None), (1_001, Reason::Amount)] {
        let features: Vec<Value> = (0..count).map(feature).collect();
        assert_eq!(reason(&with("/features", json!(features))), wanted, "{count}");
    }
    assert_eq!(reason(&with("/features", json!([feature(1), feature(2), feature(1)]))), Reason::Malformed);
}

#[test]
fn files_for_the_floating_server_are_four_small_plain_files_that_are_none_of_ours() {
    let file = |name: &str, size: usize| json!({"name": name, "text": "x".repeat(size)});
    for name in [
        "a.lic",
        "LICENSE",
        "com10.lic",
        "console.lic",
        "lpt",
        "com",
        "a..b",
        "-a",
        "_",
        "x.ors.json.lic",
        "0",
        "nulls.txt",
        "ors.json",
    ] {
        assert_eq!(reason(&with("/fls", json!([file(name, 1)]))), Reason::None, "{name}");
    }
    for name in [
        ".a",
        "a.",
        ".",
        "..",
        "...",
        "CON",
        "con.lic",
        "PRN.txt",
        "aux",
        "NUL",
        "nul.tar.gz",
        "COM1",
        "com9.lic",
        "lpt1",
        "LPT0.x",
        "x.ors.json",
        "X.ORS.JSON",
        "prismaprepare-1234567890.Ors.Json",
        "ors-keys.json",
        "ORS-Keys.JSON",
        "a/b",
        "a\\b",
        "C:",
        ".ors-1-2-3.tmp",
        "a b",
        "ä",
    ] {
        assert_eq!(reason(&with("/fls", json!([file(name, 1)]))), Reason::Malformed, "{name}");
    }
    assert_eq!(reason(&with("/fls", json!([file("a.lic", MAX_FLS_BYTES)]))), Reason::None);
    assert_eq!(reason(&with("/fls", json!([file("a.lic", MAX_FLS_BYTES + 1)]))), Reason::TooLarge);
    assert_eq!(reason(&with("/fls", json!([file("a.lic", 1), file("A.LIC", 1)]))), Reason::Malformed);
    let many = |count: usize| with("/fls", json!((0..count).map(|i| file(&format!("f{i}"), 1)).collect::<Vec<_>>()));
    assert_eq!(reason(&many(4)), Reason::None);
    assert_eq!(reason(&many(5)), Reason::Amount);
}

#[test]
fn newtypes_refuse_in_json_what_they_refuse_in_rust() {
    assert_eq!(serde_json::from_str::<Product>("\"p\"").unwrap().to_string(), "p");
    assert!(serde_json::from_str::<Product>("\"P\"").is_err());
    assert_eq!(serde_json::to_string(&Serial::parse("A-1").unwrap()).unwrap(), "\"A-1\"");
    assert!(serde_json::from_str::<Serial>("\"a/b\"").is_err());
    assert_eq!(serde_json::from_str::<Sequence>("7").unwrap().get(), 7);
    assert!(serde_json::from_str::<Sequence>("0").is_err());
    assert!(Sequence::new(MAX_SEQUENCE + 1).is_err());
}

#[test]
fn claims_of_hostile_payloads_are_names_in_range_or_nothing() {
    for (text, wanted) in [
        ("{\"serial\":\"S1\",\"sequence\":3}", (Some("S1"), Some(3))),
        ("{\"serial\":\"\\u202e\",\"sequence\":0}", (None, None)),
        ("{\"serial\":5,\"sequence\":\"3\"}", (None, None)),
        ("{\"serial\":\"S1\",\"serial\":\"S2\",\"sequence\":3}", (None, None)),
        ("[", (None, None)),
        ("[1]", (None, None)),
    ] {
        let (serial, sequence) = claims_of(text.as_bytes());
        assert_eq!((serial.as_deref(), sequence), wanted, "{text}");
    }
    assert_eq!(claims_of("[".repeat(100_000).as_bytes()), (None, None));
}
