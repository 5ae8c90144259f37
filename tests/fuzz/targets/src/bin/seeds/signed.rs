//! Signed files, whole and spoiled.

use super::{shapes, sized, text, with};
use issuer::{sign, sign_time};
use ors::licence::{Envelope, FlsFile, Instant, KeyChain, LICENCE_TYPE};
use serde_json::{Value, json};
use targets::expand::repeat;
use targets::fixture::{self, CHALLENGE, PRODUCT, SERIAL, fixture};

pub fn envelopes() -> Vec<Vec<u8>> {
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

pub fn chain(lists: u64) -> Vec<u8> {
    let lists =
        (1..=lists).map(|version| Envelope::parse(&fixture().keys.list(version)).expect("a key list")).collect();
    KeyChain { lists }.to_json()
}

pub fn payloads() -> Vec<Vec<u8>> {
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

pub fn keys() -> Vec<Vec<u8>> {
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

pub fn times() -> Vec<Vec<u8>> {
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
