//! The C ABI and nothing else: unpack, call, map. What a function does is in [`crate::agent`].
//!
//! One file per family: [`life`], [`refresh`], [`licences`], [`service`], [`logs`]. An export's doc comment is the text of the
//! header, which `cargo run -p header` writes. Read [`guard`] and [`slots`] first.
// What a caller has to keep is the header text: its conventions hold for every pointer of every export.
#![allow(non_camel_case_types, clippy::missing_safety_doc, clippy::too_many_arguments)]

mod codes;
mod error;
mod guard;
mod licences;
mod life;
mod logs;
mod refresh;
mod service;
mod slots;
mod structs;
mod texts;

pub use codes::*;
pub use licences::*;
pub use life::*;
pub use logs::*;
pub use refresh::*;
pub use service::*;
pub use structs::{
    ors_agent, ors_error, ors_install_result, ors_licence_status, ors_log_sink, ors_notice_status, ors_options,
    ors_update_query, ors_update_verdict,
};

use crate::agent::{Agent, Error};
use crate::injected;
use std::sync::Arc;
use std::time::Duration;

/// The handles of this process.
static HANDLES: slots::Table = slots::Table::new();

/// The agent of a handle, for calls that may wait or allocate. In a forked child, a call that started a new runtime lets the
/// slot follow it.
fn with_agent<T>(handle: ors_agent, work: impl FnOnce(&Arc<Agent>) -> Result<T, Error>) -> Result<T, Error> {
    let live = HANDLES.find(handle).ok_or_else(Error::closed)?;
    // First: `agent` finds that the handle lives still, so this is its own.
    let board = live.board();
    let agent = live.agent()?;
    injected::point();
    let result = work(&agent);
    live.follow(&agent, board);
    injected::point();
    result
}

/// A wait of the ABI.
fn wait(timeout_ms: u32) -> Duration {
    Duration::from_millis(if timeout_ms == ORS_DEFAULT_WAIT { 2_000 } else { timeout_ms.into() })
}
