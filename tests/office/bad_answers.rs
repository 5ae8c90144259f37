//! Whatever answers: a named error, the licence in use stays, nothing is asked without end, and when the office is itself again all
//! is well.

use crate::renewal::enabled;
use crate::support::host::Host;
use crate::support::office::{Office, Raw, Reply, Signer, nonce};
use crate::support::{Site, licence};
use ors::ffi::*;
use ors::licence::{Serial, hex, sha256};
use ors::office::protocol::*;
use serde_json::json;
use std::time::{Duration, Instant};

/// A site that is enrolled and polls.
pub fn polling() -> (Site, Office, Host) {
    let (site, office) = (Site::with(7), Office::open());
    office.issue(7, &site.vendor.file(7));
    let host = enabled(&site, &office);
    office.until("a parked poll", |state| state.parked == 1);
    (site, office, host)
}

/// What diagnostics say went wrong, once they say so.
pub fn until_failure(host: &Host, word: &str) -> String {
    let told = |host: &Host| {
        let found = host.diagnostics();
        let notes = found["notes"].as_array().unwrap().iter().chain([&found["office"]["failure"]]);
        notes.filter_map(|note| note.as_str().map(str::to_owned)).find(|note| note.contains(word))
    };
    host.until(&format!("\"{word}\""), |host| told(host).is_some());
    told(host).unwrap()
}

/// Once the office is itself again, the newest licence comes into use, at the latest when somebody presses [Connect].
pub fn recovers(site: &Site, office: &Office, host: &Host, sequence: u64) {
    office.answer_rightly();
    office.issue(sequence, &site.vendor.file(sequence));
    assert_eq!(host.connected(host.connect().unwrap())["state"], "ok");
    host.until_sequence(sequence);
    host.until("no failure any more", |host| host.diagnostics()["office"]["failure"].is_null());
}

#[test]
fn each_wrong_answer_has_its_name_and_does_no_harm() {
    type Change = fn(&mut Reply);
    let rows: [(&str, Change, &str); 20] = [
        ("wrong nonce", |reply| reply.statement.nonce = nonce(9), "answer is that to another request"),
        ("for another agent", |reply| reply.statement.key = KeyId::parse(&"0".repeat(32)).unwrap(), "another key"),
        ("for another serial", |reply| reply.statement.serial = Serial::parse("999").unwrap(), "another serial number"),
        (
            "of another office",
            |reply| reply.statement.office = Origin::of_url("https://evil.example").unwrap(),
            "another office",
        ),
        (
            "for another product",
            |reply| reply.statement.product = ors::licence::Product::parse("other").unwrap(),
            "another product",
        ),
        ("by a licence key", |reply| reply.signed_by = Signer::Licence, "not signed by a key that is trusted"),
        ("by a stranger", |reply| reply.signed_by = Signer::Stranger, "not signed by a key that is trusted"),
        ("too late", |reply| reply.statement.expires_at = reply.statement.server_time.plus(-1), "on its way for too long"),
        ("of another kind", |reply| reply.statement.kind = Kind::Stored, "cannot be read"),
        ("with a member missing", |reply| reply.statement.body = json!({}), "cannot be read"),
        ("a log-in page", |reply| reply.raw = Some(Raw::Body(b"<title>Log in</title>".to_vec())), "Log in"),
        ("a redirect", |reply| (reply.status, reply.raw) = (307, Some(Raw::Body(Vec::new()))), "status 307"),
        ("a redirect with a signed body", |reply| reply.status = 302, "status 302"),
        ("garbage", |reply| reply.raw = Some(Raw::Bytes(vec![0x16, 3, 1, 0, 200, 1, 0, 0])), "HTTP"),
        ("nothing at all", |reply| reply.raw = Some(Raw::Body(Vec::new())), "not the back office"),
        ("500", |reply| (reply.status, reply.raw) = (500, Some(Raw::Body(b"Oops".to_vec()))), "status 500"),
        ("503", |reply| (reply.status, reply.raw) = (503, Some(Raw::Body(Vec::new()))), "status 503"),
        ("endless", |reply| reply.raw = Some(Raw::Endless), "larger than 1 MiB"),
        ("cut", |reply| reply.raw = Some(Raw::Cut), "cut before"),
        ("half an answer", |reply| reply.raw = Some(Raw::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx".to_vec())), "cut before"),
    ];
    let (site, office, host) = polling();
    for (sequence, (what, change, word)) in (8..).zip(rows) {
        office.script(move |_, reply| change(reply));
        let report = host.connected(host.connect().unwrap());
        assert_eq!(report["state"], "failed", "{what}: {report:#}");
        let told = until_failure(&host, word);
        assert!(told.ends_with('.'), "{what}: {told}");
        assert_eq!(host.licence().sequence, sequence - 1, "{what}: the licence in use stays");
        recovers(&site, &office, &host, sequence);
    }
    assert_eq!(office.count(Verb::Enrol), 1, "no wrong answer makes it enrol anew");
}

#[test]
fn an_answer_that_was_recorded_before_is_not_taken_again() {
    let (site, office, host) = polling();
    let mut first = None;
    office.script(move |request, reply| {
        if request.verb == Verb::Check {
            let recorded = first.get_or_insert_with(|| reply.statement.clone()).clone();
            reply.statement = recorded;
        }
    });
    assert_eq!(host.connected(host.connect().unwrap())["state"], "ok", "the one that was recorded");
    office.issue(8, &site.vendor.file(8));
    until_failure(&host, "answer is that to another request");
    assert_eq!(host.licence().sequence, 7);
    recovers(&site, &office, &host, 9);
}

#[test]
fn a_licence_that_is_not_the_announced_one_is_not_taken() {
    type Change = fn(&Site, &mut serde_json::Value);
    let rows: [(&str, Change, &str); 6] = [
        (
            "another digest than announced",
            |site, body| {
                body["licence"] = json!(String::from_utf8(site.vendor.file(8)).unwrap());
                body["digest"] = json!("0".repeat(64));
            },
            "digest",
        ),
        ("another number than announced", |site, body| offer(body, 9, &site.vendor.file(8)), "something else"),
        ("older than announced", |site, body| offer(body, 9, &site.vendor.file(6)), "(sequence)"),
        (
            "the same number with other content",
            |site, body| {
                let mut other = licence(7);
                other.users = 99;
                offer(body, 8, &site.vendor.sign(&other));
            },
            "(sequence-conflict)",
        ),
        ("no licence", |_, body| offer(body, 8, b"{}"), "refused"),
        (
            "a key list",
            |site, body| {
                let list = issuer::sign("application/vnd.ors.keys+json", b"{}", &[&site.vendor.root]);
                offer(body, 8, &list);
            },
            "refused",
        ),
    ];
    for (what, change, word) in rows {
        let (site, office, host) = polling();
        let site = std::sync::Arc::new(site);
        let inside = site.clone();
        office.script(move |request, reply| {
            if request.verb == Verb::Check {
                change(&inside, &mut reply.statement.body);
            }
        });
        office.happen(EventKind::Licence);
        until_failure(&host, word);
        assert_eq!(host.licence().sequence, 7, "{what}");
        assert!(host.diagnostics()["counters"]["wrong_answers"].as_u64().unwrap() >= 1, "{what}");
        recovers(&site, &office, &host, 12);
    }
}

/// Announces and brings a licence.
pub fn offer(body: &mut serde_json::Value, sequence: u64, file: &[u8]) {
    body["sequence"] = json!(sequence);
    body["digest"] = json!(hex(&sha256(file)));
    body["licence"] = json!(String::from_utf8(file.to_vec()).unwrap());
}

#[test]
fn an_office_in_trouble_is_asked_ever_more_slowly_and_a_year_is_an_hour() {
    let (site, office) = (Site::with(7), Office::open());
    office.script(|_, reply| {
        (reply.status, reply.raw) = (503, Some(Raw::Body(Vec::new())));
        reply.headers.push("Retry-After: 31536000".to_owned());
    });
    let host = enabled(&site, &office);
    until_failure(&host, "status 503");
    let began = Instant::now();
    host.until("four seconds later", |_| began.elapsed() > Duration::from_secs(4));
    assert_eq!(office.state().seen.len(), 1, "it does as it was asked");
    // A person is not kept waiting.
    recovers(&site, &office, &host, 8);
}

#[test]
fn a_clock_that_is_years_off_on_either_side_is_put_right_and_told() {
    for years in [-10, 10] {
        let (site, office) = (Site::with(7), Office::open());
        office.state().clock = years * 365 * 86_400;
        let host = enabled(&site, &office);
        office.until("a parked poll", |state| state.parked == 1);
        assert_eq!(office.count(Verb::Enrol), 2, "refused for the clock, and once more");
        office.issue(8, &site.vendor.file(8));
        host.until_sequence(8);
        host.until("told", |host| host.notices().notices & ORS_NOTICE_CLOCK_WRONG != 0);
        // What was learnt is kept: nothing is refused for the clock any more.
        let refused = host.diagnostics()["counters"]["refused_by_office"].clone();
        assert!(refused.is_null(), "{years} years: {refused}");
    }
}

#[test]
fn key_lists_that_miss_a_step_or_are_a_fork_are_refused_and_the_rest_goes_on() {
    use issuer::{KeyListDraft, Member, sign_key_list};
    use ors::licence::KeyStatus::Active;
    let list = |site: &Site, version: u64, also: &str| {
        let vendor = &site.vendor;
        let member = |key: &issuer::SigningKey| Member {
            id: key.id().to_owned(),
            role: key.role(),
            public: key.public_bytes(),
            status: Active,
        };
        let mut keys: Vec<Member> = [&vendor.root, &vendor.licence, &vendor.statement].map(member).to_vec();
        keys.push(member(&issuer::SigningKey::from_seed(also, ors::licence::Role::Licence, [33; 32])));
        sign_key_list(&KeyListDraft { version, threshold: 1, keys }, &[&vendor.root])
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (site, office, host) = polling();
    // The office says 2, and brings only the second of the two steps.
    let second = text(list(&site, 2, "spare"));
    office.script(move |request, reply| {
        if request.verb == Verb::Check {
            reply.statement.body["keys_version"] = json!(2);
            reply.statement.body["keys"] = json!([second]);
        }
    });
    office.happen(EventKind::Keys);
    until_failure(&host, "key list of the back office was refused");
    assert_eq!(host.about()["keys_version"], 0);
    recovers(&site, &office, &host, 8);
    // Both steps, at once.
    office.state().lists = vec![text(list(&site, 1, "spare")), text(list(&site, 2, "spare"))];
    office.happen(EventKind::Keys);
    host.until("both taken", |host| host.about()["keys_version"] == 2);
    // Another second list, properly signed.
    let fork = text(list(&site, 2, "other"));
    office.script(move |request, reply| {
        if request.verb == Verb::Check {
            reply.statement.body["keys_version"] = json!(3);
            reply.statement.body["keys"] = json!([fork]);
        }
    });
    office.happen(EventKind::Keys);
    until_failure(&host, "key-list-fork");
    assert_eq!(host.about()["keys_version"], 2);
    recovers(&site, &office, &host, 9);
}
