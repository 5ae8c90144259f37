//! A disk without room: calls say so, what was set before holds, and everything works when there is room again.

use crate::support::host::Host;
use crate::support::{Site, licence, text};
use ors::ffi::*;
use serde_json::json;
use std::ffi::CString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system of its own under a folder; gone with the value.
struct Small(PathBuf);

impl Small {
    /// `None` where this process may not mount.
    fn mount(path: PathBuf) -> Option<Small> {
        fs::create_dir_all(&path).unwrap();
        let target = CString::new(text(&path)).unwrap();
        let options = c"size=256k,mode=0700".as_ptr().cast();
        let done = unsafe { libc::mount(c"ors".as_ptr(), target.as_ptr(), c"tmpfs".as_ptr(), 0, options) };
        (done == 0).then_some(Small(path))
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        while file.write(&[0; 4_096]).is_ok_and(|written| written > 0) {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let target = CString::new(text(&self.0)).unwrap();
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}

fn temps(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().is_some_and(|name| name.starts_with(".ors-"))).count()
}

/// What a host sees while nothing can be written and afterwards.
fn nothing_is_lost(site: &Site, host: &Host, fill: impl Fn(), free: impl Fn()) {
    host.set(&json!({ "language": "de", "proxy": { "password": "kept" } })).unwrap();
    host.until("read", |host| host.diagnostics()["installed"]["source"] == "folder");
    for _ in 0..2 {
        fill();
        for change in [json!({ "language": "fr" }), json!({ "proxy": { "password": "other" } })] {
            let failure = host.set(&change).unwrap_err();
            assert_eq!(failure.code, ORS_E_IO, "{failure:?}");
            assert!(!failure.message.is_empty() && !failure.message.contains("other"));
        }
        let failure = host.install(&site.vendor.file(8)).1.unwrap_err();
        assert_eq!(failure.code, ORS_E_IO, "{failure:?}");
        let settings = host.settings();
        assert_eq!((&settings["language"], &settings["proxy"]["password"]["set"]), (&json!("de"), &json!(true)));
        assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
        free();
    }
    assert_eq!(temps(&site.state()), 0, "nothing half-written stays");
    host.set(&json!({ "language": "fr" })).unwrap();
    host.install(&site.vendor.file(8)).1.unwrap();
    host.until_sequence(8);
    assert_eq!(host.settings()["language"], "fr");
}

#[test]
fn a_full_state_folder_keeps_the_old_settings_and_the_old_licence() {
    let site = Site::with(7);
    if let Some(small) = Small::mount(site.state()) {
        let host = site.open();
        nothing_is_lost(&site, &host, || small.fill(), || small.free());
        drop(host);
        let host = site.open();
        assert_eq!((host.licence().sequence, &host.settings()["language"]), (8, &json!("fr")));
    }
    // And for everybody, mount or not: in a process whose files may not grow.
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "full_disk::in_a_process_whose_files_may_not_grow", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && out.contains("1 passed"), "{out}");
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn in_a_process_whose_files_may_not_grow() {
    let limit = |bytes: libc::rlim_t| {
        let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
    };
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let site = Site::with(7);
    let host = site.open();
    // The standard output is a pipe, which this limit is not about.
    nothing_is_lost(&site, &host, || limit(0), || limit(libc::RLIM_INFINITY));
}

#[test]
fn a_full_licence_folder_keeps_the_old_licence_whole_and_takes_the_new_one_when_there_is_room() {
    let site = Site::new();
    let Some(small) = Small::mount(site.licences()) else { return };
    site.drop_old(&site.vendor.file(7));
    let host = site.open();
    host.until_sequence(7);
    small.fill();
    let mut newer = licence(8);
    newer.fls.push(crate::support::fls("server.lic", "FEATURE"));
    host.install(&site.vendor.sign(&newer)).1.unwrap();
    host.until("a person is asked", |host| host.licence().copy_sequence == 8);
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    assert_eq!(fs::read(site.file(OURS)).unwrap(), site.vendor.file(7));
    assert_eq!(temps(&site.licences()), 0);
    small.free();
    // The page offers to try again: the same upload.
    host.install(&site.vendor.sign(&newer)).1.unwrap();
    host.until_sequence(8);
    host.until("nobody is asked any more", |host| host.licence().copy_sequence == 0);
    assert_eq!(fs::read_to_string(site.file("server.lic")).unwrap(), "FEATURE");
}

const OURS: &str = "prismaprepare-1234567890.ors.json";

impl Site {
    /// Straight into the folder: a file system of its own takes no renames from elsewhere.
    fn drop_old(&self, bytes: &[u8]) {
        fs::write(self.file(OURS), bytes).unwrap();
    }
}
