//! What a customer's folders may hold: licences by sequence, settings by revision. Made anew by whoever asks, always the same.

use crate::support::host::{Host, Options};
use crate::support::{PRODUCT, Vendor, feature, fls, licence, text};
use ors::ffi::ORS_E_TIMEOUT;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The licence server's files, by name.
pub type Brought = BTreeMap<String, String>;

const FILE: &str = "prismaprepare-1234567890.ors.json";

pub struct Customer {
    pub vendor: Vendor,
    /// The licence folder is away, and a person has to copy.
    pub by_hand: bool,
}

impl Customer {
    pub fn new() -> Customer {
        Customer { vendor: Vendor::new(), by_hand: false }
    }

    /// The folders below `root`, with licence 7 in its folder, and no state folder yet.
    pub fn settle_in(&self, root: &Path) {
        let folder = root.join("licences");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(FILE), self.envelope(7)).unwrap();
        for (name, text) in self.brought(7) {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    /// A licence: each is announced, since it brings another feature.
    pub fn envelope(&self, sequence: u64) -> Vec<u8> {
        let mut wanted = licence(sequence);
        wanted.features.push(feature(&format!("feature-{sequence}"), "Another"));
        wanted.fls = self.brought(sequence).iter().map(|(name, text)| fls(name, text)).collect();
        self.vendor.sign(&wanted)
    }

    /// Its files for the licence server: one that each brings, and one that only this one does.
    pub fn brought(&self, sequence: u64) -> Brought {
        let server = ("server.lic".to_owned(), format!("SERVER {sequence}"));
        [server, (format!("only-{sequence}.lic"), "ONLY".to_owned())].into()
    }

    /// The set that makes a revision of the settings out of the one before.
    pub fn change(revision: u64) -> Value {
        let mut change = Customer::plain(revision);
        change["proxy"] = json!({ "password": format!("password {revision}") });
        change
    }

    /// The settings of a revision, but for the password, which is set from the first on.
    pub fn plain(revision: u64) -> Value {
        let languages = ["de", "fr", "it", "es", "nl"];
        let language =
            usize::try_from(revision).unwrap().checked_sub(1).map(|index| languages[index % languages.len()]);
        json!({ "language": language, "unreachable_hours": (revision + 23) % 8_760 + 1 })
    }

    /// Opens an agent on what lies there.
    pub fn open(&self, root: &Path) -> Result<Host, String> {
        let mut tries_left = 5;
        loop {
            match Host::open(&self.options(root)) {
                // Many are opened at a time here, and the machine does other things: its 2 s are held to elsewhere.
                Err(failure) if failure.code == ORS_E_TIMEOUT && tries_left > 0 => tries_left -= 1,
                other => return other.map_err(|failure| format!("it does not open: {failure:?}")),
            }
        }
    }

    pub fn options(&self, root: &Path) -> Options {
        Options {
            flags: 0,
            state_folder: Some(text(&root.join("state"))),
            product: PRODUCT.to_owned(),
            trusted_keys: self.vendor.trusted(),
            licence_folder: Some(text(&root.join("licences"))),
            commands: None,
        }
    }
}
