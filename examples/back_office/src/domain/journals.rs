//! What agents tell about themselves: the head of the journal, compared with the one before, and its lines, stored once.

use super::agent_keys::AgentKey;
use super::{Actor, Outcome, audit};
use ors::licence::Instant;
use ors::office::protocol::{JournalHead, Report};
use rusqlite::{Connection, OptionalExtension, params};

/// Lines that are kept of one installation; the oldest go.
const KEPT: i64 = 20_000;

/// What a head says, seen from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    /// It goes on.
    Good,
    /// Lines that were there are gone, or the journal began anew.
    Missing { after: u64 },
    /// The same line has two contents: two journals go by one name.
    Forked { at: u64 },
}

/// Compares a head with the one before.
pub fn judge(before: Option<&JournalHead>, now: &JournalHead) -> History {
    match before {
        None => History::Good,
        Some(before) if before.chain != now.chain => History::Missing { after: before.n },
        Some(before) if now.n < before.n => History::Missing { after: now.n },
        Some(before) if now.n == before.n && now.hash != before.hash => History::Forked { at: now.n },
        Some(_) => History::Good,
    }
}

/// Remembers the head that a key tells, and what is wrong with it.
///
/// # Errors
/// `Store`.
pub fn remember(db: &Connection, key: &AgentKey, name: &str, head: &JournalHead, now: Instant) -> Outcome<History> {
    let before = head_of(db, key.id)?;
    if before.as_ref() == Some(head) {
        return Ok(History::Good);
    }
    let history = judge(before.as_ref(), head);
    let words = match &history {
        History::Good => None,
        History::Missing { after } => Some(format!("history missing after {after}")),
        History::Forked { at } => Some(format!("forked at {at}")),
    };
    let update =
        "UPDATE agent_keys SET chain = ?2, head_n = ?3, head_hash = ?4, history = coalesce(?5, history) WHERE id = ?1";
    db.prepare_cached(update)?.execute(params![key.id, head.chain, head.n, head.hash, words])?;
    if let Some(words) = words {
        audit::record(db, &Actor::Office, "journal", name, &words, now)?;
    }
    Ok(history)
}

/// Whether this is the head that is remembered; none says nothing new.
///
/// # Errors
/// `Store`.
pub fn is_head(db: &Connection, key: i64, head: Option<&JournalHead>) -> Outcome<bool> {
    Ok(match head {
        None => true,
        Some(head) => head_of(db, key)?.as_ref() == Some(head),
    })
}

/// Marks a key whose journal told one line in two ways.
///
/// # Errors
/// `Store`.
pub fn mark_forked(db: &Connection, key: i64, at: u64) -> Outcome<()> {
    let update = "UPDATE agent_keys SET history = ?2 WHERE id = ?1";
    db.prepare_cached(update)?.execute(params![key, format!("forked at {at}")])?;
    Ok(())
}

fn head_of(db: &Connection, key: i64) -> Outcome<Option<JournalHead>> {
    let query = "SELECT chain, head_n, head_hash FROM agent_keys WHERE id = ?1 AND chain IS NOT NULL";
    let found = db
        .prepare_cached(query)?
        .query_row([key], |row| Ok(JournalHead { chain: row.get(0)?, n: row.get(1)?, hash: row.get(2)? }));
    Ok(found.optional()?)
}

/// Stores the lines of a report. Each is stored once; one that comes again with another content is left as it was first.
/// Returns the number of the last line that is stored, and whether a line came again with another content.
///
/// # Errors
/// `Store`.
pub fn store(db: &Connection, installation: i64, report: &Report, now: Instant) -> Outcome<(u64, bool)> {
    let mut insert = db.prepare_cached(
        "INSERT INTO journal_lines (installation, chain, n, line, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    let mut same =
        db.prepare_cached("SELECT line = ?4 FROM journal_lines WHERE installation = ?1 AND chain = ?2 AND n = ?3")?;
    let mut differs = false;
    for (n, line) in (report.first..).zip(&report.lines) {
        if insert.execute(params![installation, report.chain, n, line, now.unix()])? == 0 {
            differs |= !same.query_row(params![installation, report.chain, n, line], |row| row.get::<_, bool>(0))?;
        }
    }
    let through = "SELECT coalesce(max(n), 0) FROM journal_lines WHERE installation = ?1 AND chain = ?2";
    let through: u64 = db.prepare_cached(through)?.query_row(params![installation, report.chain], |row| row.get(0))?;
    let through = report.lines.len().try_into().map_or(through, |count: u64| match count {
        0 => through,
        // Not beyond this report: what comes between it and a later one is still wanted.
        count => report.first + count - 1,
    });
    let delete = "DELETE FROM journal_lines WHERE rowid IN (SELECT rowid FROM journal_lines WHERE installation = ?1
                  ORDER BY at DESC, chain DESC, n DESC LIMIT -1 OFFSET ?2)";
    db.prepare_cached(delete)?.execute(params![installation, KEPT])?;
    Ok((through, differs))
}

/// A stored line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub chain: String,
    pub n: u64,
    pub line: String,
}

/// The latest lines of an installation, the newest first.
///
/// # Errors
/// `Store`.
pub fn lines(db: &Connection, installation: i64, most: u32) -> Outcome<Vec<Line>> {
    let mut found = db.prepare_cached(
        "SELECT chain, n, line FROM journal_lines WHERE installation = ?1 ORDER BY at DESC, chain, n DESC LIMIT ?2",
    )?;
    let rows = found.query_map(params![installation, most], |row| {
        Ok(Line { chain: row.get(0)?, n: row.get(1)?, line: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(chain: &str, n: u64, hash: &str) -> JournalHead {
        JournalHead { chain: chain.to_owned(), n, hash: hash.repeat(64) }
    }

    #[test]
    fn a_journal_that_lost_lines_or_has_two_contents_is_told_apart_from_one_that_goes_on() {
        let before = head("a", 7, "1");
        for (now, verdict) in [
            (head("a", 7, "1"), History::Good),
            (head("a", 9, "2"), History::Good),
            (head("a", 7, "2"), History::Forked { at: 7 }),
            (head("a", 5, "3"), History::Missing { after: 5 }),
            (head("b", 1, "4"), History::Missing { after: 7 }),
        ] {
            assert_eq!(judge(Some(&before), &now), verdict, "{now:?}");
        }
        assert_eq!(judge(None, &before), History::Good);
    }
}
