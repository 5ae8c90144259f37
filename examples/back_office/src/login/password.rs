//! Passwords, as argon2id leaves them.

use crate::domain::{Outcome, Problem, random};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The shortest password, in characters; nobody needs one that is longer than this many bytes.
pub const SHORTEST: usize = 12;
const LONGEST: usize = 1024;

/// OWASP's first choice for argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 << 10;
const PASSES: u32 = 2;

/// What is verified when there is no such user, so that the answer takes as long.
pub const NOBODY: &str = "argon2id$19456$2$bm8gc3VjaCB1c2VyLi4u$bm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLCBldmVyLi4";

/// `argon2id$memory$passes$salt$hash`.
///
/// # Errors
/// `Invalid` for a password that is too short or too long.
pub fn hash(password: &str) -> Outcome<String> {
    if password.chars().count() < SHORTEST {
        return Err(Problem::invalid("password", format!("is shorter than {SHORTEST} characters")));
    }
    if password.len() > LONGEST {
        return Err(Problem::invalid("password", format!("is longer than {LONGEST} bytes")));
    }
    let salt: [u8; 16] = random()?;
    let made =
        derive(password, &salt, MEMORY_KIB, PASSES).ok_or_else(|| Problem::invalid("password", "cannot be hashed"))?;
    let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    Ok(format!("argon2id${MEMORY_KIB}${PASSES}${}${}", encode(&salt), encode(&made)))
}

/// Whether this is the password. Takes its time in any case.
pub fn verify(password: &str, hash: &str) -> bool {
    let parts: Vec<&str> = hash.split('$').collect();
    let ["argon2id", memory, passes, salt, expected] = parts.as_slice() else { return false };
    let (Ok(memory), Ok(passes), Ok(salt)) = (memory.parse(), passes.parse(), STANDARD_NO_PAD.decode(salt)) else {
        return false;
    };
    let password = if password.len() > LONGEST { "" } else { password };
    let made = derive(password, &salt, memory, passes);
    made.is_some_and(|made| super::same(&STANDARD_NO_PAD.encode(made), expected))
}

fn derive(password: &str, salt: &[u8], memory_kib: u32, passes: u32) -> Option<[u8; 32]> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).ok()?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_one() {
        let made = hash("correct horse battery").unwrap();
        assert!(verify("correct horse battery", &made));
        for other in ["", "correct horse batterz", "correct horse battery ", &"x".repeat(5000)] {
            assert!(!verify(other, &made), "{other}");
        }
        assert_ne!(made, hash("correct horse battery").unwrap(), "salted");
        assert!(hash("too short").is_err() && hash(&"x".repeat(2000)).is_err());
        assert!(!verify("anything", "x") && !verify("anything", "argon2id$x$y$z$"));
    }

    #[test]
    fn who_does_not_exist_is_looked_at_as_long_and_never_let_in() {
        assert!(!verify("", NOBODY) && !verify("password", NOBODY));
        let parts: Vec<&str> = NOBODY.split('$').collect();
        assert!(
            derive("x", &STANDARD_NO_PAD.decode(parts[3]).unwrap(), MEMORY_KIB, PASSES).is_some(),
            "really derives"
        );
    }
}
