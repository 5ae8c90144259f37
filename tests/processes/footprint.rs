//! What an agent leaves in its host: nothing, before it is opened and after it is closed.

use crate::alone::alone;
use crate::support::Site;
use crate::support::host::Host;
use crate::within;
use ors::ffi::*;
use std::collections::BTreeMap;
use std::ffi::CStr;

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn thread_names() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Everything of the process that a library could change behind its host's back.
fn process() -> BTreeMap<String, String> {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let kept = ["SigBlk", "SigIgn", "SigCgt", "Umask", "Uid", "Gid", "NoNewPrivs", "CapEff"];
    let lines = status.lines().filter_map(|line| line.split_once(':'));
    let mut all: BTreeMap<String, String> = lines
        .filter(|(name, _)| kept.contains(name))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    assert_eq!(all.len(), kept.len());
    all.extend(std::env::vars_os().map(|(name, value)| (format!("{name:?}"), format!("{value:?}"))));
    all.insert("working folder".to_owned(), std::env::current_dir().unwrap().display().to_string());
    // SAFETY: asks only; the text is copied before anything else is called.
    let locale = unsafe { CStr::from_ptr(libc::setlocale(libc::LC_ALL, std::ptr::null())) };
    all.insert("locale".to_owned(), format!("{locale:?}"));
    all.insert("limits".to_owned(), std::fs::read_to_string("/proc/self/limits").unwrap());
    // Signal handlers themselves, not only which signals have one.
    for signal in 1..=31 {
        let mut action: libc::sigaction = crate::support::host::zeroed();
        // SAFETY: asks only.
        if unsafe { libc::sigaction(signal, std::ptr::null(), &mut action) } == 0 {
            all.insert(format!("signal {signal}"), format!("{:x} {:x}", action.sa_sigaction, action.sa_flags));
        }
    }
    all
}

const NOTHING: [String; 0] = [];

/// The names of what is not as it was. Not the values: an environment may hold what belongs in no log.
fn changed(before: &BTreeMap<String, String>) -> Vec<String> {
    let now = process();
    let names = before.keys().chain(now.keys());
    names.filter(|name| before.get(*name) != now.get(*name)).cloned().collect()
}

fn use_it(host: &Host) {
    host.notices();
    host.licence();
    host.about();
    host.settings();
    host.diagnostics();
    host.text(ORS_TEXT_CUSTOMER);
}

#[test]
fn opening_using_and_closing_changes_nothing_of_the_process() {
    if !alone("footprint::opening_using_and_closing_changes_nothing_of_the_process") {
        return;
    }
    let before = process();
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    use_it(&host);
    host.set(&serde_json::json!({ "enabled": true, "language": "de" })).unwrap();
    host.install(&site.vendor.file(8)).1.unwrap();
    host.until_sequence(8);
    assert_eq!(changed(&before), NOTHING, "while it is open");
    host.close();
    assert_eq!(changed(&before), NOTHING, "after it was closed");
}

#[test]
fn an_agent_opened_read_only_has_no_thread_and_writes_nothing() {
    if !alone("footprint::an_agent_opened_read_only_has_no_thread_and_writes_nothing") {
        return;
    }
    let site = Site::with(7);
    let (threads_before, descriptors_before) = (threads(), descriptors());
    let mut options = site.options();
    options.flags = ORS_OPEN_READ_ONLY;
    let host = Host::open(&options).unwrap();
    use_it(&host);
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7));
    assert_eq!((threads(), descriptors()), (threads_before, descriptors_before));
    assert!(!site.state().exists(), "not even a folder");
    for (what, code) in [
        ("a setting", host.set(&serde_json::json!({})).unwrap_err().code),
        ("an upload", host.install(&site.vendor.file(8)).1.unwrap_err().code),
        ("an acknowledgement", host.acknowledge(1).unwrap_err().code),
    ] {
        assert_eq!(code, ORS_E_READ_ONLY, "{what}");
    }
    assert_eq!(host.close(), ORS_OK);
    assert_eq!((threads(), descriptors()), (threads_before, descriptors_before));
}

#[test]
fn the_first_open_starts_the_threads_and_the_last_close_ends_them() {
    if !alone("footprint::the_first_open_starts_the_threads_and_the_last_close_ends_them") {
        return;
    }
    let site = Site::with(7);
    ors_abi_version();
    let before = (threads(), descriptors());
    let host = site.open();
    host.until_sequence(7);
    let names = thread_names();
    assert_eq!(names.iter().filter(|name| name.starts_with("ors-")).count(), 2, "{names:?}");
    assert_eq!(threads(), before.0 + 2);
    let more = [(); 5].map(|()| site.open());
    assert_eq!(threads(), before.0 + 2, "equal options share them");
    assert_eq!(more.map(Host::close), [ORS_OK; 5]);
    assert_eq!(threads(), before.0 + 2, "others have it open still");
    assert_eq!(host.close(), ORS_OK);
    within(2, "the threads end", || (threads(), descriptors()) == before);
}

#[test]
fn two_hundred_opens_and_closes_leave_nothing() {
    if !alone("footprint::two_hundred_opens_and_closes_leave_nothing") {
        return;
    }
    let site = Site::with(7);
    site.open().close();
    within(2, "the threads end", || threads() <= 2);
    let before = (threads(), descriptors());
    for round in 0..200 {
        let host = site.open();
        assert_eq!(host.licence().sequence, 7, "round {round}");
        // Finalisers do not wait.
        let timeout = if round % 2 == 0 { 0 } else { ORS_DEFAULT_WAIT };
        let agent = host.agent;
        std::mem::forget(host);
        let code = ors_close(agent, timeout);
        assert!(code == ORS_OK || (timeout == 0 && code == ORS_E_TIMEOUT), "round {round}: {code}");
    }
    within(5, "everything is given back", || (threads(), descriptors()) == before);
}
