use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::store::FaultyDisk;
use crate::store::disk::faulty::Operation;
use crate::store::durable::tests::temps;

type Value = Vec<String>;

fn folder(path: &Path) -> StateFolder {
    StateFolder::existing(path).unwrap()
}

fn value(text: &str) -> Value {
    vec![text.to_owned(), "ü".to_owned()]
}

fn look(folder: &StateFolder) -> (Option<Value>, u64, usize) {
    let found = read::<Value>(folder, "doc").unwrap();
    (found.value, found.revision, found.damaged.len())
}

#[test]
fn what_was_written_is_read_with_its_revision() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    assert_eq!(look(&folder), (None, 0, 0));
    // The caller's revision may stand still or go back: the order of writing is our own.
    for revision in [1, 5, 5, 2] {
        let text = value(&format!("at {revision}"));
        write(&folder, "doc", revision, &text).unwrap();
        assert_eq!(look(&folder), (Some(text), revision, 0));
    }
    assert_eq!(fs::read(folder.file("doc.a")).unwrap(), fs::read(folder.file("doc.b")).unwrap());
}

/// A checksum is no proof: whoever may write in the folder can make one that fits.
fn put_body(folder: &StateFolder, copy: &str, body: &[u8]) {
    let prefix = format!("{MARK} {FORMAT} 9 9");
    let line = format!("{prefix} {}\n", seal(&prefix, body));
    fs::write(folder.file(copy), [line.as_bytes(), body].concat()).unwrap();
}

#[test]
fn a_body_that_fits_its_checksum_is_bounded_all_the_same() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    write(&folder, "doc", 3, &value("text")).unwrap();
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    for (body, why) in [
        (deep(33), "nested deeper"),
        (deep(127), "nested deeper"),
        (format!("[{}0]", "0,".repeat(100_000)), "values"),
        (format!("[\"{}\"]", "x".repeat(20_000)), "too long"),
        ("{\"a\":1,\"a\":1}".to_owned(), "twice"),
        (format!("[{{\"{}\":1}}]", "\u{202E}".repeat(1_000)), "does not hold"),
    ] {
        put_body(&folder, "doc.a", body.as_bytes());
        let found = read::<serde_json::Value>(&folder, "doc");
        let typed = read::<Value>(&folder, "doc").unwrap();
        assert_eq!((typed.value, typed.revision), (Some(value("text")), 3), "{why}");
        assert!(typed.damaged.len() == 1 && typed.damaged[0].contains(why), "{:?}", typed.damaged);
        assert!(typed.damaged[0].chars().count() < 300 && !typed.damaged[0].contains('\u{202E}'));
        assert!(why == "does not hold" || found.unwrap().damaged == typed.damaged);
    }
    put_body(&folder, "doc.a", deep(32).as_bytes());
    assert_eq!(read::<serde_json::Value>(&folder, "doc").unwrap().revision, 9);
    let long = write(&folder, "doc", 10, &vec!["x".repeat(20_000)]);
    assert!(matches!(long, Err(StoreError::Limit(_))), "nothing is written that would not be read again");
}

/// Either copy, every byte with every bit flipped and the case bit too, every cut, and something added.
#[test]
fn any_damage_to_one_copy_is_seen_and_the_other_counts() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    write(&folder, "doc", 3, &value("text")).unwrap();
    let whole = fs::read(folder.file("doc.a")).unwrap();
    let mut damages: Vec<Vec<u8>> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            damages.push(bytes);
        }
    }
    damages.push([&whole[..], b"x"].concat());
    damages.push([&whole[..], b"\0"].concat());
    damages.push([b"\n", &whole[..]].concat());
    damages.push(vec![0; whole.len()]);
    damages.push(vec![b'x'; 5 << 20]);
    for copy in ["doc.a", "doc.b"] {
        for bytes in &damages {
            fs::write(folder.file(copy), bytes).unwrap();
            let found = read::<Value>(&folder, "doc").unwrap();
            assert_eq!((found.value, found.revision), (Some(value("text")), 3), "{copy} {bytes:?}");
            assert!(found.damaged.len() == 1 && found.damaged[0].starts_with(copy), "{:?}", found.damaged);
        }
        fs::write(folder.file(copy), &whole).unwrap();
    }
}

#[test]
fn with_both_copies_damaged_there_is_no_value_and_both_are_named() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    write(&folder, "doc", 3, &value("text")).unwrap();
    let whole = fs::read(folder.file("doc.a")).unwrap();
    fs::write(folder.file("doc.a"), &whole[..whole.len() - 1]).unwrap();
    fs::write(folder.file("doc.b"), b"").unwrap();
    let found = read::<Value>(&folder, "doc").unwrap();
    assert_eq!((found.value, found.revision), (None, 0));
    assert_eq!(found.damaged, ["doc.a is damaged", "doc.b is damaged"]);
    write(&folder, "doc", 1, &value("again")).unwrap();
    assert_eq!(look(&folder), (Some(value("again")), 1, 0));
}

#[test]
fn the_newer_of_two_whole_copies_counts_and_the_next_write_mends() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    write(&folder, "doc", 1, &value("old")).unwrap();
    let old = fs::read(folder.file("doc.a")).unwrap();
    write(&folder, "doc", 2, &value("new")).unwrap();
    for stale in ["doc.a", "doc.b"] {
        fs::write(folder.file(stale), &old).unwrap();
        assert_eq!(look(&folder), (Some(value("new")), 2, 0), "{stale}");
        write(&folder, "doc", 2, &value("new")).unwrap();
    }
    for missing in ["doc.a", "doc.b"] {
        fs::remove_file(folder.file(missing)).unwrap();
        assert_eq!(look(&folder), (Some(value("new")), 2, 0), "{missing}");
        write(&folder, "doc", 2, &value("new")).unwrap();
        assert!(folder.file(missing).exists());
    }
}

#[test]
fn a_whole_copy_with_another_kind_of_value_does_not_count() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    write(&folder, "doc", 1, &7).unwrap();
    let found = read::<Value>(&folder, "doc").unwrap();
    assert!(found.value.is_none() && found.damaged.len() == 2, "{:?}", found.damaged);
}

#[test]
fn a_newer_format_is_neither_read_nor_overwritten() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    write(&folder, "doc", 1, &value("old")).unwrap();
    let body = b"whatever it will be";
    let prefix = "ors-document 2 9 9";
    let newer = [format!("{prefix} {}\n", seal(prefix, body)).as_bytes(), body].concat();
    for copy in ["doc.a", "doc.b"] {
        let before = fs::read(folder.file(copy)).unwrap();
        fs::write(folder.file(copy), &newer).unwrap();
        let is_newer = |error| matches!(error, StoreError::NewerFormat { file, format: 2 } if file == copy);
        assert!(is_newer(read::<Value>(&folder, "doc").unwrap_err()));
        assert!(is_newer(write(&folder, "doc", 2, &value("new")).unwrap_err()));
        assert_eq!(fs::read(folder.file(copy)).unwrap(), newer);
        fs::write(folder.file(copy), before).unwrap();
    }
}

#[test]
fn whichever_operation_fails_the_old_value_or_the_new_one_is_read_whole() {
    let kinds = std::iter::once(None).chain(Operation::ALL.into_iter().map(Some));
    let mut failures = 0;
    for kind in kinds {
        for for_ever in [false, true] {
            for at in 0.. {
                let temp = tempfile::tempdir().unwrap();
                write(&folder(temp.path()), "doc", 1, &value("old")).unwrap();
                let disk = Arc::new(FaultyDisk::new());
                let folder = folder(temp.path()).with_disk(disk.clone());
                match kind {
                    None => disk.fail_at(at, 28, for_ever),
                    Some(kind) => disk.fail_kind_at(kind, at, 28, for_ever),
                }
                let result = write(&folder, "doc", 2, &value("new"));
                if disk.failures() == 0 {
                    assert!(result.is_ok());
                    break;
                }
                failures += 1;
                let (found, _, damaged) = look(&folder);
                assert_eq!(damaged, 0);
                let first_sync_folder = disk.operations().contains(&Operation::SyncFolder);
                match result {
                    Ok(()) => assert_eq!(found, Some(value("new")), "{kind:?} {at}"),
                    // The commit was done; only its durability is in doubt.
                    Err(_) if first_sync_folder => assert_eq!(found, Some(value("new")), "{kind:?} {at}"),
                    Err(_) => assert_eq!(found, Some(value("old")), "{kind:?} {at}"),
                }
                if !for_ever {
                    assert_eq!(temps(temp.path()), Vec::<String>::new(), "{kind:?} {at}");
                }
                disk.heal();
                write(&folder, "doc", 3, &value("after")).unwrap();
                assert_eq!(look(&folder), (Some(value("after")), 3, 0));
            }
        }
    }
    assert!(failures > 20);
}

#[test]
fn a_full_disk_is_met_before_anything_changed() {
    let temp = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::new());
    let folder = folder(temp.path()).with_disk(disk.clone());
    write(&folder, "doc", 1, &value("old")).unwrap();
    disk.heal();
    write(&folder, "doc", 2, &value("new")).unwrap();
    let operations = disk.operations();
    let first_rename = operations.iter().position(|&done| done == Operation::Rename).unwrap();
    assert!(operations[first_rename..].iter().all(|done| matches!(done, Operation::Rename | Operation::SyncFolder)));
}

#[test]
fn the_stamp_moves_when_either_copy_does() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let nothing = stamp(&folder, "doc");
    write(&folder, "doc", 1, &value("old")).unwrap();
    let first = stamp(&folder, "doc");
    assert!(nothing != first && first == stamp(&folder, "doc"));
    fs::write(folder.file("doc.b"), "torn").unwrap();
    assert_ne!(stamp(&folder, "doc"), first);
}

#[test]
fn a_document_that_would_not_be_read_again_is_not_written() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let big = vec!["x".repeat(5 << 20)];
    assert!(matches!(write(&folder, "doc", 1, &big), Err(StoreError::Limit(_))));
    assert_eq!(look(&folder), (None, 0, 0));
}

#[test]
fn a_copy_that_fell_behind_is_mended_so_that_no_older_value_can_come_back() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    mend::<Value>(&folder, "doc").unwrap();
    assert!(!folder.file("doc.a").exists(), "what was never written is not made");
    write(&folder, "doc", 1, &value("old")).unwrap();
    let old = fs::read(folder.file("doc.a")).unwrap();
    write(&folder, "doc", 2, &value("new")).unwrap();
    let new = fs::read(folder.file("doc.a")).unwrap();
    for behind in ["doc.a", "doc.b"] {
        for left in [Some(&old[..]), Some(b"torn"), None] {
            match left {
                Some(bytes) => fs::write(folder.file(behind), bytes).unwrap(),
                None => fs::remove_file(folder.file(behind)).unwrap(),
            }
            mend::<Value>(&folder, "doc").unwrap();
            assert_eq!(fs::read(folder.file(behind)).unwrap(), new, "{behind} {left:?}");
            assert_eq!(look(&folder), (Some(value("new")), 2, 0));
        }
    }
    let disk = Arc::new(FaultyDisk::new());
    mend::<Value>(&folder.with_disk(disk.clone()), "doc").unwrap();
    assert_eq!(disk.operations(), [], "what is whole is left alone");
    // A copy of another kind of value is no reason to lose the one that is right.
    write(&folder, "other", 1, &7).unwrap();
    write(&folder, "other", 2, &8).unwrap();
    fs::copy(folder.file("other.a"), folder.file("doc.a")).unwrap();
    mend::<Value>(&folder, "doc").unwrap();
    assert_eq!(fs::read(folder.file("doc.a")).unwrap(), new);
}
