//! The log: given to a sink, or read line by line.

use crate::calls::{Opening, STALE};
use crate::support::host::{Host, zeroed};
use crate::support::{Site, text};
use ors::ffi::*;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Heard {
    agent: AtomicU64,
    lines: Mutex<Vec<(u32, String)>>,
    /// The sink stays inside until this is no longer set.
    hold: Mutex<bool>,
    released: Condvar,
    inside: AtomicBool,
    gone: AtomicBool,
    codes: Mutex<Vec<(&'static str, i32)>>,
}

impl Heard {
    fn context(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn set_hold(&self, hold: bool) {
        *self.hold.lock().unwrap() = hold;
        self.released.notify_all();
    }

    fn count(&self) -> usize {
        self.lines.lock().unwrap().len()
    }
}

unsafe extern "C" fn sink(context: *mut c_void, level: u32, line: *const c_char, len: usize) {
    let heard = unsafe { &*context.cast::<Heard>() };
    assert!(!heard.gone.load(SeqCst), "the context went");
    heard.inside.store(true, SeqCst);
    let text = unsafe { CStr::from_ptr(line) };
    assert_eq!(text.count_bytes(), len);
    let hold = heard.hold.lock().unwrap();
    drop(heard.released.wait_while(hold, |hold| *hold).unwrap());
    heard.lines.lock().unwrap().push((level, text.to_str().unwrap().to_owned()));
    heard.inside.store(false, SeqCst);
}

unsafe extern "C" fn calling_sink(context: *mut c_void, _: u32, _: *const c_char, _: usize) {
    let heard = unsafe { &*context.cast::<Heard>() };
    assert!(!heard.gone.swap(true, SeqCst), "the handle was closed in the first call");
    *heard.codes.lock().unwrap() = call_everything(heard.agent.load(SeqCst));
}

/// Calls every function from inside the sink.
fn call_everything(agent: ors_agent) -> Vec<(&'static str, i32)> {
    let mut status: ors_licence_status = zeroed();
    status.struct_size = 104;
    let mut shown: ors_notice_status = zeroed();
    (shown.struct_size, shown.notices) = (64, ORS_NOTICE_ASSISTANCE_ACTIVE);
    let mut codes = vec![("ors_notify_status", unsafe { ors_notify_status(agent, &mut shown) })];
    shown.notices = ORS_NOTICE_ASSISTANCE_ACTIVE;
    codes.push(("ors_check_licence", unsafe { ors_check_licence(agent, &mut status) }));
    let mut buffer = vec![0; 100_000];
    for (name, call) in crate::calls::text_functions(agent, &shown) {
        codes.push((name, call(buffer.as_mut_ptr(), buffer.len(), null_mut())));
    }
    let mut opened = 7;
    codes.push(("ors_open", unsafe { ors_open(null(), &mut opened, null_mut()) }));
    assert_eq!(opened, 0, "a failed open leaves no handle");
    let mut revision = 7;
    codes.push(("ors_wait", unsafe { ors_wait(agent, 0, 0, &mut revision) }));
    assert_eq!(revision, 0);
    codes.push(("ors_acknowledge", unsafe { ors_acknowledge(agent, 1, null(), 0, null_mut()) }));
    codes.push(("ors_settings_set", unsafe { ors_settings_set(agent, c"{}".as_ptr(), 2, null(), 0, null_mut()) }));
    let mut run = 7;
    codes.push(("ors_connect", unsafe { ors_connect(agent, null(), 0, &mut run, null_mut()) }));
    assert_eq!(run, 0, "a run that was not begun has no number");
    codes.push(("ors_restart", unsafe { ors_restart(agent, null(), 0, null_mut()) }));
    codes.push(("ors_set_log", unsafe { ors_set_log(agent, 0, None, null_mut()) }));
    let mut result: ors_install_result = unsafe { std::mem::transmute([STALE; 32]) };
    result.struct_size = 32;
    let code = unsafe { ors_install_licence(agent, b"{}".as_ptr(), 2, null(), 0, &mut result, null_mut()) };
    codes.push(("ors_install_licence", code));
    assert_eq!((result.state, result.reason, result.sequence), (0, 0, 0), "zeros also when it is turned away");
    let mut verdict: ors_update_verdict = unsafe { std::mem::transmute([STALE; 32]) };
    verdict.struct_size = 32;
    codes.push(("ors_check_update", unsafe { ors_check_update(null(), &mut verdict, null_mut()) }));
    assert_eq!((verdict.verdict, verdict.reason, verdict.sequence), (0, 0, 0), "zeros also when it is turned away");
    codes.push(("ors_close", ors_close(agent, ORS_DEFAULT_WAIT)));
    codes
}

/// A host that makes a line in its log.
fn make_a_line(host: &Host) {
    let (_, done) = host.install(b"no licence at all");
    assert_eq!(done.unwrap_err().code, ORS_E_REFUSED);
}

fn set(host: &Host, level: u32, call: ors_log_sink, heard: &Heard) -> i32 {
    unsafe { ors_set_log(host.agent, level, call, heard.context()) }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn lines_come_to_the_sink_on_a_thread_of_the_library() {
    let site = Site::with(7);
    let host = site.open();
    let heard = Heard::default();
    assert_eq!(set(&host, 3, Some(sink), &heard), ORS_OK);
    make_a_line(&host);
    until("a line", || heard.count() > 0);
    let lines = heard.lines.lock().unwrap().clone();
    assert!(lines.iter().any(|(level, line)| *level == 2 && line.contains("refused")), "{lines:?}");
    assert_eq!(set(&host, 1, Some(sink), &heard), ORS_OK);
    let before = heard.count();
    make_a_line(&host);
    host.set(&serde_json::json!({ "language": "en" })).unwrap();
    assert_eq!(heard.count(), before, "a warning is above level 1");
}

#[test]
fn inside_the_sink_hot_calls_work_and_cold_ones_are_turned_away() {
    let site = Site::with(7);
    let (host, other) = (site.open(), site.open());
    host.until_sequence(7);
    let heard = Heard::default();
    heard.agent.store(host.agent, SeqCst);
    assert_eq!(set(&host, 4, Some(calling_sink), &heard), ORS_OK);
    make_a_line(&host);
    until("the sink was called", || heard.codes.try_lock().is_ok_and(|codes| !codes.is_empty()));
    let cold = [
        "ors_open",
        "ors_wait",
        "ors_close",
        "ors_acknowledge",
        "ors_settings_set",
        "ors_connect",
        "ors_restart",
        "ors_set_log",
        "ors_install_licence",
        "ors_check_update",
        "ors_read_log",
    ];
    for (name, code) in heard.codes.lock().unwrap().iter() {
        let expected = if cold.contains(name) { ORS_E_REENTRANT } else { ORS_OK };
        assert_eq!(*code, expected, "{name}");
    }
    assert_eq!(ors_close(host.agent, 0), ORS_E_CLOSED, "closed, though nothing was waited for");
    std::mem::forget(host);
    make_a_line(&other);
    other.set(&serde_json::json!({ "language": "en" })).unwrap();
}

#[test]
fn a_new_sink_is_in_force_after_the_last_call_of_the_old_one() {
    let site = Site::with(7);
    let host = site.open();
    let (old, new) = (Heard::default(), Heard::default());
    old.set_hold(true);
    assert_eq!(set(&host, 3, Some(sink), &old), ORS_OK);
    make_a_line(&host);
    until("the old sink runs", || old.inside.load(SeqCst));
    let began = Instant::now();
    assert_eq!(set(&host, 3, Some(sink), &new), ORS_E_TIMEOUT, "it is still running");
    assert!(began.elapsed() >= Duration::from_secs(2));
    std::thread::scope(|scope| {
        let change = scope.spawn(|| set(&host, 3, Some(sink), &new));
        old.set_hold(false);
        assert_eq!(change.join().unwrap(), ORS_OK);
    });
    old.gone.store(true, SeqCst);
    make_a_line(&host);
    until("the new sink hears", || new.count() > 0);
    assert_eq!(set(&host, 3, None, &new), ORS_OK);
    new.gone.store(true, SeqCst);
    make_a_line(&host);
}

#[test]
fn a_sink_goes_with_the_handle_that_set_it() {
    let site = Site::with(7);
    let (first, second) = (site.open(), site.open());
    let heard = Heard::default();
    assert_eq!(set(&first, 3, Some(sink), &heard), ORS_OK);
    make_a_line(&second);
    until("one runtime, one log", || heard.count() > 0);
    assert_eq!(first.close(), ORS_OK);
    heard.gone.store(true, SeqCst);
    make_a_line(&second);
    second.set(&serde_json::json!({ "language": "en" })).unwrap();

    let third = site.open();
    let still = Heard::default();
    assert_eq!(set(&second, 3, Some(sink), &still), ORS_OK);
    assert_eq!(third.close(), ORS_OK);
    make_a_line(&second);
    until("another's close changes nothing", || still.count() > 0);
    assert_eq!(second.close(), ORS_OK);
    still.gone.store(true, SeqCst);
}

fn read(host: &Host, after: &mut u64, timeout_ms: u32) -> Result<(u32, String), i32> {
    let (mut level, mut buffer, mut needed) = (0, vec![0u8; 1_001], 0);
    let code = unsafe {
        ors_read_log(host.agent, after, timeout_ms, &mut level, buffer.as_mut_ptr().cast(), buffer.len(), &mut needed)
    };
    if code != ORS_OK {
        assert_eq!((needed, buffer[0]), (0, 0));
        return Err(code);
    }
    buffer.truncate(needed - 1);
    Ok((level, String::from_utf8(buffer).unwrap()))
}

#[test]
fn lines_are_read_in_order_with_numbers_that_only_grow() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let (mut after, mut lines) = (0, 0);
    while read(&host, &mut after, 0).is_ok() {
        lines += 1;
        assert_eq!(after, lines, "from 1, without a gap");
    }
    assert!(lines > 0, "who leads is told");
    assert_eq!(read(&host, &mut after, 0), Err(ORS_E_TIMEOUT));
    assert_eq!(after, lines, "a call that got nothing leaves the number");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut after = after;
            (read(&host, &mut after, 20_000), after)
        });
        make_a_line(&host);
        let (line, number) = reader.join().unwrap();
        assert_eq!((line.map(|(level, _)| level), number), (Ok(2), lines + 1));
    });
    assert_eq!(read(&host, &mut u64::MAX.clone(), 0), Err(ORS_E_TIMEOUT), "a number from nowhere");
    let mut from_the_start = 0;
    assert!(read(&host, &mut from_the_start, 0).is_ok() && from_the_start == 1, "lines are kept");
}

#[test]
fn a_thousand_lines_are_kept_and_the_numbers_jump_over_the_rest() {
    let site = Site::with(7);
    let host = site.open();
    for _ in 0..1_200 {
        make_a_line(&host);
    }
    let mut after = 0;
    assert!(read(&host, &mut after, 0).is_ok());
    let first = after;
    assert!(first > 200, "{first}");
    let mut lines = 1;
    while read(&host, &mut after, 0).is_ok() {
        lines += 1;
    }
    assert!((1_000..1_010).contains(&lines), "{lines}");
    assert!(after >= first + 999);
}

#[test]
fn a_close_ends_a_wait_for_a_line() {
    let site = Site::with(7);
    // Another handle keeps the runtime and its log alive.
    let (host, _other) = (site.open(), site.open());
    host.until_sequence(7);
    let agent = host.agent;
    let last = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let began = Instant::now();
            let mut buffer = [0; 1_001];
            let mut after = 0;
            loop {
                let code = unsafe {
                    ors_read_log(agent, &mut after, 60_000, null_mut(), buffer.as_mut_ptr(), buffer.len(), null_mut())
                };
                if code != ORS_OK {
                    return (code, began.elapsed());
                }
                last.store(after, SeqCst);
            }
        });
        until("lines are read", || last.load(SeqCst) > 0);
        host.close();
        let (code, took) = reader.join().unwrap();
        assert_eq!(code, ORS_E_CLOSED);
        assert!(took < Duration::from_secs(30), "{took:?}");
    });
}

#[test]
fn an_agent_opened_read_only_has_a_log_and_calls_no_sink() {
    let site = Site::with(7);
    let mut options = site.options();
    options.flags = ORS_OPEN_READ_ONLY;
    options.state_folder = Some(text(&site.state()));
    let opening = Opening::new(&options);
    let mut agent = 0;
    assert_eq!(unsafe { ors_open(&opening.given, &mut agent, null_mut()) }, ORS_OK);
    let host = Host { agent };
    let heard = Heard::default();
    assert_eq!(set(&host, 4, Some(sink), &heard), ORS_OK);
    assert_eq!(read(&host, &mut 0, 0), Err(ORS_E_TIMEOUT));
    assert_eq!(heard.count(), 0);
    assert_eq!(host.close(), ORS_OK);
}
