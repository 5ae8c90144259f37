//! Small inputs that stand for large files.

/// The byte that begins a repetition. It is in no UTF-8 text.
pub const REPEAT: u8 = 0xFF;
/// As the first byte: the bytes may stand for a file of the largest size. Without it repetitions end at [`USUAL`], or a fuzzer would
/// spend its time on a few large files.
pub const LARGE: u8 = 0xF8;
const USUAL: usize = 16 << 10;

/// The bytes with every repetition written out, cut to `most`. A repetition is [`REPEAT`], how often (two bytes, the lower one
/// first), the length of what is repeated (one byte), and what is repeated.
pub fn expand(data: &[u8], most: usize) -> Vec<u8> {
    let (data, most) = match data {
        [LARGE, data @ ..] => (data, most),
        data => (data, most.min(USUAL.max(data.len()))),
    };
    let mut out = Vec::with_capacity(data.len().min(most));
    let mut rest = data;
    while let Some((&byte, after)) = rest.split_first()
        && out.len() < most
    {
        rest = after;
        match (byte, after) {
            (REPEAT, [low, high, length, after @ ..]) => {
                let (chunk, after) = after.split_at(after.len().min(usize::from(*length)));
                let times = usize::from(u16::from_le_bytes([*low, *high]));
                let room = (most - out.len()).div_ceil(chunk.len().max(1));
                out.extend(std::iter::repeat_n(chunk, times.min(room)).flatten());
                rest = after;
            }
            _ => out.push(byte),
        }
    }
    out.truncate(most);
    out
}

/// An input that stands for a large file, for seeds.
pub fn large(parts: &[&[u8]]) -> Vec<u8> {
    [&[&[LARGE][..]], parts].concat().concat()
}

/// A repetition, for seeds.
pub fn repeat(times: u16, chunk: &[u8]) -> Vec<u8> {
    let [low, high] = times.to_le_bytes();
    let length = u8::try_from(chunk.len()).expect("a chunk has at most 255 bytes");
    [&[REPEAT, low, high, length], chunk].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_written_out_and_everything_else_stays() {
        assert_eq!(expand(b"abc", 10), b"abc");
        assert_eq!(expand(&[b"[", &repeat(3, b"1,")[..], b"1]"].concat(), 100), b"[1,1,1,1]");
        assert_eq!(expand(&repeat(65_535, b"ab"), 5), b"ababa");
        assert_eq!(expand(&repeat(65_535, b""), 5), b"");
        assert_eq!(expand(&[REPEAT, 1], 5), [REPEAT, 1]);
        let many = repeat(65_535, b"abcd");
        assert_eq!(expand(&many, 1 << 20).len(), USUAL);
        assert_eq!(expand(&large(&[&many]), 1 << 20).len(), 4 * 65_535);
        assert_eq!(expand(&[0; 20_000], 1 << 20).len(), 20_000);
    }
}
