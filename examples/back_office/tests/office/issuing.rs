//! Issuing: by API and by command line, killed in the middle, and after an older database was restored.

use crate::rig::agent::Agent;
use crate::rig::{Desk, Office, PRODUCT, SERIAL, http, key, licence, signed, until};
use back_office::domain::licences;
use back_office::signer::{Client, Name};
use ors::licence::Role;
use ors::office::protocol::Check;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub fn api(office: &Office, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let response = http::ask(office.server.address, method, path, &headers, &body);
    (response.status, response.json())
}

fn order(change: Value) -> Value {
    json!({"product": PRODUCT, "serial": SERIAL, "change": change})
}

fn newest(desk: &Desk) -> u64 {
    desk.database().read(|db| back_office::domain::installations::get(db, PRODUCT, SERIAL)).unwrap().newest
}

#[test]
fn the_same_request_is_issued_once_and_another_order_under_its_name_is_refused() {
    let office = Office::open();
    office.enrolled(1, 1);
    let token = office.desk.token("issue,read");
    let ask = |change: Value| {
        let mut order = order(change);
        order["request"] = json!("ERP-1");
        api(&office, &token, "POST", "/api/v1/licences", &order)
    };
    let (status, first) = ask(json!({"add_users": 1}));
    assert_eq!((status, &first["sequence"]), (201, &json!(2)), "{first}");
    let (status, again) = ask(json!({"add_users": 1}));
    assert_eq!((status, &again["sequence"], &again["digest"]), (200, &json!(2), &first["digest"]));
    assert_eq!(ask(json!({"add_users": 2})).0, 409);
    assert_eq!(newest(&office.desk), 2);
}

#[test]
fn an_order_made_from_an_older_licence_issues_nothing() {
    let office = Office::open();
    office.enrolled(1, 1);
    let token = office.desk.token("issue,read");
    let mut based = order(json!({"users": 9}));
    based["based_on"] = json!(1);
    assert_eq!(api(&office, &token, "POST", "/api/v1/licences", &based).0, 201);
    let (status, body) = api(&office, &token, "POST", "/api/v1/licences", &based);
    assert_eq!((status, &body["error"]["kind"]), (409, &json!("conflict")), "{body}");
    assert_eq!(newest(&office.desk), 2);
}

#[test]
fn twenty_orders_at_once_issue_twenty_sequences_or_say_that_another_came_first() {
    let office = Office::open();
    office.enrolled(1, 1);
    let token = office.desk.token("issue,read");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || api(&office, &token, "POST", "/api/v1/licences", &order(json!({"add_users": 1}))).0;
        let all: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let issued = statuses.iter().filter(|status| **status == 201).count() as u64;
    assert!(statuses.iter().all(|status| [201, 409].contains(status)) && issued > 0, "{statuses:?}");
    assert_eq!(newest(&office.desk), 1 + issued);
    let database = office.desk.database();
    let content = database.read(|db| licences::newest(db, 1)).unwrap().unwrap().licence().unwrap();
    assert_eq!(u64::from(content.users), 5 + issued, "each counted once");
}

#[test]
fn a_serial_number_that_the_signer_does_not_know_gets_no_licence_until_it_is_registered() {
    let office = Office::open();
    let token = office.desk.token("issue,read");
    let new = json!({"product": PRODUCT, "serial": "new-1", "customer": "New", "organisation": "4711"});
    assert_eq!(api(&office, &token, "POST", "/api/v1/installations", &new).0, 201);
    assert_eq!(api(&office, &token, "POST", "/api/v1/installations", &new).0, 409);
    let first = json!({"product": PRODUCT, "serial": "new-1",
        "change": {"users": 3, "expires_on": null, "maintenance_until": "2090-01-01"}});
    let (status, body) = api(&office, &token, "POST", "/api/v1/licences", &first);
    assert_eq!((status, &body["error"]["kind"]), (409, &json!("conflict")), "{body}");
    assert_eq!(office.desk.run(&["installation", "waiting"]).ok(), format!("{PRODUCT} new-1\n"));
    office.desk.register(&["new-1"]);
    let (status, body) = api(&office, &token, "POST", "/api/v1/licences", &first);
    assert_eq!((status, &body["licence"]["sequence"]), (201, &json!(1)), "{body}");
    assert_eq!(office.desk.run(&["installation", "waiting"]).ok(), "");
}

#[test]
fn without_the_signer_nothing_is_issued_and_agents_are_answered() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let token = office.desk.token("issue,read");
    let Office { desk, signer, server, code } = office;
    signer.kill();
    let office = Office { signer: desk.signer(), desk, server, code };
    // One that is there, and not the one that the socket leads to: stopped, it never answers.
    office.signer.signal(rustix::process::Signal::STOP);
    agent.check().unwrap();
    let asked = Instant::now();
    let (status, body) = api(&office, &token, "POST", "/api/v1/licences", &order(json!({"add_users": 1})));
    assert_eq!(status, 503, "{body}");
    assert!(asked.elapsed() < Duration::from_secs(15));
    office.signer.signal(rustix::process::Signal::CONT);
    let (status, body) = api(&office, &token, "POST", "/api/v1/licences", &order(json!({"add_users": 1})));
    assert_eq!((status, &body["sequence"]), (201, &json!(2)), "{body}");
}

/// Kills the server (or the signer) while orders come without a pause, again and again: whatever the moment, no sequence has
/// two contents, and what was answered is kept.
#[test]
fn killed_in_the_middle_of_issues_nothing_is_lost_and_nothing_is_issued_twice() {
    let desk = Desk::new();
    let mut signer = desk.signer();
    let code = desk.organisation();
    desk.register(&[SERIAL]);
    let mut server = desk.server();
    let agent = Agent::new(server.address, 1, SERIAL, signed(&licence(SERIAL, 1)));
    agent.enrol("4711", &code).unwrap();
    let token = desk.token("issue,read");
    let mut answered = 1;
    for round in 0..8u64 {
        let (address, token) = (server.address, token.clone());
        let orders = std::thread::spawn(move || {
            let mut last = 0;
            for n in 0.. {
                let mut order = order(json!({"add_users": 1}));
                order["request"] = json!(format!("{round}-{n}"));
                let mut connection = http::Connection::open(address);
                let authorization = format!("Bearer {token}");
                let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
                connection.send("POST", "/api/v1/licences", &headers, order.to_string().as_bytes());
                match connection.receive() {
                    Some(response) if response.status == 201 => last = response.json()["sequence"].as_u64().unwrap(),
                    _ => break,
                }
            }
            last
        });
        std::thread::sleep(Duration::from_millis(40 + round * 7));
        if round % 2 == 0 {
            server.running.kill();
            answered = orders.join().unwrap().max(answered);
        } else {
            signer.kill();
            answered = orders.join().unwrap().max(answered);
            server.running.kill();
            signer = desk.signer();
        }
        server = desk.server();
        assert!(newest(&desk) >= answered, "an answered licence is lost");
    }
    // Whatever was left open is finished by the next order, or as the next one would have been.
    let mut last_order = order(json!({"add_users": 1}));
    last_order["request"] = json!("the last");
    let authorization = format!("Bearer {token}");
    until("an order is issued", || {
        let headers = [("Authorization", authorization.as_str())];
        let body = last_order.to_string().into_bytes();
        http::ask(server.address, "POST", "/api/v1/licences", &headers, &body).status == 201
    });
    let last = newest(&desk);
    assert!(last > 8, "{last} licences are no proof");
    let (client, name) = (Client::new(&desk.path("signer.sock")), Name::new(PRODUCT, SERIAL));
    let database = desk.database();
    assert_eq!(client.last(&name), Ok(last));
    for sequence in 2..=last {
        let kept = database.read(|db| licences::get(db, 1, sequence)).unwrap().expect("no gap");
        assert_eq!(client.signed(&name, sequence).unwrap(), kept.file, "sequence {sequence}");
        assert_eq!(u64::from(kept.licence().unwrap().users), 5 + sequence - 1, "each order counts once");
    }
    assert!(database.read(|db| licences::opened(db, 1)).unwrap().is_none());
    let counted = |db: &rusqlite::Connection| {
        let query = "SELECT count(*), count(DISTINCT sequence), max(sequence) FROM requests";
        let row = db.query_one(query, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok::<(u64, u64, u64), back_office::domain::Problem>(row)
    };
    assert_eq!(
        database.read(counted).unwrap(),
        (last - 1, last - 1, last),
        "an order is one licence, and a licence one order"
    );
}

#[test]
fn last_nights_database_is_put_right_by_the_signers_record() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let issue = ["licence", "issue", PRODUCT, SERIAL, "--add-users", "1"];
    office.desk.run(&issue).ok();
    office.desk.run(&["backup", "night.db"]).ok();
    office.desk.run(&issue).ok();
    office.desk.run(&issue).ok();
    let Office { desk, server, signer: _signer, .. } = office;
    assert!(desk.run(&["restore", "night.db"]).failed(1).contains("runs on"), "not under a running server");
    server.running.kill();
    assert!(desk.run(&["restore", "night.db"]).ok().contains("is kept as"));
    assert_eq!(newest(&desk), 2);
    let server = desk.server();
    let refused = desk.run(&issue).failed(1);
    assert!(refused.contains("2 newer licences") && refused.contains("put back"), "{refused}");
    assert_eq!(newest(&desk), 4);
    assert!(desk.run(&issue).ok().contains("sequence 5"));
    let agent = Agent { address: server.address, ..agent };
    assert_eq!(agent.check().unwrap().sequence, 5);
}

#[test]
fn last_nights_database_and_a_new_signers_record_are_put_right_by_what_the_agent_has() {
    let office = Office::open();
    let mut agent = office.enrolled(1, 1);
    office.desk.run(&["backup", "night.db"]).ok();
    for _ in 0..3 {
        office.desk.run(&["licence", "issue", PRODUCT, SERIAL, "--add-users", "1"]).ok();
        agent.install(&agent.check().unwrap());
    }
    let Office { desk, server, signer, .. } = office;
    server.running.kill();
    signer.kill();
    std::fs::remove_file(desk.path("licence.key.record")).unwrap();
    desk.run(&["restore", "night.db"]).ok();
    let (_signer, server) = (desk.signer(), desk.server());
    desk.register(&[SERIAL]);
    let agent = Agent { address: server.address, ..agent };

    let checked = agent.check().unwrap();
    assert_eq!((checked.sequence, checked.send_licence, checked.licence), (1, true, None));
    let forged = issuer::SigningKey::from_seed("licence-1", Role::Licence, [9; 32]);
    let forged = String::from_utf8(issuer::sign_licence(&licence(SERIAL, 4), &forged)).unwrap();
    let sends = |licence: String| Check { licence: Some(licence), ..agent.check_body() };
    assert!(agent.check_with(&sends(forged)).is_err(), "a bare number is never believed");
    assert!(agent.check_with(&sends(signed(&licence(SERIAL, 3)))).is_err());
    assert_eq!(newest(&desk), 1);
    assert_eq!(agent.check_with(&sends(agent.licence.clone())).unwrap().sequence, 4);
    assert!(desk.run(&["licence", "issue", PRODUCT, SERIAL, "--add-users", "1"]).ok().contains("sequence 5"));
    let checked = agent.check().unwrap();
    assert_eq!((checked.sequence, checked.send_licence), (5, false));
}

#[test]
fn a_server_that_is_told_to_end_answers_those_who_wait_and_takes_no_more() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let here = agent.stream().unwrap();
    let parked = agent.park(&here, 50);
    until("it is parked", || crate::agents::metric(&office, "agents_parked") == 1);
    let Office { desk, server, signer: _signer, .. } = office;
    let asked = Instant::now();
    server.running.signal(rustix::process::Signal::TERM);
    assert!(parked.answered().events.is_empty());
    assert_eq!(server.running.ended(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert!(std::net::TcpStream::connect(server.address).is_err());
    let server = desk.server();
    let agent = Agent { address: server.address, ..agent };
    agent.check().unwrap();
}

#[test]
fn a_nonce_that_was_used_before_a_restart_is_used_after_it() {
    let office = Office::open();
    let agent = office.enrolled(1, 1);
    let request = agent.request(ors::office::protocol::Verb::Check, agent.check_body().to_body().unwrap());
    agent.send(&request).yes().unwrap();
    let Office { desk, server, signer: _signer, .. } = office;
    server.running.signal(rustix::process::Signal::TERM);
    server.running.ended();
    let server = desk.server();
    let agent = Agent { address: server.address, ..agent };
    assert!(agent.send(&request).yes().is_err());
}

#[test]
fn what_does_not_fit_together_is_said_before_anything_is_opened() {
    let desk = Desk::new();
    assert!(desk.try_signer("wrong").err().unwrap().contains("the passphrase is wrong"));
    assert!(desk.try_server("wrong").err().unwrap().contains("the passphrase is wrong"));
    let config = std::fs::read_to_string(desk.path("office.toml")).unwrap();
    desk.put("office.toml", config.replace("127.0.0.1:0", "0.0.0.0:0").as_bytes());
    let said = desk.try_server(crate::rig::PASSPHRASE).err().unwrap();
    assert!(said.contains("line 2") && said.contains("server.listen"), "{said}");
    desk.put("office.toml", config.replace("\"statement.key\"", "\"licence.key\"").as_bytes());
    let said = desk.try_server(crate::rig::PASSPHRASE).err().unwrap();
    assert!(said.contains("speaks with a statement key"), "{said}");
    desk.put("trusted_keys.txt", key(Role::Licence).trusted_line().as_bytes());
    desk.put("office.toml", config.as_bytes());
    let said = desk.try_server(crate::rig::PASSPHRASE).err().unwrap();
    assert!(said.contains("no agent would believe it"), "{said}");
    let _first = desk.signer();
    assert!(desk.try_signer(crate::rig::PASSPHRASE).err().unwrap().contains("another signer"));
}

#[test]
fn people_are_added_at_the_command_line_with_a_second_factor_that_is_shown_once() {
    let desk = Desk::new();
    desk.organisation();
    let add = |name: &str, password: &str, more: &[&str]| {
        let arguments = [&["user", "add", name, "--passphrase-fd", "0"], more].concat();
        desk.run_with(&arguments, password)
    };
    let shown =
        add("ann", "correct horse battery", &["--role", "administrator,licence-desk", "--with-second-factor"]).ok();
    let secret = shown.lines().find_map(|line| line.strip_prefix("secret ")).unwrap();
    assert_eq!(secret.len(), 32);
    assert!(shown.contains("uri otpauth://totp/") && shown.matches("recovery ").count() == 10, "{shown}");
    assert!(add("bob", "short", &["--role", "licence-desk"]).failed(1).contains("shorter than 12"));
    assert!(add("bob", "correct horse battery", &["--role", "king"]).failed(1).contains("none of administrator"));
    assert!(add("bob", "correct horse battery", &["--role", "help-desk"]).failed(1).contains("organisation"));
    add("bob", "correct horse battery", &["--role", "help-desk", "--organisation", "4711"]).ok();
    let listed = desk.run(&["user", "list"]).ok();
    assert!(!listed.contains(secret) && listed.contains("bob  bob  help-desk, no second factor yet"), "{listed}");
    assert!(desk.run(&["user", "disable", "ann"]).failed(1).contains("only administrator"));
    desk.run(&["user", "reset-second-factor", "ann"]).ok();
}
