//! Places at which a test may let this library panic, to see what becomes of it. Only with the feature `test-panic`: without it
//! nothing of them is left, and a test looks for that in the shipped files.
//!
//! A place is a call of [`point`]. A test says which of the points that follow panics: on its own thread, which is the host's,
//! or on the library's own threads.
#![forbid(unsafe_code)]

#[cfg(not(feature = "test-panic"))]
#[inline(always)]
pub(crate) fn point() {}

#[cfg(feature = "test-panic")]
pub(crate) use with_feature::point;
#[cfg(feature = "test-panic")]
pub use with_feature::{on_own_threads, on_own_threads_always, on_this_thread, still_to_come_on_own_threads};

#[cfg(feature = "test-panic")]
mod with_feature {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

    thread_local! {
        /// How many points of this thread are passed before one panics; 0 = none does.
        static LEFT: Cell<u64> = const { Cell::new(0) };
    }
    static LEFT_OWN: AtomicU64 = AtomicU64::new(0);
    static ALWAYS_OWN: AtomicBool = AtomicBool::new(false);

    /// Lets the `nth` point from now on panic on the calling thread, counted from 1; 0 takes it back. Returns whether there was
    /// one that did not come to it.
    pub fn on_this_thread(nth: u64) -> bool {
        LEFT.with(|left| left.replace(nth)) != 0
    }

    /// The same for all of the library's own threads together.
    pub fn on_own_threads(nth: u64) {
        LEFT_OWN.store(nth, SeqCst);
    }

    pub fn still_to_come_on_own_threads() -> bool {
        LEFT_OWN.load(SeqCst) != 0
    }

    /// Lets every point on the library's own threads panic, or none.
    pub fn on_own_threads_always(always: bool) {
        ALWAYS_OWN.store(always, SeqCst);
    }

    #[inline(never)]
    pub fn point() {
        let here = LEFT.with(|left| {
            let before = left.get();
            left.set(before.saturating_sub(1));
            before == 1
        });
        let own = std::thread::current().name().is_some_and(|name| name.starts_with("ors-"));
        let there = own && {
            let before = LEFT_OWN.try_update(SeqCst, SeqCst, |left| left.checked_sub(1));
            before == Ok(1) || ALWAYS_OWN.load(SeqCst)
        };
        // A second panic while one unwinds would end the process: that is no defect of ours.
        if (here || there) && !std::thread::panicking() {
            // Without the hook, which prints a backtrace: hundreds of these take minutes under wine.
            std::panic::resume_unwind(Box::new("test-panic: a panic that a test asked for"));
        }
    }
}
