//! The sentences that people read, in the language they read. Pure: values in, text out.
//!
//! A language is one file that implements [`Phrases`]; [`choose`] finds it from a BCP 47 tag or a whole Accept-Language
//! value. Sentences are plain text, never HTML. Which notice holds is decided in [`crate::notice`].

mod accept;
mod english;

use crate::licence::{Changes, Reason};
use crate::office::{Enrolment, Problem};

pub use accept::choose;

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
    /// What stands in the way of a connection to the back office, and what to change.
    fn connect(&self, problem: &Problem) -> String;
    /// What has to be said about how the installation stands there; empty when all is well.
    fn enrolment(&self, state: Enrolment) -> &'static str;
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
