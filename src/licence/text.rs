//! Which characters a text in a licence may hold, and how hostile text is cleaned before a person reads it.

/// Whether a character may not stand in a name or sentence: control characters, line and paragraph separators, and the
/// bidirectional controls, which make a text read as something else than it says.
pub fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Whether a text has at most `longest` characters and none that [`is_forbidden`].
pub fn is_plain(text: &str, longest: usize) -> bool {
    text.chars().take(longest.saturating_add(1)).count() <= longest && !text.chars().any(is_forbidden)
}

/// The text with every forbidden character replaced and at most `longest` characters, the last one "…" when it was cut.
pub fn clean(text: &str, longest: usize) -> String {
    let mut out: String =
        text.chars().take(longest).map(|c| if is_forbidden(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if longest > 0 && text.chars().nth(longest).is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// 1 to `longest` ASCII characters, each a letter, a digit or one of `also`.
pub(crate) fn is_name(text: &str, longest: usize, also: &[u8]) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_are_forbidden_and_scripts_are_not() {
        for c in
            ['\0', '\t', '\n', '\r', '\x1B', '\x7F', '\u{85}', '\u{9B}', '\u{061C}', '\u{200E}', '\u{200F}', '\u{2028}']
        {
            assert!(is_forbidden(c), "{c:?}");
        }
        for c in ['\u{2029}', '\u{202A}', '\u{202E}', '\u{2066}', '\u{2069}', '\u{FEFF}'] {
            assert!(is_forbidden(c), "{c:?}");
        }
        for c in ['a', 'é', 'ß', '漢', 'ع', 'א', '\u{200D}', '😀', '<', '&', '\u{A0}'] {
            assert!(!is_forbidden(c), "{c:?}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(is_plain(&"é".repeat(200), 200));
        assert!(!is_plain(&"é".repeat(201), 200));
        assert!(is_plain("", 200));
    }

    #[test]
    fn cleaned_text_is_short_and_harmless() {
        assert_eq!(clean("a\u{202E}b\nc", 10), "a\u{FFFD}b\u{FFFD}c");
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("abc", 0), "");
    }
}
