//! What lies in a state folder.

use super::signed::chain;
use super::{counted, shapes, text, with};
use issuer::sign_licence;
use targets::expand::repeat;
use targets::fixture::{self, fixture};
use targets::place::sealed;

pub fn settings() -> Vec<Vec<u8>> {
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

pub fn states() -> Vec<Vec<u8>> {
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

pub fn journals() -> Vec<Vec<u8>> {
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

pub fn handovers() -> Vec<Vec<u8>> {
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
