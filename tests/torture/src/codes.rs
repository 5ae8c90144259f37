//! Sets of codes: what a call may return.

use ors::ffi::*;
use std::fmt;

const KNOWN: [(i32, &str); 21] = [
    (ORS_OK, "OK"),
    (ORS_E_NULL, "NULL"),
    (ORS_E_ARGUMENT, "ARGUMENT"),
    (ORS_E_TEXT, "TEXT"),
    (ORS_E_STRUCT_SIZE, "STRUCT_SIZE"),
    (ORS_E_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL"),
    (ORS_E_CLOSED, "CLOSED"),
    (ORS_E_READ_ONLY, "READ_ONLY"),
    (ORS_E_TIMEOUT, "TIMEOUT"),
    (ORS_E_STALE, "STALE"),
    (ORS_E_DISABLED, "DISABLED"),
    (ORS_E_NOT_ALLOWED, "NOT_ALLOWED"),
    (ORS_E_REFUSED, "REFUSED"),
    (ORS_E_REENTRANT, "REENTRANT"),
    (ORS_E_NEWER_STATE, "NEWER_STATE"),
    (ORS_E_ANSWERED, "ANSWERED"),
    (ORS_E_LIMIT, "LIMIT"),
    (ORS_E_IO, "IO"),
    (ORS_E_PERMISSION, "PERMISSION"),
    (ORS_E_INTERNAL, "INTERNAL"),
    // Where nothing else is known; never in a set.
    (i32::MIN, "unknown"),
];

/// A set of codes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Codes(u32);

impl Codes {
    pub const fn none() -> Codes {
        Codes(0)
    }

    pub fn of(codes: &[i32]) -> Codes {
        codes.iter().fold(Codes(0), |all, code| all.with(*code))
    }

    pub fn with(self, code: i32) -> Codes {
        Codes(self.0 | 1 << place(code))
    }

    pub fn and(self, other: Codes) -> Codes {
        Codes(self.0 | other.0)
    }

    pub fn has(self, code: i32) -> bool {
        code != i32::MIN && self.0 & 1 << place(code) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

fn place(code: i32) -> usize {
    KNOWN.iter().position(|(known, _)| *known == code).unwrap_or(KNOWN.len() - 1)
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = KNOWN.iter().enumerate().filter(|(at, _)| self.0 & 1 << at != 0).map(|(_, (_, name))| *name);
        f.write_str(&names.collect::<Vec<_>>().join(" or "))
    }
}

/// A code by its name.
pub fn name(code: i32) -> String {
    match KNOWN[place(code)] {
        (i32::MIN, _) => code.to_string(),
        (_, name) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_no_header_knows_is_in_no_set() {
        let all = Codes(u32::MAX);
        assert!(all.has(ORS_E_INTERNAL) && !all.has(i32::MIN));
        let some = Codes::of(&[ORS_OK, ORS_E_CLOSED]);
        assert!(some.has(ORS_E_CLOSED) && !some.has(ORS_E_NULL) && !some.has(-14));
        assert_eq!((some.to_string().as_str(), name(-14).as_str()), ("OK or CLOSED", "-14"));
    }
}
