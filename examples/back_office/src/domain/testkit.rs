//! A database in memory and values for this room's tests.

use super::Actor;
use ors::licence::Instant;
use rusqlite::Connection;

/// 2026-11-26T10:00:00Z.
pub const NOW: Instant = Instant::from_unix(1_795_687_200);
pub const BY: Actor = Actor::Office;

pub fn memory() -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    crate::store::apply_migrations(&mut db).unwrap();
    db
}
