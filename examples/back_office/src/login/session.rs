//! Sessions: the cookie is random, and only its hash is stored.

use crate::domain::people::{self, User};
use crate::domain::{Outcome, Problem, random};
use ors::licence::{Instant, hex, sha256};
use rusqlite::{Connection, OptionalExtension, params};

/// Nobody did anything for so long: it has ended.
const IDLE: i64 = 30 * 60;
/// It has ended in any case.
const LONGEST: i64 = 12 * 3600;
/// For the second factor.
const INCOMPLETE: i64 = 10 * 60;
/// Sessions of one user; the oldest ends.
const MOST: i64 = 10;

/// The cookie's name: with TLS one that a browser takes from this very host and over TLS only.
pub fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-office" } else { "office" }
}

/// The `Set-Cookie` that gives it.
pub fn set_cookie(cookie: &str, tls: bool) -> String {
    let secure = if tls { "; Secure" } else { "" };
    format!("{}={cookie}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(tls))
}

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    pub user: User,
    /// What every form has to bring.
    pub csrf: String,
    pub complete: bool,
    pub seen: Instant,
}

impl Session {
    /// Whether a form was made by a page of this session.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn check_form(&self, token: &str) -> Outcome<()> {
        if super::same(token, &self.csrf) {
            return Ok(());
        }
        Err(Problem::invalid_as("The page was too old, or the form was not made by this site. Open the page again."))
    }
}

/// What is stored of a cookie.
pub fn hash(cookie: &str) -> [u8; 32] {
    sha256(format!("session {cookie}").as_bytes())
}

/// A new session. Returns its cookie.
///
/// # Errors
/// `Store`.
pub fn begin(db: &Connection, user: i64, complete: bool, now: Instant) -> Outcome<String> {
    let (cookie, csrf) = (hex(&random::<32>()?), hex(&random::<16>()?));
    let insert = "INSERT INTO sessions (hash, user, csrf, complete, created, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
    db.execute(insert, params![hash(&cookie), user, csrf, complete, now.unix()])?;
    let delete = "DELETE FROM sessions WHERE created < ?1 OR seen < ?2 OR (complete = 0 AND created < ?3)
                  OR (user = ?4 AND hash NOT IN (SELECT hash FROM sessions WHERE user = ?4 ORDER BY created DESC, seen DESC LIMIT ?5))";
    let (longest, idle, incomplete) = (now.unix() - LONGEST, now.unix() - IDLE, now.unix() - INCOMPLETE);
    db.execute(delete, params![longest, idle, incomplete, user, MOST])?;
    Ok(cookie)
}

/// The session of a cookie, if it has not ended and its user may log in.
///
/// # Errors
/// `Store`.
pub fn find(db: &Connection, cookie: &str, now: Instant) -> Outcome<Option<Session>> {
    let query = "SELECT user, csrf, complete, created, seen FROM sessions WHERE hash = ?1";
    let found = db
        .prepare_cached(query)?
        .query_row([hash(cookie)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, bool>(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
        })
        .optional()?;
    let Some((user, csrf, complete, created, seen)) = found else { return Ok(None) };
    let age = now.unix() - created;
    let ended = age >= LONGEST || now.unix() - seen >= IDLE || (!complete && age >= INCOMPLETE);
    let user = people::by_id(db, user)?;
    if ended || user.disabled {
        return Ok(None);
    }
    Ok(Some(Session { user, csrf, complete, seen: Instant::from_unix(seen) }))
}

/// It is used.
///
/// # Errors
/// `Store`.
pub fn touch(db: &Connection, cookie: &str, now: Instant) -> Outcome<()> {
    db.execute("UPDATE sessions SET seen = ?2 WHERE hash = ?1", params![hash(cookie), now.unix()])?;
    Ok(())
}

/// It ends.
///
/// # Errors
/// `Store`.
pub fn end(db: &Connection, cookie: &str) -> Outcome<()> {
    db.execute("DELETE FROM sessions WHERE hash = ?1", [hash(cookie)])?;
    Ok(())
}
