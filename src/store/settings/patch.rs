//! Reading a set: from JSON text to checked members. Nothing is compared with what is stored yet, except the read-only
//! members with what the caller showed. Values are looked at where they lie ([`raw`]), since they may be passwords.
#![forbid(unsafe_code)]

use serde_json::Value;
use serde_json::value::RawValue;

use super::members::{self, GROUPS, IGNORED, Member, READ_ONLY, Refused, SECRETS};
use super::raw;
use super::{LARGEST_SET, SettingsError, SettingsErrorKind};
use crate::licence::json::{RawProblem, check_raw};
use crate::store::secrets::Secret;

/// A set whose every member is known and whose every value is one that it may have.
pub(super) struct Patch {
    pub(super) plain: Vec<(&'static Member, Value)>,
    pub(super) secrets: Vec<(&'static str, Option<Secret>)>,
    /// The revision that the set was made on.
    pub(super) revision: Option<u64>,
}

const NO_CHARACTER: &str = "has an escape that stands for no character";

fn argument(member: &str, message: &str) -> SettingsError {
    SettingsError::new(SettingsErrorKind::Argument, member, message)
}

fn refused(member: &str, why: Refused) -> SettingsError {
    match why {
        Refused::Argument(message) => SettingsError::new(SettingsErrorKind::Argument, member, message),
        Refused::Text(message) => SettingsError::new(SettingsErrorKind::Text, member, message),
    }
}

/// The value of a member that is no secret.
fn value_of(member: &str, value: &RawValue) -> Result<Value, SettingsError> {
    raw::value(value).ok_or_else(|| argument(member, NO_CHARACTER))
}

impl Patch {
    pub(super) fn parse(json: &[u8], current: &Value) -> Result<Patch, SettingsError> {
        if json.len() > LARGEST_SET {
            return Err(SettingsError::new(SettingsErrorKind::Text, "", "the settings are larger than 64 KiB"));
        }
        check_raw(json).map_err(|problem| match problem {
            RawProblem::NotText => SettingsError::new(SettingsErrorKind::Text, "", "the settings are not UTF-8 text"),
            RawProblem::DuplicateKey(key) => argument(&key, "is there twice"),
            other => argument("", &format!("the settings cannot be read: {other}")),
        })?;
        let text = std::str::from_utf8(json).unwrap_or_default();
        // The parser's own words may quote the text, and the text may hold a password.
        let object = raw::members(text).ok_or_else(|| argument("", "the settings must be a JSON object"))?;
        let object = object.map_err(|error| {
            argument("", &format!("the settings are not JSON (line {}, column {})", error.line(), error.column()))
        })?;
        let mut patch = Patch { plain: Vec::new(), secrets: Vec::new(), revision: None };
        for (name, value) in object {
            if GROUPS.contains(&name.as_str()) {
                let Some(Ok(group)) = raw::members(value.get()) else {
                    return Err(argument(&name, "must be an object"));
                };
                for (inner, value) in group {
                    patch.setting(&format!("{name}.{inner}"), value)?;
                }
            } else if name == "revision" {
                let revision = value_of(&name, value)?.as_u64();
                patch.revision = Some(revision.ok_or_else(|| argument(&name, "must be a whole number"))?);
            } else if READ_ONLY.contains(&name.as_str()) {
                if value_of(&name, value)? != *current.get(&name).unwrap_or(&Value::Null) {
                    return Err(argument(&name, "cannot be set"));
                }
            } else if name.contains('.') {
                return Err(argument(&name, "is not a setting"));
            } else if !IGNORED.contains(&name.as_str()) {
                patch.setting(&name, value)?;
            }
        }
        Ok(patch)
    }

    fn setting(&mut self, name: &str, value: &RawValue) -> Result<(), SettingsError> {
        if let Some(secret) = SECRETS.into_iter().find(|secret| *secret == name) {
            return self.secret(secret, value);
        }
        let member = members::find(name).ok_or_else(|| argument(name, "is not a setting"))?;
        let value = (member.check)(&value_of(name, value)?).map_err(|why| refused(name, why))?;
        self.plain.push((member, value));
        Ok(())
    }

    fn secret(&mut self, name: &'static str, value: &RawValue) -> Result<(), SettingsError> {
        let text = value.get();
        if text == "null" {
            self.secrets.push((name, None));
        } else if text.starts_with('"') {
            let secret = raw::secret(value).ok_or_else(|| argument(name, NO_CHARACTER))?;
            members::check_secret(secret.expose()).map_err(|why| refused(name, why))?;
            self.secrets.push((name, Some(secret)));
        } else {
            // What a get shows: leave it as it is.
            let as_shown = raw::members(text).and_then(Result::ok).is_some_and(|shown| {
                shown.len() == 1 && shown.get("set").is_some_and(|set| ["true", "false"].contains(&set.get()))
            });
            if !as_shown {
                return Err(argument(name, "must be a text, null, or as it was shown"));
            }
        }
        Ok(())
    }
}
