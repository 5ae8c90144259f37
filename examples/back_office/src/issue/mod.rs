//! Issuing a licence, whoever asks for it: a page, the API, the command line.
//!
//! An order becomes the next licence ([`change`]), which can be looked at first ([`preview`]). Then it is written down, the
//! signer is asked, the licence is kept and the agent is told, each step committed before the next. A process that is killed
//! between two steps leaves an open issue, which is finished with the very same bytes by whoever comes next.

pub mod change;
mod desk;
pub mod import;
pub mod preview;

pub use change::Change;
pub use desk::{Desk, Issued, Order, genuine};
pub use preview::Preview;
