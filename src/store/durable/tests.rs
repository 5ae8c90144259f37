use std::fs;

use super::*;
use crate::store::disk::faulty::{FaultyDisk, Operation};
use crate::store::{RealDisk, read_limited};

const NO_SPACE: i32 = 28;

pub(crate) fn temps(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".tmp")).collect()
}

#[test]
fn replaced_file_holds_exactly_the_new_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for text in ["first", "", "a longer text", "short"] {
        replace(&RealDisk, &path, text.as_bytes(), Access::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
    }
    assert_eq!(temps(folder.path()), Vec::<String>::new());
}

#[test]
fn whichever_operation_fails_the_file_is_whole_and_no_temp_is_left() {
    type Act = fn(&dyn Disk, &Path) -> io::Result<()>;
    let acts: [(&str, bool, Act); 3] = [
        ("replace", true, |disk, path| replace(disk, path, b"new", Access::Owner)),
        ("replace a missing one", false, |disk, path| replace(disk, path, b"new", Access::Licence)),
        ("place", false, |disk, path| place_new(disk, path, b"new", Access::Owner)),
    ];
    for (name, exists, act) in acts {
        for for_ever in [false, true] {
            let mut failed_once = 0;
            for at in 0.. {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("file");
                if exists {
                    fs::write(&path, "old").unwrap();
                }
                let disk = FaultyDisk::new();
                disk.fail_at(at, NO_SPACE, for_ever);
                let result = act(&disk, &path);
                if disk.failures() == 0 {
                    assert!(result.is_ok());
                    break;
                }
                failed_once += 1;
                let error = result.expect_err(name);
                assert_eq!(error.raw_os_error(), Some(NO_SPACE), "{name} {at}");
                let failed = disk.operations()[at];
                let expected = match (failed, exists) {
                    (Operation::SyncFolder, _) => Some(b"new".to_vec()),
                    (_, true) => Some(b"old".to_vec()),
                    (_, false) => None,
                };
                assert_eq!(fs::read(&path).ok(), expected, "{name} {at} {failed:?}");
                if !for_ever {
                    assert_eq!(temps(folder.path()), Vec::<String>::new(), "{name} {at} {failed:?}");
                }
            }
            assert_eq!(failed_once, 5, "{name}: create, write, sync, rename, sync folder");
        }
    }
}

#[test]
fn a_failed_sync_discards_the_file_and_the_next_try_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let disk = FaultyDisk::new();
    disk.fail_kind_at(Operation::Sync, 0, NO_SPACE, false);
    assert!(replace(&disk, &path, b"new", Access::Owner).is_err());
    assert_eq!(disk.operations(), [Operation::Create, Operation::Write, Operation::Sync, Operation::Remove]);
    replace(&disk, &path, b"new", Access::Owner).unwrap();
    assert_eq!(disk.operations().iter().filter(|&&done| done == Operation::Create).count(), 2);
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn placing_never_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    place_new(&RealDisk, &path, b"first", Access::Owner).unwrap();
    let error = place_new(&RealDisk, &path, b"second", Access::Owner).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(temps(folder.path()), Vec::<String>::new());
}

#[test]
fn of_many_that_place_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answer");
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let path = &path;
                scope.spawn(move || place_new(&RealDisk, path, format!("{n}").as_bytes(), Access::Owner).is_ok())
            })
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(won, 1);
}

#[test]
fn removing_what_is_not_there_is_success() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    remove(&RealDisk, &path).unwrap();
    fs::write(&path, "x").unwrap();
    remove(&RealDisk, &path).unwrap();
    assert!(!path.exists());
}

#[test]
fn only_temps_that_nobody_will_rename_are_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let own = std::process::id();
    let nonce = nonce().unwrap();
    let put = |name: &str| fs::write(folder.path().join(name), "x").unwrap();
    // No machine has this process id: the kernel's highest is 4,194,304.
    let dead = [".ors-4194999-00000000000000aa-0.tmp".to_owned(), format!(".ors-{own}-{:016x}-3.tmp", nonce ^ 2)];
    let kept = [
        format!(".ors-{own}-{nonce:016x}-7.tmp"),
        ".ors-4194999-00aa.tmp".to_owned(),
        ".ors-4194999-00aa-1-2.tmp".to_owned(),
        ".ors-notes.tmp".to_owned(),
        "ors-4194999-00000000000000aa-0.tmp".to_owned(),
        "licence.ors.json".to_owned(),
    ];
    dead.iter().chain(&kept).for_each(|name| put(name));
    let old = format!(".ors-{own}-{nonce:016x}-8.tmp");
    put(&old);
    let file = fs::File::options().write(true).open(folder.path().join(&old)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3700)).unwrap();
    drop(file);
    fs::create_dir(folder.path().join(".ors-4194999-00000000000000ab-0.tmp")).unwrap();

    assert_eq!(clear_stale_temps(&RealDisk, folder.path()), 3);
    for name in &kept {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    assert!(!folder.path().join(&old).exists());
    assert!(dead.iter().all(|name| !folder.path().join(name).exists()));
    assert_eq!(clear_stale_temps(&RealDisk, &folder.path().join("missing")), 0);
}

#[test]
fn what_a_process_that_died_left_is_on_the_disk_before_it_is_built_on() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join(".ors-4194999-00000000000000aa-0.tmp");
    fs::write(&left, "x").unwrap();
    let disk = FaultyDisk::new();
    take_over(&disk, folder.path()).unwrap();
    assert_eq!(disk.operations(), [Operation::Remove, Operation::SyncFolder]);
    assert!(!left.exists());
    disk.fail_at(0, NO_SPACE, true);
    take_over(&disk, folder.path()).unwrap_err();
    disk.heal();
    take_over(&disk, &folder.path().join("missing")).unwrap();
}

#[test]
fn a_reader_never_sees_half_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    replace(&RealDisk, &path, &[0; 5000], Access::Owner).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 1..=100_u8 {
                replace(&RealDisk, &path, &[n; 5000], Access::Owner).unwrap();
            }
        });
        while !writer.is_finished() {
            // Windows lets nobody replace a file that is open; a reader without pauses would shut the writer out.
            std::thread::sleep(Duration::from_millis(2));
            let bytes = read_limited(&path, 5000).unwrap();
            assert_eq!(bytes.len(), 5000);
            assert!(bytes.iter().all(|b| *b == bytes[0]));
        }
    });
}

#[cfg(unix)]
mod rights {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn state_is_for_its_owner_and_a_licence_for_the_licence_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (access, wanted) in [(Access::Owner, 0o600), (Access::Secret, 0o600), (Access::Licence, 0o644)] {
            let _ = fs::remove_file(&path);
            replace(&RealDisk, &path, b"x", access).unwrap();
            assert_eq!(mode(&path), wanted, "{access:?}");
        }
    }

    #[test]
    fn a_replaced_licence_keeps_its_rights_and_replaced_state_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        for before in [0o640, 0o664, 0o600, 0o444] {
            set_mode(&path, before);
            replace(&RealDisk, &path, b"x", Access::Licence).unwrap();
            assert_eq!(mode(&path), before);
        }
        set_mode(&path, 0o666);
        replace(&RealDisk, &path, b"x", Access::Owner).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_group_folder_gets_files_for_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (folder_mode, wanted) in [(0o2770, 0o660), (0o2775, 0o600), (0o770, 0o600), (0o700, 0o600)] {
            set_mode(folder.path(), folder_mode);
            replace(&RealDisk, &path, b"x", Access::Owner).unwrap();
            assert_eq!(mode(&path), wanted, "{folder_mode:o}");
        }
    }

    #[test]
    fn a_link_in_the_way_is_replaced_and_its_target_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (target, path) = (folder.path().join("target"), folder.path().join("file"));
        fs::write(&target, "target").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        replace(&RealDisk, &path, b"new", Access::Licence).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"target");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }
}

#[test]
fn on_a_share_only_age_says_that_nobody_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let name = |number: u32| folder.path().join(format!(".ors-4194999-00000000000000aa-{number}.tmp"));
    for number in [0, 1] {
        fs::write(name(number), "of another machine").unwrap();
    }
    let file = fs::File::options().write(true).open(name(1)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3700)).unwrap();
    assert_eq!(clear_old_temps(&RealDisk, folder.path()), 1);
    assert!(name(0).exists() && !name(1).exists());
}

#[test]
fn what_somebody_puts_there_while_a_file_is_written_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "old").unwrap();
    let seen = crate::store::stamp(&path);
    let unchanged = || crate::store::stamp(&path) == seen;
    let disk = FaultyDisk::new();
    let put_meanwhile = || {
        fs::write(&path, "by somebody else").unwrap();
        unchanged()
    };
    assert!(!replace_if(&disk, &path, b"new", Access::Licence, put_meanwhile).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"by somebody else");
    assert_eq!(temps(folder.path()), Vec::<String>::new());
    let seen = crate::store::stamp(&path);
    assert!(replace_if(&disk, &path, b"new", Access::Licence, || crate::store::stamp(&path) == seen).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn bytes_are_on_the_disk_before_they_get_their_name_and_the_name_is_before_the_call_returns() {
    use Operation::{Create, Remove, Rename, RenameNew, Sync, SyncFolder, Write};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let disk = FaultyDisk::new();
    place_new(&disk, &path, b"new", Access::Owner).unwrap();
    assert_eq!(disk.operations(), [Create, Write, Sync, RenameNew, SyncFolder]);
    disk.heal();
    replace(&disk, &path, b"newer", Access::Owner).unwrap();
    assert_eq!(disk.operations(), [Create, Write, Sync, Rename, SyncFolder]);
    disk.heal();
    remove(&disk, &path).unwrap();
    assert_eq!(disk.operations(), [Remove, SyncFolder]);
}
