//! What holds for every answer of the library, whatever the bytes were.

use crate::allocation::bounded;
use ors::agent::{Agent, Kind, Shown};
use ors::licence::{LONGEST_DETAIL, MAX_NESTING, Reason, Refusal, text};
use ors::notice::{
    Facts, Image, LICENCE_EXPIRED, LICENCE_EXPIRING, LicenceState, MAINTENANCE_EXPIRED, MAINTENANCE_EXPIRING, NEVER,
};
use ors::words::LONGEST_SENTENCE;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;

/// A refusal says why, in one sentence that may be shown to anybody.
pub fn refusal(refusal: &Refusal) {
    assert_ne!(refusal.reason, Reason::None, "{}", refusal.detail);
    assert!(!refusal.detail.is_empty() && text::is_plain(&refusal.detail, LONGEST_DETAIL), "{:?}", refusal.detail);
    assert!(refusal.detail.ends_with(['.', '…']), "{:?}", refusal.detail);
}

/// Notices that exclude each other never hold together; and the answer is the same, and of the same revision, in the whole span of
/// time for which it is said to be right.
pub fn image(facts: &Facts, local: i64) {
    let image = facts.at(local);
    let both = |bits: u32| image.notices & bits == bits;
    assert!(!both(LICENCE_EXPIRING | LICENCE_EXPIRED) && !both(MAINTENANCE_EXPIRING | MAINTENANCE_EXPIRED));
    assert!(image.revision != 0);
    assert!(image.from <= local && (local < image.until || image.until == NEVER), "{local}: {image:?}");
    for other in [image.from, image.until.saturating_sub(1)] {
        assert_eq!(facts.at(other), image, "at {other} as at {local}");
    }
    if image.until != NEVER {
        assert_ne!(facts.at(image.until).from, image.from);
    }
    assert_eq!(image.notices & LICENCE_EXPIRED != 0, image.licence_state() == LicenceState::Expired);
}

/// There is a sentence for every notice that holds.
pub fn sentences(agent: &Agent, status: &Image) {
    let shown = Shown {
        notices: status.notices,
        licence_last_day: status.licence_last_day,
        maintenance_last_day: status.maintenance_last_day,
        licence_days_left: status.licence_days_left,
        maintenance_days_left: status.maintenance_days_left,
        announcement: status.announcement,
        assistance_request: status.assistance_request,
    };
    for bit in (0..32).map(|bit| 1 << bit).filter(|bit| status.notices & bit != 0) {
        match bounded("a sentence is asked", || agent.notice_text(&shown, bit, None)) {
            Ok(said) => assert!(!said.is_empty() && said.len() < LONGEST_SENTENCE, "{bit:#x}: {said:?}"),
            // A leader may have found something newer meanwhile.
            Err(error) => assert_eq!(error.kind, Kind::Stale, "{bit:#x}: {error:?}"),
        }
    }
}

/// What was taken as JSON is JSON by another reader too, is nested at most as deep as is said, and has no key twice.
pub fn sound_json(bytes: &[u8]) {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let depth = Shape::deserialize(&mut reader).and_then(|shape| reader.end().map(|()| shape.0));
    assert!(depth.as_ref().is_ok_and(|depth| *depth <= MAX_NESTING), "{depth:?}");
}

/// How deep a JSON value is nested. A value with a key twice is an error.
struct Shape(usize);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Shape, D::Error> {
        reader.deserialize_any(Shape(0))
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = Shape;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape(0))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape(0))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape(0))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape(0))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape(0))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Shape, A::Error> {
        let mut deepest = 0;
        while let Some(element) = elements.next_element::<Shape>()? {
            deepest = element.0.max(deepest);
        }
        Ok(Shape(deepest + 1))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Shape, A::Error> {
        let (mut deepest, mut keys) = (0, BTreeSet::new());
        while let Some((key, member)) = members.next_entry::<String, Shape>()? {
            deepest = member.0.max(deepest);
            if !keys.insert(key) {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Err(A::Error::custom("a key is there twice"));
            }
        }
        Ok(Shape(deepest + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deep_or_has_a_key_twice_is_not_sound() {
        sound_json(br#"{"a":[1,-1,1.5,null,true,"x",{"a":{}}]}"#);
        let deep = |levels| [vec![b'['; levels], vec![b']'; levels]].concat();
        sound_json(&deep(MAX_NESTING));
        for text in [&deep(MAX_NESTING + 1)[..], br#"{"a":1,"\u0061":2}"#, b"[1,]", b"1 1"] {
            assert!(std::panic::catch_unwind(|| sound_json(text)).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
