//! The back office as it runs: real processes on loopback, and agents made of the protocol itself.

mod agents;
mod api;
mod issuing;
mod rig;
mod runbook;
mod tls;
