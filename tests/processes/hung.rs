//! A licence folder that hangs, as a dead share does: the host is served, and nothing waits for it.
//!
//! The folder hangs because this test binary has an `opendir` of its own, which the standard library in it calls.

use crate::alone::alone;
use crate::support::host::Host;
use crate::support::{Site, licence};
use crate::within;
use ors::ffi::*;
use serde_json::json;
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// The folder that hangs now.
static HANGS: Mutex<Option<String>> = Mutex::new(None);
static RELEASED: Condvar = Condvar::new();
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static HANGING: AtomicBool = AtomicBool::new(false);
static REAL: AtomicUsize = AtomicUsize::new(0);

type OpenDir = extern "C" fn(*const c_char) -> *mut c_void;

/// # Safety
/// As the C library's function of that name.
#[unsafe(no_mangle)]
unsafe extern "C" fn opendir(name: *const c_char) -> *mut c_void {
    // Found once, and no lock without need: a forked child of another test may be here, too.
    let real = match REAL.load(SeqCst) {
        0 => {
            // SAFETY: asks for the C library's own function.
            let found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"opendir".as_ptr()) } as usize;
            REAL.store(found, SeqCst);
            found
        }
        found => found,
    };
    // SAFETY: the C library's function has this type.
    let real = unsafe { std::mem::transmute::<usize, OpenDir>(real) };
    if HANGING.load(SeqCst) {
        // SAFETY: the caller's text.
        let path = unsafe { CStr::from_ptr(name) }.to_bytes();
        INSIDE.fetch_add(1, SeqCst);
        let hangs = HANGS.lock().unwrap();
        drop(RELEASED.wait_while(hangs, |hangs| hangs.as_ref().is_some_and(|folder| folder.as_bytes() == path)));
        INSIDE.fetch_sub(1, SeqCst);
    }
    real(name)
}

struct Hang;

impl Hang {
    /// From now on.
    fn begin(site: &Site) -> Hang {
        *HANGS.lock().unwrap() = Some(site.licences().to_str().unwrap().to_owned());
        HANGING.store(true, SeqCst);
        Hang
    }

    fn wait_until_inside(&self) {
        crate::took("the folder thread looks", || INSIDE.load(SeqCst) > 0);
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        *HANGS.lock().unwrap() = None;
        RELEASED.notify_all();
    }
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_host_is_served_while_its_licence_folder_hangs() {
    if !alone("hung::a_host_is_served_while_its_licence_folder_hangs") {
        return;
    }
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let hang = Hang::begin(&site);
    hang.wait_until_inside();
    let quick = |what: &str, call: &dyn Fn()| {
        let began = Instant::now();
        call();
        assert!(began.elapsed() < Duration::from_secs(2), "{what}: {:?}", began.elapsed());
    };
    quick("reads", &|| {
        assert_eq!((host.licence().sequence, host.notices().notices), (7, 0));
        assert_eq!(host.about()["sequence"], 7);
    });
    quick("a setting", &|| host.set(&json!({ "language": "en" })).unwrap());
    quick("an upload", &|| {
        let mut newer = licence(8);
        newer.users = 10;
        let (result, done) = host.install(&site.vendor.sign(&newer));
        done.unwrap();
        assert_eq!((result.state, result.sequence), (ORS_INSTALL_ACCEPTED, 8));
    });
    crate::took("diagnostics say so", || host.diagnostics()["licence_folder_state"] == "hung");
    assert_eq!((host.licence().state, host.licence().sequence), (ORS_LICENCE_VALID, 7), "the old licence stays in use");
    drop(hang);
    host.until_sequence(8);
    assert_eq!(host.diagnostics()["licence_folder_state"], "read");
}

#[test]
fn opening_and_closing_do_not_wait_for_a_folder_that_hangs() {
    if !alone("hung::opening_and_closing_do_not_wait_for_a_folder_that_hangs") {
        return;
    }
    let site = Site::with(7);
    let before = threads();
    let host = site.open();
    host.until_sequence(7);
    let hang = Hang::begin(&site);
    hang.wait_until_inside();
    let close = |host: Host, timeout| {
        let agent = host.agent;
        std::mem::forget(host);
        let began = Instant::now();
        let code = ors_close(agent, timeout);
        assert!([ORS_OK, ORS_E_TIMEOUT].contains(&code), "{code}");
        assert!(
            began.elapsed() < Duration::from_millis(u64::from(timeout)) + Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
    };
    close(host, 500);

    let began = Instant::now();
    let again = site.open();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!((again.licence().state, again.licence().sequence), (ORS_LICENCE_VALID, 7), "the last known licence");
    close(again, 0);

    // What a fenced thread finds when it goes on, nobody asks for any more.
    std::fs::remove_file(site.file("prismaprepare-1234567890.ors.json")).unwrap();
    drop(hang);
    within(5, "the threads that hung end", || threads() == before);
    assert_eq!(std::fs::read_dir(site.licences()).unwrap().count(), 0, "nothing is put back by them");
}

#[test]
fn opening_again_and_again_under_a_folder_that_hangs_leaves_one_thread_behind() {
    if !alone("hung::opening_again_and_again_under_a_folder_that_hangs_leaves_one_thread_behind") {
        return;
    }
    let site = Site::with(7);
    let before = threads();
    let host = site.open();
    host.until_sequence(7);
    let hang = Hang::begin(&site);
    hang.wait_until_inside();
    drop(host);
    for round in 0..5 {
        let again = site.open();
        assert_eq!((again.licence().state, again.licence().sequence), (ORS_LICENCE_VALID, 7), "round {round}");
        assert_eq!(again.close(), ORS_OK, "the agent's own thread is free");
    }
    // The others have said that they end, and do so a moment later.
    within(5, "one thread stays, however often a host opens", || threads() == before + 1);
    let again = site.open();
    crate::took("diagnostics say why nothing is read", || again.diagnostics()["licence_folder_state"] == "hung");
    site.drop_file("newer.ors.json", &site.vendor.file(8));
    drop(hang);
    again.until_sequence(8);
    drop(again);
    within(5, "all threads end", || threads() == before);
}

#[test]
fn a_folder_that_hangs_from_the_start_is_not_called_empty() {
    if !alone("hung::a_folder_that_hangs_from_the_start_is_not_called_empty") {
        return;
    }
    let site = Site::with(7);
    let hang = Hang::begin(&site);
    let began = Instant::now();
    let host = site.open();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!((host.licence().state, host.licence().notices), (ORS_LICENCE_UNKNOWN, 0), "neither valid nor missing");
    drop(hang);
    host.until_sequence(7);
}
