//! A server with TLS, its database filled, and what is measured about it.

use crate::rig::{Desk, PASSPHRASE, PRODUCT, Server, key, licence, now, ring, signed};
use back_office::domain::installations::{self, Filter, New};
use back_office::domain::licences::{self, Origin};
use back_office::domain::{Actor, Problem, agent_keys, key_lists};
use back_office::store::Store;
use issuer::{KeyListDraft, sign_key_list};
use ors::licence::{KeyStatus, Product, Role, Serial};
use ors::office::protocol::AgentKey;
use std::cell::Cell;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub struct Stage {
    pub desk: Desk,
    pub server: Server,
    pub client: Arc<rustls::ClientConfig>,
    store: Store,
    version: Cell<u64>,
}

/// Installations in the list that the licence desk looks at.
const LISTED: usize = 20_000;

/// The key of the agent with this number.
pub fn agent_key(number: usize) -> AgentKey {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
    AgentKey::from_seed(&seed)
}

pub fn serial(number: usize) -> String {
    format!("load-{number:06}")
}

impl Stage {
    pub fn set(count: usize) -> Stage {
        let desk = Desk::new();
        let made = rcgen::generate_simple_self_signed(vec!["office.example".to_owned()]).unwrap();
        desk.put("cert.pem", made.cert.pem().as_bytes());
        desk.put("key.pem", made.signing_key.serialize_pem().as_bytes());
        let config = std::fs::read_to_string(desk.path("office.toml")).unwrap();
        let tls = "[data]\n";
        let with_tls = config.replace(tls, &format!("certificate = \"cert.pem\"\nkey = \"key.pem\"\n{tls}"));
        desk.put("office.toml", with_tls.as_bytes());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        desk.organisation();
        let store = desk.database();
        fill(&store, count, LISTED.max(count));
        let server = desk.try_server(PASSPHRASE).unwrap();
        Stage { desk, server, client: Arc::new(client), store, version: Cell::new(0) }
    }

    /// Publishes the next key list: an event for everybody. Returns when it was committed.
    pub fn publish_keys(&self) -> Instant {
        let version = self.version.get() + 1;
        let roles = [Role::Root, Role::Licence, Role::Statement];
        let keys = roles
            .map(key)
            .iter()
            .map(|key| (key.id().to_owned(), key.role(), key.public_bytes(), KeyStatus::Active))
            .collect();
        let list = sign_key_list(&KeyListDraft { version, threshold: 1, keys }, &[&key(Role::Root)]);
        self.store.write(|db| key_lists::import(db, &ring(), &list, &Actor::Office, now())).unwrap();
        let committed = Instant::now();
        self.version.set(version);
        let poke = UnixDatagram::unbound().unwrap();
        poke.send_to(b"!", self.desk.path("data/poke.sock")).unwrap();
        committed
    }

    /// Bytes of memory that are the server's own and resident.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.running.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Processor time that the server has used.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.running.pid())).unwrap();
        let after_name = stat.rsplit(')').next().unwrap();
        let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|it| it.parse::<u64>().unwrap()).sum();
        // USER_HZ is 100 on every Linux that runs this.
        Duration::from_millis(ticks * 10)
    }

    /// How many polls the server has parked, by its own count.
    pub fn connections_parked(&self) -> u64 {
        let text = self.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix("back_office_agents_parked "));
        line.unwrap().parse().unwrap()
    }

    fn metrics(&self) -> String {
        use std::io::{Read, Write};
        let name = rustls::pki_types::ServerName::try_from("office.example").unwrap();
        let connection = rustls::ClientConnection::new(self.client.clone(), name).unwrap();
        let socket = std::net::TcpStream::connect(self.server.address).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, socket);
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: office.example\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    }

    /// How long a page of the licence desk's list takes, searched for a text.
    pub fn list(&self) -> Duration {
        let filter = Filter { text: Some("room 19".to_owned()), ..Filter::default() };
        let began = Instant::now();
        let rows = self.store.read(|db| installations::list(db, &filter, None, 100, now())).unwrap();
        assert_eq!(rows.len(), 100);
        began.elapsed()
    }
}

/// Installations; the first `agents` of them with a licence and an active key each.
fn fill(store: &Store, agents: usize, count: usize) {
    let product = Product::parse(PRODUCT).unwrap();
    store
        .write(|db| {
            for number in 0..count {
                let name = serial(number);
                let parsed = Serial::parse(&name).unwrap();
                let customer = format!("Print Room {number}");
                let new =
                    New { product: &product, serial: &parsed, customer: &customer, organisation: Some(1), draft: None };
                let id = installations::add(db, &new, &Actor::Office, now())?;
                if number >= agents {
                    continue;
                }
                let file = signed(&licence(&name, 1));
                licences::keep(db, id, file.as_bytes(), Origin::Issued, &Actor::Office, now())?;
                agent_keys::enrol(db, &agent_key(number).public(), PRODUCT, &name, now())?;
            }
            Ok::<_, Problem>(())
        })
        .unwrap();
}
