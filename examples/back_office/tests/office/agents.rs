//! The line to the agents.

use crate::rig::agent::{Agent, nonce};
use crate::rig::{Office, SERIAL, http, key, licence, now, signed, until};
use ors::licence::{Role, hex, sha256};
use ors::office::protocol::{
    AgentKey, Check, EventKind, Events, JournalHead, MAX_MESSAGE_BYTES, Origin, RefusedFor, Report, Request, Verb,
};
use std::time::{Duration, Instant};

#[test]
fn an_installation_enrols_checks_and_hears_of_a_licence_that_is_issued() {
    let office = Office::open();
    let mut agent = office.enrolled(1, 1);
    let checked = agent.check().unwrap();
    assert_eq!((checked.sequence, checked.licence, checked.send_licence), (1, None, false));
    let here = agent.stream().unwrap();
    let parked = agent.park(&here, 50);
    until("it is present", || office.desk.run(&["installation", "list"]).ok().contains("seen 20"));

    let order = ["licence", "issue", "prismaprepare", SERIAL, "--add-users", "2"];
    office.desk.run(&order).ok();
    let issued = Instant::now();
    let happened = parked.answered();
    assert!(issued.elapsed() < Duration::from_secs(2), "{:?}", issued.elapsed());
    assert_eq!(happened.events.iter().map(|event| &event.kind).collect::<Vec<_>>(), [&EventKind::Licence]);
    let checked = agent.check().unwrap();
    agent.install(&checked);
    assert_eq!(agent.sequence, 2);
    assert_eq!(agent.check().unwrap().licence, None);
}

#[test]
fn a_wrong_code_gets_one_sentence_and_after_five_it_is_closed_for_this_serial_number() {
    let office = Office::open();
    let agent = office.agent(1, 1);
    for (organisation, code) in
        [("4711", "WRONG"), ("4712", office.code.as_str()), ("' OR 1=1 --", "<script>"), ("", "")]
    {
        let answered = agent.ask(Verb::Enrol, agent.enrolment(organisation, code));
        assert_eq!(answered.yes(), Err(RefusedFor::Code));
        assert_eq!(answered.detail(), "The ID or the verification code is not right.");
        assert_eq!(answered.response.status, 403);
    }
    assert_eq!(agent.enrol("4711", "WRONG"), Err(RefusedFor::Code));
    let answered = agent.ask(Verb::Enrol, agent.enrolment("4711", &office.code));
    assert_eq!(answered.yes(), Err(RefusedFor::Throttled), "also with the right one");
    assert!(answered.response.header("retry-after").unwrap().parse::<u32>().unwrap() > 800);
}

#[test]
fn a_serial_number_is_proven_by_its_licence_and_by_nothing_else() {
    let office = Office::open();
    let stranger = issuer::SigningKey::from_seed("licence-1", Role::Licence, [9; 32]);
    let forged = String::from_utf8(issuer::sign_licence(&licence(SERIAL, 7), &stranger)).unwrap();
    let by_statement = String::from_utf8(issuer::sign_licence(&licence(SERIAL, 7), &key(Role::Statement))).unwrap();
    for (what, file) in [
        ("a guessed serial number", signed(&licence("9999", 1))),
        ("a forged licence", forged),
        ("one by a statement key", by_statement),
        ("none", String::new()),
        ("HTML", "<html>".to_owned()),
    ] {
        let agent = Agent { licence: file, ..office.agent(1, 1) };
        assert_eq!(agent.enrol("4711", &office.code), Err(RefusedFor::Licence), "{what}");
        assert_eq!(agent.check(), Err(RefusedFor::UnknownKey), "{what}");
    }
}

#[test]
fn an_installation_of_another_organisation_looks_like_a_wrong_code() {
    let office = Office::open();
    office.enrolled(1, 1);
    office.desk.run(&["organisation", "add", "4712", "Other"]).ok();
    let code = office.desk.run(&["organisation", "new-code", "4712"]).ok();
    let answered = office.agent(2, 1);
    assert_eq!(answered.enrol("4712", code.trim()), Err(RefusedFor::Code));
}

#[test]
fn a_second_key_gets_nothing_until_its_fingerprint_is_approved_and_then_the_first_is_superseded() {
    let office = Office::open();
    let first = office.enrolled(1, 1);
    let second = office.agent(2, 1);
    assert!(second.enrol("4711", &office.code).unwrap().pending);
    assert!(second.enrol("4711", &office.code).unwrap().pending, "the same key gets the same answer");
    assert_eq!(second.check(), Err(RefusedFor::Pending));
    let waiting = office.desk.run(&["enrolment", "waiting"]).ok();
    assert!(waiting.contains(&second.fingerprint()) && waiting.contains(&first.fingerprint()), "{waiting}");

    let (there, here) = (first.stream().unwrap(), second.stream().unwrap());
    let (parked, waits) = (first.park(&there, 50), second.park(&here, 50));
    office.desk.run(&["enrolment", "approve", "prismaprepare", SERIAL, &second.fingerprint()]).ok();
    for happened in [parked.answered(), waits.answered()] {
        assert!(happened.events.iter().any(|event| event.kind == EventKind::Enrolment), "{happened:?}");
    }
    assert_eq!(first.check(), Err(RefusedFor::Superseded));
    assert_eq!(second.check().unwrap().sequence, 1);

    office.desk.run(&["enrolment", "revoke", "prismaprepare", SERIAL, &second.fingerprint()]).ok();
    assert_eq!(second.check(), Err(RefusedFor::Revoked));
    assert_eq!(second.enrol("4711", &office.code), Err(RefusedFor::Revoked));
    let third = office.agent(3, 1);
    assert!(third.enrol("4711", &office.code).unwrap().pending, "after a revocation nobody gets in unseen");
    office.desk.run(&["enrolment", "refuse", "prismaprepare", SERIAL, &third.fingerprint()]).ok();
    assert_eq!(third.check(), Err(RefusedFor::Declined));
}

#[test]
fn a_request_that_is_not_what_it_should_be_is_refused_by_name() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let body = agent.check_body().to_body().unwrap();
    let refused = |request: &Request| {
        let answered = agent.send(request);
        (answered.yes().unwrap_err(), answered.response.status)
    };
    for off in [-301, 302, -40 * 365 * 86_400, 40 * 365 * 86_400] {
        let request = agent.at(now().plus(off), Verb::Check, body.clone());
        let answered = agent.send(&request);
        assert_eq!((answered.yes(), answered.response.status), (Err(RefusedFor::Clock), 401), "{off}");
        assert!((answered.statement.server_time.unix() - now().unix()).abs() < 5, "and the right time is signed");
    }
    let once = agent.request(Verb::Check, body.clone());
    agent.send(&once).yes().unwrap();
    assert_eq!(refused(&once), (RefusedFor::Nonce, 409));
    let elsewhere =
        Request { office: Origin::of_url("https://evil.example").unwrap(), ..agent.request(Verb::Check, body.clone()) };
    let sent = http::ask(agent.address, "POST", Verb::Check.path(), &[], &elsewhere.seal(&agent.key).unwrap());
    assert_eq!(sent.status, 400);
    let garbled = agent.request(Verb::Check, serde_json::json!({"sequence": "' OR 1=1 --"}));
    assert_eq!(refused(&garbled), (RefusedFor::Request, 400));
    let request = agent.request(Verb::Check, body.clone());
    let sent = http::ask(agent.address, "POST", Verb::Report.path(), &[], &request.seal(&agent.key).unwrap());
    assert_eq!(agent.verified(&request, sent).yes(), Err(RefusedFor::Request), "a check sent as a report");
    let stranger = Agent { key: AgentKey::from_seed(&[7; 32]), ..office.agent(1, 1) };
    assert_eq!(stranger.check(), Err(RefusedFor::UnknownKey));
}

#[test]
fn who_cannot_be_told_apart_from_anybody_gets_no_statement() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let request = agent.request(Verb::Check, agent.check_body().to_body().unwrap());
    // Signed by another key than the one that it names.
    let forged = request.seal(&AgentKey::from_seed(&[2; 32])).unwrap();
    for body in [forged.as_slice(), b"", b"{}", b"<html>", b"\xff\xfe", &[b'['; 5000]] {
        let response = http::ask(agent.address, "POST", Verb::Check.path(), &[], body);
        assert_eq!(response.status, 400, "{response:?}");
        assert!(!response.text().contains("payload"));
    }
    agent.check().unwrap();
}

#[test]
fn a_body_of_ten_mebibytes_is_turned_away_and_the_next_request_is_answered() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    for size in [MAX_MESSAGE_BYTES + 1, 10 << 20] {
        let response = http::ask(agent.address, "POST", Verb::Check.path(), &[], &vec![b'x'; size]);
        assert_eq!((response.status, response.header("connection")), (413, Some("close")));
    }
    agent.check().unwrap();
    assert_eq!(http::ask(agent.address, "GET", Verb::Check.path(), &[], b"").status, 405);
    assert_eq!(http::ask(agent.address, "POST", "/agent/v2/check", &[], b"").status, 404);
}

#[test]
fn a_request_that_never_ends_is_hung_up_on_and_others_are_served() {
    use std::io::{Read, Write};
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let head = b"POST /agent/v1/check HTTP/1.1\r\nHost: office.example\r\nContent-Length: 1000000\r\n\r\n";
    let mut slow = std::net::TcpStream::connect(agent.address).unwrap();
    slow.write_all(head).unwrap();
    slow.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let began = Instant::now();
    let mut answer = Vec::new();
    // Two bytes a second: always alive, never done.
    loop {
        let _ = slow.write_all(b"x");
        let mut some = [0; 1024];
        match slow.read(&mut some) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&some[..read]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        agent.check().unwrap();
        assert!(began.elapsed() < Duration::from_secs(40), "it is still listened to");
    }
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 408"), "{answer:?}");
}

#[test]
fn a_poll_is_held_answered_at_once_when_it_should_be_and_ended_by_a_newer_one() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let here = agent.stream().unwrap();
    let again =
        agent.poll(&Events { epoch: Some(nonce()), after: 0, hold: 50, pongs: vec![], leaving: false }).unwrap();
    assert_eq!(again.epoch, here.epoch, "another stream is answered at once");
    let from = Instant::now();
    let held = agent.park(&here, 5).answered();
    assert!(held.events.is_empty() && from.elapsed() >= Duration::from_millis(4_900), "{:?}", from.elapsed());

    let older = agent.park(&here, 50);
    until("it is parked", || metric(&office, "agents_parked") == 1);
    let newer = agent.park(&here, 50);
    assert!(older.answered().events.is_empty());
    until("one is parked", || metric(&office, "agents_parked") == 1);
    agent
        .poll(&Events { epoch: Some(here.epoch.clone()), after: here.last, hold: 50, pongs: vec![], leaving: true })
        .unwrap();
    drop(newer);
    until("none is parked", || metric(&office, "agents_parked") == 0);
}

#[test]
fn a_closed_connection_makes_an_installation_dark_at_once() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let here = agent.stream().unwrap();
    assert_eq!(metric(&office, "installations_present"), 1);
    let parked = agent.park(&here, 50);
    until("it is parked", || metric(&office, "agents_parked") == 1);
    let from = Instant::now();
    drop(parked);
    until("it is dark", || metric(&office, "installations_present") == 0);
    assert!(from.elapsed() < Duration::from_secs(1));
}

pub fn metric(office: &Office, name: &str) -> u64 {
    let text = http::ask(office.server.address, "GET", "/metrics", &[], b"").text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("back_office_{name} ")));
    line.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
}

#[test]
fn a_key_on_two_machines_and_a_journal_with_two_histories_are_shown() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let copy = Agent { licence: agent.licence.clone(), ..office.agent(1, 1) };
    let head =
        |chain: &str, n, text: &str| Some(JournalHead { chain: chain.into(), n, hash: hex(&sha256(text.as_bytes())) });
    let list = || office.desk.run(&["enrolment", "list", "prismaprepare", SERIAL]).ok();
    agent.check_with(&Check { journal: head("a", 7, "x"), ..agent.check_body() }).unwrap();
    assert!(!list().contains("two machines") && !list().contains("history"));
    // Times are whole seconds: a restart is told from a copy by the time of its first request.
    std::thread::sleep(Duration::from_millis(1100));
    copy.check().unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    agent.check_with(&Check { journal: head("a", 5, "y"), ..agent.check_body() }).unwrap();
    let listed = list();
    assert!(listed.contains("seen on two machines") && listed.contains("history missing after 5"), "{listed}");
}

#[test]
fn a_report_is_stored_once() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let report = |first, lines: &[&str]| Report {
        chain: "chain-1".into(),
        first,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    };
    assert_eq!(agent.report(&report(1, &["one", "<b>two</b>'); DROP TABLE users; --"])), Ok(2));
    assert_eq!(agent.report(&report(1, &["one", "<b>two</b>'); DROP TABLE users; --", "three"])), Ok(3));
    assert_eq!(agent.report(&report(4, &[])), Ok(3));
    let database = office.desk.database();
    let lines = database.read(|db| back_office::domain::journals::lines(db, 1, 100)).unwrap();
    assert_eq!(lines.len(), 3);
    assert_eq!(agent.report(&report(2, &["another"])), Ok(2));
    assert!(office.desk.run(&["enrolment", "list", "prismaprepare", SERIAL]).ok().contains("forked at 2"));
}
