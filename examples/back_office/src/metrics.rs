//! What is counted while the server runs, and how Prometheus reads it.

use ors::office::protocol::{RefusedFor, Verb};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters. They begin at 0 with the process.
#[derive(Default)]
pub struct Metrics {
    asked: [AtomicU64; Verb::ALL.len()],
    refused: [AtomicU64; RefusedFor::ALL.len()],
    /// Requests that got no statement: unreadable, or a signature that does not fit.
    pub unproven: AtomicU64,
    /// Polls that are parked now.
    pub parked: AtomicU64,
    /// Polls that were answered because something happened.
    pub woken: AtomicU64,
    /// Microseconds that their answers took, added up.
    pub woken_us: AtomicU64,
    pub issued: AtomicU64,
    pub connections: AtomicU64,
    pub connections_refused: AtomicU64,
    pub tls_failed: AtomicU64,
    pub logins_failed: AtomicU64,
}

impl Metrics {
    pub fn asked(&self, verb: Verb) {
        count(&self.asked, Verb::ALL.iter().position(|known| *known == verb));
    }

    pub fn refused(&self, reason: RefusedFor) {
        count(&self.refused, RefusedFor::ALL.iter().position(|(known, _)| *known == reason));
    }

    /// The text that Prometheus reads; `now` are values that are looked up for it: name, help, value.
    pub fn text(&self, now: &[(&str, &str, u64)]) -> String {
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
            let _ = writeln!(out, "# HELP back_office_{name} {help}\n# TYPE back_office_{name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(out, "back_office_{name}{labels} {value}");
            }
        };
        let label = |name: &str, value: &str| format!("{{{name}=\"{value}\"}}");
        let asked = Verb::ALL.iter().zip(&self.asked).map(|(verb, n)| (label("verb", verb.token()), n.load(Relaxed)));
        family("agent_requests_total", "counter", "Requests of agents, by verb.", &asked.collect::<Vec<_>>());
        let refused =
            RefusedFor::ALL.iter().zip(&self.refused).map(|((_, token), n)| (label("reason", token), n.load(Relaxed)));
        family("agent_refused_total", "counter", "Refusals, by reason.", &refused.collect::<Vec<_>>());
        for (name, kind, help, counter) in [
            ("agent_unproven_total", "counter", "Requests without a signature that fits.", &self.unproven),
            ("agents_parked", "gauge", "Polls that are parked.", &self.parked),
            ("agents_woken_total", "counter", "Polls answered because something happened.", &self.woken),
            ("agents_woken_microseconds_total", "counter", "Time that these answers took to make.", &self.woken_us),
            ("licences_issued_total", "counter", "Licences issued by this process.", &self.issued),
            ("connections", "gauge", "Open connections.", &self.connections),
            ("connections_refused_total", "counter", "Connections beyond the limit.", &self.connections_refused),
            ("tls_failed_total", "counter", "TLS handshakes that failed.", &self.tls_failed),
            ("logins_failed_total", "counter", "Logins that failed.", &self.logins_failed),
        ] {
            family(name, kind, help, &[(String::new(), counter.load(Relaxed))]);
        }
        for (name, help, value) in now {
            family(name, "gauge", help, &[(String::new(), *value)]);
        }
        out
    }
}

fn count(counters: &[AtomicU64], at: Option<usize>) {
    if let Some(counter) = at.and_then(|at| counters.get(at)) {
        counter.fetch_add(1, Relaxed);
    }
}

/// Adds one for as long as it lives.
pub struct Held<'a>(&'a AtomicU64);

impl<'a> Held<'a> {
    pub fn new(gauge: &'a AtomicU64) -> Held<'a> {
        gauge.fetch_add(1, Relaxed);
        Held(gauge)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
