//! What a licence says, as if a trusted key had signed it: everything that follows from it holds for any content.

use crate::allocation::bounded;
use crate::expand::expand;
use crate::fixture::{self, fixture};
use crate::promises;
use issuer::sign;
use ors::licence::{
    Changes, Content, Day, Instant, Judged, LICENCE_TYPE, Licence, MAX_FEATURES, MAX_FLS_BYTES, MAX_FLS_FILES,
    MAX_SEQUENCE, MAX_TEXT, MAX_USERS, Reason, judge, text, verify,
};
use ors::notice::Facts;
use ors::words;

/// More than a file of the largest size holds in base64.
const MOST: usize = 800 << 10;

pub fn run(data: &[u8]) {
    let payload = expand(data, MOST);
    let read = bounded("a payload is read", || Licence::parse(&payload));
    match &read {
        Ok(licence) => {
            promises::sound_json(&payload);
            is_within_its_limits(licence);
            assert_eq!(Licence::parse(&licence.to_json()).as_ref(), Ok(licence));
            bounded("a licence is judged", || follows(licence));
        }
        Err(refusal) => {
            promises::refusal(refusal);
            let reasons = [Reason::Malformed, Reason::Format, Reason::Amount, Reason::TooLarge];
            assert!(reasons.contains(&refusal.reason), "{refusal:?}");
        }
    }
    // The gate gives the same answer, but for the product.
    let known = fixture();
    let signed = sign(LICENCE_TYPE, &payload, &[&known.keys.licence]);
    let verified = bounded("a licence is verified", || verify(&signed, &known.rings[1], &known.product));
    match (read, verified) {
        (Ok(licence), Ok(genuine)) => assert_eq!(&licence, genuine.licence()),
        (Ok(licence), Err(refusal)) if licence.product != known.product => {
            assert_eq!(refusal.reason, Reason::Product);
            assert_eq!(refusal.serial.as_deref(), Some(licence.serial.as_str()));
        }
        (_, Err(refusal)) if refusal.reason == Reason::TooLarge && signed.len() > 1 << 20 => {}
        (read, verified) => {
            let verified = verified.map(|genuine| genuine.licence().clone());
            assert_eq!(read, verified);
        }
    }
}

fn is_within_its_limits(licence: &Licence) {
    assert!(licence.file_name().bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
    assert!(text::is_plain(&licence.customer, MAX_TEXT));
    assert!((1..=MAX_SEQUENCE).contains(&licence.sequence.get()) && licence.users <= MAX_USERS);
    assert!(licence.features.len() <= MAX_FEATURES && licence.fls.len() <= MAX_FLS_FILES);
    for feature in &licence.features {
        assert!((1..=64).contains(&feature.id.len()) && text::is_plain(&feature.name, MAX_TEXT));
        assert_eq!(licence.features.iter().filter(|other| other.id == feature.id).count(), 1);
    }
    for file in &licence.fls {
        assert!(file.text.len() <= MAX_FLS_BYTES && !file.name.contains(['/', '\\', ':', '\0']));
        assert!(!file.name.starts_with('.') && !file.name.to_ascii_lowercase().ends_with(".ors.json"));
    }
}

/// What the library does with a licence once it is genuine.
fn follows(licence: &Licence) {
    let day = Day::parse("2026-12-01").expect("a day");
    let content = Content::of(licence, day);
    let known = Content::of(&fixture::licence(7), day);
    for changes in [Changes::between(&known, &content), Changes::between(&content, &known)] {
        let told = words::fit(words::choose(None, None).changed(&changes));
        assert!(text::is_plain(&told, usize::MAX) && told.len() < words::LONGEST_SENTENCE, "{told:?}");
        assert!(changes.bits() < 16);
    }
    assert!(!Changes::between(&content, &content).announces());
    judge(Ok(licence), day, Judged::default);
    let facts = Facts::of(licence, &Judged::default());
    for now in [0, licence.issued_at.unix(), facts.licence.warns, facts.licence.ends, facts.maintenance.ends] {
        // No clock shows the instant that never comes.
        promises::image(&facts, now.min(1 << 40));
    }
    for day in [licence.expires_on, licence.maintenance_until].into_iter().flatten() {
        assert_eq!(Day::parse(&day.to_string()), Ok(day));
        assert_eq!(Day::at(Instant::from_unix(day.ends_at().unix() - 1)), day);
        assert!(day.warns_from() < day.ends_at() && Day::at(day.ends_at()) > day || day.number() == 99_981_231);
    }
}
