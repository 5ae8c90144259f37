//! Text in, flags and numbers of the caller; and text out that is not HTML.

use crate::calls::{stale_error, told, verdict};
use crate::support::host::text_of;
use crate::support::{Site, feature, licence};
use ors::ffi::*;
use std::ffi::c_char;
use std::ptr::{null, null_mut};

/// A text function of the caller's text.
type Call<'a> = Box<dyn Fn(*const c_char, usize, *mut ors_error) -> i32 + 'a>;

/// The functions that take a text with a length: name, the place that is named (none without an error struct), longest in bytes.
fn functions(
    agent: ors_agent,
    shown: &ors_notice_status,
) -> Vec<(&'static str, Option<&'static str>, usize, Call<'_>)> {
    let mut file = vec![b'{'; 16];
    file.push(0);
    vec![
        (
            "ors_acknowledge",
            Some("by"),
            800,
            Box::new(move |p, len, error| unsafe { ors_acknowledge(agent, 1, p, len, error) }),
        ),
        (
            "ors_install_licence",
            Some("by"),
            800,
            Box::new(move |p, len, error| {
                let mut out = ors_install_result {
                    struct_size: 32,
                    state: 9,
                    reason: 9,
                    changes: 9,
                    sequence: 9,
                    announcement: 9,
                };
                unsafe { ors_install_licence(agent, file.as_ptr(), file.len(), p, len, &mut out, error) }
            }),
        ),
        (
            "ors_settings_set",
            Some("by"),
            800,
            Box::new(move |p, len, error| unsafe { ors_settings_set(agent, c"{}".as_ptr(), 2, p, len, error) }),
        ),
        (
            "ors_connect",
            Some("by"),
            800,
            Box::new(move |p, len, error| {
                let mut run = 7;
                unsafe { ors_connect(agent, p, len, &mut run, error) }
            }),
        ),
        ("ors_restart", Some("by"), 800, Box::new(move |p, len, error| unsafe { ors_restart(agent, p, len, error) })),
        (
            "ors_settings_set",
            Some("json"),
            64 << 10,
            Box::new(move |p, len, error| unsafe { ors_settings_set(agent, p, len, null(), 0, error) }),
        ),
        (
            "ors_error_text",
            None,
            4_096,
            Box::new(|p, len, _| {
                let mut out = [0; 4_096];
                unsafe { ors_error_text(-1, p, len, out.as_mut_ptr(), out.len(), null_mut()) }
            }),
        ),
        (
            "ors_update_text",
            None,
            4_096,
            Box::new(|p, len, _| {
                let mut out = [0; 4_096];
                unsafe { ors_update_text(&verdict(), p, len, out.as_mut_ptr(), out.len(), null_mut()) }
            }),
        ),
        (
            "ors_notice_text",
            None,
            4_096,
            Box::new(move |p, len, _| {
                let mut out = [0; 4_096];
                unsafe { ors_notice_text(agent, shown, shown.notices, p, len, out.as_mut_ptr(), out.len(), null_mut()) }
            }),
        ),
    ]
}

#[test]
fn a_text_that_is_not_utf_8_or_has_a_nul_or_is_too_long_is_turned_away() {
    let site = Site::with(7);
    let host = site.open();
    let mut shown = host.notices();
    shown.notices = ORS_NOTICE_ASSISTANCE_ACTIVE;
    for (name, place, longest, call) in functions(host.agent, &shown) {
        let long = vec![b'e'; longest + 1];
        let mut long_nts = vec![b'e'; longest + 1];
        long_nts.push(0);
        let bad: [(&str, &[u8], Option<usize>); 8] = [
            ("a lone continuation byte", b"\x80", None),
            ("a cut character", b"e\xc3", None),
            ("an overlong NUL", b"\xc0\x80", None),
            ("a surrogate", b"\xed\xa0\x80", None),
            ("a NUL inside", b"a\0b", None),
            ("not UTF-8, NUL-terminated", b"e\xff\0", Some(ORS_NTS)),
            ("too long", &long, None),
            ("too long, NUL-terminated", &long_nts, Some(ORS_NTS)),
        ];
        for (what, bytes, len) in bad {
            let mut error = stale_error();
            let code = call(bytes.as_ptr().cast(), len.unwrap_or(bytes.len()), &mut error);
            assert_eq!(code, ORS_E_TEXT, "{name}: {what}");
            if let Some(place) = place {
                assert_eq!(told(&error), (ORS_E_TEXT, place.to_owned(), true), "{name}: {what}");
            }
        }
        // A length that no memory has is seen before anything is read.
        for len in [ORS_NTS - 1, isize::MAX as usize, longest + 1] {
            assert_eq!(call(c"e".as_ptr(), len, null_mut()), ORS_E_TEXT, "{name}: length {len}");
        }
    }
}

#[test]
fn who_did_it_is_at_most_200_characters_without_control_characters() {
    let site = Site::with(7);
    let host = site.open();
    let set =
        |by: &str| unsafe { ors_settings_set(host.agent, c"{}".as_ptr(), 2, by.as_ptr().cast(), by.len(), null_mut()) };
    for (by, code) in [
        ("", ORS_OK),
        ("Jürgen 名前", ORS_OK),
        (&"\u{10ffff}".repeat(200), ORS_OK),
        (&"e".repeat(201), ORS_E_TEXT),
        ("a\nb", ORS_E_TEXT),
        ("a\u{7f}", ORS_E_TEXT),
    ] {
        assert_eq!(set(by), code, "{by:?}");
    }
    // Without a NUL behind it: the length counts.
    assert_eq!(unsafe { ors_settings_set(host.agent, c"{}x".as_ptr(), 2, null(), 0, null_mut()) }, ORS_OK);
    assert_eq!(
        unsafe { ors_settings_set(host.agent, c"{}".as_ptr(), ORS_NTS, c"me".as_ptr(), ORS_NTS, null_mut()) },
        ORS_OK
    );
}

#[test]
fn a_language_that_is_not_known_is_english() {
    let english = text_of(|buf, cap, needed| unsafe { ors_error_text(ORS_E_IO, null(), 0, buf, cap, needed) }).unwrap();
    for language in
        ["", "en", "tlh", "xx-YY", "de-CH, fr;q=0.9, en;q=0.8, *;q=0.5", ";;;,,,q=", &"a".repeat(4_096), "名前"]
    {
        let text = text_of(|buf, cap, needed| unsafe {
            ors_error_text(ORS_E_IO, language.as_ptr().cast(), language.len(), buf, cap, needed)
        });
        assert_eq!(text.as_ref(), Ok(&english), "{language:?}");
    }
}

#[test]
fn every_code_has_a_sentence_of_its_own() {
    let sentence =
        |code| text_of(|buf, cap, needed| unsafe { ors_error_text(code, null(), 0, buf, cap, needed) }).unwrap();
    let unknown = sentence(-777);
    let mut seen = std::collections::HashSet::new();
    for code in (-17..=0).filter(|code| *code != -14).chain([-100, -101, -900]) {
        let text = sentence(code);
        assert!(text != unknown && text.len() > 3, "{code}: {text}");
        assert!(seen.insert(text.clone()), "{code} says the same as another: {text}");
    }
    for code in [1, -14, i32::MIN, i32::MAX] {
        assert!(!sentence(code).is_empty(), "{code}");
    }
}

#[test]
fn numbers_that_are_not_known_are_arguments() {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let mut shown = host.notices();
    shown.notices = u32::MAX;
    let notice = |bit| unsafe { ors_notice_text(host.agent, &shown, bit, null(), 0, null_mut(), 0, null_mut()) };
    for bit in [0, 3, ORS_NOTICE_NO_LICENCE | ORS_NOTICE_CLOCK_WRONG, 0x800, 0x8000_0000, u32::MAX] {
        assert_eq!(notice(bit), ORS_E_ARGUMENT, "notice {bit:#x}");
    }
    shown.notices = 0;
    let none =
        unsafe { ors_notice_text(host.agent, &shown, ORS_NOTICE_CLOCK_WRONG, null(), 0, null_mut(), 0, null_mut()) };
    assert_eq!(none, ORS_E_ARGUMENT, "a notice that was not shown");

    let text =
        |field, subject| text_of(|buf, cap, needed| unsafe { ors_text(host.agent, field, subject, buf, cap, needed) });
    for field in [0, 5, 15, 20, 31, 40, 47, 49, u32::MAX] {
        assert_eq!(text(field, 0), Err(ORS_E_ARGUMENT), "field {field}");
    }
    for field in (1..=4).chain(16..=19).chain(32..=39).chain([48]) {
        assert!(text(field, 0).is_ok(), "field {field}");
        assert_eq!(text(field, 999), Err(ORS_E_STALE), "field {field} of something else");
    }
    assert_eq!(text(ORS_TEXT_CUSTOMER, 7).as_deref(), Ok("Print Room"));

    for (level, code) in [(0, ORS_OK), (4, ORS_OK), (5, ORS_E_ARGUMENT), (u32::MAX, ORS_E_ARGUMENT)] {
        assert_eq!(unsafe { ors_set_log(host.agent, level, None, null_mut()) }, code, "level {level}");
    }
    for reason in [-1, 22, i32::MAX] {
        let wrong = ors_update_verdict { reason, ..verdict() };
        let code = unsafe { ors_update_text(&wrong, null(), 0, null_mut(), 0, null_mut()) };
        assert_eq!(code, ORS_E_ARGUMENT, "reason {reason}");
    }
    let odd =
        ors_update_verdict { release_day: -5, licence_last_day: i32::MIN, maintenance_last_day: i32::MAX, ..verdict() };
    text_of(|buf, cap, needed| unsafe { ors_update_text(&odd, null(), 0, buf, cap, needed) })
        .expect("dates of a careless host");
}

#[test]
fn text_is_not_html_and_arrives_as_the_vendor_wrote_it() {
    const SCRIPT: &str = "<img src=x onerror=alert('1')>&amp;\"";
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    let mut newer = licence(8);
    newer.customer = SCRIPT.to_owned();
    newer.features = vec![feature("script", SCRIPT)];
    site.drop_file("newer.ors.json", &site.vendor.sign(&newer));
    host.until_sequence(8);
    assert_eq!(host.text(ORS_TEXT_CUSTOMER), SCRIPT);
    let about = host.about();
    assert_eq!((about["customer"].as_str(), about["features"][0]["name"].as_str()), (Some(SCRIPT), Some(SCRIPT)));
    assert_eq!(about["announcements"][0]["added"][0].as_str(), Some(SCRIPT));
    assert!(host.notice_text(ORS_NOTICE_NEW_FEATURES).unwrap().contains(SCRIPT));
}
