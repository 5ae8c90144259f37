//! Settings, the connection to the back office, diagnostics.

use super::error::ErrorOut;
use super::guard::{hot, reported};
use super::structs::{ors_agent, ors_error, zero_number};
use super::texts::{self, TextOut};
use super::with_agent;
use crate::agent::{Error, Kind, NoTraces};
use std::ffi::c_char;

/// Largest JSON of a set.
const LONGEST_SET: usize = 64 << 10;

/// The settings as JSON (docs/abi.md has its schema); secrets as {"set": true} or {"set": false}.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_settings_get(agent: ors_agent, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        out.write(&with_agent(agent, |agent| agent.settings())?)
    })
}

/// Changes settings: a JSON object that names only what changes, all or nothing. A secret: a string sets, null clears, absent or
/// {"set": ...} leaves it. "revision" (optional): when it is older and the same member changed since, ORS_E_STALE. error->where
/// names the member. At most 64 KiB. by as in ors_acknowledge. In force and on disk on return, after 2 s at most.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_TEXT, ORS_E_ARGUMENT, ORS_E_STALE, ORS_E_READ_ONLY, ORS_E_REENTRANT,
/// ORS_E_TIMEOUT (not yet; repeating is safe), ORS_E_IO, ORS_E_PERMISSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_settings_set(
    agent: ors_agent,
    json: *const c_char,
    len: usize,
    by: *const c_char,
    by_len: usize,
    error: *mut ors_error,
) -> i32 {
    let _no_traces = NoTraces::from_here();
    // SAFETY: the caller's struct and texts, as the header says.
    reported(unsafe { ErrorOut::new(error) }, |_| {
        let json = unsafe { texts::text_in(json, len, LONGEST_SET, "json")? };
        let json = json.ok_or_else(|| Error::new(Kind::Null, "json", "json is NULL."))?;
        let by = unsafe { texts::by(by, by_len)? };
        with_agent(agent, |agent| agent.set_settings(json.as_bytes(), &by))
    })
}

/// Goes through all steps of a connection to the back office, from the settings to the enrolment, or joins the run that goes on; whatever
/// was refused before is tried again. Returns at once; *run is what ors_connect_report takes. by as in ors_acknowledge.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_TEXT, ORS_E_DISABLED ("enabled" is false), ORS_E_READ_ONLY, ORS_E_REENTRANT,
/// ORS_E_TIMEOUT (not yet; repeating is safe), ORS_E_IO, ORS_E_PERMISSION. On failure *run is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_connect(
    agent: ors_agent,
    by: *const c_char,
    by_len: usize,
    run: *mut u64,
    error: *mut ors_error,
) -> i32 {
    // SAFETY: the caller's number, struct and text, as the header says.
    let error = unsafe {
        zero_number(run);
        ErrorOut::new(error)
    };
    reported(error, |_| {
        if run.is_null() {
            return Err(Error::new(Kind::Null, "run", "run is NULL."));
        }
        let by = unsafe { texts::by(by, by_len)? };
        let number = with_agent(agent, |agent| agent.connect(&by))?;
        // SAFETY: not NULL, writable; it need not be aligned.
        unsafe { run.write_unaligned(number) };
        Ok(())
    })
}

/// The report of a run so far, as JSON (docs/abi.md has its schema): "state" is "running", "ok" or "failed", "steps" fills in as they
/// happen, and for the one that failed there is a sentence that says what to change. run 0 is the last one. Kept until the next run.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_BUFFER_TOO_SMALL, ORS_E_STALE (not the last run, or there was none).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_connect_report(
    agent: ors_agent,
    run: u64,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        out.write(&with_agent(agent, |agent| agent.connect_report(run))?)
    })
}

/// Starts the runtime anew, in every process that uses this state folder. Returns at once; handles stay good, and hot calls go on
/// answering. Watch "service" with ors_wait. by as in ors_acknowledge.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_TEXT, ORS_E_READ_ONLY, ORS_E_REENTRANT, ORS_E_TIMEOUT (not yet; repeating is safe), ORS_E_IO,
/// ORS_E_PERMISSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_restart(agent: ors_agent, by: *const c_char, by_len: usize, error: *mut ors_error) -> i32 {
    // SAFETY: the caller's struct and text, as the header says.
    reported(unsafe { ErrorOut::new(error) }, |_| {
        let by = unsafe { texts::by(by, by_len)? };
        with_agent(agent, |agent| agent.restart(&by))
    })
}

/// What a person on call wants to know, as JSON (docs/abi.md has its schema): every licence file seen and why it was refused, who
/// leads, the clock, the last log lines. No secret is in it.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_diagnostics(agent: ors_agent, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        out.write(&with_agent(agent, |agent| agent.diagnostics())?)
    })
}
