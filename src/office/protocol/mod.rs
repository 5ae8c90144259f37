//! The protocol: every request and every answer is one signed envelope.
//!
//! A [`Request`] is signed by the installation's own [`AgentKey`]; a [`Statement`] by a `statement` key of the back office. Nothing a
//! proxy may rewrite (headers, cookies, addresses) means anything: what counts stands in the signed payload. The contract in words is
//! `docs/protocol.md`. Each type has two ends here: `to_payload` for who says it, `read` for who hears it, so that
//! both programs mean the same.
//!
//! * `key`: the installation's key, its id, and the fingerprint that two people compare by phone;
//! * `request`, `statement`: the two signed frames;
//! * `bodies`: what each verb asks; `answers`: what is said to it;
//! * `words`: nonces, origins and the other values that both use.
//!
//! Nothing in here opens a connection, reads a clock or keeps state.

mod answers;
mod bodies;
mod key;
mod request;
mod statement;
mod words;

pub use answers::{Checked, Enrolled, Event, EventKind, Happened, Refused, RefusedFor, Stored};
pub use bodies::{Check, Enrol, Events, JournalHead, Report, Verb};
pub use key::{AgentKey, AgentPublic, KeyId, fingerprint};
pub use request::{Request, Unproven};
pub use statement::{Expected, Kind, Statement, Untrusted};
pub use words::{Code, Nonce, Origin};

/// Payload type of what an installation says.
pub const REQUEST_TYPE: &str = "application/vnd.ors.request+json";
/// Payload type of what the back office says.
pub const STATEMENT_TYPE: &str = "application/vnd.ors.statement+json";
/// The media type of every HTTP body, both ways.
pub const MEDIA_TYPE: &str = "application/vnd.ors.envelope+json";
/// The largest request and the largest answer, in bytes: no part of either needs more memory at once.
pub const MAX_MESSAGE_BYTES: usize = crate::licence::MAX_LICENCE_BYTES;
/// The largest licence or key list that travels inside a message: two encodings later it still fits into one.
pub const MAX_CARRIED_BYTES: usize = 400 << 10;
/// How far the installation's clock may be off before a request is refused with `clock`, in seconds.
pub const CLOCK_TOLERANCE: i64 = 300;
/// How long the back office remembers a nonce, in seconds. Longer than twice the tolerance would be of no use.
pub const NONCE_MEMORY: i64 = 600;
/// How long an answer may travel, in seconds.
pub const STATEMENT_LIFE: i64 = 120;
/// The most events in one answer.
pub const MAX_EVENTS: usize = 100;
/// The most journal lines in one report, and the most bytes of one line: 2,200 characters of four bytes, and what stands around them.
pub const MAX_REPORT_LINES: usize = 50;
pub const MAX_LINE_BYTES: usize = 12 << 10;
/// The most key lists in one answer; the next check brings the next ones.
pub const MAX_KEY_STEPS: usize = 8;
/// The longest and the shortest time that a poll may be held, in seconds.
pub const MAX_HOLD: u64 = 50;
pub const MIN_HOLD: u64 = 5;

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;
