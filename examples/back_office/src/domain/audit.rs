//! Who did what to what, and when. Written in the transaction that did it; nothing here is ever changed.

use super::{Actor, Outcome};
use ors::licence::Instant;
use rusqlite::{Connection, params};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub at: Instant,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
}

/// Adds an entry.
///
/// # Errors
/// `Store`.
pub fn record(db: &Connection, by: &Actor, action: &str, subject: &str, detail: &str, now: Instant) -> Outcome<()> {
    let insert = "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.prepare_cached(insert)?.execute(params![now.unix(), by.to_string(), action, subject, detail])?;
    Ok(())
}

/// The newest entries first; about one subject, or all. `before` continues an earlier page.
///
/// # Errors
/// `Store`.
pub fn list(db: &Connection, subject: Option<&str>, before: Option<i64>, most: u32) -> Outcome<Vec<Entry>> {
    let mut found = db.prepare_cached(
        "SELECT id, at, actor, action, subject, detail FROM audit
         WHERE (?1 IS NULL OR subject = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = found.query_map(params![subject, before.unwrap_or(i64::MAX), most], |row| {
        Ok(Entry {
            id: row.get(0)?,
            at: Instant::from_unix(row.get(1)?),
            actor: row.get(2)?,
            action: row.get(3)?,
            subject: row.get(4)?,
            detail: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
