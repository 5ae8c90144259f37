//! The line without a network: bytes in, bytes out.

use super::*;
use crate::domain::organisations;
use crate::domain::testkit::{BY, NOW};
use ors::licence::{Licence, Product, Sequence, Serial};
use ors::office::protocol::{
    AgentKey, Check, Checked, Code, Enrol, Enrolled, EventKind, Events, Expected, Happened, Refused, Request, Statement,
};
use serde_json::Value;
use zeroize::Zeroizing;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn key(role: Role) -> SigningKey {
    let seed = match role {
        Role::Root => 1,
        Role::Licence => 2,
        Role::Statement => 3,
    };
    SigningKey::from_seed(&format!("{}-1", role.token()), role, [seed; 32])
}

fn host() -> Keyring {
    let lines = [Role::Root, Role::Licence, Role::Statement].map(|role| key(role).trusted_line());
    Keyring::from_host(&lines.join("\n")).unwrap()
}

struct Office {
    _folder: tempfile::TempDir,
    line: Line,
    code: String,
}

fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&folder.path().join("office.db")).unwrap());
    let code = store.write(|db| {
        organisations::add(db, "4711", "Prints", &BY, NOW)?;
        organisations::new_code(db, "4711", &BY, NOW)
    });
    let origin = Origin::of_url("https://office.example").unwrap();
    let line = Line::new(store, Arc::default(), origin, key(Role::Statement), host()).unwrap();
    Office { _folder: folder, line, code: code.unwrap() }
}

fn licence(sequence: u64) -> String {
    let licence = Licence {
        product: Product::parse("prismaprepare").unwrap(),
        serial: Serial::parse("1").unwrap(),
        customer: "Print Room".into(),
        sequence: Sequence::new(sequence).unwrap(),
        issued_at: NOW,
        expires_on: None,
        maintenance_until: None,
        users: 5,
        features: vec![],
        fls: vec![],
    };
    String::from_utf8(issuer::sign_licence(&licence, &key(Role::Licence))).unwrap()
}

impl Office {
    fn request(&self, verb: Verb, body: Value) -> Request {
        Request {
            verb,
            office: self.line.origin.clone(),
            product: Product::parse("prismaprepare").unwrap(),
            serial: Serial::parse("1").unwrap(),
            key: agent().public().id(),
            instance: Nonce::from_random([1; 16]),
            nonce: Nonce::from_random(random().unwrap()),
            created: NOW,
            body,
        }
    }

    fn hear(&self, verb: Verb, body: Value, now: Instant) -> (Request, Heard) {
        let request = Request { created: now, ..self.request(verb, body) };
        let heard = self.line.hear(verb, HERE, &request.seal(&agent()).unwrap(), now);
        (request, heard)
    }

    fn answer(&self, verb: Verb, body: Value, now: Instant) -> Result<Value, RefusedFor> {
        let (request, heard) = self.hear(verb, body, now);
        answered(&request, heard)
    }

    fn enrol(&self, now: Instant) -> Result<Enrolled, RefusedFor> {
        let enrol = Enrol {
            organisation: "4711".into(),
            code: Code::new(Zeroizing::new(self.code.clone())),
            public: agent().public(),
            product_version: "7.1".into(),
            agent_version: "0.1.0".into(),
            licence: licence(1),
        };
        self.answer(Verb::Enrol, enrol.to_body().unwrap(), now).map(|body| Enrolled::read(&body).unwrap())
    }

    fn poll(&self, epoch: Option<Nonce>, after: u64, pongs: Vec<Nonce>) -> (Request, Heard) {
        let asked = Events { epoch, after, hold: 45, pongs, leaving: false };
        self.hear(Verb::Events, asked.to_body(), NOW)
    }
}

fn agent() -> AgentKey {
    AgentKey::from_seed(&[7; 32])
}

fn answered(request: &Request, heard: Heard) -> Result<Value, RefusedFor> {
    let Heard::Said { body, .. } = heard else { panic!("no statement") };
    let expected = Expected {
        office: &request.office,
        product: &request.product,
        serial: &request.serial,
        key: &request.key,
        nonce: &request.nonce,
        elapsed: 0,
    };
    let statement = Statement::verify(&body, &host(), &expected).unwrap();
    match Refused::read(&statement.body) {
        Ok(refused) => Err(refused.reason),
        Err(_) => Ok(statement.body),
    }
}

fn happened(request: &Request, heard: Heard) -> Happened {
    Happened::read(&answered(request, heard).unwrap()).unwrap()
}

#[test]
fn a_probe_reaches_a_parked_agent_and_only_its_answer_counts() {
    let office = office();
    office.enrol(NOW).unwrap();
    let (request, heard) = office.poll(None, 0, vec![]);
    let here = happened(&request, heard);
    let (request, heard) = office.poll(Some(here.epoch.clone()), here.last, vec![]);
    let Heard::Park(parked) = heard else { panic!("it waits") };
    assert!(office.line.presence.present(1));

    let probe = office.line.store.write(|db| hints::probe(db, For::Organisation(1), NOW)).unwrap();
    assert_eq!(office.line.look().unwrap(), 1);
    let heard = office.line.wake_up(&parked, false, NOW).expect("an answer");
    office.line.unpark(&parked, false);
    let told = happened(&request, heard);
    assert_eq!(told.events.iter().map(|event| &event.kind).collect::<Vec<_>>(), [&EventKind::Probe(probe.clone())]);
    assert!(!office.line.presence.answered(1, &probe));
    let (_, heard) = office.poll(Some(told.epoch), told.last, vec![probe.clone()]);
    assert!(matches!(heard, Heard::Park(_)));
    assert!(office.line.presence.answered(1, &probe));
}

#[test]
fn a_poll_that_is_rung_for_what_it_knows_goes_on_waiting() {
    let office = office();
    office.enrol(NOW).unwrap();
    let (request, heard) = office.poll(None, 0, vec![]);
    let here = happened(&request, heard);
    let (request, heard) = office.poll(Some(here.epoch), here.last, vec![]);
    let Heard::Park(parked) = heard else { panic!("it waits") };
    assert!(office.line.wake_up(&parked, false, NOW).is_none());
    let heard = office.line.wake_up(&parked, true, NOW).expect("its time is over");
    assert!(happened(&request, heard).events.is_empty());
    office.line.hub.drain();
    assert!(office.line.wake_up(&parked, false, NOW).is_some(), "the server ends");
}

#[test]
fn a_key_waits_for_fourteen_days_and_may_ask_again_then() {
    let office = office();
    let other = AgentKey::from_seed(&[8; 32]).public();
    office.enrol(NOW).unwrap();
    // The key in use is another one: this one waits.
    office
        .line
        .store
        .write(|db| {
            db.execute("DELETE FROM agent_keys", ())?;
            crate::domain::agent_keys::enrol(db, &other, "prismaprepare", "1", NOW)
        })
        .unwrap();
    assert!(office.enrol(NOW).unwrap().pending);
    let check = || Check {
        sequence: 1,
        digest: None,
        waiting: 0,
        keys_version: 0,
        journal: None,
        product_version: String::new(),
        agent_version: String::new(),
        licence: None,
    };
    let check = |now| office.answer(Verb::Check, check().to_body().unwrap(), now);
    assert_eq!(check(NOW), Err(RefusedFor::Pending));
    let later = NOW.plus(15 * 86_400);
    office.line.tidy(later).unwrap();
    assert_eq!(check(later), Err(RefusedFor::Declined));
    assert!(office.enrol(later).unwrap().pending, "asked again, it waits again");
    assert_eq!(check(later), Err(RefusedFor::Pending));
}

#[test]
fn key_lists_come_in_order_as_many_as_fit_and_the_next_check_brings_the_rest() {
    let office = office();
    office.enrol(NOW).unwrap();
    let list = |version: u64| {
        let roles = [Role::Root, Role::Licence, Role::Statement].map(key);
        let keys =
            roles.iter().map(|it| (it.id().to_owned(), it.role(), it.public_bytes(), KeyStatus::Active)).collect();
        issuer::sign_key_list(&issuer::KeyListDraft { version, threshold: 1, keys }, &[&key(Role::Root)])
    };
    for version in 1..=11 {
        let imported = office.line.store.write(|db| key_lists::import(db, &host(), &list(version), &BY, NOW)).unwrap();
        assert_eq!((imported.0.version(), imported.1), (version, 1));
    }
    let gap = office.line.store.write(|db| key_lists::import(db, &host(), &list(13), &BY, NOW));
    assert!(gap.unwrap_err().detail.contains("version 12 is missing"));
    office.line.look().unwrap();
    let mut ring = host();
    while ring.version() < 11 {
        let check = Check {
            sequence: 1,
            digest: None,
            waiting: 0,
            keys_version: ring.version(),
            journal: None,
            product_version: String::new(),
            agent_version: String::new(),
            licence: None,
        };
        let body = office.answer(Verb::Check, check.to_body().unwrap(), NOW).unwrap();
        let checked = Checked::read(&body).unwrap();
        assert_eq!(checked.keys_version, 11);
        assert!(!checked.keys.is_empty());
        for list in &checked.keys {
            ring = ring.advance_chain(list.as_bytes()).unwrap().0;
        }
    }
}
