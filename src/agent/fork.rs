//! What a forked child does about the runtime it inherited: it forgets it.
//!
//! The child has the memory but not the threads, and any lock may be held by a thread that is not there. So every runtime
//! remembers the fork generation it was made in, and nothing of an older generation is locked, joined or dropped. The
//! child handler closes the inherited lock files (a `flock` belongs to the open file, which the child would keep alive) and
//! raises the generation: both are atomic stores and `close`, which a handler may do.

#[cfg_attr(unix, path = "fork/unix.rs")]
#[cfg_attr(windows, path = "fork/windows.rs")]
mod os;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Raised by one in each forked child.
#[inline]
pub fn generation() -> u64 {
    GENERATION.load(Relaxed)
}

/// Called before anything is locked that a forked child may meet: from then on a fork is noticed. Pins nothing.
pub fn notice() {
    #[cfg(unix)]
    os::prepare();
}

/// Called before the first thread: from then on a fork is noticed, and on Windows the library stays loaded.
pub fn prepare() {
    os::prepare();
}
