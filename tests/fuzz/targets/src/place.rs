//! Folders on the disk for one input at a time, and state documents whose checksums fit.

use ors::licence::{hex, sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// An empty folder. The next call empties it again.
pub fn fresh() -> PathBuf {
    let place = std::env::temp_dir().join(format!("ors-fuzz-{}", std::process::id()));
    match fs::remove_dir_all(&place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{}: {error}", place.display()),
        _ => {}
    }
    fs::create_dir(&place).expect("a folder for an input");
    place
}

/// A folder within, new.
pub fn folder(place: &Path, name: &str) -> PathBuf {
    let path = place.join(name);
    fs::create_dir(&path).expect("a folder for an input");
    path
}

pub fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file for an input");
}

/// A copy of a state document, whole and with a checksum that fits, whatever its body is.
pub fn sealed(order: u64, revision: u64, body: &[u8]) -> Vec<u8> {
    let prefix = format!("ors-document 1 {order} {revision}");
    let hash = hex(&sha256(&[prefix.as_bytes(), b"\n", body].concat()));
    [format!("{prefix} {hash}\n").as_bytes(), body].concat()
}

/// How a path is given to the library.
pub fn text(path: &Path) -> String {
    path.to_str().expect("the folder for inputs has a name in Unicode").to_owned()
}
