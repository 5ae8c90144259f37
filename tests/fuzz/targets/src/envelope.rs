//! A file that claims to be signed: a licence, a key list, a time file, or anything else.

use crate::allocation::bounded;
use crate::expand::expand;
use crate::fixture::{CHALLENGE, fixture};
use crate::promises;
use ors::licence::{Envelope, MAX_LICENCE_BYTES, MAX_SIGNATURES, Reason, kind_of, verify, verify_time};

/// One byte more than is read.
pub const MOST: usize = MAX_LICENCE_BYTES + 1;

pub fn run(data: &[u8]) {
    let file = expand(data, MOST);
    match bounded("an envelope is read", || Envelope::parse(&file)) {
        Ok(envelope) => {
            assert!(file.len() <= MAX_LICENCE_BYTES);
            assert!((1..=MAX_SIGNATURES).contains(&envelope.signatures.len()));
            promises::sound_json(&file);
            assert_eq!(Envelope::parse(&envelope.to_json()).as_ref(), Ok(&envelope));
        }
        Err(refusal) => {
            promises::refusal(&refusal);
            assert!(matches!(refusal.reason, Reason::TooLarge | Reason::Malformed | Reason::Amount), "{refusal:?}");
        }
    }
    let known = fixture();
    if let Err(refusal) = bounded("a file is named", || kind_of(&file)) {
        promises::refusal(&refusal);
    }
    for ring in &known.rings {
        match bounded("a licence is verified", || verify(&file, ring, &known.product)) {
            Ok(genuine) => assert!(known.signed(genuine.digest()), "a licence that the vendor did not sign is genuine"),
            Err(refusal) => promises::refusal(&refusal),
        }
        let time = || verify_time(&file, ring, &known.product, &known.serial, CHALLENGE);
        match bounded("a time file is verified", time) {
            Ok(_) => assert_eq!(Envelope::parse(&file).ok().map(|envelope| envelope.payload), known.time_payload()),
            Err(refusal) => promises::refusal(&refusal),
        }
        match bounded("key lists are followed", || ring.advance_chain(&file)) {
            Ok((next, steps)) => assert_eq!(next.version(), ring.version() + steps.len() as u64),
            Err(refusal) => promises::refusal(&refusal),
        }
    }
}
