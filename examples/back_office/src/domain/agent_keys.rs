//! The keys of agents: who asked, what was decided, and what is odd about them.

use super::enrolment::{self, Others, PENDING_DAYS, Run, Seen, State};
use super::events::{self, For, What};
use super::{Actor, Outcome, Problem, audit, installations};
use ors::licence::Instant;
use ors::office::protocol::{AgentPublic, Nonce, fingerprint};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A key of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentKey {
    pub id: i64,
    pub key: String,
    pub installation: i64,
    pub organisation: Option<i64>,
    pub public: [u8; 32],
    pub state: State,
    pub asked: Instant,
    pub decided: Option<(Instant, String)>,
    pub runs: Vec<Run>,
    /// Seen on two machines.
    pub cloned: Option<Instant>,
    /// What is wrong with the journal, in words.
    pub history: Option<String>,
}

impl AgentKey {
    /// What two people compare by phone.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.public)
    }
}

const COLUMNS: &str =
    "k.id, k.key, k.installation, i.organisation, k.public, k.state, k.asked, k.decided, k.decided_by,
    k.instances, k.cloned, k.history";
const FROM: &str = "FROM agent_keys k JOIN installations i ON i.id = k.installation";

fn read(row: &Row<'_>) -> rusqlite::Result<AgentKey> {
    let state: String = row.get(5)?;
    let decided: Option<i64> = row.get(7)?;
    let by: Option<String> = row.get(8)?;
    let runs: String = row.get(9)?;
    Ok(AgentKey {
        id: row.get(0)?,
        key: row.get(1)?,
        installation: row.get(2)?,
        organisation: row.get(3)?,
        public: row.get(4)?,
        // The table holds no other words.
        state: State::from_token(&state).unwrap_or(State::Declined),
        asked: Instant::from_unix(row.get(6)?),
        decided: decided.map(Instant::from_unix).zip(by),
        runs: serde_json::from_str(&runs).unwrap_or_default(),
        cloned: row.get::<_, Option<i64>>(10)?.map(Instant::from_unix),
        history: row.get(11)?,
    })
}

/// The key with this id at the installation with these names.
///
/// # Errors
/// `Store`.
pub fn find(db: &Connection, key: &str, product: &str, serial: &str) -> Outcome<Option<AgentKey>> {
    let query = format!("SELECT {COLUMNS} {FROM} WHERE k.key = ?1 AND i.product = ?2 AND i.serial = ?3");
    Ok(db.prepare_cached(&query)?.query_row([key, product, serial], read).optional()?)
}

/// All keys of an installation, the latest first.
///
/// # Errors
/// `Store`.
pub fn of(db: &Connection, installation: i64) -> Outcome<Vec<AgentKey>> {
    let query = format!("SELECT {COLUMNS} {FROM} WHERE k.installation = ?1 ORDER BY k.id DESC");
    let mut found = db.prepare_cached(&query)?;
    let rows = found.query_map([installation], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A key that waits for an administrator, beside the one in use.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub key: AgentKey,
    pub installation: installations::Installation,
    /// Fingerprint of the active key, if there is one.
    pub active: Option<String>,
}

/// All keys that wait, the oldest first.
///
/// # Errors
/// `Store`.
pub fn waiting(db: &Connection) -> Outcome<Vec<Waiting>> {
    let query =
        format!("SELECT {COLUMNS}, i.product, i.serial {FROM} WHERE k.state = 'pending' ORDER BY k.asked, k.id");
    let mut found = db.prepare_cached(&query)?;
    let rows = found.query_map((), |row| Ok((read(row)?, row.get::<_, String>(12)?, row.get::<_, String>(13)?)))?;
    rows.map(|row| {
        let (key, product, serial) = row?;
        let active =
            of(db, key.installation)?.iter().find(|other| other.state == State::Active).map(AgentKey::fingerprint);
        Ok(Waiting { key, installation: installations::get(db, &product, &serial)?, active })
    })
    .collect()
}

/// Takes the key of somebody who proved the serial number. `None`: too many keys of this serial number wait already.
///
/// # Errors
/// `Store`.
pub fn enrol(
    db: &Connection,
    public: &AgentPublic,
    product: &str,
    serial: &str,
    now: Instant,
) -> Outcome<Option<State>> {
    let installation = installations::get(db, product, serial)?;
    let id = public.id();
    let before = find(db, id.as_str(), product, serial)?.map(|key| key.state);
    let Some(state) = enrolment::asked(before, others(db, installation.id, id.as_str())?) else { return Ok(None) };
    if before == Some(state) {
        return Ok(Some(state));
    }
    let upsert = "INSERT INTO agent_keys (key, installation, public, state, asked) VALUES (?1, ?2, ?3, ?4, ?5)
                  ON CONFLICT (key, installation) DO UPDATE SET state = ?4, asked = ?5, decided = NULL, decided_by = NULL";
    db.execute(upsert, params![id.as_str(), installation.id, public.to_bytes(), state.token(), now.unix()])?;
    let what = if state == State::Active { "key enrolled" } else { "key waits for approval" };
    audit::record(db, &Actor::Agent(id.to_string()), what, &installation.name(), &public.fingerprint(), now)?;
    Ok(Some(state))
}

fn others(db: &Connection, installation: i64, except: &str) -> Outcome<Others> {
    let mut found = db.prepare_cached(
        "SELECT state, count(*) FROM agent_keys WHERE installation = ?1 AND key <> ?2 GROUP BY state",
    )?;
    let rows = found.query_map(params![installation, except], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut others = Others::default();
    for row in rows {
        let (state, count): (String, usize) = row?;
        match State::from_token(&state) {
            Some(State::Active) => others.active = count,
            Some(State::Pending) => others.pending = count,
            Some(State::Revoked) => others.revoked = count,
            _ => {}
        }
    }
    Ok(others)
}

/// Lets a key that waits (or was refused or replaced) in; an active one of the same installation is superseded.
///
/// # Errors
/// `NotFound`; `Conflict` for a revoked or an active key.
pub fn approve(db: &Connection, id: i64, by: &Actor, now: Instant) -> Outcome<()> {
    let (key, name) = named(db, id)?;
    if matches!(key.state, State::Active | State::Revoked) {
        return Err(Problem::conflict(format!("The key {} is {} already.", key.fingerprint(), key.state.token())));
    }
    for other in of(db, key.installation)?.iter().filter(|other| other.state == State::Active) {
        decide(db, other, &name, State::Superseded, by, now)?;
    }
    decide(db, &key, &name, State::Active, by, now)
}

/// Turns a key that waits away.
///
/// # Errors
/// `NotFound`; `Conflict` for one that does not wait.
pub fn refuse(db: &Connection, id: i64, by: &Actor, now: Instant) -> Outcome<()> {
    let (key, name) = named(db, id)?;
    if key.state != State::Pending {
        return Err(Problem::conflict(format!(
            "The key {} does not wait; it is {}.",
            key.fingerprint(),
            key.state.token()
        )));
    }
    decide(db, &key, &name, State::Declined, by, now)
}

/// Ends a key for good.
///
/// # Errors
/// `NotFound`; `Conflict` when it is revoked already.
pub fn revoke(db: &Connection, id: i64, by: &Actor, now: Instant) -> Outcome<()> {
    let (key, name) = named(db, id)?;
    if key.state == State::Revoked {
        return Err(Problem::conflict(format!("The key {} is revoked already.", key.fingerprint())));
    }
    decide(db, &key, &name, State::Revoked, by, now)
}

/// Ends the waiting of keys that nobody decided about. Returns how many.
///
/// # Errors
/// `Store`.
pub fn end_waiting(db: &Connection, now: Instant) -> Outcome<usize> {
    let long_ago = now.plus(-PENDING_DAYS * 86_400);
    let late: Vec<Waiting> = waiting(db)?.into_iter().filter(|waiting| waiting.key.asked <= long_ago).collect();
    for waiting in &late {
        decide(db, &waiting.key, &waiting.installation.name(), State::Ended, &Actor::Office, now)?;
    }
    Ok(late.len())
}

fn named(db: &Connection, id: i64) -> Outcome<(AgentKey, String)> {
    let query = format!("SELECT {COLUMNS}, i.product, i.serial {FROM} WHERE k.id = ?1");
    let found = db.prepare_cached(&query)?.query_row([id], |row| {
        Ok((read(row)?, installations::name(&row.get::<_, String>(12)?, &row.get::<_, String>(13)?)))
    });
    found.optional()?.ok_or_else(|| Problem::not_found("There is no such key."))
}

fn decide(db: &Connection, key: &AgentKey, name: &str, state: State, by: &Actor, now: Instant) -> Outcome<()> {
    let update = "UPDATE agent_keys SET state = ?2, decided = ?3, decided_by = ?4 WHERE id = ?1";
    db.execute(update, params![key.id, state.token(), now.unix(), by.to_string()])?;
    audit::record(db, by, &format!("key {}", state.token()), name, &key.fingerprint(), now)?;
    events::add(db, What::Enrolment, For::Installation(key.installation), now)
}

/// Remembers which run of the agent asked. Writes only when that is news.
///
/// # Errors
/// `Store`.
pub fn seen(db: &Connection, key: &AgentKey, instance: &Nonce, created: Instant, now: Instant) -> Outcome<Seen> {
    let mut runs = key.runs.clone();
    let seen = enrolment::seen(&mut runs, instance, created);
    if seen == Seen::Same || seen == Seen::Late {
        return Ok(seen);
    }
    let cloned = (seen == Seen::Cloned).then_some(now.unix());
    let written = serde_json::to_string(&runs).unwrap_or_default();
    let update = "UPDATE agent_keys SET instances = ?2, cloned = coalesce(?3, cloned) WHERE id = ?1";
    db.prepare_cached(update)?.execute(params![key.id, written, cloned])?;
    if seen == Seen::Cloned && key.cloned.is_none() {
        let (_, name) = named(db, key.id)?;
        audit::record(db, &Actor::Office, "key seen on two machines", &name, &key.fingerprint(), now)?;
    }
    Ok(seen)
}

/// An administrator has looked into it: the marks "cloned" and "history" are taken away.
///
/// # Errors
/// `NotFound`.
pub fn clear_marks(db: &Connection, id: i64, by: &Actor, now: Instant) -> Outcome<()> {
    let (key, name) = named(db, id)?;
    db.execute("UPDATE agent_keys SET cloned = NULL, history = NULL WHERE id = ?1", [id])?;
    audit::record(db, by, "marks cleared", &name, &key.fingerprint(), now)
}
