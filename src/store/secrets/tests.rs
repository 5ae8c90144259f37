use std::fs;
use std::path::Path;

use super::*;

fn folder(path: &Path) -> StateFolder {
    StateFolder::existing(path).unwrap()
}

#[test]
fn what_is_sealed_is_opened_again_and_cannot_be_read() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    for plain in [&b"correct horse"[..], b"", &[0; 10_000]] {
        let sealed = seal(&folder, plain).unwrap();
        assert_eq!(&**open(&folder, &sealed).unwrap(), plain);
        assert!(plain.is_empty() || !sealed.windows(plain.len()).any(|part| part == plain));
        assert_ne!(sealed, seal(&folder, plain).unwrap(), "the same text twice shows nothing");
    }
}

#[test]
fn any_byte_changed_or_cut_is_not_ours() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let sealed = seal(&folder, b"correct horse").unwrap();
    for at in 0..sealed.len() {
        // DPAPI's outer header has bytes that nothing depends on; the text never comes out wrong.
        let mut bytes = sealed.clone();
        bytes[at] ^= 1;
        match open(&folder, &bytes) {
            Err(SecretsProblem::NotOurs) => {}
            Ok(plain) if cfg!(windows) => assert_eq!(&**plain, b"correct horse"),
            other => panic!("{at}: {:?}", other.map(|_| "opened")),
        }
        assert!(matches!(open(&folder, &sealed[..at]), Err(SecretsProblem::NotOurs)));
    }
}

#[test]
fn without_its_key_a_secret_is_to_be_entered_again() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let sealed = seal(&folder, b"correct horse").unwrap();
    let key = folder.file(KEY_FILE);
    let whole = fs::read(&key).unwrap();
    assert_eq!(whole.len(), 32);

    fs::remove_file(&key).unwrap();
    assert!(matches!(open(&folder, &sealed), Err(SecretsProblem::NoKey)));
    for wrong in [&whole[..31], b"", &[0; 40]] {
        fs::write(&key, wrong).unwrap();
        assert!(matches!(open(&folder, &sealed), Err(SecretsProblem::KeyUnreadable(_))));
        let again = seal(&folder, b"entered again").unwrap();
        assert_eq!(&**open(&folder, &again).unwrap(), b"entered again");
        assert!(matches!(open(&folder, &sealed), Err(SecretsProblem::NotOurs)));
    }
    let mut flipped = fs::read(&key).unwrap();
    flipped[7] ^= 1;
    fs::write(&key, flipped).unwrap();
    assert!(matches!(open(&folder, &sealed), Err(SecretsProblem::NotOurs)));
    fs::write(&key, whole).unwrap();
    assert_eq!(&**open(&folder, &sealed).unwrap(), b"correct horse");
}

#[test]
fn a_key_file_that_is_none_is_not_followed_or_replaced() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    fs::create_dir(folder.file(KEY_FILE)).unwrap();
    assert!(matches!(seal(&folder, b"x"), Err(StoreError::Io { .. })));
    assert!(matches!(open(&folder, b"x"), Err(SecretsProblem::KeyUnreadable(_))));
    assert!(folder.file(KEY_FILE).is_dir());
}

#[test]
fn processes_that_start_together_agree_on_one_key() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let sealed: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| seal(&folder, b"shared").unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for sealed in sealed {
        assert_eq!(&**open(&folder, &sealed).unwrap(), b"shared");
    }
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owner() {
    use std::os::unix::fs::MetadataExt;
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    seal(&folder, b"x").unwrap();
    assert_eq!(fs::metadata(folder.file(KEY_FILE)).unwrap().mode() & 0o7777, 0o600);
}

#[cfg(not(windows))]
#[test]
fn another_machine_with_the_same_folder_cannot_open() {
    let key = [7; 32];
    let here: Option<&[u8]> = Some(b"0123456789abcdef0123456789abcdef");
    let there: Option<&[u8]> = Some(b"fedcba9876543210fedcba9876543210");
    let cases =
        [(here, here, true), (here, there, false), (here, None, false), (None, None, true), (None, there, true)];
    for (sealed_on, opened_on, opens) in cases {
        let sealed = sealing::seal(&key, sealed_on, b"text").unwrap();
        let opened = sealing::open(&key, opened_on, &sealed);
        assert_eq!(
            opened.as_ref().map(|plain| plain.to_vec()),
            opens.then(|| b"text".to_vec()),
            "{sealed_on:?} {opened_on:?}"
        );
        assert!(sealing::open(&[8; 32], opened_on, &sealed).is_none());
    }
}
