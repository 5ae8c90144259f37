//! One-time codes by the clock (RFC 6238: SHA-1, 30 seconds, 6 digits, as every authenticator app does), and recovery codes.

use crate::domain::{Outcome, random};
use ors::licence::{Instant, sha256};
use ring::hmac;
use rusqlite::{Connection, params};

const STEP: i64 = 30;
/// Steps before and after this one whose codes are taken: clocks differ.
const AROUND: i64 = 1;
const RECOVERY_CODES: usize = 10;

/// What a page shows when a second factor is set up. It has no `Debug`.
pub struct Shown {
    /// To type, in base32.
    pub secret: String,
    /// For a QR code.
    pub uri: String,
}

impl Shown {
    pub fn new(secret: &[u8], user: &str) -> Shown {
        let secret = base32(secret);
        let user: String = user.bytes().map(escaped).collect();
        let uri = format!("otpauth://totp/Back%20office:{user}?secret={secret}&issuer=Back%20office");
        Shown { secret, uri }
    }
}

fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// 160 bits, as the RFC has it.
///
/// # Errors
/// `Store`.
pub fn new_secret() -> Outcome<Vec<u8>> {
    Ok(random::<20>()?.to_vec())
}

/// The code of a moment.
pub fn code_at(secret: &[u8], now: Instant) -> String {
    code(secret, now.unix().div_euclid(STEP))
}

/// The step that a code belongs to, if it is one around now and after `used`: each code counts once.
pub fn step_of(secret: &[u8], typed: &str, used: i64, now: Instant) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let this = now.unix().div_euclid(STEP);
    (this - AROUND..=this + AROUND).filter(|step| *step > used).find(|step| super::same(&typed, &code(secret, *step)))
}

fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag.last().copied().unwrap_or_default() & 0x0F);
    let bytes = tag.get(at..at + 4).unwrap_or_default();
    let number = bytes.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut out, mut bits, mut held) = (String::new(), 0u32, 0u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            let index = usize::try_from(bits >> held & 31).unwrap_or_default();
            out.push(LETTERS.get(index).map_or('A', |letter| char::from(*letter)));
        }
    }
    if held > 0 {
        let index = usize::try_from(bits << (5 - held) & 31).unwrap_or_default();
        out.push(LETTERS.get(index).map_or('A', |letter| char::from(*letter)));
    }
    out
}

/// New recovery codes in the place of all others; they are stored as hashes and can never be shown again.
///
/// # Errors
/// `Store`.
pub fn new_recovery_codes(db: &Connection, user: i64) -> Outcome<Vec<String>> {
    db.execute("DELETE FROM recovery_codes WHERE user = ?1", [user])?;
    let mut codes = Vec::new();
    for _ in 0..RECOVERY_CODES {
        let letters = base32(&random::<10>()?);
        let code = format!("{}-{}", letters.get(..8).unwrap_or_default(), letters.get(8..).unwrap_or_default());
        db.execute("INSERT INTO recovery_codes (user, hash) VALUES (?1, ?2)", params![user, hash(user, &code)])?;
        codes.push(code);
    }
    Ok(codes)
}

/// Uses a recovery code up, if it is one.
///
/// # Errors
/// `Store`.
pub fn use_recovery_code(db: &Connection, user: i64, typed: &str, now: Instant) -> Outcome<bool> {
    let update = "UPDATE recovery_codes SET used = ?3 WHERE user = ?1 AND hash = ?2 AND used IS NULL";
    Ok(db.execute(update, params![user, hash(user, typed), now.unix()])? == 1)
}

/// 80 random bits: a plain hash cannot be searched.
fn hash(user: i64, code: &str) -> [u8; 32] {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    sha256(format!("recovery code {user} {code}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of eight digits.
        let secret = b"12345678901234567890";
        for (seconds, expected) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code_at(secret, Instant::from_unix(seconds)), expected);
        }
        assert_eq!(base32(secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(base32(b"f"), "MY");
    }

    #[test]
    fn a_code_counts_once_and_around_its_time() {
        let (secret, now) = (b"12345678901234567890", Instant::from_unix(1_795_687_200));
        let typed = code_at(secret, now);
        let step = step_of(secret, &format!(" {} {} ", &typed[..3], &typed[3..]), 0, now).unwrap();
        assert_eq!(step_of(secret, &typed, step, now), None, "used");
        assert!(
            step_of(secret, &typed, 0, now.plus(30)).is_some() && step_of(secret, &typed, 0, now.plus(-30)).is_some()
        );
        assert!(step_of(secret, &typed, 0, now.plus(90)).is_none() && step_of(secret, "", 0, now).is_none());
    }
}
