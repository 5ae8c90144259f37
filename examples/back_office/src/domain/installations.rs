//! Installations: one product at one customer, named by product and serial number.

use super::{Actor, Outcome, Problem, audit, plain_text};
use ors::licence::{Digest, Instant, Product, Serial};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// An installation as lists and pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub id: i64,
    pub product: String,
    pub serial: String,
    pub customer: String,
    /// ID and name of its organisation.
    pub organisation: Option<(String, String)>,
    pub created: Instant,
    /// The signer knows it. Until then no licence can be issued.
    pub registered: bool,
    /// Sequence of the licence that the agent has in use; 0: none, or never heard of.
    pub installed: u64,
    /// Sequence of a newer one that waits there to be copied.
    pub waiting: u64,
    /// Sequence of the newest licence here; 0: none.
    pub newest: u64,
    /// When that one was recorded.
    pub issued: Option<Instant>,
    pub product_version: String,
    pub agent_version: String,
    /// The last time it was heard of.
    pub last_seen: Option<Instant>,
}

impl Installation {
    /// The installation's name in the audit log: product and serial number.
    pub fn name(&self) -> String {
        name(&self.product, &self.serial)
    }

    /// For how many whole days the newest licence has been issued and not installed.
    pub fn days_late(&self, now: Instant) -> Option<i64> {
        let issued = self.issued.filter(|_| self.installed < self.newest)?;
        Some((now.unix() - issued.unix()).max(0) / 86_400)
    }
}

/// How the audit log names an installation.
pub fn name(product: &str, serial: &str) -> String {
    format!("{product} {serial}")
}

const COLUMNS: &str =
    "i.id, i.product, i.serial, i.customer, o.ident, o.name, i.created, i.registered, i.installed, i.waiting,
    i.newest, i.issued, i.product_version, i.agent_version, i.last_seen";
const FROM: &str = "FROM installations i LEFT JOIN organisations o ON o.id = i.organisation";

fn read(row: &Row<'_>) -> rusqlite::Result<Installation> {
    let ident: Option<String> = row.get(4)?;
    let organisation: Option<String> = row.get(5)?;
    let when = |seconds: Option<i64>| seconds.map(Instant::from_unix);
    Ok(Installation {
        id: row.get(0)?,
        product: row.get(1)?,
        serial: row.get(2)?,
        customer: row.get(3)?,
        organisation: ident.zip(organisation),
        created: Instant::from_unix(row.get(6)?),
        registered: row.get(7)?,
        installed: row.get(8)?,
        waiting: row.get(9)?,
        newest: row.get(10)?,
        issued: when(row.get(11)?),
        product_version: row.get(12)?,
        agent_version: row.get(13)?,
        last_seen: when(row.get(14)?),
    })
}

/// The one with these names.
///
/// # Errors
/// `NotFound`.
pub fn get(db: &Connection, product: &str, serial: &str) -> Outcome<Installation> {
    find(db, product, serial)?.ok_or_else(|| {
        Problem::not_found(format!("There is no installation of {product} with the serial number {serial}."))
    })
}

/// The one with these names, if there is one.
///
/// # Errors
/// `Store`.
pub fn find(db: &Connection, product: &str, serial: &str) -> Outcome<Option<Installation>> {
    let query = format!("SELECT {COLUMNS} {FROM} WHERE i.product = ?1 AND i.serial = ?2");
    Ok(db.prepare_cached(&query)?.query_row([product, serial], read).optional()?)
}

/// Which installations a list shows. Empty members mean "all".
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A part of customer or serial number, whatever the case.
    pub text: Option<String>,
    /// Of the organisation with this ID.
    pub organisation: Option<String>,
    /// Issued at least this many days ago and not installed.
    pub late_days: Option<u32>,
    /// Not known to the signer yet.
    pub unregistered: bool,
}

/// A page of the list, by customer. `after` is the last row of the page before: its customer and id.
///
/// # Errors
/// `Store`.
pub fn list(
    db: &Connection,
    filter: &Filter,
    after: Option<(&str, i64)>,
    most: u32,
    now: Instant,
) -> Outcome<Vec<Installation>> {
    let mut conditions = vec!["1"];
    if filter.text.is_some() {
        conditions.push("(i.customer LIKE ?1 ESCAPE '\\' OR i.serial LIKE ?1 ESCAPE '\\')");
    }
    if filter.organisation.is_some() {
        conditions.push("i.organisation = (SELECT id FROM organisations WHERE ident = ?2)");
    }
    if filter.late_days.is_some() {
        conditions.push("i.installed < i.newest AND i.issued <= ?3");
    }
    if filter.unregistered {
        conditions.push("i.registered = 0");
    }
    if after.is_some() {
        conditions.push("(i.customer COLLATE NOCASE, i.id) > (?4 COLLATE NOCASE, ?5)");
    }
    let conditions = conditions.join(" AND ");
    let query = format!(
        "SELECT {COLUMNS} {FROM} WHERE {conditions} AND ?1 IS ?1 AND ?2 IS ?2 AND ?3 IS ?3 AND ?4 IS ?4 AND ?5 IS ?5
         ORDER BY i.customer COLLATE NOCASE, i.id LIMIT ?6"
    );
    let like = filter.text.as_ref().map(|text| {
        let text = text.trim().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{text}%")
    });
    let late = filter.late_days.map(|days| now.unix() - i64::from(days) * 86_400);
    let (customer, id) = after.unzip();
    let mut found = db.prepare_cached(&query)?;
    let rows = found.query_map(params![like, filter.organisation, late, customer, id, most], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many there are, for metrics: all, not registered, with a licence that is not installed.
///
/// # Errors
/// `Store`.
pub fn counts(db: &Connection) -> Outcome<(u64, u64, u64)> {
    let query =
        "SELECT count(*), coalesce(sum(registered = 0), 0), coalesce(sum(installed < newest), 0) FROM installations";
    Ok(db.prepare_cached(query)?.query_row((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
}

/// A new installation.
pub struct New<'a> {
    pub product: &'a Product,
    pub serial: &'a Serial,
    pub customer: &'a str,
    pub organisation: Option<i64>,
    /// The terms of its first licence, as JSON.
    pub draft: Option<&'a str>,
}

/// Adds one. The signer does not know it yet.
///
/// # Errors
/// `Invalid`, or `Conflict` when it is there already.
pub fn add(db: &Connection, new: &New<'_>, by: &Actor, now: Instant) -> Outcome<i64> {
    let customer = plain_text("customer", new.customer)?;
    let insert = "INSERT INTO installations (product, serial, customer, organisation, draft, created)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let (product, serial) = (new.product.as_str(), new.serial.as_str());
    let added = db.prepare_cached(insert)?.execute(params![
        product,
        serial,
        customer,
        new.organisation,
        new.draft,
        now.unix()
    ])?;
    if added == 0 {
        return Err(Problem::conflict(format!("There is an installation {product} {serial} already.")));
    }
    let id = db.last_insert_rowid();
    audit::record(db, by, "installation added", &name(product, serial), &customer, now)?;
    Ok(id)
}

/// The terms kept for the first licence.
///
/// # Errors
/// `Store`.
pub fn draft(db: &Connection, id: i64) -> Outcome<Option<String>> {
    Ok(db.prepare_cached("SELECT draft FROM installations WHERE id = ?1")?.query_row([id], |row| row.get(0))?)
}

/// The organisation that it belongs to.
///
/// # Errors
/// `Store`.
pub fn organisation_id(db: &Connection, id: i64) -> Outcome<Option<i64>> {
    let query = "SELECT organisation FROM installations WHERE id = ?1";
    Ok(db.prepare_cached(query)?.query_row([id], |row| row.get(0))?)
}

/// The version of the key list that it told last.
///
/// # Errors
/// `Store`.
pub fn keys_version(db: &Connection, id: i64) -> Outcome<u64> {
    let query = "SELECT keys_version FROM installations WHERE id = ?1";
    Ok(db.prepare_cached(query)?.query_row([id], |row| row.get(0))?)
}

/// Puts it under an organisation.
///
/// # Errors
/// `Store`.
pub fn set_organisation(db: &Connection, id: i64, organisation: i64) -> Outcome<()> {
    db.execute("UPDATE installations SET organisation = ?2 WHERE id = ?1", params![id, organisation])?;
    Ok(())
}

/// Remembers that the signer knows it (or does not).
///
/// # Errors
/// `Store`.
pub fn set_registered(db: &Connection, id: i64, registered: bool) -> Outcome<()> {
    db.prepare_cached("UPDATE installations SET registered = ?2 WHERE id = ?1")?.execute(params![id, registered])?;
    Ok(())
}

/// Product and serial number of those that the signer does not know, as far as this program was told.
///
/// # Errors
/// `Store`.
pub fn unregistered(db: &Connection) -> Outcome<Vec<(i64, String, String)>> {
    let mut found =
        db.prepare_cached("SELECT id, product, serial FROM installations WHERE registered = 0 ORDER BY id")?;
    let rows = found.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What an agent says about its installation.
pub struct Told<'a> {
    pub installed: u64,
    pub waiting: u64,
    pub digest: Option<&'a Digest>,
    pub keys_version: u64,
    pub product_version: &'a str,
    pub agent_version: &'a str,
}

/// Whether an agent says something else than is remembered.
///
/// # Errors
/// `Store`.
pub fn is_news(db: &Connection, id: i64, told: &Told<'_>) -> Outcome<bool> {
    let same = "SELECT 1 FROM installations WHERE id = ?1 AND installed = ?2 AND waiting = ?3 AND digest IS ?4
                AND keys_version = ?5 AND product_version = ?6 AND agent_version = ?7";
    let known = db.prepare_cached(same)?.exists(params![
        id,
        told.installed,
        told.waiting,
        told.digest.map(<[u8; 32]>::as_slice),
        told.keys_version,
        told.product_version,
        told.agent_version
    ])?;
    Ok(!known)
}

/// Remembers it.
///
/// # Errors
/// `Store`.
pub fn told(db: &Connection, id: i64, told: &Told<'_>, now: Instant) -> Outcome<()> {
    let update =
        "UPDATE installations SET installed = ?2, waiting = ?3, digest = ?4, keys_version = ?5, product_version = ?6,
                  agent_version = ?7, last_seen = ?8 WHERE id = ?1";
    db.prepare_cached(update)?.execute(params![
        id,
        told.installed,
        told.waiting,
        told.digest.map(<[u8; 32]>::as_slice),
        told.keys_version,
        told.product_version,
        told.agent_version,
        now.unix()
    ])?;
    Ok(())
}

/// Remembers when they were heard of last; never goes back.
///
/// # Errors
/// `Store`.
pub fn seen(db: &Connection, heard: &[(i64, Instant)]) -> Outcome<()> {
    let mut update = db.prepare_cached(
        "UPDATE installations SET last_seen = ?2 WHERE id = ?1 AND (last_seen IS NULL OR last_seen < ?2)",
    )?;
    for (id, at) in heard {
        update.execute(params![id, at.unix()])?;
    }
    Ok(())
}
