//! The host's log sink: it is called on the library's threads, calls back what it may, and is never called after it was taken back.

use crate::codes::name;
use crate::exports::Exports;
use crate::harm::Harm;
use ors::ffi::*;
use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// What a sink is given as its context.
pub struct Context {
    pub exports: Exports,
    pub harm: Arc<Harm>,
    /// The handle that it was set with.
    pub agent: ors_agent,
    /// Taken back: the host may have freed this by now.
    pub revoked: AtomicBool,
    pub calls: AtomicU64,
}

impl Context {
    pub fn new(exports: Exports, harm: &Arc<Harm>, agent: ors_agent) -> Arc<Context> {
        Arc::new(Context {
            exports,
            harm: harm.clone(),
            agent,
            revoked: AtomicBool::new(false),
            calls: AtomicU64::new(0),
        })
    }

    pub fn pointer(self: &Arc<Context>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }
}

/// # Safety
/// `context` is a [`Context`] that is kept to the end of the run: a call too many shall be told, not crash.
pub unsafe extern "C" fn sink(context: *mut c_void, level: u32, line: *const c_char, length: usize) {
    // SAFETY: as above.
    let context = unsafe { &*context.cast::<Context>() };
    if context.revoked.load(SeqCst) {
        context.harm.tell("the log sink was called after it was taken back".to_owned());
    }
    let call = context.calls.fetch_add(1, SeqCst);
    // SAFETY: the library says that `length` bytes and a NUL are there.
    let bytes = unsafe { std::slice::from_raw_parts(line.cast::<u8>(), length + 1) };
    let (text, nul) = bytes.split_at(length);
    if !(1..=4).contains(&level) || nul != [0] || length > 1_000 || std::str::from_utf8(text).is_err() {
        context.harm.tell(format!("the log sink was given level {level} and {length} bytes that are no line"));
    }
    for (what, wrong) in inside(context, call) {
        if let Some(code) = wrong {
            context.harm.tell(format!("{what} inside the log sink: {}", name(code)));
        }
    }
}

/// Hot calls work, cold ones are turned away; by then, the handle may be closed.
fn inside(context: &Context, call: u64) -> [(&'static str, Option<i32>); 2] {
    let mut status = ors_licence_status { struct_size: size_of::<ors_licence_status>() as u32, ..zeroed() };
    // SAFETY: a struct of the size that it says.
    let hot = unsafe { (context.exports.ors_check_licence)(context.agent, &mut status) };
    let hot = ("ors_check_licence", (![ORS_OK, ORS_E_CLOSED].contains(&hot)).then_some(hot));
    // SAFETY: no pointer but one to a number.
    let (what, cold) = unsafe {
        match call % 4 {
            0 => ("ors_wait", (context.exports.ors_wait)(context.agent, 0, 1_000, null_mut())),
            1 => ("ors_set_log", (context.exports.ors_set_log)(context.agent, 3, None, null_mut())),
            2 => {
                let json = c"{}";
                let set = context.exports.ors_settings_set;
                ("ors_settings_set", set(context.agent, json.as_ptr(), 2, null_mut(), 0, null_mut()))
            }
            _ => ("ors_acknowledge", (context.exports.ors_acknowledge)(context.agent, 1, null_mut(), 0, null_mut())),
        }
    };
    [hot, (what, (cold != ORS_E_REENTRANT).then_some(cold))]
}

fn zeroed() -> ors_licence_status {
    // SAFETY: a plain struct of numbers.
    unsafe { std::mem::zeroed() }
}
