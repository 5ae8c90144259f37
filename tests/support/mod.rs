//! What the tests share: a vendor with keys, a customer's folders, and the C functions with Rust types around them.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod host;
pub mod office;
pub mod schema;
pub mod table;
pub mod tls;

use issuer::SigningKey;
use ors::licence::{Day, Feature, FlsFile, Instant, Licence, Product, Role, Sequence, Serial};
use std::path::{Path, PathBuf};

pub const PRODUCT: &str = "prismaprepare";
pub const SERIAL: &str = "1234567890";
pub const DAY: i64 = 86_400;

/// The vendor's keys. The same in every run: a failure replays.
pub struct Vendor {
    pub root: SigningKey,
    pub licence: SigningKey,
    pub statement: SigningKey,
    /// A key that nobody trusts.
    pub stranger: SigningKey,
}

impl Vendor {
    pub fn new() -> Vendor {
        Vendor {
            root: SigningKey::from_seed("root-1", Role::Root, [1; 32]),
            licence: SigningKey::from_seed("licence-1", Role::Licence, [2; 32]),
            statement: SigningKey::from_seed("statement-1", Role::Statement, [3; 32]),
            stranger: SigningKey::from_seed("stranger-1", Role::Licence, [4; 32]),
        }
    }

    /// What a host gives as `trusted_keys`.
    pub fn trusted(&self) -> String {
        [&self.root, &self.licence, &self.statement].map(SigningKey::trusted_line).join("\n")
    }

    pub fn sign(&self, licence: &Licence) -> Vec<u8> {
        issuer::sign_licence(licence, &self.licence)
    }

    /// A licence that is good for years, as a file.
    pub fn file(&self, sequence: u64) -> Vec<u8> {
        self.sign(&licence(sequence))
    }
}

/// A licence that is good for years, with one feature. Change what the test is about.
pub fn licence(sequence: u64) -> Licence {
    Licence {
        product: Product::parse(PRODUCT).unwrap(),
        serial: Serial::parse(SERIAL).unwrap(),
        customer: "Print Room".to_owned(),
        sequence: Sequence::new(sequence).unwrap(),
        issued_at: Instant::parse("2026-01-05T10:00:00Z").unwrap(),
        expires_on: Day::parse("2090-11-23").ok(),
        maintenance_until: Day::parse("2090-05-31").ok(),
        users: 5,
        features: vec![feature("pdf-toolbox", "PDF Toolbox")],
        fls: Vec::new(),
    }
}

pub fn feature(id: &str, name: &str) -> Feature {
    Feature { id: id.to_owned(), name: name.to_owned(), expires_on: None }
}

pub fn fls(name: &str, text: &str) -> FlsFile {
    FlsFile { name: name.to_owned(), text: text.to_owned() }
}

/// A customer's folders, in a temporary place.
pub struct Site {
    pub place: tempfile::TempDir,
    pub vendor: Vendor,
}

impl Site {
    /// An empty licence folder and no state folder yet.
    pub fn new() -> Site {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("licences")).unwrap();
        Site { place, vendor: Vendor::new() }
    }

    /// The folder with one licence of that sequence in it.
    pub fn with(sequence: u64) -> Site {
        let site = Site::new();
        site.drop_file("prismaprepare-1234567890.ors.json", &site.vendor.file(sequence));
        site
    }

    pub fn licences(&self) -> PathBuf {
        self.place.path().join("licences")
    }

    pub fn state(&self) -> PathBuf {
        self.place.path().join("state")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.licences().join(name)
    }

    /// Puts a file into the licence folder as a person does: whole, by rename.
    pub fn drop_file(&self, name: &str, bytes: &[u8]) {
        let part = self.place.path().join("part");
        std::fs::write(&part, bytes).unwrap();
        move_as_a_person(&part, &self.file(name));
    }

    pub fn open(&self) -> host::Host {
        host::Host::open(&self.options()).unwrap()
    }

    pub fn options(&self) -> host::Options {
        host::Options {
            flags: 0,
            state_folder: Some(text(&self.state())),
            product: PRODUCT.to_owned(),
            trusted_keys: self.vendor.trusted(),
            licence_folder: Some(text(&self.licences())),
            commands: None,
            office_url: None,
            office_ca_file: None,
        }
    }
}

/// Renames as a person does: where Windows says that the file is in use (the library may be reading it just then), again
/// a moment later, for 10 s.
pub fn move_as_a_person(from: &Path, to: &Path) {
    const IN_USE: [Option<i32>; 2] = [Some(5), Some(32)]; // ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION
    let began = std::time::Instant::now();
    loop {
        match std::fs::rename(from, to) {
            Err(error) if cfg!(windows) && IN_USE.contains(&error.raw_os_error()) && began.elapsed().as_secs() < 10 => {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            other => return other.unwrap(),
        }
    }
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
