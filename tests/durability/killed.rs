//! What a killed leader leaves behind, made by hand, and what the next one makes of it.

use crate::support::{Site, licence};
use ors::ffi::*;
use ors::store::{StateFolder, handover};
use serde_json::json;
use std::fs;

const OURS: &str = "prismaprepare-1234567890.ors.json";

fn put_upload(site: &Site, sequence: u64) {
    handover::put_upload(&StateFolder::existing(&site.state()).unwrap(), &site.vendor.file(sequence), "a user")
        .unwrap();
}

fn waiting_uploads(site: &Site) -> usize {
    handover::uploads(&StateFolder::existing(&site.state()).unwrap()).unwrap().len()
}

fn used(sequence: u64) -> Site {
    let site = Site::with(sequence);
    let host = site.open();
    host.until("read", |host| host.diagnostics()["floor"] == sequence);
    assert_eq!(host.close(), ORS_OK);
    site
}

#[test]
fn an_upload_that_waited_through_a_kill_is_not_put_over_a_newer_licence() {
    let site = used(7);
    // The leader was killed before it came to the upload; meanwhile a person copied a newer licence.
    put_upload(&site, 8);
    site.drop_file(OURS, &site.vendor.file(9));
    let host = site.open();
    host.until("dealt with", |_| waiting_uploads(&site) == 0);
    host.until_sequence(9);
    assert_eq!(fs::read(site.file(OURS)).unwrap(), site.vendor.file(9));
    assert_eq!(host.close(), ORS_OK);
    let backups = site.state().join("backup");
    let kept = fs::read_dir(&backups).map_or(0, Iterator::count);
    assert_eq!(kept, 0, "nothing was replaced");
}

#[test]
fn an_upload_that_waited_through_a_kill_is_installed() {
    let site = used(7);
    put_upload(&site, 8);
    let host = site.open();
    host.until_sequence(8);
    host.until("dealt with", |_| waiting_uploads(&site) == 0);
    assert_eq!(fs::read(site.file(OURS)).unwrap(), site.vendor.file(8));
}

#[test]
fn a_half_written_file_goes_from_every_folder_at_the_next_start() {
    let site = used(7);
    // No machine has this process id.
    let temp = ".ors-4194999-00000000000000aa-0.tmp";
    let folders = ["uploads", "backup", "copy"].map(|name| site.state().join(name));
    for folder in folders.iter().chain([&site.state(), &site.licences()]) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(temp), "half").unwrap();
    }
    let host = site.open();
    for folder in folders.iter().chain([&site.state(), &site.licences()]) {
        host.until(&folder.display().to_string(), |_| !folder.join(temp).exists());
    }
    assert_eq!(host.licence().sequence, 7);
}

#[test]
fn files_to_copy_that_were_only_half_laid_ready_are_cleared_away() {
    let site = used(7);
    let copy = site.state().join("copy");
    fs::create_dir_all(&copy).unwrap();
    fs::write(copy.join("server.lic"), "the envelope never came").unwrap();
    let host = site.open();
    host.until("cleared", |_| fs::read_dir(&copy).unwrap().count() == 0);
    assert_eq!((host.licence().sequence, host.licence().copy_sequence), (7, 0));
}

#[test]
fn a_document_of_which_one_copy_fell_behind_has_two_again_after_the_next_start() {
    let site = used(7);
    let copies = |name: &str| ["a", "b"].map(|copy| fs::read(site.state().join(format!("{name}.{copy}"))).unwrap());
    let host = site.open();
    host.set(&json!({ "language": "de" })).unwrap();
    let mut newer = licence(8);
    newer.users = 9;
    host.install(&site.vendor.sign(&newer)).1.unwrap();
    host.until("announced", |host| host.notices().announcement == 8);
    host.acknowledge(8).unwrap();
    let behind = ["settings", "acknowledged", "state", "floor"].map(|name| (name, copies(name)[1].clone()));
    host.set(&json!({ "language": "fr" })).unwrap();
    newer.sequence = ors::licence::Sequence::new(9).unwrap();
    newer.users = 10;
    host.install(&site.vendor.sign(&newer)).1.unwrap();
    host.until("announced", |host| host.notices().announcement == 9);
    host.acknowledge(9).unwrap();
    assert_eq!(host.close(), ORS_OK);
    // Killed between the two renames of each.
    for (name, old) in &behind {
        fs::write(site.state().join(format!("{name}.b")), old).unwrap();
    }
    let host = site.open();
    for (name, old) in &behind {
        host.until(name, |_| copies(name)[0] == copies(name)[1]);
        assert_ne!(&copies(name)[0], old);
    }
    assert_eq!(host.close(), ORS_OK);
    // Now the first copy is damaged, and nothing that was acknowledged is lost by that.
    for (name, _) in &behind {
        fs::write(site.state().join(format!("{name}.a")), "torn").unwrap();
    }
    let host = site.open();
    assert_eq!(host.settings()["language"], "fr");
    assert_eq!((host.licence().sequence, host.notices().announcement), (9, 0));
    assert_eq!(host.diagnostics()["floor"], 9);
}

#[test]
fn an_upload_stays_until_this_very_licence_lies_ready_to_be_copied() {
    let site = used(7);
    let away = site.place.path().join("away");
    crate::support::move_as_a_person(&site.licences(), &away);
    let host = site.open();
    host.install(&site.vendor.file(8)).1.unwrap();
    host.until("a person is asked", |host| host.licence().copy_sequence == 8);
    // The files to copy cannot be prepared any more: something else has their folder's name.
    let copy = site.state().join("copy");
    fs::remove_dir_all(&copy).unwrap();
    fs::write(&copy, "in the way").unwrap();
    host.install(&site.vendor.file(9)).1.unwrap();
    host.until("it was tried", |host| host.diagnostics()["notes"].to_string().contains("could not be prepared"));
    assert_eq!(waiting_uploads(&site), 2, "what was accepted is kept: this one, and 8, which nobody can copy any more");
    assert_eq!(host.close(), ORS_OK);
    fs::remove_file(&copy).unwrap();
    crate::support::move_as_a_person(&away, &site.licences());
    let host = site.open();
    host.until_sequence(9);
}
