//! The only reader of clocks. Everything else takes time as a value.
//!
//! Three clocks: the coarse wall clock of the hot path (no system call: vDSO on Linux, shared page on Windows), the
//! boot-time clock that goes on while the machine sleeps, and the name of this boot. Nothing here judges a time: that is
//! [`crate::licence::Mark`].

#[cfg_attr(unix, path = "clock/unix.rs")]
#[cfg_attr(windows, path = "clock/windows.rs")]
mod os;

use crate::licence::Moment;

/// The wall clock in Unix seconds, good to a few milliseconds. Never waits, never fails.
#[inline(always)]
pub fn coarse_seconds() -> i64 {
    os::coarse_seconds() + shift::wall()
}

/// Seconds since this machine was started, sleep included. The unit of every deadline that a moved clock must not touch.
pub fn boot_seconds() -> u64 {
    os::boot_seconds().saturating_add_signed(shift::boot())
}

/// The same in milliseconds.
pub fn boot_milliseconds() -> u64 {
    os::boot_milliseconds().saturating_add_signed(shift::boot().saturating_mul(1_000))
}

/// Local time, boot time and the name of this boot, read together. Reads a file on Linux: for the worker and cold calls.
pub fn moment() -> Moment {
    Moment { local: coarse_seconds(), boot: os::boot_id(), boot_seconds: boot_seconds() }
}

#[cfg(not(feature = "test-clock"))]
mod shift {
    #[inline(always)]
    pub fn wall() -> i64 {
        0
    }
    #[inline(always)]
    pub fn boot() -> i64 {
        0
    }
}

#[cfg(feature = "test-clock")]
mod shift {
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

    pub static WALL: AtomicI64 = AtomicI64::new(0);
    pub static BOOT: AtomicI64 = AtomicI64::new(0);

    #[inline(always)]
    pub fn wall() -> i64 {
        WALL.load(Relaxed)
    }
    #[inline(always)]
    pub fn boot() -> i64 {
        BOOT.load(Relaxed)
    }
}

/// Moves both clocks of this process, for tests and demos. Not in a shipped library.
#[cfg(feature = "test-clock")]
pub mod test {
    use super::shift;
    use std::sync::atomic::Ordering::Relaxed;

    /// Adds `seconds` to every reading of the wall clock from now on (not cumulative).
    pub fn set_wall_offset(seconds: i64) {
        shift::WALL.store(seconds, Relaxed);
    }

    /// Adds `seconds` to every reading of the boot-time clock from now on (not cumulative).
    pub fn set_boot_offset(seconds: i64) {
        shift::BOOT.store(seconds, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn clocks_of_one_process_move_forward_and_name_one_boot() {
        let first = super::moment();
        let second = super::moment();
        assert_eq!(first.boot, second.boot);
        assert!(second.boot_seconds >= first.boot_seconds);
        assert!(first.local > 1_700_000_000, "a machine that runs this test has a clock");
    }
}
