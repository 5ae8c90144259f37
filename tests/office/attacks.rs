//! The attacks that The Update Framework names, as far as they apply: whoever sits in the office or on the way can hold things up,
//! and nothing else.

use crate::alone::alone;
use crate::bad_answers::{offer, polling, recovers, until_failure};
use crate::support::office::{Office, Raw};
use crate::support::{Site, licence};
use issuer::{KeyListDraft, Member, SigningKey, sign_key_list, sign_licence};
use ors::ffi::*;
use ors::licence::{KeyStatus, MAX_SEQUENCE, Product, Role, Sequence};
use ors::office::protocol::{EventKind, Verb};
use std::time::{Duration, Instant};

/// An office in other hands: it announces and brings this file.
fn brings(office: &Office, sequence: u64, file: Vec<u8>) {
    office.script(move |request, reply| {
        if request.verb == Verb::Check {
            offer(&mut reply.statement.body, sequence, &file);
        }
    });
    office.happen(EventKind::Licence);
}

#[test]
fn arbitrary_licence_by_an_office_in_other_hands_is_refused() {
    let (site, office, host) = polling();
    brings(&office, 8, sign_licence(&licence(8), &site.vendor.stranger));
    until_failure(&host, "(unknown-key)");
    // Its own key is no licence key either.
    brings(&office, 8, sign_licence(&licence(8), &site.vendor.statement));
    until_failure(&host, "(key-role)");
    assert_eq!(host.licence().sequence, 7);
    recovers(&site, &office, &host, 8);
}

#[test]
fn rollback_to_an_older_licence_is_refused() {
    let (site, office, host) = polling();
    office.issue(8, &site.vendor.file(8));
    host.until_sequence(8);
    brings(&office, 9, site.vendor.file(7));
    until_failure(&host, "(sequence)");
    // Nor does an office that knows only the older one bring it back.
    office.answer_rightly();
    office.state().licence = Some((7, String::from_utf8(site.vendor.file(7)).unwrap()));
    assert_eq!(host.connected(host.connect().unwrap())["state"], "ok");
    office.until("asked for ours", |state| state.checks.iter().any(|check| check.licence.is_some()));
    assert_eq!(host.licence().sequence, 8);
    recovers(&site, &office, &host, 9);
}

#[test]
fn freeze_by_recorded_answers_is_seen_and_told() {
    if !alone("attacks::freeze_by_recorded_answers_is_seen_and_told") {
        return;
    }
    let (site, office, host) = polling();
    host.set(&serde_json::json!({ "unreachable_hours": 2 })).unwrap();
    let mut recorded = std::collections::HashMap::new();
    office.script(move |request, reply| {
        let first = recorded.entry(request.verb).or_insert_with(|| reply.statement.clone());
        reply.statement = first.clone();
    });
    // The very first ones are answers to their own requests.
    host.connected(host.connect().unwrap());
    office.issue(8, &site.vendor.file(8));
    until_failure(&host, "answer is that to another request");
    assert_eq!(host.notices().notices & ORS_NOTICE_SERVICE_UNREACHABLE, 0, "not yet");
    ors::clock::test::set_boot_offset(2 * 3_600);
    host.until("told", |host| host.notices().notices & ORS_NOTICE_SERVICE_UNREACHABLE != 0);
    let sentence = host.notice_text(ORS_NOTICE_SERVICE_UNREACHABLE).unwrap();
    assert!(sentence.ends_with('.'), "{sentence}");
    recovers(&site, &office, &host, 9);
    host.until("over", |host| host.notices().notices & ORS_NOTICE_SERVICE_UNREACHABLE == 0);
}

/// The next key list: the first licence key as given, and a second one.
fn list(site: &Site, next: &SigningKey, first: KeyStatus) -> String {
    let vendor = &site.vendor;
    let member = |key: &SigningKey, status| Member {
        id: key.id().to_owned(),
        role: key.role(),
        public: key.public_bytes(),
        status,
    };
    let keys = vec![
        member(&vendor.root, KeyStatus::Active),
        member(&vendor.licence, first),
        member(&vendor.statement, KeyStatus::Active),
        member(next, KeyStatus::Active),
    ];
    String::from_utf8(sign_key_list(&KeyListDraft { version: 1, threshold: 1, keys }, &[&vendor.root])).unwrap()
}

#[test]
fn fast_forward_by_a_stolen_licence_key_is_undone_by_revoking_it() {
    let (site, office, host) = polling();
    let mut last = licence(8);
    last.sequence = Sequence::new(MAX_SEQUENCE).unwrap();
    office.issue(MAX_SEQUENCE, &site.vendor.sign(&last));
    host.until_sequence(MAX_SEQUENCE);
    let next = SigningKey::from_seed("licence-2", Role::Licence, [21; 32]);
    office.state().lists = vec![list(&site, &next, KeyStatus::Revoked)];
    office.issue(8, &sign_licence(&licence(8), &next));
    host.until_sequence(8);
}

#[test]
fn mix_and_match_of_announcement_and_file_is_refused() {
    let (site, office, host) = polling();
    // Each part is genuine; together nobody has issued them.
    let (eight, nine) = (site.vendor.file(8), site.vendor.file(9));
    office.script(move |request, reply| {
        if request.verb == Verb::Check {
            offer(&mut reply.statement.body, 9, &nine);
            reply.statement.body["licence"] = serde_json::json!(String::from_utf8(eight.clone()).unwrap());
        }
    });
    office.happen(EventKind::Licence);
    until_failure(&host, "digest");
    assert_eq!(host.licence().sequence, 7);
    recovers(&site, &office, &host, 10);
}

#[test]
fn endless_data_is_cut_at_a_mebibyte() {
    let (site, office, host) = polling();
    office.script(|_, reply| reply.raw = Some(Raw::Endless));
    office.cut();
    until_failure(&host, "larger than 1 MiB");
    recovers(&site, &office, &host, 8);
}

#[test]
fn slow_retrieval_of_a_byte_a_second_is_cut_in_half_a_minute() {
    let (site, office, host) = polling();
    office.script(|request, reply| {
        if request.verb == Verb::Check {
            reply.raw = Some(Raw::Dribble(Duration::from_secs(1)));
        }
    });
    let began = Instant::now();
    let run = host.connect().unwrap();
    while host.report(run).unwrap()["state"] == "running" {
        assert!(began.elapsed() < Duration::from_secs(60), "it is waited for without end");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() > Duration::from_secs(25), "{:?}", began.elapsed());
    until_failure(&host, "did not come to its end in time");
    recovers(&site, &office, &host, 8);
}

#[test]
fn key_compromise_is_answered_by_issuing_anew_and_then_revoking() {
    let (site, office, host) = polling();
    let next = SigningKey::from_seed("licence-2", Role::Licence, [21; 32]);
    // First the list that makes the new key known, with the old one retired; then the licence by the new key.
    office.state().lists = vec![list(&site, &next, KeyStatus::Retired)];
    office.happen(EventKind::Keys);
    host.until("taken", |host| host.about()["keys_version"] == 1);
    assert_eq!(host.licence().sequence, 7, "what is installed stays good");
    brings(&office, 8, site.vendor.file(8));
    until_failure(&host, "(key-retired)");
    office.answer_rightly();
    office.issue(9, &sign_licence(&licence(9), &next));
    host.until_sequence(9);
}

#[test]
fn wrong_product_is_refused() {
    let (site, office, host) = polling();
    let mut other = licence(8);
    other.product = Product::parse("another-product").unwrap();
    brings(&office, 8, site.vendor.sign(&other));
    until_failure(&host, "(product)");
    assert_eq!(host.licence().sequence, 7);
    recovers(&site, &office, &host, 8);
}
