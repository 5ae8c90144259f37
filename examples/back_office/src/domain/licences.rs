//! The licences of an installation, and the one that the signer was asked for and has not answered yet.
//!
//! What the signer is asked stands here before it is asked, byte for byte. So an issue that is killed in the middle is
//! finished later with the very same licence, and nothing is issued twice.

use super::events::{self, For, What};
use super::{Actor, Outcome, Problem, audit, installations};
use ors::licence::{Digest, Envelope, Instant, Licence, sha256};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// How a licence came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Issued here.
    Issued,
    /// Brought by an agent or an administrator; verified.
    Adopted,
    /// From the signer's record, after an older database was restored.
    Recovered,
}

impl Origin {
    pub fn token(self) -> &'static str {
        match self {
            Origin::Issued => "issued",
            Origin::Adopted => "adopted",
            Origin::Recovered => "recovered",
        }
    }
}

/// A licence as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub sequence: u64,
    /// The file, as agents get it.
    pub file: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    pub recorded: Instant,
    pub origin: String,
    pub actor: String,
}

impl Kept {
    /// What it says. It was verified before it came here.
    ///
    /// # Errors
    /// `Store` when the stored file is damaged.
    pub fn licence(&self) -> Outcome<Licence> {
        content(self.file.as_bytes())
    }
}

/// What a file says that was verified before.
///
/// # Errors
/// `Store` when it is damaged.
pub fn content(file: &[u8]) -> Outcome<Licence> {
    Envelope::parse(file).and_then(|envelope| Licence::parse(&envelope.payload)).map_err(|refusal| Problem {
        kind: super::Kind::Store,
        detail: refusal.detail,
        member: None,
    })
}

const COLUMNS: &str = "sequence, file, digest, recorded, origin, actor FROM licences";

fn read(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        sequence: row.get(0)?,
        file: String::from_utf8_lossy(row.get_ref(1)?.as_blob()?).into_owned(),
        digest: row.get(2)?,
        recorded: Instant::from_unix(row.get(3)?),
        origin: row.get(4)?,
        actor: row.get(5)?,
    })
}

/// The newest licence of an installation.
///
/// # Errors
/// `Store`.
pub fn newest(db: &Connection, installation: i64) -> Outcome<Option<Kept>> {
    let query = format!("SELECT {COLUMNS} WHERE installation = ?1 ORDER BY sequence DESC LIMIT 1");
    Ok(db.prepare_cached(&query)?.query_row([installation], read).optional()?)
}

/// Sequence and digest of the newest licence, without its file.
///
/// # Errors
/// `Store`.
pub fn newest_digest(db: &Connection, installation: i64) -> Outcome<Option<(u64, Digest)>> {
    let query = "SELECT sequence, digest FROM licences WHERE installation = ?1 ORDER BY sequence DESC LIMIT 1";
    Ok(db.prepare_cached(query)?.query_row([installation], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The licence with this sequence.
///
/// # Errors
/// `Store`.
pub fn get(db: &Connection, installation: i64, sequence: u64) -> Outcome<Option<Kept>> {
    let query = format!("SELECT {COLUMNS} WHERE installation = ?1 AND sequence = ?2");
    Ok(db.prepare_cached(&query)?.query_row(params![installation, sequence], read).optional()?)
}

/// The licences of an installation, the newest first.
///
/// # Errors
/// `Store`.
pub fn list(db: &Connection, installation: i64, most: u32) -> Outcome<Vec<Kept>> {
    let query = format!("SELECT {COLUMNS} WHERE installation = ?1 ORDER BY sequence DESC LIMIT ?2");
    let mut found = db.prepare_cached(&query)?;
    let rows = found.query_map(params![installation, most], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a verified licence and tells the installation's agent. Keeping the same one again changes nothing.
///
/// # Errors
/// `Conflict` when another licence with this sequence is kept.
pub fn keep(
    db: &Connection,
    installation: i64,
    file: &[u8],
    origin: Origin,
    by: &Actor,
    now: Instant,
) -> Outcome<Licence> {
    let licence = content(file)?;
    let sequence = licence.sequence.get();
    let name = installations::name(licence.product.as_str(), licence.serial.as_str());
    if let Some(known) = get(db, installation, sequence)? {
        let same = known.licence()? == licence;
        return if same {
            Ok(licence)
        } else {
            Err(Problem::conflict(format!("Another licence of {name} with the sequence {sequence} is kept already.")))
        };
    }
    let insert = "INSERT INTO licences (installation, sequence, file, digest, recorded, origin, actor)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (digest, by_name) = (sha256(file), by.to_string());
    let values = params![installation, sequence, file, digest, now.unix(), origin.token(), by_name];
    db.prepare_cached(insert)?.execute(values)?;
    let update =
        "UPDATE installations SET newest = ?2, issued = ?3, customer = ?4, draft = NULL WHERE id = ?1 AND newest < ?2";
    db.prepare_cached(update)?.execute(params![installation, sequence, now.unix(), licence.customer])?;
    audit::record(db, by, &format!("licence {}", origin.token()), &name, &format!("sequence {sequence}"), now)?;
    events::add(db, What::Licence, For::Installation(installation), now)?;
    Ok(licence)
}

/// What the signer was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub installation: i64,
    pub sequence: u64,
    pub payload: Vec<u8>,
    pub actor: String,
    pub asked: Instant,
}

/// Remembers what the signer is about to be asked.
///
/// # Errors
/// `Conflict` while an issue of this installation is open.
pub fn open(db: &Connection, open: &Open, request: Option<&str>) -> Outcome<()> {
    let insert =
        "INSERT INTO issues (installation, sequence, payload, request, actor, asked) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                  ON CONFLICT DO NOTHING";
    let Open { installation, sequence, payload, actor, asked } = open;
    if db.execute(insert, params![installation, sequence, payload, request, actor, asked.unix()])? == 0 {
        return Err(Problem::conflict("A licence for this installation is being issued right now. Look again."));
    }
    Ok(())
}

/// The open issue of an installation.
///
/// # Errors
/// `Store`.
pub fn opened(db: &Connection, installation: i64) -> Outcome<Option<Open>> {
    Ok(read_open(db, "WHERE installation = ?1", [installation])?.pop())
}

/// Every open issue that was asked before a moment.
///
/// # Errors
/// `Store`.
pub fn all_opened(db: &Connection, before: Instant) -> Outcome<Vec<Open>> {
    read_open(db, "WHERE asked <= ?1 ORDER BY asked", [before.unix()])
}

fn read_open(db: &Connection, condition: &str, value: [i64; 1]) -> Outcome<Vec<Open>> {
    let query = format!("SELECT installation, sequence, payload, actor, asked FROM issues {condition}");
    let mut found = db.prepare_cached(&query)?;
    let rows = found.query_map(value, |row| {
        Ok(Open {
            installation: row.get(0)?,
            sequence: row.get(1)?,
            payload: row.get(2)?,
            actor: row.get(3)?,
            asked: Instant::from_unix(row.get(4)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends the open issue: it was answered, or never asked.
///
/// # Errors
/// `Store`.
pub fn close(db: &Connection, installation: i64) -> Outcome<()> {
    db.prepare_cached("DELETE FROM issues WHERE installation = ?1")?.execute([installation])?;
    Ok(())
}

/// What a request id of a program stands for, if it was used before.
///
/// # Errors
/// `Store`.
pub fn requested(db: &Connection, request: &str) -> Outcome<Option<(Digest, i64, u64)>> {
    let query = "SELECT asked_for, installation, sequence FROM requests WHERE request = ?1";
    let found = db.prepare_cached(query)?.query_row([request], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    Ok(found.optional()?)
}

/// Remembers what a request id stands for.
///
/// # Errors
/// `Store`.
pub fn remember_request(
    db: &Connection,
    request: &str,
    asked_for: &Digest,
    installation: i64,
    sequence: u64,
    now: Instant,
) -> Outcome<()> {
    let insert = "INSERT INTO requests (request, asked_for, installation, sequence, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.execute(insert, params![request, asked_for, installation, sequence, now.unix()])?;
    Ok(())
}

/// A request id stands for nothing: what it asked for was refused.
///
/// # Errors
/// `Store`.
pub fn forget_request(db: &Connection, installation: i64, sequence: u64) -> Outcome<()> {
    db.execute("DELETE FROM requests WHERE installation = ?1 AND sequence = ?2", params![installation, sequence])?;
    Ok(())
}
