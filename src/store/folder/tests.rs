use std::fs;

use super::*;
use crate::store::disk::faulty::{FaultyDisk, Operation};

/// EIO, EACCES, and what Windows calls them.
const INPUT_OUTPUT: i32 = if cfg!(windows) { 1117 } else { 5 };
const NO_ACCESS: i32 = if cfg!(windows) { 5 } else { 13 };

fn open(path: &Path) -> Result<StateFolder, StoreError> {
    StateFolder::open(path, Arc::new(RealDisk))
}

#[test]
fn only_the_last_level_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("state");
    let folder = open(&path).unwrap();
    assert!(path.is_dir() && folder.path() == path);
    open(&path).unwrap();
    let deep = parent.path().join("a").join("b");
    assert!(matches!(open(&deep), Err(StoreError::Io { .. })));
    assert!(!parent.path().join("a").exists());
}

#[test]
fn a_file_is_not_a_folder() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("state");
    fs::write(&path, "x").unwrap();
    assert!(matches!(open(&path), Err(StoreError::NotAFolder(_))));
    assert!(StateFolder::existing(&path).is_none());
    let folder = open(parent.path()).unwrap();
    assert_eq!(folder.sub("state").unwrap_err().kind(), io::ErrorKind::NotADirectory);
}

#[test]
fn looking_makes_nothing() {
    let parent = tempfile::tempdir().unwrap();
    assert!(StateFolder::existing(&parent.path().join("state")).is_none());
    assert!(StateFolder::existing(parent.path()).is_some());
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn the_name_of_a_folder_that_was_made_is_on_the_disk_before_anything_is_kept_in_it() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("state");
    let disk = Arc::new(FaultyDisk::new());
    let open = || StateFolder::open(&path, disk.clone());
    disk.fail_kind_at(Operation::SyncFolder, 0, INPUT_OUTPUT, false);
    assert!(matches!(open(), Err(StoreError::Io { .. })));
    assert_eq!(disk.operations(), [Operation::MakeFolder, Operation::SyncFolder]);
    // The same after a kill before that step: it is there, and nothing is in it.
    disk.heal();
    let folder = open().unwrap();
    assert_eq!(disk.operations(), [Operation::SyncFolder]);
    for _ in 0..2 {
        disk.fail_kind_at(Operation::SyncFolder, 0, INPUT_OUTPUT, false);
        folder.sub("uploads").unwrap_err();
        disk.heal();
        folder.sub("uploads").unwrap();
        assert_eq!(disk.operations(), [Operation::SyncFolder]);
    }
    disk.heal();
    open().unwrap();
    assert_eq!(disk.operations(), [], "in use since long");
}

#[test]
fn a_state_folder_is_made_in_a_place_that_may_not_be_listed() {
    let parent = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::new());
    disk.fail_kind_at(Operation::SyncFolder, 0, NO_ACCESS, false);
    StateFolder::open(&parent.path().join("state"), disk.clone()).unwrap();
    let asked = [Operation::MakeFolder, Operation::SyncFolder, Operation::SyncFolder];
    assert_eq!(disk.operations(), asked, "the folder itself is synced where the one above cannot be opened");
}

#[cfg(unix)]
#[test]
fn folders_are_for_their_owner_or_for_the_group_they_were_opened_to() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let mode = |folder: &StateFolder| fs::metadata(folder.path()).unwrap().mode() & 0o7777;
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let state = open(&parent.path().join("state")).unwrap();
    assert_eq!((mode(&state), mode(&state.sub("uploads").unwrap())), (0o700, 0o700));
    fs::set_permissions(state.path(), fs::Permissions::from_mode(0o2770)).unwrap();
    assert_eq!(mode(&state.sub("backups").unwrap()), 0o2770);
    // The state folder itself is private whatever it lies in.
    assert_eq!(mode(&open(&state.path().join("inner")).unwrap()), 0o700);
}

#[cfg(unix)]
#[test]
fn a_link_is_no_sub_folder() {
    let parent = tempfile::tempdir().unwrap();
    let folder = open(parent.path()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.file("uploads")).unwrap();
    assert_eq!(folder.sub("uploads").unwrap_err().kind(), io::ErrorKind::NotADirectory);
}
