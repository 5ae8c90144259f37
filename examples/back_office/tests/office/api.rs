//! The API as a program meets it, and its contract.

use crate::issuing::api;
use crate::rig::{Office, PRODUCT, SERIAL, http, licence, signed};
use serde_json::{Value, json};

const CONTRACT: &str = include_str!("../../docs/openapi.json");
const SOURCE: &str = include_str!("../../src/web/api.rs");

/// Method and path of everything in the contract.
fn documented() -> Vec<(String, String)> {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let paths = contract["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys().filter(|key| ["get", "post"].contains(&key.as_str()));
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    });
    all.collect()
}

#[test]
fn everything_in_the_contract_is_served_and_everything_served_is_in_the_contract() {
    let office = Office::open();
    let paths: std::collections::BTreeSet<_> = documented().into_iter().map(|(_, path)| path).collect();
    let served: std::collections::BTreeSet<_> =
        SOURCE.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    assert_eq!(paths, served);
    for (method, path) in documented() {
        let path = path.replace("{product}", PRODUCT).replace("{serial}", SERIAL).replace("{sequence}", "1");
        let response = http::ask(office.server.address, &method, &path, &[], b"{}");
        let expected = if path.ends_with("openapi.json") { 200 } else { 401 };
        assert_eq!(response.status, expected, "{method} {path}");
        let other = if method == "GET" { "DELETE" } else { "PUT" };
        assert_eq!(http::ask(office.server.address, other, &path, &[], b"").status, 405, "{other} {path}");
    }
}

#[test]
fn a_token_opens_what_its_scopes_say_and_nothing_else() {
    let office = Office::open();
    office.enrolled(1, 1);
    let scopes = ["read", "issue", "import", "metrics"];
    let tokens: Vec<String> = scopes.iter().map(|scope| office.desk.token(scope)).collect();
    let needs = |method: &str, path: &str| match (method, path) {
        (_, "/api/v1/import") => "import",
        (_, "/api/v1/licences/preview") => "read",
        ("GET", _) => "read",
        _ => "issue",
    };
    for (method, path) in documented().into_iter().filter(|(_, path)| !path.ends_with("openapi.json")) {
        let real = path.replace("{product}", PRODUCT).replace("{serial}", SERIAL).replace("{sequence}", "1");
        for (scope, token) in scopes.iter().zip(&tokens) {
            let authorization = format!("Bearer {token}");
            let headers = [("Authorization", authorization.as_str())];
            let status = http::ask(office.server.address, &method, &real, &headers, b"").status;
            let may = needs(&method, &path) == *scope;
            assert_eq!(status != 403, may, "{method} {path} with {scope}: {status}");
            assert_ne!(status, 401, "{method} {path}");
        }
    }
    office.desk.run(&["token", "revoke", "token read"]).ok();
    assert_eq!(api(&office, &tokens[0], "GET", "/api/v1/organisations", &Value::Null).0, 401);
    for wrong in ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer orsbo_", "Bearer orsbo_' OR 1=1 --"] {
        let headers = [("Authorization", wrong)];
        assert_eq!(
            http::ask(office.server.address, "GET", "/api/v1/organisations", &headers, b"").status,
            401,
            "{wrong}"
        );
    }
}

#[test]
fn a_preview_says_what_changes_and_what_the_customer_reads_and_issues_nothing() {
    let office = Office::open();
    office.enrolled(1, 1);
    let token = office.desk.token("read");
    let order = json!({"product": PRODUCT, "serial": SERIAL, "change": {
        "add_features": [{"id": "imp", "name": "<img src=x onerror=alert(1)>"}], "users": 7}});
    let (status, body) = api(&office, &token, "POST", "/api/v1/licences/preview", &order);
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["changes"]["users"], json!([5, 7]));
    let reads = body["customer_reads"][0].as_str().unwrap();
    assert_eq!(reads, "Your licence has changed. New: <img src=x onerror=alert(1)>. Users: 7 (before: 5).");
    let taken_back = json!({"product": PRODUCT, "serial": SERIAL, "change": {"take_back": true}});
    let (_, body) = api(&office, &token, "POST", "/api/v1/licences/preview", &taken_back);
    assert!(body["customer_reads"][0].as_str().unwrap().starts_with("The licence has expired."), "{body}");
    let (_, licences) =
        api(&office, &token, "GET", &format!("/api/v1/installations/{PRODUCT}/{SERIAL}/licences"), &Value::Null);
    assert_eq!(licences["licences"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_is_said_in_json_with_its_member() {
    let office = Office::open();
    office.enrolled(1, 1);
    let token = office.desk.token("issue,read,import");
    let order = |change: Value| json!({"product": PRODUCT, "serial": SERIAL, "change": change});
    for (path, body, status, member) in [
        ("/api/v1/licences", json!([]), 400, json!(null)),
        ("/api/v1/licences", json!({"product": PRODUCT, "serial": SERIAL, "chnge": {}}), 400, json!(null)),
        ("/api/v1/licences", order(json!({"expires_on": "tomorrow"})), 400, json!(null)),
        ("/api/v1/licences", order(json!({})), 422, json!("change")),
        (
            "/api/v1/licences",
            order(json!({"remove_features": ["'); DROP TABLE licences; --"]})),
            422,
            json!("remove_features"),
        ),
        ("/api/v1/licences", json!({"product": "x", "serial": "' OR 1=1 --"}), 404, json!(null)),
        (
            "/api/v1/installations",
            json!({"product": "UP", "serial": "1", "customer": "c", "organisation": "4711"}),
            422,
            json!("product"),
        ),
        (
            "/api/v1/installations",
            json!({"product": "p", "serial": "1", "customer": "c", "organisation": "no"}),
            404,
            json!(null),
        ),
        ("/api/v1/licences/adopt", json!({"file": "<html>"}), 422, json!("licence")),
        ("/api/v1/licences/adopt", json!({"file": signed(&licence("unknown", 1))}), 404, json!(null)),
    ] {
        let (found, answer) = api(&office, &token, "POST", path, &body);
        assert_eq!((found, &answer["error"]["member"]), (status, &member), "{path} {body}: {answer}");
    }
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str())];
    let large = vec![b' '; 10 << 20];
    assert_eq!(http::ask(office.server.address, "POST", "/api/v1/licences", &headers, &large).status, 413);
    assert_eq!(http::ask(office.server.address, "POST", "/api/v1/import", &headers, &large).status, 413);
    for query in ["limit=0", "limit=1001", "limit=x", "after=x", "late_days=-1", "unknown=1"] {
        let (status, body) = api(&office, &token, "GET", &format!("/api/v1/installations?{query}"), &Value::Null);
        assert!([400, 422].contains(&status), "{query}: {body}");
    }
}

#[test]
fn existing_customers_are_imported_after_a_dry_run_and_found_page_by_page() {
    let office = Office::open();
    let token = office.desk.token("read,import");
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "text/csv")];
    let file: String = "product,serial,customer,organisation\n".to_owned()
        + &(0..250).map(|n| format!("p,{n},Customer {n:03},4711\n")).collect::<String>();
    let import = |query: &str, file: &str| {
        http::ask(office.server.address, "POST", &format!("/api/v1/import{query}"), &headers, file.as_bytes()).json()
    };
    assert_eq!(import("?dry_run=true", &file), json!({"rows": 250, "taken": false, "wrong": []}));
    let wrong = import("", &file.replace("Customer 007,4711", "Customer 007,4799"));
    assert_eq!((&wrong["taken"], &wrong["wrong"][0]["line"]), (&json!(false), &json!(9)), "{wrong}");
    assert_eq!(import("", &file)["taken"], json!(true));
    let (mut after, mut found) = (String::new(), Vec::new());
    loop {
        let path = format!("/api/v1/installations?limit=100{after}");
        let (status, page) = api(&office, &token, "GET", &path, &Value::Null);
        assert_eq!(status, 200, "{page}");
        found.extend(
            page["installations"].as_array().unwrap().iter().map(|it| it["serial"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", next.replace(' ', "%20")),
            None => break,
        }
    }
    assert_eq!(found, (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn health_and_metrics_say_how_it_is() {
    let office = Office::open();
    let health = http::ask(office.server.address, "GET", "/health", &[], b"");
    assert_eq!((health.status, health.json()["signer"].clone()), (200, json!("ok")));
    assert_eq!(crate::agents::metric(&office, "signer_up"), 1);
    let far = [("X-Forwarded-For", "192.0.2.1")];
    assert_eq!(http::ask(office.server.address, "GET", "/metrics", &far, b"").status, 401);
    let token = office.desk.token("metrics");
    let authorization = format!("Bearer {token}");
    let far = [("X-Forwarded-For", "192.0.2.1"), ("Authorization", authorization.as_str())];
    assert_eq!(http::ask(office.server.address, "GET", "/metrics", &far, b"").status, 200);
    let Office { desk, signer, server, .. } = office;
    signer.kill();
    let health = http::ask(server.address, "GET", "/health", &[], b"");
    assert_eq!((health.status, health.json()["signer"].clone()), (200, json!("unreachable")));
    drop(desk);
}
