//! The net room: how bytes get out and back.
//!
//! [`Http`] posts a body to an address and brings the answer, within limits of time and size, and ends at once when it is told to from
//! outside ([`Stop`]). It follows no redirect, keeps one connection, asks no environment and believes nothing that it is sent: what
//! an answer means is the next floor's business (`crate::office`).
//!
//! * `http`: one request, one answer;
//! * `transport`: what stands on `ureq`'s transport interface, all of it: where a connection comes from, and the socket itself;
//! * `dns`: names, on a thread that may hang without anybody waiting for it;
//! * `connect`: a TCP connect that can be given up;
//! * `tls`, `certificate`: whom to trust, and the names to show;
//! * `trouble`: what can go wrong, by step.
//!
//! Unsafe code is in `connect/` alone.

mod certificate;
mod connect;
mod dns;
mod http;
mod tls;
mod transport;
mod trouble;

pub use certificate::Names;
pub use dns::Dns;
pub use http::{Http, Limits, Reply, Stop};
pub use tls::Trust;
pub use trouble::{BadCertificate, Progress, Step, Trouble, Watch, Why};
