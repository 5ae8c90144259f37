//! JSON written into one piece of memory of its own size. A writer that grows takes up to twice the size, and then lets a file of
//! the largest size cost a piece of two MiB.

use serde::Serialize;
use std::io::{self, Write};

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many bytes the value takes as JSON.
pub(crate) fn length(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Values of ours (texts, numbers, lists) cannot fail to serialise, and a counter takes everything.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// The value as JSON.
pub(crate) fn bytes(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length(value));
    // As above; a vector takes everything too.
    let _ = serde_json::to_writer(&mut out, value);
    out
}

/// The same as text.
pub(crate) fn text(value: &impl Serialize) -> String {
    // JSON of serde_json is UTF-8.
    String::from_utf8(bytes(value)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_takes_no_more_than_its_size() {
        for value in [serde_json::json!({"a": ["é\n\u{1}", 1.5, null]}), serde_json::json!("x".repeat(100_000))] {
            let written = bytes(&value);
            assert_eq!((written.capacity(), length(&value)), (written.len(), written.len()));
            assert_eq!(text(&value), value.to_string());
        }
    }
}
