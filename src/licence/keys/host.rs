//! Reads the host's `trusted_keys`.

use super::list::KeyList;
use super::{Key, KeyStatus, Keyring, MAX_KEYS, MAX_THRESHOLD, Role, distinct};
use crate::licence::envelope::{Envelope, MAX_KEY_LIST_BYTES, decode_base64};
use crate::licence::text;
use std::fmt;

/// The most bytes of `trusted_keys`: a list of the largest size in base64, with room for comments.
const MAX_TEXT_BYTES: usize = 2 * MAX_KEY_LIST_BYTES;

/// What is wrong in the host's `trusted_keys`: a mistake of the program that calls us, not of its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysProblem {
    /// Counted from 1; 0 when the whole text is meant.
    pub line: usize,
    /// In words, without a full stop.
    pub what: String,
}

impl fmt::Display for KeysProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "trusted keys: {}", self.what),
            line => write!(f, "trusted keys, line {line}: {}", self.what),
        }
    }
}

impl std::error::Error for KeysProblem {}

impl Keyring {
    /// Reads lines of `role key-id base64`, with at most one `threshold N` (else 1), or one `list base64` alone: a whole key
    /// list that was built into the program. LF or CRLF; empty lines and lines that begin with `#` are skipped.
    ///
    /// The keys are active and the version is 0; with `list` they are the list's. A list has to be signed by enough of its
    /// own roots.
    pub fn from_host(text: &str) -> Result<Keyring, KeysProblem> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(whole(format!("longer than {MAX_TEXT_BYTES} bytes")));
        }
        // Editors on Windows begin a text file with a byte order mark.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut keys: Vec<Key> = Vec::new();
        let mut threshold: Option<(usize, u32)> = None;
        let mut list: Option<(usize, &str)> = None;
        let mut entries = 0;
        for (index, line) in text.lines().enumerate() {
            let at = |what: String| KeysProblem { line: index + 1, what };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            entries += 1;
            let words: Vec<&str> = line.split_whitespace().take(4).collect();
            match words.as_slice() {
                ["list", encoded] if list.is_none() => list = Some((index + 1, encoded)),
                ["threshold", number] if threshold.is_none() => {
                    let number = number.parse().ok().filter(|number| (1..=MAX_THRESHOLD).contains(number));
                    let number =
                        number.ok_or_else(|| at(format!("a threshold is a number from 1 to {MAX_THRESHOLD}")))?;
                    threshold = Some((index + 1, number));
                }
                ["list" | "threshold", _] => return Err(at("given twice".to_owned())),
                [role, id, encoded] => {
                    let role = Role::from_token(role).ok_or_else(|| {
                        at(format!("\"{}\" is no role: root, licence or statement", text::clean(role, 40)))
                    })?;
                    let public = decode_base64(encoded).ok_or_else(|| at("the public key is not base64".to_owned()))?;
                    if keys.len() == MAX_KEYS {
                        return Err(at(format!("more than {MAX_KEYS} keys")));
                    }
                    keys.push(Key::new(id, role, KeyStatus::Active, &public).map_err(at)?);
                    distinct(&keys).map_err(at)?;
                }
                _ => return Err(at("not \"role key-id base64\", \"threshold N\" or \"list base64\"".to_owned())),
            }
        }
        if let Some((line, encoded)) = list {
            return if entries == 1 {
                from_list(line, encoded)
            } else {
                Err(KeysProblem { line, what: ALONE.to_owned() })
            };
        }
        if keys.is_empty() {
            return Err(whole("there is no key".to_owned()));
        }
        let roots = keys.iter().filter(|key| key.role == Role::Root).count();
        if let Some((line, number)) = threshold
            && usize::try_from(number).map_or(true, |number| number > roots)
        {
            return Err(KeysProblem {
                line,
                what: format!("the threshold is {number}, but there are {roots} root keys"),
            });
        }
        Ok(Keyring { version: 0, threshold: threshold.map_or(1, |(_, number)| number), keys, list: None, before: None })
    }
}

const ALONE: &str = "a list must be the only entry";

fn whole(what: String) -> KeysProblem {
    KeysProblem { line: 0, what }
}

fn from_list(line: usize, encoded: &str) -> Result<Keyring, KeysProblem> {
    let at = |what: String| KeysProblem { line, what };
    let bytes = decode_base64(encoded).ok_or_else(|| at("the list is not base64".to_owned()))?;
    if bytes.len() > MAX_KEY_LIST_BYTES {
        return Err(at("the list is larger than 256 KiB".to_owned()));
    }
    let envelope = Envelope::parse(&bytes).map_err(|refusal| at(refusal.detail))?;
    let ring = KeyList::parse(&envelope).map_err(|refusal| at(refusal.detail))?.into_ring(&envelope, None);
    ring.signed_by_its_own_roots(&envelope).map_err(|refusal| at(refusal.detail))?;
    Ok(ring)
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
