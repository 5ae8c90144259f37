//! A licence that waits for a person to copy it: an upload that was accepted is not lost on the way there.

use crate::support::{Site, feature, fls, licence, remove_as_a_person};
use ors::ffi::*;
use std::fs;

/// A site whose licence folder is away.
fn without_a_folder() -> Site {
    let site = Site::with(7);
    site.open().until_sequence(7);
    remove_as_a_person(&site.licences());
    site
}

fn brings(sequence: u64, file: &str) -> ors::licence::Licence {
    let mut licence = licence(sequence);
    licence.features.push(feature("imposition", "Imposition"));
    licence.fls.push(fls(file, "FEATURE"));
    licence
}

#[test]
fn an_upload_whose_files_to_copy_cannot_be_prepared_is_kept_until_they_can() {
    let site = without_a_folder();
    let host = site.open();
    host.install(&site.vendor.sign(&brings(8, "server.lic"))).1.unwrap();
    host.until("a person is asked", |host| host.licence().copy_sequence == 8);
    let obstacle = site.state().join("copy/blocked.lic");
    fs::create_dir(&obstacle).unwrap();
    let file = site.vendor.sign(&brings(9, "blocked.lic"));
    let (result, done) = host.install(&file);
    done.unwrap();
    assert_eq!(result.state, ORS_INSTALL_ACCEPTED);
    host.until("told", |host| host.diagnostics()["notes"].to_string().contains("could not be prepared"));
    drop(host);
    fs::remove_dir(&obstacle).unwrap();
    // Without a new start it is tried again within a minute.
    let host = site.open();
    host.until("a person is asked", |host| host.licence().copy_sequence == 9);
    assert_eq!(fs::read_to_string(&obstacle).unwrap(), "FEATURE");
    fs::create_dir(site.licences()).unwrap();
    host.until("in its folder", |host| host.licence().sequence == 9 && host.licence().copy_sequence == 0);
    host.until("nothing waits any more", |_| {
        ["uploads", "copy"].iter().all(|name| fs::read_dir(site.state().join(name)).unwrap().count() == 0)
    });
}

#[test]
fn files_to_copy_that_are_damaged_or_deleted_are_made_again() {
    let site = without_a_folder();
    let host = site.open();
    let file = site.vendor.sign(&brings(8, "server.lic"));
    assert_eq!(host.install(&file).0.state, ORS_INSTALL_COPY);
    drop(host);
    let copy = site.state().join("copy");
    let envelope = copy.join("prismaprepare-1234567890.ors.json");
    let damage = [|| Some(b"FEATURe".to_vec()), || Some(Vec::new()), || None];
    for damaged in ["server.lic", "prismaprepare-1234567890.ors.json"] {
        for left in damage {
            match left() {
                Some(bytes) => fs::write(copy.join(damaged), bytes).unwrap(),
                None => fs::remove_file(copy.join(damaged)).unwrap(),
            }
            let host = site.open();
            host.until("a person is asked", |host| host.licence().copy_sequence == 8);
            host.until("whole", |_| fs::read(&envelope).is_ok_and(|bytes| bytes == file));
            host.until("whole", |_| fs::read(copy.join("server.lic")).is_ok_and(|bytes| bytes == b"FEATURE"));
        }
    }
    fs::remove_dir_all(&copy).unwrap();
    let host = site.open();
    host.until("a person is asked", |host| host.licence().copy_sequence == 8);
    host.until("whole", |_| fs::read(&envelope).is_ok_and(|bytes| bytes == file));
}
