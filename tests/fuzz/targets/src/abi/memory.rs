//! A caller's memory: blocks of exactly the size that the caller says, so that AddressSanitizer sees every byte beyond, at
//! addresses that are as odd as the header allows, filled with what must not be left standing.

use crate::reader::Reader;
use ors::ffi::ORS_NTS;
use std::ffi::c_char;
use std::ptr::{null, null_mut};

/// What stands in memory that the library has to write.
pub const STALE: u8 = 0xAA;

/// A text argument.
pub struct Text {
    bytes: Option<Vec<u8>>,
    len: usize,
}

impl Text {
    /// NULL, or with a length, or up to its NUL; of any bytes.
    pub fn any(reader: &mut Reader<'_>, most: usize) -> Text {
        match reader.u8() % 4 {
            0 => Text { bytes: None, len: [0, 1, ORS_NTS, usize::MAX / 2][usize::from(reader.u8() % 4)] },
            1 => Text::terminated(reader.expanded(most)),
            _ => Text::exact(reader.expanded(most)),
        }
    }

    pub fn exact(bytes: Vec<u8>) -> Text {
        Text { len: bytes.len(), bytes: Some(bytes.into_boxed_slice().into_vec()) }
    }

    /// Up to its first NUL.
    pub fn terminated(mut bytes: Vec<u8>) -> Text {
        bytes.push(0);
        Text { bytes: Some(bytes.into_boxed_slice().into_vec()), len: ORS_NTS }
    }

    pub fn pointer(&self) -> *const c_char {
        self.bytes.as_ref().map_or(null(), |bytes| bytes.as_ptr().cast())
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

/// A buffer for a text, and where its size goes.
pub struct Buffer {
    bytes: Option<Vec<u8>>,
    cap: usize,
    needed: Option<Number>,
}

impl Buffer {
    pub fn any(reader: &mut Reader<'_>) -> Buffer {
        let cap = match reader.u8() % 8 {
            0 => 0,
            1 => 1,
            2 => usize::from(reader.u8()),
            _ => usize::from(reader.u16()),
        };
        // NULL with a size above 0 is a mistake that is told; NULL with 0 asks for the size.
        let bytes = (!reader.one_in(8)).then(|| vec![STALE; cap]);
        let needed = (!reader.one_in(8)).then(|| Number::any(reader));
        Buffer { bytes, cap, needed }
    }

    pub fn pointer(&mut self) -> *mut c_char {
        self.bytes.as_mut().map_or(null_mut(), |bytes| bytes.as_mut_ptr().cast())
    }

    pub fn cap(&self) -> usize {
        self.cap
    }

    pub fn needed(&mut self) -> *mut usize {
        self.needed.as_mut().map_or(null_mut(), |number| number.pointer().cast())
    }

    /// What has to stand here after a call that returned `code`.
    pub fn check(&self, what: &str, code: i32) {
        let needed = self.needed.as_ref().map(|number| number.get() as usize);
        match code {
            ors::ffi::ORS_OK => {
                let bytes = self.bytes.as_deref().expect("a text goes into a buffer");
                let end = bytes.iter().position(|byte| *byte == 0).expect("a text ends with a NUL");
                assert!(needed.is_none_or(|needed| needed == end + 1), "{what}: {needed:?} for {end} bytes");
                assert!(std::str::from_utf8(&bytes[..end]).is_ok(), "{what}: a text is UTF-8");
                assert!(bytes[end + 1..].iter().all(|byte| *byte == STALE), "{what}: nothing is written beyond a text");
            }
            code => {
                let told = code == ors::ffi::ORS_E_BUFFER_TOO_SMALL;
                assert!(
                    needed.is_none_or(|needed| if told { needed > self.cap } else { needed == 0 }),
                    "{what}: {code}"
                );
                let first = self.bytes.as_deref().and_then(<[u8]>::first);
                assert!(first.is_none_or(|first| *first == 0), "{what}: no text is left after {code}");
            }
        }
    }
}

/// Eight bytes at any address.
pub struct Number {
    bytes: Vec<u8>,
    offset: usize,
}

impl Number {
    pub fn any(reader: &mut Reader<'_>) -> Number {
        Number::of(reader, u64::from_le_bytes([STALE; 8]))
    }

    pub fn of(reader: &mut Reader<'_>, value: u64) -> Number {
        let offset = usize::from(reader.u8() % 8);
        Number { bytes: [&vec![STALE; offset][..], &value.to_le_bytes()].concat(), offset }
    }

    pub fn pointer(&mut self) -> *mut u64 {
        // SAFETY: the offset lies within the block.
        unsafe { self.bytes.as_mut_ptr().add(self.offset).cast() }
    }

    pub fn get(&self) -> u64 {
        let value: [u8; 8] = self.bytes[self.offset..].try_into().expect("eight bytes");
        u64::from_le_bytes(value)
    }
}

/// A struct of the ABI as the caller holds it: exactly as many bytes as its `struct_size` says, at an address that 4 divides.
pub struct Struct {
    bytes: Option<Vec<u8>>,
    skipped: usize,
    size: usize,
}

impl Struct {
    /// A struct for answers.
    pub fn out<T>(reader: &mut Reader<'_>) -> Struct {
        Struct::any(reader, size_of::<T>(), &[], STALE)
    }

    /// What the library reads: `given`, and beyond it zeros or anything.
    pub fn given<T: Copy>(reader: &mut Reader<'_>, given: &T) -> Struct {
        // SAFETY: the structs of the ABI have no padding.
        let bytes = unsafe { std::slice::from_raw_parts(std::ptr::from_ref(given).cast::<u8>(), size_of::<T>()) };
        let beyond = if reader.one_in(8) { STALE } else { 0 };
        Struct::any(reader, size_of::<T>(), bytes, beyond)
    }

    /// NULL, or of any size. A size that is not taken has no memory behind it but the size itself.
    fn any(reader: &mut Reader<'_>, usual: usize, given: &[u8], beyond: u8) -> Struct {
        let size = match reader.u8() % 16 {
            0 => return Struct { bytes: None, skipped: 0, size: 0 },
            1 => reader.u32() as usize,
            2 => usual + usize::from(reader.u16() % 64),
            _ => usual,
        };
        let real = if (usual..=4_096).contains(&size) { size } else { 4 };
        let skipped = usize::from(reader.u8() & 1) * 4;
        let mut bytes = [vec![STALE; skipped], given[..given.len().min(real)].to_vec()].concat();
        bytes.resize(skipped + real, beyond);
        bytes[skipped..skipped + 4].copy_from_slice(&(size as u32).to_le_bytes());
        bytes.shrink_to_fit();
        Struct { bytes: Some(bytes), skipped, size }
    }

    /// For a struct that is written.
    pub fn pointer<T>(&mut self) -> *mut T {
        let skipped = self.skipped;
        self.bytes.as_mut().map_or(null_mut(), |bytes| bytes[skipped..].as_mut_ptr().cast())
    }

    /// For a struct that is only read.
    pub fn const_pointer<T>(&self) -> *const T {
        self.bytes.as_ref().map_or(null(), |bytes| bytes[self.skipped..].as_ptr().cast())
    }

    /// Whether the size is one that the library takes.
    pub fn size_is_taken<T>(&self) -> bool {
        self.bytes.is_some() && (size_of::<T>()..=4_096).contains(&self.size)
    }

    /// After a failed call the struct is zero, where its size is one that is taken.
    pub fn is_zero_after_failure<T>(&self, what: &str) {
        if let Some(bytes) = self.bytes.as_ref().filter(|_| self.size_is_taken::<T>()) {
            assert!(bytes[self.skipped + 4..].iter().all(|byte| *byte == 0), "{what}");
        }
    }

    /// The number at this place, counted in fours.
    pub fn word(&self, index: usize) -> u32 {
        let at = self.skipped + index * 4;
        let word = self.bytes.as_ref().and_then(|bytes| bytes.get(at..at + 4)).and_then(|word| word.try_into().ok());
        word.map_or(0, u32::from_le_bytes)
    }

    /// `struct_size` is the caller's: nobody else writes it.
    pub fn keeps_its_size(&self, what: &str) {
        assert!(self.bytes.is_none() || self.word(0) == self.size as u32, "{what}");
    }
}
