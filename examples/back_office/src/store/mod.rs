//! The database: one SQLite file in WAL mode, one writer at a time, and a few connections that only read.
//!
//! Everything that changes happens in a transaction of [`Store::write`]; what is committed has reached the disk. Other
//! processes (the command line, a backup) may open the same file meanwhile: SQLite's locks hold between processes, and a
//! busy one is waited for. What stands in the tables is `domain`'s; how the tables came to be is in `migrations`.

mod backup;
mod migrations;

pub use backup::{backup, restore};
#[cfg(test)]
pub use migrations::apply as apply_migrations;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a transaction waits for one of another process.
const BUSY: Duration = Duration::from_secs(10);
/// Connections that read at a time. Each has a cache of its own; more would only wait for the same processors.
const READERS: usize = 4;

/// Why the database did not do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// No room left on the disk; nothing of the transaction was kept.
    Full,
    /// Another process held the database for too long; nothing of the transaction was kept.
    Busy,
    /// A later version of this program has changed the tables.
    Newer { found: u32, known: u32 },
    /// A file beside the database.
    File { what: &'static str, path: PathBuf, error: std::io::Error },
    /// The file is no database, or a damaged one.
    Damaged(String),
    /// Anything else that SQLite says.
    Sqlite(rusqlite::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Full => f.write_str("the disk is full; nothing was changed"),
            StoreError::Busy => f.write_str("the database is held by another process; nothing was changed"),
            StoreError::Newer { found, known } => write!(
                f,
                "the database was changed by a later version of this program (its tables are number {found}, this program \
                 knows {known})"
            ),
            StoreError::File { what, path, error } => write!(f, "cannot {what} {}: {error}", path.display()),
            StoreError::Damaged(what) => write!(f, "the database is damaged: {what}; restore a backup"),
            StoreError::Sqlite(error) => write!(f, "the database: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(error.to_string()),
            _ => StoreError::Sqlite(error),
        }
    }
}

/// The opened database.
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Readers>,
    given_back: Condvar,
}

/// Those who read: opened when they are first needed.
#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    opened: usize,
}

impl Store {
    /// Opens or makes the database and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        if !path.exists() {
            make_private(path)?;
        }
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        migrations::apply(&mut writer)?;
        Ok(Store {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            given_back: Condvar::new(),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Does all of `work` or nothing of it. On return with `Ok` it is on the disk.
    ///
    /// # Errors
    /// What `work` says, or [`StoreError`].
    pub fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        let mut writer = held(&self.writer);
        let transaction = begin(&mut writer)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(done)
    }

    /// Reads one state of the database, whatever is written meanwhile.
    ///
    /// # Errors
    /// What `work` says, or [`StoreError`].
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        let reader = self.reader()?;
        // Given back by its `Drop`, also after a panic.
        let transaction = reader.connection()?.unchecked_transaction().map_err(StoreError::from)?;
        let done = work(&transaction);
        transaction.finish().map_err(StoreError::from)?;
        done
    }

    fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let mut readers = held(&self.readers);
        loop {
            if let Some(connection) = readers.idle.pop() {
                return Ok(Reader { store: self, connection: Some(connection) });
            }
            if readers.opened < READERS {
                let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                readers.opened += 1;
                return Ok(Reader { store: self, connection: Some(connection) });
            }
            readers = self.given_back.wait(readers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Moves the log into the file. For the end of a process; what is committed is safe without it.
    pub fn settle(&self) {
        let _ = held(&self.writer).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// A reading connection, lent.
struct Reader<'a> {
    store: &'a Store,
    /// There until it is given back.
    connection: Option<Connection>,
}

impl Reader<'_> {
    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or(StoreError::Busy)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        held(&self.store.readers).idle.extend(self.connection.take());
        self.store.given_back.notify_one();
    }
}

/// A panic in one transaction rolled that one back; the connection is as good as before.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    // At once for writing: two that begin by reading could each wait for the other.
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // WAL: readers never wait for the writer. FULL: a commit that was acknowledged survives a power cut.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

/// An empty file that only its owner may read: SQLite gives its log the same rights.
fn make_private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map(drop).map_err(|error| StoreError::File { what: "make", path: path.to_owned(), error })
}

#[cfg(test)]
mod tests;
