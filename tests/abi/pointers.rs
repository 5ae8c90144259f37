//! NULL, for every pointer of every function.

use crate::calls::{Opening, Query, stale_error, told, verdict};
use crate::support::Site;
use crate::support::host::{new_error, zeroed};
use ors::ffi::*;
use std::ptr::{null, null_mut};

/// A call that is given one NULL where it needs a pointer.
type Row<'a> = (&'static str, &'static str, Box<dyn Fn(*mut ors_error) -> i32 + 'a>);

#[test]
fn null_where_a_pointer_is_needed_is_named() {
    let site = Site::with(7);
    let host = site.open();
    let agent = host.agent;
    let opening = Opening::new(&site.options());
    let query = Query::new(&site);
    let file = site.vendor.file(8);
    let out_of = || {
        let mut out: ors_install_result = zeroed();
        out.struct_size = 32;
        out
    };
    let open = |change: fn(&mut ors_options)| {
        let mut given = opening.given;
        change(&mut given);
        move |error| unsafe { ors_open(&given, &mut 0, error) }
    };
    let ask = |change: fn(&mut ors_update_query)| {
        let mut given = query.given;
        change(&mut given);
        move |error| unsafe { ors_check_update(&given, &mut verdict(), error) }
    };
    let rows: Vec<Row<'_>> = vec![
        ("ors_open", "options", Box::new(|error| unsafe { ors_open(null(), &mut 0, error) })),
        ("ors_open", "out", Box::new(|error| unsafe { ors_open(&opening.given, null_mut(), error) })),
        ("ors_open", "product", Box::new(open(|given| given.product = null()))),
        ("ors_open", "trusted_keys", Box::new(open(|given| given.trusted_keys = null()))),
        ("ors_check_update", "query", Box::new(|error| unsafe { ors_check_update(null(), &mut verdict(), error) })),
        ("ors_check_update", "out", Box::new(|error| unsafe { ors_check_update(&query.given, null_mut(), error) })),
        ("ors_check_update", "licence_folder", Box::new(ask(|given| given.licence_folder = null()))),
        ("ors_check_update", "product", Box::new(ask(|given| given.product = null()))),
        ("ors_check_update", "trusted_keys", Box::new(ask(|given| given.trusted_keys = null()))),
        ("ors_check_update", "release_date", Box::new(ask(|given| given.release_date = null()))),
        (
            "ors_install_licence",
            "data",
            Box::new(|error| unsafe { ors_install_licence(agent, null(), 5, null(), 0, &mut out_of(), error) }),
        ),
        (
            "ors_install_licence",
            "out",
            Box::new(|error| unsafe {
                ors_install_licence(agent, file.as_ptr(), file.len(), null(), 0, null_mut(), error)
            }),
        ),
        ("ors_settings_set", "json", Box::new(|error| unsafe { ors_settings_set(agent, null(), 0, null(), 0, error) })),
        (
            "ors_settings_set",
            "json",
            Box::new(|error| unsafe { ors_settings_set(agent, null(), ORS_NTS, null(), 0, error) }),
        ),
        ("ors_connect", "run", Box::new(|error| unsafe { ors_connect(agent, null(), 0, null_mut(), error) })),
    ];
    for (function, place, call) in &rows {
        let mut error = stale_error();
        assert_eq!(call(&mut error), ORS_E_NULL, "{function} without {place}");
        assert_eq!(told(&error), (ORS_E_NULL, (*place).to_owned(), true), "{function} without {place}");
        assert_eq!(call(null_mut()), ORS_E_NULL, "{function} without {place} and without an error struct");
    }
    for (what, code) in [
        ("ors_notify_status", unsafe { ors_notify_status(agent, null_mut()) }),
        ("ors_check_licence", unsafe { ors_check_licence(agent, null_mut()) }),
        ("ors_notice_text, shown", unsafe { ors_notice_text(agent, null(), 1, null(), 0, null_mut(), 0, null_mut()) }),
        ("ors_update_text, verdict", unsafe { ors_update_text(null(), null(), 0, null_mut(), 0, null_mut()) }),
        ("ors_read_log, after", unsafe { ors_read_log(agent, null_mut(), 0, null_mut(), null_mut(), 0, null_mut()) }),
    ] {
        assert_eq!(code, ORS_E_NULL, "{what}");
    }
}

#[test]
fn null_where_a_pointer_is_optional_is_nothing_special() {
    let site = Site::with(7);
    let host = site.open();
    let agent = host.agent;
    let file = site.vendor.file(8);
    let mut result: ors_install_result = zeroed();
    result.struct_size = 32;
    let mut line = [0; 2_000];
    let mut after = 0;
    let query = Query::new(&site);
    for (what, code) in [
        ("ors_wait, revision", unsafe { ors_wait(agent, 0, 0, null_mut()) }),
        ("ors_settings_set, by and error", unsafe {
            ors_settings_set(agent, c"{}".as_ptr(), ORS_NTS, null(), 9, null_mut())
        }),
        ("ors_settings_set, by with ORS_NTS", unsafe {
            ors_settings_set(agent, c"{}".as_ptr(), 2, null(), ORS_NTS, null_mut())
        }),
        ("ors_restart, by and error", unsafe { ors_restart(agent, null(), 0, null_mut()) }),
        ("ors_install_licence, by and error", unsafe {
            ors_install_licence(agent, file.as_ptr(), file.len(), null(), 0, &mut result, null_mut())
        }),
        ("ors_read_log, level and needed", unsafe {
            ors_read_log(agent, &mut after, 2_000, null_mut(), line.as_mut_ptr(), line.len(), null_mut())
        }),
        ("ors_check_update, state_folder and error", unsafe {
            ors_check_update(&query.given, &mut verdict(), null_mut())
        }),
        ("ors_set_log, sink and context", unsafe { ors_set_log(agent, 3, None, null_mut()) }),
        ("ors_version, needed", unsafe { ors_version(line.as_mut_ptr(), line.len(), null_mut()) }),
        ("ors_error_text, language", unsafe {
            ors_error_text(0, null(), ORS_NTS, line.as_mut_ptr(), line.len(), null_mut())
        }),
    ] {
        assert_eq!(code, ORS_OK, "{what}");
    }
    let mut error = new_error();
    let mut empty: ors_install_result = zeroed();
    empty.struct_size = 32;
    let code = unsafe { ors_install_licence(agent, null(), 0, null(), 0, &mut empty, &mut error) };
    assert_eq!(
        (code, empty.reason),
        (ORS_E_REFUSED, ORS_REASON_MALFORMED),
        "no bytes need no pointer, and are no licence"
    );
    assert_eq!(unsafe { ors_acknowledge(agent, 0, null(), 0, null_mut()) }, ORS_E_ARGUMENT);
}
