use super::testkit::*;
use super::*;
use crate::licence::testkit as licences;
use crate::licence::{Envelope, Reason, Role, hex, sha256};
use serde_json::{Value, json};
use zeroize::Zeroizing;

fn prove(bytes: &[u8]) -> Result<Request, Reason> {
    let unproven = Unproven::read(bytes).map_err(|refusal| refusal.reason)?;
    unproven.prove(&agent_key().public(), &office()).map_err(|refusal| refusal.reason)
}

/// The request's payload with one member changed or taken out, signed again by the same key.
fn request_with(name: &str, value: Option<Value>) -> Vec<u8> {
    let sent = request(Verb::Check, json!({})).seal(&agent_key()).unwrap();
    let mut payload: Value = serde_json::from_slice(&Envelope::parse(&sent).unwrap().payload).unwrap();
    match value {
        Some(value) => payload[name] = value,
        None => drop(payload.as_object_mut().unwrap().remove(name)),
    }
    agent_key().seal(REQUEST_TYPE, payload.to_string().as_bytes()).to_vec()
}

fn statement_with(name: &str, value: Option<Value>) -> Vec<u8> {
    let mut payload: Value = serde_json::from_slice(&statement().to_payload()).unwrap();
    match value {
        Some(value) => payload[name] = value,
        None => drop(payload.as_object_mut().unwrap().remove(name)),
    }
    licences::seal(STATEMENT_TYPE, payload.to_string().as_bytes(), &[&office_key()]).to_json()
}

#[test]
fn what_an_installation_says_arrives_as_it_was_said() {
    for verb in Verb::ALL {
        let said = request(verb, json!({"a": [1, "ü"]}));
        assert_eq!(prove(&said.seal(&agent_key()).unwrap()), Ok(said));
    }
}

#[test]
fn what_the_office_says_arrives_as_it_was_said() {
    assert_eq!(verify(&sealed(&statement()), 0), Ok(statement()));
    assert_eq!(verify(&sealed(&statement()), STATEMENT_LIFE), Ok(statement()));
}

#[test]
fn a_request_counts_only_with_the_signature_of_the_key_it_names() {
    let said = request(Verb::Check, json!({}));
    let other = AgentKey::from_seed(&[8; 32]);
    assert_eq!(prove(&said.seal(&other).unwrap()), Err(Reason::Signature));
    let claimed = Request { key: other.public().id(), ..said.clone() };
    assert_eq!(prove(&claimed.seal(&agent_key()).unwrap()), Err(Reason::UnknownKey));

    let mut altered = Envelope::parse(&said.seal(&agent_key()).unwrap()).unwrap();
    altered.payload.push(b' ');
    assert_eq!(prove(&altered.to_json()), Err(Reason::Signature));
    altered.payload_type = STATEMENT_TYPE.to_owned();
    assert_eq!(prove(&altered.to_json()), Err(Reason::Malformed));
}

#[test]
fn a_request_made_for_another_office_is_of_no_use_here() {
    let elsewhere =
        Request { office: Origin::of_url("https://evil.example").unwrap(), ..request(Verb::Check, json!({})) };
    assert_eq!(prove(&elsewhere.seal(&agent_key()).unwrap()), Err(Reason::Malformed));
}

#[test]
fn requests_that_are_not_as_they_must_be_are_refused() {
    for name in ["format", "verb", "office", "product", "serial", "key", "instance", "nonce", "created", "body"] {
        assert_eq!(prove(&request_with(name, None)), Err(Reason::Malformed), "no {name}");
        assert_eq!(prove(&request_with(name, Some(json!(null)))), Err(Reason::Malformed), "{name}");
    }
    for (name, value, reason) in [
        ("format", json!(2), Reason::Format),
        ("verb", json!("destroy"), Reason::Malformed),
        ("office", json!("https://office.example/"), Reason::Malformed),
        ("office", json!("https://OFFICE.example"), Reason::Malformed),
        ("key", json!("A".repeat(32)), Reason::Malformed),
        ("nonce", json!("0".repeat(31)), Reason::Malformed),
        ("created", json!("2026-11-26 10:00:00"), Reason::Malformed),
        ("body", json!([]), Reason::Malformed),
    ] {
        assert_eq!(prove(&request_with(name, Some(value.clone()))), Err(reason), "{name}: {value}");
    }
    assert_eq!(prove(b""), Err(Reason::Malformed));
    assert_eq!(prove(b"<html>"), Err(Reason::Malformed));
    assert_eq!(prove(&vec![b'['; MAX_MESSAGE_BYTES + 1]), Err(Reason::TooLarge));
}

#[test]
fn an_answer_counts_only_from_a_statement_key() {
    let payload = statement().to_payload();
    for role in [Role::Licence, Role::Root] {
        let id = if role == Role::Licence { "licence-1" } else { "nobody" };
        let bytes = licences::seal(STATEMENT_TYPE, &payload, &[&licences::key(role, id)]).to_json();
        assert!(matches!(verify(&bytes, 0), Err(Untrusted::Key(_))), "{role:?}");
    }
    let bytes = licences::seal(REQUEST_TYPE, &payload, &[&office_key()]).to_json();
    assert!(matches!(verify(&bytes, 0), Err(Untrusted::NotOurs(_))));
    assert!(matches!(verify(b"<html>Log in</html>", 0), Err(Untrusted::NotOurs(_))));
}

#[test]
fn an_answer_to_anybody_else_or_to_another_request_is_not_taken() {
    for (name, value, wanted) in [
        ("office", json!("https://evil.example"), Untrusted::Another("office")),
        ("product", json!("other"), Untrusted::Another("product")),
        ("serial", json!("999"), Untrusted::Another("serial number")),
        ("key", json!("0".repeat(32)), Untrusted::Another("key")),
        ("nonce", json!("0".repeat(32)), Untrusted::Nonce),
    ] {
        assert_eq!(verify(&statement_with(name, Some(value)), 0), Err(wanted));
    }
}

#[test]
fn an_answer_that_was_held_back_is_not_taken() {
    assert_eq!(verify(&sealed(&statement()), STATEMENT_LIFE + 1), Err(Untrusted::Late));
    let backwards = Statement { expires_at: now().plus(-1), ..statement() };
    assert_eq!(verify(&sealed(&backwards), 0), Err(Untrusted::Late));
}

#[test]
fn answers_that_are_not_as_they_must_be_are_refused() {
    for name in ["format", "type", "office", "product", "serial", "key", "nonce", "server_time", "expires_at", "body"] {
        assert!(matches!(verify(&statement_with(name, None), 0), Err(Untrusted::Malformed(_))), "no {name}");
    }
    assert!(matches!(verify(&statement_with("type", Some(json!("more"))), 0), Err(Untrusted::Malformed(_))));
}

#[test]
fn every_body_says_the_same_at_both_ends() {
    let enrol = Enrol {
        organisation: "4711".into(),
        code: Code::new(Zeroizing::new("AB-CD".into())),
        public: agent_key().public(),
        product_version: "7.1".into(),
        agent_version: "0.1.0".into(),
        licence: "{\"x\":\"\\\"\"}\n".into(),
    };
    let read = Enrol::read(&enrol.to_body().unwrap()).unwrap();
    assert_eq!((read.organisation.as_str(), read.code.expose(), &read.public), ("4711", "AB-CD", &enrol.public));
    assert_eq!((read.licence, read.product_version), (enrol.licence, enrol.product_version));

    let check = Check {
        sequence: 7,
        digest: Some(sha256(b"x")),
        waiting: 8,
        keys_version: 2,
        journal: Some(JournalHead { chain: "ab-1".into(), n: 9, hash: hex(&sha256(b"y")) }),
        product_version: String::new(),
        agent_version: "0.1.0".into(),
        licence: Some("file".into()),
    };
    let bare = Check { digest: None, journal: None, licence: None, ..check.clone() };
    for check in [check, bare] {
        assert_eq!(Check::read(&check.to_body().unwrap()), Ok(check));
    }
    let events = Events { epoch: Some(nonce(3)), after: 5, hold: 45, pongs: vec![nonce(4)], leaving: false };
    for events in [events.clone(), Events { epoch: None, leaving: true, ..events }] {
        assert_eq!(Events::read(&events.to_body()), Ok(events));
    }
    let report = Report { chain: "ab-1".into(), first: 1, lines: vec!["{}".into()] };
    assert_eq!(Report::read(&report.to_body()), Ok(report));
}

#[test]
fn every_answer_says_the_same_at_both_ends() {
    for pending in [true, false] {
        let enrolled = Enrolled { pending, organisation: "Prints & Co".into() };
        assert_eq!(Enrolled::read(&enrolled.to_body()), Ok(enrolled));
    }
    let checked = Checked {
        sequence: 8,
        digest: Some(sha256(b"z")),
        licence: Some("file".into()),
        keys_version: 3,
        keys: vec!["list".into()],
        send_licence: true,
    };
    for checked in [checked, Checked::default()] {
        assert_eq!(Checked::read(&checked.to_body().unwrap()), Ok(checked));
    }
    let kinds =
        [EventKind::Licence, EventKind::Keys, EventKind::Enrolment, EventKind::Probe(nonce(5)), EventKind::Unknown];
    let events = kinds.into_iter().zip(1..).map(|(kind, id)| Event { id, kind }).collect();
    let happened = Happened { epoch: nonce(3), last: 5, events };
    assert_eq!(Happened::read(&happened.to_body()), Ok(happened));
    assert_eq!(Stored::read(&Stored { through: 3 }.to_body()), Ok(Stored { through: 3 }));
    for (reason, _) in RefusedFor::ALL {
        let refused = Refused { reason, detail: "No.".into() };
        assert_eq!(Refused::read(&refused.to_body()), Ok(refused));
    }
}

#[test]
fn an_event_of_a_newer_office_is_passed_over() {
    let body = json!({"epoch": nonce(1).as_str(), "last": 1, "events": [{"id": 1, "type": "assistance", "who": "x"}]});
    assert_eq!(Happened::read(&body).unwrap().events, [Event { id: 1, kind: EventKind::Unknown }]);
}

#[test]
fn what_is_too_much_is_refused_before_it_is_sent_and_when_it_arrives() {
    let large = "x".repeat(MAX_CARRIED_BYTES + 1);
    let checked = Checked { licence: Some(large.clone()), ..Checked::default() };
    assert_eq!(checked.to_body().unwrap_err().reason, Reason::TooLarge);
    let mut body = Checked::default().to_body().unwrap();
    body["licence"] = json!(large);
    assert_eq!(Checked::read(&body).unwrap_err().reason, Reason::TooLarge);

    let events: Vec<Value> = (1..=MAX_EVENTS + 1).map(|id| json!({"id": id, "type": "licence"})).collect();
    let body = json!({"epoch": nonce(1).as_str(), "last": 1, "events": events});
    assert_eq!(Happened::read(&body).unwrap_err().reason, Reason::Amount);
    let report = Report { chain: "a".into(), first: 1, lines: vec!["x".repeat(MAX_LINE_BYTES + 1)] };
    assert!(Report::read(&report.to_body()).is_err());
    assert!(Events::read(&json!({"epoch": null, "after": 0, "hold": 3600, "pongs": [], "leaving": false})).is_err());
}

#[test]
fn the_largest_licence_that_is_carried_fits_into_a_request_and_into_an_answer() {
    let licence = format!("\"{}\"", "A".repeat(MAX_CARRIED_BYTES - 2));
    let enrol = Enrol {
        organisation: "ü".repeat(200),
        code: Code::new(Zeroizing::new("ü".repeat(200))),
        public: agent_key().public(),
        product_version: "ü".repeat(200),
        agent_version: "ü".repeat(200),
        licence: licence.clone(),
    };
    let sent = request(Verb::Enrol, enrol.to_body().unwrap()).seal(&agent_key()).unwrap();
    assert_eq!(Enrol::read(&prove(&sent).unwrap().body).unwrap().licence, licence);
    let checked = Checked { licence: Some(licence.clone()), ..Checked::default() };
    let answer = sealed(&Statement { body: checked.to_body().unwrap(), ..statement() });
    assert!(answer.len() <= MAX_MESSAGE_BYTES, "{}", answer.len());
    assert_eq!(Checked::read(&verify(&answer, 0).unwrap().body).unwrap().licence, Some(licence));
}

#[test]
fn an_origin_has_one_spelling() {
    for (url, origin) in [
        ("https://Office.Example/agent?x#y", Some("https://office.example")),
        ("https://office.example:443", Some("https://office.example")),
        ("HTTPS://office.example:8443/", Some("https://office.example:8443")),
        ("http://127.0.0.1:80", Some("http://127.0.0.1")),
        ("http://[::1]:8080/x", Some("http://[::1]:8080")),
        ("https://[::1]", Some("https://[::1]")),
        ("https://office.example:0443", Some("https://office.example")),
        ("ftp://office.example", None),
        ("https://", None),
        ("https://:443", None),
        ("https://office.example:0", None),
        ("https://office.example:99999", None),
        ("https://office.example:+1", None),
        ("https://user@office.example", None),
        ("https://a b", None),
        ("office.example", None),
        ("https://[::1", None),
    ] {
        assert_eq!(Origin::of_url(url).as_ref().map(Origin::as_str), origin, "{url}");
    }
}

#[test]
fn a_fingerprint_is_eight_letters_that_cannot_be_confused_and_differs_with_the_key() {
    let one = agent_key().public();
    let other = AgentKey::from_seed(&[8; 32]).public();
    assert_ne!(one.fingerprint(), other.fingerprint());
    assert_ne!(one.id(), other.id());
    let text = one.fingerprint();
    assert!(text.len() == 9 && text.as_bytes()[4] == b'-' && !text.contains(['I', 'L', 'O', 'U']), "{text}");
    assert_eq!(fingerprint(&one.to_bytes()), text);
    // 0x00 00 00 00 00 and 0xFF x 5 would be the ends of the alphabet; a known key pins the order of the bits.
    let digest = sha256(&one.to_bytes());
    let first = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".as_bytes()[usize::from(digest[0] >> 3)];
    assert_eq!(text.as_bytes()[0], first);
}

#[test]
fn a_key_that_anybody_can_sign_for_is_no_key() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(AgentPublic::from_bytes(&identity), None);
    assert_eq!(AgentPublic::from_bytes(&[0xFF; 32]), None);
    assert_eq!(AgentPublic::from_bytes(&[0; 31]), None);
}

#[test]
fn no_cut_and_no_flip_of_a_message_is_taken_or_makes_it_panic() {
    let sent = request(Verb::Check, json!({})).seal(&agent_key()).unwrap();
    let said = sealed(&statement());
    for end in 0..sent.len() {
        assert!(prove(&sent[..end]).is_err(), "{end}");
    }
    for end in 0..said.len() {
        assert!(verify(&said[..end], 0).is_err(), "{end}");
    }
    let mut still_good = 0;
    for bit in 0..said.len() * 8 {
        let mut flipped = said.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(found) = verify(&flipped, 0) {
            // Only what is not signed, and cannot change what was signed: the key id.
            assert_eq!(found, statement());
            still_good += 1;
        }
    }
    assert!(still_good < 16 * 8, "{still_good}");
}
