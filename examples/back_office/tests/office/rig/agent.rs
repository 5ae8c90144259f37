//! An agent made of the protocol: it asks, and takes only what the office signed for it.

use super::http::{self, Connection, Response};
use super::{ORIGIN, PRODUCT, now, ring};
use ors::licence::{Instant, Product, Serial, sha256};
use ors::office::protocol::{
    AgentKey, Check, Checked, Code, Enrol, Enrolled, Events, Expected, Happened, Kind, Nonce, Origin, Refused,
    RefusedFor, Report, Request, Statement, Stored, Verb,
};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

pub struct Agent {
    pub address: SocketAddr,
    pub key: AgentKey,
    pub instance: Nonce,
    pub serial: Serial,
    /// The installed licence's file and sequence.
    pub licence: String,
    pub sequence: u64,
    pub waiting: u64,
    pub keys_version: u64,
}

/// A number that was never used in this run.
pub fn nonce() -> Nonce {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed) << 44 | u64::from(std::process::id());
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    bytes[8..].copy_from_slice(&(now().unix() as u64).to_be_bytes());
    Nonce::from_random(bytes)
}

/// What came back, verified.
pub struct Answered {
    pub response: Response,
    pub statement: Statement,
}

impl Answered {
    /// The answer, or why not.
    pub fn yes(&self) -> Result<&Value, RefusedFor> {
        match self.statement.kind {
            Kind::Refused => Err(Refused::read(&self.statement.body).unwrap().reason),
            _ => Ok(&self.statement.body),
        }
    }

    pub fn detail(&self) -> String {
        Refused::read(&self.statement.body).unwrap().detail
    }
}

impl Agent {
    pub fn new(address: SocketAddr, seed: u8, serial: &str, licence: String) -> Agent {
        let sequence = back_office::domain::licences::content(licence.as_bytes()).map_or(0, |it| it.sequence.get());
        Agent {
            address,
            key: AgentKey::from_seed(&[seed; 32]),
            instance: nonce(),
            serial: Serial::parse(serial).unwrap(),
            licence,
            sequence,
            waiting: 0,
            keys_version: 0,
        }
    }

    pub fn fingerprint(&self) -> String {
        self.key.public().fingerprint()
    }

    pub fn request(&self, verb: Verb, body: Value) -> Request {
        Request {
            verb,
            office: Origin::of_url(ORIGIN).unwrap(),
            product: Product::parse(PRODUCT).unwrap(),
            serial: self.serial.clone(),
            key: self.key.public().id(),
            instance: self.instance.clone(),
            nonce: nonce(),
            created: now(),
            body,
        }
    }

    /// The statement in an answer to this request.
    #[track_caller]
    pub fn verified(&self, request: &Request, response: Response) -> Answered {
        let expected = Expected {
            office: &request.office,
            product: &request.product,
            serial: &request.serial,
            key: &request.key,
            nonce: &request.nonce,
            elapsed: 0,
        };
        match Statement::verify(&response.body, &ring(), &expected) {
            Ok(statement) => Answered { response, statement },
            Err(untrusted) => panic!("{untrusted}: {response:?}"),
        }
    }

    /// Sends exactly this, at its verb's address.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Answered {
        let body = request.seal(&self.key).unwrap();
        self.verified(request, http::ask(self.address, "POST", request.verb.path(), &[], &body))
    }

    #[track_caller]
    pub fn ask(&self, verb: Verb, body: Value) -> Answered {
        self.send(&self.request(verb, body))
    }

    pub fn enrolment(&self, organisation: &str, code: &str) -> Value {
        let enrol = Enrol {
            organisation: organisation.to_owned(),
            code: Code::new(Zeroizing::new(code.to_owned())),
            public: self.key.public(),
            product_version: "7.1".into(),
            agent_version: "0.1.0".into(),
            licence: self.licence.clone(),
        };
        enrol.to_body().unwrap()
    }

    #[track_caller]
    pub fn enrol(&self, organisation: &str, code: &str) -> Result<Enrolled, RefusedFor> {
        let answered = self.ask(Verb::Enrol, self.enrolment(organisation, code));
        answered.yes().map(|body| Enrolled::read(body).unwrap())
    }

    pub fn check_body(&self) -> Check {
        Check {
            sequence: self.sequence,
            digest: Some(sha256(self.licence.as_bytes())),
            waiting: self.waiting,
            keys_version: self.keys_version,
            journal: None,
            product_version: "7.1".into(),
            agent_version: "0.1.0".into(),
            licence: None,
        }
    }

    #[track_caller]
    pub fn check(&self) -> Result<Checked, RefusedFor> {
        self.check_with(&self.check_body())
    }

    #[track_caller]
    pub fn check_with(&self, check: &Check) -> Result<Checked, RefusedFor> {
        let answered = self.ask(Verb::Check, check.to_body().unwrap());
        answered.yes().map(|body| Checked::read(body).unwrap())
    }

    /// Installs what a check brought.
    #[track_caller]
    pub fn install(&mut self, checked: &Checked) {
        let file = checked.licence.clone().expect("a licence");
        assert_eq!(checked.digest, Some(sha256(file.as_bytes())));
        let product = Product::parse(PRODUCT).unwrap();
        let genuine = ors::licence::verify(file.as_bytes(), &ring(), &product).unwrap();
        assert_eq!(genuine.licence().serial, self.serial);
        assert!(genuine.licence().sequence.get() > self.sequence, "the floor");
        (self.sequence, self.licence) = (genuine.licence().sequence.get(), file);
    }

    #[track_caller]
    pub fn report(&self, report: &Report) -> Result<u64, RefusedFor> {
        let answered = self.ask(Verb::Report, report.to_body());
        answered.yes().map(|body| Stored::read(body).unwrap().through)
    }

    /// Where the stream stands.
    #[track_caller]
    pub fn stream(&self) -> Result<Happened, RefusedFor> {
        self.poll(&Events { epoch: None, after: 0, hold: 5, pongs: vec![], leaving: false })
    }

    #[track_caller]
    pub fn poll(&self, events: &Events) -> Result<Happened, RefusedFor> {
        let answered = self.ask(Verb::Events, events.to_body());
        answered.yes().map(|body| Happened::read(body).unwrap())
    }

    /// Sends a poll and does not wait for its answer.
    pub fn park(&self, after: &Happened, hold: u64) -> Parked<'_> {
        let (epoch, after) = (Some(after.epoch.clone()), after.last);
        let request =
            self.request(Verb::Events, Events { epoch, after, hold, pongs: vec![], leaving: false }.to_body());
        let mut connection = Connection::open(self.address);
        connection.send("POST", Verb::Events.path(), &[], &request.seal(&self.key).unwrap());
        Parked { agent: self, request, connection }
    }

    pub fn at(&self, created: Instant, verb: Verb, body: Value) -> Request {
        Request { created, ..self.request(verb, body) }
    }
}

/// A poll on its way.
pub struct Parked<'a> {
    agent: &'a Agent,
    pub request: Request,
    pub connection: Connection,
}

impl Parked<'_> {
    /// Its answer.
    #[track_caller]
    pub fn answered(mut self) -> Happened {
        let response = self.connection.receive().expect("an answer");
        let answered = self.agent.verified(&self.request, response);
        Happened::read(answered.yes().unwrap()).unwrap()
    }
}
