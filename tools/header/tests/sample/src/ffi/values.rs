//! Numbers and structs.

use std::ffi::{c_char, c_void};

/// slot and generation; neither half is ever 0 in a live handle
pub type ors_agent = u64;

/// level: 1 error ... 4 debug. Called on the library's own threads only.
pub type ors_log_sink =
    Option<unsafe extern "C" fn(context: *mut c_void, level: u32, line: *const c_char, len: usize)>;

/// major << 16 | minor
pub const ORS_ABI_VERSION: u32 = 0x0001_0000;
/// "text is NUL-terminated"
pub const ORS_NTS: usize = usize::MAX;
pub const ORS_NEVER: i64 = i64::MAX;
pub const ORS_NEVER_DAY: i32 = 99991231;
pub const ORS_DEFAULT_WAIT: u32 = u32::MAX;

/// # codes: 0 or negative;
/// numbers are never reused
///
/// no error
pub const ORS_OK: i32 = 0;
/// a required pointer is NULL
pub const ORS_E_NULL: i32 = -1;
pub const ORS_E_INTERNAL: i32 = -900;
/// # bits
pub const ORS_NOTICE_FIRST: u32 = 0x001;
pub const ORS_NOTICE_BOTH: u32 = ORS_NOTICE_FIRST | 1 << 4;
const ORS_PRIVATE_WORD_LENGTH: usize = 7;

/// 512 bytes. NULL = not wanted
#[repr(C)]
pub struct ors_error {
    /// 0
    pub struct_size: u32,
    /// 16 argument, setting or step
    pub r#where: [c_char; 64],
    /// 80
    /// one English sentence;
    /// cut at a character
    pub message: [c_char; 432],
}

/// Used by no function yet.
#[repr(C)]
pub struct ors_later {
    pub struct_size: u32,
}

/// What C never sees.
pub struct Inner {
    pub name: String,
}
