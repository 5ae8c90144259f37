//! Files have their final rights, or narrower ones, at every moment: under umask 000 and 077, in a folder for one account and in
//! one for a group. Inotify looks at what is on the disk; strace shows every mode that a file ever had.
//! `cargo test --test rights`; `ORS_SHIPPED=/a/folder` looks at the libors.so in it instead.
#![cfg(target_os = "linux")]

#[path = "../hot/licences.rs"]
mod licences;
#[allow(dead_code, reason = "each test binary uses its own part")]
#[path = "../hot/rig.rs"]
mod rig;
#[allow(dead_code, reason = "each test binary uses its own part")]
#[path = "../../support/table.rs"]
mod table;
#[allow(dead_code, reason = "each test binary uses its own part")]
#[path = "../told/mod.rs"]
mod told;
mod trace;
mod watch;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rig::{Place, shipped};
use told::Told;
use watch::{Seen, Watch, walk};

/// Where a state folder's files are for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    OneAccount,
    Group,
}

/// The rights of what lies in a state folder: files, folders.
fn state_rights(form: Form) -> (u32, u32) {
    match form {
        Form::OneAccount => (0o600, 0o700),
        Form::Group => (0o660, 0o2770),
    }
}

/// A licence has 0644, or what the file had that it replaces; this test gives that one 0640.
const NEW_LICENCE: u32 = 0o644;
const KEPT_LICENCE: u32 = 0o640;

struct Outcome {
    looks: u64,
    made: u64,
    harm: Vec<String>,
}

/// A group that is not the account's own, where the account may give files to one.
fn group() -> u32 {
    // SAFETY: plain calls.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    if user == 0 { 1 } else { group }
}

fn set_rights(path: &Path, mode: u32) {
    chown(path, None, Some(group())).expect("the group");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode");
}

fn errand(form: Form, umask: u32) -> Outcome {
    let place = Place::new();
    let (state, licences) = (place.state(), place.licences());
    let folder = state.parent().expect("the place's folder").to_owned();
    let kept = licences.join(licences::FILE_NAME);
    set_rights(&kept, KEPT_LICENCE);
    if form == Form::Group {
        fs::create_dir(&state).expect("the state folder");
        set_rights(&state, state_rights(form).1);
    }
    let watched: Vec<&Path> =
        [&folder, &licences, &state].into_iter().map(|path| &**path).filter(|path| path.exists()).collect();
    let watch = Watch::start(&watched);

    let log = folder.join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", trace::CALLS, "-o"]).arg(&log);
    strace.args(["sh", "-c", &format!("umask {umask:03o}; exec \"$@\""), "sh"]);
    strace.arg(told::program()).arg(shipped()).args([&state, &licences, &place.keys()]);
    let mut host = Told::start(&mut strace);
    work(&mut host, &place, &kept);
    host.end();

    let mut seen = watch.end();
    let looks = seen.len() as u64;
    let (file, inner) = state_rights(form);
    let finals = |path: &Path, folder: bool| {
        if path == state || path.starts_with(&state) {
            Some(vec![if folder { inner } else { file }])
        } else if path.starts_with(&licences) && !folder {
            Some(vec![NEW_LICENCE, KEPT_LICENCE])
        } else {
            None
        }
    };
    let mut harm = Vec::new();
    for Seen { path, folder, mode, .. } in seen.drain(..) {
        if let Some(finals) = finals(&path, folder)
            && mode & !finals[0] != 0
        {
            harm.push(format!("{form:?}, umask {umask:03o}: {} was seen with {mode:o}", path.display()));
        }
    }
    let mut last = Vec::new();
    walk(&state, &mut last);
    walk(&licences, &mut last);
    for Seen { path, folder, mode, group: owner } in last.iter().filter(|seen| seen.path != licences) {
        let wanted = match finals(path, *folder) {
            _ if *path == kept => KEPT_LICENCE,
            Some(finals) => finals[0],
            None => 0,
        };
        let given_to_group = (form == Form::Group && path.starts_with(&state)) || *path == kept;
        if *mode != wanted || (given_to_group && *owner != group()) {
            harm.push(format!("{form:?}, umask {umask:03o}: {} has {mode:o} of group {owner}", path.display()));
        }
    }
    everything_is_there(&last, &state);
    let text = fs::read_to_string(&log).expect("what strace wrote");
    let report = trace::judge(&text, umask, &finals);
    harm.extend(report.harm.into_iter().map(|harm| format!("{form:?}, umask {umask:03o}: {harm}")));
    assert!(looks > 200 && report.made > 30, "{looks} looks, {} files made: too few", report.made);
    Outcome { looks, made: report.made, harm }
}

/// Every kind of file that the library writes.
fn work(host: &mut Told, place: &Place, kept: &Path) {
    let sequence = |file: u64| licences::Vendor::new().licence(file);
    let set = |host: &mut Told, json: &str| {
        let done = host.order("set", json.as_bytes());
        assert_eq!(done.code, 0, "{done:?}");
    };
    host.tell("open");
    host.tell("until 1");
    set(host, r#"{"language":"de","proxy":{"password":"a password"},"verification_code":"a code"}"#);
    set(host, r#"{"proxy":{"password":"another"}}"#);
    assert_eq!(host.order("install", &sequence(2)).code, 0);
    host.tell("until 2");
    host.tell("acknowledge 2");
    // The folder is away: the files to copy lie ready.
    let away = place.state().with_file_name("away");
    fs::rename(place.licences(), &away).expect("away");
    assert_eq!(host.order("install", &sequence(3)).code, 0);
    until("files to copy", || fs::read_dir(place.state().join("copy")).is_ok_and(|files| files.count() > 1));
    fs::rename(&away, place.licences()).expect("back");
    assert_eq!(host.order("install", &sequence(4)).code, 0);
    host.tell("until 4");
    // What is gone is put back, with the rights of a new file; then it gets those that it had, for the next one to keep.
    fs::remove_file(kept).expect("the licence");
    until("the licence to be put back", || kept.exists());
    set_rights(kept, KEPT_LICENCE);
    assert_eq!(host.order("install", &sequence(5)).code, 0);
    host.tell("until 5");
    host.tell("close");
    host.tell("open");
    set(host, r#"{"language":"en"}"#);
    host.tell("close");
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A file that was never written has no rights to be wrong. With a slash: a file in that folder.
fn everything_is_there(last: &[Seen], state: &Path) {
    const NAMES: &str = "settings.a settings.b settings.lock secrets.key secrets-2.sealed state.a state.b floor.a floor.b \
        acknowledged.a acknowledged.b journal.jsonl leader.lock installed.ors.json uploads copy backup/";
    for name in NAMES.split_whitespace() {
        let wanted = state.join(name.trim_end_matches('/'));
        let there = last.iter().any(|seen| match name.ends_with('/') {
            true => seen.path.parent() == Some(&wanted),
            false => seen.path == wanted,
        });
        assert!(there, "{name} is not there: {:?}", last.iter().map(|seen| &seen.path).collect::<Vec<_>>());
    }
}

#[test]
fn files_have_their_rights_at_every_moment() {
    let began = Instant::now();
    let cases = [(Form::OneAccount, 0o000), (Form::OneAccount, 0o077), (Form::Group, 0o000), (Form::Group, 0o077)];
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads = cases.map(|(form, umask)| scope.spawn(move || errand(form, umask)));
        threads.into_iter().map(|thread| thread.join().expect("an errand")).collect()
    });
    let harm: Vec<&String> = outcomes.iter().flat_map(|outcome| &outcome.harm).collect();
    harm.iter().for_each(|harm| println!("HARM {harm}"));
    let looks: u64 = outcomes.iter().map(|outcome| outcome.looks).sum();
    let made: u64 = outcomes.iter().map(|outcome| outcome.made).sum();
    println!("{looks} looks by inotify, {made} files and folders made, {:.1} s", began.elapsed().as_secs_f64());
    table::row("rights of files under umask 000 and 077, at every moment", looks + made, harm.len() as u64);
}

#[test]
fn a_file_that_is_wide_for_a_moment_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let watch = Watch::start(&[folder.path()]);
    let path = folder.path().join("wide");
    fs::write(&path, "x").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("its mode");
    until("a look", || watch.seen().iter().any(|seen| seen.path == path && seen.mode == 0o666));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    assert_eq!(watch.end().last().map(|seen| seen.mode), Some(0o600));
}

#[test]
fn a_trace_of_a_file_with_wrong_rights_is_told() {
    let finals = |path: &Path, folder: bool| path.starts_with("/s").then(|| vec![if folder { 0o700 } else { 0o600 }]);
    let judge = |lines: &[&str]| trace::judge(&lines.join("\n"), 0o022, &finals);
    let make = "7  openat(AT_FDCWD</>, \"/s/t\", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 5</s/t>";
    let write = "7  write(5</s/t>, \"a, b\"..., 4) = 4";
    let rename = "7  rename(\"/s/t\", \"/s/f\") = 0";
    let node = "7  mknodat(AT_FDCWD</>, \"/s/lock\", S_IFREG|0600) = 0";
    let fine = judge(&[make, write, rename, "8  mkdir(\"/s/d\", 0700) = 0", node]);
    assert_eq!((fine.made, fine.harm), (3, Vec::new()));
    let halves = [
        "7  openat(AT_FDCWD</>, \"/s/t\", O_WRONLY|O_CREAT, 0400 <unfinished ...>",
        "8  write(1<pipe:[1]>, \"x\", 1) = 1",
        "7  <... openat resumed>)             = 5</s/t>",
    ];
    let cases: [&[&str]; 10] = [
        &["7  mknodat(AT_FDCWD</>, \"/s/lock\", S_IFREG|0660) = 0"],
        &["7  mknodat(AT_FDCWD</>, \"/s/lock\", S_IFIFO|0600) = 0"],
        &["7  openat(AT_FDCWD</>, \"/s/t\", O_WRONLY|O_CREAT, 0666) = 5</s/t>"],
        &["7  mkdir(\"/s/d\", 0755) = 0"],
        &["7  openat(AT_FDCWD</>, \"/tmp/t\", O_RDWR|O_CREAT|O_EXCL, 0600) = 5</tmp/t>"],
        &[make, "7  fchmod(5</s/t>, 0644) = 0"],
        &[make, "7  fchmod(5</s/t>, 0400) = 0", write],
        &[make, "7  fchmod(5</s/t>, 0400) = 0", rename],
        &[make, "7  chmod(\"/s/t\", 0600) = 0"],
        &[halves[0], halves[1], halves[2], write],
    ];
    for lines in cases {
        assert_eq!(judge(lines).harm.len(), 1, "{lines:?}: {:?}", judge(lines));
    }
    let failed = judge(&["7  openat(AT_FDCWD</>, \"/tmp/t\", O_RDWR|O_CREAT, 0666) = -1 EACCES (Permission denied)"]);
    assert_eq!((failed.made, failed.harm.len()), (0, 0));
}
