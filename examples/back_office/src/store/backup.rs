//! Copies of the database: taken while the server runs, and put back while it does not.

use super::{Store, StoreError, connect};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pages copied before other work gets its turn.
const PAGES: i32 = 256;

/// Copies the database into a new file, whole and checked, while others go on writing.
///
/// # Errors
/// [`StoreError`]; no file of that name is left then.
pub fn backup(database: &Path, to: &Path) -> Result<(), StoreError> {
    if to.symlink_metadata().is_ok() {
        return Err(file("make", to)(io::ErrorKind::AlreadyExists.into()));
    }
    let part = beside(to, "part");
    let copied = copy(database, &part).and_then(|()| {
        let end = std::fs::hard_link(&part, to).and_then(|()| sync_folder(to));
        end.map_err(file("make", to))
    });
    let _ = std::fs::remove_file(&part);
    copied
}

/// Puts a backup in the place of the database, which is kept beside it under another name. Returns that name.
///
/// Nobody may have the database open: the caller holds the lock of the data folder.
///
/// # Errors
/// [`StoreError`]; the database is as it was then.
pub fn restore(from: &Path, database: &Path, now: i64) -> Result<Option<PathBuf>, StoreError> {
    let part = beside(database, "restored");
    copy(from, &part)?;
    // Its tables are brought up to date, or refused, before anything is replaced.
    Store::open(&part)?.settle();
    let aside = beside(database, &format!("before-{now}"));
    let replaced = database.exists();
    if replaced {
        // The log belongs to the old file: it is moved into it, or it would be applied to the new one.
        connect(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        std::fs::hard_link(database, &aside).map_err(file("make", &aside))?;
    }
    for log in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(suffixed(database, log));
        let _ = std::fs::remove_file(suffixed(&part, log));
    }
    std::fs::rename(&part, database).and_then(|()| sync_folder(database)).map_err(file("replace", database))?;
    Ok(replaced.then_some(aside))
}

/// A copy that is complete and sound, on the disk.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let _ = std::fs::remove_file(to);
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.busy_timeout(super::BUSY)?;
    // One snapshot from beginning to end: else each write of others would begin the copy anew, and it might never end.
    source.execute_batch("BEGIN")?;
    source.query_one("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, i64>(0))?;
    super::make_private(to)?;
    let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    Backup::new(&source, &mut target)?.run_to_completion(PAGES, Duration::from_millis(2), None)?;
    // One file and no log beside it.
    target.execute_batch("PRAGMA journal_mode = DELETE")?;
    let verdict: String = target.query_one("PRAGMA integrity_check", (), |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(verdict));
    }
    if !target.table_exists(None, "migrations")? {
        return Err(StoreError::Damaged(format!("{} is no database of a back office", from.display())));
    }
    drop(target);
    File::open(to).and_then(|copy| copy.sync_all()).map_err(file("write", to))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    suffixed(path, &format!(".{ending}"))
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = std::path::absolute(path)?;
    folder.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::File { what, path, error }
}
