//! Windows clocks. `unsafe` for four calls that only fill memory of ours.

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, FILETIME};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RegGetValueW};
use windows_sys::Win32::System::SystemInformation::{GetSystemTimeAsFileTime, GetTickCount64};

/// Seconds from 1601-01-01, where FILETIME begins, to 1970-01-01.
const EPOCH: i64 = 11_644_473_600;

#[inline(always)]
pub fn coarse_seconds() -> i64 {
    let mut now = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    // SAFETY: the call writes one FILETIME and cannot fail.
    unsafe { GetSystemTimeAsFileTime(&mut now) };
    let ticks = (i64::from(now.dwHighDateTime) << 32) | i64::from(now.dwLowDateTime);
    ticks / 10_000_000 - EPOCH
}

pub fn boot_seconds() -> u64 {
    boot_milliseconds() / 1_000
}

pub fn boot_milliseconds() -> u64 {
    // SAFETY: no argument, cannot fail.
    unsafe { GetTickCount64() }
}

/// The counter that Windows raises at each boot; empty where it cannot be read (then nothing is carried over a restart).
pub fn boot_id() -> String {
    let key = wide(r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters");
    let name = wide("BootId");
    let mut value = 0u32;
    let mut size = 4u32;
    // SAFETY: both names are NUL-terminated; `value` has the four bytes that `size` says.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_DWORD,
            std::ptr::null_mut(),
            (&raw mut value).cast(),
            &mut size,
        )
    };
    if code == ERROR_SUCCESS { value.to_string() } else { String::new() }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
