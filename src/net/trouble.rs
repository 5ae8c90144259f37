//! What happens on the way out, step by step, and what can go wrong in each.
#![forbid(unsafe_code)]

use super::certificate::Names;
use std::fmt;

/// A step on the way to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Dns,
    Connect,
    Tls,
    Http,
}

/// Told to whoever watches, as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Began(Step),
    /// It went well. `names`: who answered, once TLS is up.
    Ended(Step, Option<Names>),
}

/// Somebody who wants to know.
pub type Watch = dyn Fn(Progress) + Send + Sync;

/// Why a certificate is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCertificate {
    /// Nobody whom this computer trusts has issued it.
    Issuer,
    Expired,
    NotYetValid,
    /// It is for another name.
    Name,
    Revoked,
    Other,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was called off from outside. Nothing follows from it.
    Stopped,
    NoSuchName {
        host: String,
        detail: String,
    },
    /// The resolver does not answer.
    DnsSilent {
        host: String,
    },
    Refused {
        address: String,
    },
    /// No way there, or any other word of the operating system.
    Unreachable {
        address: String,
        detail: String,
    },
    ConnectTimedOut {
        address: String,
    },
    CaFile {
        path: String,
        detail: String,
    },
    Certificate {
        host: String,
        issuer: String,
        bad: BadCertificate,
        detail: String,
    },
    TlsFailed {
        detail: String,
    },
    TlsTimedOut,
    /// The connection ended before the whole answer was there.
    Cut,
    /// No answer within the time.
    Silent,
    /// It began, and did not come to its end within the time.
    Slow,
    TooLarge,
    /// What came is not HTTP.
    NotHttp {
        detail: String,
    },
}

/// One failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub step: Step,
    pub why: Why,
    /// Whether the other end may have got the request: something may have come of it.
    pub sent: bool,
    /// Whether a connection was used that was kept from before: the other end may just have closed it.
    pub kept: bool,
}

impl Trouble {
    pub(super) fn before_sending(step: Step, why: Why) -> Trouble {
        Trouble { step, why, sent: false, kept: false }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Stopped => f.write_str("it was called off"),
            Why::NoSuchName { host, detail } => write!(f, "the name {host} is not known: {detail}"),
            Why::DnsSilent { host } => write!(f, "no name server told the address of {host} in time"),
            Why::Refused { address } => write!(f, "nothing listens at {address}"),
            Why::Unreachable { address, detail } => write!(f, "{address} cannot be reached: {detail}"),
            Why::ConnectTimedOut { address } => write!(f, "{address} did not answer in time"),
            Why::CaFile { path, detail } => write!(f, "the CA file {path} cannot be used: {detail}"),
            Why::Certificate { host, issuer, detail, .. } => {
                write!(f, "the certificate of {host}, issued by {issuer}, is not trusted: {detail}")
            }
            Why::TlsFailed { detail } => write!(f, "no encrypted connection: {detail}"),
            Why::TlsTimedOut => f.write_str("no encrypted connection in time"),
            Why::Cut => f.write_str("the connection was cut before the answer was complete"),
            Why::Silent => f.write_str("there was no answer in time"),
            Why::Slow => f.write_str("the answer did not come to its end in time"),
            Why::TooLarge => f.write_str("the answer is larger than 1 MiB"),
            Why::NotHttp { detail } => write!(f, "the answer is not HTTP: {detail}"),
        }
    }
}

impl std::error::Error for Trouble {}
