//! Which notices hold, and the sentences about them, for any numbers, names and languages.

use crate::allocation::bounded;
use crate::fixture::{self, PRODUCT, fixture};
use crate::reader::Reader;
use crate::{place, promises};
use ors::agent::{Agent, Kind, Options, Shown};
use ors::licence::{Changes, Day, Instant, Judged, Reason, text};
use ors::notice::{Facts, LicenceState, Term};
use ors::words;
use std::cell::OnceCell;

pub fn run(data: &[u8]) {
    let mut reader = Reader(data);
    match reader.u8() {
        0 => facts(&mut reader),
        1 => sentences(&mut reader),
        2 => changes(&mut reader),
        3 => shown(&mut reader),
        4 => published(&mut reader),
        _ => {}
    }
}

fn term(reader: &mut Reader<'_>) -> Term {
    match reader.u8() {
        0 => Term::NONE,
        1 => Term::PERPETUAL,
        _ => Term { last_day: reader.i32(), warns: reader.i64(), ends: reader.i64() },
    }
}

/// What is really published: the dates of a licence, a mark and a shift.
fn published(reader: &mut Reader<'_>) {
    let day = |days: i64| {
        (days >= 0).then(|| Day::at(Instant::from_unix(days.saturating_mul(86_400).saturating_add(43_200))))
    };
    let mut licence = fixture::licence(7);
    licence.expires_on = day(reader.i64());
    licence.maintenance_until = day(reader.i64());
    // The clocks of real machines, and of those that are set to anything that a calendar has.
    let seconds = |wanted: i64| wanted % (1 << 40);
    let judged = Judged { shift: seconds(reader.i64()), floor: seconds(reader.i64()).max(0), ..Judged::default() };
    promises::image(&Facts::of(&licence, &judged), seconds(reader.i64()));
}

fn facts(reader: &mut Reader<'_>) {
    let facts = Facts {
        steady: reader.u32(),
        state: LicenceState::from_number(reader.u8().into()),
        reason: Reason::from_code(reader.u8().into()).unwrap_or(Reason::None),
        licence: term(reader),
        maintenance: term(reader),
        users: reader.u32(),
        service: reader.u32(),
        announcement: reader.u64(),
        assistance_request: reader.u64(),
        sequence: reader.u64(),
        copy_sequence: reader.u64(),
        other: reader.u64(),
        shift: reader.i64(),
        floor: reader.i64(),
    };
    bounded("notices are judged", || facts.at(reader.i64()));
}

fn language(reader: &mut Reader<'_>) -> Option<String> {
    (reader.u8() & 1 != 0).then(|| reader.text(10_000))
}

fn is_a_sentence(said: &str) {
    assert!(!said.is_empty() && said.len() < words::LONGEST_SENTENCE, "{} bytes: {said:?}", said.len());
    assert!(text::is_plain(said, usize::MAX), "{said:?}");
}

fn sentences(reader: &mut Reader<'_>) {
    let (first, second) = (language(reader), language(reader));
    let words = bounded("a language is chosen", || words::choose(first.as_deref(), second.as_deref()));
    let (days, day, other, third, code) = (reader.i32(), reader.i32(), reader.i32(), reader.i32(), reader.i32());
    let reason = Reason::from_code(reader.u8().into()).unwrap_or(Reason::None);
    bounded("sentences are made", || {
        for said in [
            words.day(day),
            words.licence_expiring(days, day),
            words.licence_expired(day),
            words.maintenance_expiring(days, day),
            words.maintenance_expired(day),
            words.clock_wrong(days & 1 == 0),
            words.update(code, reason, day, other, third),
            words.error(code).to_owned(),
        ] {
            is_a_sentence(&said);
        }
    });
}

fn names(reader: &mut Reader<'_>) -> Vec<String> {
    // As many characters as a licence may have, and none that it may not have.
    (0..reader.u8() % 8).map(|_| text::clean(&reader.text(2_000), 200)).collect()
}

fn day(reader: &mut Reader<'_>) -> Option<Day> {
    Day::parse(&reader.text(10)).ok()
}

fn changes(reader: &mut Reader<'_>) {
    let changes = Changes {
        added: names(reader),
        removed: names(reader),
        changed: names(reader),
        ended: names(reader),
        users: (reader.u8() & 1 != 0).then(|| (reader.u32(), reader.u32())),
        maintenance: (reader.u8() & 1 != 0).then(|| (day(reader), day(reader))),
        expiry: (reader.u8() & 1 != 0).then(|| (day(reader), day(reader))),
    };
    is_a_sentence(&bounded("changes are told", || words::fit(words::choose(None, None).changed(&changes))));
}

thread_local! {
    /// An agent that has everything to tell: an announcement, a licence that waits to be copied.
    static AGENT: OnceCell<Agent> = const { OnceCell::new() };
}

fn open() -> Agent {
    let place = place::fresh();
    let (state, licences) = (place::folder(&place, "state"), place::folder(&place, "licences"));
    let copy = place::folder(&state, "copy");
    place::put(&licences.join("a.ors.json"), &fixture().licences[1]);
    place::put(&state.join("installed.ors.json"), &fixture().licences[1]);
    place::put(&copy.join("a.ors.json"), &fixture().licences[2]);
    place::put(&state.join("state.a"), &place::sealed(1, 1, fixture::state().to_string().as_bytes()));
    Agent::open(&Options {
        read_only: true,
        state_folder: Some(place::text(&state)),
        product: PRODUCT.to_owned(),
        trusted_keys: fixture().trusted.clone(),
        licence_folder: Some(place::text(&licences)),
        ..Options::default()
    })
    .expect("an agent that only reads")
}

fn shown(reader: &mut Reader<'_>) {
    AGENT.with(|agent| {
        let agent = agent.get_or_init(open);
        let status = agent.status().expect("an open agent");
        promises::sentences(agent, &status);
        // What a host gives back may be anything; mostly it is what it was shown.
        let what = reader.u8();
        let mut given = |bit: u8, real: i32| if what & bit == 0 { real } else { reader.i32() };
        let shown = Shown {
            notices: given(1, status.notices.cast_signed()).cast_unsigned(),
            licence_last_day: given(2, status.licence_last_day),
            maintenance_last_day: given(4, status.maintenance_last_day),
            licence_days_left: given(8, status.licence_days_left),
            maintenance_days_left: given(16, status.maintenance_days_left),
            announcement: if what & 32 == 0 { status.announcement } else { reader.u64() },
            assistance_request: reader.u64(),
        };
        let bit = if what & 64 == 0 { 1 << (reader.u8() % 32) } else { reader.u32() };
        let language = language(reader);
        match bounded("a sentence is asked", || agent.notice_text(&shown, bit, language.as_deref())) {
            Ok(said) => is_a_sentence(&said),
            Err(error) => assert!(matches!(error.kind, Kind::Argument | Kind::Stale), "{error:?}"),
        }
    });
}
