//! What holds of the tables together.

use super::agent_keys::{self, AgentKey};
use super::enrolment::State;
use super::events::{self, Asker, For};
use super::installations::{self, Filter, New};
use super::journals;
use super::people::{self, Role};
use super::testkit::{BY, NOW, memory};
use super::tokens::{self, Scope};
use super::*;
use ors::licence::{Product, Serial};
use ors::office::protocol::{AgentPublic, EventKind, Report};
use rusqlite::Connection;

const PRODUCT: &str = "prismaprepare";

fn installation(db: &Connection, serial: &str, customer: &str) -> i64 {
    let (product, serial) = (Product::parse(PRODUCT).unwrap(), Serial::parse(serial).unwrap());
    let new = New { product: &product, serial: &serial, customer, organisation: None, draft: None };
    installations::add(db, &new, &BY, NOW).unwrap()
}

fn public(byte: u8) -> AgentPublic {
    ors::office::protocol::AgentKey::from_seed(&[byte; 32]).public()
}

fn key(db: &Connection, byte: u8, serial: &str) -> AgentKey {
    agent_keys::find(db, public(byte).id().as_str(), PRODUCT, serial).unwrap().unwrap()
}

#[test]
fn a_second_key_waits_until_an_administrator_approves_it_and_then_the_first_is_superseded() {
    let db = memory();
    let id = installation(&db, "1", "Print Room");
    let enrol = |byte, now| agent_keys::enrol(&db, &public(byte), PRODUCT, "1", now).unwrap();
    assert_eq!(enrol(1, NOW), Some(State::Active));
    assert_eq!(enrol(1, NOW), Some(State::Active));
    assert_eq!(enrol(2, NOW), Some(State::Pending));
    let waiting = agent_keys::waiting(&db).unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].active, Some(public(1).fingerprint()));
    assert_eq!(waiting[0].key.fingerprint(), public(2).fingerprint());

    agent_keys::approve(&db, key(&db, 2, "1").id, &BY, NOW).unwrap();
    assert_eq!((key(&db, 1, "1").state, key(&db, 2, "1").state), (State::Superseded, State::Active));
    assert_eq!(enrol(1, NOW), Some(State::Superseded), "the same key gets the same answer");
    let asker = Asker { installation: id, organisation: None, active: false };
    assert!(events::after(&db, asker, 0, NOW).unwrap().iter().all(|event| event.kind == EventKind::Enrolment));

    agent_keys::revoke(&db, key(&db, 2, "1").id, &BY, NOW).unwrap();
    assert_eq!(enrol(3, NOW), Some(State::Pending), "after a revocation nobody gets in unseen");
    assert_eq!(agent_keys::end_waiting(&db, NOW.plus(14 * 86_400 - 1)).unwrap(), 0);
    assert_eq!(agent_keys::end_waiting(&db, NOW.plus(14 * 86_400)).unwrap(), 1);
    assert_eq!(key(&db, 3, "1").state, State::Ended);
    assert!(agent_keys::approve(&db, key(&db, 2, "1").id, &BY, NOW).is_err(), "revoked is for good");
}

#[test]
fn one_agent_key_may_serve_two_serial_numbers_and_each_is_decided_on_its_own() {
    let db = memory();
    installation(&db, "1", "a");
    installation(&db, "2", "b");
    for serial in ["1", "2"] {
        assert_eq!(agent_keys::enrol(&db, &public(1), PRODUCT, serial, NOW).unwrap(), Some(State::Active));
    }
    agent_keys::revoke(&db, key(&db, 1, "1").id, &BY, NOW).unwrap();
    assert_eq!(key(&db, 1, "2").state, State::Active);
}

#[test]
fn events_reach_those_whom_they_concern_in_order_and_probes_are_coalesced() {
    let db = memory();
    let (one, two) = (installation(&db, "1", "a"), installation(&db, "2", "b"));
    let organisation = organisations::add(&db, "4711", "Prints", &BY, NOW).unwrap();
    installations::set_organisation(&db, one, organisation).unwrap();
    events::add(&db, events::What::Licence, For::Installation(one), NOW).unwrap();
    events::add(&db, events::What::Keys, For::All, NOW).unwrap();
    let probe = events::probe(&db, For::Organisation(organisation), NOW).unwrap();
    assert_eq!(events::probe(&db, For::Organisation(organisation), NOW.plus(1)).unwrap(), probe);
    assert_ne!(events::probe(&db, For::Organisation(organisation), NOW.plus(3)).unwrap(), probe);

    let got = |installation, organisation, after, now| {
        let asker = Asker { installation, organisation, active: true };
        events::after(&db, asker, after, now).unwrap().into_iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    let mine = got(one, Some(organisation), 0, NOW);
    assert_eq!(mine[..3], [EventKind::Licence, EventKind::Keys, EventKind::Probe(probe)]);
    assert_eq!(got(two, None, 0, NOW), [EventKind::Keys]);
    assert_eq!(got(one, Some(organisation), 0, NOW.plus(120)), [EventKind::Licence, EventKind::Keys], "probes age");
    let newest = events::newest(&db).unwrap();
    assert_eq!(got(one, Some(organisation), newest, NOW), []);
    assert_eq!(events::concerned(&db, 0, 2).unwrap(), [For::Installation(one), For::All]);
    assert_eq!(events::prune(&db, NOW.plus(8 * 86_400)).unwrap(), 4);
    assert_eq!(events::newest(&db).unwrap(), newest, "ids are never used again");
}

#[test]
fn a_report_that_comes_twice_is_stored_once_and_another_content_does_not_replace_the_first() {
    let db = memory();
    let id = installation(&db, "1", "a");
    let report = |first, lines: &[&str]| Report {
        chain: "c".into(),
        first,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    };
    assert_eq!(journals::store(&db, id, &report(1, &["a", "b"]), NOW).unwrap(), (2, false));
    assert_eq!(journals::store(&db, id, &report(1, &["a", "b", "c"]), NOW).unwrap(), (3, false));
    assert_eq!(journals::store(&db, id, &report(2, &["other"]), NOW).unwrap(), (2, true));
    assert_eq!(
        journals::store(&db, id, &report(7, &["g"]), NOW).unwrap(),
        (7, false),
        "the lines between were rotated away"
    );
    assert_eq!(journals::store(&db, id, &report(8, &[]), NOW).unwrap(), (7, false));
    let lines: Vec<String> = journals::lines(&db, id, 10).unwrap().into_iter().map(|line| line.line).collect();
    assert_eq!(lines, ["g", "c", "b", "a"]);
}

#[test]
fn a_list_is_paged_by_customer_and_a_text_is_searched_as_it_is_typed() {
    let db = memory();
    for (serial, customer) in
        [("S-1", "delta"), ("S-2", "Alpha"), ("S-3", "50% off"), ("S-4", "alpha"), ("S_5", "<b>x</b>")]
    {
        installation(&db, serial, customer);
    }
    let first = installations::list(&db, &Filter::default(), None, 2, NOW).unwrap();
    let after = first.last().map(|row| (row.customer.as_str(), row.id));
    let rest = installations::list(&db, &Filter::default(), after, 10, NOW).unwrap();
    let serials: Vec<&str> = first.iter().chain(&rest).map(|row| row.serial.as_str()).collect();
    assert_eq!(serials, ["S-3", "S_5", "S-2", "S-4", "S-1"]);
    for (text, found) in
        [("ALPHA", 2), ("%", 1), ("s_5", 1), ("_", 1), ("' OR 1=1 --", 0), ("\\", 0), ("<b>", 1), ("s-", 4)]
    {
        let filter = Filter { text: Some(text.to_owned()), ..Filter::default() };
        assert_eq!(installations::list(&db, &filter, None, 10, NOW).unwrap().len(), found, "{text}");
    }
}

#[test]
fn the_last_administrator_can_neither_be_disabled_nor_lose_the_role() {
    let db = memory();
    let add = |name: &str, roles: &[Role]| {
        let new = people::New { name, display: name, roles, organisation: None, password_hash: "x" };
        people::add(&db, &new, &BY, NOW)
    };
    add("root", &[Role::Administrator]).unwrap();
    add("desk", &[Role::LicenceDesk]).unwrap();
    assert_eq!(add("ROOT", &[Role::LicenceDesk]).unwrap_err().kind, Kind::Conflict);
    assert_eq!(add("help", &[Role::HelpDesk]).unwrap_err().kind, Kind::Invalid);
    assert_eq!(people::set_disabled(&db, "root", true, &BY, NOW).unwrap_err().kind, Kind::Conflict);
    assert_eq!(people::set_roles(&db, "root", &[Role::LicenceDesk], None, &BY, NOW).unwrap_err().kind, Kind::Conflict);
    people::set_roles(&db, "desk", &[Role::LicenceDesk, Role::Administrator], None, &BY, NOW).unwrap();
    people::set_disabled(&db, "root", true, &BY, NOW).unwrap();
}

#[test]
fn a_token_counts_until_it_ends_or_is_revoked() {
    let db = memory();
    let until = Some(NOW.plus(100));
    let token = tokens::add(&db, "ERP", &[Scope::Issue, Scope::Read], until, &BY, NOW).unwrap();
    let named = tokens::named_by(&db, &token, NOW).unwrap().unwrap();
    assert_eq!((named.actor, named.scopes), (Actor::Token("ERP".into()), vec![Scope::Read, Scope::Issue]));
    assert!(named.stale);
    tokens::used(&db, &token, NOW).unwrap();
    assert!(!tokens::named_by(&db, &token, NOW.plus(99)).unwrap().unwrap().stale);
    assert_eq!(tokens::named_by(&db, &token, NOW.plus(100)).unwrap(), None);
    assert_eq!(tokens::named_by(&db, &token[1..], NOW).unwrap(), None);
    tokens::revoke(&db, "ERP", &BY, NOW).unwrap();
    assert_eq!(tokens::named_by(&db, &token, NOW).unwrap(), None);
}

#[test]
fn words_that_are_sql_or_html_are_kept_as_they_are_and_do_nothing() {
    let db = memory();
    for text in ["'); DROP TABLE installations; --", "<img src=x onerror=alert(1)>", "\"quoted\" \\ 100%", "日本 印刷"]
    {
        let id = organisations::add(&db, &format!("o{}", text.len()), text, &BY, NOW).unwrap();
        assert_eq!(organisations::list(&db).unwrap().iter().find(|it| it.id == id).unwrap().name, text);
        installation(&db, &format!("s{}", text.len()), text);
        assert_eq!(installations::get(&db, PRODUCT, &format!("s{}", text.len())).unwrap().customer, text);
    }
    assert!(organisations::by_ident(&db, "' OR '1'='1").is_err());
    assert!(
        plain_text("x", "a\u{202e}b").is_err() && plain_text("x", "a\nb").is_err() && plain_text("x", "  ").is_err()
    );
}
