//! The line to the agents: each request is proven, answered by its verb, and the answer is signed.
//!
//! [`Line::hear`] takes the bytes of a request and returns those of the answer, or a poll that is to be parked; it reads
//! and writes the database and must not run where others wait for it. How bytes come and go is [`crate::web`]'s.
//!
//! * `prove`: from bytes to a request of a known key, or a refusal; * `answer`: statements;
//! * `enrol`, `check`, `events`, `report`: the verbs;
//! * `hub`: parked polls; `presence`: who is there; `nonces`: what was used.

mod answer;
mod check;
mod enrol;
mod events;
mod hub;
mod nonces;
pub mod presence;
mod prove;
mod report;

pub use answer::Heard;
pub use events::Parked;
pub use hub::Hub;

use crate::domain::events::{self as hints, For};
use crate::domain::{Outcome, Problem, key_lists, random};
use crate::metrics::Metrics;
use crate::store::Store;
use crate::throttle::Throttle;
use issuer::SigningKey;
use nonces::Nonces;
use ors::licence::{Instant, KeyStatus, Keyring, Role};
use ors::office::protocol::{Nonce, Origin, RefusedFor, Verb};
use presence::Presence;
use rusqlite::params;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, PoisonError, RwLock};

/// The line, for as long as the server runs.
pub struct Line {
    pub store: Arc<Store>,
    pub metrics: Arc<Metrics>,
    pub hub: Hub,
    pub presence: Presence,
    origin: Origin,
    statement: SigningKey,
    /// What products were built with.
    host: Keyring,
    /// With the key lists that came since.
    ring: RwLock<Arc<Keyring>>,
    nonces: Nonces,
    throttle: Throttle,
    /// The stream of events of this run: after a restart agents check.
    epoch: Nonce,
    looked_at: AtomicU64,
}

impl Line {
    /// # Errors
    /// A sentence: the key is no statement key that agents believe; the stored key lists do not follow.
    pub fn new(
        store: Arc<Store>,
        metrics: Arc<Metrics>,
        origin: Origin,
        statement: SigningKey,
        host: Keyring,
    ) -> Outcome<Line> {
        let (ring, newest, remembered) = store.read(|db| {
            let mut found = db.prepare("SELECT key, nonce, until FROM nonces")?;
            let rows = found.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let remembered: Vec<(String, String, i64)> = rows.collect::<Result<_, _>>()?;
            Ok::<_, Problem>((key_lists::ring(db, &host)?, hints::newest(db)?, remembered))
        })?;
        believed(&statement, &ring)?;
        let nonces = Nonces::default();
        nonces.put(&remembered);
        Ok(Line {
            store,
            metrics,
            hub: Hub::default(),
            presence: Presence::default(),
            origin,
            statement,
            host,
            ring: RwLock::new(Arc::new(ring)),
            nonces,
            throttle: Throttle::default(),
            epoch: Nonce::from_random(random()?),
            looked_at: AtomicU64::new(newest),
        })
    }

    /// What licences and key lists are judged by.
    pub fn ring(&self) -> Arc<Keyring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What products were built with.
    pub fn host_keys(&self) -> &Keyring {
        &self.host
    }

    /// Answers a request that came from `from`, at the address of `verb`.
    pub fn hear(&self, verb: Verb, from: IpAddr, body: &[u8], now: Instant) -> Heard {
        self.metrics.asked(verb);
        let asker = match prove::read(self, verb, body, now) {
            Ok(asker) => asker,
            Err(heard) => return heard,
        };
        let done = match verb {
            Verb::Enrol => enrol::answer(self, &asker, from, now),
            Verb::Check => check::answer(self, &asker, now),
            Verb::Events => match events::begin(self, &asker, now) {
                Ok(events::Begun::Now(kind, body)) => Ok((kind, body)),
                Ok(events::Begun::Park(parked)) => return Heard::Park(Box::new(parked)),
                Err(no) => Err(no),
            },
            Verb::Report => report::answer(self, &asker, now),
        };
        self.said(&asker.to, done, now)
    }

    /// Looks for events since the last look, and wakes those whom they concern. Returns how many there were.
    ///
    /// # Errors
    /// `Store`.
    pub fn look(&self) -> Outcome<u64> {
        let from = self.looked_at.load(SeqCst);
        let (newest, concerned) = self.store.read(|db| {
            let newest = hints::newest(db)?;
            let concerned = if newest > from { hints::concerned(db, from, newest)? } else { Vec::new() };
            Ok::<_, Problem>((newest, concerned))
        })?;
        if concerned.contains(&For::All) {
            let ring = self.store.read(|db| key_lists::ring(db, &self.host))?;
            *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        }
        self.looked_at.fetch_max(newest, SeqCst);
        concerned.into_iter().for_each(|whom| self.hub.wake(whom));
        Ok(newest.saturating_sub(from))
    }

    /// Writes down who was heard of, and forgets what is over.
    ///
    /// # Errors
    /// `Store`.
    pub fn tidy(&self, now: Instant) -> Outcome<()> {
        self.nonces.prune(now);
        self.presence.prune();
        let heard = self.presence.take_heard();
        self.store.write(|db| {
            crate::domain::installations::seen(db, &heard)?;
            crate::domain::agent_keys::end_waiting(db, now)?;
            hints::prune(db, now).map(drop)
        })
    }

    /// Leaves what the next run has to know.
    ///
    /// # Errors
    /// `Store`.
    pub fn leave(&self, now: Instant) -> Outcome<()> {
        self.tidy(now)?;
        self.store.write(|db| {
            db.execute("DELETE FROM nonces", ())?;
            let mut insert =
                db.prepare("INSERT INTO nonces (key, nonce, until) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
            for (key, nonce, until) in self.nonces.all() {
                insert.execute(params![key, nonce, until])?;
            }
            Ok(())
        })
    }
}

/// Whether agents that follow this ring believe what a key says.
fn believed(key: &SigningKey, ring: &Keyring) -> Outcome<()> {
    if key.role() != Role::Statement {
        return Err(Problem::invalid(
            "keys.statement",
            format!("is a {} key; the office speaks with a statement key", key.role().token()),
        ));
    }
    let known = ring.keys().iter().any(|known| {
        known.public_bytes() == key.public_bytes() && known.role == Role::Statement && known.status == KeyStatus::Active
    });
    if known {
        return Ok(());
    }
    Err(Problem::invalid("keys.statement", "is no active statement key of the trusted keys: no agent would believe it"))
}

/// "No", and why: what a verb returns instead of an answer.
#[derive(Debug)]
pub struct Refusal {
    pub reason: RefusedFor,
    pub detail: String,
    /// Seconds after which it may be tried again.
    pub after: Option<i64>,
}

impl Refusal {
    fn new(reason: RefusedFor, detail: impl Into<String>) -> Refusal {
        Refusal { reason, detail: detail.into(), after: None }
    }
}

#[cfg(test)]
mod tests;
