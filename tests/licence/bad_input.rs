//! Every file that must not be taken, as a row: dropped into the folder and uploaded, the old licence stays in use, and
//! the reason is told in a code, a sentence, diagnostics and the log.

use crate::support::host::Host;
use crate::support::{Site, Vendor, feature, fls, licence};
use crate::tools::{changed, is_sentence, key, key_list, log, payload, signed};
use issuer::{SigningKey, sign, sign_licence};
use ors::ffi::*;
use ors::licence::{Envelope, KeyStatus, LICENCE_TYPE, Product, Role, Serial};
use serde_json::{Value, json};

struct Row {
    name: String,
    file: Vec<u8>,
    reason: i32,
}

/// The vendor's keys, and two that are vendor keys no more.
struct Keys {
    vendor: Vendor,
    retired: SigningKey,
    revoked: SigningKey,
}

impl Keys {
    fn new() -> Keys {
        Keys {
            vendor: Vendor::new(),
            retired: key("licence-retired", Role::Licence, 5),
            revoked: key("licence-revoked", Role::Licence, 6),
        }
    }

    /// A host whose licence 7 is by the retired key, and who has taken the list that says so.
    fn open(&self, site: &Site) -> Host {
        site.drop_file("installed.ors.json", &sign_licence(&licence(7), &self.retired));
        let mut options = site.options();
        let lines = [&self.retired, &self.revoked].map(SigningKey::trusted_line).join("\r\n");
        options.trusted_keys = format!("# the vendor\r\n{}\r\n{lines}\r\n", options.trusted_keys);
        let host = Host::open(&options).unwrap();
        host.until_sequence(7);
        let Vendor { root, licence, statement, .. } = &self.vendor;
        let active = [root, licence, statement].map(|key| (key, KeyStatus::Active));
        let gone = [(&self.retired, KeyStatus::Retired), (&self.revoked, KeyStatus::Revoked)];
        host.install(&key_list(1, 1, &[&active[..], &gone[..]].concat(), &[root])).1.unwrap();
        host.until("the key list is in force", |host| host.about()["keys_version"] == 1);
        assert_eq!(host.licence().sequence, 7, "a licence installed by a retired key stays good");
        host
    }
}

struct Table(Vec<Row>);

impl Table {
    fn add(&mut self, name: impl Into<String>, reason: i32, file: impl Into<Vec<u8>>) {
        self.0.push(Row { name: name.into(), file: file.into(), reason });
    }
}

fn of_keys(table: &mut Table, keys: &Keys) {
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

fn of_installation(table: &mut Table, keys: &Keys) {
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

fn of_members(table: &mut Table, keys: &Keys) {
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

fn of_texts(table: &mut Table, keys: &Keys) {
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

fn of_dates(table: &mut Table, keys: &Keys) {
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

fn of_bytes(table: &mut Table, keys: &Keys) {
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
    let deep = format!(
        "{}\"x\":{}{}}}",
        &inner[..inner.len() - 1].to_owned().add(","),
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
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

/// The sound licence without the one member that no signature covers and nobody trusts: the key id.
fn bare(vendor: &Vendor) -> Vec<u8> {
    let mut envelope = Envelope::parse(&vendor.file(8)).unwrap();
    envelope.signatures[0].keyid = None;
    envelope.to_json()
}

fn flipped(file: &[u8], bit: usize) -> Vec<u8> {
    let mut file = file.to_owned();
    file[bit / 8] ^= 1 << (bit % 8);
    file
}

use std::ops::Add;

/// Uploads one row and looks at everything that has to be told.
fn upload_is_refused(host: &Host, row: &Row) {
    let (result, done) = host.install(&row.file);
    let failure = done.expect_err(&row.name);
    assert_eq!((failure.code, result.reason), (ORS_E_REFUSED, row.reason), "{}: {}", row.name, failure.message);
    assert_eq!((result.state, result.changes, result.sequence, result.announcement), (ORS_INSTALL_REFUSED, 0, 0, 0));
    assert!(is_sentence(&failure.message), "{}: {:?}", row.name, failure.message);
    let diagnostics = host.diagnostics();
    let last = diagnostics["log"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(last.contains("An upload was refused (") && last.contains(&failure.message), "{}: {last}", row.name);
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7), "{}", row.name);
}

/// Puts rows into the folder together and looks at everything that has to be told.
fn files_are_refused(site: &Site, host: &Host, rows: &[Row]) {
    // Fewer than the 64 files that are looked at.
    for batch in rows.chunks(50) {
        let name = |index: usize| format!("bad-{index}.ors.json");
        for (index, row) in batch.iter().enumerate() {
            site.drop_file(&name(index), &row.file);
        }
        let refused = |host: &Host| {
            let found = host.diagnostics();
            found["licences"].as_array().unwrap().iter().filter(|row| row["state"] == "refused").count()
        };
        host.until("all files refused", |host| refused(host) == batch.len());
        let lines = log(host);
        for (index, row) in batch.iter().enumerate() {
            let found = host.row(&name(index)).unwrap();
            let (text, token) = (found["text"].as_str().unwrap(), found["reason"].as_str().unwrap());
            assert_eq!(found["reason_code"], row.reason, "{}: {found}", row.name);
            assert!(is_sentence(text), "{}: {text:?}", row.name);
            let line = format!("{} was refused ({token}): {text}", name(index));
            assert!(lines.contains(&line), "{}: not in the log: {line}; {lines:#?}", row.name);
            assert_eq!(std::fs::read(site.file(&name(index))).unwrap(), row.file, "{}: the file stays", row.name);
        }
        assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
        assert_eq!(host.notices().notices, 0, "the user is not bothered");
        for index in 0..batch.len() {
            std::fs::remove_file(site.file(&name(index))).unwrap();
        }
        host.until("all files gone", |host| refused(host) == 0);
    }
}

#[test]
fn no_bad_file_is_taken_from_the_folder_or_as_an_upload_and_the_old_licence_stays_in_use() {
    let keys = Keys::new();
    let site = Site::new();
    let host = keys.open(&site);
    let mut table = Table(Vec::new());
    for part in [of_keys, of_installation, of_members, of_texts, of_dates, of_bytes] {
        part(&mut table, &keys);
    }
    for row in &table.0 {
        upload_is_refused(&host, row);
    }
    // Only as an upload: what somebody put into the folder counts as installed.
    let retired = sign_licence(&licence(8), &keys.retired);
    upload_is_refused(
        &host,
        &Row { name: "retired key, new licence".to_owned(), file: retired, reason: ORS_REASON_KEY_RETIRED },
    );
    files_are_refused(&site, &host, &table.0);
    // The table would show nothing if nothing were ever taken.
    site.drop_file("good.ors.json", &keys.vendor.file(8));
    host.until_sequence(8);
}

#[test]
fn an_older_licence_is_refused_as_an_upload_and_superseded_in_the_folder() {
    let keys = Keys::new();
    let site = Site::new();
    let host = keys.open(&site);
    let row = Row { name: "older".to_owned(), file: keys.vendor.file(6), reason: ORS_REASON_SEQUENCE };
    upload_is_refused(&host, &row);
    site.drop_file("older.ors.json", &row.file);
    host.until("seen", |host| host.row("older.ors.json").is_some_and(|row| row["state"] == "superseded"));
    assert_eq!(host.licence().sequence, 7);
    // Nor does it come into use when it lies there alone.
    let before = std::fs::read(site.file("installed.ors.json")).unwrap();
    std::fs::remove_file(site.file("installed.ors.json")).unwrap();
    host.until("put back", |_| std::fs::read(site.file("installed.ors.json")).is_ok_and(|bytes| bytes == before));
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_licence_is_taken() {
    let keys = Keys::new();
    let site = Site::new();
    let host = keys.open(&site);
    let file = bare(&keys.vendor);
    let refused = |file: &[u8], what: String| {
        let (result, done) = host.install(file);
        assert_eq!(done.expect_err(&what).code, ORS_E_REFUSED, "{what}");
        let known = [ORS_REASON_MALFORMED, ORS_REASON_SIGNATURE, ORS_REASON_UNKNOWN_KEY, ORS_REASON_AMOUNT];
        assert!(known.contains(&result.reason), "{what}: {}", result.reason);
        result.reason
    };
    let mut sample = Vec::new();
    for bit in 0..file.len() * 8 {
        let reason = refused(&flipped(&file, bit), format!("bit {bit} flipped"));
        if bit % 151 == 0 {
            sample.push(Row { name: format!("bit {bit}"), file: flipped(&file, bit), reason });
        }
    }
    for length in 0..file.len() {
        let reason = refused(&file[..length], format!("cut at {length}"));
        if length % 23 == 0 {
            sample.push(Row { name: format!("cut at {length}"), file: file[..length].to_owned(), reason });
        }
    }
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    files_are_refused(&site, &host, &sample);
    host.install(&file).1.expect("unharmed it is taken");
    host.until_sequence(8);
}
