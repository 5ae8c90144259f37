//! From an error to a number and the caller's struct: the one place where both are made.

use super::codes::*;
use super::structs::{BadStruct, Out, ors_error};
use crate::agent::{Error, Kind};

/// The number of the ABI for an error.
pub fn code(kind: Kind) -> i32 {
    match kind {
        Kind::Null => ORS_E_NULL,
        Kind::Argument => ORS_E_ARGUMENT,
        Kind::Text => ORS_E_TEXT,
        Kind::StructSize => ORS_E_STRUCT_SIZE,
        Kind::BufferTooSmall => ORS_E_BUFFER_TOO_SMALL,
        Kind::Closed => ORS_E_CLOSED,
        Kind::ReadOnly => ORS_E_READ_ONLY,
        Kind::Timeout => ORS_E_TIMEOUT,
        Kind::Stale => ORS_E_STALE,
        Kind::Disabled => ORS_E_DISABLED,
        Kind::Refused => ORS_E_REFUSED,
        Kind::Reentrant => ORS_E_REENTRANT,
        Kind::NewerState => ORS_E_NEWER_STATE,
        Kind::Limit => ORS_E_LIMIT,
        Kind::Io => ORS_E_IO,
        Kind::Permission => ORS_E_PERMISSION,
        Kind::Internal => ORS_E_INTERNAL,
    }
}

impl BadStruct {
    /// As an error about the argument `place`.
    pub fn about(self, place: &str) -> Error {
        match self {
            BadStruct::Null => Error::new(Kind::Null, place, format!("{place} is NULL.")),
            BadStruct::Size => {
                Error::new(Kind::StructSize, place, format!("{place}->struct_size is not a size that is taken."))
            }
            BadStruct::Unknown => Error::new(
                Kind::Argument,
                place,
                format!("{place} sets members that this version of the library does not know."),
            ),
        }
    }
}

const WORDS: usize = size_of::<ors_error>() / 8;
const WHERE: std::ops::Range<usize> = 16..80;
const MESSAGE: std::ops::Range<usize> = 80..512;

/// The caller's error struct, when one is wanted.
pub struct ErrorOut(Option<Out>);

impl ErrorOut {
    /// # Safety
    /// `pointer` is NULL or points to as many writable bytes as its `struct_size` says, until the call returns.
    pub unsafe fn new(pointer: *mut ors_error) -> Result<ErrorOut, Error> {
        if pointer.is_null() {
            return Ok(ErrorOut(None));
        }
        // SAFETY: passed on from the caller.
        unsafe { Out::new(pointer) }.map(|out| ErrorOut(Some(out))).map_err(|bad| bad.about("error"))
    }

    /// Writes how the call went: on success code 0 and empty texts.
    pub fn write(&self, error: Option<&Error>) {
        match error {
            Some(error) => self.fill(code(error.kind), error.os_code, &error.place, &error.message),
            None => self.fill(ORS_OK, 0, "", ""),
        }
    }

    /// A sentence for a call that succeeded and has something to say.
    pub fn say(&self, message: &str) {
        self.fill(ORS_OK, 0, "", message);
    }

    fn fill(&self, code: i32, os_code: i32, place: &str, message: &str) {
        let Some(out) = &self.0 else { return };
        let mut bytes = [0u8; WORDS * 8];
        put(&mut bytes, 4..8, &code.to_le_bytes());
        put(&mut bytes, 8..12, &os_code.to_le_bytes());
        put(&mut bytes, WHERE, cut(place, WHERE.len() - 1).as_bytes());
        put(&mut bytes, MESSAGE, cut(message, MESSAGE.len() - 1).as_bytes());
        let mut words = [0u64; WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = chunk.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        }
        out.write(&words);
    }
}

fn put(bytes: &mut [u8], range: std::ops::Range<usize>, from: &[u8]) {
    if let Some(to) = bytes.get_mut(range) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

/// At most `limit` bytes, cut at a character.
fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}
