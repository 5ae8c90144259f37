//! The agent's end of the back office: what it says, what it takes, and what it does not let happen.

#[path = "../support/mod.rs"]
mod support;

mod renewal;
