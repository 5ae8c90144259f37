//! A host: the C functions, called as a C program calls them, with Rust types around the results.

use ors::ffi::*;
use serde_json::Value;
use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

/// Texts of `ors_options`.
#[derive(Clone, Default)]
pub struct Options {
    pub flags: u32,
    pub state_folder: Option<String>,
    pub product: String,
    pub trusted_keys: String,
    pub licence_folder: Option<String>,
    pub commands: Option<String>,
    pub office_url: Option<String>,
    pub office_ca_file: Option<String>,
}

/// A failed call: its code, and the caller's error struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: i32,
    pub place: String,
    pub message: String,
}

/// One opened agent; closed when it goes.
pub struct Host {
    pub agent: ors_agent,
}

pub fn zeroed<T>() -> T {
    // SAFETY: used for the plain C structs of the ABI only.
    unsafe { std::mem::zeroed() }
}

pub fn new_error() -> ors_error {
    ors_error { struct_size: size_of::<ors_error>() as u32, ..zeroed() }
}

pub fn failure(code: i32, error: &ors_error) -> Result<(), Failure> {
    if code == ORS_OK {
        assert_eq!(error.code, 0, "the struct says the same as the function");
        return Ok(());
    }
    Err(Failure { code, place: c_text(&error.r#where), message: c_text(&error.message) })
}

fn c_text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars.iter().map(|c| c.cast_unsigned()).take_while(|b| *b != 0).collect();
    String::from_utf8(bytes).expect("texts of the library are UTF-8")
}

/// Calls a text function until the buffer is large enough.
pub fn text_of(call: impl Fn(*mut c_char, usize, *mut usize) -> i32) -> Result<String, i32> {
    let mut buffer = vec![0u8; 64];
    loop {
        let mut needed = 0;
        match call(buffer.as_mut_ptr().cast(), buffer.len(), &mut needed) {
            ORS_OK => {
                assert_eq!(buffer[needed - 1], 0, "the NUL is counted");
                buffer.truncate(needed - 1);
                return Ok(String::from_utf8(buffer).expect("texts of the library are UTF-8"));
            }
            ORS_E_BUFFER_TOO_SMALL => buffer = vec![0; needed],
            code => return Err(code),
        }
    }
}

impl Host {
    pub fn open(options: &Options) -> Result<Host, Failure> {
        let c = |text: &Option<String>| text.as_ref().map(|text| CString::new(text.as_str()).unwrap());
        let state = c(&options.state_folder);
        let licences = c(&options.licence_folder);
        let commands = c(&options.commands);
        let (url, ca_file) = (c(&options.office_url), c(&options.office_ca_file));
        let product = CString::new(options.product.as_str()).unwrap();
        let keys = CString::new(options.trusted_keys.as_str()).unwrap();
        let pointer = |text: &Option<CString>| text.as_ref().map_or(null(), |text| text.as_ptr());
        let given = ors_options {
            struct_size: size_of::<ors_options>() as u32,
            flags: options.flags,
            state_folder: pointer(&state),
            product: product.as_ptr(),
            trusted_keys: keys.as_ptr(),
            licence_folder: pointer(&licences),
            office_url: pointer(&url),
            office_ca_file: pointer(&ca_file),
            commands: pointer(&commands),
        };
        let mut agent = 7;
        let mut error = new_error();
        let code = unsafe { ors_open(&given, &mut agent, &mut error) };
        failure(code, &error).inspect_err(|_| assert_eq!(agent, 0, "on failure *out is 0"))?;
        Ok(Host { agent })
    }

    pub fn notices(&self) -> ors_notice_status {
        let mut out: ors_notice_status = zeroed();
        out.struct_size = size_of::<ors_notice_status>() as u32;
        assert_eq!(unsafe { ors_notify_status(self.agent, &mut out) }, ORS_OK);
        out
    }

    pub fn licence(&self) -> ors_licence_status {
        let mut out: ors_licence_status = zeroed();
        out.struct_size = size_of::<ors_licence_status>() as u32;
        assert_eq!(unsafe { ors_check_licence(self.agent, &mut out) }, ORS_OK);
        out
    }

    /// The sentence for one notice of what holds now.
    pub fn notice_text(&self, bit: u32) -> Result<String, i32> {
        let shown = self.notices();
        text_of(|buf, cap, needed| unsafe { ors_notice_text(self.agent, &shown, bit, null(), 0, buf, cap, needed) })
    }

    pub fn text(&self, field: u32) -> String {
        text_of(|buf, cap, needed| unsafe { ors_text(self.agent, field, 0, buf, cap, needed) }).unwrap()
    }

    pub fn about(&self) -> Value {
        json(text_of(|buf, cap, needed| unsafe { ors_about(self.agent, buf, cap, needed) }))
    }

    pub fn diagnostics(&self) -> Value {
        json(text_of(|buf, cap, needed| unsafe { ors_diagnostics(self.agent, buf, cap, needed) }))
    }

    pub fn settings(&self) -> Value {
        json(text_of(|buf, cap, needed| unsafe { ors_settings_get(self.agent, buf, cap, needed) }))
    }

    pub fn set(&self, settings: &Value) -> Result<(), Failure> {
        self.set_raw(settings.to_string().as_bytes())
    }

    pub fn set_raw(&self, json: &[u8]) -> Result<(), Failure> {
        let mut error = new_error();
        let code = unsafe {
            ors_settings_set(
                self.agent,
                json.as_ptr().cast(),
                json.len(),
                c"an administrator".as_ptr(),
                ORS_NTS,
                &mut error,
            )
        };
        failure(code, &error)
    }

    /// Starts a run of Connect, or joins one.
    pub fn connect(&self) -> Result<u64, Failure> {
        let (mut run, mut error) = (7, new_error());
        let code = unsafe { ors_connect(self.agent, c"an administrator".as_ptr(), ORS_NTS, &mut run, &mut error) };
        failure(code, &error).inspect_err(|_| assert_eq!(run, 0, "on failure *run is 0"))?;
        Ok(run)
    }

    pub fn report(&self, run: u64) -> Result<Value, i32> {
        text_of(|buf, cap, needed| unsafe { ors_connect_report(self.agent, run, buf, cap, needed) })
            .map(|text| serde_json::from_str(&text).expect("JSON"))
    }

    /// Waits for the end of a run, 20 s at most, and returns its report.
    pub fn connected(&self, run: u64) -> Value {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let report = self.report(run).unwrap();
            if report["state"] != "running" {
                return report;
            }
            assert!(Instant::now() < deadline, "in vain: {report:#}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn restart(&self) -> Result<(), Failure> {
        let mut error = new_error();
        let code = unsafe { ors_restart(self.agent, c"an administrator".as_ptr(), ORS_NTS, &mut error) };
        failure(code, &error)
    }

    pub fn acknowledge(&self, id: u64) -> Result<(), Failure> {
        let mut error = new_error();
        let code = unsafe { ors_acknowledge(self.agent, id, c"a user".as_ptr(), ORS_NTS, &mut error) };
        failure(code, &error)
    }

    /// Uploads a file. The result struct comes also with a failure.
    pub fn install(&self, file: &[u8]) -> (ors_install_result, Result<(), Failure>) {
        let mut out: ors_install_result = zeroed();
        out.struct_size = size_of::<ors_install_result>() as u32;
        let mut error = new_error();
        let code = unsafe {
            ors_install_licence(
                self.agent,
                file.as_ptr(),
                file.len(),
                c"an administrator".as_ptr(),
                ORS_NTS,
                &mut out,
                &mut error,
            )
        };
        (out, failure(code, &error))
    }

    /// The row of diagnostics for one file of the licence folder.
    pub fn row(&self, file: &str) -> Option<Value> {
        self.diagnostics()["licences"].as_array().unwrap().iter().find(|row| row["file"] == file).cloned()
    }

    /// Waits, 10 s at most, until `holds`; wakes when the library says that something changed.
    pub fn until(&self, what: &str, holds: impl Fn(&Host) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds(self) {
            assert!(Instant::now() < deadline, "in vain: {what}; {:#}", self.diagnostics());
            // Woken by every change of the revision; what is not in it (files refused) is looked for five times a second.
            unsafe { ors_wait(self.agent, self.notices().revision, 200, null_mut()) };
        }
    }

    pub fn until_sequence(&self, sequence: u64) {
        self.until(&format!("licence {sequence} in use"), |host| host.licence().sequence == sequence);
    }

    pub fn close(self) -> i32 {
        let agent = self.agent;
        std::mem::forget(self);
        ors_close(agent, ORS_DEFAULT_WAIT)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        ors_close(self.agent, ORS_DEFAULT_WAIT);
    }
}

fn json(text: Result<String, i32>) -> Value {
    serde_json::from_str(&text.expect("a text")).expect("JSON")
}
