//! Linux clocks. `unsafe` for `clock_gettime` alone.

fn time(clock: libc::clockid_t) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec for the call; a failure leaves it at 0, which reads as 1970 and is judged as a wrong clock.
    unsafe { libc::clock_gettime(clock, &mut now) };
    now
}

fn read(clock: libc::clockid_t) -> i64 {
    time(clock).tv_sec
}

#[inline(always)]
pub fn coarse_seconds() -> i64 {
    read(libc::CLOCK_REALTIME_COARSE)
}

pub fn boot_seconds() -> u64 {
    read(libc::CLOCK_BOOTTIME).max(0).unsigned_abs()
}

pub fn boot_milliseconds() -> u64 {
    let now = time(libc::CLOCK_BOOTTIME);
    (now.tv_sec * 1_000 + now.tv_nsec / 1_000_000).max(0).unsigned_abs()
}

/// The kernel's random name for this boot; empty where `/proc` is not mounted (then nothing is carried over a restart).
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}
