//! Makes the first inputs of every target out of genuine files, and the largest and deepest ones: `seeds CORPUS-FOLDER`.
//!
//! The same in every run. What libFuzzer finds lies beside them under names of its own.

mod calls;
mod signed;
mod state;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use targets::expand::{LARGE, expand, large, repeat};

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("seeds CORPUS-FOLDER"));
    let out = |target: &str, seeds: Vec<Vec<u8>>| write(&folder.join(target), &seeds);
    out("envelope", signed::envelopes());
    out("payload", signed::payloads());
    out("keys", signed::keys());
    out("time-file", signed::times());
    out("settings", state::settings());
    out("state", state::states());
    out("journal", state::journals());
    out("handover", state::handovers());
    out("notice", calls::notices());
    out("abi", calls::calls());
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

/// A length of two bytes and what it counts.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let bytes = sized(bytes);
    let length = u16::try_from(bytes.len()).expect("short");
    [&length.to_le_bytes()[..], &bytes].concat()
}
