use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use super::*;

const PATIENT: Duration = Duration::from_secs(10);
const PATH: &str = "ORS_TEST_LOCK_PATH";

#[test]
fn a_lock_has_one_holder_within_a_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = FileLock::try_take(&path).unwrap().unwrap();
    assert!(FileLock::try_take(&path).unwrap().is_none());
    assert!(FileLock::take(&path, Duration::from_millis(30)).unwrap().is_none());
    drop(first);
    assert!(FileLock::try_take(&path).unwrap().is_some());
    assert!(path.exists());
}

#[test]
fn threads_that_wait_get_it_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let inside = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let _lock = FileLock::take(&path, PATIENT).unwrap().unwrap();
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
}

/// The other process of the test below; does nothing on its own.
#[test]
#[ignore = "run by a_lock_excludes_other_processes_and_goes_with_its_holder"]
fn the_other_process() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let _lock = FileLock::take(Path::new(&path), PATIENT).unwrap().unwrap();
    println!("\nheld");
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_lock_excludes_other_processes_and_goes_with_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::lock::tests::the_other_process", "--ignored", "--nocapture"])
        .env(PATH, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.trim() == "held"));
    assert!(FileLock::try_take(&path).unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(FileLock::take(&path, PATIENT).unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn a_deleted_or_replaced_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = FileLock::try_take(&path).unwrap().unwrap();
    assert!(first.still_there());
    std::fs::remove_file(&path).unwrap();
    assert!(!first.still_there());
    let second = FileLock::try_take(&path).unwrap().unwrap();
    assert!(second.still_there() && !first.still_there());
    drop(first);
    assert!(FileLock::try_take(&path).unwrap().is_none());
}

#[cfg(windows)]
#[test]
fn a_held_file_cannot_be_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = FileLock::try_take(&path).unwrap().unwrap();
    assert!(std::fs::remove_file(&path).is_err());
    assert!(lock.still_there());
}

#[test]
fn what_cannot_be_a_lock_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(FileLock::try_take(folder.path()).is_err());
    assert!(FileLock::try_take(&folder.path().join("missing").join("lock")).is_err());
    #[cfg(unix)]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("target"), &link).unwrap();
        assert!(FileLock::try_take(&link).is_err());
        assert!(!folder.path().join("target").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_lock_is_for_its_owner() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let _lock = FileLock::try_take(&path).unwrap().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
}
