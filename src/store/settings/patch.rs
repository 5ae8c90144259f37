//! Reading a set: from JSON text to checked members. Nothing is compared with what is stored yet, except the read-only
//! members with what the caller showed.
#![forbid(unsafe_code)]

use serde_json::Value;

use super::members::{self, GROUPS, IGNORED, Member, READ_ONLY, Refused, SECRETS};
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

fn argument(member: &str, message: &str) -> SettingsError {
    SettingsError::new(SettingsErrorKind::Argument, member, message)
}

fn refused(member: &str, why: Refused) -> SettingsError {
    match why {
        Refused::Argument(message) => SettingsError::new(SettingsErrorKind::Argument, member, message),
        Refused::Text(message) => SettingsError::new(SettingsErrorKind::Text, member, message),
    }
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
        // The parser's own words may quote the text, and the text may hold a password.
        let value: Value = serde_json::from_slice(json).map_err(|error| {
            argument("", &format!("the settings are not JSON (line {}, column {})", error.line(), error.column()))
        })?;
        let Value::Object(object) = value else {
            return Err(argument("", "the settings must be a JSON object"));
        };
        let mut patch = Patch { plain: Vec::new(), secrets: Vec::new(), revision: None };
        for (name, value) in object {
            if GROUPS.contains(&name.as_str()) {
                let Value::Object(group) = value else { return Err(argument(&name, "must be an object")) };
                for (inner, value) in group {
                    patch.setting(&format!("{name}.{inner}"), value)?;
                }
            } else if name == "revision" {
                let revision = value.as_u64().ok_or_else(|| argument(&name, "must be a whole number"))?;
                patch.revision = Some(revision);
            } else if READ_ONLY.contains(&name.as_str()) {
                if value != *current.get(&name).unwrap_or(&Value::Null) {
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

    fn setting(&mut self, name: &str, value: Value) -> Result<(), SettingsError> {
        if let Some(secret) = SECRETS.into_iter().find(|secret| *secret == name) {
            return self.secret(secret, value);
        }
        let member = members::find(name).ok_or_else(|| argument(name, "is not a setting"))?;
        let value = (member.check)(&value).map_err(|why| refused(name, why))?;
        self.plain.push((member, value));
        Ok(())
    }

    fn secret(&mut self, name: &'static str, value: Value) -> Result<(), SettingsError> {
        match value {
            Value::Null => self.secrets.push((name, None)),
            Value::String(text) => {
                // Taken over before it is looked at: wiped on every way out.
                let secret = Secret::new(text);
                members::check_secret(secret.expose()).map_err(|why| refused(name, why))?;
                self.secrets.push((name, Some(secret)));
            }
            // What a get shows: leave it as it is.
            Value::Object(shown) if shown.len() == 1 && shown.get("set").is_some_and(Value::is_boolean) => {}
            _ => return Err(argument(name, "must be a text, null, or as it was shown")),
        }
        Ok(())
    }
}
