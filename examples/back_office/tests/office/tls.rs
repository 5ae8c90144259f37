//! TLS by certificate files.

use crate::rig::{Desk, Server, until};
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// A certificate and its key, put where the configuration says.
fn put_certificate(desk: &Desk) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["office.example".to_owned()]).unwrap();
    desk.put("cert.pem", made.cert.pem().as_bytes());
    desk.put("key.pem", made.signing_key.serialize_pem().as_bytes());
    made.cert.der().clone()
}

fn desk() -> Desk {
    let desk = Desk::new();
    let config = std::fs::read_to_string(desk.path("office.toml")).unwrap();
    let with_tls = config.replace("[data]", "certificate = \"cert.pem\"\nkey = \"key.pem\"\n[data]");
    desk.put("office.toml", with_tls.as_bytes());
    desk
}

/// What `/health` says to somebody who trusts this certificate and no other.
fn health(server: &Server, trusted: &CertificateDer<'static>) -> Option<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("office.example").unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(server.address).unwrap());
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: office.example\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = Vec::new();
    // The end of a connection without TLS's own goodbye is no answer cut short: its length is known.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).ok().filter(|text| text.starts_with("HTTP/1.1 200"))
}

#[test]
fn a_certificate_is_served_and_read_again_when_it_is_told_to() {
    let desk = desk();
    let first = put_certificate(&desk);
    let server = desk.server();
    assert!(health(&server, &first).unwrap().contains("\"status\":\"ok\""));

    // One that is damaged leaves the old one in use.
    let good = std::fs::read(desk.path("cert.pem")).unwrap();
    desk.put("cert.pem", b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n");
    server.running.signal(rustix::process::Signal::HUP);
    assert!(health(&server, &first).is_some());
    desk.put("cert.pem", &good);

    let second = put_certificate(&desk);
    server.running.signal(rustix::process::Signal::HUP);
    until("the new one is served", || health(&server, &second).is_some());
    assert!(health(&server, &first).is_none());
}

#[test]
fn who_speaks_no_tls_or_nothing_at_all_is_hung_up_on() {
    let desk = desk();
    let trusted = put_certificate(&desk);
    let server = desk.server();
    let mut plain = TcpStream::connect(server.address).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nHost: office.example\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let mut silent = TcpStream::connect(server.address).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(silent.read(&mut [0; 16]).unwrap_or(0), 0, "after ten seconds");
    assert!(health(&server, &trusted).is_some());
}

#[test]
fn a_certificate_that_cannot_be_read_is_named_at_the_start() {
    let desk = desk();
    put_certificate(&desk);
    desk.put("key.pem", b"no key");
    let said = desk.try_server(crate::rig::PASSPHRASE).err().unwrap();
    assert!(said.contains("key.pem: no key in PEM"), "{said}");
}
