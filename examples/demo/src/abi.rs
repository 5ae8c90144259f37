//! The library's C functions as this program sees them: what a C# host writes as `DllImport`, written in Rust.
//!
//! Names, layouts and numbers are those of `include/ors.h`; only what the demo calls is declared. Nothing here decides
//! anything: `agent` next door makes it safe, and nobody else uses it.

#![allow(non_camel_case_types)]

use std::ffi::c_char;

// So that the linker takes the library along, although no Rust item of it is named.
extern crate ors as _;

pub const ORS_OK: i32 = 0;
pub const ORS_E_BUFFER_TOO_SMALL: i32 = -5;
pub const ORS_E_TIMEOUT: i32 = -8;
pub const ORS_E_REFUSED: i32 = -12;

#[repr(C)]
pub struct ors_error {
    pub struct_size: u32,
    pub code: i32,
    pub os_code: i32,
    pub reserved: u32,
    pub where_: [c_char; 64],
    pub message: [c_char; 432],
}

#[repr(C)]
pub struct ors_options {
    pub struct_size: u32,
    pub flags: u32,
    pub state_folder: *const c_char,
    pub product: *const c_char,
    pub trusted_keys: *const c_char,
    pub licence_folder: *const c_char,
    pub office_url: *const c_char,
    pub office_ca_file: *const c_char,
    pub commands: *const c_char,
}

#[repr(C)]
pub struct ors_update_query {
    pub struct_size: u32,
    pub timeout_ms: u32,
    pub licence_folder: *const c_char,
    pub product: *const c_char,
    pub trusted_keys: *const c_char,
    pub release_date: *const c_char,
    pub state_folder: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ors_update_verdict {
    pub struct_size: u32,
    pub verdict: i32,
    pub reason: i32,
    pub release_day: i32,
    pub licence_last_day: i32,
    pub maintenance_last_day: i32,
    pub sequence: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ors_notice_status {
    pub struct_size: u32,
    pub notices: u32,
    pub revision: u64,
    pub licence_last_day: i32,
    pub maintenance_last_day: i32,
    pub licence_days_left: i32,
    pub maintenance_days_left: i32,
    pub announcement: u64,
    pub assistance_request: u64,
    pub users: u32,
    pub service: u32,
    pub reserved: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ors_licence_status {
    /// The first 64 bytes; its `struct_size` is that of the whole.
    pub shown: ors_notice_status,
    pub state: u32,
    pub reason: i32,
    pub sequence: u64,
    pub copy_sequence: u64,
    pub licence_expires_at: i64,
    pub maintenance_ends_at: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ors_install_result {
    pub struct_size: u32,
    pub state: u32,
    pub reason: i32,
    pub changes: u32,
    pub sequence: u64,
    pub announcement: u64,
}

const _: () = {
    assert!(size_of::<ors_error>() == 512);
    assert!(size_of::<ors_notice_status>() == 64);
    assert!(size_of::<ors_licence_status>() == 104);
    assert!(size_of::<ors_update_verdict>() == 32);
    assert!(size_of::<ors_install_result>() == 32);
};

#[rustfmt::skip] // One function a line or two, as in the header.
unsafe extern "C" {
    pub fn ors_version(buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;
    pub fn ors_error_text(code: i32, language: *const c_char, language_len: usize, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;

    pub fn ors_open(options: *const ors_options, out: *mut u64, error: *mut ors_error) -> i32;
    pub fn ors_close(agent: u64, timeout_ms: u32) -> i32;
    pub fn ors_wait(agent: u64, seen: u64, timeout_ms: u32, revision: *mut u64) -> i32;

    pub fn ors_notify_status(agent: u64, out: *mut ors_notice_status) -> i32;
    pub fn ors_check_licence(agent: u64, out: *mut ors_licence_status) -> i32;
    pub fn ors_notice_text(agent: u64, shown: *const ors_notice_status, notice: u32, language: *const c_char, language_len: usize,
                           buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;
    pub fn ors_about(agent: u64, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;
    pub fn ors_text(agent: u64, field: u32, subject: u64, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;
    pub fn ors_acknowledge(agent: u64, announcement: u64, by: *const c_char, by_len: usize, error: *mut ors_error) -> i32;

    pub fn ors_check_update(query: *const ors_update_query, out: *mut ors_update_verdict, error: *mut ors_error) -> i32;
    pub fn ors_update_text(verdict: *const ors_update_verdict, language: *const c_char, language_len: usize,
                           buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;
    pub fn ors_install_licence(agent: u64, data: *const u8, len: usize, by: *const c_char, by_len: usize,
                               out: *mut ors_install_result, error: *mut ors_error) -> i32;

    pub fn ors_settings_get(agent: u64, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;
    pub fn ors_settings_set(agent: u64, json: *const c_char, len: usize, by: *const c_char, by_len: usize, error: *mut ors_error) -> i32;
    pub fn ors_diagnostics(agent: u64, buf: *mut c_char, cap: usize, needed: *mut usize) -> i32;

    /// Exported with the feature `test-clock` only: moves the clocks of the whole library, in seconds.
    pub fn ors_test_clock_set(wall_offset_seconds: i64, boot_offset_seconds: i64) -> i32;
}
