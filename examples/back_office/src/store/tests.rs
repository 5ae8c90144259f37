use super::*;
use rusqlite::Connection;

fn store(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("office.db")).unwrap()
}

fn add(connection: &Connection, ident: &str) -> Result<(), StoreError> {
    connection.execute("INSERT INTO organisations (ident, name, created) VALUES (?1, ?1, 0)", [ident])?;
    Ok(())
}

fn names(store: &Store) -> Vec<String> {
    let read = |connection: &Connection| -> Result<Vec<String>, StoreError> {
        let mut found = connection.prepare_cached("SELECT ident FROM organisations ORDER BY id")?;
        let rows = found.query_map((), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    store.read(read).unwrap()
}

#[test]
fn opening_twice_changes_nothing_and_what_was_committed_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let first = store(&folder);
    first.write(|tx| add(tx, "a")).unwrap();
    assert_eq!(names(&store(&folder)), ["a"]);
}

#[test]
fn a_transaction_that_fails_leaves_nothing_and_the_next_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let twice = store.write(|tx| add(tx, "a").and_then(|()| add(tx, "a")));
    assert!(matches!(twice, Err(StoreError::Sqlite(_))));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.write(|tx| add(tx, "b").map(|()| panic!("in the middle"))).map(|_: ()| ())
    }));
    assert!(panicked.is_err());
    store.write(|tx| add(tx, "c")).unwrap();
    assert_eq!(names(&store), ["c"]);
}

#[test]
fn a_database_of_a_later_version_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let first = store(&folder);
    first
        .write(|tx| -> Result<(), StoreError> {
            tx.execute("INSERT INTO migrations (number, name, applied) VALUES (999, 'of tomorrow', 0)", ())?;
            Ok(())
        })
        .unwrap();
    let refused = Store::open(first.path()).err().unwrap();
    assert!(matches!(refused, StoreError::Newer { found: 999, .. }), "{refused}");
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("office.db");
    std::fs::write(&path, "not a database at all, but long enough to look like one".repeat(30)).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_full_disk_is_named_and_nothing_of_the_transaction_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    store.write(|tx| add(tx, "kept")).unwrap();
    // SQLite says "full" for this limit as it does for a disk.
    held(&store.writer).execute_batch("PRAGMA max_page_count = 1").unwrap();
    let filled = store.write(|tx| (0..2000).try_for_each(|n| add(tx, &format!("{n}-{}", "x".repeat(500)))));
    assert!(matches!(filled, Err(StoreError::Full)), "{filled:?}");
    assert_eq!(names(&store), ["kept"]);
}

#[test]
fn a_backup_is_whole_while_others_write_and_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let live = store(&folder);
    live.write(|tx| add(tx, "before")).unwrap();
    let copy = folder.path().join("night.db");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| (0..50).for_each(|n| live.write(|tx| add(tx, &n.to_string())).unwrap()));
        backup(live.path(), &copy).unwrap();
        writing.join().unwrap();
    });
    assert!(backup(live.path(), &copy).is_err(), "an older backup is never overwritten");
    let path = live.path().to_owned();
    drop(live);

    let aside = restore(&copy, &path, 1_795_000_000).unwrap().unwrap();
    let restored = names(&Store::open(&path).unwrap());
    assert_eq!(restored[0], "before");
    assert!(restored.len() <= 51);
    assert_eq!(names(&Store::open(&aside).unwrap()).len(), 51, "what was replaced is kept");
}

#[test]
fn a_backup_that_is_damaged_or_none_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let live = store(&folder);
    live.write(|tx| add(tx, "kept")).unwrap();
    let path = live.path().to_owned();
    drop(live);
    let wrong = folder.path().join("wrong.db");
    std::fs::write(&wrong, vec![7; 10_000]).unwrap();
    assert!(restore(&wrong, &path, 1).is_err());
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    assert!(restore(&other, &path, 1).is_err());
    assert_eq!(names(&Store::open(&path).unwrap()), ["kept"]);
}
