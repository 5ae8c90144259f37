//! The rows: each bad file, how it is made, and the reason it has to be refused for.

use super::{Keys, Row};
use crate::support::{Vendor, feature, fls, licence};
use crate::tools::{changed, key, payload, signed};
use issuer::{sign, sign_licence};
use ors::ffi::*;
use ors::licence::{Envelope, LICENCE_TYPE, Product, Role, Serial};
use serde_json::{Value, json};

pub struct Table(pub Vec<Row>);

impl Table {
    pub fn add(&mut self, name: impl Into<String>, reason: i32, file: impl Into<Vec<u8>>) {
        self.0.push(Row { name: name.into(), file: file.into(), reason });
    }
}

pub fn of_keys(table: &mut Table, keys: &Keys) {
    let Vendor { root, licence: active, statement, stranger, .. } = &keys.vendor;
    let by = |key| sign_licence(&licence(8), key);
    table.add("wrong key", ORS_REASON_UNKNOWN_KEY, by(stranger));
    let namesake = key("licence-1", Role::Licence, 4);
    table.add("wrong key under a known name", ORS_REASON_SIGNATURE, by(&namesake));
    table.add("wrong role: root", ORS_REASON_KEY_ROLE, by(root));
    table.add("wrong role: statement", ORS_REASON_KEY_ROLE, by(statement));
    table.add("revoked key", ORS_REASON_KEY_REVOKED, by(&keys.revoked));
    let bytes = licence(8).to_json();
    table.add("9 signatures", ORS_REASON_AMOUNT, sign(LICENCE_TYPE, &bytes, &[active; 9]));
    table.add("no signature", ORS_REASON_AMOUNT, sign(LICENCE_TYPE, &bytes, &[]));
    table.add("8 signatures, all strangers'", ORS_REASON_UNKNOWN_KEY, sign(LICENCE_TYPE, &bytes, &[stranger; 8]));
    table.add("another payload type", ORS_REASON_MALFORMED, sign("application/vnd.in-toto+json", &bytes, &[active]));
    table.add("a payload type of text", ORS_REASON_MALFORMED, sign("\u{202E}<b>", &bytes, &[active]));
    // The type is signed too: another one under a licence's signature.
    let mut swapped = Envelope::parse(&sign("application/vnd.ors.time+json", &bytes, &[active])).unwrap();
    swapped.payload_type = LICENCE_TYPE.to_owned();
    table.add("signed as another type", ORS_REASON_SIGNATURE, swapped.to_json());
}

pub fn of_installation(table: &mut Table, keys: &Keys) {
    let vendor = &keys.vendor;
    let other = |change: fn(&mut ors::licence::Licence)| vendor.sign(&changed(8, change));
    table.add("another serial", ORS_REASON_SERIAL, other(|l| l.serial = Serial::parse("99").unwrap()));
    table.add("another product", ORS_REASON_PRODUCT, other(|l| l.product = Product::parse("other").unwrap()));
    table.add("same sequence, other bytes", ORS_REASON_SEQUENCE_CONFLICT, vendor.sign(&changed(7, |l| l.users = 99)));
    table.add("format 2", ORS_REASON_FORMAT, signed(vendor, 8, |p| p["format"] = json!(2)));
    table.add("format 0", ORS_REASON_FORMAT, signed(vendor, 8, |p| p["format"] = json!(0)));
    table.add("format 1.5", ORS_REASON_FORMAT, signed(vendor, 8, |p| p["format"] = json!(1.5)));
    table.add("format in words", ORS_REASON_MALFORMED, signed(vendor, 8, |p| p["format"] = json!("1")));
}

pub fn of_members(table: &mut Table, keys: &Keys) {
    let vendor = &keys.vendor;
    for name in payload(8).as_object().unwrap().keys() {
        let without = signed(vendor, 8, |p| drop(p.as_object_mut().unwrap().remove(name)));
        table.add(format!("no {name}"), ORS_REASON_MALFORMED, without);
    }
    for name in ["id", "name", "expires_on"] {
        let without = signed(vendor, 8, |p| drop(p["features"][0].as_object_mut().unwrap().remove(name)));
        table.add(format!("no features.{name}"), ORS_REASON_MALFORMED, without);
    }
    let wrong: [(&str, Value); 19] = [
        ("product", json!("Prisma Prepare")),
        ("product", json!(5)),
        ("serial", json!("../../x")),
        ("serial", json!("")),
        ("customer", Value::Null),
        ("customer", json!("x".repeat(201))),
        ("sequence", json!(0)),
        ("sequence", json!(1u64 << 53)),
        ("sequence", json!(8.0)),
        ("sequence", json!("8")),
        ("sequence", json!(-8)),
        ("users", json!(-1)),
        ("users", json!(1_000_001)),
        ("users", json!(2.5)),
        ("users", json!([5])),
        ("features", json!({})),
        ("features", json!([[]])),
        (
            "features",
            json!([{"id": "a", "name": "A", "expires_on": null}, {"id": "a", "name": "B", "expires_on": null}]),
        ),
        ("fls", json!("text")),
    ];
    for (member, value) in wrong {
        let name = format!("{member} is {:.40}", value.to_string());
        table.add(name, ORS_REASON_MALFORMED, signed(vendor, 8, |p| p[member] = value));
    }
    let many = changed(8, |l| l.features = (0..1_001).map(|n| feature(&format!("f{n}"), "F")).collect());
    table.add("1,001 features", ORS_REASON_AMOUNT, vendor.sign(&many));
    let many = changed(8, |l| l.fls = (0..5).map(|n| fls(&format!("f{n}"), "x")).collect());
    table.add("5 files for the floating server", ORS_REASON_AMOUNT, vendor.sign(&many));
    let large = changed(8, |l| l.fls = vec![fls("server.lic", &"x".repeat((64 << 10) + 1))]);
    table.add("a floating server's file over 64 KiB", ORS_REASON_TOO_LARGE, vendor.sign(&large));
    for name in
        ["../x", "a/b", "a\\b", "c:x", "CON", "nul.lic", "com1.txt", ".x", "x.", "", "x.ors.json", "ors-keys.json"]
    {
        let file = vendor.sign(&changed(8, |l| l.fls = vec![fls(name, "x")]));
        table.add(format!("a floating server's file named {name:?}"), ORS_REASON_MALFORMED, file);
    }
}

pub fn of_texts(table: &mut Table, keys: &Keys) {
    let vendor = &keys.vendor;
    for hostile in
        ['\0', '\n', '\u{1B}', '\u{7F}', '\u{9B}', '\u{200F}', '\u{202E}', '\u{2066}', '\u{2028}', '\u{FEFF}']
    {
        let text = format!("A{hostile}B");
        let name = |member: &str| format!("{hostile:?} in {member}");
        table.add(name("customer"), ORS_REASON_MALFORMED, signed(vendor, 8, |p| p["customer"] = json!(text)));
        let file = signed(vendor, 8, |p| p["features"][0]["name"] = json!(text));
        table.add(name("a feature's name"), ORS_REASON_MALFORMED, file);
    }
    table.add("bidi in the serial", ORS_REASON_MALFORMED, signed(vendor, 8, |p| p["serial"] = json!("1\u{202E}2")));
    table.add(
        "HTML in a feature's id",
        ORS_REASON_MALFORMED,
        signed(vendor, 8, |p| p["features"][0]["id"] = json!("<b>")),
    );
}

pub fn of_dates(table: &mut Table, keys: &Keys) {
    let vendor = &keys.vendor;
    // Shapes that a calendar library takes and this one does not, days that are not, and years outside 1970 to 9998.
    for day in [
        "20901123",
        "+002090-11-23",
        "2090-W47-4",
        "2090-327",
        "2090-11-23T00:00:00",
        "2090-11-23T00:00:00Z",
        "2090-11-23Z",
        " 2090-11-23",
        "2090-11-23 ",
        "2090-11-3",
        "90-11-23",
        "2090/11/23",
        "23.11.2090",
        "2090-11",
        "2090-11-23[UTC]",
        "٢٠٩٠-١١-٢٣",
        "2090-02-29",
        "2090-04-31",
        "2090-13-01",
        "2090-00-01",
        "2090-01-00",
        "0000-01-01",
        "-000001-01-01",
        "1969-12-31",
        "9999-12-31",
        "never",
        "",
        "null",
    ] {
        let with = |member: &'static str| move |p: &mut Value| p[member] = json!(day);
        table.add(format!("expires on {day:?}"), ORS_REASON_MALFORMED, signed(vendor, 8, with("expires_on")));
        if matches!(day, "20901123" | "0000-01-01" | "1969-12-31" | "9999-12-31") {
            let file = signed(vendor, 8, with("maintenance_until"));
            table.add(format!("maintenance until {day:?}"), ORS_REASON_MALFORMED, file);
            let file = signed(vendor, 8, |p| p["features"][0]["expires_on"] = json!(day));
            table.add(format!("a feature expires on {day:?}"), ORS_REASON_MALFORMED, file);
        }
    }
    for day in [json!(20_901_123), json!(3_815_000_000u64), json!(true), json!(["2090-11-23"])] {
        table.add(format!("expires on {day}"), ORS_REASON_MALFORMED, signed(vendor, 8, |p| p["expires_on"] = day));
    }
    for time in [
        "2026-01-05T10:00:60Z",
        "2026-01-05T24:00:00Z",
        "2026-01-05t10:00:00z",
        "2026-01-05 10:00:00Z",
        "2026-01-05T10:00:00",
        "2026-01-05T10:00:00.5Z",
        "2026-01-05T10:00:00,5Z",
        "2026-01-05T10:00:00+00:00",
        "2026-01-05T10:00Z",
        "20260105T100000Z",
        "+002026-01-05T10:00:00Z",
        "2026-01-05T10:00:00Z[UTC]",
        "2026-01-05",
        "1767607200",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
    ] {
        table.add(
            format!("issued at {time:?}"),
            ORS_REASON_MALFORMED,
            signed(vendor, 8, |p| p["issued_at"] = json!(time)),
        );
    }
    table.add("not issued", ORS_REASON_MALFORMED, signed(vendor, 8, |p| p["issued_at"] = Value::Null));
}

pub fn of_bytes(table: &mut Table, keys: &Keys) {
    let vendor = &keys.vendor;
    let sound = String::from_utf8(vendor.file(8)).unwrap();
    let sealed = |text: String| sign(LICENCE_TYPE, text.as_bytes(), &[&vendor.licence]);
    let inner = payload(8).to_string();
    table.add("empty", ORS_REASON_MALFORMED, "");
    table.add("no JSON", ORS_REASON_MALFORMED, "FEATURE prismaprepare 1.0 permanent uncounted");
    table.add("another JSON", ORS_REASON_MALFORMED, "{}");
    table.add("a bare payload", ORS_REASON_MALFORMED, inner.as_str());
    table.add("zeros", ORS_REASON_MALFORMED, vec![0; 4_096]);
    table.add(
        "not UTF-8",
        ORS_REASON_MALFORMED,
        sound
            .replace("licence-1", "licence-\u{e9}")
            .into_bytes()
            .iter()
            .filter(|b| **b != 0xA9)
            .copied()
            .collect::<Vec<u8>>(),
    );
    table.add("a byte order mark", ORS_REASON_MALFORMED, format!("\u{FEFF}{sound}"));
    table.add("UTF-16", ORS_REASON_MALFORMED, sound.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    table.add("something after the end", ORS_REASON_MALFORMED, format!("{sound}x"));
    table.add("two envelopes", ORS_REASON_MALFORMED, format!("{sound}{sound}"));
    table.add("a comment", ORS_REASON_MALFORMED, format!("// mine\n{sound}"));
    table.add("2 MiB of spaces", ORS_REASON_TOO_LARGE, " ".repeat(2 << 20));
    table.add(
        "one byte over 1 MiB",
        ORS_REASON_TOO_LARGE,
        format!("{sound}{}", " ".repeat((1 << 20) + 1 - sound.len())),
    );
    table.add("100,000 nested arrays", ORS_REASON_MALFORMED, "[".repeat(100_000) + &"]".repeat(100_000));
    table.add("100,000 arrays left open", ORS_REASON_MALFORMED, "[".repeat(100_000));
    let deep =
        format!("{}\"x\":{}{}}}", inner[..inner.len() - 1].to_owned() + ",", "[".repeat(100_000), "]".repeat(100_000));
    table.add("100,000 nested arrays, signed", ORS_REASON_MALFORMED, sealed(deep));
    table.add(
        "33 levels, signed",
        ORS_REASON_MALFORMED,
        sealed(inner.replacen('{', &format!("{{\"x\":{}{},", "[".repeat(32), "]".repeat(32)), 1)),
    );
    table.add("a key twice in the envelope", ORS_REASON_MALFORMED, sound.replacen('{', "{\"payload\":\"\",", 1));
    table.add("a key twice, once escaped", ORS_REASON_MALFORMED, sound.replacen('{', "{\"payloa\\u0064\":\"\",", 1));
    table.add("users twice, signed", ORS_REASON_MALFORMED, sealed(inner.replacen('{', "{\"users\":1000,", 1)));
    table.add(
        "a feature's id twice, signed",
        ORS_REASON_MALFORMED,
        sealed(inner.replace("{\"expires_on\"", "{\"id\":\"x\",\"expires_on\"")),
    );
    for name in ["payloadType", "payload", "signatures", "sig"] {
        table.add(format!("no {name}"), ORS_REASON_MALFORMED, sound.replace(&format!("\"{name}\""), "\"other\""));
    }
    table.add("a base64 of spaces", ORS_REASON_MALFORMED, sound.replacen("\"payload\":\"", "\"payload\":\" ", 1));
    table.add("a keyid that is a number", ORS_REASON_MALFORMED, sound.replace("\"licence-1\"", "1"));
}
