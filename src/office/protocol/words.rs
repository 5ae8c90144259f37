//! Values that requests and answers share.

use crate::licence::{Refusal, hex};
use std::fmt;
use zeroize::Zeroizing;

/// A number used once: 16 random bytes, in 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nonce(String);

impl Nonce {
    /// From 16 bytes that nobody can foresee.
    pub fn from_random(bytes: [u8; 16]) -> Nonce {
        Nonce(hex(&bytes))
    }

    /// Reads one; exactly 32 lower-case digits.
    pub fn parse(text: &str) -> Option<Nonce> {
        is_hex(text, 32).then(|| Nonce(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Exactly `digits` hexadecimal digits in lower case: one value has one spelling.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The address of a back office as both ends write it into every message: `https://host` or `https://host:port`, in lower case, the
/// scheme's usual port left out. A request that was made for one office is of no use at another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL; `None` when it is no `http` or `https` URL with a host. Path, query and fragment do not belong to it.
    pub fn of_url(url: &str) -> Option<Origin> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "https" => "443",
            "http" => "80",
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let after_host = match authority.strip_prefix('[') {
            Some(v6) => v6.split_once(']')?.1,
            None => authority.find(':').map_or("", |at| authority.get(at..).unwrap_or_default()),
        };
        let host = authority.strip_suffix(after_host)?;
        let port = match after_host {
            "" | ":" => usual,
            other => other.strip_prefix(':')?,
        };
        let number: u16 = port.parse().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit()))?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]%".contains(&b);
        if host.is_empty() || host.len() > 253 || !host.bytes().all(plain) || number == 0 {
            return None;
        }
        Some(Origin(if number.to_string() == usual {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{number}")
        }))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A verification code on its way. It is wiped when it goes and has no `Debug`.
pub struct Code(Zeroizing<String>);

impl Code {
    pub fn new(text: Zeroizing<String>) -> Code {
        Code(text)
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a message, as [`Refusal`] says it.
pub(super) type Read<T> = Result<T, Refusal>;
