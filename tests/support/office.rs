//! A small back office over real TCP, for tests: it speaks the protocol with the library's own types, keeps what it is told in memory, and
//! can be told to answer wrongly. It is no example of one: that is `examples/back_office`.

use super::{PRODUCT, Vendor};
use issuer::SigningKey;
use ors::licence::{Instant, Serial, hex, sha256};
use ors::office::protocol::*;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const ORGANISATION: &str = "ORG-1";
pub const CODE: &str = "right-code-4711-abcd";

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Active,
    Pending,
    No(RefusedFor),
}

/// What is about to be answered; a script may change any of it.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<String>,
    pub statement: Statement,
    pub signed_by: Signer,
    /// Instead of the signed statement.
    pub raw: Option<Raw>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    Statement,
    Licence,
    Stranger,
}

/// Something that no back office says.
#[derive(Clone)]
pub enum Raw {
    Body(Vec<u8>),
    /// The whole answer, head and all; then the connection is closed.
    Bytes(Vec<u8>),
    /// A body that never ends.
    Endless,
    /// The right answer, one byte in that time.
    Dribble(Duration),
    /// No answer, and the connection stays open.
    Silence,
    /// The connection is closed.
    Cut,
}

type Script = Box<dyn FnMut(&Request, &mut Reply) + Send>;

/// One request as it was heard.
#[derive(Clone, Debug)]
pub struct Seen {
    pub request: Request,
    /// The body as it came, byte for byte.
    pub bytes: Vec<u8>,
}

pub struct State {
    pub keys: HashMap<KeyId, (AgentPublic, Standing)>,
    /// How a new key stands.
    pub newcomers: Standing,
    /// The newest licence that was issued.
    pub licence: Option<(u64, String)>,
    /// Key lists; the first is version 1.
    pub lists: Vec<String>,
    pub epoch: Nonce,
    pub events: Vec<Event>,
    pub pongs: Vec<Nonce>,
    /// The journal lines that were reported.
    pub journal: BTreeMap<u64, String>,
    pub seen: Vec<Seen>,
    pub checks: Vec<Check>,
    /// Polls that are held just now.
    pub parked: usize,
    /// Added to the time of the office, in seconds.
    pub clock: i64,
    nonces: Vec<Nonce>,
    script: Option<Script>,
    closed: bool,
    connections: Vec<TcpStream>,
    pub accepted: usize,
    pub polls: usize,
    /// Something has always happened: no poll is held.
    pub restless: bool,
}

pub struct Inner {
    state: Mutex<State>,
    bell: Condvar,
    vendor: Vendor,
    origin: Origin,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// The office; it ends when it goes.
pub struct Office {
    pub url: String,
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

pub fn nonce(byte: u8) -> Nonce {
    Nonce::from_random([byte; 16])
}

impl Office {
    pub fn open() -> Office {
        Office::with(None, "127.0.0.1")
    }

    /// With TLS; `host` is what the product's address names.
    pub fn with(tls: Option<Arc<rustls::ServerConfig>>, host: &str) -> Office {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Office::on(listener, tls, host)
    }

    pub fn on(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>, host: &str) -> Office {
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{host}:{}", address.port());
        let state = State {
            keys: HashMap::new(),
            newcomers: Standing::Active,
            licence: None,
            lists: Vec::new(),
            epoch: nonce(1),
            events: Vec::new(),
            pongs: Vec::new(),
            journal: BTreeMap::new(),
            seen: Vec::new(),
            checks: Vec::new(),
            parked: 0,
            clock: 0,
            nonces: Vec::new(),
            script: None,
            closed: false,
            connections: Vec::new(),
            accepted: 0,
            polls: 0,
            restless: false,
        };
        let inner = Arc::new(Inner {
            state: Mutex::new(state),
            bell: Condvar::new(),
            vendor: Vendor::new(),
            origin: Origin::of_url(&url).unwrap(),
            tls,
        });
        let inside = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let mut state = inside.lock();
                if state.closed {
                    return;
                }
                state.accepted += 1;
                state.connections.push(stream.try_clone().unwrap());
                drop(state);
                inside.bell.notify_all();
                let inside = inside.clone();
                std::thread::spawn(move || inside.serve(stream));
            }
        });
        Office { url, address, inner }
    }

    /// What is known and what was heard.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.inner.lock()
    }

    /// Changes every answer from now on.
    pub fn script(&self, script: impl FnMut(&Request, &mut Reply) + Send + 'static) {
        self.inner.lock().script = Some(Box::new(script));
    }

    pub fn answer_rightly(&self) {
        self.inner.lock().script = None;
    }

    /// Issues a licence and wakes whoever polls.
    pub fn issue(&self, sequence: u64, file: &[u8]) {
        self.inner.lock().licence = Some((sequence, String::from_utf8(file.to_vec()).unwrap()));
        self.happen(EventKind::Licence);
    }

    pub fn happen(&self, kind: EventKind) {
        let mut state = self.inner.lock();
        let id = state.events.last().map_or(0, |event| event.id) + 1;
        state.events.push(Event { id, kind });
        drop(state);
        self.inner.bell.notify_all();
    }

    /// Waits, 15 s at most, until `holds`.
    pub fn until(&self, what: &str, holds: impl FnMut(&mut State) -> bool) {
        self.until_within(Duration::from_secs(15), what, holds);
    }

    pub fn until_within(&self, wait: Duration, what: &str, mut holds: impl FnMut(&mut State) -> bool) {
        let state = self.inner.lock();
        let (state, waited) = self.inner.bell.wait_timeout_while(state, wait, |state| !holds(state)).unwrap();
        let verbs: Vec<&str> = state.seen.iter().map(|seen| seen.request.verb.token()).collect();
        assert!(!waited.timed_out(), "in vain: {what}; heard: {verbs:?}");
    }

    /// How many requests of a verb were heard.
    pub fn count(&self, verb: Verb) -> usize {
        self.inner.lock().seen.iter().filter(|seen| seen.request.verb == verb).count()
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.inner.lock().cut();
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        state.closed = true;
        state.cut();
        drop(state);
        self.inner.bell.notify_all();
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn cut(&mut self) {
        for stream in self.connections.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// What both kinds of connections can do.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn serve(self: &Arc<Inner>, stream: TcpStream) {
        match &self.tls {
            None => self.converse(stream),
            Some(config) => {
                let tls = rustls::ServerConnection::new(config.clone()).unwrap();
                self.converse(rustls::StreamOwned::new(tls, stream));
            }
        }
    }

    fn converse(&self, mut stream: impl Stream) {
        while let Some((path, body)) = read_request(&mut stream) {
            match self.answer(&path, &body) {
                Ok(reply) => {
                    if !self.send(&mut stream, reply) {
                        return;
                    }
                }
                Err(why) => {
                    let head = format!("HTTP/1.1 400 Bad\r\nContent-Length: {}\r\n\r\n{why}", why.len());
                    if stream.write_all(head.as_bytes()).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn answer(&self, path: &str, body: &[u8]) -> Result<Reply, String> {
        let unproven = Unproven::read(body).map_err(|refusal| refusal.detail)?;
        let known = self.lock().keys.get(unproven.key()).cloned();
        let public = match (&known, unproven.verb()) {
            (_, Verb::Enrol) => unproven.public_in_body(),
            (Some((public, _)), _) => Some(public.clone()),
            (None, _) => None,
        };
        // A key that is not known can prove nothing; it is told so all the same, so that tests see it enrol again.
        let request = match public {
            Some(public) => unproven.prove(&public, &self.origin).map_err(|refusal| refusal.detail)?,
            None => unread(body)?,
        };
        assert_eq!(path, request.verb.path(), "the verb is the last part of the address");
        let mut state = self.lock();
        state.seen.push(Seen { request: request.clone(), bytes: body.to_vec() });
        drop(state);
        self.bell.notify_all();
        let judged = self.judge(&request, known.map(|(_, standing)| standing));
        self.bell.notify_all();
        let (kind, answer, life) = match judged {
            Ok((kind, answer)) => (kind, answer, STATEMENT_LIFE + i64::try_from(MAX_HOLD).unwrap()),
            Err(reason) => {
                let refused = Refused { reason, detail: format!("No: {}.", reason.token()) };
                (Kind::Refused, refused.to_body(), STATEMENT_LIFE)
            }
        };
        let server_time = Instant::from_unix(now() + self.lock().clock);
        let statement = Statement {
            kind,
            office: self.origin.clone(),
            product: request.product.clone(),
            serial: request.serial.clone(),
            key: request.key.clone(),
            nonce: request.nonce.clone(),
            server_time,
            expires_at: server_time.plus(life),
            body: answer,
        };
        let status = if kind == Kind::Refused { 403 } else { 200 };
        let mut reply = Reply { status, headers: Vec::new(), statement, signed_by: Signer::Statement, raw: None };
        // Out of the lock while it runs: a script may look at the office.
        let script = self.lock().script.take();
        if let Some(mut script) = script {
            script(&request, &mut reply);
            self.lock().script.get_or_insert(script);
        }
        Ok(reply)
    }

    fn judge(&self, request: &Request, known: Option<Standing>) -> Result<(Kind, serde_json::Value), RefusedFor> {
        let mut state = self.lock();
        if (request.created.unix() - now() - state.clock).abs() > CLOCK_TOLERANCE {
            return Err(RefusedFor::Clock);
        }
        if state.nonces.contains(&request.nonce) {
            return Err(RefusedFor::Nonce);
        }
        state.nonces.push(request.nonce.clone());
        let body = &request.body;
        if request.verb == Verb::Enrol {
            let enrol = Enrol::read(body).map_err(|_| RefusedFor::Request)?;
            if enrol.organisation != ORGANISATION || enrol.code.expose() != CODE {
                return Err(RefusedFor::Code);
            }
            let keyring = ors::licence::Keyring::from_host(&self.vendor.trusted()).unwrap();
            let product = ors::licence::Product::parse(PRODUCT).unwrap();
            let proof = ors::licence::verify(enrol.licence.as_bytes(), &keyring, &product);
            if !proof.is_ok_and(|genuine| genuine.licence().serial == request.serial) {
                return Err(RefusedFor::Licence);
            }
            let standing = known.unwrap_or(state.newcomers);
            state.keys.insert(request.key.clone(), (enrol.public, standing));
            if let Standing::No(reason) = standing {
                return Err(reason);
            }
            let enrolled =
                Enrolled { pending: standing == Standing::Pending, organisation: "Print Service".to_owned() };
            return Ok((Kind::Enrolled, enrolled.to_body()));
        }
        let pending = match known {
            None => return Err(RefusedFor::UnknownKey),
            Some(Standing::No(reason)) => return Err(reason),
            Some(standing) => standing == Standing::Pending,
        };
        match request.verb {
            Verb::Events => {
                drop(state);
                Ok((Kind::Events, self.hold(request)?.to_body()))
            }
            _ if pending => Err(RefusedFor::Pending),
            Verb::Check => {
                let check = Check::read(body).map_err(|_| RefusedFor::Request)?;
                let checked = state.check(&check);
                state.checks.push(check);
                Ok((Kind::Checked, checked.to_body().unwrap()))
            }
            _ => {
                let report = Report::read(body).map_err(|_| RefusedFor::Request)?;
                for (n, line) in (report.first..).zip(report.lines) {
                    let before = state.journal.insert(n, line.clone());
                    assert!(before.is_none_or(|before| before == line), "one number is one line for ever");
                }
                let through = state.journal.keys().last().copied().unwrap_or(0);
                Ok((Kind::Stored, Stored { through }.to_body()))
            }
        }
    }

    fn hold(&self, request: &Request) -> Result<Happened, RefusedFor> {
        let poll = Events::read(&request.body).map_err(|_| RefusedFor::Request)?;
        let mut state = self.lock();
        state.pongs.extend(poll.pongs.iter().cloned());
        state.polls += 1;
        if state.restless {
            let id = state.events.last().map_or(0, |event| event.id) + 1;
            state.events = vec![Event { id, kind: EventKind::Unknown }];
            state.seen.clear();
            state.nonces.clear();
        }
        let news = |state: &State| {
            poll.epoch.as_ref() != Some(&state.epoch)
                || poll.leaving
                || state.closed
                || state.events.iter().any(|event| event.id > poll.after)
        };
        if !news(&state) {
            state.parked += 1;
            self.bell.notify_all();
            state =
                self.bell.wait_timeout_while(state, Duration::from_secs(poll.hold), |state| !news(state)).unwrap().0;
            state.parked -= 1;
        }
        let last = state.events.last().map_or(0, |event| event.id);
        let events = match poll.epoch.as_ref() == Some(&state.epoch) {
            true => state.events.iter().filter(|event| event.id > poll.after).take(MAX_EVENTS).cloned().collect(),
            false => Vec::new(),
        };
        self.bell.notify_all();
        Ok(Happened { epoch: state.epoch.clone(), last, events })
    }

    fn send(&self, stream: &mut impl Stream, reply: Reply) -> bool {
        let signer: &SigningKey = match reply.signed_by {
            Signer::Statement => &self.vendor.statement,
            Signer::Licence => &self.vendor.licence,
            Signer::Stranger => &self.vendor.stranger,
        };
        let signed = || issuer::sign(STATEMENT_TYPE, &reply.statement.to_payload(), &[signer]);
        let head = |length: usize| {
            let more: String = reply.headers.iter().map(|header| format!("{header}\r\n")).collect();
            format!(
                "HTTP/1.1 {} Answer\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {length}\r\n{more}\r\n",
                reply.status
            )
        };
        let whole = |body: &[u8]| [head(body.len()).as_bytes(), body].concat();
        match reply.raw {
            None => stream.write_all(&whole(&signed())).is_ok() && stream.flush().is_ok(),
            Some(Raw::Body(body)) => stream.write_all(&whole(&body)).is_ok() && stream.flush().is_ok(),
            Some(Raw::Bytes(bytes)) => {
                let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
                false
            }
            Some(Raw::Endless) => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while stream.write_all(&[b' '; 65_536]).is_ok() {}
                false
            }
            Some(Raw::Dribble(each)) => {
                for byte in whole(&signed()) {
                    if stream.write_all(&[byte]).and_then(|()| stream.flush()).is_err() {
                        break;
                    }
                    std::thread::sleep(each);
                }
                false
            }
            Some(Raw::Silence) => {
                let _ = stream.read(&mut [0]);
                false
            }
            Some(Raw::Cut) => false,
        }
    }
}

impl State {
    fn check(&self, check: &Check) -> Checked {
        let (sequence, file) = self.licence.clone().map_or((0, None), |(sequence, file)| (sequence, Some(file)));
        let from = usize::try_from(check.keys_version).unwrap();
        Checked {
            sequence,
            digest: file.as_ref().map(|file| sha256(file.as_bytes())),
            licence: file.filter(|_| sequence > check.sequence),
            keys_version: self.lists.len() as u64,
            keys: self.lists.iter().skip(from).take(MAX_KEY_STEPS).cloned().collect(),
            send_licence: check.sequence > sequence && check.licence.is_none(),
        }
    }
}

/// A request whose key nobody knows, read without proof.
fn unread(body: &[u8]) -> Result<Request, String> {
    let envelope = ors::licence::Envelope::parse(body).map_err(|refusal| refusal.detail)?;
    let payload: serde_json::Value = serde_json::from_slice(&envelope.payload).map_err(|error| error.to_string())?;
    let text = |name: &str| payload[name].as_str().unwrap_or_default();
    Ok(Request {
        verb: Verb::from_token(text("verb")).ok_or("verb")?,
        office: Origin::of_url(text("office")).ok_or("office")?,
        product: ors::licence::Product::parse(text("product")).map_err(|_| "product")?,
        serial: Serial::parse(text("serial")).map_err(|_| "serial")?,
        key: KeyId::parse(text("key")).ok_or("key")?,
        instance: Nonce::parse(text("instance")).ok_or("instance")?,
        nonce: Nonce::parse(text("nonce")).ok_or("nonce")?,
        created: Instant::parse(text("created")).map_err(|_| "created")?,
        body: payload["body"].clone(),
    })
}

/// Path and body; `None` when the other end has closed.
fn read_request(stream: &mut impl Stream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let lower = head.to_lowercase();
    let length: usize = lower.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((path, body))
}

/// SHA-256 in hexadecimal, as the journal's lines hold it.
pub fn digest(text: &str) -> String {
    hex(&sha256(text.as_bytes()))
}
