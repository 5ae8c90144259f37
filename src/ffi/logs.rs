//! The log: read by the host, or given to its sink.

use super::guard::{cold, hot, outside_sink};
use super::structs::{ors_agent, ors_log_sink};
use super::texts::TextOut;
use super::{wait, with_agent};
use crate::agent::{Error, Kind};
use std::ffi::{CString, c_char, c_void};

/// The first kept line after number *after (0 = the oldest kept); sets *after and *level (optional). Waits for one, timeout_ms at
/// most. For hosts that must not give out callbacks (.NET). Numbers jump where old lines were dropped; 1,000 lines are kept, each
/// at most 1,000 bytes. A buffer that is too small leaves *after: the same line comes again.
///
/// Returns 0, ORS_E_TIMEOUT (none), ORS_E_CLOSED, ORS_E_NULL, ORS_E_REENTRANT, ORS_E_BUFFER_TOO_SMALL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_read_log(
    agent: ors_agent,
    after: *mut u64,
    timeout_ms: u32,
    level: *mut u32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
) -> i32 {
    hot(|| {
        // SAFETY: the caller's buffer, as the header says. Emptied also for a call that is turned away.
        let out = unsafe { TextOut::new(buf, cap, needed) };
        outside_sink()?;
        let out = out?;
        if after.is_null() {
            return Err(Error::new(Kind::Null, "after", "after is NULL."));
        }
        // SAFETY: not NULL, readable and writable; it need not be aligned.
        let seen = unsafe { after.read_unaligned() };
        let line = with_agent(agent, |agent| agent.read_log(seen, wait(timeout_ms)))?;
        out.write(&line.text)?;
        // SAFETY: as above; `level` is NULL or writable.
        unsafe {
            after.write_unaligned(line.number);
            if !level.is_null() {
                level.write_unaligned(line.level);
            }
        }
        Ok(())
    })
}

/// Sets the log level (0 none, 1 error, 2 warning, 3 information, 4 debug) and the sink; sink NULL = none, the level is then that of
/// ors_read_log. Agents with equal options share one sink; it goes with the handle that set it. Returns after the last call of the
/// old sink: then its context may go. An agent that is opened read only has no thread and calls no sink.
///
/// Returns 0, ORS_E_CLOSED, ORS_E_ARGUMENT (level), ORS_E_REENTRANT, ORS_E_TIMEOUT after 2 s: the old sink is still running and
/// nothing has changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_set_log(agent: ors_agent, level: u32, sink: ors_log_sink, context: *mut c_void) -> i32 {
    cold(|| {
        if level > 4 {
            return Err(Error::argument("level", "level is 0 to 4."));
        }
        let context = Context(context);
        let sink = sink.map(|call| {
            let sink: crate::agent::log::Sink = Box::new(move |level, text| {
                // Lines have no control characters, so no NUL is inside.
                let Ok(line) = CString::new(text) else { return };
                // SAFETY: the host said that `call` may be called with its context until ors_set_log or ors_close took it back.
                unsafe { call(context.get(), level, line.as_ptr(), text.len()) };
            });
            sink
        });
        with_agent(agent, |agent| agent.set_log(level, sink))
    })
}

/// The host's pointer, carried to the thread that calls the sink.
struct Context(*mut c_void);

// SAFETY: the pointer is only handed back to the host's own function, which the host declared callable on our threads.
unsafe impl Send for Context {}

impl Context {
    fn get(&self) -> *mut c_void {
        self.0
    }
}
