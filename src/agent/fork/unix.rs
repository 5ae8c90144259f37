//! `pthread_atfork`, registered once.

use super::GENERATION;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};

static REGISTERED: AtomicBool = AtomicBool::new(false);

pub fn prepare() {
    if !REGISTERED.swap(true, SeqCst) {
        // SAFETY: `in_child` is async-signal-safe (atomics and close), and the library is never unloaded (`-z nodelete`),
        // so the handler's address stays good. A failure (no memory) leaves a child with a stale runtime: its calls time out.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Relaxed);
    crate::store::close_all_in_child();
}
