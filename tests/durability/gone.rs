//! A state folder that goes away under a running agent, and what a process that died has left.

use crate::support::{Site, fls, licence};
use ors::ffi::*;
use ors::store::{StateFolder, document};
#[cfg(unix)]
use serde_json::json;
use std::fs;

// Windows deletes no folder in which a lock file is open.
#[cfg(unix)]
#[test]
fn a_state_folder_that_is_deleted_leaves_the_licence_in_use_and_is_made_anew_when_it_is_back() {
    let site = Site::with(7);
    let host = site.open();
    host.until("read", |host| host.diagnostics()["installed"]["source"] == "folder");
    host.set(&json!({ "language": "de" })).unwrap();
    fs::remove_dir_all(site.state()).unwrap();
    let failure = host.set(&json!({ "language": "fr" })).unwrap_err();
    assert_eq!(failure.code, ORS_E_IO, "{failure:?}");
    assert_eq!(host.install(&site.vendor.file(8)).1.unwrap_err().code, ORS_E_IO);
    host.until("told", |host| host.diagnostics()["notes"].as_array().unwrap().len() > 1);
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));

    fs::create_dir(site.state()).unwrap();
    host.until("it leads again", |host| host.diagnostics()["role"] == "leader");
    host.until("floor and copy are there again", |host| {
        site.state().join("installed.ors.json").exists() && host.diagnostics()["floor"] == 7
    });
    host.set(&json!({ "language": "fr" })).unwrap();
    host.install(&site.vendor.file(8)).1.unwrap();
    host.until_sequence(8);
    drop(host);
    let host = site.open();
    assert_eq!((host.licence().sequence, &host.settings()["language"]), (8, &json!("fr")));
}

#[test]
fn a_fresh_state_folder_starts_from_what_it_finds() {
    let site = Site::with(7);
    drop(site.open());
    fs::remove_dir_all(site.state()).unwrap();
    site.drop_file("older.ors.json", &site.vendor.file(6));
    let host = site.open();
    host.until_sequence(7);
    assert_eq!((host.licence().state, host.notices().notices), (ORS_LICENCE_VALID, 0), "and announces nothing");
}

#[test]
fn what_a_process_that_died_left_is_gone_after_the_next_start_and_strangers_files_stay() {
    let site = Site::with(7);
    let host = site.open();
    host.install(&site.vendor.sign(&licence(8))).1.unwrap();
    host.until_sequence(8);
    drop(host);
    // No process has such an id.
    let ours = ".ors-4194999-00000000000000ff-3.tmp";
    let strangers = [".ors-x.tmp", "notes.tmp", ".ors-4194999.tmp"];
    let folders = [site.state(), site.state().join("uploads"), site.state().join("backup"), site.licences()];
    for folder in &folders {
        for name in strangers.iter().chain([&ours]) {
            fs::write(folder.join(name), "half a fi").unwrap();
        }
    }
    let host = site.open();
    assert_eq!(host.licence().sequence, 8);
    host.until("the state folder's", |_| folders[..3].iter().all(|folder| !folder.join(ours).exists()));
    // The licence folder may be another machine's: it is cleared when something is put there.
    host.install(&site.vendor.file(9)).1.unwrap();
    host.until_sequence(9);
    assert!(!folders[3].join(ours).exists());
    for folder in &folders {
        for name in strangers {
            assert!(folder.join(name).exists(), "{}", folder.join(name).display());
        }
    }
}

#[test]
fn an_upload_that_nobody_dealt_with_is_taken_at_the_next_start() {
    let site = Site::with(7);
    drop(site.open());
    let uploads = site.state().join("uploads");
    let put = |bytes: &[u8]| {
        let name = ors::licence::hex(&ors::licence::sha256(bytes));
        fs::create_dir_all(&uploads).unwrap();
        fs::write(uploads.join(format!("{name}.lic")), bytes).unwrap();
    };
    // As if the process had died between keeping the files and acting on them.
    put(&site.vendor.file(8));
    put(&site.vendor.file(9));
    put(&issuer::sign_licence(&licence(50), &site.vendor.stranger));
    fs::write(uploads.join(format!("{}.lic", "0".repeat(64))), "not what its name says").unwrap();
    let host = site.open();
    host.until_sequence(9);
    host.until("all dealt with", |_| fs::read_dir(&uploads).unwrap().count() == 0);
    assert_eq!((host.licence().state, host.notices().notices), (ORS_LICENCE_VALID, 0));
}

#[test]
fn an_install_that_was_cut_off_at_its_end_is_finished_at_the_next_start() {
    let site = Site::new();
    let brings = |sequence, files: &[&str]| {
        let mut licence = licence(sequence);
        licence.fls = files.iter().map(|name| fls(name, "FEATURE")).collect();
        site.vendor.sign(&licence)
    };
    let host = site.open();
    host.install(&brings(7, &["kept.lic", "old.lic"])).1.unwrap();
    host.until_sequence(7);
    drop(host);
    // Licence 8 is complete in its folder and in use, and nothing of it waits; but what only licence 7 brought has not been
    // taken away, which the leader's document tells.
    site.drop_file("new.lic", b"FEATURE");
    site.drop_file("prismaprepare-1234567890.ors.json", &brings(8, &["kept.lic", "new.lic"]));
    site.open().until_sequence(8);
    assert!(site.file("old.lic").exists());
    let state = StateFolder::existing(&site.state()).unwrap();
    let read = document::read::<serde_json::Value>(&state, "state").unwrap();
    let mut document = read.value.unwrap();
    let digest = ors::licence::hex(&ors::licence::sha256(b"FEATURE"));
    let files: serde_json::Map<_, _> = ["kept.lic", "old.lic", "new.lic", "changed.lic"]
        .map(|name| (name.to_owned(), digest.clone().into()))
        .into_iter()
        .collect();
    document["putting"] = serde_json::json!({ "serial": "1234567890", "files": files });
    document::write(&state, "state", read.revision + 1, &document).unwrap();
    site.drop_file("changed.lic", b"by somebody else");
    let host = site.open();
    host.until("finished", |_| !site.file("old.lic").exists());
    assert_eq!(host.licence().sequence, 8);
    assert!(["kept.lic", "new.lic", "changed.lic"].iter().all(|name| site.file(name).exists()));
    let told = || document::read::<serde_json::Value>(&state, "state").unwrap().value.unwrap()["putting"].clone();
    host.until("done", |_| told().is_null());
}
