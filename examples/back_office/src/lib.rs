//! The back office: the service organisation's server, with its database, its signer and the line to the agents.
//!
//! The rooms, from the bottom up; each uses only those above it in this list:
//!
//! | room | what it does |
//! |---|---|
//! | [`store`] | the database: transactions, migrations, backup |
//! | [`domain`] | what is known and which rules hold; every function takes the time as a value |
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unimplemented)
)]

pub mod domain;
pub mod store;
