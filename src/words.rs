//! The sentences that people read, in the language they read. Pure: values in, text out.
//!
//! A language is one file that implements [`Phrases`]; [`choose`] finds it from a BCP 47 tag or a whole Accept-Language
//! value. Sentences are plain text, never HTML. Which notice holds is decided in [`crate::notice`].

mod accept;
mod english;

use crate::licence::{Changes, Reason};

pub use accept::choose;

/// No sentence for a notice is longer, its NUL included: hosts have buffers of this size.
pub const LONGEST_SENTENCE: usize = 4_096;

/// A sentence with long names or paths in it, cut at a character to the longest that there is.
pub fn fit(mut sentence: String) -> String {
    if sentence.len() >= LONGEST_SENTENCE {
        let most = LONGEST_SENTENCE - 1 - '…'.len_utf8();
        sentence.truncate((0..=most).rev().find(|at| sentence.is_char_boundary(*at)).unwrap_or(0));
        sentence.push('…');
    }
    sentence
}

/// All that a language has to say. Days are numbers like 20271123.
pub trait Phrases: Sync {
    /// BCP 47 tag.
    fn tag(&self) -> &'static str;
    fn day(&self, number: i32) -> String;
    fn licence_expiring(&self, days_left: i32, last_day: i32) -> String;
    fn licence_expired(&self, last_day: i32) -> String;
    fn maintenance_expiring(&self, days_left: i32, last_day: i32) -> String;
    fn maintenance_expired(&self, last_day: i32) -> String;
    /// The announcement, with names; long lists end with "and N more".
    fn changed(&self, changes: &Changes) -> String;
    fn manual_copy(&self, files: usize, source: &str, target: &str) -> String;
    fn no_licence(&self, reason: Reason, folder: &str) -> String;
    fn clock_wrong(&self, dates_judged: bool) -> String;
    fn service_unreachable(&self) -> String;
    fn assistance_requested(&self) -> String;
    fn assistance_active(&self) -> String;
    /// Why a licence was refused, without the file's own particulars.
    fn refusal(&self, reason: Reason) -> &'static str;
    fn error(&self, code: i32) -> &'static str;
    fn update(
        &self,
        verdict: i32,
        reason: Reason,
        release_day: i32,
        licence_last_day: i32,
        maintenance_last_day: i32,
    ) -> String;
}

/// Every language there is; the first is the fallback.
const ALL: &[&dyn Phrases] = &[&english::English];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_fits_the_buffer_that_a_host_has_for_it() {
        for fill in ["x", "é", "漢", "😀"] {
            for length in LONGEST_SENTENCE - 8..LONGEST_SENTENCE + 8 {
                let sentence = format!("{}{}", "y".repeat(length % 5), fill.repeat(length / fill.len()));
                let fitted = fit(sentence.clone());
                assert!(fitted.len() < LONGEST_SENTENCE && fitted.len() >= (LONGEST_SENTENCE - 8).min(sentence.len()));
                assert_eq!(fitted == sentence, sentence.len() < LONGEST_SENTENCE, "{}", sentence.len());
                assert!(sentence.starts_with(fitted.trim_end_matches('…')));
            }
        }
        assert_eq!(fit("Short.".to_owned()), "Short.");
    }
}
