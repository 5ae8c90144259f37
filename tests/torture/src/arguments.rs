//! Arguments, right ones and hostile ones: each knows which code a call has to return for it, and what it must hold afterwards.

use crate::codes::Codes;
use crate::dice::Dice;
use crate::memory::{Given, LARGEST_TEXT, Region, STALE};
use ors::ffi::*;
use std::ffi::c_char;
use std::ptr::null_mut;

/// Largest struct_size that is taken.
const LARGEST_STRUCT: usize = 4_096;

/// A struct that begins with its size and that the library writes.
pub struct OutStruct {
    given: Option<Given>,
    /// `struct_size`; 0 and others are wrong.
    size: u32,
    version_1: usize,
    right: bool,
}

impl OutStruct {
    /// Mostly right; now and then NULL, of a wrong size, or of a newer caller; at any address of four.
    pub fn new(dice: &mut Dice, region: &mut Region, version_1: usize) -> OutStruct {
        let gap = if dice.one_in(2) { 0 } else { 4 };
        let (size, room, right) = match dice.below(24) {
            0 => return OutStruct { given: None, size: 0, version_1, right: false },
            1 => {
                let below = version_1 as u32 - 1;
                let wrong = dice.pick(&[0, 1, 3, 4, below, 4_097, u32::MAX]);
                // What a caller that says less has: only its size can be relied on.
                (wrong, (wrong as usize).clamp(4, version_1), false)
            }
            2 => {
                let newer = version_1 + 1 + dice.below((LARGEST_STRUCT - version_1) as u64) as usize;
                (newer as u32, newer, true)
            }
            3 => (LARGEST_STRUCT as u32, LARGEST_STRUCT, true),
            _ => (version_1 as u32, version_1, true),
        };
        // A pointer needs an alignment of 4, whatever the size.
        let given = region.give(room, gap + room.next_multiple_of(4) - room);
        given.put(0, &size.to_ne_bytes());
        OutStruct { given: Some(given), size, version_1, right }
    }

    pub fn pointer<T>(&self) -> *mut T {
        self.given.map_or(null_mut(), |given| given.pointer())
    }

    /// What a call has to return for it.
    pub fn wrong(&self, optional: bool) -> Codes {
        match self.given {
            None if optional => Codes::none(),
            None => Codes::of(&[ORS_E_NULL]),
            Some(_) if !self.right => Codes::of(&[ORS_E_STRUCT_SIZE]),
            Some(_) => Codes::none(),
        }
    }

    /// The bytes of a struct that was right.
    pub fn filled(&self) -> Option<Given> {
        self.given.filter(|_| self.right)
    }

    /// What it must hold whatever the call returned: its size; nothing beyond version 1; nothing at all when its size is wrong.
    pub fn check(&self) -> Result<(), String> {
        let Some(given) = self.given else { return Ok(()) };
        given.kept_to()?;
        if given.u32_at(0) != self.size {
            return Err("struct_size was changed".to_owned());
        }
        let bytes = given.bytes();
        if !self.right {
            let untouched = bytes[4..].iter().all(|byte| *byte == STALE);
            return if untouched { Ok(()) } else { Err("a struct of a wrong size was written".to_owned()) };
        }
        if bytes[self.version_1..].iter().any(|byte| *byte != 0) {
            return Err("what the library does not know of the struct is not zero".to_owned());
        }
        Ok(())
    }

    /// All zeros but the size, as after a failed call.
    pub fn check_zeroed(&self) -> Result<(), String> {
        match self.filled() {
            Some(given) if given.bytes()[4..].iter().any(|byte| *byte != 0) => {
                Err("a failed call left something in the struct".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The caller's error struct.
pub struct ErrorStruct(OutStruct);

impl ErrorStruct {
    pub fn new(dice: &mut Dice, region: &mut Region) -> ErrorStruct {
        let mut out = OutStruct::new(dice, region, size_of::<ors_error>());
        if dice.one_in(3) {
            out.given = None;
        }
        ErrorStruct(out)
    }

    pub fn pointer(&self) -> *mut ors_error {
        self.0.pointer()
    }

    pub fn wrong(&self) -> Codes {
        self.0.wrong(true)
    }

    /// It says what the function returned, in whole texts.
    pub fn check(&self, code: i32) -> Result<(), String> {
        self.0.check()?;
        let Some(given) = self.0.filled() else { return Ok(()) };
        if given.i32_at(4) != code {
            return Err(format!("the error struct says {}", given.i32_at(4)));
        }
        if given.u32_at(12) != 0 {
            return Err("the error struct's reserved member is not zero".to_owned());
        }
        let bytes = given.bytes();
        whole_text(&bytes[16..80])?;
        let message = whole_text(&bytes[80..512])?;
        if code != ORS_OK && message.is_empty() {
            return Err("the error struct has no sentence".to_owned());
        }
        Ok(())
    }
}

/// A NUL-terminated text in a member of a struct, with zeros behind it.
fn whole_text(bytes: &[u8]) -> Result<&str, String> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or("a text of the error struct has no NUL")?;
    if bytes[end..].iter().any(|byte| *byte != 0) {
        return Err("something is left behind a text of the error struct".to_owned());
    }
    std::str::from_utf8(&bytes[..end]).map_err(|_| "a text of the error struct is not UTF-8".to_owned())
}

/// Where a text goes: buf, cap, needed.
pub struct TextOut {
    buf: Option<Given>,
    pub cap: usize,
    needed: Option<Given>,
}

impl TextOut {
    pub fn new(dice: &mut Dice, buf: &mut Region, needed: &mut Region) -> TextOut {
        let gap = if dice.one_in(2) { 0 } else { 4 };
        let needed = (!dice.one_in(5)).then(|| needed.give(size_of::<usize>(), gap));
        let cap = match dice.below(16) {
            0 => return TextOut { buf: None, cap: 0, needed },
            // A cap without a buffer: whatever it says, nobody may write there.
            1 => return TextOut { buf: None, cap: dice.pick(&[1, 64, LARGEST_TEXT, usize::MAX]), needed },
            2 => 0,
            3 => 1,
            4 => 1 + dice.below(16) as usize,
            5..9 => 1 + dice.below(200) as usize,
            9..12 => 4_096,
            _ => LARGEST_TEXT,
        };
        TextOut { buf: Some(buf.give(cap, gap)), cap, needed }
    }

    pub fn buf(&self) -> *mut c_char {
        self.buf.map_or(null_mut(), |given| given.pointer())
    }

    pub fn needed(&self) -> *mut usize {
        self.needed.map_or(null_mut(), |given| given.pointer())
    }

    pub fn wrong(&self) -> Codes {
        if self.buf.is_none() && self.cap > 0 { Codes::of(&[ORS_E_NULL]) } else { Codes::none() }
    }

    /// A text that fits, or none of it; the length is told; nothing is written beyond `cap`. Returns the text of a call that succeeded.
    pub fn check(&self, code: i32) -> Result<Option<&str>, String> {
        let needed = match self.needed {
            Some(given) => {
                given.kept_to()?;
                Some(given.u64_at(0) as usize)
            }
            None => None,
        };
        if let Some(buf) = &self.buf {
            buf.kept_to()?;
        }
        let bytes = self.buf.as_ref().map(Given::bytes).unwrap_or_default();
        match code {
            ORS_OK => {
                let end = bytes.iter().position(|byte| *byte == 0).ok_or("no NUL ends the text")?;
                if needed.is_some_and(|needed| needed != end + 1) {
                    return Err(format!("*needed is {needed:?} for a text of {end} bytes"));
                }
                let text = std::str::from_utf8(&bytes[..end]).map_err(|_| "the text is not UTF-8".to_owned())?;
                return Ok(Some(text));
            }
            ORS_E_BUFFER_TOO_SMALL if needed.is_some_and(|needed| needed <= self.cap) => {
                return Err(format!("{needed:?} bytes are too many for {}", self.cap));
            }
            ORS_E_BUFFER_TOO_SMALL => {}
            _ if needed.is_some_and(|needed| needed != 0) => {
                return Err(format!("a failed call left *needed at {needed:?}"));
            }
            _ => {}
        }
        if bytes.first().is_some_and(|byte| *byte != 0) {
            return Err("a failed call left a text".to_owned());
        }
        Ok(None)
    }
}

/// A text that goes in: pointer and length.
pub struct TextIn {
    pub pointer: *const c_char,
    pub len: usize,
    wrong: bool,
}

const NOT_UTF_8: [&[u8]; 5] = [b"\x80", b"e\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"en\xff"];

impl TextIn {
    /// One of `good`, or NULL, or something that is no such text: then the call has to say `ORS_E_TEXT`.
    pub fn new(dice: &mut Dice, region: &mut Region, good: &[&str], longest: usize) -> TextIn {
        match dice.below(20) {
            0 => TextIn { pointer: null_mut(), len: dice.pick(&[0, 1, 7, usize::MAX]), wrong: false },
            1 => TextIn::wrong_bytes(region, dice.pick(&NOT_UTF_8)),
            2 => TextIn::wrong_bytes(region, b"e\0n"),
            3 => TextIn::wrong_bytes(region, &vec![b'e'; longest + 1]),
            4 => {
                // The library may read one byte more than it takes, and no NUL is there.
                let given = region.give_bytes(&vec![b'e'; longest + 1]);
                TextIn { pointer: given.pointer(), len: ORS_NTS, wrong: true }
            }
            5 => {
                let len = dice.pick(&[ORS_NTS - 1, isize::MAX as usize, longest + 1]);
                TextIn { pointer: region.give_bytes(b"e").pointer(), len, wrong: true }
            }
            n => {
                let text = dice.pick(good);
                TextIn::right(region, text, n % 2 == 0)
            }
        }
    }

    pub fn right(region: &mut Region, text: &str, with_nul: bool) -> TextIn {
        if with_nul {
            let given = region.give_bytes(&[text.as_bytes(), b"\0"].concat());
            return TextIn { pointer: given.pointer(), len: ORS_NTS, wrong: false };
        }
        TextIn { pointer: region.give_bytes(text.as_bytes()).pointer(), len: text.len(), wrong: false }
    }

    fn wrong_bytes(region: &mut Region, bytes: &[u8]) -> TextIn {
        TextIn { pointer: region.give_bytes(bytes).pointer(), len: bytes.len(), wrong: true }
    }

    /// Who did something.
    pub fn by(dice: &mut Dice, region: &mut Region) -> TextIn {
        if dice.one_in(40) {
            return TextIn::wrong_bytes(region, b"a\nb");
        }
        TextIn::new(dice, region, &["", "Ann", "J\u{fc}rgen \u{540d}\u{524d}"], 800)
    }

    /// A language, or a whole Accept-Language value.
    pub fn language(dice: &mut Dice, region: &mut Region) -> TextIn {
        let good = ["", "en", "de-AT", "x-klingon", "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", ";;;q=,,-"];
        TextIn::new(dice, region, &good, 4_096)
    }

    pub fn wrong(&self) -> Codes {
        if self.wrong { Codes::of(&[ORS_E_TEXT]) } else { Codes::none() }
    }

    pub fn is_null(&self) -> bool {
        self.pointer.is_null()
    }
}

/// A number that the library writes; optional, at any address of four.
pub struct Number(Option<Given>);

impl Number {
    pub fn new(dice: &mut Dice, region: &mut Region, before: u64) -> Number {
        if dice.one_in(12) {
            return Number(None);
        }
        let given = region.give(8, if dice.one_in(2) { 0 } else { 4 });
        given.put(0, &before.to_ne_bytes());
        Number(Some(given))
    }

    pub fn pointer<T>(&self) -> *mut T {
        self.0.map_or(null_mut(), |given| given.pointer())
    }

    pub fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// What it holds now; `None` where it was NULL.
    pub fn value(&self) -> Result<Option<u64>, String> {
        let Some(given) = self.0 else { return Ok(None) };
        given.kept_to()?;
        Ok(Some(given.u64_at(0)))
    }
}
