use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::store::FaultyDisk;
use crate::store::durable::tests::temps;

fn folder(path: &Path) -> StateFolder {
    StateFolder::existing(path).unwrap()
}

#[test]
fn what_is_acknowledged_only_grows() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    assert_eq!(acknowledged(&folder).id, 0);
    for (id, now) in [(3, 3), (2, 3), (3, 3), (0, 3), (10, 10), (u64::MAX, u64::MAX), (4, u64::MAX)] {
        acknowledge(&folder, id, "a user").unwrap();
        assert_eq!(acknowledged(&folder).id, now);
    }
}

#[test]
fn processes_that_acknowledge_together_lose_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    std::thread::scope(|scope| {
        for id in 1..=6 {
            let folder = &folder;
            scope.spawn(move || acknowledge(folder, id, "a user").unwrap());
        }
    });
    assert_eq!(acknowledged(&folder).id, 6);
}

#[test]
fn whichever_operation_fails_the_acknowledgement_is_old_or_new() {
    for for_ever in [false, true] {
        for at in 0.. {
            let temp = tempfile::tempdir().unwrap();
            acknowledge(&folder(temp.path()), 3, "a user").unwrap();
            let disk = Arc::new(FaultyDisk::new());
            let folder = folder(temp.path()).with_disk(disk.clone());
            disk.fail_at(at, 28, for_ever);
            let result = acknowledge(&folder, 5, "a user");
            if disk.failures() == 0 {
                break;
            }
            let now = acknowledged(&folder).id;
            assert!(if result.is_ok() { now == 5 } else { now == 3 || now == 5 }, "{at}: {now}");
            assert!(for_ever || temps(temp.path()).is_empty());
            disk.heal();
            acknowledge(&folder, 5, "a user").unwrap();
            assert_eq!(acknowledged(&folder).id, 5);
        }
    }
}

#[test]
fn a_damaged_acknowledgement_falls_back_to_its_other_copy() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    acknowledge(&folder, 3, "a user").unwrap();
    fs::write(folder.file("acknowledged.a"), "3").unwrap();
    assert_eq!(acknowledged(&folder).id, 3);
    fs::write(folder.file("acknowledged.b"), "").unwrap();
    assert_eq!(acknowledged(&folder).id, 0);
    acknowledge(&folder, 4, "a user").unwrap();
    assert_eq!(acknowledged(&folder).id, 4);
}

#[test]
fn an_upload_is_found_with_its_sender_until_it_is_dropped() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    assert_eq!(uploads(&folder).unwrap(), []);
    let digest = put_upload(&folder, b"a licence", "Ann\n<b>").unwrap();
    assert_eq!(put_upload(&folder, b"a licence", "Bob").unwrap(), digest);
    put_upload(&folder, b"", "Cid").unwrap();
    let found = uploads(&folder).unwrap();
    assert_eq!(found.len(), 2);
    let first = found.iter().find(|upload| upload.digest == hex(&digest)).unwrap();
    assert_eq!((first.bytes.as_slice(), first.by.as_str()), (&b"a licence"[..], "Ann\u{FFFD}<b>"));
    for upload in &found {
        drop_upload(&folder, &upload.digest);
        drop_upload(&folder, &upload.digest);
    }
    assert_eq!(uploads(&folder).unwrap(), []);
    assert_eq!(fs::read_dir(folder.file("uploads")).unwrap().count(), 0);
    drop_upload(&folder, "../settings.a");
}

#[test]
fn uploads_are_bounded_in_size_and_number() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    assert!(matches!(put_upload(&folder, &vec![0; LARGEST_UPLOAD + 1], "Ann"), Err(StoreError::Limit(_))));
    put_upload(&folder, &vec![0; LARGEST_UPLOAD], "Ann").unwrap();
    for n in 1..MOST_UPLOADS {
        put_upload(&folder, &n.to_le_bytes(), "Ann").unwrap();
    }
    assert!(matches!(put_upload(&folder, b"one more", "Ann"), Err(StoreError::Limit(_))));
    put_upload(&folder, &1_usize.to_le_bytes(), "the same again").unwrap();
    let found = uploads(&folder).unwrap();
    assert_eq!(found.len(), MOST_UPLOADS);
    drop_upload(&folder, &found[0].digest);
    put_upload(&folder, b"one more", "Ann").unwrap();
}

#[test]
fn what_is_no_upload_is_passed_over_or_removed() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    put_upload(&folder, b"a licence", "Ann").unwrap();
    let uploads_folder = folder.sub("uploads").unwrap();
    let wrong = uploads_folder.file(&format!("{}.lic", "a".repeat(64)));
    fs::write(&wrong, "not these bytes").unwrap();
    let large = uploads_folder.file(&format!("{}.lic", "b".repeat(64)));
    fs::write(&large, vec![0; LARGEST_UPLOAD + 1]).unwrap();
    for name in ["x.lic", "readme.txt", &format!("{}.lic", "A".repeat(64))] {
        fs::write(uploads_folder.file(name), "x").unwrap();
    }
    assert_eq!(uploads(&folder).unwrap().len(), 1);
    assert!(!wrong.exists() && !large.exists());
    assert!(uploads_folder.file("readme.txt").exists());
}

#[test]
fn whichever_operation_fails_an_upload_is_there_whole_or_not_at_all() {
    for at in 0.. {
        let temp = tempfile::tempdir().unwrap();
        let disk = Arc::new(FaultyDisk::new());
        let folder = folder(temp.path()).with_disk(disk.clone());
        disk.fail_at(at, 28, false);
        let result = put_upload(&folder, b"a licence", "Ann");
        if disk.failures() == 0 {
            break;
        }
        let found = uploads(&folder).unwrap();
        assert!(found.len() == 1 || (result.is_err() && found.is_empty()), "{at}");
        assert!(!folder.file("uploads").exists() || temps(&folder.file("uploads")).is_empty());
        put_upload(&folder, b"a licence", "Ann").unwrap();
        assert_eq!(uploads(&folder).unwrap()[0].by, "Ann", "{at}");
    }
}
