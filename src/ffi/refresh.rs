//! What a page and a login ask. The first two functions are the hot path: no lock, no allocation, no system call.

use super::codes::*;
use super::guard::{guard, hot, reported};
use super::life::LONGEST_LANGUAGE;
use super::slots::Live;
use super::structs::{self, BadStruct, Out, Sized32, ors_agent, ors_error, ors_licence_status, ors_notice_status};
use super::texts::{self, TextOut, text_in};
use super::with_agent;
use crate::agent::{Error, Field, Shown};
use crate::clock;
use crate::injected;
use std::ffi::c_char;

/// Tells which notices hold now. Call it on every page refresh, from any thread; it never waits.
///
/// out->struct_size must be set. On failure the rest of *out is zero: show nothing.
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_notify_status(agent: ors_agent, out: *mut ors_notice_status) -> i32 {
    // SAFETY: the caller's struct, as the header says.
    unsafe { or_zeros(guard(|| status::<_, 8>(agent, out)), out) }
}

/// Tells what the licence is worth now, with the notices of the same instant. Call it at login; it never waits.
///
/// out->struct_size must be set. On failure the rest of *out is zero: deny.
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_check_licence(agent: ors_agent, out: *mut ors_licence_status) -> i32 {
    // SAFETY: the caller's struct, as the header says.
    unsafe { or_zeros(guard(|| status::<_, 13>(agent, out)), out) }
}

/// After a panic, which may have come with half of the answer written, *out is zeroed as after any failure.
///
/// # Safety
/// `out` is NULL or a struct as the header says.
#[inline(always)]
unsafe fn or_zeros<T: Sized32>(code: i32, out: *mut T) -> i32 {
    if code == ORS_E_INTERNAL {
        // SAFETY: passed on from the caller.
        let _ = unsafe { Out::emptied(out) };
    }
    code
}

/// The first `N` words of the status.
///
/// # Safety
/// `out` is NULL or a struct as the header says; `N` words are its version-1 size.
#[inline(always)]
unsafe fn status<T: Sized32, const N: usize>(agent: ors_agent, out: *mut T) -> Result<(), i32> {
    const { assert!(size_of::<T>() == N * 8) };
    // First of all: what is found out before this call would have to be kept over it.
    let local = clock::coarse_seconds();
    // SAFETY: passed on from the caller.
    let out = match unsafe { Out::new(out) } {
        Ok(out) => out,
        Err(BadStruct::Null) => return Err(ORS_E_NULL),
        Err(_) => return Err(ORS_E_STRUCT_SIZE),
    };
    // All that is usual, and nothing that has to be kept over another call: that would cost every refresh its registers.
    if out.holds_words(N)
        && let Some(live) = Live::find(agent)
        && let Some(board) = live.board()
        && board.ready_status::<N>(local, |index, word| out.put(index, word))
        && live.still()
    {
        injected::point();
        return Ok(());
    }
    unusual_status(agent, &out, N, local)
}

/// A caller newer than this library, an answer that is not ready, or a handle that is not alive.
#[cold]
#[inline(never)]
fn unusual_status(agent: ors_agent, out: &Out, words: usize, local: i64) -> Result<(), i32> {
    if let Some(live) = Live::find(agent)
        && let Some(board) = live.board()
    {
        board.status(local).iter().take(words).enumerate().for_each(|(index, word)| out.put(index, *word));
        injected::point();
        // A handle that was closed meanwhile may have read the board of its successor.
        if live.still() {
            out.zero_from(words * 8);
            return Ok(());
        }
    }
    out.zero();
    Err(ORS_E_CLOSED)
}

/// The sentence for ONE bit of shown->notices, about the very dates, announcement and request in *shown. Plain text, not HTML:
/// escape it. At most 4,096 bytes with its NUL. language: a BCP 47 tag or a whole Accept-Language value; NULL = the settings'
/// language; one that is not known falls back to its region's, then to English.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_STRUCT_SIZE, ORS_E_ARGUMENT (not one bit, or not in shown), ORS_E_TEXT,
/// ORS_E_BUFFER_TOO_SMALL, ORS_E_STALE: what it is about is gone; ask ors_notify_status again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_notice_text(
    agent: ors_agent,
    shown: *const ors_notice_status,
    notice: u32,
    language: *const c_char,
    language_len: usize,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, text and struct, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        let shown = unsafe { structs::read(shown) }.map_err(|bad| bad.about("shown"))?;
        if shown.reserved != 0 {
            return Err(BadStruct::Unknown.about("shown"));
        }
        let language = unsafe { text_in(language, language_len, LONGEST_LANGUAGE, "language")? };
        let shown = Shown {
            notices: shown.notices,
            licence_last_day: shown.licence_last_day,
            maintenance_last_day: shown.maintenance_last_day,
            licence_days_left: shown.licence_days_left,
            maintenance_days_left: shown.maintenance_days_left,
            announcement: shown.announcement,
            assistance_request: shown.assistance_request,
        };
        out.write(&with_agent(agent, |agent| agent.notice_text(&shown, notice, language))?)
    })
}

/// What the About box shows, as JSON (docs/abi.md has its schema). Every date is like "2027-11-23"; ids are below 2^53;
/// "announcements" holds the last ten, each with its id and what changed.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_about(agent: ors_agent, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        out.write(&with_agent(agent, |agent| agent.about())?)
    })
}

/// One text about one thing, in the settings' language. field: ORS_TEXT_*. subject 0 = the current one. Empty where there is
/// nothing to tell.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_ARGUMENT (field), ORS_E_BUFFER_TOO_SMALL, ORS_E_STALE: subject is no longer
/// the current one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_text(
    agent: ors_agent,
    field: u32,
    subject: u64,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        let field = match field {
            ORS_TEXT_SERIAL => Field::Serial,
            ORS_TEXT_CUSTOMER => Field::Customer,
            ORS_TEXT_PRODUCT => Field::Product,
            ORS_TEXT_LICENCE_REASON => Field::LicenceReason,
            ORS_TEXT_COPY_SOURCE => Field::CopySource,
            ORS_TEXT_COPY_TARGET => Field::CopyTarget,
            ORS_TEXT_COPY_FILE_NAMES => Field::CopyFileNames,
            ORS_TEXT_COPY_LICENCE => Field::CopyLicence,
            ORS_TEXT_FINGERPRINT => Field::Fingerprint,
            ORS_TEXT_ASKED_BY..=ORS_TEXT_TICKET => Field::Later,
            _ => return Err(Error::argument("field", "This field is not known.")),
        };
        out.write(&with_agent(agent, |agent| agent.text(field, subject))?)
    })
}

/// Acknowledges for the whole installation, up to and including this id; again = 0. Ids only grow. A host that wants it per user
/// keeps the last id of each user and does not call this. by: who did it in the product (a user's name, at most 200 characters), for
/// the journal; NULL = not known. In force and on disk on return, after 2 s at most.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_ARGUMENT (0), ORS_E_TEXT, ORS_E_STALE (an id not raised yet), ORS_E_READ_ONLY,
/// ORS_E_REENTRANT, ORS_E_TIMEOUT (not yet; repeating is safe), ORS_E_IO, ORS_E_PERMISSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_acknowledge(
    agent: ors_agent,
    announcement: u64,
    by: *const c_char,
    by_len: usize,
    error: *mut ors_error,
) -> i32 {
    // SAFETY: the caller's struct and text, as the header says.
    reported(unsafe { super::error::ErrorOut::new(error) }, |_| {
        let by = unsafe { texts::by(by, by_len)? };
        with_agent(agent, |agent| agent.acknowledge(announcement, &by))
    })
}
