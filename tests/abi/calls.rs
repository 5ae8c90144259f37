//! Every exported function in one shape: its handle, its pointers and its sizes given by a test, everything else as it should be.

use crate::support::host::{Options, new_error};
use crate::support::{PRODUCT, Site, text};
use ors::ffi::*;
use std::ffi::{CString, c_char};
use std::ptr::null;

/// An answer that a failed call must not leave standing.
pub const STALE: u8 = 0xAA;

/// A text function: everything but the buffer is right.
pub type TextCall<'a> = Box<dyn Fn(*mut c_char, usize, *mut usize) -> i32 + 'a>;

/// The functions that write a text, for an agent whose folder holds a licence. `notices` is what `ors_notice_text` is asked about.
pub fn text_functions(agent: ors_agent, shown: &ors_notice_status) -> Vec<(&'static str, TextCall<'_>)> {
    let bit = 1 << shown.notices.trailing_zeros().min(31);
    vec![
        ("ors_version", Box::new(|buf, cap, needed| unsafe { ors_version(buf, cap, needed) })),
        (
            "ors_error_text",
            Box::new(|buf, cap, needed| unsafe { ors_error_text(ORS_E_IO, null(), 0, buf, cap, needed) }),
        ),
        (
            "ors_notice_text",
            Box::new(move |buf, cap, needed| unsafe {
                ors_notice_text(agent, shown, bit, null(), 0, buf, cap, needed)
            }),
        ),
        ("ors_about", Box::new(move |buf, cap, needed| unsafe { ors_about(agent, buf, cap, needed) })),
        (
            "ors_text",
            Box::new(move |buf, cap, needed| unsafe { ors_text(agent, ORS_TEXT_SERIAL, 0, buf, cap, needed) }),
        ),
        (
            "ors_update_text",
            Box::new(|buf, cap, needed| unsafe { ors_update_text(&verdict(), null(), 0, buf, cap, needed) }),
        ),
        ("ors_settings_get", Box::new(move |buf, cap, needed| unsafe { ors_settings_get(agent, buf, cap, needed) })),
        ("ors_diagnostics", Box::new(move |buf, cap, needed| unsafe { ors_diagnostics(agent, buf, cap, needed) })),
        (
            "ors_read_log",
            Box::new(move |buf, cap, needed| {
                let (mut after, mut level) = (0, 0);
                unsafe { ors_read_log(agent, &mut after, 5_000, &mut level, buf, cap, needed) }
            }),
        ),
    ]
}

pub fn verdict() -> ors_update_verdict {
    ors_update_verdict {
        struct_size: size_of::<ors_update_verdict>() as u32,
        verdict: -1,
        reason: ORS_REASON_MAINTENANCE_ENDED,
        release_day: 20261201,
        licence_last_day: ORS_NEVER_DAY,
        maintenance_last_day: 20260531,
        sequence: 7,
    }
}

/// A query and what its pointers point to.
pub struct Query {
    pub given: ors_update_query,
    _texts: Vec<CString>,
}

impl Query {
    pub fn new(site: &Site) -> Query {
        let texts = [&text(&site.licences()), PRODUCT, &site.vendor.trusted(), "2026-12-01"]
            .map(|text| CString::new(text).unwrap());
        let given = ors_update_query {
            struct_size: size_of::<ors_update_query>() as u32,
            timeout_ms: 0,
            licence_folder: texts[0].as_ptr(),
            product: texts[1].as_ptr(),
            trusted_keys: texts[2].as_ptr(),
            release_date: texts[3].as_ptr(),
            state_folder: null(),
        };
        Query { given, _texts: texts.into() }
    }
}

/// Options as bytes of C, and what their pointers point to.
pub struct Opening {
    pub given: ors_options,
    _texts: Vec<CString>,
}

impl Opening {
    pub fn new(options: &Options) -> Opening {
        let mut texts = Vec::new();
        let mut pointer = |text: Option<&String>| {
            text.map_or(null(), |text| {
                texts.push(CString::new(text.as_str()).unwrap());
                texts.last().map_or(null(), |text| text.as_ptr())
            })
        };
        let given = ors_options {
            struct_size: size_of::<ors_options>() as u32,
            flags: options.flags,
            state_folder: pointer(options.state_folder.as_ref()),
            product: pointer(Some(&options.product)),
            trusted_keys: pointer(Some(&options.trusted_keys)),
            licence_folder: pointer(options.licence_folder.as_ref()),
            office_url: null(),
            office_ca_file: null(),
            commands: pointer(options.commands.as_ref()),
        };
        Opening { given, _texts: texts }
    }
}

/// What `error` says: code, place, and whether there is a sentence.
pub fn told(error: &ors_error) -> (i32, String, bool) {
    let place = error.r#where.iter().map(|c| c.cast_unsigned()).take_while(|byte| *byte != 0).collect();
    (error.code, String::from_utf8(place).unwrap(), error.message[0] != 0)
}

/// An error struct full of an earlier call's words.
pub fn stale_error() -> ors_error {
    let mut error = new_error();
    error.code = -1;
    error.os_code = 5;
    error.r#where = [b'x'.cast_signed(); 64];
    error.message = [b'y'.cast_signed(); 432];
    error
}
