//! Key lists, one and in chains, and the host's own keys.

use crate::allocation::bounded;
use crate::envelope::MOST;
use crate::expand::expand;
use crate::fixture::fixture;
use crate::promises;
use issuer::{SigningKey, sign};
use ors::licence::{
    Advance, Envelope, KEYS_TYPE, KeyChain, Keyring, MAX_KEYS, MAX_LICENCE_BYTES, MAX_THRESHOLD, Reason, Role,
};

/// The first byte says what the rest is; for a list that is signed here, the second one says by whom.
pub fn run(data: &[u8]) {
    match data {
        [b'h', text @ ..] => host(text),
        [b'c', file @ ..] => chain(&expand(file, MOST)),
        [b'l', signers, payload @ ..] => list(*signers, &expand(payload, 300 << 10)),
        _ => {}
    }
}

fn host(text: &[u8]) {
    let Ok(text) = String::from_utf8(expand(text, 600 << 10)) else { return };
    match bounded("the host's keys are read", || Keyring::from_host(&text)) {
        Ok(ring) => {
            is_within_its_limits(&ring);
            let again: String = ring.keys().iter().map(line).collect();
            let again = Keyring::from_host(&again).expect("the keys of a ring are a host's keys");
            assert_eq!(again.keys().len(), ring.keys().len());
        }
        Err(problem) => assert!(ors::licence::text::is_plain(&problem.to_string(), 600), "{problem:?}"),
    }
}

fn line(key: &ors::licence::Key) -> String {
    format!("{}\n", issuer::public_line(&key.id, key.role, &key.public_bytes()))
}

fn chain(file: &[u8]) {
    match bounded("a file of key lists is read", || KeyChain::parse(file)) {
        Ok(chain) => {
            promises::sound_json(file);
            let written = chain.to_json();
            if written.len() <= MAX_LICENCE_BYTES {
                assert_eq!(KeyChain::parse(&written).as_ref(), Ok(&chain));
            }
            let mut longer = KeyChain::default();
            bounded("key lists are put together", || chain.lists.iter().all(|list| longer.push(list.clone())));
        }
        Err(refusal) => promises::refusal(&refusal),
    }
    for ring in &fixture().rings {
        match bounded("key lists are followed", || ring.advance_chain(file)) {
            Ok((next, steps)) => assert_eq!(next.version(), ring.version() + steps.len() as u64),
            Err(refusal) => promises::refusal(&refusal),
        }
    }
}

fn list(signers: u8, payload: &[u8]) {
    let known = fixture();
    let signers = known.keys.chosen(signers);
    let file = sign(KEYS_TYPE, payload, &signers);
    let Ok(list) = Envelope::parse(&file) else {
        assert!(signers.is_empty(), "what the issuer signs is an envelope");
        return;
    };
    let roots = signers.iter().filter(|key| key.role() == Role::Root).count();
    for ring in &known.rings {
        match bounded("a key list is judged", || ring.advance(&list)) {
            Ok(Advance::Next(next)) => {
                promises::sound_json(payload);
                is_within_its_limits(&next);
                assert_eq!(next.version(), ring.version() + 1);
                assert!(roots >= 2, "taken with {roots} of 2 roots");
                let own = |key: &&&SigningKey| {
                    next.keys().iter().any(|root| root.role == Role::Root && root.public_bytes() == key.public_bytes())
                };
                assert!(signers.iter().filter(own).count() >= next.threshold() as usize);
                // The next but one, and a second list of this version.
                let again = next.advance(&list);
                assert!(matches!(again, Ok(Advance::Present)), "{again:?}");
            }
            Ok(Advance::Present) => assert!(payload == known.keys.draft(ring.version()).payload()),
            Ok(Advance::Older) => {}
            Err(refusal) => {
                promises::refusal(&refusal);
                assert!(refusal.reason != Reason::KeyListFork || roots >= 2);
            }
        }
    }
}

fn is_within_its_limits(ring: &Keyring) {
    assert!((1..=MAX_THRESHOLD).contains(&ring.threshold()) && ring.keys().len() <= MAX_KEYS);
    for key in ring.keys() {
        let same = |other: &&ors::licence::Key| other.id == key.id || other.public_bytes() == key.public_bytes();
        assert_eq!(ring.keys().iter().filter(same).count(), 1, "{}", key.id);
        assert!(ring.by_fingerprint(&key.fingerprint()).is_some());
    }
}
