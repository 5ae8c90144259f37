//! Logging in: a password, then a second factor, then a session with a cookie and a token against forged forms.
//!
//! Pages ask [`Logins`]; nothing in here knows about HTML. A session that waits for its second factor opens nothing.
//!
//! * `password`: argon2id; * `totp`: one-time codes and recovery codes; * `secrets`: how second factors lie in the database;
//! * `session`: cookies.

pub mod password;
pub mod secrets;
pub mod session;
pub mod totp;

use crate::domain::people::{self, User};
use crate::domain::{Actor, Outcome, Problem, audit};
use crate::store::Store;
use crate::throttle::{By, Throttle};
use ors::licence::{Instant, sha256};
use rusqlite::{Connection, OptionalExtension, params};
use secrets::Secrets;
use session::Session;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Passwords that are judged at a time: each takes 19 MiB and some 20 ms of a processor.
const AT_A_TIME: usize = 2;
/// Logins that may wait for that; more are turned away at once.
const WAITING: usize = 64;

const WRONG: &str = "The name or the password is not right.";
const WRONG_CODE: &str = "The code is not right.";

/// What comes after the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A code of the second factor that is set up.
    Code,
    /// Nobody logs in without a second factor: it has to be set up first.
    SetUp,
}

/// Everything about logging in.
pub struct Logins {
    store: Arc<Store>,
    secrets: Secrets,
    throttle: Throttle,
    places: Semaphore,
    waiting: AtomicUsize,
}

impl Logins {
    pub fn new(store: Arc<Store>, secrets: Secrets) -> Logins {
        let (throttle, waiting) = (Throttle::default(), AtomicUsize::new(0));
        Logins { store, secrets, throttle, places: Semaphore::new(AT_A_TIME), waiting }
    }

    /// A place to judge a password in. Take one before [`Logins::password`]; a thousand logins at once must not take all memory.
    ///
    /// # Errors
    /// `Limit` when too many wait already.
    pub async fn place(&self) -> Outcome<SemaphorePermit<'_>> {
        let busy = || Problem::limit("Too many people log in at this moment. Try again.");
        if self.waiting.fetch_add(1, SeqCst) >= WAITING {
            self.waiting.fetch_sub(1, SeqCst);
            return Err(busy());
        }
        let place = self.places.acquire().await;
        self.waiting.fetch_sub(1, SeqCst);
        place.map_err(|_| busy())
    }

    /// The first step. The cookie is that of a session which opens nothing yet.
    ///
    /// # Errors
    /// `Invalid`, in the same words and after the same time whether there is such a user or not; `Limit`.
    pub fn password(&self, name: &str, password: &str, from: IpAddr, now: Instant) -> Outcome<(String, Step)> {
        let by = [By::address(from), By::Name(format!("login {}", name.trim().to_lowercase()))];
        self.open(&by, now)?;
        let found = self.store.read(|db| credentials(db, name))?;
        let hash = found.as_ref().map_or(password::NOBODY, |(_, hash)| hash);
        let right = password::verify(password, hash);
        let Some((user, _)) = found.filter(|(user, _)| right && !user.disabled) else {
            self.throttle.wrong(&by, now);
            return Err(Problem::invalid_as(WRONG));
        };
        let cookie = self.store.write(|db| session::begin(db, user.id, false, now))?;
        Ok((cookie, if user.second_factor { Step::Code } else { Step::SetUp }))
    }

    /// The second step: a code of the second factor, or a recovery code; each once. The cookie is a new one.
    ///
    /// # Errors
    /// `Invalid`, `Limit`; `NotFound` without a session that waits for it.
    pub fn code(&self, cookie: &str, code: &str, from: IpAddr, now: Instant) -> Outcome<String> {
        let session = self.waiting_session(cookie, now)?;
        let by = [By::address(from), By::Name(format!("code {}", session.user.id))];
        self.open(&by, now)?;
        let used = self.store.write(|db| self.use_code(db, session.user.id, code, now))?;
        if !used {
            self.throttle.wrong(&by, now);
            return Err(Problem::invalid_as(WRONG_CODE));
        }
        self.complete(cookie, &session.user, now)
    }

    /// Begins to set up a second factor: what a page shows as text and as a QR code. Asked again, it is the same.
    ///
    /// # Errors
    /// `NotFound` without a session that waits for it; `Conflict` when there is one.
    pub fn set_up(&self, cookie: &str, now: Instant) -> Outcome<totp::Shown> {
        let session = self.waiting_session(cookie, now)?;
        if session.user.second_factor {
            return Err(Problem::conflict("A second factor is set up already."));
        }
        let secret = self.store.write(|db| {
            let begun: Option<Vec<u8>> =
                db.query_one("SELECT totp FROM sessions WHERE hash = ?1", [session::hash(cookie)], |row| row.get(0))?;
            if let Some(sealed) = begun {
                return self.secrets.open(session.user.id, &sealed);
            }
            let secret = totp::new_secret()?;
            let sealed = self.secrets.seal(session.user.id, &secret)?;
            db.execute("UPDATE sessions SET totp = ?2 WHERE hash = ?1", params![session::hash(cookie), sealed])?;
            Ok(secret)
        })?;
        Ok(totp::Shown::new(&secret, &session.user.name))
    }

    /// Ends the set-up with the first code. Returns the new cookie and the recovery codes, which are shown once.
    ///
    /// # Errors
    /// `Invalid`, `Limit`; `NotFound`, `Conflict` when nothing was begun.
    pub fn confirm(&self, cookie: &str, code: &str, from: IpAddr, now: Instant) -> Outcome<(String, Vec<String>)> {
        let session = self.waiting_session(cookie, now)?;
        let by = [By::address(from), By::Name(format!("code {}", session.user.id))];
        self.open(&by, now)?;
        let user = &session.user;
        let done = self.store.write(|db| {
            let query = "SELECT totp FROM sessions WHERE hash = ?1";
            let sealed: Option<Vec<u8>> = db.query_one(query, [session::hash(cookie)], |row| row.get(0))?;
            let sealed = sealed.ok_or_else(|| Problem::conflict("No second factor is being set up."))?;
            let secret = self.secrets.open(user.id, &sealed)?;
            let Some(step) = totp::step_of(&secret, code, 0, now) else { return Ok(None) };
            db.execute("UPDATE users SET totp = ?2, totp_step = ?3 WHERE id = ?1", params![user.id, sealed, step])?;
            audit::record(db, &Actor::User(user.name.clone()), "second factor set up", &user.name, "", now)?;
            Ok::<_, Problem>(Some(totp::new_recovery_codes(db, user.id)?))
        })?;
        let Some(recovery) = done else {
            self.throttle.wrong(&by, now);
            return Err(Problem::invalid_as(WRONG_CODE));
        };
        Ok((self.complete(cookie, user, now)?, recovery))
    }

    /// Whose session this is, if it is a complete one; using it keeps it alive.
    ///
    /// # Errors
    /// `Store`.
    pub fn session(&self, cookie: &str, now: Instant) -> Outcome<Option<Session>> {
        let found = self.store.read(|db| session::find(db, cookie, now))?.filter(|session| session.complete);
        if let Some(session) = &found
            && now.unix() - session.seen.unix() >= 60
        {
            self.store.write(|db| session::touch(db, cookie, now))?;
        }
        Ok(found)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `Store`.
    pub fn log_out(&self, cookie: &str) -> Outcome<()> {
        self.store.write(|db| session::end(db, cookie))
    }

    fn waiting_session(&self, cookie: &str, now: Instant) -> Outcome<Session> {
        let found = self.store.read(|db| session::find(db, cookie, now))?.filter(|session| !session.complete);
        found.ok_or_else(|| Problem::not_found("Log in with name and password first."))
    }

    /// Another cookie than before: whoever planted the one before has nothing.
    fn complete(&self, cookie: &str, user: &User, now: Instant) -> Outcome<String> {
        self.store.write(|db| {
            session::end(db, cookie)?;
            audit::record(db, &Actor::User(user.name.clone()), "logged in", &user.name, "", now)?;
            session::begin(db, user.id, true, now)
        })
    }

    fn open(&self, by: &[By], now: Instant) -> Outcome<()> {
        match self.throttle.closed(by, now) {
            Some(seconds) => {
                Err(Problem::limit(format!("Too many wrong tries. Try again in {} minutes.", seconds / 60 + 1)))
            }
            None => Ok(()),
        }
    }

    fn use_code(&self, db: &Connection, user: i64, code: &str, now: Instant) -> Outcome<bool> {
        let query = "SELECT totp, totp_step FROM users WHERE id = ?1";
        let found: (Option<Vec<u8>>, i64) = db.query_one(query, [user], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some(sealed) = found.0 else { return Ok(false) };
        let secret = self.secrets.open(user, &sealed)?;
        if let Some(step) = totp::step_of(&secret, code, found.1, now) {
            db.execute("UPDATE users SET totp_step = ?2 WHERE id = ?1", params![user, step])?;
            return Ok(true);
        }
        totp::use_recovery_code(db, user, code, now)
    }
}

/// A user and the hash of the password.
fn credentials(db: &Connection, name: &str) -> Outcome<Option<(User, String)>> {
    let found = db
        .prepare_cached("SELECT id, password FROM users WHERE name = ?1")?
        .query_row([name.trim()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(id, hash)| Ok((people::by_id(db, id)?, hash))).transpose()
}

/// Gives somebody another password. Sessions end.
///
/// # Errors
/// `NotFound`, `Invalid`.
pub fn set_password(db: &Connection, name: &str, password: &str, by: &Actor, now: Instant) -> Outcome<()> {
    let user = people::by_name(db, name)?;
    db.execute("UPDATE users SET password = ?2 WHERE id = ?1", params![user.id, password::hash(password)?])?;
    db.execute("DELETE FROM sessions WHERE user = ?1", [user.id])?;
    audit::record(db, by, "password changed", &user.name, "", now)
}

/// Takes a second factor away, so that it is set up anew at the next login: the telephone is lost, and the recovery codes too.
///
/// # Errors
/// `NotFound`.
pub fn reset_second_factor(db: &Connection, name: &str, by: &Actor, now: Instant) -> Outcome<()> {
    let user = people::by_name(db, name)?;
    db.execute("UPDATE users SET totp = NULL, totp_step = 0 WHERE id = ?1", [user.id])?;
    db.execute("DELETE FROM recovery_codes WHERE user = ?1", [user.id])?;
    db.execute("DELETE FROM sessions WHERE user = ?1", [user.id])?;
    audit::record(db, by, "second factor reset", &user.name, "", now)
}

/// Sets a second factor up for somebody who cannot do it on a page: the first administrator, a demonstration.
///
/// # Errors
/// `NotFound`, `Store`.
pub fn give_second_factor(
    db: &Connection,
    secrets: &Secrets,
    name: &str,
    by: &Actor,
    now: Instant,
) -> Outcome<(totp::Shown, Vec<String>)> {
    let user = people::by_name(db, name)?;
    let secret = totp::new_secret()?;
    let sealed = secrets.seal(user.id, &secret)?;
    db.execute("UPDATE users SET totp = ?2, totp_step = 0 WHERE id = ?1", params![user.id, sealed])?;
    audit::record(db, by, "second factor given", &user.name, "", now)?;
    Ok((totp::Shown::new(&secret, &user.name), totp::new_recovery_codes(db, user.id)?))
}

/// Whether a secret that was sent is the one that is known; only their hashes are compared.
pub(crate) fn same(sent: &str, known: &str) -> bool {
    sha256(sent.as_bytes()) == sha256(known.as_bytes())
}

#[cfg(test)]
mod tests;
