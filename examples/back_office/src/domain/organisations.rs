//! Service organisations, and the verification codes by which customers name them.
//!
//! A code is made here, shown once and stored as a hash. It has 80 random bits, so a plain hash cannot be searched. Two may
//! be valid at a time: the old one goes on working until all customers have the new one.

use super::{Actor, Outcome, Problem, audit, plain_text, random};
use ors::licence::{Instant, sha256};
use rusqlite::{Connection, OptionalExtension, params};

/// 32 letters that cannot be taken for one another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const VALID_AT_A_TIME: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    pub id: i64,
    /// What customers type as "ID".
    pub ident: String,
    pub name: String,
    /// When each valid code was made, the oldest first.
    pub codes: Vec<Instant>,
}

/// Makes one.
///
/// # Errors
/// `Invalid`, or `Conflict` when the ID is taken.
pub fn add(db: &Connection, ident: &str, name: &str, by: &Actor, now: Instant) -> Outcome<i64> {
    let ident = ident.trim();
    let fits =
        (1..=64).contains(&ident.len()) && ident.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !fits {
        return Err(Problem::invalid("id", "is not 1 to 64 of A-Z a-z 0-9 . _ -"));
    }
    let name = plain_text("name", name)?;
    let insert = "INSERT INTO organisations (ident, name, created) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    if db.execute(insert, params![ident, name, now.unix()])? == 0 {
        return Err(Problem::conflict(format!("There is an organisation with the ID {ident} already.")));
    }
    let id = db.last_insert_rowid();
    audit::record(db, by, "organisation added", ident, &name, now)?;
    Ok(id)
}

/// All of them, by name.
///
/// # Errors
/// `Store`.
pub fn list(db: &Connection) -> Outcome<Vec<Organisation>> {
    let mut found = db.prepare_cached("SELECT id, ident, name FROM organisations ORDER BY name COLLATE NOCASE, id")?;
    let rows = found.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.map(|row| {
        let (id, ident, name) = row?;
        Ok(Organisation { id, ident, name, codes: codes(db, id)? })
    })
    .collect()
}

/// The one with this ID.
///
/// # Errors
/// `NotFound`.
pub fn by_ident(db: &Connection, ident: &str) -> Outcome<Organisation> {
    let found = db
        .prepare_cached("SELECT id, ident, name FROM organisations WHERE ident = ?1")?
        .query_row([ident], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, ident, name)) = found else {
        return Err(Problem::not_found(format!("There is no organisation with the ID {ident}.")));
    };
    Ok(Organisation { id, ident, name, codes: codes(db, id)? })
}

fn codes(db: &Connection, organisation: i64) -> Outcome<Vec<Instant>> {
    let mut found =
        db.prepare_cached("SELECT created FROM codes WHERE organisation = ?1 AND ended IS NULL ORDER BY id")?;
    let rows = found.query_map([organisation], |row| Ok(Instant::from_unix(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes a new code and returns it; it can never be shown again. Of two older ones the oldest ends.
///
/// # Errors
/// `NotFound`, `Store`.
pub fn new_code(db: &Connection, ident: &str, by: &Actor, now: Instant) -> Outcome<String> {
    let organisation = by_ident(db, ident)?;
    let code = spell(random()?);
    let insert = "INSERT INTO codes (organisation, hash, created) VALUES (?1, ?2, ?3)";
    db.execute(insert, params![organisation.id, hash(organisation.id, &code), now.unix()])?;
    end_all_but(db, organisation.id, VALID_AT_A_TIME, now)?;
    audit::record(db, by, "code made", ident, "", now)?;
    Ok(code)
}

/// Ends every code but the newest.
///
/// # Errors
/// `NotFound`, `Store`.
pub fn end_old_codes(db: &Connection, ident: &str, by: &Actor, now: Instant) -> Outcome<usize> {
    let organisation = by_ident(db, ident)?;
    let ended = end_all_but(db, organisation.id, 1, now)?;
    audit::record(db, by, "old codes ended", ident, &ended.to_string(), now)?;
    Ok(ended)
}

fn end_all_but(db: &Connection, organisation: i64, kept: usize, now: Instant) -> Outcome<usize> {
    let update = "UPDATE codes SET ended = ?2 WHERE organisation = ?1 AND ended IS NULL AND id NOT IN
                  (SELECT id FROM codes WHERE organisation = ?1 AND ended IS NULL ORDER BY id DESC LIMIT ?3)";
    Ok(db.execute(update, params![organisation, now.unix(), i64::try_from(kept).unwrap_or(i64::MAX)])?)
}

/// The organisation that an ID and a code name together, if they do.
///
/// # Errors
/// `Store`.
pub fn named_by(db: &Connection, ident: &str, code: &str) -> Outcome<Option<(i64, String)>> {
    let found = db
        .prepare_cached("SELECT id, name FROM organisations WHERE ident = ?1")?
        .query_row([ident.trim()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((id, name)) = found else { return Ok(None) };
    let valid = db
        .prepare_cached("SELECT 1 FROM codes WHERE organisation = ?1 AND ended IS NULL AND hash = ?2")?
        .exists(params![id, hash(id, code)])?;
    Ok(valid.then_some((id, name)))
}

/// `7KQ2-M9XD-4TNB-W8FP`.
fn spell(bytes: [u8; 10]) -> String {
    let bits = bytes.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut code = String::with_capacity(19);
    for place in 0..16u32 {
        if place > 0 && place % 4 == 0 {
            code.push('-');
        }
        let index = usize::try_from(bits >> (75 - 5 * place) & 31).unwrap_or_default();
        code.push(LETTERS.get(index).map_or('0', |letter| char::from(*letter)));
    }
    code
}

/// As people type it: with or without hyphens, in any case, with O for 0 and I or L for 1.
fn hash(organisation: i64, code: &str) -> [u8; 32] {
    let letters = code.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    sha256(format!("verification code {organisation} {}", letters.collect::<String>()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testkit::{BY, NOW, memory};

    #[test]
    fn a_code_is_found_as_people_type_it_and_only_for_its_own_organisation() {
        let db = memory();
        add(&db, "4711", "Prints & Co", &BY, NOW).unwrap();
        add(&db, "4712", "Other", &BY, NOW).unwrap();
        let code = new_code(&db, "4711", &BY, NOW).unwrap();
        assert_eq!(code.len(), 19);
        for typed in [code.clone(), code.to_lowercase(), code.replace('-', ""), format!(" {code} ").replace('-', " ")] {
            assert_eq!(named_by(&db, " 4711", &typed).unwrap().unwrap().1, "Prints & Co", "{typed}");
        }
        for (ident, typed) in
            [("4712", code.as_str()), ("4711", ""), ("4711", &code[1..]), ("", &code), ("' OR 1=1 --", &code)]
        {
            assert_eq!(named_by(&db, ident, typed).unwrap(), None, "{ident} {typed}");
        }
    }

    #[test]
    fn two_codes_are_valid_during_a_change_and_never_three() {
        let db = memory();
        add(&db, "4711", "Prints", &BY, NOW).unwrap();
        let codes: Vec<String> = (0..3).map(|_| new_code(&db, "4711", &BY, NOW).unwrap()).collect();
        let valid = |code: &String| named_by(&db, "4711", code).unwrap().is_some();
        assert_eq!(codes.iter().map(valid).collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(end_old_codes(&db, "4711", &BY, NOW).unwrap(), 1);
        assert_eq!(codes.iter().map(valid).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn the_code_itself_is_stored_nowhere() {
        let db = memory();
        add(&db, "4711", "Prints", &BY, NOW).unwrap();
        let code = new_code(&db, "4711", &BY, NOW).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("copy.db");
        db.execute("VACUUM INTO ?1", [file.to_str()]).unwrap();
        let pages = std::fs::read(file).unwrap();
        assert!(pages.windows(6).any(|at| at == b"Prints"));
        for spelling in [code.clone(), code.replace('-', "")] {
            assert!(!pages.windows(spelling.len()).any(|at| at == spelling.as_bytes()));
        }
    }
}
