//! A customer's folders: one licence in the licence folder, no state folder yet.

use super::licences::{FILE_NAME, Vendor};
use std::fs;
use std::path::{Path, PathBuf};

/// The floating server's own file that every licence of [`Vendor`] brings.
pub const SERVER_FILE: &str = "prismaprepare.lic";

pub struct Place {
    folder: tempfile::TempDir,
    pub vendor: Vendor,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::Builder::new().prefix("ors-kills-").tempdir().expect("a folder");
        let place = Place { folder, vendor: Vendor::new() };
        fs::create_dir(place.licences()).expect("the licence folder");
        place.copy_by_hand(1, FILE_NAME);
        fs::write(place.keys(), place.vendor.trusted_keys()).expect("the keys");
        place
    }

    /// The same with what another place has come to.
    pub fn like(other: &Place) -> Place {
        let folder = tempfile::Builder::new().prefix("ors-kills-").tempdir().expect("a folder");
        copy(other.folder.path(), folder.path());
        Place { folder, vendor: Vendor::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    pub fn licences(&self) -> PathBuf {
        self.path().join("licences")
    }

    pub fn keys(&self) -> PathBuf {
        self.path().join("keys")
    }

    /// As a person copies a licence: the floating server's file first, ours last, each whole.
    pub fn copy_by_hand(&self, sequence: u64, name: &str) {
        for (name, bytes) in [(SERVER_FILE, server_text(sequence).into_bytes()), (name, self.vendor.licence(sequence))]
        {
            let part = self.path().join("part");
            fs::write(&part, bytes).expect("a file");
            fs::rename(&part, self.licences().join(name)).expect("in its folder");
        }
    }

    /// Everything stays for a person to look at.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

/// What [`SERVER_FILE`] holds for a licence.
pub fn server_text(sequence: u64) -> String {
    format!("FEATURE prismaprepare {sequence}\n")
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            fs::create_dir(&target).expect("a folder");
            fs::set_permissions(&target, entry.metadata().expect("its rights").permissions()).expect("its rights");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a file");
        }
    }
}
