//! The installer's question, and uploads.

use super::codes::*;
use super::error::ErrorOut;
use super::guard::{hot, reported};
use super::life::{LONGEST, LONGEST_LANGUAGE};
use super::structs::{self, Out, ors_agent, ors_error, ors_install_result, ors_update_query, ors_update_verdict};
use super::texts::{self, TextOut, member, text_in};
use super::with_agent;
use crate::agent::{Error, INSTALL_PRESENT, Kind, UpdateQuery, check_update};
use crate::licence::Reason;
use crate::words;
use std::ffi::c_char;

const _: () = assert!(INSTALL_PRESENT == ORS_INSTALL_PRESENT, "the agent's numbers are the ABI's");

/// May this customer install this update? Needs no agent. Negative only for mistakes of the caller; all that is wrong at the
/// customer's is verdict 0 and a reason, and error then holds the sentence with code 0. Starts no thread on a local folder: the
/// library stays unloadable. A folder on a share is waited for as query->timeout_ms says, then it cannot be told.
///
/// Returns 0, ORS_E_NULL, ORS_E_ARGUMENT, ORS_E_TEXT, ORS_E_STRUCT_SIZE, ORS_E_REENTRANT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_check_update(
    query: *const ors_update_query,
    out: *mut ors_update_verdict,
    error: *mut ors_error,
) -> i32 {
    // SAFETY: the caller's structs, as the header says.
    let (out, error) = unsafe { (Out::emptied(out), ErrorOut::new(error)) };
    reported(error, |told| {
        let out = out.map_err(|bad| bad.about("out"))?;
        let answer = check_update(&unsafe { query_in(query)? })?;
        let verdict = answer.verdict;
        told.say(&answer.message);
        out.write(&[
            pair(verdict.verdict, 0),
            pair(verdict.release_day, verdict.reason.code()),
            pair(verdict.maintenance_last_day, verdict.licence_last_day),
            verdict.sequence,
        ]);
        Ok(())
    })
}

/// # Safety
/// `query` is NULL or a struct as the header says.
unsafe fn query_in(query: *const ors_update_query) -> Result<UpdateQuery, Error> {
    // SAFETY: passed on from the caller; each text is NUL-terminated or NULL.
    let given = unsafe { structs::read(query) }.map_err(|bad| bad.about("query"))?;
    let text = |pointer, place| unsafe { member(pointer, LONGEST, place) };
    let required = |pointer, place: &'static str| {
        text(pointer, place)?.ok_or_else(|| Error::new(Kind::Null, place, format!("{place} is NULL.")))
    };
    Ok(UpdateQuery {
        timeout_ms: given.timeout_ms,
        licence_folder: required(given.licence_folder, "licence_folder")?,
        product: required(given.product, "product")?,
        trusted_keys: required(given.trusted_keys, "trusted_keys")?,
        release_date: required(given.release_date, "release_date")?,
        state_folder: text(given.state_folder, "state_folder")?,
    })
}

fn pair(high: i32, low: i32) -> u64 {
    (u64::from(high.cast_unsigned()) << 32) | u64::from(low.cast_unsigned())
}

/// The verdict as a sentence that names the dates, for the installer's own language. language as in ors_notice_text.
///
/// Returns 0, ORS_E_NULL, ORS_E_STRUCT_SIZE, ORS_E_ARGUMENT, ORS_E_TEXT, ORS_E_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_update_text(
    verdict: *const ors_update_verdict,
    language: *const c_char,
    language_len: usize,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, struct and text, as the header says.
        let out = unsafe { TextOut::new(buf, cap, needed)? };
        let given = unsafe { structs::read(verdict) }.map_err(|bad| bad.about("verdict"))?;
        let language = unsafe { text_in(language, language_len, LONGEST_LANGUAGE, "language")? };
        let reason = Reason::from_code(given.reason)
            .ok_or_else(|| Error::argument("verdict", "verdict->reason is not known."))?;
        let words = words::choose(language, None);
        out.write(&words.update(
            given.verdict,
            reason,
            given.release_day,
            given.licence_last_day,
            given.maintenance_last_day,
        ))
    })
}

/// Takes a licence, a key list or a signed time that somebody uploads. Verifies now. Refused = ORS_E_REFUSED, out->reason, and the
/// sentence in error. Does not wait for folder or share: verified and durable in the state folder on return, in use when
/// ors_licence_status.sequence reaches out->sequence. by as in ors_acknowledge. At most 1 MiB.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_NULL, ORS_E_STRUCT_SIZE, ORS_E_TEXT, ORS_E_REFUSED, ORS_E_READ_ONLY, ORS_E_REENTRANT,
/// ORS_E_TIMEOUT (not yet; repeating is safe), ORS_E_LIMIT, ORS_E_IO, ORS_E_PERMISSION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_install_licence(
    agent: ors_agent,
    data: *const u8,
    len: usize,
    by: *const c_char,
    by_len: usize,
    out: *mut ors_install_result,
    error: *mut ors_error,
) -> i32 {
    // SAFETY: the caller's structs and text, as the header says.
    let (out, error) = unsafe { (Out::emptied(out), ErrorOut::new(error)) };
    reported(error, |_| {
        let out = out.map_err(|bad| bad.about("out"))?;
        if data.is_null() && len > 0 {
            return Err(Error::new(Kind::Null, "data", "data is NULL."));
        }
        let by = unsafe { texts::by(by, by_len)? };
        // One byte beyond the limit is enough to be refused: a made-up length is not followed further.
        let len = len.min(crate::licence::MAX_LICENCE_BYTES + 1);
        // SAFETY: `len` bytes are readable, and an empty slice needs none.
        let file = if len == 0 { &[][..] } else { unsafe { std::slice::from_raw_parts(data, len) } };
        match with_agent(agent, |agent| agent.install(file, &by)) {
            Ok(done) => {
                let first = u64::from(done.state) << 32;
                let second = (u64::from(done.changes) << 32) | u64::from(done.reason.cast_unsigned());
                out.write(&[first, second, done.sequence, done.announcement]);
                Ok(())
            }
            Err(error) => {
                out.write(&[0, u64::from(error.reason.code().cast_unsigned()), 0, 0]);
                Err(error)
            }
        }
    })
}
