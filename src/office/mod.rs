//! The office room: what is said between an installation and the back office, when, and what follows from an answer.
//!
//! * [`protocol`]: the one format both ways, used by both ends;
//! * [`client`]: one request made, one answer read, with what can be wrong with it;
//! * [`Plan`]: when to enrol, check, report and poll, and when to wait or stop;
//! * [`Account`]: what of that is kept over restarts;
//! * [`Report`]: what \[Connect\] found out, step by step.
//!
//! All of it is pure: bytes, times and random numbers come in as values, so that the same code runs in a host and in a simulator. How
//! the bytes get out is the floor below, `crate::net`; files and threads are the runtime's, above.
#![forbid(unsafe_code)]

mod account;
pub mod client;
mod pace;
mod plan;
pub mod protocol;
mod report;

pub use account::{Account, Contact, Enrolment};
pub use client::{Awaited, Failure, Heard, Identity, Said};
pub use pace::Jitter;
pub use plan::{Ask, Effect, Facts, Installed, Line, Plan};
pub use report::{Problem, Report, Step, Verdict, verdict};
