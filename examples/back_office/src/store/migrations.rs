//! How the tables came to be, step by step. A step that was published is never changed; the next change is the next step.

use super::StoreError;
use rusqlite::{Connection, TransactionBehavior};

const STEPS: &[(&str, &str)] = &[("the first tables", include_str!("001_first.sql"))];

/// Takes the steps that this database has not seen, each with its record or not at all.
pub fn apply(connection: &mut Connection) -> Result<(), StoreError> {
    let known = number(STEPS.len());
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL) STRICT",
    )?;
    let found: u32 = transaction.query_one("SELECT coalesce(max(number), 0) FROM migrations", (), |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (step, (name, sql)) in (1..).zip(STEPS).filter(|(step, _)| *step > found) {
        transaction.execute_batch(sql)?;
        let insert = "INSERT INTO migrations (number, name, applied) VALUES (?1, ?2, unixepoch())";
        transaction.execute(insert, (step, name))?;
    }
    transaction.commit()?;
    Ok(())
}

fn number(steps: usize) -> u32 {
    u32::try_from(steps).unwrap_or(u32::MAX)
}
