use std::fs;

use super::*;

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
