//! What an install that has not come to its end may have left with the licence server. Pure.
//!
//! A licence brings files for the server; those that only the one before it brought are taken away at the end. Which these
//! are is in the leader's document before the first is touched: after a kill or a power cut nobody could tell them from a
//! stranger's, and the server would go by them for ever.

use crate::licence::{Licence, Serial, hex, sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// More than this are not remembered: so many only come together when no install ever succeeds.
const MOST: usize = 1_000;

/// An install that was begun. In which folder is not told: where a file of such a name holds the very bytes that such a
/// licence brings, it is what this is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Putting {
    serial: Serial,
    /// Everything that licences brought since the last one that was put to its end: name, SHA-256 of the bytes.
    files: BTreeMap<String, String>,
}

impl Putting {
    /// Before `licence` is put where `used` is in use, and where `before` has not come to its end. `None`: it leaves nothing,
    /// whenever it ends.
    pub fn begin(before: Option<&Putting>, used: Option<&Licence>, licence: &Licence) -> Option<Putting> {
        let before = before.filter(|before| before.is_about(licence));
        let mut files = before.map(|before| before.files.clone()).unwrap_or_default();
        for licence in used.filter(|used| used.serial == licence.serial).into_iter().chain([licence]) {
            let brought = licence.fls.iter();
            files.extend(brought.map(|file| (file.name.clone(), hex(&sha256(file.text.as_bytes())))));
        }
        while files.len() > MOST {
            files.pop_first();
        }
        (!files.is_empty()).then(|| Putting { serial: licence.serial.clone(), files })
    }

    /// Whether it concerns the installation of this licence.
    pub fn is_about(&self, licence: &Licence) -> bool {
        self.serial == licence.serial
    }

    /// What has to go when `licence` is put: name and SHA-256 of what `licence` does not bring.
    pub fn left_overs(&self, licence: &Licence) -> Vec<(String, String)> {
        let stays = |name: &str| licence.fls.iter().any(|file| file.name.eq_ignore_ascii_case(name));
        let files = self.files.iter().filter(|(name, _)| !stays(name) && is_plain(name));
        files.map(|(name, digest)| (name.clone(), digest.clone())).collect()
    }
}

/// The document lies on a disk: a name is a name in that folder, and nothing else.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licence::FlsFile;
    use crate::licence::testkit;

    fn licence(serial: &str, files: &[&str]) -> Licence {
        let key = testkit::key(crate::licence::Role::Licence, "licence-1");
        let root = testkit::key(crate::licence::Role::Root, "root-1");
        let bytes = testkit::seal_licence(&testkit::with("/serial", serial.into()), &key);
        let genuine = crate::licence::verify(&bytes, &testkit::host(&[&root, &key]), &testkit::product()).unwrap();
        let fls = files.iter().map(|name| FlsFile { name: (*name).to_owned(), text: "FEATURE".to_owned() }).collect();
        Licence { fls, ..genuine.licence().clone() }
    }

    fn names(putting: &Putting, licence: &Licence) -> Vec<String> {
        putting.left_overs(licence).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn what_no_licence_brings_any_more_goes_however_many_installs_were_cut_off() {
        let [seven, eight, nine] =
            [&["a.lic", "7.lic"][..], &["A.lic", "8.lic"], &["a.lic"]].map(|files| licence("1", files));
        let cut_off = Putting::begin(None, Some(&seven), &eight).unwrap();
        assert_eq!(names(&cut_off, &eight), ["7.lic"]);
        assert_eq!(names(&cut_off, &seven), ["8.lic"], "also when the one before stays in use");
        let again = Putting::begin(Some(&cut_off), Some(&eight), &nine).unwrap();
        assert_eq!(names(&again, &nine), ["7.lic", "8.lic"]);
        assert_eq!(again.left_overs(&nine)[0].1, hex(&sha256(b"FEATURE")));
    }

    #[test]
    fn another_serial_is_another_matter_and_no_name_leads_out_of_the_folder() {
        let seven = licence("1", &["7.lic"]);
        let cut_off = Putting::begin(None, None, &seven).unwrap();
        let other = licence("2", &[]);
        assert!(cut_off.is_about(&seven) && !cut_off.is_about(&other));
        assert_eq!(Putting::begin(Some(&cut_off), Some(&seven), &other), None);
        for name in ["../x.lic", "/x.lic", "a/x.lic", "..", ".", "", "x.lic/"] {
            let files = [(name.to_owned(), hex(&sha256(b"")))].into();
            assert_eq!(names(&Putting { files, ..cut_off.clone() }, &seven), [""; 0], "{name}");
        }
    }
}
