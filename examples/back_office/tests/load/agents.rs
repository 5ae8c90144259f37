//! The agents: each a connection, a key, and one poll after the other.

use crate::rig::agent::nonce;
use crate::rig::{ORIGIN, PRODUCT, now, ring};
use crate::stage::{Stage, agent_key, serial};
use ors::licence::{Product, Serial};
use ors::office::protocol::{AgentKey, Event, Events, Expected, Happened, Nonce, Origin, Request, Statement, Verb};
use rustls::pki_types::ServerName;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const BOUND: Duration = Duration::from_secs(60);

/// An answer: when it came, to what, and its bytes.
struct Came {
    at: Instant,
    request: Request,
    body: Vec<u8>,
}

/// All agents.
pub struct Swarm {
    came: mpsc::UnboundedReceiver<Came>,
    heard: Vec<Vec<Event>>,
    count: usize,
    sent: Arc<AtomicUsize>,
    _stop: Arc<Notify>,
}

struct Agent {
    stream: TlsStream<TcpStream>,
    key: AgentKey,
    serial: Serial,
    instance: Nonce,
    buffer: Vec<u8>,
}

impl Swarm {
    /// Connects everybody and parks them.
    pub async fn gather(stage: &Stage, count: usize) -> Swarm {
        let (tell, came) = mpsc::unbounded_channel();
        let (sent, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let at_a_time = Arc::new(Semaphore::new(64));
        for number in 0..count {
            let (client, address) = (stage.client.clone(), stage.server.address);
            let (tell, sent, at_a_time) = (tell.clone(), sent.clone(), at_a_time.clone());
            tokio::spawn(async move {
                let place = at_a_time.acquire_owned().await.unwrap();
                let stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let name = ServerName::try_from("office.example").unwrap();
                let stream = TlsConnector::from(client).connect(name, stream).await.unwrap();
                let serial = Serial::parse(&serial(number)).unwrap();
                let mut agent = Agent { stream, key: agent_key(number), serial, instance: nonce(), buffer: Vec::new() };
                let asks = Events { epoch: None, after: 0, hold: 45, pongs: vec![], leaving: false };
                let (request, body) = agent.ask(asks, || ()).await;
                let first = agent.verified(&request, &body);
                drop(place);
                agent.poll_for_ever(first, &tell, &sent).await;
            });
        }
        let mut swarm = Swarm { came, heard: Vec::new(), count, sent, _stop: stop };
        swarm.parked(stage).await;
        swarm
    }

    /// Waits until everybody's poll was sent again, and the server has had the time to park it.
    pub async fn parked(&mut self, stage: &Stage) {
        let end = Instant::now() + BOUND;
        while self.sent.load(Ordering::SeqCst) < self.count || stage.connections_parked() < self.count as u64 {
            assert!(Instant::now() < end, "{} of {} are parked", self.sent.load(Ordering::SeqCst), self.count);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for everybody's answer; how long after `event` each came.
    pub async fn woken_by(&mut self, event: &Instant) -> Vec<Duration> {
        let mut all = Vec::with_capacity(self.count);
        while all.len() < self.count {
            let came = tokio::time::timeout(BOUND, self.came.recv()).await.expect("everybody is woken").unwrap();
            all.push(came);
        }
        // Verified only now: the clock was read when the bytes came.
        self.heard = all.iter().map(|came| verify(&came.request, &came.body).events).collect();
        all.iter().map(|came| came.at.saturating_duration_since(*event)).collect()
    }

    /// What everybody was told the last time.
    pub fn heard(&self) -> &[Vec<Event>] {
        &self.heard
    }
}

impl Agent {
    async fn poll_for_ever(mut self, mut known: Happened, tell: &mpsc::UnboundedSender<Came>, sent: &AtomicUsize) {
        loop {
            let asks = Events { epoch: Some(known.epoch), after: known.last, hold: 45, pongs: vec![], leaving: false };
            let (request, body) = self.ask(asks, || drop(sent.fetch_add(1, Ordering::SeqCst))).await;
            let at = Instant::now();
            sent.fetch_sub(1, Ordering::SeqCst);
            // A spare look without verification, to know where the stream is; whoever counts verifies.
            let envelope = ors::licence::Envelope::parse(&body).unwrap();
            let payload: serde_json::Value = serde_json::from_slice(&envelope.payload).unwrap();
            known = Happened::read(&payload["body"]).unwrap();
            if !known.events.is_empty() && tell.send(Came { at, request, body }).is_err() {
                return;
            }
        }
    }

    async fn ask(&mut self, asks: Events, sent: impl FnOnce()) -> (Request, Vec<u8>) {
        let request = Request {
            verb: Verb::Events,
            office: Origin::of_url(ORIGIN).unwrap(),
            product: Product::parse(PRODUCT).unwrap(),
            serial: self.serial.clone(),
            key: self.key.public().id(),
            instance: self.instance.clone(),
            nonce: nonce(),
            created: now(),
            body: asks.to_body(),
        };
        let body = request.seal(&self.key).unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: office.example\r\nContent-Length: {}\r\n\r\n",
            Verb::Events.path(),
            body.len()
        );
        let mut message = head.into_bytes();
        message.extend_from_slice(&body);
        self.stream.write_all(&message).await.unwrap();
        self.stream.flush().await.unwrap();
        sent();
        let body = self.receive().await;
        (request, body)
    }

    async fn receive(&mut self) -> Vec<u8> {
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server hung up");
            let Some(end) = self.buffer.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 200"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let length: usize = length.parse().unwrap();
            if self.buffer.len() >= end + 4 + length {
                return self.buffer[end + 4..end + 4 + length].to_vec();
            }
        }
    }

    fn verified(&self, request: &Request, body: &[u8]) -> Happened {
        verify(request, body)
    }
}

fn verify(request: &Request, body: &[u8]) -> Happened {
    static RING: Mutex<Option<ors::licence::Keyring>> = Mutex::new(None);
    let mut ring_once = RING.lock().unwrap();
    let ring = ring_once.get_or_insert_with(ring);
    let expected = Expected {
        office: &request.office,
        product: &request.product,
        serial: &request.serial,
        key: &request.key,
        nonce: &request.nonce,
        elapsed: 0,
    };
    Happened::read(&Statement::verify(body, ring, &expected).unwrap().body).unwrap()
}
