//! A short run of all functions; and that the model sees a library that lies.

use ors::ffi::*;
use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};
use torture::exports::Exports;
use torture::run::{Report, Run};
use torture::table::{count, row};

/// Threads that are left are looked for in the whole process: one run at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn run(exports: Exports, threads: u64, calls: u64, seed: u64) -> Report {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Run { exports, seed, threads, calls }.go()
}

#[test]
fn no_sequence_of_calls_from_any_thread_harms_a_host() {
    let report = run(Exports::linked(), 16, count(20_000, 200_000), 1);
    println!("{}", report.table);
    assert!(report.told.is_empty(), "{:#?}", report.told);
    row("calls of all functions at random, linked in", report.calls, report.harmed);
}

/// A run with one function replaced. What it was told is what the model has to find.
fn caught(what: &str, lie: impl FnOnce(&mut Exports)) {
    let mut exports = Exports::linked();
    lie(&mut exports);
    let report = run(exports, 2, 3_000, 1);
    assert!(report.harmed > 0, "{what} is not caught");
}

unsafe extern "C" fn a_status_for_everybody(_: ors_agent, out: *mut ors_notice_status) -> i32 {
    if out.is_null() { ORS_E_NULL } else { ORS_OK }
}

unsafe extern "C" fn a_status_that_is_left(agent: ors_agent, out: *mut ors_notice_status) -> i32 {
    let code = unsafe { ors_notify_status(agent, out) };
    if code == ORS_E_CLOSED {
        unsafe { out.cast::<u32>().add(5).write_unaligned(7) };
    }
    code
}

unsafe extern "C" fn a_licence_with_other_users(agent: ors_agent, out: *mut ors_licence_status) -> i32 {
    let code = unsafe { ors_check_licence(agent, out) };
    if code == ORS_OK {
        unsafe { out.cast::<u32>().add(12).write_unaligned(6) };
    }
    code
}

unsafe extern "C" fn a_byte_beyond_the_struct(agent: ors_agent, out: *mut ors_notice_status) -> i32 {
    let code = unsafe { ors_notify_status(agent, out) };
    // Where it ends at a page, this would end the process: a struct of 64 bytes at an odd address of four does not.
    if code == ORS_OK && !out.addr().is_multiple_of(8) && unsafe { out.cast::<u32>().read_unaligned() } == 64 {
        unsafe { out.cast::<u8>().add(64).write(0) };
    }
    code
}

unsafe extern "C" fn a_text_that_is_cut(agent: ors_agent, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32 {
    let code = unsafe { ors_about(agent, buf, cap, needed) };
    if code == ORS_E_BUFFER_TOO_SMALL && cap > 1 {
        unsafe { buf.write(b'{'.cast_signed()) };
    }
    code
}

unsafe extern "C" fn a_close_that_closes_twice(agent: ors_agent, wait: u32) -> i32 {
    match ors_close(agent, wait) {
        ORS_E_CLOSED if agent >> 32 != 0 => ORS_OK,
        code => code,
    }
}

unsafe extern "C" fn a_set_that_knows_no_end(
    agent: ors_agent,
    json: *const c_char,
    len: usize,
    by: *const c_char,
    by_len: usize,
    error: *mut ors_error,
) -> i32 {
    match unsafe { ors_settings_set(agent, json, len, by, by_len, error) } {
        ORS_E_ARGUMENT => ORS_E_INTERNAL,
        code => code,
    }
}

unsafe extern "C" fn a_wait_that_leaves_a_number(agent: ors_agent, seen: u64, wait: u32, revision: *mut u64) -> i32 {
    let code = unsafe { ors_wait(agent, seen, wait, revision) };
    if code == ORS_E_TIMEOUT && !revision.is_null() {
        unsafe { revision.write_unaligned(seen) };
    }
    code
}

#[test]
fn the_model_catches_a_library_that_lies() {
    caught("a status of a closed handle", |exports| exports.ors_notify_status = a_status_for_everybody);
    caught("a status that a failed call leaves", |exports| exports.ors_notify_status = a_status_that_is_left);
    caught("a torn licence", |exports| exports.ors_check_licence = a_licence_with_other_users);
    caught("a byte beyond the struct", |exports| exports.ors_notify_status = a_byte_beyond_the_struct);
    caught("part of a text", |exports| exports.ors_about = a_text_that_is_cut);
    caught("a second close of one handle", |exports| exports.ors_close = a_close_that_closes_twice);
    caught("an internal error", |exports| exports.ors_settings_set = a_set_that_knows_no_end);
    caught("a revision after a time-out", |exports| exports.ors_wait = a_wait_that_leaves_a_number);
}
