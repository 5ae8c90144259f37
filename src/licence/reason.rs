//! Why something signed was not taken: a number for programs, a sentence for people.

use super::text;
use std::fmt;

/// The longest [`Refusal::detail`], in characters.
pub const LONGEST_DETAIL: usize = 300;

/// Why a licence was refused, or why an update may not be installed. The numbers are those of `ORS_REASON_*` and never change.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing is wrong.
    None = 0,
    /// There is no licence.
    NoLicence = 1,
    /// Folder or file cannot be read.
    Unreadable = 2,
    /// Not the shape it must have: broken JSON, a missing field, a value out of range.
    Malformed = 3,
    /// No trusted key made any of the signatures.
    UnknownKey = 4,
    /// The signature of a trusted key does not fit the content, or too few root keys signed.
    Signature = 5,
    /// A newer format than this library knows.
    Format = 6,
    /// For another product.
    Product = 7,
    /// For another serial number.
    Serial = 8,
    /// Not newer than what is installed; for a key list, a version in between is missing.
    Sequence = 9,
    /// The licence has expired.
    LicenceExpired = 10,
    /// The release is from after the end of maintenance, or there is no maintenance contract.
    MaintenanceEnded = 11,
    /// The clock is in doubt; for a time file, it answers another challenge.
    Clock = 12,
    /// Licences with several serial numbers.
    Ambiguous = 13,
    /// Signed by a key that was revoked.
    KeyRevoked = 14,
    /// Signed by a key that signs nothing new any more.
    KeyRetired = 15,
    /// Signed by a trusted key that may not sign this kind of file.
    KeyRole = 16,
    /// This sequence is known with other content.
    SequenceConflict = 17,
    /// Larger than the limit.
    TooLarge = 18,
    /// Not a regular file.
    NotAFile = 19,
    /// A second, different key list of the same version.
    KeyListFork = 20,
    /// Too many signatures, files, features or keys.
    Amount = 21,
}

/// Every reason with its word, in the order of the numbers.
const ALL: [(Reason, &str); 22] = [
    (Reason::None, "none"),
    (Reason::NoLicence, "no-licence"),
    (Reason::Unreadable, "unreadable"),
    (Reason::Malformed, "malformed"),
    (Reason::UnknownKey, "unknown-key"),
    (Reason::Signature, "signature"),
    (Reason::Format, "format"),
    (Reason::Product, "product"),
    (Reason::Serial, "serial"),
    (Reason::Sequence, "sequence"),
    (Reason::LicenceExpired, "licence-expired"),
    (Reason::MaintenanceEnded, "maintenance-ended"),
    (Reason::Clock, "clock"),
    (Reason::Ambiguous, "ambiguous"),
    (Reason::KeyRevoked, "key-revoked"),
    (Reason::KeyRetired, "key-retired"),
    (Reason::KeyRole, "key-role"),
    (Reason::SequenceConflict, "sequence-conflict"),
    (Reason::TooLarge, "too-large"),
    (Reason::NotAFile, "not-a-file"),
    (Reason::KeyListFork, "key-list-fork"),
    (Reason::Amount, "amount"),
];

impl Reason {
    /// The number in the C ABI.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The reason of a number of the C ABI, if there is one.
    pub fn from_code(code: i32) -> Option<Reason> {
        ALL.iter().map(|(reason, _)| *reason).find(|reason| reason.code() == code)
    }

    /// The word for logs and JSON, such as `unknown-key`.
    pub fn token(self) -> &'static str {
        ALL.iter().find(|(reason, _)| *reason == self).map_or("none", |(_, token)| token)
    }
}

/// Why something signed was not taken.
///
/// `serial` and `sequence` are what the file claims, as far as that is readable without trust; they are in range, but
/// nothing vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// One English sentence a person can act on: no secret, no control characters, at most [`LONGEST_DETAIL`] characters.
    pub detail: String,
    pub serial: Option<String>,
    pub sequence: Option<u64>,
}

impl Refusal {
    /// A refusal; hostile characters in the detail are replaced and it is cut to [`LONGEST_DETAIL`].
    pub fn new(reason: Reason, detail: impl Into<String>) -> Refusal {
        Refusal { reason, detail: text::clean(&detail.into(), LONGEST_DETAIL), serial: None, sequence: None }
    }

    /// The same refusal with what the file claims to be.
    pub fn about(self, serial: Option<String>, sequence: Option<u64>) -> Refusal {
        Refusal { serial, sequence, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_header_and_words_are_unique() {
        for (number, (reason, token)) in ALL.iter().enumerate() {
            assert_eq!(reason.code(), number as i32);
            assert_eq!(Reason::from_code(number as i32), Some(*reason));
            assert_eq!(reason.token(), *token);
            assert_eq!(ALL.iter().filter(|(_, other)| other == token).count(), 1);
        }
        for code in [-1, 22, i32::MIN, i32::MAX] {
            assert_eq!(Reason::from_code(code), None);
        }
    }

    #[test]
    fn a_detail_never_carries_hostile_text() {
        let refusal = Refusal::new(Reason::Malformed, format!("\u{202E}\x1B[31m{}", "x".repeat(10_000)));
        assert_eq!(refusal.detail.chars().count(), LONGEST_DETAIL);
        assert!(!refusal.detail.chars().any(text::is_forbidden));
        assert_eq!(refusal.clone().about(Some("1".into()), Some(2)).sequence, Some(2));
    }
}
