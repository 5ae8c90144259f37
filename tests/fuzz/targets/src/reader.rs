//! Takes numbers and texts from the front of an input; zeros and nothing when it is used up.

use crate::expand::expand;

pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn number<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let taken = self.bytes(N);
        out[..taken.len()].copy_from_slice(taken);
        out
    }

    pub fn u8(&mut self) -> u8 {
        self.number::<1>()[0]
    }

    /// True for one of `n` values of the next byte, 0 among them.
    pub fn one_in(&mut self, n: u8) -> bool {
        self.u8().is_multiple_of(n)
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.number())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.number())
    }

    pub fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.number())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.number())
    }

    pub fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.number())
    }

    /// What a length of two bytes and the bytes after it stand for, at most `most` bytes.
    pub fn expanded(&mut self, most: usize) -> Vec<u8> {
        let length = usize::from(self.u16());
        expand(self.bytes(length), most)
    }

    pub fn text(&mut self, most: usize) -> String {
        String::from_utf8_lossy(&self.expanded(most)).into_owned()
    }
}
