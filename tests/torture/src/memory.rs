//! The caller's memory, laid out so that a byte read or written beyond what was given is noticed: what is given ends where a page begins
//! that nobody may touch, or a few bytes before it, and those and the bytes in front of it are full of a pattern.

use std::ptr::null_mut;

/// What stands in memory before a call.
pub const STALE: u8 = 0xA5;

/// So many bytes in front of what is given are looked at after the call.
const MARGIN: usize = 64;

/// Memory between two pages that nobody may touch.
pub struct Region {
    start: *mut u8,
    length: usize,
}

const PAGE: usize = 4_096;

impl Region {
    /// At least `length` bytes.
    pub fn new(length: usize) -> Region {
        let length = (length + MARGIN).next_multiple_of(PAGE);
        // SAFETY: new memory of our own, whose first and last page are closed.
        let start = unsafe {
            let all = libc::mmap(
                null_mut(),
                length + 2 * PAGE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(all, libc::MAP_FAILED, "memory");
            let start = all.cast::<u8>().add(PAGE);
            assert_eq!(libc::mprotect(start.cast(), length, libc::PROT_READ | libc::PROT_WRITE), 0, "memory");
            start
        };
        Region { start, length }
    }

    /// `size` bytes that end `gap` bytes before the page that nobody may touch, all of them stale.
    pub fn give(&mut self, size: usize, gap: usize) -> Given {
        assert!(size + gap + MARGIN <= self.length, "{size} bytes are more than there are");
        // SAFETY: inside of the region, as just asserted.
        let given = unsafe { Given { start: self.start.add(self.length - gap - size), size, gap } };
        // SAFETY: as above.
        unsafe { given.start.sub(MARGIN).write_bytes(STALE, MARGIN + size + gap) };
        given
    }

    /// These very bytes, ending at the page that nobody may touch.
    pub fn give_bytes(&mut self, bytes: &[u8]) -> Given {
        let given = self.give(bytes.len(), 0);
        // SAFETY: so many were given.
        unsafe { given.start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        given
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`; nobody has a pointer into it any more.
        unsafe { libc::munmap(self.start.sub(PAGE).cast(), self.length + 2 * PAGE) };
    }
}

/// A piece of a region. It is used up by the next piece that the region gives.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    start: *mut u8,
    size: usize,
    gap: usize,
}

impl Given {
    pub fn pointer<T>(&self) -> *mut T {
        self.start.cast()
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: memory of the region, which outlives the call that it was given for.
        unsafe { std::slice::from_raw_parts(self.start, self.size) }
    }

    pub fn put(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.size, "inside of what was given");
        // SAFETY: as just asserted.
        unsafe { self.start.add(at).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    pub fn u32_at(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.bytes()[at..at + 4].try_into().expect("four bytes"))
    }

    pub fn i32_at(&self, at: usize) -> i32 {
        self.u32_at(at).cast_signed()
    }

    pub fn u64_at(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.bytes()[at..at + 8].try_into().expect("eight bytes"))
    }

    /// Nothing was written in front of it or behind it.
    pub fn kept_to(&self) -> Result<(), String> {
        // SAFETY: memory of the region: the margin, what was given, the gap.
        let (before, after) = unsafe {
            (
                std::slice::from_raw_parts(self.start.sub(MARGIN), MARGIN),
                std::slice::from_raw_parts(self.start.add(self.size), self.gap),
            )
        };
        if before.iter().chain(after).all(|byte| *byte == STALE) {
            return Ok(());
        }
        Err(format!("wrote outside of the {} bytes that were given", self.size))
    }
}

/// The regions of one thread: one for each argument of a call that may need one.
pub struct Memory {
    pub input: Region,
    pub out: Region,
    pub error: Region,
    pub buf: Region,
    pub needed: Region,
    pub number: Region,
    pub level: Region,
    pub text: Region,
    pub by: Region,
    pub data: Region,
    /// Texts of an options struct, or of a query.
    pub members: [Region; 7],
}

/// The largest buffer for a text: more than any of the functions writes but for a licence that waits to be copied.
pub const LARGEST_TEXT: usize = 256 << 10;

impl Memory {
    pub fn new() -> Memory {
        let of = Region::new;
        Memory {
            input: of(PAGE),
            out: of(PAGE + 8),
            error: of(PAGE + 8),
            buf: of(LARGEST_TEXT),
            needed: of(16),
            number: of(16),
            level: of(16),
            text: of(70 << 10),
            by: of(PAGE),
            data: of((1 << 20) + 16),
            members: [(); 7].map(|()| of(6_000)),
        }
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_written_beside_what_was_given_is_noticed() {
        let mut region = Region::new(100);
        for gap in [0, 4] {
            let given = region.give(64, gap);
            assert_eq!(given.kept_to(), Ok(()));
            given.put(0, &[1; 64]);
            assert_eq!(given.kept_to(), Ok(()));
        }
        let given = region.give(64, 4);
        for beside in [-1, 64] {
            let mut region = Region::new(100);
            let given = region.give(64, 4);
            // SAFETY: the margin or the gap of the region.
            unsafe { given.pointer::<u8>().offset(beside).write(0) };
            assert!(given.kept_to().is_err(), "{beside}");
        }
        assert_eq!(given.kept_to(), Ok(()));
    }
}
