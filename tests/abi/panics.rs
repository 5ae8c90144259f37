//! A panic at every place where a test may ask for one: on the host's thread it is a code, and the answer is emptied; on the
//! library's own threads it is a line in the log and a start anew, and the host is served meanwhile.

use crate::alone::alone;
use crate::calls::{Opening, Query, STALE, stale_error, told, verdict};
use crate::support::host::{Host, new_error, zeroed};
use crate::support::table::{count, row};
use crate::support::{Site, licence};
use ors::ffi::*;
use ors::injected;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_char;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// One export, called with everything right. Returns its code, and what of its answer is wrong after a failure.
type Call<'a> = Box<dyn Fn() -> (i32, Option<String>) + 'a>;

fn zeros<T>(out: &T) -> Option<String> {
    // SAFETY: a struct of the ABI has no padding.
    let bytes = unsafe { std::slice::from_raw_parts(std::ptr::from_ref(out).cast::<u8>(), size_of::<T>()) };
    bytes[4..].iter().any(|byte| *byte != 0).then(|| "the struct is not zeroed".to_owned())
}

fn stale<T>() -> T {
    let mut out: T = zeroed();
    // SAFETY: a plain struct of the ABI, of which every byte pattern is a value.
    unsafe { std::ptr::from_mut(&mut out).cast::<u8>().write_bytes(STALE, size_of::<T>()) };
    // SAFETY: it begins with its size.
    unsafe { std::ptr::from_mut(&mut out).cast::<u32>().write(size_of::<T>() as u32) };
    out
}

/// The error struct after a call that failed by a panic.
fn error_tells(code: i32, error: &ors_error) -> Option<String> {
    let right = told(error) == (code, String::new(), code != ORS_OK);
    (!right).then(|| format!("the error struct says {:?}", told(error)))
}

fn all(found: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let found: Vec<String> = found.into_iter().flatten().collect();
    (!found.is_empty()).then(|| found.join(", "))
}

fn text(call: impl Fn(*mut c_char, usize, *mut usize) -> i32) -> (i32, Option<String>) {
    let (mut buffer, mut needed) = (vec![STALE; 1 << 16], 77);
    let code = call(buffer.as_mut_ptr().cast(), buffer.len(), &mut needed);
    let left = (code != ORS_OK && (needed, buffer[0]) != (0, 0)).then(|| format!("a text of {needed} bytes is left"));
    (code, left)
}

/// Every export but `ors_abi_version`, which has nothing that could panic.
fn exports<'a>(site: &'a Site, open: &'a RefCell<Option<Host>>) -> BTreeMap<&'static str, Call<'a>> {
    let agent = move || open.borrow().as_ref().map_or(0, |host| host.agent);
    let mut all_of_them: BTreeMap<&'static str, Call<'a>> = BTreeMap::new();
    let mut shown: ors_notice_status = zeroed();
    (shown.struct_size, shown.notices) = (64, ORS_NOTICE_CLOCK_WRONG);
    all_of_them.insert("ors_version", Box::new(|| text(|buf, cap, needed| unsafe { ors_version(buf, cap, needed) })));
    all_of_them.insert(
        "ors_error_text",
        Box::new(|| text(|buf, cap, needed| unsafe { ors_error_text(ORS_E_IO, null(), 0, buf, cap, needed) })),
    );
    all_of_them.insert(
        "ors_update_text",
        Box::new(|| text(|buf, cap, needed| unsafe { ors_update_text(&verdict(), null(), 0, buf, cap, needed) })),
    );
    all_of_them.insert(
        "ors_notice_text",
        Box::new(move || {
            text(|buf, cap, needed| unsafe {
                ors_notice_text(agent(), &shown, ORS_NOTICE_CLOCK_WRONG, null(), 0, buf, cap, needed)
            })
        }),
    );
    all_of_them.insert(
        "ors_about",
        Box::new(move || text(|buf, cap, needed| unsafe { ors_about(agent(), buf, cap, needed) })),
    );
    all_of_them.insert(
        "ors_text",
        Box::new(move || text(|buf, cap, needed| unsafe { ors_text(agent(), ORS_TEXT_SERIAL, 0, buf, cap, needed) })),
    );
    all_of_them.insert(
        "ors_settings_get",
        Box::new(move || text(|buf, cap, needed| unsafe { ors_settings_get(agent(), buf, cap, needed) })),
    );
    all_of_them.insert(
        "ors_diagnostics",
        Box::new(move || text(|buf, cap, needed| unsafe { ors_diagnostics(agent(), buf, cap, needed) })),
    );
    all_of_them.insert(
        "ors_read_log",
        Box::new(move || {
            let (mut after, mut level) = (0, 77);
            let (code, left) = {
                let call = RefCell::new(|buf, cap, needed| unsafe {
                    ors_read_log(agent(), &mut after, 5_000, &mut level, buf, cap, needed)
                });
                text(|buf, cap, needed| (call.borrow_mut())(buf, cap, needed))
            };
            let moved = (code != ORS_OK && after != 0).then(|| format!("after is {after}"));
            (code, all([left, moved]))
        }),
    );
    all_of_them.insert(
        "ors_notify_status",
        Box::new(move || {
            let mut out: ors_notice_status = stale();
            let code = unsafe { ors_notify_status(agent(), &mut out) };
            (code, zeros(&out).filter(|_| code != ORS_OK))
        }),
    );
    all_of_them.insert(
        "ors_check_licence",
        Box::new(move || {
            let mut out: ors_licence_status = stale();
            let code = unsafe { ors_check_licence(agent(), &mut out) };
            (code, zeros(&out).filter(|_| code != ORS_OK))
        }),
    );
    all_of_them.insert(
        "ors_wait",
        Box::new(move || {
            let mut revision = 77;
            let code = unsafe { ors_wait(agent(), 0, 5_000, &mut revision) };
            (code, (code != ORS_OK && revision != 0).then(|| "a revision is left".to_owned()))
        }),
    );
    all_of_them.insert("ors_set_log", Box::new(move || (unsafe { ors_set_log(agent(), 3, None, null_mut()) }, None)));
    all_of_them.insert(
        "ors_settings_set",
        Box::new(move || {
            let (json, mut error) = (c"{\"language\":\"en\"}", stale_error());
            let code = unsafe { ors_settings_set(agent(), json.as_ptr(), ORS_NTS, null(), 0, &mut error) };
            (code, error_tells(code, &error))
        }),
    );
    all_of_them.insert(
        "ors_connect",
        Box::new(move || {
            let (mut run, mut error) = (77, stale_error());
            let code = unsafe { ors_connect(agent(), null(), 0, &mut run, &mut error) };
            let left = (code != ORS_OK && run != 0).then(|| "the number of a run is left".to_owned());
            (code, all([left, error_tells(code, &error)]))
        }),
    );
    // The run before is there to be reported: calls are made in the order of their names.
    all_of_them.insert(
        "ors_connect_report",
        Box::new(move || text(|buf, cap, needed| unsafe { ors_connect_report(agent(), 0, buf, cap, needed) })),
    );
    all_of_them.insert(
        "ors_restart",
        Box::new(move || {
            let mut error = stale_error();
            let code = unsafe { ors_restart(agent(), null(), 0, &mut error) };
            (code, error_tells(code, &error))
        }),
    );
    all_of_them.insert(
        "ors_acknowledge",
        Box::new(move || {
            let mut error = stale_error();
            // Once acknowledged, again is 0.
            let code = unsafe { ors_acknowledge(agent(), 8, null(), 0, &mut error) };
            (code, error_tells(code, &error))
        }),
    );
    all_of_them.insert(
        "ors_install_licence",
        Box::new(move || {
            let (file, mut out, mut error) = (newer(site), stale::<ors_install_result>(), stale_error());
            let code =
                unsafe { ors_install_licence(agent(), file.as_ptr(), file.len(), null(), 0, &mut out, &mut error) };
            (code, all([zeros(&out).filter(|_| code != ORS_OK), error_tells(code, &error)]))
        }),
    );
    all_of_them.insert(
        "ors_check_update",
        Box::new(move || {
            let (query, mut out, mut error) = (Query::new(site), stale::<ors_update_verdict>(), stale_error());
            let code = unsafe { ors_check_update(&query.given, &mut out, &mut error) };
            (code, all([zeros(&out).filter(|_| code != ORS_OK), error_tells(code, &error)]))
        }),
    );
    all_of_them.insert(
        "ors_open",
        Box::new(move || {
            let (options, mut out, mut error) = (Opening::new(&site.options()), 77, stale_error());
            let code = unsafe { ors_open(&options.given, &mut out, &mut error) };
            if code == ORS_OK {
                // This close is not what is tried; that the panic has not come has to be seen.
                let still_to_come = injected::on_this_thread(0);
                ors_close(out, ORS_DEFAULT_WAIT);
                injected::on_this_thread(if still_to_come { u64::MAX } else { 0 });
                return (code, error_tells(code, &error));
            }
            let left = (out != 0).then(|| "a handle is left".to_owned());
            (code, all([left, error_tells(code, &error)]))
        }),
    );
    all_of_them.insert(
        "ors_close",
        Box::new(move || {
            let closed = open.borrow_mut().take().expect("an open agent");
            let agent = closed.agent;
            std::mem::forget(closed);
            let code = ors_close(agent, ORS_DEFAULT_WAIT);
            let dead = ors_close(agent, ORS_DEFAULT_WAIT);
            (code, (dead != ORS_E_CLOSED).then(|| format!("it is not closed: {dead}")))
        }),
    );
    all_of_them
}

/// Licence 8, with more users.
fn newer(site: &Site) -> Vec<u8> {
    let mut newer = licence(8);
    newer.users = 10;
    site.vendor.sign(&newer)
}

fn exported() -> Vec<String> {
    let list = include_str!("exports.txt").lines().filter(|line| !line.starts_with('#'));
    list.map(str::to_owned).filter(|name| name != "ors_abi_version").collect()
}

/// Waits until no agent has the state folder: the runtime has ended, and its lock with it.
fn until_nobody_leads(state: &Path) {
    let began = Instant::now();
    while ors::store::FileLock::try_take(&state.join("leader.lock")).unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(20), "a runtime is left");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_panic_at_any_place_of_any_export_is_a_code_and_an_emptied_answer() {
    if !alone("panics::a_panic_at_any_place_of_any_export_is_a_code_and_an_emptied_answer") {
        return;
    }
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    // Something to acknowledge.
    host.install(&newer(&site)).1.unwrap();
    host.until_sequence(8);
    // Without a back office a run of Connect ends at once.
    host.set(&serde_json::json!({ "enabled": true })).unwrap();
    let open = RefCell::new(Some(host));
    let calls = exports(&site, &open);
    assert_eq!(calls.keys().copied().collect::<Vec<_>>(), exported(), "a call for each export");
    let (mut tried, mut harm) = (0, Vec::new());
    for (name, call) in &calls {
        for nth in 1.. {
            assert!(nth < 100, "{name} passes no end of places");
            if open.borrow().is_none() {
                *open.borrow_mut() = Some(site.open());
            }
            injected::on_this_thread(nth);
            let (code, wrong) = call();
            let came_to_it = !injected::on_this_thread(0);
            if !came_to_it {
                assert!(nth > 1, "{name} passes no place at which it could panic");
                assert_eq!(code, ORS_OK, "{name}");
                break;
            }
            tried += 1;
            if code != ORS_E_INTERNAL || wrong.is_some() {
                harm.push(format!("{name}, place {nth}: {code}, {wrong:?}"));
            }
            match open.borrow().as_ref() {
                Some(host) => {
                    assert_eq!(host.licence().state, ORS_LICENCE_VALID, "{name}, place {nth}");
                    host.set(&serde_json::json!({ "language": "en" })).unwrap();
                }
                None => until_nobody_leads(&site.state()),
            }
        }
    }
    drop(calls);
    drop(open.into_inner());
    until_nobody_leads(&site.state());
    assert!(harm.is_empty(), "{harm:#?}");
    row("a panic at each place in each export", tried, harm.len() as u64);
}

/// Waits for a line of the log that says so.
fn until_told(host: &Host, after: &mut u64, what: &str) {
    let began = Instant::now();
    loop {
        let mut line = [0u8; 1_001];
        let code = unsafe {
            ors_read_log(host.agent, after, 200, null_mut(), line.as_mut_ptr().cast(), line.len(), null_mut())
        };
        assert!([ORS_OK, ORS_E_TIMEOUT].contains(&code), "{code}");
        if code == ORS_OK && String::from_utf8_lossy(&line).contains(what) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "in vain: {what}");
    }
}

const ANEW: &str = "starts anew";

#[test]
fn a_panic_at_any_place_of_our_own_threads_harms_no_host_and_all_goes_on() {
    if !alone("panics::a_panic_at_any_place_of_our_own_threads_harms_no_host_and_all_goes_on") {
        return;
    }
    let (mut tried, mut harm) = (0, 0);
    for round in 1..=count(6, 60) {
        let site = Site::with(7);
        let host = site.open();
        host.until_sequence(7);
        host.set(&serde_json::json!({ "language": "de" })).unwrap();
        let newer = site.vendor.file(8);
        // Somewhere between a tick, a look at the folder, the upload, its way into the folder, and what is stored.
        let nth = round * 7 % 45 + 1;
        injected::on_own_threads(nth);
        let began = Instant::now();
        loop {
            let (_, done) = host.install(&newer);
            match done {
                Ok(()) if host.licence().sequence == 8 => break,
                Ok(()) => std::thread::sleep(Duration::from_millis(5)),
                Err(failure) if [ORS_E_INTERNAL, ORS_E_TIMEOUT].contains(&failure.code) => {}
                Err(failure) => panic!("round {round}: {failure:?}"),
            }
            harm += u64::from(host.licence().state != ORS_LICENCE_VALID);
            assert!(began.elapsed() < Duration::from_secs(60), "round {round}, place {nth}: {:#}", host.diagnostics());
        }
        // Each tick passes some more, until it has come.
        let began = Instant::now();
        while injected::still_to_come_on_own_threads() {
            assert!(began.elapsed() < Duration::from_secs(60), "round {round}: place {nth} is not passed");
            std::thread::sleep(Duration::from_millis(20));
        }
        tried += 1;
        let began = Instant::now();
        while let Err(failure) = host.set(&serde_json::json!({ "language": "fr" })) {
            assert!([ORS_E_INTERNAL, ORS_E_TIMEOUT].contains(&failure.code), "round {round}: {failure:?}");
            assert!(began.elapsed() < Duration::from_secs(60), "round {round}, place {nth}");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!((host.licence().sequence, host.settings()["language"].as_str()), (8, Some("fr")));
        assert_eq!(host.close(), ORS_OK);
        let report = ors::store::verify_journal(&site.state()).unwrap();
        assert!(report.problems.is_empty(), "round {round}: {report}");
    }
    row("a panic somewhere on the library's own threads", tried, harm);
}

#[test]
fn a_worker_that_panics_again_and_again_rests_longer_each_time_and_the_host_is_served() {
    if !alone("panics::a_worker_that_panics_again_and_again_rests_longer_each_time_and_the_host_is_served") {
        return;
    }
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let agent = host.agent;
    let done = AtomicBool::new(false);
    let panics = count(3, 7);
    let (refreshes, harm) = std::thread::scope(|scope| {
        let refreshing = scope.spawn(|| {
            let host = std::mem::ManuallyDrop::new(Host { agent });
            let (mut refreshes, mut harm) = (0u64, 0u64);
            while !done.load(SeqCst) {
                let began = Instant::now();
                let right = host.licence().state == ORS_LICENCE_VALID && host.about()["sequence"] == 7;
                // Far more than it takes, on a busy computer too; a rest of the worker is a second and more.
                harm += u64::from(!right || began.elapsed() > Duration::from_millis(900));
                refreshes += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            (refreshes, harm)
        });
        let mut after = 0;
        injected::on_own_threads_always(true);
        let mut last: Option<Instant> = None;
        for panic in 1..=panics {
            until_told(&host, &mut after, ANEW);
            let now = Instant::now();
            if let Some(last) = last.replace(now) {
                // Twice as long each time, a minute at most; less what it took to read the line before.
                let rest = Duration::from_secs((1 << (panic - 2)).min(60));
                let rested = now - last;
                assert!(rested + Duration::from_millis(500) > rest, "panic {panic}: after {rested:?} of {rest:?}");
            }
            // A cold call has its answer in its time; in a rest that is longer than that, at once.
            let (code, took) = timed(|| host.set(&serde_json::json!({ "language": "en" })));
            assert!([ORS_E_INTERNAL, ORS_E_TIMEOUT].contains(&code), "panic {panic}: {code}");
            let most = if panic >= 3 { Duration::from_secs(1) } else { Duration::from_millis(3_500) };
            assert!(took < most, "panic {panic}: {took:?}");
        }
        injected::on_own_threads_always(false);
        let began = Instant::now();
        while timed(|| host.set(&serde_json::json!({ "language": "fr" }))).0 != ORS_OK {
            assert!(began.elapsed() < Duration::from_secs(70), "it works again");
            std::thread::sleep(Duration::from_millis(50));
        }
        done.store(true, SeqCst);
        refreshing.join().unwrap()
    });
    host.install(&site.vendor.file(8)).1.unwrap();
    host.until_sequence(8);
    assert_eq!(host.close(), ORS_OK);
    row("refreshes while the worker panics at each start", refreshes, harm);
}

fn timed(call: impl FnOnce() -> Result<(), crate::support::host::Failure>) -> (i32, Duration) {
    let began = Instant::now();
    let code = call().map_or_else(|failure| failure.code, |()| ORS_OK);
    (code, began.elapsed())
}

#[test]
fn an_open_whose_start_panics_says_so_at_once_and_leaves_nothing() {
    if !alone("panics::an_open_whose_start_panics_says_so_at_once_and_leaves_nothing") {
        return;
    }
    let site = Site::with(7);
    injected::on_own_threads_always(true);
    for _ in 0..3 {
        let began = Instant::now();
        let (options, mut out, mut error) = (Opening::new(&site.options()), 77, new_error());
        let code = unsafe { ors_open(&options.given, &mut out, &mut error) };
        assert_eq!((code, out, error.code), (ORS_E_INTERNAL, 0, ORS_E_INTERNAL));
        assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    }
    injected::on_own_threads_always(false);
    until_nobody_leads(&site.state());
    let host = site.open();
    host.until_sequence(7);
}
