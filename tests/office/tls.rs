//! Over TLS: whom to trust, what is shown, and what is said when it is not right.

use crate::renewal::options;
use crate::support::Site;
use crate::support::host::{Host, Options};
use crate::support::office::{CODE, ORGANISATION, Office};
use crate::support::text;
use crate::support::tls::{AUTHORITY, Server};
use serde_json::{Value, json};

/// A product whose office shows the certificate of `server` under the name `host`, and which trusts `ca`.
fn product(site: &Site, server: &Server, host: &str, ca: Option<&str>) -> (Office, Host) {
    let office = Office::with(Some(server.config.clone()), host);
    let ca_file = ca.map(|pem| {
        let path = site.place.path().join("ca.pem");
        std::fs::write(&path, pem).unwrap();
        text(&path)
    });
    let host = Host::open(&Options { office_ca_file: ca_file, ..options(site, &office) }).unwrap();
    host.until_sequence(7);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    (office, host)
}

fn tls(host: &Host) -> Value {
    let report = host.connected(host.connect().unwrap());
    report["steps"].as_array().unwrap().iter().find(|row| row["step"] == "tls").unwrap().clone()
}

#[test]
fn a_certificate_of_the_authority_in_the_file_is_trusted_and_its_names_are_shown() {
    let (site, server) = (Site::with(7), Server::new("localhost"));
    let (office, host) = product(&site, &server, "localhost", Some(&server.ca_pem));
    let row = tls(&host);
    assert_eq!(row["state"], "ok");
    assert_eq!((&row["peer"], &row["issuer"]), (&json!("localhost"), &json!(AUTHORITY)));
    office.until("a parked poll", |state| state.parked == 1);
    office.issue(8, &site.vendor.file(8));
    host.until_sequence(8);
    // One kept connection for each line, however much is said. A run makes one of its own.
    assert!(office.state().accepted <= 4, "{} connections", office.state().accepted);
}

#[test]
fn a_certificate_of_an_address_is_trusted_too() {
    let (site, server) = (Site::with(7), Server::new("127.0.0.1"));
    let (_office, host) = product(&site, &server, "127.0.0.1", Some(&server.ca_pem));
    assert_eq!(tls(&host)["state"], "ok");
}

/// That step `tls` failed, and what it says.
fn refused(host: &Host) -> (String, Value) {
    let row = tls(host);
    assert_eq!(row["state"], "failed", "{row}");
    (row["text"].as_str().unwrap().to_owned(), row["issuer"].clone())
}

#[test]
fn an_authority_that_nobody_trusts_is_named() {
    let (site, server) = (Site::with(7), Server::new("localhost"));
    let (office, host) = product(&site, &server, "localhost", None);
    let (text, issuer) = refused(&host);
    assert!(text.contains(AUTHORITY) && text.contains("does not trust"), "{text}");
    assert_eq!(issuer, json!(AUTHORITY));
    assert!(office.state().seen.is_empty(), "nothing was said to it");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (site, server) = (Site::with(7), Server::new("office.example"));
    let (office, host) = product(&site, &server, "localhost", Some(&server.ca_pem));
    let (text, _) = refused(&host);
    assert!(text.contains("not for localhost"), "{text}");
    assert!(office.state().seen.is_empty());
}

#[test]
fn a_certificate_out_of_its_time_asks_for_a_look_at_the_clock() {
    for years in [(2001, 2005), (2080, 2090)] {
        let (site, server) = (Site::with(7), Server::valid("localhost", years));
        let (_office, host) = product(&site, &server, "localhost", Some(&server.ca_pem));
        let (text, _) = refused(&host);
        assert!(text.contains("clock"), "{years:?}: {text}");
    }
}

#[test]
fn a_file_of_authorities_that_is_none_is_named() {
    let (site, server) = (Site::with(7), Server::new("localhost"));
    let (_office, host) = product(&site, &server, "localhost", Some("no certificate"));
    let (text, _) = refused(&host);
    assert!(text.contains("ca.pem"), "{text}");
}

#[test]
fn a_server_that_speaks_no_tls_is_told() {
    let site = Site::with(7);
    let plain = Office::open();
    let url = format!("https://localhost:{}", plain.address.port());
    let host = Host::open(&Options { office_url: Some(url), ..options(&site, &plain) }).unwrap();
    host.until_sequence(7);
    host.set(&json!({ "enabled": true, "organisation_id": ORGANISATION, "verification_code": CODE })).unwrap();
    let (text, _) = refused(&host);
    assert!(text.contains("encrypted"), "{text}");
}
