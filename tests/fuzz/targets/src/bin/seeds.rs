//! Makes the first inputs of every target out of genuine files, and the largest and deepest ones: `seeds CORPUS-FOLDER`.
//!
//! The same in every run. What libFuzzer finds lies beside them under names of its own.

use issuer::{sign, sign_licence, sign_time};
use ors::licence::{Envelope, FlsFile, Instant, KeyChain, LICENCE_TYPE};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use targets::expand::{LARGE, expand, large, repeat};
use targets::fixture::{self, CHALLENGE, PRODUCT, SERIAL, fixture};
use targets::place::sealed;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("seeds CORPUS-FOLDER"));
    let out = |target: &str, seeds: Vec<Vec<u8>>| write(&folder.join(target), &seeds);
    out("envelope", envelopes());
    out("payload", payloads());
    out("keys", keys());
    out("time-file", times());
    out("settings", settings());
    out("state", states());
    out("journal", journals());
    out("handover", handovers());
    out("notice", notices());
    out("abi", calls());
}

fn write(folder: &Path, seeds: &[Vec<u8>]) {
    fs::create_dir_all(folder).expect("a folder for seeds");
    for (number, seed) in seeds.iter().enumerate() {
        // A fuzzer does not begin with these: it would stay with them.
        let kind = if seed.contains(&LARGE) { "large" } else { "seed" };
        fs::write(folder.join(format!("{kind}-{number:02}")), seed).expect("a seed");
    }
}

/// A first byte, and the bytes after it.
fn with(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first], &sized(rest)[..]].concat()
}

/// The bytes, marked as those of a large file where they stand for one.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let marked = large(&[bytes]);
    if expand(&marked, usize::MAX) == expand(bytes, usize::MAX) { bytes.to_owned() } else { marked }
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// JSON of every awkward shape: as deep as is read, and deeper; a key twice; escapes; as large as is read.
fn shapes() -> Vec<Vec<u8>> {
    let nested =
        |levels: u16, open: &[u8], close: &[u8]| [repeat(levels, open), b"1".to_vec(), repeat(levels, close)].concat();
    let around = |before: &[u8], middle: Vec<u8>, after: &[u8]| [before, &middle, after].concat();
    vec![
        nested(32, b"[", b"]"),
        nested(33, b"[", b"]"),
        nested(60_000, b"[", b"]"),
        nested(16, b"{\"a\":[", b"]}"),
        around(b"{\"payload\":", nested(31, b"[", b"]"), b"}"),
        around(b"{\"payload\":", nested(127, b"{\"a\":", b"}"), b"}"),
        around(b"[", repeat(60_000, b"0,"), b"0]"),
        around(b"[", [0; 8].map(|_| repeat(65_535, b"0,")).concat(), b"0]"),
        around(b"{\"signatures\":[", [0; 6].map(|_| repeat(65_535, b"{},")).concat(), b"{}]}"),
        around(b"{\"payload\":\"", [0; 16].map(|_| repeat(65_535, b"A")).concat(), b"\"}"),
        around(
            b"{\"payload\":\"",
            [repeat(40_000, b"AAAAAAAAAAAAAAAA"), b"\\/".to_vec(), repeat(20_000, b"AAAAAAAAAAAAAAAA")].concat(),
            b"\"}",
        ),
        around(
            b"{\"",
            [repeat(40_000, b"AAAAAAAAAAAAAAAA"), b"\\u0041".to_vec(), repeat(20_000, b"AAAAAAAAAAAAAAAA")].concat(),
            b"\":1}",
        ),
        br#"{"a":1,"\u0061":2}"#.to_vec(),
        br#"{"\ud83d\ude00":1e400,"\ud800":-0.0}"#.to_vec(),
        br#"{"a":18446744073709551616,"b":-9223372036854775809,"c":1E-999,"d":01}"#.to_vec(),
    ]
}

fn envelopes() -> Vec<Vec<u8>> {
    let known = fixture();
    let mut seeds = known.licences.clone();
    seeds.extend([known.time.clone(), known.keys.list(1), chain(3)]);
    seeds.push(sign(LICENCE_TYPE, b"{}", &[&known.keys.stranger]));
    seeds.push(sign("text/plain", b"hello", &known.keys.all()));
    // A small order point and an S that is none, both alphabets, no key id.
    let mut odd = Envelope::parse(&known.licences[0]).expect("an envelope");
    odd.signatures[0].keyid = None;
    odd.signatures.push(ors::licence::Signature { keyid: Some("licence-1".to_owned()), sig: with(1, &[0; 63]) });
    odd.signatures.push(ors::licence::Signature { keyid: None, sig: vec![0xFF; 64] });
    seeds.push(odd.to_json());
    let nine = vec![odd.signatures[0].clone(); 9];
    seeds.push(Envelope { signatures: nine, ..odd }.to_json());
    // A key id of the largest size, and one whose characters take six bytes each.
    for id in [repeat(60_000, b"AAAAAAAAAAAAAAAA"), repeat(60_000, br"\u0001\u0001")] {
        seeds.push([&br#"{"payloadType":"application/vnd.ors.keys+json","payload":"","signatures":[{"sig":"","keyid":""#[..], &id, br#""}]}"#].concat());
        seeds.push(
            [
                &br#"{"format":1,"lists":[{"payloadType":"x","payload":"","signatures":[{"sig":"","keyid":""#[..],
                &id,
                br#""}]}]}"#,
            ]
            .concat(),
        );
    }
    seeds.extend(shapes());
    seeds.iter().map(|seed| sized(seed)).collect()
}

fn chain(lists: u64) -> Vec<u8> {
    let lists =
        (1..=lists).map(|version| Envelope::parse(&fixture().keys.list(version)).expect("a key list")).collect();
    KeyChain { lists }.to_json()
}

fn payloads() -> Vec<Vec<u8>> {
    let sound = fixture::licence(7);
    let mut seeds = vec![sound.to_json()];
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut payload: Value = serde_json::from_slice(&fixture::licence(7).to_json()).expect("JSON");
        change(&mut payload);
        text(&payload)
    };
    seeds.push(changed(&|payload| payload["expires_on"] = Value::Null));
    seeds.push(changed(&|payload| payload["maintenance_until"] = Value::Null));
    seeds.push(changed(&|payload| payload["expires_on"] = json!("9998-12-31")));
    seeds.push(changed(&|payload| payload["expires_on"] = json!("1970-01-01")));
    seeds.push(changed(&|payload| payload["maintenance_until"] = json!("2028-02-29")));
    seeds.push(changed(&|payload| payload["format"] = json!(2)));
    seeds.push(changed(&|payload| payload["product"] = json!("another")));
    seeds.push(changed(&|payload| payload["sequence"] = json!(9_007_199_254_740_991u64)));
    seeds.push(changed(&|payload| payload["fls"][0]["name"] = json!("CON.lic")));
    seeds.push(changed(&|payload| payload["unknown"] = json!({"a": [1, 2.5, null]})));
    seeds.push(changed(&|payload| payload["customer"] = json!("\u{202E}x")));
    // As small as a repetition makes it: names of the largest size, texts of the largest size.
    let feature = br#"{"id":"a","name":"","expires_on":null},"#;
    let head = br#"{"format":1,"product":"prismaprepare","serial":"1","customer":"","sequence":1,"issued_at":"2026-11-23T10:00:00Z","expires_on":null,"maintenance_until":null,"users":0,"features":["#;
    seeds.push([&head[..], &repeat(1_001, feature), &feature[..feature.len() - 1], b"]}"].concat());
    seeds.push([&head[..], &repeat(65_535, b"0,"), b"0]}"].concat());
    seeds.push([&head[..], b"],\"fls\":[{\"name\":\"a\",\"text\":\"", &repeat(65_535, b"x"), b"x\"}]}"].concat());
    seeds.push([&head[..], b"],\"fls\":[{\"name\":\"a\",\"text\":\"", &repeat(65_535, b"x"), b"xx\"}]}"].concat());
    seeds.push([&head[..], b"],\"fls\":[{\"name\":\"a\",\"text\":\"", &repeat(65_000, br"\u0001"), b"\"}]}"].concat());
    let mut files = sound;
    files.fls = (0..4).map(|n| FlsFile { name: format!("f{n}.lic"), text: "\r\n\"\\".to_owned() }).collect();
    seeds.push(files.to_json());
    seeds.extend(shapes());
    seeds.iter().map(|seed| sized(seed)).collect()
}

fn keys() -> Vec<Vec<u8>> {
    let known = fixture();
    let list = |signers: u8, payload: &[u8]| [&[b'l', signers], payload].concat();
    let draft = |version| known.keys.draft(version).payload();
    let mut seeds = vec![
        with(b'h', known.trusted.as_bytes()),
        with(b'h', b"\xEF\xBB\xBF# a comment\r\n\r\nlicence a LaaIfyLGM6JQ+VLtIejIhYXZ0fJxXZAjX+stMxSOLGI=\r\n"),
        with(b'h', &[b"list ", &base64(&known.keys.list(1))[..]].concat()),
        with(b'h', b"licence a AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
        with(b'h', &[b"licence a ", &repeat(60_000, b"AAAA")[..]].concat()),
        with(b'h', &repeat(60_000, b"\n")),
        with(b'c', &known.keys.list(1)),
        with(b'c', &chain(4)),
        with(
            b'c',
            &[
                &br#"{"format":1,"lists":["#[..],
                &repeat(5_000, br#"{"payloadType":"","payload":"","signatures":[{"sig":""}]},"#),
                br#"{}]}"#,
            ]
            .concat(),
        ),
    ];
    for version in 1..=3 {
        for signers in [0b11, 0b01, 0b10, 0b1111111, 0b100] {
            seeds.push(list(signers, &draft(version)));
        }
    }
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut payload: Value = serde_json::from_slice(&draft(2)).expect("JSON");
        change(&mut payload);
        list(0b11, &text(&payload))
    };
    seeds.push(changed(&|payload| payload["threshold"] = json!(1)));
    seeds.push(changed(&|payload| payload["threshold"] = json!(8)));
    seeds.push(changed(&|payload| payload["keys"][0]["status"] = json!("revoked")));
    seeds.push(changed(&|payload| payload["keys"][1]["id"] = payload["keys"][0]["id"].clone()));
    seeds.push(changed(&|payload| payload["keys"] = json!([])));
    seeds.extend(shapes().into_iter().map(|shape| with(b'c', &shape)));
    seeds
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    let envelope = Envelope { payload_type: String::new(), payload: bytes.to_owned(), signatures: Vec::new() };
    let json: Value = serde_json::from_slice(&envelope.to_json()).expect("JSON");
    json["payload"].as_str().expect("a text").as_bytes().to_owned()
}

fn times() -> Vec<Vec<u8>> {
    let at = Instant::parse("2026-12-01T09:30:00Z").expect("an instant");
    let signed = |product, serial, challenge| {
        Envelope::parse(&sign_time(product, serial, challenge, at, &fixture().keys.statement))
            .expect("an envelope")
            .payload
    };
    let mut seeds = vec![
        signed(PRODUCT, SERIAL, CHALLENGE),
        signed("other", SERIAL, CHALLENGE),
        signed(PRODUCT, "0", CHALLENGE),
        signed(PRODUCT, SERIAL, "another"),
        signed(PRODUCT, SERIAL, ""),
    ];
    seeds.push(
        [
            &br#"{"format":1,"product":"prismaprepare","serial":"1","challenge":""#[..],
            &repeat(129, b"x"),
            br#"","time":"1970-01-01T00:00:00Z"}"#,
        ]
        .concat(),
    );
    seeds.extend(shapes());
    seeds.iter().map(|seed| sized(seed)).collect()
}

fn settings() -> Vec<Vec<u8>> {
    let all = br#"{"enabled":true,"licence_path":"/srv/x","organisation_id":"o","verification_code":"a b c d e f g","allow_assistance":false,"assistance":{"capabilities":["vpn","view"],"longest_minutes":1},"proxy":{"mode":"detect","host":"p","port":1,"authentication":false,"user":null,"password":"secret of somebody","domain":"D"},"share_account":{"kind":"host","user":"u","password":null,"domain":""},"language":"pt-BR","unreachable_hours":8760,"confirm_serial":"4711","revision":1,"serial":null,"runtime":{},"contact":null}"#;
    let stored = br#"{"values":{"enabled":true,"licence_path":"/srv/licences","proxy.port":8080,"assistance.capabilities":["view"]},"changed_at":{"enabled":1,"proxy.port":3},"secrets_revision":0,"secrets_set":["proxy.password"],"log":[{"revision":1,"by":"Ann","time":5,"members":["enabled"],"before":{"enabled":false}},{"revision":3,"by":"Bob","time":6,"members":["proxy.port"],"before":{"proxy.port":null}}]}"#;
    let mut seeds = vec![
        with(b's', all),
        with(b's', br#"{"proxy":{"password":{"set":true}},"verification_code":{"set":false}}"#),
        with(b's', br#"{"proxy":{"password":12345678901234567890}}"#),
        with(b's', br#"{"proxy":{"port":65536}}"#),
        with(b's', br#"{"revision":0,"language":"en"}"#),
        with(b's', br#"{"serial":"other"}"#),
        with(b's', br#"{"proxy.port":1}"#),
        with(b's', &[&br#"{"organisation_id":""#[..], &repeat(20_000, "é".as_bytes()), br#""}"#].concat()),
        with(b's', &[&br#"{"assistance":{"capabilities":["#[..], &repeat(30_000, b"0,"), b"0]}}"].concat()),
        with(b'd', stored),
        with(b'd', b"{}"),
        with(b'd', &[&br#"{"values":{"enabled":"#[..], &repeat(100, b"["), &repeat(100, b"]"), b"}}"].concat()),
        with(b'd', &[&br#"{"secrets_set":["#[..], &repeat(65_535, br#""","#), br#"""]}"#].concat()),
        with(b'd', &[&br#"{"values":{"proxy.host":["#[..], &repeat(65_535, b"0,0,0,0,"), b"0]}}"].concat()),
        with(b'd', &[&br#"{"secrets_revision":""#[..], &repeat(60_000, b"\xE2\x80\xAE"), br#""}"#].concat()),
        with(b'r', &sealed(2, 1, stored)),
        with(b'r', &sealed(1, 1, stored)),
        with(b'r', b"ors-document 2 9 9 "),
        with(b'r', b"ors-document 1 18446744073709551615 18446744073709551615 00\n{}"),
    ];
    seeds.extend(shapes().into_iter().flat_map(|shape| [with(b's', &shape), with(b'd', &shape)]));
    seeds
}

fn states() -> Vec<Vec<u8>> {
    const LEADS: u8 = 0x80;
    let known = fixture();
    let state = text(&fixture::state());
    let floor = br#"{"serial":"1234567890","keys":{"0011223344556677":{"sequence":9,"digest":"00"}}}"#;
    let entry = |line: &str| format!("{line}\n").into_bytes();
    let mut seeds = Vec::new();
    for lead in [0, LEADS] {
        seeds.extend([
            with(b's' | lead, &state),
            with(b's' | lead, b"{}"),
            with(b'w' | lead, &sealed(8, 8, &state)),
            with(b'f' | lead, floor),
            with(b'a' | lead, br#"{"id":8,"by":"Ann"}"#),
            with(b'r' | lead, b"5"),
            with(
                b't' | lead,
                br#"{"values":{"enabled":true,"confirm_serial":"4711"},"changed_at":{"confirm_serial":3}}"#,
            ),
            with(b'k' | lead, &chain(3)),
            with(b'i' | lead, &known.licences[1]),
            with(b'c' | lead, &known.licences[2]),
            with(b'j' | lead, &entry(r#"{"chain":"c","n":1,"time":1,"boot":1,"actor":"","what":"","prev":"00"}"#)),
            with(b'n' | lead, &known.licences[1]),
            with(b'n' | lead, &sign_licence(&fixture::licence(8), &known.keys.stranger)),
            with(b'o' | lead, &chain(3)),
        ]);
    }
    let names = |many: u16| {
        [&br#"{"announcements":{"baseline":null,"content":null,"last_id":1,"current":0,"entries":[{"id":1,"raised_at":0,"content":{"sequence":1,"users":1,"expires_on":null,"maintenance_until":null,"features":[]},"changes":{"removed":[],"changed":[],"ended":[],"users":null,"maintenance":null,"expiry":null,"added":["#[..], &repeat(many, br#""abcdefgh","#), br#"""]}}]}}"#].concat()
    };
    seeds.extend([10, 3_000, 60_000].map(|many| with(b's', &names(many))));
    seeds.push(with(b's', &[&br#"{"challenge":""#[..], &repeat(60_000, b"0123456789abcdef"), br#""}"#].concat()));
    seeds.push(with(b's', &[&br#"{"put_back":["#[..], &repeat(65_535, b"1,1,1,1,1,1,1,1,"), b"1]}"].concat()));
    seeds.push(with(b's', br#"{"mark":{"at":9223372036854775807,"above":18446744073709551615,"lowest":-9223372036854775808,"signed":{"time":-9223372036854775808,"boot":"","boot_seconds":0}}}"#));
    seeds.push(with(b's', br#"{"serial":"another"}"#));
    seeds.extend(shapes().into_iter().enumerate().map(|(n, shape)| with(b"sfatkicjno"[n % 10], &shape)));
    seeds
}

fn journals() -> Vec<Vec<u8>> {
    let lines = b"{}\n{\"what\":\"x\"}\n{\"actor\":\"Bob\"}\n";
    vec![
        with(b'l', lines),
        with(b'l', &[&lines[..], b"{\"torn"].concat()),
        with(b'l', &[&lines[..], b"\xFE", &lines[..]].concat()),
        with(b'l', &[&lines[..], b"\xFE"].concat()),
        with(b'l', b"{\"n\":5}\n{\"n\":5}\n{\"chain\":\"d\"}\n{\"prev\":\"0\"}\n"),
        with(b'l', b"{\"n\":18446744073709551615}\n"),
        with(b'l', b"{\"n\":0}\n"),
        with(b'r', b"no journal\n"),
        with(b'r', b""),
        with(b'r', b"\n\n\n"),
        with(b'r', &repeat(60_000, b"\n")),
        with(b'r', &[0; 16].map(|_| repeat(65_535, b"x")).concat()),
        with(b'r', &[&br#"{"what":""#[..], &[0; 15].map(|_| repeat(65_535, b"x")).concat(), b"\\n\"}\n"].concat()),
        with(b'r', &[&br#"{"n":""#[..], &repeat(60_000, b"\xE2\x80\xAE"), b"\"}\n"].concat()),
        with(b'l', &[&br#"{"x":"#[..], &repeat(200, b"["), &repeat(200, b"]"), b"}\n"].concat()),
    ]
}

/// A length of two bytes and what it counts.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let bytes = sized(bytes);
    let length = u16::try_from(bytes.len()).expect("short");
    [&length.to_le_bytes()[..], &bytes].concat()
}

fn handovers() -> Vec<Vec<u8>> {
    let known = fixture();
    let licence = counted(&known.licences[1]);
    let document =
        |which: u8, body: &[u8]| [&[which, 0][..], &1u64.to_le_bytes(), &2u64.to_le_bytes(), &counted(body)].concat();
    vec![
        [&[0][..], &licence, &[2], &licence, &counted(b"Ann")].concat(),
        [&[1][..], &counted(b"x"), &licence].concat(),
        [&[6][..], &licence, &counted(b"Bob"), &[6], &licence, &counted(b"Ann")].concat(),
        document(3, br#"{"id":8,"by":"Ann"}"#),
        document(4, b"5"),
        [document(3, br#"{"id":8,"by":"Ann"}"#), [&[5][..], &9u64.to_le_bytes(), &counted(b"Bob")].concat()].concat(),
        [document(4, b"18446744073709551615"), vec![7]].concat(),
        vec![7, 7, 7],
        [&[0][..], &counted(&[0; 17].map(|_| repeat(65_535, b"x")).concat())].concat(),
        [&[2][..], &licence, &counted(&repeat(900, b"\xE2\x80\xAE")), &[0], &licence].concat(),
        [document(3, &[&br#"{"id":""#[..], &repeat(60_000, b"\xE2\x80\xAE"), br#""}"#].concat()), vec![5, 1]].concat(),
        [&[8][..], &counted(b"../../x")].concat(),
    ]
}

fn notices() -> Vec<Vec<u8>> {
    let numbers = |numbers: &[i64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let long = counted(&repeat(2_000, "漢".as_bytes()));
    vec![
        with(0, &[0; 140]),
        with(0, &[0xFF; 140]),
        with(
            0,
            &numbers(&[
                i64::MAX,
                i64::MIN,
                0,
                i64::MAX,
                i64::MIN,
                -1,
                1,
                i64::MAX,
                i64::MIN,
                7,
                8,
                9,
                10,
                11,
                12,
                13,
                14,
            ]),
        ),
        with(1, &[&[1][..], &counted(b"de-CH, en;q=0.5, *;q=0"), &[1], &counted(b"fr"), &[5; 40]].concat()),
        with(1, &[&[1][..], &counted(&repeat(5_000, b"a,")), &[0; 60]].concat()),
        with(2, &[&[5][..], &long, &long, &long, &long, &long, &[7], &long, &long, &[7], &[3]].concat()),
        with(
            2,
            &[
                vec![7],
                [0; 7].map(|_| long.clone()).concat(),
                vec![7],
                [0; 7].map(|_| long.clone()).concat(),
                vec![7],
                [0; 7].map(|_| long.clone()).concat(),
            ]
            .concat(),
        ),
        with(
            2,
            &[
                0, 0, 0, 0, 1, 5, 0, 0, 0, 9, 0, 0, 0, 1, 10, 0, b'2', b'0', b'2', b'7', b'-', b'0', b'1', b'-', b'3',
                b'1',
            ],
        ),
        with(3, &[0; 20]),
        with(3, &[0xFF; 60]),
        with(3, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 0, b'd', b'e']),
        with(4, &numbers(&[20_000, 21_000, 0, 1_796_000_000, 1_800_000_000])),
        with(4, &numbers(&[20_000, 20_001, 100_000, 1_728_000_000, 1_700_000_000])),
    ]
}

fn calls() -> Vec<Vec<u8>> {
    // Zeros choose the usual for most arguments; each seed opens an agent and goes on with other calls.
    let reading = [0, 7, 7, 7, 2, 2, 2, 0, 3, 0, 3, 0, 0, 1];
    let leading = [0, 1, 7, 7, 2, 2, 2, 3, 0, 3, 0, 0, 1];
    let mut seeds = Vec::new();
    for call in 0..20u8 {
        for open in [&reading[..], &leading[..]] {
            seeds.push([open, &[call], &[0; 12], &[3], &[2; 12]].concat());
        }
    }
    let all: Vec<u8> = (0..20u8).flat_map(|call| [&[call][..], &[0, 3, 3, 3, 255, 1, 1, 3, 3]].concat()).collect();
    seeds.push([&reading[..], &all].concat());
    seeds.push([&leading[..], &all].concat());
    seeds.push([&leading[..], &[10, 0, 2], &counted(br#"{"enabled":true}"#), &[0, 0, 3, 0], &all].concat());
    seeds.push([&leading[..], &[12, 0, 1, 1, 0, 0, 3, 0, 3, 0], &[2, 0], &[0; 10], &all].concat());
    seeds.push([&leading[..], &[16, 0, 4, 0], &[12, 0, 1, 1, 0, 0, 3, 0, 3, 0], &all].concat());
    seeds
}
