//! Open and close.

/// Works with every version.
#[unsafe(no_mangle)]
pub extern "C" fn ors_abi_version() -> u32 {
    ORS_ABI_VERSION
}

/// On failure `*out` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ors_set_log(agent: ors_agent, level: u32, sink: ors_log_sink, context: *mut c_void, error: *mut ors_error) -> i32 {
    guard(|| Ok(()))
}

/// Another clock.
#[cfg(feature = "test-clock")]
#[unsafe(no_mangle)]
pub extern "C" fn ors_only_in_tests(offset: i64) -> i32 {
    guard(|| Ok(()))
}

#[cfg(feature = "test-clock")]
pub const ORS_ONLY_IN_TESTS: i32 = 1;

pub(crate) fn helper() {}
