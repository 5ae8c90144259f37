//! A safe face over the C functions: the class that a host writes once and then forgets the C about.
//!
//! One `Agent` is one handle; dropping it closes it. Every text is fetched with a buffer that grows as asked. Errors carry
//! the library's own sentence. Which of these calls may be made on an async thread: all but `open`, `acknowledge`,
//! `install`, `change_settings` and `check_update`, which may take up to their time and belong on a blocking thread.

use crate::abi::{self, ORS_E_BUFFER_TOO_SMALL, ORS_E_REFUSED, ORS_E_TIMEOUT, ORS_OK};
use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fmt, ptr};

pub use abi::{ors_install_result as InstallResult, ors_licence_status as LicenceStatus};
pub use abi::{ors_notice_status as NoticeStatus, ors_update_verdict as Verdict};

/// Bits of [`NoticeStatus::notices`].
pub mod notice {
    pub const MAINTENANCE_EXPIRING: u32 = 0x001;
    pub const LICENCE_EXPIRING: u32 = 0x002;
    pub const LICENCE_EXPIRED: u32 = 0x004;
    pub const MAINTENANCE_EXPIRED: u32 = 0x008;
    pub const NEW_FEATURES: u32 = 0x010;
    pub const MANUAL_COPY: u32 = 0x020;
    pub const NO_LICENCE: u32 = 0x100;
    pub const CLOCK_WRONG: u32 = 0x200;
}

/// Values of [`LicenceStatus::state`].
pub mod state {
    pub const UNKNOWN: u32 = 0;
    pub const VALID: u32 = 1;
    pub const EXPIRED: u32 = 2;
    pub const MISSING: u32 = 3;
    pub const REFUSED: u32 = 4;
}

/// Values of [`InstallResult::state`].
pub mod installed {
    pub const ACCEPTED: u32 = 1;
    pub const COPY: u32 = 2;
    pub const PRESENT: u32 = 3;
}

/// Fields of [`Agent::text`].
pub mod field {
    pub const COPY_SOURCE: u32 = 16;
    pub const COPY_TARGET: u32 = 17;
    pub const COPY_FILE_NAMES: u32 = 18;
    pub const COPY_LICENCE: u32 = 19;
}

/// A "last day" that never comes.
pub const NEVER_DAY: i32 = 99_991_231;

const LONGEST_TEXT: usize = 64 << 20;

/// What a call that failed says: the code for programs, the sentence for people, and what it was about.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: i32,
    /// The argument, setting ("licence_path") or step; may be empty.
    pub about: String,
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}", self.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// For the calls that return nothing but a code.
    fn of(code: i32) -> Failure {
        let english = text_or_code(|buf, cap, needed| {
            // SAFETY: the buffer is valid for `cap` bytes; NULL means the default language.
            unsafe { abi::ors_error_text(code, ptr::null(), 0, buf, cap, needed) }
        });
        Failure { code, about: String::new(), message: english.unwrap_or_else(|_| format!("error {code}")) }
    }

    fn from(code: i32, error: &abi::ors_error) -> Failure {
        let message = chars(&error.message);
        let about = chars(&error.where_);
        if message.is_empty() { Failure { about, ..Failure::of(code) } } else { Failure { code, about, message } }
    }

    fn argument(about: &str) -> Failure {
        Failure { code: -3, about: about.to_owned(), message: format!("The {about} contains a NUL character.") }
    }

    pub fn timed_out(&self) -> bool {
        self.code == ORS_E_TIMEOUT
    }

    pub fn refused(&self) -> bool {
        self.code == ORS_E_REFUSED
    }
}

/// How an agent is opened, in the host's own types.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    pub state_folder: &'a Path,
    pub licence_folder: &'a Path,
    pub product: &'a str,
    pub trusted_keys: &'a str,
}

/// One open handle. Any thread may use it at any time.
#[derive(Debug)]
pub struct Agent(u64);

impl Agent {
    pub fn open(options: &Options<'_>) -> Result<Agent, Failure> {
        let state_folder = path(options.state_folder, "state_folder")?;
        let licence_folder = path(options.licence_folder, "licence_folder")?;
        let product = c_string(options.product, "product")?;
        let trusted_keys = c_string(options.trusted_keys, "trusted_keys")?;
        let raw = abi::ors_options {
            struct_size: size::<abi::ors_options>(),
            flags: 0,
            state_folder: state_folder.as_ptr(),
            product: product.as_ptr(),
            trusted_keys: trusted_keys.as_ptr(),
            licence_folder: licence_folder.as_ptr(),
            office_url: ptr::null(),
            office_ca_file: ptr::null(),
            commands: ptr::null(),
        };
        let mut handle = 0;
        let mut error = empty_error();
        // SAFETY: every pointer outlives the call, and both structs say their true size.
        let code = unsafe { abi::ors_open(&raw, &mut handle, &mut error) };
        if code == ORS_OK { Ok(Agent(handle)) } else { Err(Failure::from(code, &error)) }
    }

    /// For every page refresh.
    pub fn notices(&self) -> Result<NoticeStatus, Failure> {
        let mut out = NoticeStatus { struct_size: size::<NoticeStatus>(), ..NoticeStatus::default() };
        // SAFETY: `out` is a live struct of the size that it names.
        checked(unsafe { abi::ors_notify_status(self.0, &mut out) }).map(|()| out)
    }

    /// For the login.
    pub fn licence(&self) -> Result<LicenceStatus, Failure> {
        let mut out = LicenceStatus::default();
        out.shown.struct_size = size::<LicenceStatus>();
        // SAFETY: `out` is a live struct of the size that it names.
        checked(unsafe { abi::ors_check_licence(self.0, &mut out) }).map(|()| out)
    }

    /// The sentence for one bit of `shown`. `language` is an Accept-Language value. Plain text: encode it.
    pub fn notice_text(&self, shown: &NoticeStatus, bit: u32, language: &str) -> Result<String, Failure> {
        // It may be the first part of a `LicenceStatus`, whose size it then still names.
        let shown = NoticeStatus { struct_size: size::<NoticeStatus>(), ..*shown };
        text(|buf, cap, needed| {
            // SAFETY: `shown` and `language` are live for the call, the length is that of `language`, `buf` has `cap` bytes.
            unsafe {
                abi::ors_notice_text(self.0, &shown, bit, language.as_ptr().cast(), language.len(), buf, cap, needed)
            }
        })
    }

    /// What the About box shows, as JSON.
    pub fn about(&self) -> Result<String, Failure> {
        // SAFETY: `text` hands out a buffer of `cap` bytes.
        text(|buf, cap, needed| unsafe { abi::ors_about(self.0, buf, cap, needed) })
    }

    /// One text about one thing; `subject` 0 is the current one.
    pub fn text(&self, field: u32, subject: u64) -> Result<String, Failure> {
        // SAFETY: as above.
        text(|buf, cap, needed| unsafe { abi::ors_text(self.0, field, subject, buf, cap, needed) })
    }

    pub fn settings(&self) -> Result<String, Failure> {
        // SAFETY: as above.
        text(|buf, cap, needed| unsafe { abi::ors_settings_get(self.0, buf, cap, needed) })
    }

    /// Every licence file seen, with its reason, and much more, as JSON.
    pub fn diagnostics(&self) -> Result<String, Failure> {
        // SAFETY: as above.
        text(|buf, cap, needed| unsafe { abi::ors_diagnostics(self.0, buf, cap, needed) })
    }

    /// Confirms what was announced up to `announcement`; `by` is the product's user.
    pub fn acknowledge(&self, announcement: u64, by: &str) -> Result<(), Failure> {
        let mut error = empty_error();
        // SAFETY: pointer and length of `by` belong together; `error` says its size.
        let code = unsafe { abi::ors_acknowledge(self.0, announcement, by.as_ptr().cast(), by.len(), &mut error) };
        if code == ORS_OK { Ok(()) } else { Err(Failure::from(code, &error)) }
    }

    /// Hands over the bytes of a licence file. A refusal is an error whose sentence says why.
    pub fn install(&self, licence: &[u8], by: &str) -> Result<InstallResult, Failure> {
        let mut out = InstallResult { struct_size: size::<InstallResult>(), ..InstallResult::default() };
        let mut error = empty_error();
        // SAFETY: both texts with their true lengths, both structs with their true sizes.
        let code = unsafe {
            let by_text = by.as_ptr().cast();
            abi::ors_install_licence(self.0, licence.as_ptr(), licence.len(), by_text, by.len(), &mut out, &mut error)
        };
        if code == ORS_OK { Ok(out) } else { Err(Failure::from(code, &error)) }
    }

    /// Changes the settings that `json` names, all or nothing.
    pub fn change_settings(&self, json: &str, by: &str) -> Result<(), Failure> {
        let mut error = empty_error();
        // SAFETY: both texts with their true lengths; `error` says its size.
        let code = unsafe {
            let by_text = by.as_ptr().cast();
            abi::ors_settings_set(self.0, json.as_ptr().cast(), json.len(), by_text, by.len(), &mut error)
        };
        if code == ORS_OK { Ok(()) } else { Err(Failure::from(code, &error)) }
    }

    /// Waits, woken by each change, until `holds` says yes; no longer than `longest`. It is asked again four times a second
    /// even without a change, so that it may depend on something of the caller's own too.
    pub fn wait_until(&self, longest: Duration, holds: impl Fn(&LicenceStatus) -> bool) -> Result<(), Failure> {
        let end = Instant::now() + longest;
        loop {
            let status = self.licence()?;
            if holds(&status) {
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::of(ORS_E_TIMEOUT));
            }
            let left = u32::try_from(left.as_millis()).unwrap_or(250).clamp(1, 250);
            let mut revision = 0;
            // SAFETY: `revision` is a live integer.
            let code = unsafe { abi::ors_wait(self.0, status.shown.revision, left, &mut revision) };
            if code != ORS_OK && code != ORS_E_TIMEOUT {
                return Err(Failure::of(code));
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // SAFETY: a number; a handle that is closed already would only be an error code.
        unsafe { abi::ors_close(self.0, 2_000) };
    }
}

/// The installer's question; needs no agent. The sentence beside the verdict is the library's.
pub fn check_update(options: &Options<'_>, release_date: &str) -> Result<(Verdict, String), Failure> {
    let state_folder = path(options.state_folder, "state_folder")?;
    let licence_folder = path(options.licence_folder, "licence_folder")?;
    let product = c_string(options.product, "product")?;
    let trusted_keys = c_string(options.trusted_keys, "trusted_keys")?;
    let release_date = c_string(release_date, "release_date")?;
    let query = abi::ors_update_query {
        struct_size: size::<abi::ors_update_query>(),
        timeout_ms: 0,
        licence_folder: licence_folder.as_ptr(),
        product: product.as_ptr(),
        trusted_keys: trusted_keys.as_ptr(),
        release_date: release_date.as_ptr(),
        state_folder: state_folder.as_ptr(),
    };
    let mut verdict = Verdict { struct_size: size::<Verdict>(), ..Verdict::default() };
    let mut error = empty_error();
    // SAFETY: every pointer outlives the call, and each struct says its true size.
    let code = unsafe { abi::ors_check_update(&query, &mut verdict, &mut error) };
    if code != ORS_OK {
        return Err(Failure::from(code, &error));
    }
    // SAFETY: `verdict` is live and was just filled; NULL is the default language.
    let sentence =
        text(|buf, cap, needed| unsafe { abi::ors_update_text(&verdict, ptr::null(), 0, buf, cap, needed) })?;
    Ok((verdict, sentence))
}

pub fn library_version() -> String {
    // SAFETY: `text` hands out a buffer of `cap` bytes.
    text(|buf, cap, needed| unsafe { abi::ors_version(buf, cap, needed) }).unwrap_or_default()
}

/// Moves the library's clocks, before anything is opened.
pub fn move_clock(seconds: i64) {
    // SAFETY: two numbers.
    unsafe { abi::ors_test_clock_set(seconds, 0) };
}

fn text(fill: impl Fn(*mut c_char, usize, *mut usize) -> i32) -> Result<String, Failure> {
    text_or_code(fill).map_err(Failure::of)
}

/// Calls `fill` with a buffer that grows until the text fits. What it needs may change between two calls, hence a loop;
/// it ends at a size that no text of the library comes near.
fn text_or_code(fill: impl Fn(*mut c_char, usize, *mut usize) -> i32) -> Result<String, i32> {
    let mut buffer = vec![0u8; 1_024];
    loop {
        let mut needed = 0;
        let code = fill(buffer.as_mut_ptr().cast(), buffer.len(), &mut needed);
        if code == ORS_OK {
            let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
            buffer.truncate(end);
            return Ok(String::from_utf8_lossy(&buffer).into_owned());
        }
        if code != ORS_E_BUFFER_TOO_SMALL || buffer.len() > LONGEST_TEXT {
            return Err(code);
        }
        buffer = vec![0; needed.max(buffer.len() * 2)];
    }
}

fn checked(code: i32) -> Result<(), Failure> {
    if code == ORS_OK { Ok(()) } else { Err(Failure::of(code)) }
}

fn size<T>() -> u32 {
    size_of::<T>() as u32
}

fn empty_error() -> abi::ors_error {
    abi::ors_error {
        struct_size: size::<abi::ors_error>(),
        code: 0,
        os_code: 0,
        reserved: 0,
        where_: [0; 64],
        message: [0; 432],
    }
}

fn chars(field: &[c_char]) -> String {
    let bytes: Vec<u8> = field.iter().map(|byte| *byte as u8).collect();
    CStr::from_bytes_until_nul(&bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

fn c_string(text: &str, about: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::argument(about))
}

fn path(path: &Path, about: &str) -> Result<CString, Failure> {
    c_string(&path.to_string_lossy(), about)
}
