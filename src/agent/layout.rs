//! What lies where in a published slot: the span for which an answer is ready, the answer, and the facts it was made from.
#![forbid(unsafe_code)]

use super::ring::{WORDS, Words};
use crate::licence::Reason;
use crate::notice::{Facts, Image, LicenceState, Term};

/// `ors_licence_status` as 13 words of 8 bytes; the first eight are `ors_notice_status`. The low half of word 0 is the
/// caller's `struct_size`, which is put back when the answer is written.
pub const STATUS_WORDS: usize = 13;

/// Where each word of a published slot is: the span, the ready answer, then the facts it was made from.
pub const FROM: usize = 0;
pub const UNTIL: usize = 1;
pub const STATUS: usize = 2;
const FACTS: usize = STATUS + STATUS_WORDS;

fn pair(high: u32, low: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}

/// The answer as the words of the C struct, little-endian halves first: this library runs on little-endian machines only.
pub fn status_words(image: &Image) -> [u64; STATUS_WORDS] {
    [
        pair(image.notices, 0),
        image.revision,
        pair(image.maintenance_last_day.cast_unsigned(), image.licence_last_day.cast_unsigned()),
        pair(image.maintenance_days_left.cast_unsigned(), image.licence_days_left.cast_unsigned()),
        image.announcement,
        image.assistance_request,
        pair(image.service, image.users),
        0,
        pair(image.reason.cast_unsigned(), image.state),
        image.sequence,
        image.copy_sequence,
        image.licence_expires_at.cast_unsigned(),
        image.maintenance_ends_at.cast_unsigned(),
    ]
}

const _: () = assert!(cfg!(target_endian = "little"), "the words of a status are written for little-endian machines");

/// What is published for these facts, with the answer at `local` ready.
pub fn words(facts: &Facts, local: i64) -> [u64; WORDS] {
    let image = facts.at(local);
    let mut words = [0; WORDS];
    let all =
        [image.from.cast_unsigned(), image.until.cast_unsigned()].into_iter().chain(status_words(&image)).chain([
            pair(facts.steady, facts.state as u32),
            pair(facts.reason.code().cast_unsigned(), facts.users),
            pair(facts.licence.last_day.cast_unsigned(), facts.maintenance.last_day.cast_unsigned()),
            facts.licence.warns.cast_unsigned(),
            facts.licence.ends.cast_unsigned(),
            facts.maintenance.warns.cast_unsigned(),
            facts.maintenance.ends.cast_unsigned(),
            facts.announcement,
            facts.assistance_request,
            facts.sequence,
            facts.copy_sequence,
            facts.other,
            facts.shift.cast_unsigned(),
            facts.floor.cast_unsigned(),
            u64::from(facts.service),
        ]);
    for (to, from) in words.iter_mut().zip(all) {
        *to = from;
    }
    words
}

const _: () = assert!(FACTS + 15 <= WORDS, "a slot holds the answer and its facts");

/// The facts that a slot was made from.
pub fn facts(slot: &Words) -> Facts {
    let word = |index: usize| slot.get(FACTS + index);
    let high = |index: usize| (word(index) >> 32) as u32;
    let low = |index: usize| word(index) as u32;
    let signed = |index: usize| word(index).cast_signed();
    Facts {
        steady: high(0),
        state: LicenceState::from_number(low(0)),
        reason: Reason::from_code(high(1).cast_signed()).unwrap_or(Reason::None),
        users: low(1),
        licence: Term { last_day: high(2).cast_signed(), warns: signed(3), ends: signed(4) },
        maintenance: Term { last_day: low(2).cast_signed(), warns: signed(5), ends: signed(6) },
        announcement: word(7),
        assistance_request: word(8),
        sequence: word(9),
        copy_sequence: word(10),
        other: word(11),
        shift: signed(12),
        floor: signed(13),
        service: low(14),
    }
}
