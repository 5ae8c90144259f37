//! The agent's end of the back office: what it says, what it takes, and what it does not let happen.

#[path = "../processes/alone.rs"]
mod alone;
#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod bad_answers;
mod closing;
mod connect;
mod renewal;
mod tls;
