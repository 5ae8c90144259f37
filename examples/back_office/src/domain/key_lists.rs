//! The key lists that agents follow, each judged from the one before as an agent will judge it.

use super::events::{self, For, What};
use super::{Actor, Outcome, Problem, audit};
use ors::licence::Envelope;
use ors::licence::{Advance, Instant, Keyring};
use rusqlite::{Connection, params};

/// The ring at the end of all lists here, beginning with what the products were built with.
///
/// # Errors
/// `Conflict` when the stored lists do not follow from these keys.
pub fn ring(db: &Connection, host: &Keyring) -> Outcome<Keyring> {
    let mut ring = host.clone();
    for (version, file) in after(db, host.version())? {
        let wrong = |why: String| Problem::conflict(format!("The stored key list {version} does not follow: {why}"));
        let list = Envelope::parse(file.as_bytes()).map_err(|refusal| wrong(refusal.detail))?;
        match ring.advance(&list) {
            Ok(Advance::Next(next)) => ring = next,
            Ok(_) => return Err(wrong("it is not newer than the one before.".to_owned())),
            Err(refusal) => return Err(wrong(refusal.detail)),
        }
    }
    Ok(ring)
}

/// Takes the steps of a chain file, or a single list, that lead on from here, and tells all agents. Returns the version
/// reached and how many steps were new.
///
/// # Errors
/// `Invalid` with the first thing that does not fit.
pub fn import(db: &Connection, host: &Keyring, file: &[u8], by: &Actor, now: Instant) -> Outcome<(Keyring, usize)> {
    let before = ring(db, host)?;
    let (reached, steps) = before
        .advance_chain(file)
        .map_err(|refusal| Problem::invalid("key list", format!("is refused: {}", refusal.detail)))?;
    for (version, list) in (before.version() + 1..).zip(&steps) {
        let insert = "INSERT INTO key_lists (version, file, at) VALUES (?1, ?2, ?3)";
        db.execute(insert, params![version, list.to_json(), now.unix()])?;
    }
    if !steps.is_empty() {
        audit::record(db, by, "key lists taken", &format!("version {}", reached.version()), "", now)?;
        events::add(db, What::Keys, For::All, now)?;
    }
    Ok((reached, steps.len()))
}

/// The lists after a version, in order.
///
/// # Errors
/// `Store`.
pub fn after(db: &Connection, version: u64) -> Outcome<Vec<(u64, String)>> {
    let mut found = db.prepare_cached("SELECT version, file FROM key_lists WHERE version > ?1 ORDER BY version")?;
    let rows = found.query_map([version], |row| {
        Ok((row.get(0)?, String::from_utf8_lossy(row.get_ref(1)?.as_blob()?).into_owned()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The newest version here; 0 when there is no list.
///
/// # Errors
/// `Store`.
pub fn newest(db: &Connection) -> Outcome<u64> {
    let query = "SELECT coalesce(max(version), 0) FROM key_lists";
    Ok(db.prepare_cached(query)?.query_row((), |row| row.get(0))?)
}
