//! Every page refresh.
//!
//! More words for Rust readers.

/// 64 bytes
#[repr(C)]
pub struct ors_notice_status {
    pub struct_size: u32,
    /// 8 a hash of all that shows
    pub revision: u64,
}

/// Tells which notices hold now; see [`ors_close`].
///
/// # Safety
/// `out` is null or points to `struct_size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_notify_status(agent: ors_agent, out: *mut ors_notice_status) -> i32 {
    guard(|| Ok(()))
}

/// The sentence for one bit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_notice_text(
    agent: ors_agent, shown: *const ors_notice_status, notice: u32, language: *const c_char, language_len: usize,
    buf: *mut c_char, cap: usize, needed: *mut usize,
) -> i32 {
    guard(|| Ok(()))
}
