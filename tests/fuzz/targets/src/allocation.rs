//! Counts what is allocated: no bytes from outside lead to one allocation over [`LARGEST`].

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The largest allocation that bytes from outside may lead to: a file of the largest size that is read, and the few bytes that
/// whoever holds it puts before it (the two counters of an `Arc`).
pub const LARGEST: usize = (1 << 20) + 64;

struct Counting;

static SEEN: AtomicUsize = AtomicUsize::new(0);
static TRAP: AtomicBool = AtomicBool::new(false);

/// Ends the process at the very allocation that is too large, for a debugger or a stack from AddressSanitizer.
static WANTS_TRAP: LazyLock<bool> = LazyLock::new(|| std::env::var_os("ORS_FUZZ_TRAP").is_some());

fn note(size: usize) {
    if size > LARGEST && TRAP.load(Relaxed) {
        std::process::abort();
    }
    SEEN.fetch_max(size, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs what the library does with bytes from outside. Counts the allocations of all threads, the library's own among them.
pub fn bounded<T>(what: &str, work: impl FnOnce() -> T) -> T {
    TRAP.store(*WANTS_TRAP, Relaxed);
    SEEN.store(0, Relaxed);
    let result = work();
    let seen = SEEN.load(Relaxed);
    TRAP.store(false, Relaxed);
    assert!(seen <= LARGEST, "{what}: one allocation of {seen} bytes");
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_that_is_too_large_is_seen_however_it_is_made() {
        let ways: [fn() -> Vec<u8>; 3] = [
            || Vec::with_capacity(LARGEST + 1),
            || vec![0; LARGEST + 1],
            || {
                let mut grown = vec![1; LARGEST / 2 + 1];
                grown.extend_from_slice(&[2; LARGEST / 2 + 1]);
                grown
            },
        ];
        for way in ways {
            assert!(std::panic::catch_unwind(|| bounded("a test", || std::hint::black_box(way()).len())).is_err());
        }
        bounded("a test", || std::hint::black_box(vec![0u8; LARGEST]).len());
    }
}
