//! Tokens of programs that use the API. The token is shown once; what is stored is its hash.

use super::{Actor, Outcome, Problem, audit, plain_text, random};
use ors::licence::{Instant, hex, sha256};
use rusqlite::{Connection, OptionalExtension, params};

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read installations, licences, organisations.
    Read,
    /// Add installations, issue and adopt licences.
    Issue,
    /// Import installations.
    Import,
    /// Read the metrics from another machine.
    Metrics,
}

impl Scope {
    pub const ALL: [(Scope, &'static str); 4] =
        [(Scope::Read, "read"), (Scope::Issue, "issue"), (Scope::Import, "import"), (Scope::Metrics, "metrics")];

    pub fn token(self) -> &'static str {
        Scope::ALL.iter().find(|(scope, _)| *scope == self).map_or("", |(_, token)| token)
    }

    /// The scope of a word.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn parse(word: &str) -> Outcome<Scope> {
        let known = Scope::ALL.iter().find(|(_, token)| *token == word).map(|(scope, _)| *scope);
        known.ok_or_else(|| Problem::invalid("scope", "is none of read, issue, import, metrics"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: i64,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created: Instant,
    pub until: Option<Instant>,
    pub used: Option<Instant>,
    pub revoked: Option<Instant>,
}

const PREFIX: &str = "orsbo_";

/// Makes a token; it can never be shown again.
///
/// # Errors
/// `Invalid`; `Conflict` when the name is taken.
pub fn add(
    db: &Connection,
    name: &str,
    scopes: &[Scope],
    until: Option<Instant>,
    by: &Actor,
    now: Instant,
) -> Outcome<String> {
    let name = plain_text("name", name)?;
    if scopes.is_empty() {
        return Err(Problem::invalid("scopes", "is empty"));
    }
    let token = format!("{PREFIX}{}", hex(&random::<32>()?));
    let words: Vec<&str> =
        Scope::ALL.iter().filter(|(scope, _)| scopes.contains(scope)).map(|(_, word)| *word).collect();
    let insert =
        "INSERT INTO tokens (name, hash, scopes, created, until) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let values = params![name, sha256(token.as_bytes()), words.join(" "), now.unix(), until.map(Instant::unix)];
    if db.execute(insert, values)? == 0 {
        return Err(Problem::conflict(format!("There is a token named {name} already.")));
    }
    audit::record(db, by, "token made", &name, &words.join(" "), now)?;
    Ok(token)
}

/// All tokens.
///
/// # Errors
/// `Store`.
pub fn list(db: &Connection) -> Outcome<Vec<Token>> {
    let mut found =
        db.prepare_cached("SELECT id, name, scopes, created, until, used, revoked FROM tokens ORDER BY name")?;
    let rows = found.query_map((), |row| {
        let when = |index| row.get::<_, Option<i64>>(index).map(|seconds| seconds.map(Instant::from_unix));
        let scopes: String = row.get(2)?;
        Ok(Token {
            id: row.get(0)?,
            name: row.get(1)?,
            scopes: scopes.split(' ').filter_map(|word| Scope::parse(word).ok()).collect(),
            created: Instant::from_unix(row.get(3)?),
            until: when(4)?,
            used: when(5)?,
            revoked: when(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends a token.
///
/// # Errors
/// `NotFound`.
pub fn revoke(db: &Connection, name: &str, by: &Actor, now: Instant) -> Outcome<()> {
    let update = "UPDATE tokens SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL";
    if db.execute(update, params![name, now.unix()])? == 0 {
        return Err(Problem::not_found(format!("There is no valid token named {name}.")));
    }
    audit::record(db, by, "token revoked", name, "", now)
}

/// A valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub actor: Actor,
    pub scopes: Vec<Scope>,
    /// It is an hour and more since somebody wrote down that it was used.
    pub stale: bool,
}

const HOUR: i64 = 3600;

/// Whose token this is and what it may do, if it is valid.
///
/// # Errors
/// `Store`.
pub fn named_by(db: &Connection, token: &str, now: Instant) -> Outcome<Option<Named>> {
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let query = "SELECT name, scopes, used IS NULL OR used <= ?2 - ?3 FROM tokens
                 WHERE hash = ?1 AND revoked IS NULL AND (until IS NULL OR until > ?2)";
    let found = db.prepare_cached(query)?.query_row(params![sha256(token.as_bytes()), now.unix(), HOUR], |row| {
        let scopes: String = row.get(1)?;
        Ok(Named {
            actor: Actor::Token(row.get(0)?),
            scopes: scopes.split(' ').filter_map(|word| Scope::parse(word).ok()).collect(),
            stale: row.get(2)?,
        })
    });
    Ok(found.optional()?)
}

/// Writes down that a token was used.
///
/// # Errors
/// `Store`.
pub fn used(db: &Connection, token: &str, now: Instant) -> Outcome<()> {
    db.execute("UPDATE tokens SET used = ?2 WHERE hash = ?1", params![sha256(token.as_bytes()), now.unix()])?;
    Ok(())
}
