//! AES-256-GCM by `ring`, key by HKDF-SHA-256 (RFC 5869) with the machine's identity as salt.
#![forbid(unsafe_code)]

use std::io;

use ring::{aead, hkdf};
use zeroize::Zeroizing;

/// First bytes of everything sealed here; authenticated with the rest. The last byte of each says what the key was
/// made of, so that a folder moved between machines with and without an identity is told apart from damage.
const BOUND: &[u8] = b"ors-sealed-1m\n";
const UNBOUND: &[u8] = b"ors-sealed-1-\n";

fn mark_of(machine: Option<&[u8]>) -> &'static [u8] {
    if machine.is_some() { BOUND } else { UNBOUND }
}

fn cipher(key: &[u8], machine: Option<&[u8]>) -> Option<aead::LessSafeKey> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, machine.unwrap_or_default());
    let key = salt.extract(key);
    let expanded = key.expand(&[b"ors state folder secrets"], &aead::AES_256_GCM).ok()?;
    Some(aead::LessSafeKey::new(aead::UnboundKey::from(expanded)))
}

pub(super) fn seal(key: &[u8], machine: Option<&[u8]>, plain: &[u8]) -> io::Result<Vec<u8>> {
    let refused = || io::Error::other("the cipher refused");
    let mut nonce = [0; aead::NONCE_LEN];
    // Random 96-bit nonces are safe for 2^32 messages of one key; here there is one per change of a password.
    getrandom::fill(&mut nonce).map_err(|error| io::Error::other(format!("no random numbers: {error}")))?;
    let mark = mark_of(machine);
    // Room for the tag from the start: growing would leave a copy of the plain text behind.
    let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + aead::AES_256_GCM.tag_len()));
    text.extend_from_slice(plain);
    cipher(key, machine)
        .ok_or_else(refused)?
        .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(mark), &mut *text)
        .map_err(|_| refused())?;
    Ok([mark, &nonce, &text].concat())
}

pub(super) fn open(key: &[u8], machine: Option<&[u8]>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // What was sealed without an identity stays readable on a machine that has one by now.
    let (machine, rest) = match sealed.strip_prefix(UNBOUND) {
        Some(rest) => (None, rest),
        None => (Some(machine?), sealed.strip_prefix(BOUND)?),
    };
    let (nonce, text) = rest.split_first_chunk::<{ aead::NONCE_LEN }>()?;
    let mut text = Zeroizing::new(text.to_vec());
    let plain = cipher(key, machine)?
        .open_in_place(aead::Nonce::assume_unique_for_key(*nonce), aead::Aad::from(mark_of(machine)), &mut text)
        .ok()?
        .len();
    text.truncate(plain);
    Some(text)
}
