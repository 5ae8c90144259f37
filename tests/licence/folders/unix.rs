//! What only a Unix system puts into a folder: links, pipes, sockets, devices, names that are no text; and the reread command.

use super::*;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

fn make_fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

#[test]
fn what_is_no_ordinary_file_is_refused_and_never_opened() {
    let site = Site::with(7);
    let elsewhere = site.place.path().join("elsewhere.ors.json");
    fs::write(&elsewhere, site.vendor.file(8)).unwrap();
    let host = site.open();
    host.until("read", |host| source(host) == "folder");

    symlink(&elsewhere, site.file("link.ors.json")).unwrap();
    symlink(site.place.path().join("nothing"), site.file("dangling.ors.json")).unwrap();
    symlink(site.file("loop.ors.json"), site.file("loop.ors.json")).unwrap();
    make_fifo(&site.file("fifo.ors.json"));
    fs::create_dir(site.file("folder.ors.json")).unwrap();
    let _listener = UnixListener::bind(site.file("socket.ors.json")).unwrap();
    let mut rows = vec!["link", "dangling", "loop", "fifo", "folder", "socket"];
    // Only root may make a device node; everybody meets one by the path below.
    let device = CString::new(site.file("device.ors.json").as_os_str().as_bytes()).unwrap();
    if unsafe { libc::mknod(device.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(1, 5)) } == 0 {
        rows.push("device");
    }
    // The other names that are read must not hold anybody up either.
    make_fifo(&site.file("ors-keys.json"));
    make_fifo(&site.file("server.lic"));

    for row in rows {
        let file = format!("{row}.ors.json");
        host.until(row, |host| refused(host, &file) == i64::from(ORS_REASON_NOT_A_FILE));
        let found = host.row(&file).unwrap();
        assert!(is_sentence(found["text"].as_str().unwrap()), "{found}");
        assert!(log(&host).iter().any(|line| line.starts_with(&format!("{file} was refused (not-a-file)"))));
        assert!(fs::symlink_metadata(site.file(&file)).is_ok(), "it stays");
    }
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    site.drop_file("good.ors.json", &site.vendor.file(9));
    host.until_sequence(9);
}

#[test]
fn a_path_to_a_device_or_to_a_file_that_cannot_be_read_leaves_the_old_licence_in_use() {
    let site = Site::with(7);
    let host = site.open();
    // Reading the first byte of a process's memory fails, for root too.
    for (path, file, reason) in
        [("/dev/zero", "zero", ORS_REASON_NOT_A_FILE), ("/proc/self/mem", "mem", ORS_REASON_UNREADABLE)]
    {
        host.set(&json!({ "licence_path": path })).unwrap();
        host.until(path, |host| refused(host, file) == i64::from(reason));
        assert!(is_sentence(host.row(file).unwrap()["text"].as_str().unwrap()));
        let status = host.licence();
        assert_eq!((status.state, status.sequence), (ORS_LICENCE_VALID, 7), "{path}");
        host.until("nothing is written there: a person is asked", |host| {
            host.notices().notices == ORS_NOTICE_MANUAL_COPY
        });
    }
    host.set(&json!({ "licence_path": null })).unwrap();
    host.until("back again", |host| source(host) == "folder" && host.notices().notices == 0);
}

#[test]
fn a_folder_that_is_a_link_is_read_and_never_written() {
    let site = Site::with(7);
    let link = site.place.path().join("link");
    symlink(site.licences(), &link).unwrap();
    let mut options = site.options();
    options.licence_folder = Some(text(&link));
    let host = Host::open(&options).unwrap();
    host.until("read", |host| source(host) == "folder");
    let (_, done) = host.install(&site.vendor.file(8));
    done.unwrap();
    host.until("a person is asked", |host| host.licence().copy_sequence == 8);
    assert_eq!(host.licence().sequence, 7);
    assert_eq!(fs::read(site.file(OURS)).unwrap(), site.vendor.file(7));
    assert!(log(&host).iter().any(|line| line.contains("is a link; set the path to the folder itself")));
}

#[test]
fn names_that_a_person_cannot_read_are_refused_and_shown_harmlessly() {
    let site = Site::with(7);
    let host = site.open();
    let names: [&[u8]; 7] = [
        b"\xff\xfe.ors.json",
        b"a\nb.ors.json",
        b"a\x1b[31m.ors.json",
        "c\u{202E}d.ors.json".as_bytes(),
        b"\xc3\xa9\xff.ORS.JSON",
        b"a\rInstalled.ors.json",
        "x\u{2066}\u{9B}.ors.json".as_bytes(),
    ];
    for name in names {
        fs::write(site.licences().join(OsStr::from_bytes(name)), site.vendor.file(8)).unwrap();
    }
    let rows = |host: &Host| {
        let found = host.diagnostics()["licences"].as_array().unwrap().clone();
        found.into_iter().filter(|row| row["reason_code"] == ORS_REASON_NOT_A_FILE).collect::<Vec<_>>()
    };
    host.until("all refused", |host| rows(host).len() == names.len());
    for row in rows(&host) {
        let shown = row["file"].as_str().unwrap();
        assert!(is_sentence(&format!("The file is {shown}.")), "{shown:?}");
    }
    assert!(log(&host).iter().all(|line| !line.chars().any(char::is_control)));
    assert_eq!(host.licence().sequence, 7);
    // Foreign is not hostile: other scripts, spaces, markup, and the longest name that a file may have.
    for (sequence, name) in [
        (8, "ліцензія № 8.ors.json".to_owned()),
        (9, "<b>&.ors.json".to_owned()),
        (10, format!("{}.ors.json", "n".repeat(246))),
    ] {
        site.drop_file(&name, &site.vendor.file(sequence));
        host.until_sequence(sequence);
    }
}

#[test]
fn the_reread_command_runs_after_an_installation_and_only_then() {
    let site = Site::with(7);
    let proof = site.place.path().join("reread");
    let mut options = site.options();
    options.commands =
        Some(json!({ "reread": ["/bin/sh", "-c", format!("echo run >> {}", text(&proof))] }).to_string());
    let host = Host::open(&options).unwrap();
    host.until("read", |host| source(host) == "folder");
    host.install(&site.vendor.file(6)).1.unwrap_err();
    host.install(&site.vendor.file(8)).1.unwrap();
    host.until_sequence(8);
    host.until("reread", |host| log(host).iter().any(|line| line == "The reread command ended: exit status: 0."));
    assert_eq!(fs::read_to_string(&proof).unwrap(), "run\n");
    // One that was dropped by a person is read by the floating server's own means.
    site.drop_file(OURS, &site.vendor.file(9));
    host.until_sequence(9);
    assert_eq!(fs::read_to_string(&proof).unwrap(), "run\n");
}

#[test]
fn a_reread_command_that_fails_is_told_and_costs_nothing() {
    for (program, told) in [("/nowhere/reread", "could not be started"), ("/bin/false", "exit status: 1")] {
        let site = Site::with(7);
        let mut options = site.options();
        options.commands = Some(json!({ "reread": [program] }).to_string());
        let host = Host::open(&options).unwrap();
        host.install(&site.vendor.file(8)).1.unwrap();
        host.until_sequence(8);
        host.until(told, |host| log(host).iter().any(|line| line.contains("reread") && line.contains(told)));
        assert_eq!(host.notices().notices, 0);
    }
}
