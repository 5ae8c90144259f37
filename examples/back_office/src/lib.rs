//! The back office: the service organisation's server, with its database, its signer and the line to the agents.
//!
//! The rooms, from the bottom up; each uses only those above it in this list:
//!
//! | room | what it does |
//! |---|---|
//! | [`config`] | the configuration file |
//! | [`metrics`], [`throttle`] | what is counted; what was tried too often |
//! | [`store`] | the database: transactions, migrations, backup |
//! | [`domain`] | what is known and which rules hold; every function takes the time as a value |
//! | [`signer`] | the process that holds the licence key, and how it is asked |
//! | [`issue`] | an order becomes the next licence: preview, issue, import |
//! | [`login`] | passwords, second factors, sessions |
//! | [`agents`] | the line to the agents: proving, answering, parking |
//! | [`web`] | what is served over HTTP |
//! | [`serve`] | the running server, from its configuration to its end |
//! | [`command`] | the command line |
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unimplemented)
)]

pub mod agents;
pub mod command;
pub mod config;
pub mod domain;
pub mod issue;
pub mod login;
pub mod metrics;
pub mod serve;
pub mod signer;
pub mod store;
pub mod throttle;
pub mod web;

use ors::licence::Instant;

/// Now, by this computer's clock. Whoever decides something gets the time as a value.
pub fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Instant::from_unix(since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}
