//! Checks on the raw bytes of a JSON text, before any parser that recurses or keeps the last of two equal keys.
//!
//! [`check_raw`] looks at UTF-8, nesting, equal keys and the structure of brackets, commas and colons, with a stack of its own
//! and one pass. It is no second parser: numbers and words it only skips, and what it lets through still has to pass `serde_json`.

use std::collections::BTreeSet;
use std::fmt;

/// The deepest nesting of objects and arrays that is read.
pub const MAX_NESTING: usize = 32;
/// The most values in one JSON text: objects, arrays, texts, numbers and words. Without it a file of 1 MiB that is one list of
/// zeros takes a piece of memory of 16 MiB.
pub const MAX_VALUES: usize = 32_768;
/// The most bytes between the quotes of a text that is written with escapes: a parser unescapes into memory that grows by doubling.
pub const MAX_ESCAPED: usize = 512 << 10;
/// The most bytes between the quotes of any text in a document of our own, whose parser repeats a wrong text in its message.
const MAX_DOCUMENT_TEXT: usize = 16 << 10;

/// What is wrong with the raw bytes of a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawProblem {
    /// Objects and arrays are nested deeper than [`MAX_NESTING`].
    TooDeep,
    /// More values than [`MAX_VALUES`].
    TooMany,
    /// A text that is longer than may be.
    TooLong,
    /// An object has this key twice, as read after its escapes are resolved.
    DuplicateKey(String),
    /// Not UTF-8, or a string with an escape that stands for no character.
    NotText,
    /// Not JSON; the offset in bytes at which it stops to be.
    Syntax(usize),
}

impl fmt::Display for RawProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RawProblem::TooDeep => write!(f, "it is nested deeper than {MAX_NESTING} levels"),
            RawProblem::TooMany => write!(f, "it has more than {MAX_VALUES} values"),
            RawProblem::TooLong => f.write_str("a text in it is too long"),
            RawProblem::DuplicateKey(key) => write!(f, "it has the key \"{}\" twice", super::text::clean(key, 60)),
            RawProblem::NotText => f.write_str("it is not UTF-8 text"),
            RawProblem::Syntax(at) => write!(f, "it is not JSON (at byte {at})"),
        }
    }
}

impl std::error::Error for RawProblem {}

enum Frame {
    Object(BTreeSet<String>),
    Array,
}

/// What may stand next.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    /// Just after `[`.
    ValueOrEnd,
    /// Just after `{`.
    KeyOrEnd,
    Key,
    Colon,
    /// After a value: a comma, the end of what is open, or of the text.
    After,
}

/// Checks a JSON text without recursion; time and memory are proportional to its length.
///
/// The caller limits the length. Bytes that pass are one JSON value, but for the spelling of numbers and of `true`, `false`, `null`.
pub fn check_raw(bytes: &[u8]) -> Result<(), RawProblem> {
    check_within(bytes, usize::MAX)
}

/// The same for a document of our own, in which no text is long.
pub(crate) fn check_document(bytes: &[u8]) -> Result<(), RawProblem> {
    check_within(bytes, MAX_DOCUMENT_TEXT)
}

/// `longest` is how many bytes may stand between two quotes.
fn check_within(bytes: &[u8], longest: usize) -> Result<(), RawProblem> {
    let text = std::str::from_utf8(bytes).map_err(|_| RawProblem::NotText)?;
    let mut open: Vec<Frame> = Vec::new();
    let mut expect = Expect::Value;
    let mut at = 0;
    let mut values = 0;
    while let Some(&byte) = bytes.get(at) {
        let here = at;
        at += 1;
        if matches!(expect, Expect::Value | Expect::ValueOrEnd) && !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b']')
        {
            values += 1;
            if values > MAX_VALUES {
                return Err(RawProblem::TooMany);
            }
        }
        expect = match (byte, expect) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => expect,
            (b'{' | b'[', Expect::Value | Expect::ValueOrEnd) => {
                if open.len() == MAX_NESTING {
                    return Err(RawProblem::TooDeep);
                }
                let (frame, next) = match byte {
                    b'{' => (Frame::Object(BTreeSet::new()), Expect::KeyOrEnd),
                    _ => (Frame::Array, Expect::ValueOrEnd),
                };
                open.push(frame);
                next
            }
            (b'}', Expect::KeyOrEnd | Expect::After) if matches!(open.last(), Some(Frame::Object(_))) => {
                open.pop();
                Expect::After
            }
            (b']', Expect::ValueOrEnd | Expect::After) if matches!(open.last(), Some(Frame::Array)) => {
                open.pop();
                Expect::After
            }
            (b',', Expect::After) => match open.last() {
                Some(Frame::Object(_)) => Expect::Key,
                Some(Frame::Array) => Expect::Value,
                None => return Err(RawProblem::Syntax(here)),
            },
            (b':', Expect::Colon) => Expect::Value,
            (b'"', Expect::Key | Expect::KeyOrEnd) => {
                let end = string_end(bytes, at, longest)?;
                // Quotes are ASCII, so the slice ends at character boundaries.
                let key = unescape(text.get(at..end).ok_or(RawProblem::NotText)?, here)?;
                at = end + 1;
                if let Some(Frame::Object(keys)) = open.last_mut()
                    && let Some(twice) = keys.replace(key)
                {
                    return Err(RawProblem::DuplicateKey(twice));
                }
                Expect::Colon
            }
            (b'"', Expect::Value | Expect::ValueOrEnd) => {
                at = string_end(bytes, at, longest)? + 1;
                Expect::After
            }
            (b'-' | b'0'..=b'9' | b't' | b'f' | b'n', Expect::Value | Expect::ValueOrEnd) => {
                while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)) {
                    at += 1;
                }
                Expect::After
            }
            _ => return Err(RawProblem::Syntax(here)),
        };
    }
    if expect == Expect::After && open.is_empty() { Ok(()) } else { Err(RawProblem::Syntax(bytes.len())) }
}

/// The place of the closing quote of the string whose first byte is at `from`.
fn string_end(bytes: &[u8], from: usize, longest: usize) -> Result<usize, RawProblem> {
    let mut longest = longest;
    let mut at = from;
    loop {
        match bytes.get(at) {
            Some(b'"') if at - from > longest => return Err(RawProblem::TooLong),
            Some(b'"') => return Ok(at),
            Some(b'\\') => {
                longest = longest.min(MAX_ESCAPED);
                at += 2;
            }
            Some(0..=0x1F) => return Err(RawProblem::Syntax(at)),
            Some(_) => at += 1,
            None => return Err(RawProblem::Syntax(bytes.len())),
        }
    }
}

/// The text that a string's body stands for. `start` is its place, for messages.
fn unescape(body: &str, start: usize) -> Result<String, RawProblem> {
    let mut out = String::with_capacity(body.len());
    unescape_into(&mut out, body, start)?;
    Ok(out)
}

/// Appends what a string's body (without its quotes) stands for; on an error, what came before the mistake. Room for
/// as many bytes as the body has is enough.
pub(crate) fn unescape_into(out: &mut String, body: &str, start: usize) -> Result<(), RawProblem> {
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{C}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let unit = hex4(&mut chars).ok_or(RawProblem::Syntax(start))?;
                let code = if (0xD800..0xDC00).contains(&unit) {
                    let low = match (chars.next(), chars.next()) {
                        (Some('\\'), Some('u')) => hex4(&mut chars).ok_or(RawProblem::Syntax(start))?,
                        _ => return Err(RawProblem::NotText),
                    };
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(RawProblem::NotText);
                    }
                    0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    unit
                };
                char::from_u32(code).ok_or(RawProblem::NotText)?
            }
            _ => return Err(RawProblem::Syntax(start)),
        });
    }
    Ok(())
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use RawProblem::*;

    #[test]
    fn sound_texts_pass() {
        for text in [
            "{}",
            "[]",
            "null",
            " 1 ",
            "\"\"",
            "[1,-2.5e+3,true,false,null,\"x\"]",
            "{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]},\"b\":1}",
            "{\"\":1,\" \":2}",
            "{\"\\u0041\":1,\"a\":2}",
            "\"\\\\\\\"\"",
            "{\"\\ud83d\\ude00\":1}",
            "\r\n\t[ ]\n",
            "{\"A\":1,\"a\":1}",
        ] {
            assert_eq!(check_raw(text.as_bytes()), Ok(()), "{text}");
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
    }

    #[test]
    fn equal_keys_are_found_at_any_depth_and_under_any_escape() {
        for (text, key) in [
            ("{\"a\":1,\"a\":2}", "a"),
            ("{\"a\":1,\"\\u0061\":2}", "a"),
            ("{\"\\u0061\":1,\"b\":0,\"\\u0061\":2}", "a"),
            ("[[[{\"x\":[{\"k\":1,\"k\":1}]}]]]", "k"),
            ("{\"a\":{\"b\":1},\"c\":[],\"a\":3}", "a"),
            ("{\"\":1,\"\":1}", ""),
            ("{\"\\/\":1,\"/\":1}", "/"),
            ("{\"\\ud83d\\ude00\":1,\"😀\":1}", "😀"),
            ("{\"\\n\":1,\"\\u000A\":1}", "\n"),
            ("{\"\\u00e9\":1,\"é\":1}", "é"),
            ("{\"\\\\\":1,\"\\u005c\":1}", "\\"),
            ("{\"\\\"\":1,\"\\u0022\":1}", "\""),
        ] {
            assert_eq!(check_raw(text.as_bytes()), Err(DuplicateKey(key.to_owned())), "{text}");
        }
        let deep = format!("{}{}{}", "{\"a\":".repeat(31), "{\"a\":1,\"a\":2}", "}".repeat(31));
        assert_eq!(check_raw(deep.as_bytes()), Err(DuplicateKey("a".into())));
    }

    #[test]
    fn nesting_stops_at_32_for_any_mixture() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            for levels in [MAX_NESTING, MAX_NESTING + 1, 100_000] {
                let times = levels.div_ceil(open.matches(['[', '{']).count());
                let text = format!("{}1{}", open.repeat(times), close.repeat(times));
                let wanted = if levels == MAX_NESTING { Ok(()) } else { Err(TooDeep) };
                assert_eq!(check_raw(text.as_bytes()), wanted, "{open} x {times}");
            }
        }
        assert_eq!(check_raw("[".repeat(100_000).as_bytes()), Err(TooDeep));
        assert_eq!(check_raw("[{},".repeat(33).as_bytes()), Err(TooDeep), "closed siblings do not count");
    }

    #[test]
    fn values_are_counted_wherever_they_stand() {
        let list = |values: usize, value: &str| format!("[{}]", vec![value; values - 1].join(", "));
        for value in ["0", "[]", "{}", "\"\"", "null"] {
            assert_eq!(check_raw(list(MAX_VALUES, value).as_bytes()), Ok(()), "{value}");
            assert_eq!(check_raw(list(MAX_VALUES + 1, value).as_bytes()), Err(TooMany), "{value}");
        }
        let members: Vec<_> = (0..MAX_VALUES).map(|n| format!("\"{n}\":0")).collect();
        assert_eq!(check_raw(format!("{{{}}}", members.join(",")).as_bytes()), Err(TooMany));
        assert_eq!(check_raw(format!("{{{}}}", members[1..].join(",")).as_bytes()), Ok(()));
    }

    #[test]
    fn a_text_with_escapes_is_not_longer_than_what_a_parser_may_double() {
        let text = |body: String| format!("[\"{body}\"]");
        let name = |body: String| format!("{{\"{body}\":0}}");
        for around in [text, name] {
            assert_eq!(check_raw(around("x".repeat(MAX_ESCAPED + 1)).as_bytes()), Ok(()));
            for escape in ["\\n", "\\/"] {
                let fill = "x".repeat(MAX_ESCAPED - 2);
                assert_eq!(check_raw(around(format!("{fill}{escape}")).as_bytes()), Ok(()));
                assert_eq!(check_raw(around(format!("{fill}{escape}x")).as_bytes()), Err(TooLong));
                assert_eq!(check_raw(around(format!("{escape}x{fill}")).as_bytes()), Err(TooLong));
            }
            assert_eq!(check_document(around("x".repeat(MAX_DOCUMENT_TEXT)).as_bytes()), Ok(()));
            assert_eq!(check_document(around("x".repeat(MAX_DOCUMENT_TEXT + 1)).as_bytes()), Err(TooLong));
        }
    }

    #[test]
    fn broken_structure_is_refused_where_it_breaks() {
        for (text, wanted) in [
            (&b""[..], Syntax(0)),
            (b"   ", Syntax(3)),
            (b"[", Syntax(1)),
            (b"[1,]", Syntax(3)),
            (b"{\"a\":1,}", Syntax(7)),
            (b"{\"a\"}", Syntax(4)),
            (b"{\"a\":}", Syntax(5)),
            (b"{1:2}", Syntax(1)),
            (b"[1 2]", Syntax(3)),
            (b"[}", Syntax(1)),
            (b"{]", Syntax(1)),
            (b"1,2", Syntax(1)),
            (b"{}{}", Syntax(2)),
            (b"\"a", Syntax(2)),
            (b"\"a\\\"", Syntax(4)),
            (b"\"\n\"", Syntax(1)),
            (b"{\"\\x\":1}", Syntax(1)),
            (b"{\"\\u12\":1}", Syntax(1)),
            (b"{\"\\ud800\":1}", NotText),
            (b"{\"\\ud800\\u0041\":1}", NotText),
            (b"{\"\\udc00\":1}", NotText),
            (b"\xEF\xBB\xBF{}", Syntax(0)),
            (b"\"\xFF\"", NotText),
            (b"\"\xC0\xAF\"", NotText),
            (b"\"\xED\xA0\x80\"", NotText),
            (b"// x\n1", Syntax(0)),
            (b"'a'", Syntax(0)),
        ] {
            assert_eq!(check_raw(text), Err(wanted), "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn no_cut_and_no_flip_of_a_text_makes_it_panic_or_accept_what_serde_refuses_in_structure() {
        let text = r#"{"a":[1,{"b":"\u0041\n","c":null}],"d":"é"}"#.as_bytes();
        for end in 0..text.len() {
            assert!(check_raw(&text[..end]).is_err(), "{end}");
        }
        for bit in 0..text.len() * 8 {
            let mut flipped = text.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let ours = check_raw(&flipped).is_ok();
            if !ours && let Ok(value) = serde_json::from_slice::<serde_json::Value>(&flipped) {
                // What we refuse and serde takes can only be a repeated key.
                assert!(matches!(check_raw(&flipped), Err(DuplicateKey(_))), "{value}");
            }
        }
    }
}
