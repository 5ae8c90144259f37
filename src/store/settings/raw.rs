//! JSON whose values are looked at where they lie.
//!
//! A parser that makes values of its own leaves copies of a password behind: in buffers that grew, in values that were
//! dropped on the way to an error, in the words of the error. Here a value stays a part of the caller's text, which
//! the caller wipes, until it is known what it is; and a secret is decoded once, into memory of its final size.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::licence::json::unescape_into;
use crate::store::secrets::Secret;

pub(super) type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The members of an object; `None` for any other value.
pub(super) fn members(text: &str) -> Option<Result<Members<'_>, serde_json::Error>> {
    // Not left to the parser: its error would quote the value that is no object.
    text.trim_start().starts_with('{').then(|| serde_json::from_str(text))
}

/// A value of its own, for members that are no secrets. `None`: an escape in it stands for no character.
pub(super) fn value(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

/// The text that a JSON string stands for; `None` for any other value.
pub(super) fn secret(raw: &RawValue) -> Option<Secret> {
    let body = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(String::with_capacity(body.len()));
    unescape_into(&mut text, body, 0).ok()?;
    Some(Secret::from_wiped(text))
}
