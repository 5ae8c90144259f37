//! What the files of this binary share beyond the support room: more keys, key lists, spoiled payloads, the log.

use crate::support::host::{Host, text_of};
use crate::support::{Vendor, licence};
use issuer::{KeyListDraft, SigningKey, sign, sign_key_list};
use ors::ffi::*;
use ors::licence::{KeyStatus, LICENCE_TYPE, Licence, Role};
use serde_json::Value;
use std::cell::Cell;

/// A key that the vendor had before, or has in reserve. The same in every run.
pub fn key(id: &str, role: Role, seed: u8) -> SigningKey {
    SigningKey::from_seed(id, role, [seed; 32])
}

/// A key list of that version, signed by `roots`.
pub fn key_list(version: u64, threshold: u32, keys: &[(&SigningKey, KeyStatus)], roots: &[&SigningKey]) -> Vec<u8> {
    let member =
        |(key, status): &(&SigningKey, KeyStatus)| (key.id().to_owned(), key.role(), key.public_bytes(), *status);
    let draft = KeyListDraft { version, threshold, keys: keys.iter().map(member).collect() };
    sign_key_list(&draft, roots)
}

/// A payload of the sound licence with that sequence, changed, and signed all the same.
pub fn signed(vendor: &Vendor, sequence: u64, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut payload = payload(sequence);
    change(&mut payload);
    sign(LICENCE_TYPE, payload.to_string().as_bytes(), &[&vendor.licence])
}

pub fn payload(sequence: u64) -> Value {
    serde_json::from_slice(&licence(sequence).to_json()).unwrap()
}

/// A licence with other content, changed.
pub fn changed(sequence: u64, change: impl FnOnce(&mut Licence)) -> Licence {
    let mut licence = licence(sequence);
    change(&mut licence);
    licence
}

/// All log lines that are kept now.
pub fn log(host: &Host) -> Vec<String> {
    let mut after = 0;
    let mut lines = Vec::new();
    while let Some(line) = next_line(host, &mut after) {
        lines.push(line);
    }
    lines
}

/// The next line after `after`, if there is one now.
pub fn next_line(host: &Host, after: &mut u64) -> Option<String> {
    let number = Cell::new(*after);
    let line = text_of(|buf, cap, needed| {
        let (mut at, mut level) = (*after, 0);
        let code = unsafe { ors_read_log(host.agent, &mut at, 0, &mut level, buf, cap, needed) };
        number.set(at);
        code
    });
    *after = number.get();
    line.ok()
}

/// Whether a text may be shown: something is said, in one line, without control and bidirectional characters.
pub fn is_sentence(text: &str) -> bool {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    text.len() > 10 && text.ends_with('.') && !text.chars().any(hostile)
}
