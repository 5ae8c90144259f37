//! Version, life of an agent, waiting.

use super::codes::*;
use super::error::ErrorOut;
use super::guard::{cold, hot, outside_sink, reported};
use super::structs::{self, ors_agent, ors_error, ors_options, zero_number};
use super::texts::{TextOut, member, text_in};
use super::{HANDLES, wait, with_agent};
use crate::agent::{Agent, Error, Options};
use crate::words;
use std::ffi::c_char;
use std::time::Duration;

/// Longest text of an option.
pub(super) const LONGEST: usize = 1 << 20;
/// Longest language tag or Accept-Language value that is read.
pub(super) const LONGEST_LANGUAGE: usize = 4_096;

/// The version of this library's ABI, major << 16 | minor. The only function that returns a number instead of a code. Works with
/// every version, before and after everything.
#[unsafe(no_mangle)]
pub extern "C" fn ors_abi_version() -> u32 {
    crate::ABI_VERSION
}

/// The version of the library as text, such as "1.4.0".
///
/// Returns 0, ORS_E_NULL, ORS_E_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_version(buf: *mut c_char, cap: usize, needed: *mut usize) -> i32 {
    // SAFETY: the caller's buffer, as the header says.
    hot(|| unsafe { TextOut::new(buf, cap, needed)? }.write(env!("CARGO_PKG_VERSION")))
}

/// A sentence for a code, for people. language as in ors_notice_text.
///
/// Returns 0, ORS_E_NULL, ORS_E_TEXT, ORS_E_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_error_text(
    code: i32,
    language: *const c_char,
    language_len: usize,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer and text, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        let language = unsafe { text_in(language, language_len, LONGEST_LANGUAGE, "language")? };
        out.write(words::choose(language, None).error(code))
    })
}

/// Opens an agent. Each open gives a handle of its own. Opens with equal options share one runtime, which ends with the last
/// handle; an open with other options is a runtime of its own, as if in another process.
///
/// Returns with the last known licence already published: the first check after a recycle is never ORS_LICENCE_UNKNOWN where the
/// last one before it was known. Waits 2 s at most (5 s for a read-only open of a share). On failure *out is 0.
/// Returns 0, ORS_E_NULL, ORS_E_ARGUMENT, ORS_E_TEXT, ORS_E_STRUCT_SIZE, ORS_E_TIMEOUT, ORS_E_REENTRANT, ORS_E_NEWER_STATE,
/// ORS_E_LIMIT, ORS_E_IO, ORS_E_PERMISSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_open(options: *const ors_options, out: *mut ors_agent, error: *mut ors_error) -> i32 {
    // SAFETY: the caller's structs, as the header says.
    let error = unsafe {
        zero_number(out);
        ErrorOut::new(error)
    };
    reported(error, |_| {
        if out.is_null() {
            return Err(structs::BadStruct::Null.about("out"));
        }
        let options = unsafe { options_in(options)? };
        let handle = HANDLES.insert(Agent::open(&options)?)?;
        // SAFETY: not NULL, writable; it need not be aligned.
        unsafe { out.write_unaligned(handle) };
        Ok(())
    })
}

/// # Safety
/// `options` is NULL or a struct as the header says.
unsafe fn options_in(options: *const ors_options) -> Result<Options, Error> {
    // SAFETY: passed on from the caller; each text is NUL-terminated or NULL.
    let given = unsafe { structs::read(options) }.map_err(|bad| bad.about("options"))?;
    if given.flags & !(ORS_OPEN_READ_ONLY | ORS_OPEN_OWN_LOGON) != 0 {
        return Err(Error::argument("flags", "flags has a bit that is not known."));
    }
    let text = |pointer, place| unsafe { member(pointer, LONGEST, place) };
    let required = |pointer, place: &'static str| {
        text(pointer, place)?.ok_or_else(|| Error::new(crate::agent::Kind::Null, place, format!("{place} is NULL.")))
    };
    Ok(Options {
        read_only: given.flags & ORS_OPEN_READ_ONLY != 0,
        own_logon: given.flags & ORS_OPEN_OWN_LOGON != 0,
        state_folder: text(given.state_folder, "state_folder")?,
        product: required(given.product, "product")?,
        trusted_keys: required(given.trusted_keys, "trusted_keys")?,
        licence_folder: text(given.licence_folder, "licence_folder")?,
        office_url: text(given.office_url, "office_url")?,
        office_ca_file: text(given.office_ca_file, "office_ca_file")?,
        commands: text(given.commands, "commands")?,
    })
}

/// Closes a handle; it is dead when this returns, whatever it returns. Wakes every ors_wait and ors_read_log on it. The runtime ends with its last
/// handle; timeout_ms is how long to wait for that: 0 = do not wait (finalisers), ORS_DEFAULT_WAIT = 2,000.
///
/// After 0 no log sink that was set with this handle is called any more. From inside its own sink: this call was the last.
///
/// Returns 0, ORS_E_CLOSED (it was dead already), ORS_E_TIMEOUT: a thread still ends by itself, and a call of the sink may not be
/// over; ORS_E_REENTRANT: called from inside the log sink, so nothing was waited for.
#[unsafe(no_mangle)]
pub extern "C" fn ors_close(agent: ors_agent, timeout_ms: u32) -> i32 {
    hot(|| {
        let agent = HANDLES.remove(agent).ok_or_else(Error::closed)?;
        // The sink runs on the very thread that would be waited for.
        let outside = outside_sink();
        let ended = agent.close(if outside.is_ok() { wait(timeout_ms) } else { Duration::ZERO });
        outside.and(if ended { Ok(()) } else { Err(Error::timeout()) })
    })
}

/// Sleeps until the revision differs from seen, or the service from what this handle's last wait told (at first: from what it was at
/// ors_open), for timeout_ms at most (ORS_DEFAULT_WAIT = 2,000). Level-triggered: what changed before the call is not missed. Threads
/// that wait for the service each at its own time need a handle each. *revision (optional) is the present one whenever this returns 0.
///
/// Returns 0, ORS_E_TIMEOUT, ORS_E_CLOSED, ORS_E_REENTRANT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_wait(agent: ors_agent, seen: u64, timeout_ms: u32, revision: *mut u64) -> i32 {
    // SAFETY: the caller's number, as the header says.
    unsafe { zero_number(revision) };
    cold(|| {
        let now = with_agent(agent, |agent| agent.wait(seen, wait(timeout_ms)))?;
        if !revision.is_null() {
            // SAFETY: not NULL, writable; it need not be aligned.
            unsafe { revision.write_unaligned(now) };
        }
        Ok(())
    })
}

/// Moves the clocks of this library, for tests and demos: seconds added to the wall clock and to the boot-time clock. Only in a
/// library built with the feature test-clock.
#[cfg(feature = "test-clock")]
#[unsafe(no_mangle)]
pub extern "C" fn ors_test_clock_set(wall_offset_seconds: i64, boot_offset_seconds: i64) -> i32 {
    super::guard::guard(|| {
        crate::clock::test::set_wall_offset(wall_offset_seconds);
        crate::clock::test::set_boot_offset(boot_offset_seconds);
        Ok(())
    })
}
