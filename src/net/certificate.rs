//! The names in a certificate, for people to read. Nothing is decided by them: that is the verifier's business.
//!
//! As much DER as that takes, with bounds checked and nothing that recurses; a certificate that cannot be read has no names.
#![forbid(unsafe_code)]

use crate::licence::text::clean;

const LONGEST: usize = 100;

/// Who answered, and who vouches for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub peer: String,
    pub issuer: String,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
/// The version, before everything else.
const VERSION: u8 = 0xa0;
/// id-at-commonName and id-at-organizationName.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANISATION: &[u8] = &[0x55, 4, 10];

/// The names of the subject and of the issuer: each its common name, else its organisation; empty when there is none.
pub fn names_of(certificate: &[u8]) -> Names {
    read(certificate).unwrap_or_default()
}

fn read(certificate: &[u8]) -> Option<Names> {
    let (whole, _) = expect(SEQUENCE, certificate)?;
    let (to_be_signed, _) = expect(SEQUENCE, whole)?;
    let mut rest = to_be_signed;
    if let Some((_, after)) = expect(VERSION, rest) {
        rest = after;
    }
    // Serial number and algorithm.
    for _ in 0..2 {
        rest = element(rest)?.2;
    }
    let (issuer, rest) = expect(SEQUENCE, rest)?;
    let (_validity, rest) = expect(SEQUENCE, rest)?;
    let (subject, _) = expect(SEQUENCE, rest)?;
    Some(Names { peer: name(subject), issuer: name(issuer) })
}

/// Tag, content and what follows.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = input.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let length = match first {
        short @ 0..=0x7f => usize::from(*short),
        0x81..=0x84 => {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn expect(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    element(input).filter(|(found, _, _)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// A distinguished name: a sequence of sets of pairs.
fn name(mut parts: &[u8]) -> String {
    let (mut common, mut organisation) = (None, None);
    while let Some((set, rest)) = expect(SET, parts) {
        parts = rest;
        let Some((kind, value)) = expect(SEQUENCE, set).and_then(|(pair, _)| {
            let (kind, value) = expect(OID, pair)?;
            let (tag, text, _) = element(value)?;
            Some((kind, string(tag, text)))
        }) else {
            continue;
        };
        match kind {
            COMMON_NAME => common = common.or(value),
            ORGANISATION => organisation = organisation.or(value),
            _ => {}
        }
    }
    common.or(organisation).unwrap_or_default()
}

/// The text of one of the kinds of strings that names are made of.
fn string(tag: u8, bytes: &[u8]) -> Option<String> {
    let text = match tag {
        // UTF8String, and the kinds whose letters are ASCII or taken for it.
        0x0c | 0x12 | 0x13 | 0x14 | 0x16 => String::from_utf8_lossy(bytes).into_owned(),
        // BMPString
        0x1e => {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        _ => return None,
    };
    Some(clean(&text, LONGEST)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut out = vec![tag];
        match length {
            0..=0x7f => out.push(length as u8),
            _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
        }
        out.extend_from_slice(content);
        out
    }

    fn pair(kind: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
        der(SET, &der(SEQUENCE, &[der(OID, kind), der(tag, text)].concat()))
    }

    fn certificate(issuer: &[u8], subject: &[u8]) -> Vec<u8> {
        let fields = [
            der(VERSION, &der(2, &[2])),
            der(2, &[1, 2, 3]),
            der(SEQUENCE, &der(OID, &[1, 2, 3])),
            der(SEQUENCE, issuer),
            der(SEQUENCE, &[0; 200]),
            der(SEQUENCE, subject),
            vec![5, 0],
        ];
        der(SEQUENCE, &der(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn common_names_are_read_else_organisations_in_every_kind_of_string() {
        let issuer = [pair(ORGANISATION, 0x13, b"Inspecting Proxies Ltd"), pair(&[0x55, 4, 6], 0x13, b"NL")].concat();
        let subject =
            [pair(ORGANISATION, 0x0c, b"Office"), pair(COMMON_NAME, 0x0c, "b\u{fc}ro.example".as_bytes())].concat();
        let names = names_of(&certificate(&issuer, &subject));
        assert_eq!((names.peer.as_str(), names.issuer.as_str()), ("b\u{fc}ro.example", "Inspecting Proxies Ltd"));
        let wide = pair(COMMON_NAME, 0x1e, &[0, b'o', 0, b'k']);
        assert_eq!(names_of(&certificate(&wide, &[])), Names { peer: String::new(), issuer: "ok".to_owned() });
    }

    #[test]
    fn what_a_person_must_not_be_shown_is_cleaned_and_cut() {
        let subject = pair(COMMON_NAME, 0x0c, "a\u{202e}b\n".as_bytes());
        let issuer = pair(COMMON_NAME, 0x0c, &[b'x'; 1_000]);
        let names = names_of(&certificate(&issuer, &subject));
        assert!(!names.peer.contains(['\u{202e}', '\n']) && names.issuer.chars().count() <= LONGEST);
    }

    #[test]
    fn no_cut_and_no_flipped_bit_harms() {
        let whole = certificate(&pair(COMMON_NAME, 0x0c, b"issuer"), &pair(COMMON_NAME, 0x0c, b"subject"));
        for length in 0..whole.len() {
            let _ = names_of(&whole[..length]);
        }
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let _ = names_of(&flipped);
        }
        assert_eq!(names_of(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), Names::default());
        assert_eq!(names_of(&[0x30, 0x80]), Names::default());
    }
}
