//! One request, one answer, within limits.
#![forbid(unsafe_code)]

use super::dns::Dns;
use super::tls::Trust;
use super::transport::{Later, Maker, Shared};
use super::trouble::{Step, Trouble, Watch, Why};
use crate::licence::text::clean;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderMap, header};

/// The largest answer, in bytes.
const LARGEST: usize = 1 << 20;
const LARGEST_HEAD: usize = 8 << 10;
/// A connection that was not used for so long is not used again: somebody on the way has forgotten it.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Each of name, socket and TLS.
    pub connect: Duration,
    /// From the sent request to the head of the answer.
    pub answer: Duration,
    /// The rest of the answer.
    pub body: Duration,
}

/// What came back, whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// `Retry-After` in seconds. The form with a date is not read: clocks may be wrong here.
    pub retry_after: Option<u64>,
    /// Where a redirect points to.
    pub location: Option<String>,
    pub body: Vec<u8>,
}

/// One client with one kept connection.
pub struct Http {
    agent: ureq::Agent,
    shared: Arc<Shared>,
}

/// Ends a client from outside.
#[derive(Clone)]
pub struct Stop {
    agent: ureq::Agent,
    shared: Arc<Shared>,
}

impl Stop {
    /// Ends whatever is under way within a tenth of a second, and lets nothing begin any more.
    pub fn stop(&self) {
        self.shared.stopped.store(true, SeqCst);
        self.agent.clone().shutdown();
    }
}

impl Http {
    pub fn new(dns: Arc<Dns>, trust: Arc<Trust>) -> Http {
        let shared = Arc::new(Shared::new(dns, trust));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Not even by the environment.
            .proxy(None)
            .user_agent(concat!("ors/", env!("CARGO_PKG_VERSION")))
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .max_response_header_size(LARGEST_HEAD)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(KEPT_FOR)
            .build();
        let agent = ureq::Agent::with_parts(config, Maker(shared.clone()), Later);
        Http { agent, shared }
    }

    pub fn stop(&self) -> Stop {
        Stop { agent: self.agent.clone(), shared: self.shared.clone() }
    }

    /// Posts `body` and brings the answer. `watch` is told of each step of a connection that has to be made.
    pub fn post(
        &self,
        url: &str,
        media_type: &str,
        body: &[u8],
        limits: Limits,
        watch: Option<Arc<Watch>>,
    ) -> Result<Reply, Trouble> {
        {
            let mut turn = self.shared.turn();
            (turn.connect, turn.watch) = (limits.connect, watch);
            (turn.fresh, turn.sent, turn.received) = (false, false, false);
        }
        let answer = self.exchange(url, media_type, body, limits);
        let mut turn = self.shared.turn();
        turn.watch = None;
        answer.map_err(|error| {
            let (sent, kept) = (turn.sent, !turn.fresh);
            let received = turn.received;
            drop(turn);
            match error {
                _ if self.shared.is_stopped() => Trouble { step: Step::Http, why: Why::Stopped, sent, kept },
                ureq::Error::Other(inner) if inner.is::<Trouble>() => match inner.downcast::<Trouble>() {
                    Ok(trouble) => *trouble,
                    Err(_) => Trouble { step: Step::Http, why: Why::Cut, sent, kept },
                },
                error => Trouble { step: Step::Http, why: why(&error, received), sent, kept },
            }
        })
    }

    fn exchange(&self, url: &str, media_type: &str, body: &[u8], limits: Limits) -> Result<Reply, ureq::Error> {
        let request = self
            .agent
            .post(url)
            .header(header::CONTENT_TYPE, media_type)
            .config()
            .timeout_send_request(Some(limits.connect))
            .timeout_send_body(Some(limits.body))
            .timeout_recv_response(Some(limits.answer))
            .timeout_recv_body(Some(limits.body))
            .build();
        let mut answer = request.send(body)?;
        let headers = answer.headers();
        let (retry_after, location) = (retry_after(headers), location(headers));
        let mut found = Vec::new();
        answer.body_mut().as_reader().take(LARGEST as u64 + 1).read_to_end(&mut found).map_err(ureq::Error::from)?;
        if found.len() > LARGEST {
            return Err(ureq::Error::BodyExceedsLimit(LARGEST as u64));
        }
        Ok(Reply { status: answer.status().as_u16(), retry_after, location, body: found })
    }
}

fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

fn location(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::LOCATION)?;
    Some(clean(&String::from_utf8_lossy(text.as_bytes()), 200))
}

fn why(error: &ureq::Error, received: bool) -> Why {
    match error {
        ureq::Error::Timeout(_) if received => Why::Slow,
        ureq::Error::Timeout(_) => Why::Silent,
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => Why::TooLarge,
        ureq::Error::Io(_) => Why::Cut,
        other => Why::NotHttp { detail: clean(&other.to_string(), 200) },
    }
}

#[cfg(test)]
mod tests;
