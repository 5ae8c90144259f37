//! The customers' installations that are tortured: one with a licence that is renewed all the time, one without, one with a forgery.

use crate::support::{self, Vendor};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Licensed,
    Empty,
    Forged,
}

pub const KINDS: [Kind; 3] = [Kind::Licensed, Kind::Empty, Kind::Forged];

/// Sequence of the licence that is there from the beginning.
pub const FIRST: u64 = 7;

pub struct Site {
    pub kind: Kind,
    pub place: support::Site,
    /// The highest sequence that anybody has begun to install.
    pub begun: AtomicU64,
    /// The highest sequence whose installation was acknowledged.
    pub acknowledged: AtomicU64,
}

impl Site {
    pub fn new(kind: Kind) -> Site {
        let place = support::Site::new();
        match kind {
            Kind::Licensed => place.drop_file("prismaprepare-1234567890.ors.json", &file(&place.vendor, FIRST)),
            Kind::Empty => {}
            Kind::Forged => place.drop_file("forged.ors.json", &forged(&place.vendor)),
        }
        Site { kind, place, begun: AtomicU64::new(FIRST), acknowledged: AtomicU64::new(FIRST) }
    }

    /// The next sequence that nobody has installed yet.
    pub fn next_sequence(&self) -> u64 {
        self.begun.fetch_add(1, SeqCst) + 1
    }
}

/// How many users a licence has: torn words would show.
pub fn users(sequence: u64) -> u32 {
    5 + (sequence % 1_000) as u32
}

pub fn file(vendor: &Vendor, sequence: u64) -> Vec<u8> {
    vendor.sign(&licence(sequence))
}

/// A licence that nobody's key has signed.
pub fn forged(vendor: &Vendor) -> Vec<u8> {
    issuer::sign_licence(&licence(FIRST + 1), &vendor.stranger)
}

fn licence(sequence: u64) -> ors::licence::Licence {
    ors::licence::Licence { users: users(sequence), ..support::licence(sequence) }
}
