//! The table of settings: name, default, and what a value must be.
//!
//! A new setting is one line in [`MEMBERS`] and one field in [`super::Settings`].
#![forbid(unsafe_code)]

use serde_json::{Value, json};

use super::{SettingsError, SettingsErrorKind};
use crate::licence::text::is_forbidden;

pub(super) const VERIFICATION_CODE: &str = "verification_code";
pub(super) const PROXY_PASSWORD: &str = "proxy.password";
pub(super) const SHARE_PASSWORD: &str = "share_account.password";
pub(super) const CONFIRM_SERIAL: &str = "confirm_serial";
pub(super) const LICENCE_PATH: &str = "licence_path";

/// Members that are sealed.
pub(super) const SECRETS: [&str; 3] = [VERIFICATION_CODE, PROXY_PASSWORD, SHARE_PASSWORD];
/// Members that hold others.
pub(super) const GROUPS: [&str; 3] = ["assistance", "proxy", "share_account"];
/// Members of a get that a set may repeat but not change.
pub(super) const READ_ONLY: [&str; 3] = ["serial", "clock_challenge", "service_account"];
/// Members of a get that move by themselves: a set may bring them, they are not looked at.
pub(super) const IGNORED: [&str; 4] = ["runtime", "contact", "enrolment", "fingerprint"];

const LONGEST_TEXT: usize = 200;
const LONGEST_PATH: usize = 4096;
const LONGEST_LANGUAGE: usize = 35;
/// The hard limit of a grant, in minutes: 168 hours.
const LONGEST_GRANT: u64 = 10_080;

/// Why a value is refused; the sentence never repeats the value.
pub(super) enum Refused {
    Argument(&'static str),
    Text(&'static str),
}

type Check = fn(&Value) -> Result<Value, Refused>;

/// One setting.
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) default: fn() -> Value,
    /// Gives the value as it is kept.
    pub(super) check: Check,
}

const fn member(name: &'static str, default: fn() -> Value, check: Check) -> Member {
    Member { name, default, check }
}

fn null() -> Value {
    Value::Null
}

pub(super) const MEMBERS: [Member; 19] = [
    member("enabled", || json!(false), flag),
    member(LICENCE_PATH, null, path),
    member("organisation_id", null, text),
    member("allow_assistance", || json!(false), flag),
    member("assistance.capabilities", || json!(["control", "view", "vpn"]), capabilities),
    member(
        "assistance.longest_minutes",
        || json!(1440),
        |v| number(v, 1, LONGEST_GRANT, "must be a whole number from 1 to 10080"),
    ),
    member(
        "proxy.mode",
        || json!("none"),
        |v| one_of(v, &["none", "detect", "manual"], "must be none, detect or manual"),
    ),
    member("proxy.host", null, host),
    member("proxy.port", null, |v| {
        or_null(v, |v| number(v, 1, 65_535, "must be a whole number from 1 to 65535, or null"))
    }),
    member("proxy.authentication", || json!(false), flag),
    member("proxy.user", null, text),
    member("proxy.domain", null, text),
    member("share_account.kind", || json!("host"), |v| one_of(v, &["host", "other"], "must be host or other")),
    member("share_account.user", null, text),
    member("share_account.domain", null, text),
    member("language", null, language),
    member("unreachable_hours", || json!(24), |v| number(v, 1, 8760, "must be a whole number from 1 to 8760")),
    member("product_version", null, text),
    member(CONFIRM_SERIAL, null, serial),
];

pub(super) fn find(name: &str) -> Option<&'static Member> {
    const TABLE: &[Member] = &MEMBERS;
    TABLE.iter().find(|member| member.name == name)
}

fn shown(text: &str, longest: usize) -> Result<(), Refused> {
    if text.chars().count() > longest {
        Err(Refused::Text("is too long"))
    } else if text.chars().any(is_forbidden) {
        Err(Refused::Text("must not have control characters"))
    } else {
        Ok(())
    }
}

/// Who asks for a change.
pub(super) fn check_by(by: &str) -> Result<String, SettingsError> {
    match shown(by, LONGEST_TEXT) {
        Ok(()) => Ok(by.to_owned()),
        Err(Refused::Argument(why) | Refused::Text(why)) => Err(SettingsError::new(SettingsErrorKind::Text, "by", why)),
    }
}

/// A secret that is set.
pub(super) fn check_secret(text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(Refused::Argument("must not be empty; null clears it"));
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(Refused::Text("is too long"));
    }
    if text.chars().any(char::is_control) {
        return Err(Refused::Text("must not have control characters"));
    }
    Ok(())
}

fn flag(value: &Value) -> Result<Value, Refused> {
    if value.is_boolean() { Ok(value.clone()) } else { Err(Refused::Argument("must be true or false")) }
}

fn number(value: &Value, least: u64, most: u64, otherwise: &'static str) -> Result<Value, Refused> {
    match value.as_u64() {
        Some(number) if (least..=most).contains(&number) => Ok(json!(number)),
        _ => Err(Refused::Argument(otherwise)),
    }
}

fn or_null(value: &Value, check: impl Fn(&Value) -> Result<Value, Refused>) -> Result<Value, Refused> {
    if value.is_null() { Ok(Value::Null) } else { check(value) }
}

fn one_of(value: &Value, allowed: &[&str], otherwise: &'static str) -> Result<Value, Refused> {
    match value.as_str() {
        Some(text) if allowed.contains(&text) => Ok(json!(text)),
        _ => Err(Refused::Argument(otherwise)),
    }
}

/// A text or null; an empty text, which an empty field of a page sends, is null.
fn optional(value: &Value, longest: usize, check: impl Fn(&str) -> Result<(), Refused>) -> Result<Value, Refused> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::String(text) if text.is_empty() => Ok(Value::Null),
        Value::String(text) => {
            shown(text, longest)?;
            check(text)?;
            Ok(json!(text))
        }
        _ => Err(Refused::Argument("must be a text or null")),
    }
}

fn text(value: &Value) -> Result<Value, Refused> {
    optional(value, LONGEST_TEXT, |_| Ok(()))
}

fn path(value: &Value) -> Result<Value, Refused> {
    optional(value, LONGEST_PATH, |text| {
        if text.len() > LONGEST_PATH {
            Err(Refused::Text("is too long"))
        } else if std::path::Path::new(text).is_absolute() {
            Ok(())
        } else {
            Err(Refused::Argument("must be an absolute path"))
        }
    })
}

fn host(value: &Value) -> Result<Value, Refused> {
    optional(value, LONGEST_TEXT, |text| {
        if text.chars().any(|c| c.is_whitespace() || "/\\@?#%\"'<>".contains(c)) {
            Err(Refused::Argument("must be the name or address alone, without http:// and path"))
        } else {
            Ok(())
        }
    })
}

fn language(value: &Value) -> Result<Value, Refused> {
    optional(value, LONGEST_LANGUAGE, |text| {
        let fits = text.split('-').enumerate().all(|(at, part)| {
            let least = if at == 0 { 2 } else { 1 };
            (least..=8).contains(&part.len())
                && part.bytes().all(|b| if at == 0 { b.is_ascii_alphabetic() } else { b.is_ascii_alphanumeric() })
        });
        if fits { Ok(()) } else { Err(Refused::Argument("must be a language tag such as en or pt-BR")) }
    })
}

fn serial(value: &Value) -> Result<Value, Refused> {
    optional(value, LONGEST_TEXT, |text| {
        let fits = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if fits { Ok(()) } else { Err(Refused::Argument("is not a serial number")) }
    })
}

fn capabilities(value: &Value) -> Result<Value, Refused> {
    const KNOWN: [&str; 3] = ["control", "view", "vpn"];
    const WRONG: Refused = Refused::Argument("must be a list of control, view, vpn, each at most once");
    let list = value.as_array().ok_or(WRONG)?;
    let names: Option<Vec<&str>> = list.iter().map(|item| item.as_str().filter(|name| KNOWN.contains(name))).collect();
    let names = names.ok_or(WRONG)?;
    if KNOWN.iter().any(|known| names.iter().filter(|name| name == &known).count() > 1) {
        return Err(WRONG);
    }
    // One order, so that the same choice is the same value.
    Ok(json!(KNOWN.iter().filter(|known| names.contains(known)).collect::<Vec<_>>()))
}
