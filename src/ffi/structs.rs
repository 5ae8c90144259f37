//! The structs of the ABI. Layouts are frozen; they only grow at the end.

use std::ffi::{c_char, c_void};

/// An opened agent: slot and generation; neither half is ever 0 in a live handle.
pub type ors_agent = u64;

/// A host's log sink. level: 1 error, 2 warning, 3 information, 4 debug. line is UTF-8, len bytes, NUL-terminated. Called on the
/// library's own threads only, never on yours.
pub type ors_log_sink = Option<unsafe extern "C" fn(context: *mut c_void, level: u32, line: *const c_char, len: usize)>;

/// Why a call failed. 512 bytes. Written on success too: code 0, texts empty. NULL = not wanted.
#[repr(C)]
pub struct ors_error {
    pub struct_size: u32,
    /// What the function returned.
    pub code: i32,
    /// errno or GetLastError, else 0.
    pub os_code: i32,
    pub reserved: u32,
    /// Argument, setting ("proxy.port") or step ("tls"); for programs.
    pub r#where: [c_char; 64],
    /// One English sentence; no secret; cut at a character.
    pub message: [c_char; 432],
}

/// Options of ors_open. 64 bytes, 36 on 32-bit machines. Texts are UTF-8, NUL-terminated, copied before ors_open returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ors_options {
    pub struct_size: u32,
    /// ORS_OPEN_*.
    pub flags: u32,
    /// Absolute path on a local disk; its last level is made when missing. Optional when opened read only.
    pub state_folder: *const c_char,
    pub product: *const c_char,
    /// "role key-id base64" a line (role: root, licence, statement), "threshold N", or one "list base64" alone; LF or CRLF; empty
    /// lines and # comments are skipped.
    pub trusted_keys: *const c_char,
    /// Folder of the floating licence server, or one file in it; absolute; holds until the setting licence_path is set. Optional.
    pub licence_folder: *const c_char,
    /// https, or http to this machine. Optional.
    pub office_url: *const c_char,
    /// PEM, in addition to the trust store of the operating system. Optional.
    pub office_ca_file: *const c_char,
    /// JSON {"reread": [argv], "assistance": [argv]}: all that this process will ever run. Optional.
    pub commands: *const c_char,
}

/// What the installer asks. 48 bytes, 28 on 32-bit machines.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ors_update_query {
    pub struct_size: u32,
    /// Longest stay; 0 = 5,000; at most 60,000. Matters for a folder on a share only.
    pub timeout_ms: u32,
    /// A folder, or one file in it.
    pub licence_folder: *const c_char,
    pub product: *const c_char,
    /// As in ors_options.
    pub trusted_keys: *const c_char,
    /// "2026-12-01", required: a forgotten argument must not let a clock decide.
    pub release_date: *const c_char,
    /// Optional: newest key list, floor, clock mark.
    pub state_folder: *const c_char,
}

/// The answer to the installer. 32 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ors_update_verdict {
    pub struct_size: u32,
    /// 1 allowed, -1 not entitled, 0 cannot tell.
    pub verdict: i32,
    /// ORS_REASON_*: the first that fails.
    pub reason: i32,
    /// 20261201.
    pub release_day: i32,
    /// ORS_NEVER_DAY = perpetual; 0 = no licence.
    pub licence_last_day: i32,
    /// 0 = no contract, or no licence.
    pub maintenance_last_day: i32,
    pub sequence: u64,
}

/// What every page asks. 64 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ors_notice_status {
    pub struct_size: u32,
    /// ORS_NOTICE_*.
    pub notices: u32,
    /// A hash of all that shows: equal in all processes, moves when a date passes.
    pub revision: u64,
    /// 20271123; ORS_NEVER_DAY perpetual; 0 = none.
    pub licence_last_day: i32,
    /// 0 = no contract.
    pub maintenance_last_day: i32,
    /// 0 on the last day, negative from the instant of expiry; ORS_NEVER_LEFT perpetual.
    pub licence_days_left: i32,
    pub maintenance_days_left: i32,
    /// 0 = none.
    pub announcement: u64,
    /// 0 = none; else the request that waits for the customer's answer.
    pub assistance_request: u64,
    pub users: u32,
    /// ORS_SERVICE_*.
    pub service: u32,
    pub reserved: u64,
}

/// What a login asks. 104 bytes; the first 64 as ors_notice_status, read at the same instant.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ors_licence_status {
    pub struct_size: u32,
    /// ORS_NOTICE_*.
    pub notices: u32,
    /// A hash of all that shows: equal in all processes, moves when a date passes.
    pub revision: u64,
    /// 20271123; ORS_NEVER_DAY perpetual; 0 = none.
    pub licence_last_day: i32,
    /// 0 = no contract.
    pub maintenance_last_day: i32,
    /// 0 on the last day, negative from the instant of expiry; ORS_NEVER_LEFT perpetual.
    pub licence_days_left: i32,
    pub maintenance_days_left: i32,
    /// 0 = none.
    pub announcement: u64,
    /// 0 = none; else the request that waits for the customer's answer.
    pub assistance_request: u64,
    pub users: u32,
    /// ORS_SERVICE_*.
    pub service: u32,
    pub reserved: u64,
    /// ORS_LICENCE_*; a zeroed struct denies.
    pub state: u32,
    /// ORS_REASON_*, why REFUSED.
    pub reason: i32,
    /// Of the licence in use; 0 = none.
    pub sequence: u64,
    /// Of the licence that waits to be copied by hand; 0 = none.
    pub copy_sequence: u64,
    /// The instant, Unix seconds, for programs: never show it, show the last day.
    pub licence_expires_at: i64,
    pub maintenance_ends_at: i64,
}

/// What came of an upload. 32 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ors_install_result {
    pub struct_size: u32,
    /// ORS_INSTALL_*.
    pub state: u32,
    /// ORS_REASON_*.
    pub reason: i32,
    /// ORS_CHANGED_*.
    pub changes: u32,
    /// In use once ors_licence_status.sequence reaches it.
    pub sequence: u64,
    /// Raised by it; 0 = none.
    pub announcement: u64,
}

/// Largest struct_size that is taken.
const LARGEST: usize = 4_096;

/// A struct of the ABI: begins with `struct_size`, and has no padding.
///
/// # Safety
/// The type is `repr(C)`, its first member is a `u32`, every byte pattern is a value of it, and it has no padding.
pub unsafe trait Sized32 {}

// SAFETY: integers and pointers only, `struct_size` first, explicit `reserved` members where padding would be; the layout
// goldens (tests/abi) hold sizes and offsets.
unsafe impl Sized32 for ors_error {}
unsafe impl Sized32 for ors_options {}
unsafe impl Sized32 for ors_update_query {}
unsafe impl Sized32 for ors_update_verdict {}
unsafe impl Sized32 for ors_notice_status {}
unsafe impl Sized32 for ors_licence_status {}
unsafe impl Sized32 for ors_install_result {}

/// What is wrong with a caller's struct.
pub enum BadStruct {
    Null,
    Size,
    /// Set beyond what this library knows.
    Unknown,
}

/// The caller's `struct_size`, checked.
///
/// # Safety
/// `pointer` is NULL or points to at least four readable bytes.
unsafe fn size_of_caller<T: Sized32>(pointer: *const T) -> Result<usize, BadStruct> {
    if pointer.is_null() {
        return Err(BadStruct::Null);
    }
    // SAFETY: the caller's struct begins with `struct_size`; it need not be aligned for T.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() } as usize;
    if size < size_of::<T>() || size > LARGEST { Err(BadStruct::Size) } else { Ok(size) }
}

/// A copy of the caller's input struct. What a newer caller set beyond it is not known here, so it has to be zero.
///
/// # Safety
/// `pointer` is NULL or points to as many readable bytes as its `struct_size` says.
pub unsafe fn read<T: Sized32 + Copy>(pointer: *const T) -> Result<T, BadStruct> {
    // SAFETY: passed on from the caller.
    let size = unsafe { size_of_caller(pointer)? };
    // SAFETY: `size` bytes are readable, and T is at most that long.
    let beyond = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(size_of::<T>()), size - size_of::<T>()) };
    if beyond.iter().any(|byte| *byte != 0) {
        return Err(BadStruct::Unknown);
    }
    // SAFETY: every byte pattern is a T.
    Ok(unsafe { pointer.read_unaligned() })
}

/// Zeroes an output number. A call that fails leaves it so.
///
/// # Safety
/// `pointer` is NULL or writable; it need not be aligned.
pub unsafe fn zero_number(pointer: *mut u64) {
    if !pointer.is_null() {
        // SAFETY: not NULL, writable.
        unsafe { pointer.write_unaligned(0) };
    }
}

/// The caller's output struct: bytes, never a Rust reference.
pub struct Out {
    start: *mut u8,
    size: usize,
}

impl Out {
    /// # Safety
    /// `pointer` is NULL or points to as many writable bytes as its `struct_size` says, until the call returns.
    #[inline(always)]
    pub unsafe fn new<T: Sized32>(pointer: *mut T) -> Result<Out, BadStruct> {
        // SAFETY: passed on from the caller.
        let size = unsafe { size_of_caller(pointer)? };
        Ok(Out { start: pointer.cast(), size })
    }

    /// The same for a call that may fail early: the struct is zeroed at once.
    ///
    /// # Safety
    /// As [`Out::new`].
    pub unsafe fn emptied<T: Sized32>(pointer: *mut T) -> Result<Out, BadStruct> {
        // SAFETY: passed on from the caller.
        unsafe { Out::new(pointer) }.inspect(Out::zero)
    }

    /// Zeroes everything but `struct_size`: a failed call shows nothing and denies.
    #[inline]
    pub fn zero(&self) {
        // SAFETY: `size` bytes are writable, and at least the four of `struct_size` are there.
        unsafe { self.start.add(4).write_bytes(0, self.size - 4) };
    }

    /// Writes one word of 8 bytes, of word 0 only the high half: the low one is `struct_size`. What is beyond the struct is
    /// not written. The compiler knows the least size and leaves the comparison away.
    #[inline(always)]
    pub fn put(&self, index: usize, word: u64) {
        if index >= self.size / 8 {
            return;
        }
        // SAFETY: the word lies within the `size` bytes that are writable.
        unsafe {
            let to = self.start.add(index * 8);
            match index {
                0 => to.add(4).cast::<u32>().write_unaligned((word >> 32) as u32),
                _ => to.cast::<u64>().write_unaligned(word),
            }
        }
    }

    /// Whether the struct has exactly this many words of 8 bytes: the caller was built with a header of this version.
    #[inline(always)]
    pub fn holds_words(&self, words: usize) -> bool {
        self.size == words * 8
    }

    /// Zeroes the caller's struct from this byte on; 4 or more, so that `struct_size` stays.
    #[inline(always)]
    pub fn zero_from(&self, byte: usize) {
        if byte >= 4 && self.size > byte {
            // SAFETY: the rest of the caller's struct.
            unsafe { self.start.add(byte).write_bytes(0, self.size - byte) };
        }
    }

    /// Writes `words`, the first of which has `struct_size` as its low half; zeroes what is beyond.
    pub fn write<const N: usize>(&self, words: &[u64; N]) {
        words.iter().enumerate().for_each(|(index, word)| self.put(index, *word));
        self.zero_from(N * 8);
    }
}
