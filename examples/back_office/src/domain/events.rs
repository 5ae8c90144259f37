//! What agents are told: hints, in the order in which they were committed. The check is the truth.
//!
//! They are written in the transaction that makes them true, by whatever process; the server looks for new ones when it is
//! poked, and every second. So a hint is never lost between a commit and whoever waits for it.

use super::{Outcome, random};
use ors::licence::Instant;
use ors::office::protocol::{Event, EventKind, MAX_EVENTS, Nonce};
use rusqlite::{Connection, OptionalExtension, params};

/// How long a hint is kept. Who was away for longer checks anyway.
const KEPT: i64 = 7 * 86_400;
/// A probe that is older than this is not asked any more.
const PROBE_KEPT: i64 = 60;
/// Probes of one organisation are coalesced: one per this many seconds.
const PROBE_EVERY: i64 = 2;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Licence,
    Keys,
    Enrolment,
    Probe(Nonce),
}

impl What {
    fn token(&self) -> &'static str {
        match self {
            What::Licence => "licence",
            What::Keys => "keys",
            What::Enrolment => "enrolment",
            What::Probe(_) => "probe",
        }
    }
}

/// Whom it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    All,
    Organisation(i64),
    Installation(i64),
}

/// Adds a hint.
///
/// # Errors
/// `Store`.
pub fn add(db: &Connection, what: What, whom: For, now: Instant) -> Outcome<()> {
    let (installation, organisation) = match whom {
        For::All => (None, None),
        For::Organisation(id) => (None, Some(id)),
        For::Installation(id) => (Some(id), None),
    };
    let probe = match &what {
        What::Probe(nonce) => Some(nonce.as_str()),
        _ => None,
    };
    let insert = "INSERT INTO events (at, installation, organisation, kind, probe) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![now.unix(), installation, organisation, what.token(), probe];
    db.prepare_cached(insert)?.execute(values)?;
    Ok(())
}

/// Asks the agents of an organisation, or one of them, to show that they answer. Of several wishes within two seconds one is
/// enough: the nonce is then that of the first.
///
/// # Errors
/// `Store`.
pub fn probe(db: &Connection, whom: For, now: Instant) -> Outcome<Nonce> {
    let (installation, organisation) = match whom {
        For::All => (None, None),
        For::Organisation(id) => (None, Some(id)),
        For::Installation(id) => (Some(id), None),
    };
    let recent =
        "SELECT probe FROM events WHERE kind = 'probe' AND installation IS ?1 AND organisation IS ?2 AND at > ?3
                  ORDER BY id DESC LIMIT 1";
    let values = params![installation, organisation, now.unix() - PROBE_EVERY];
    let known: Option<String> = db.prepare_cached(recent)?.query_row(values, |row| row.get(0)).optional()?;
    if let Some(nonce) = known.as_deref().and_then(Nonce::parse) {
        return Ok(nonce);
    }
    let nonce = Nonce::from_random(random()?);
    add(db, What::Probe(nonce.clone()), whom, now)?;
    Ok(nonce)
}

/// Who asks for events.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    pub installation: i64,
    pub organisation: Option<i64>,
    /// A key that is not active gets `enrolment` and nothing else.
    pub active: bool,
}

/// The events after `after` that concern somebody, in order, as many as fit into an answer.
///
/// # Errors
/// `Store`.
pub fn after(db: &Connection, asker: Asker, after: u64, now: Instant) -> Outcome<Vec<Event>> {
    let mut found = db.prepare_cached(
        "SELECT id, kind, probe FROM events WHERE installation = ?1 AND id > ?2 AND (kind <> 'probe' OR at > ?4)
         UNION ALL
         SELECT id, kind, probe FROM events WHERE installation IS NULL AND id > ?2
            AND (organisation IS NULL OR organisation = ?3) AND (kind <> 'probe' OR at > ?4)
         ORDER BY id LIMIT ?5",
    )?;
    let most = i64::try_from(MAX_EVENTS).unwrap_or(i64::MAX);
    let values = params![asker.installation, after, asker.organisation, now.unix() - PROBE_KEPT, most];
    let rows = found.query_map(values, |row| {
        Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let mut events = Vec::new();
    for row in rows {
        let (id, kind, probe) = row?;
        let kind = match (kind.as_str(), probe.as_deref().and_then(Nonce::parse)) {
            ("licence", _) => EventKind::Licence,
            ("keys", _) => EventKind::Keys,
            ("enrolment", _) => EventKind::Enrolment,
            ("probe", Some(nonce)) => EventKind::Probe(nonce),
            _ => continue,
        };
        if asker.active || kind == EventKind::Enrolment {
            events.push(Event { id, kind });
        }
    }
    Ok(events)
}

/// The newest id of the stream; 0 at its beginning.
///
/// # Errors
/// `Store`.
pub fn newest(db: &Connection) -> Outcome<u64> {
    let query = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)";
    Ok(db.prepare_cached(query)?.query_row((), |row| row.get(0))?)
}

/// Whom the events between two ids concern.
///
/// # Errors
/// `Store`.
pub fn concerned(db: &Connection, after: u64, through: u64) -> Outcome<Vec<For>> {
    let query = "SELECT DISTINCT installation, organisation FROM events WHERE id > ?1 AND id <= ?2";
    let mut found = db.prepare_cached(query)?;
    let rows = found.query_map([after, through], |row| {
        Ok(match (row.get(0)?, row.get(1)?) {
            (Some(installation), _) => For::Installation(installation),
            (None, Some(organisation)) => For::Organisation(organisation),
            (None, None) => For::All,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops what nobody will ask for.
///
/// # Errors
/// `Store`.
pub fn prune(db: &Connection, now: Instant) -> Outcome<usize> {
    let delete = "DELETE FROM events WHERE at < ?1 OR (kind = 'probe' AND at < ?2)";
    Ok(db.execute(delete, params![now.unix() - KEPT, now.unix() - PROBE_KEPT])?)
}
