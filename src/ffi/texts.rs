//! Text in and text out.

use crate::agent::{Error, Kind};
use crate::injected;
use std::ffi::c_char;

use super::codes::ORS_NTS;

/// The caller's bytes as text: `len` bytes, or up to the NUL with `ORS_NTS`. NULL is `None`.
///
/// # Safety
/// `pointer` is NULL, or `len` bytes are readable, or with `ORS_NTS` all bytes up to a NUL are (at most `limit` + 1 are read).
/// The text lives no longer than the call.
pub unsafe fn text_in<'a>(
    pointer: *const c_char,
    len: usize,
    limit: usize,
    place: &str,
) -> Result<Option<&'a str>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    let wrong = |what: String| Error::new(Kind::Text, place, what);
    let len = if len == ORS_NTS {
        // SAFETY: every byte before the first NUL is readable, and the NUL itself.
        let nul = (0..=limit).find(|at| unsafe { pointer.add(*at).read() } == 0);
        nul.ok_or_else(|| wrong(format!("{place} is longer than {limit} bytes.")))?
    } else {
        len
    };
    if len > limit {
        return Err(wrong(format!("{place} is longer than {limit} bytes.")));
    }
    // SAFETY: `len` bytes are readable, as said above; u8 needs no alignment.
    let bytes = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), len) };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(format!("{place} is not UTF-8.")))?;
    if text.contains('\0') {
        return Err(wrong(format!("{place} has a NUL inside.")));
    }
    Ok(Some(text))
}

/// A member of an options struct: NUL-terminated, `None` when NULL.
///
/// # Safety
/// As [`text_in`] with `ORS_NTS`.
pub unsafe fn member(pointer: *const c_char, limit: usize, place: &str) -> Result<Option<String>, Error> {
    // SAFETY: passed on from the caller.
    Ok(unsafe { text_in(pointer, ORS_NTS, limit, place)? }.map(str::to_owned))
}

/// Longest name of a person who did something, in characters.
const LONGEST_BY: usize = 200;

/// Who did it in the product; empty when not known.
///
/// # Safety
/// As [`text_in`].
pub unsafe fn by(pointer: *const c_char, len: usize) -> Result<String, Error> {
    // SAFETY: passed on from the caller; a character has at most four bytes.
    let text = unsafe { text_in(pointer, len, LONGEST_BY * 4, "by")? }.unwrap_or_default();
    if text.chars().count() > LONGEST_BY || text.chars().any(char::is_control) {
        return Err(Error::new(Kind::Text, "by", "by is at most 200 characters, none of them a control character."));
    }
    Ok(text.to_owned())
}

/// Where a text goes.
pub struct TextOut {
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
}

impl TextOut {
    /// Takes the caller's buffer and empties it: a call that fails leaves "" and a size of 0.
    ///
    /// # Safety
    /// `buf` is NULL or `cap` bytes are writable; `needed` is NULL or writable.
    pub unsafe fn new(buf: *mut c_char, cap: usize, needed: *mut usize) -> Result<TextOut, Error> {
        if !needed.is_null() {
            // SAFETY: writable, as said above; it need not be aligned.
            unsafe { needed.write_unaligned(0) };
        }
        if buf.is_null() && cap > 0 {
            return Err(Error::new(Kind::Null, "buf", "buf is NULL, and cap is not 0."));
        }
        if cap > 0 {
            // SAFETY: at least one byte is writable.
            unsafe { buf.write(0) };
        }
        injected::point();
        Ok(TextOut { buf, cap, needed })
    }

    /// Writes the text and its NUL, or nothing of it when the buffer is too small.
    pub fn write(&self, text: &str) -> Result<(), Error> {
        let size = text.len() + 1;
        if !self.needed.is_null() {
            // SAFETY: see `new`.
            unsafe { self.needed.write_unaligned(size) };
        }
        if size > self.cap {
            return Err(Error::new(
                Kind::BufferTooSmall,
                "buf",
                format!("The buffer has {} bytes, {size} are needed.", self.cap),
            ));
        }
        // SAFETY: `cap` bytes are writable and the text with its NUL is not longer.
        unsafe {
            self.buf.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
            self.buf.add(text.len()).write(0);
        }
        Ok(())
    }
}
