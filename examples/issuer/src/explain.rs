//! Tells in plain words what a file is, who signed it, which dates it holds, and what is wrong with it.
//!
//! Everything that a product would check is checked by the product's own code, `ors::licence`; this room only words
//! it. It shows the content of files that are refused, too, and then says before anything else that they are. Texts of
//! an unverified file are shown without control and bidi characters, so that a file cannot fake the verdict.

mod keys;
mod licence;
mod time;

use ors::licence::text::clean;
use ors::licence::{Day, Envelope, FileKind, Instant, Keyring, Product, Refusal, hex, kind_of, sha256};

use crate::key_file::{KeyFile, KeyFileError};
use crate::pending::Pending;

pub use keys::{fingerprint, need_in_words};

/// What to judge a file by.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The trusted keys; without them nothing is verified, and the text says so.
    pub keys: Option<&'a Keyring>,
    /// The product that asks; without it, the one that the file names.
    pub product: Option<&'a Product>,
    /// The moment at which dates are judged.
    pub now: Instant,
}

/// A file, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Lines for a person.
    pub text: String,
    /// Whether a product would take the file, as far as that was asked: false when anything is wrong.
    pub good: bool,
}

/// Explains the bytes of any file of ours.
pub fn explain(bytes: &[u8], against: Against<'_>) -> Explanation {
    let mut page = Page::default();
    match KeyFile::parse(bytes) {
        Err(KeyFileError::NotAKeyFile(_)) => other_than_key_file(&mut page, bytes, against),
        read => keys::key_file(&mut page, read),
    }
    page.finish()
}

fn other_than_key_file(page: &mut Page, bytes: &[u8], against: Against<'_>) {
    if Pending::is_one(bytes) {
        return keys::pending(page, Pending::parse(bytes));
    }
    match kind_of(bytes) {
        Ok(FileKind::Licence) => licence::licence(page, bytes, against),
        Ok(FileKind::Keys) => keys::chain(page, bytes, against),
        Ok(FileKind::Time) => time::time_file(page, bytes, against),
        Err(refusal) => nothing_of_ours(page, bytes, &refusal),
    }
}

fn nothing_of_ours(page: &mut Page, bytes: &[u8], refusal: &Refusal) {
    page.title("Not a file that a product would take");
    page.refused(refusal);
    page.line("Size", format!("{} bytes, SHA-256 {}", bytes.len(), hex(&sha256(bytes))));
    page.note("Licences, key lists and time files are DSSE envelopes: {\"payloadType\", \"payload\", \"signatures\"}.");
}

/// Lines with a column of names before them.
#[derive(Default)]
struct Page {
    text: String,
    wrong: Vec<String>,
}

const NAMES: usize = 13;

impl Page {
    fn title(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn line(&mut self, name: &str, text: impl AsRef<str>) {
        self.text.push_str(&format!("  {name:<NAMES$}{}\n", text.as_ref()));
    }

    fn note(&mut self, text: &str) {
        self.text.push_str(&format!("  {text}\n"));
    }

    fn wrong(&mut self, text: impl Into<String>) {
        self.wrong.push(text.into());
    }

    fn refused(&mut self, refusal: &Refusal) {
        self.wrong(format!("{} [{} {}]", refusal.detail, refusal.reason.token(), refusal.reason.code()));
    }

    /// What the envelope claims, before any key was asked.
    fn envelope(&mut self, envelope: &Envelope) {
        let ids: Vec<_> = envelope
            .signatures
            .iter()
            .map(|it| it.keyid.as_deref().map_or("without a key id".to_owned(), |id| format!("\"{}\"", clean(id, 128))))
            .collect();
        self.line("Signatures", format!("{}, named {}", ids.len(), ids.join(", ")));
        self.line("Content", format!("{} bytes, SHA-256 {}", envelope.payload.len(), hex(&envelope.digest())));
    }

    fn unchecked(&mut self) {
        self.line("Verified", "NO: no keys were given (--keys FILE), so anybody may have written this");
    }

    fn finish(mut self) -> Explanation {
        let good = self.wrong.is_empty();
        for wrong in &self.wrong {
            self.text.push_str(&format!("  WRONG: {wrong}\n"));
        }
        Explanation { text: self.text, good }
    }
}

/// "in 12 days", "today", "3 days ago".
fn distance(from: Day, to: Day) -> String {
    match from.days_until(to) {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        days if days > 0 => format!("in {days} days"),
        days => format!("{} days ago", days.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests;
