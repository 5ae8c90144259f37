//! Users of the back office and what their roles let them do. How they log in is [`crate::login`]'s.

use super::{Actor, Outcome, Problem, audit, plain_text};
use ors::licence::Instant;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// What somebody works as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Organisations, codes, users, enrolments, keys, tokens.
    Administrator,
    /// Installations and licences.
    LicenceDesk,
    /// Assistance for the installations of one organisation.
    HelpDesk,
}

impl Role {
    pub const ALL: [(Role, &'static str); 3] =
        [(Role::Administrator, "administrator"), (Role::LicenceDesk, "licence-desk"), (Role::HelpDesk, "help-desk")];

    pub fn token(self) -> &'static str {
        Role::ALL.iter().find(|(role, _)| *role == self).map_or("", |(_, token)| token)
    }

    /// The role of a word.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn parse(word: &str) -> Outcome<Role> {
        let known = Role::ALL.iter().find(|(_, token)| *token == word).map(|(role, _)| *role);
        known.ok_or_else(|| Problem::invalid("role", "is none of administrator, licence-desk, help-desk"))
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub display: String,
    pub roles: Vec<Role>,
    /// The organisation that a help-desk employee belongs to.
    pub organisation: Option<i64>,
    /// A second factor is set up.
    pub second_factor: bool,
    pub disabled: bool,
}

impl User {
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

const COLUMNS: &str = "id, name, display, roles, organisation, totp IS NOT NULL, disabled FROM users";

fn read(row: &Row<'_>) -> rusqlite::Result<User> {
    let roles: String = row.get(3)?;
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        display: row.get(2)?,
        roles: roles.split(' ').filter_map(|word| Role::parse(word).ok()).collect(),
        organisation: row.get(4)?,
        second_factor: row.get(5)?,
        disabled: row.get(6)?,
    })
}

/// A new user.
pub struct New<'a> {
    pub name: &'a str,
    pub display: &'a str,
    pub roles: &'a [Role],
    pub organisation: Option<i64>,
    /// As [`crate::login::password::hash`] makes it.
    pub password_hash: &'a str,
}

/// Adds a user.
///
/// # Errors
/// `Invalid`; `Conflict` when the name is taken.
pub fn add(db: &Connection, new: &New<'_>, by: &Actor, now: Instant) -> Outcome<i64> {
    let name = new.name.trim();
    if !((1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@-".contains(&b))) {
        return Err(Problem::invalid("name", "is not 1 to 64 of A-Z a-z 0-9 . _ @ -"));
    }
    let display = plain_text("display", new.display)?;
    let roles = words(new.roles, new.organisation)?;
    let insert =
        "INSERT INTO users (name, display, password, roles, organisation, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                  ON CONFLICT DO NOTHING";
    let values = params![name, display, new.password_hash, roles, new.organisation, now.unix()];
    if db.execute(insert, values)? == 0 {
        return Err(Problem::conflict(format!("There is a user named {name} already.")));
    }
    let id = db.last_insert_rowid();
    audit::record(db, by, "user added", name, &roles, now)?;
    Ok(id)
}

fn words(roles: &[Role], organisation: Option<i64>) -> Outcome<String> {
    if roles.is_empty() {
        return Err(Problem::invalid("roles", "is empty"));
    }
    if roles.contains(&Role::HelpDesk) && organisation.is_none() {
        return Err(Problem::invalid("organisation", "is missing: a help-desk employee belongs to one"));
    }
    let words = Role::ALL.iter().filter(|(role, _)| roles.contains(role)).map(|(_, word)| *word);
    Ok(words.collect::<Vec<_>>().join(" "))
}

/// All users.
///
/// # Errors
/// `Store`.
pub fn list(db: &Connection) -> Outcome<Vec<User>> {
    let mut found = db.prepare_cached(&format!("SELECT {COLUMNS} ORDER BY name"))?;
    let rows = found.query_map((), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The user with this name.
///
/// # Errors
/// `NotFound`.
pub fn by_name(db: &Connection, name: &str) -> Outcome<User> {
    let found = db.prepare_cached(&format!("SELECT {COLUMNS} WHERE name = ?1"))?.query_row([name.trim()], read);
    found.optional()?.ok_or_else(|| Problem::not_found(format!("There is no user named {name}.")))
}

/// The user with this id.
///
/// # Errors
/// `NotFound`.
pub fn by_id(db: &Connection, id: i64) -> Outcome<User> {
    let found = db.prepare_cached(&format!("SELECT {COLUMNS} WHERE id = ?1"))?.query_row([id], read);
    found.optional()?.ok_or_else(|| Problem::not_found("There is no such user."))
}

/// Changes what somebody may do. Their sessions end: the next one has the new roles.
///
/// # Errors
/// `NotFound`, `Invalid`; `Conflict` when nobody could administrate any more.
pub fn set_roles(
    db: &Connection,
    name: &str,
    roles: &[Role],
    organisation: Option<i64>,
    by: &Actor,
    now: Instant,
) -> Outcome<()> {
    let user = by_name(db, name)?;
    let written = words(roles, organisation)?;
    if !roles.contains(&Role::Administrator) {
        another_administrator(db, &user)?;
    }
    db.execute(
        "UPDATE users SET roles = ?2, organisation = ?3 WHERE id = ?1",
        params![user.id, written, organisation],
    )?;
    end_sessions(db, user.id)?;
    audit::record(db, by, "roles changed", &user.name, &written, now)
}

/// Lets somebody in no more, or again.
///
/// # Errors
/// `NotFound`; `Conflict` when nobody could administrate any more.
pub fn set_disabled(db: &Connection, name: &str, disabled: bool, by: &Actor, now: Instant) -> Outcome<()> {
    let user = by_name(db, name)?;
    if disabled {
        another_administrator(db, &user)?;
        end_sessions(db, user.id)?;
    }
    db.execute("UPDATE users SET disabled = ?2 WHERE id = ?1", params![user.id, disabled])?;
    audit::record(db, by, if disabled { "user disabled" } else { "user enabled" }, &user.name, "", now)
}

fn another_administrator(db: &Connection, user: &User) -> Outcome<()> {
    let others = list(db)?.iter().any(|it| it.id != user.id && !it.disabled && it.is(Role::Administrator));
    if user.is(Role::Administrator) && !user.disabled && !others {
        return Err(Problem::conflict(format!("{} is the only administrator.", user.name)));
    }
    Ok(())
}

fn end_sessions(db: &Connection, user: i64) -> Outcome<()> {
    db.execute("DELETE FROM sessions WHERE user = ?1", [user])?;
    Ok(())
}
