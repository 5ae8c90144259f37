//! A stream of bytes as a sequence of calls of the C ABI, with arguments that nobody would give.

mod memory;

use crate::allocation::bounded;
use crate::fixture::{self, PRODUCT, fixture};
use crate::place;
use crate::reader::Reader;
use memory::{Buffer, Number, Struct, Text};
use ors::ffi::*;
use std::ffi::{CString, c_char, c_void};
use std::path::PathBuf;
use std::ptr::null;
use std::time::{Duration, Instant};

/// Calls of one input.
const MOST_CALLS: usize = 40;
/// More agents than this are not opened.
const MOST_AGENTS: usize = 6;

pub fn run(data: &[u8]) {
    let mut caller = Caller::new(data);
    for _ in 0..MOST_CALLS {
        if caller.reader.is_empty() {
            break;
        }
        caller.call();
    }
    caller.leave();
}

struct Caller<'a> {
    reader: Reader<'a>,
    place: PathBuf,
    /// Every handle that an open gave, also when it is closed by now.
    agents: Vec<ors_agent>,
    threads: usize,
}

/// All codes that there are. A defect, even a contained one, is none of them.
fn is_known(what: &str, code: i32) {
    let known = code != -14 && ((-17..=0).contains(&code) || code == ORS_E_IO || code == ORS_E_PERMISSION);
    assert!(known, "{what} returned {code}");
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

impl<'a> Caller<'a> {
    fn new(data: &'a [u8]) -> Caller<'a> {
        let place = place::fresh();
        let state = place::folder(&place, "state");
        let licences = place::folder(&place, "licences");
        place::put(&licences.join("a.ors.json"), &fixture().licences[0]);
        place::put(&state.join("state.a"), &place::sealed(1, 1, fixture::state().to_string().as_bytes()));
        Caller { reader: Reader(data), place, agents: Vec::new(), threads: threads() }
    }

    /// Closes everything, and waits until the library's threads are gone: the next input has the folders for itself.
    fn leave(self) {
        for agent in self.agents {
            let code = bounded("ors_close", || ors_close(agent, 10_000));
            assert!(code == ORS_OK || code == ORS_E_CLOSED, "the last close: {code}");
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        while threads() > self.threads {
            assert!(Instant::now() < deadline, "a thread of a closed agent lives on");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn call(&mut self) {
        match self.reader.u8() % 20 {
            0 => self.open(),
            1 => self.close(),
            2 => self.wait(),
            3 => self.status::<ors_notice_status>("ors_notify_status", ors_notify_status),
            4 => self.status::<ors_licence_status>("ors_check_licence", ors_check_licence),
            5 => self.notice_text(),
            6 => self.texts("ors_about", |agent, buf, cap, needed| unsafe { ors_about(agent, buf, cap, needed) }),
            7 => self.texts("ors_settings_get", |agent, buf, cap, needed| unsafe {
                ors_settings_get(agent, buf, cap, needed)
            }),
            8 => self.texts("ors_diagnostics", |agent, buf, cap, needed| unsafe {
                ors_diagnostics(agent, buf, cap, needed)
            }),
            9 => self.text(),
            10 => self.settings_set(),
            11 => self.acknowledge(),
            12 => self.install(),
            13 => self.check_update(),
            14 => self.update_text(),
            15 => self.read_log(),
            16 => self.set_log(),
            17 => self.texts("ors_version", |_, buf, cap, needed| unsafe { ors_version(buf, cap, needed) }),
            18 => self.error_text(),
            _ => assert_eq!(ors_abi_version(), ORS_ABI_VERSION),
        }
    }

    /// One of ours, open or closed, or a made-up one.
    fn agent(&mut self) -> ors_agent {
        let which = usize::from(self.reader.u8());
        match self.agents.get(which % 8) {
            Some(agent) if which < 0xF0 => *agent,
            _ => self.reader.u64(),
        }
    }

    /// 0 to 3 ms: what waits longer does so because the caller wants it.
    fn milliseconds(&mut self) -> u32 {
        u32::from(self.reader.u8() % 4)
    }

    fn error(&mut self) -> Struct {
        Struct::out::<ors_error>(&mut self.reader)
    }

    /// A path of ours, or one that cannot be; never one outside of the folder for inputs.
    fn path(&mut self, name: &str) -> Option<CString> {
        let place = place::text(&self.place);
        let path = match self.reader.u8() % 16 {
            0 => return None,
            1 => String::new(),
            2 => "relative".to_owned(),
            3 => format!("{place}/{name}/missing/deeper"),
            4 => format!("{place}/licences/a.ors.json"),
            5 => format!("{place}/{}", self.reader.text(9_000).replace("..", "").replace('\0', "")),
            6 => format!("{place}/{name}/../{name}"),
            _ => format!("{place}/{name}"),
        };
        CString::new(path).ok()
    }

    fn hostile(&mut self, usual: &str, most: usize) -> Option<CString> {
        let bytes = match self.reader.u8() % 8 {
            0 => return None,
            1 => self.reader.expanded(most),
            _ => usual.as_bytes().to_owned(),
        };
        CString::new(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).ok()
    }

    fn open(&mut self) {
        if self.agents.len() == MOST_AGENTS {
            return;
        }
        let flags = match self.reader.u8() % 8 {
            0 => self.reader.u32(),
            1 | 2 => 0,
            _ => ORS_OPEN_READ_ONLY,
        };
        let (state, licences) = (self.path("state"), self.path("licences"));
        let product = self.hostile(PRODUCT, 1_000);
        let keys = self.hostile(&fixture().trusted, (1 << 20) + 1);
        let url = self.hostile("https://office.example", 9_000);
        // Programs are named only where none is run.
        let commands = if flags == ORS_OPEN_READ_ONLY { self.hostile("{}", (1 << 20) + 1) } else { None };
        let pointer = |text: &Option<CString>| text.as_ref().map_or(null(), |text| text.as_ptr());
        let options = ors_options {
            struct_size: 0,
            flags,
            state_folder: pointer(&state),
            product: pointer(&product),
            trusted_keys: pointer(&keys),
            licence_folder: pointer(&licences),
            office_url: pointer(&url),
            office_ca_file: null(),
            commands: pointer(&commands),
        };
        let mut options = Struct::given(&mut self.reader, &options);
        let mut error = self.error();
        let mut agent = Number::any(&mut self.reader);
        let wanted = !self.reader.one_in(16);
        let out = if wanted { agent.pointer() } else { std::ptr::null_mut() };
        let code = bounded("ors_open", || unsafe { ors_open(options.pointer(), out, error.pointer()) });
        is_known("ors_open", code);
        reports("ors_open", code, &error);
        if code == ORS_OK {
            assert!(agent.get() != 0 && wanted);
            self.agents.push(agent.get());
        } else {
            assert!(!wanted || agent.get() == 0, "a failed open gives no handle");
        }
    }

    fn close(&mut self) {
        let agent = self.agent();
        let wait = if self.reader.u8() & 1 == 0 { 0 } else { 10_000 };
        let code = bounded("ors_close", || ors_close(agent, wait));
        assert!(code == ORS_OK || code == ORS_E_CLOSED || (code == ORS_E_TIMEOUT && wait == 0), "ors_close: {code}");
        let mut buffer = [0];
        let dead = unsafe { ors_about(agent, buffer.as_mut_ptr(), 0, std::ptr::null_mut()) };
        assert_eq!(dead, ORS_E_CLOSED, "a closed handle is dead");
    }

    fn wait(&mut self) {
        let (agent, seen, wait) = (self.agent(), self.reader.u64(), self.milliseconds());
        let mut revision = Number::any(&mut self.reader);
        let code = bounded("ors_wait", || unsafe { ors_wait(agent, seen, wait, revision.pointer()) });
        assert!(matches!(code, ORS_OK | ORS_E_TIMEOUT | ORS_E_CLOSED), "ors_wait: {code}");
        assert!((code == ORS_OK) == (revision.get() != 0), "ors_wait: {code}, revision {}", revision.get());
    }

    fn status<T>(&mut self, what: &str, call: unsafe extern "C" fn(ors_agent, *mut T) -> i32) {
        let agent = self.agent();
        let mut out = Struct::out::<T>(&mut self.reader);
        let code = bounded(what, || unsafe { call(agent, out.pointer()) });
        assert!(matches!(code, ORS_OK | ORS_E_NULL | ORS_E_STRUCT_SIZE | ORS_E_CLOSED), "{what}: {code}");
        out.keeps_its_size(what);
        if code != ORS_OK {
            out.is_zero_after_failure::<T>(what);
        }
    }

    fn texts(&mut self, what: &str, call: impl Fn(ors_agent, *mut c_char, usize, *mut usize) -> i32) {
        let agent = self.agent();
        let mut buffer = Buffer::any(&mut self.reader);
        let (pointer, cap, needed) = (buffer.pointer(), buffer.cap(), buffer.needed());
        let code = bounded(what, || call(agent, pointer, cap, needed));
        is_known(what, code);
        buffer.check(what, code);
    }

    fn text(&mut self) {
        let (field, subject) = (u32::from(self.reader.u8() % 64), self.reader.u64());
        self.texts("ors_text", |agent, buf, cap, needed| unsafe { ors_text(agent, field, subject, buf, cap, needed) });
    }

    fn notice_text(&mut self) {
        let bit = 1u32.wrapping_shl(u32::from(self.reader.u8()));
        let mut shown = ors_notice_status {
            struct_size: 0,
            notices: bit,
            revision: 0,
            licence_last_day: 20271123,
            maintenance_last_day: 20270531,
            licence_days_left: self.reader.i32(),
            maintenance_days_left: self.reader.i32(),
            announcement: self.reader.u64(),
            assistance_request: 0,
            users: 0,
            service: 0,
            reserved: 0,
        };
        if self.reader.one_in(8) {
            (shown.notices, shown.licence_last_day, shown.reserved) = (self.reader.u32(), self.reader.i32(), 1);
        }
        let shown = Struct::given(&mut self.reader, &shown);
        let language = Text::any(&mut self.reader, 9_000);
        self.texts("ors_notice_text", |agent, buf, cap, needed| unsafe {
            ors_notice_text(agent, shown.const_pointer(), bit, language.pointer(), language.len(), buf, cap, needed)
        });
    }

    fn error_text(&mut self) {
        let code = self.reader.i32() % 1_000;
        let language = Text::any(&mut self.reader, 9_000);
        self.texts("ors_error_text", |_, buf, cap, needed| unsafe {
            ors_error_text(code, language.pointer(), language.len(), buf, cap, needed)
        });
    }

    fn settings_set(&mut self) {
        let agent = self.agent();
        let (json, by) = (Text::any(&mut self.reader, 70_000), Text::any(&mut self.reader, 1_000));
        let mut error = self.error();
        let code = bounded("ors_settings_set", || unsafe {
            ors_settings_set(agent, json.pointer(), json.len(), by.pointer(), by.len(), error.pointer())
        });
        is_known("ors_settings_set", code);
        reports("ors_settings_set", code, &error);
    }

    fn acknowledge(&mut self) {
        let (agent, id) = (self.agent(), self.reader.u64());
        let by = Text::any(&mut self.reader, 1_000);
        let mut error = self.error();
        let code = bounded("ors_acknowledge", || unsafe {
            ors_acknowledge(agent, id, by.pointer(), by.len(), error.pointer())
        });
        is_known("ors_acknowledge", code);
        reports("ors_acknowledge", code, &error);
    }

    fn install(&mut self) {
        let agent = self.agent();
        let file = match self.reader.u8() % 4 {
            0 => Some(self.reader.expanded((1 << 20) + 2)),
            1 => Some(fixture().licences[usize::from(self.reader.u8()) % fixture().licences.len()].clone()),
            2 => Some(fixture().keys.list(u64::from(self.reader.u8() % 3) + 1)),
            _ => None,
        };
        let (data, len) =
            file.as_ref().map_or((null(), usize::from(self.reader.u8())), |file| (file.as_ptr(), file.len()));
        let by = Text::any(&mut self.reader, 1_000);
        let mut out = Struct::out::<ors_install_result>(&mut self.reader);
        let mut error = self.error();
        let code = bounded("ors_install_licence", || unsafe {
            ors_install_licence(agent, data, len, by.pointer(), by.len(), out.pointer(), error.pointer())
        });
        is_known("ors_install_licence", code);
        reports("ors_install_licence", code, &error);
        out.keeps_its_size("ors_install_licence");
        if code != ORS_OK && code != ORS_E_REFUSED {
            out.is_zero_after_failure::<ors_install_result>("ors_install_licence");
        }
    }

    fn check_update(&mut self) {
        let (state, licences) = (self.path("state"), self.path("licences"));
        let product = self.hostile(PRODUCT, 1_000);
        let keys = self.hostile(&fixture().trusted, (1 << 20) + 1);
        let release = self.hostile("2026-12-01", 1_000);
        let pointer = |text: &Option<CString>| text.as_ref().map_or(null(), |text| text.as_ptr());
        let query = ors_update_query {
            struct_size: 0,
            timeout_ms: self.reader.u32(),
            licence_folder: pointer(&licences),
            product: pointer(&product),
            trusted_keys: pointer(&keys),
            release_date: pointer(&release),
            state_folder: pointer(&state),
        };
        let mut query = Struct::given(&mut self.reader, &query);
        let mut out = Struct::out::<ors_update_verdict>(&mut self.reader);
        let mut error = self.error();
        let code = bounded("ors_check_update", || unsafe {
            ors_check_update(query.pointer(), out.pointer(), error.pointer())
        });
        is_known("ors_check_update", code);
        out.keeps_its_size("ors_check_update");
        if code == ORS_OK {
            assert!([0, 1, u32::MAX].contains(&out.word(1)), "a verdict is -1, 0 or 1");
        } else {
            out.is_zero_after_failure::<ors_update_verdict>("ors_check_update");
        }
        reports("ors_check_update", code, &error);
    }

    fn update_text(&mut self) {
        let verdict = ors_update_verdict {
            struct_size: 0,
            verdict: self.reader.i32() % 3,
            reason: i32::from(self.reader.u8()) - 2,
            release_day: self.reader.i32(),
            licence_last_day: self.reader.i32(),
            maintenance_last_day: self.reader.i32(),
            sequence: self.reader.u64(),
        };
        let verdict = Struct::given(&mut self.reader, &verdict);
        let language = Text::any(&mut self.reader, 9_000);
        self.texts("ors_update_text", |_, buf, cap, needed| unsafe {
            ors_update_text(verdict.const_pointer(), language.pointer(), language.len(), buf, cap, needed)
        });
    }

    fn read_log(&mut self) {
        let (mut after, mut level) = (self.reader.u64(), 0);
        let wait = self.milliseconds();
        let nowhere = self.reader.one_in(8);
        let after = if nowhere { std::ptr::null_mut() } else { &raw mut after };
        let level = &raw mut level;
        self.texts("ors_read_log", |agent, buf, cap, needed| unsafe {
            ors_read_log(agent, after, wait, level, buf, cap, needed)
        });
    }

    fn set_log(&mut self) {
        let (agent, level) = (self.agent(), u32::from(self.reader.u8() % 8));
        let sink: ors_log_sink = (self.reader.u8() & 1 == 0).then_some(sink);
        let code = bounded("ors_set_log", || unsafe { ors_set_log(agent, level, sink, std::ptr::null_mut()) });
        is_known("ors_set_log", code);
    }
}

/// The caller's error struct says what the function returned.
fn reports(what: &str, code: i32, error: &Struct) {
    error.keeps_its_size(what);
    let taken = error.size_is_taken::<ors_error>();
    assert!(!taken || error.word(1) == code.cast_unsigned(), "{what}: {code}, told as {}", error.word(1));
}

/// A host that asks back while it is told something.
unsafe extern "C" fn sink(_: *mut c_void, level: u32, line: *const c_char, len: usize) {
    assert!((1..=4).contains(&level));
    // SAFETY: `len` bytes and a NUL.
    let line = unsafe { std::slice::from_raw_parts(line.cast::<u8>(), len + 1) };
    assert!(line[len] == 0 && std::str::from_utf8(&line[..len]).is_ok());
    assert_eq!(unsafe { ors_acknowledge(1, 1, null(), 0, std::ptr::null_mut()) }, ORS_E_REENTRANT);
}
