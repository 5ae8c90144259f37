//! `ors_open`: what is wrong with the options is named; equal ones share a runtime.

use crate::calls::{Opening, stale_error, told};
use crate::support::host::{Host, Options, new_error};
use crate::support::{Site, text};
use ors::ffi::*;
use std::ffi::CString;
use std::ptr::{null, null_mut};

/// One option that is wrong: what, the code, the place, and a word of the sentence.
struct Row {
    what: &'static str,
    code: i32,
    place: &'static str,
    word: &'static str,
    change: Box<dyn Fn(&mut Options)>,
}

fn row(
    what: &'static str,
    code: i32,
    place: &'static str,
    word: &'static str,
    change: impl Fn(&mut Options) + 'static,
) -> Row {
    Row { what, code, place, word, change: Box::new(change) }
}

#[test]
fn an_option_that_is_wrong_is_named() {
    const ARGUMENT: i32 = ORS_E_ARGUMENT;
    let site = Site::with(7);
    let in_place = |name: &str| text(&site.place.path().join(name));
    std::fs::write(in_place("file"), b"").unwrap();
    let (a_file, two_levels, below_file) = (in_place("file"), in_place("missing/state"), in_place("file/state"));
    let mut rows = vec![
        row("no state folder", ARGUMENT, "state_folder", "required", |o| o.state_folder = None),
        row("an empty state folder", ARGUMENT, "state_folder", "absolute", |o| o.state_folder = Some(String::new())),
        row("a relative one", ARGUMENT, "state_folder", "absolute", |o| o.state_folder = Some("state".into())),
        row("a long one", ORS_E_TEXT, "state_folder", "longer", |o| o.state_folder = Some("/".repeat(4_097))),
        row("a file for a folder", ORS_E_IO, "state_folder", "", move |o| o.state_folder = Some(a_file.clone())),
        row("two missing levels", ORS_E_IO, "state_folder", "", move |o| o.state_folder = Some(two_levels.clone())),
        row("below a file", ORS_E_IO, "state_folder", "", move |o| o.state_folder = Some(below_file.clone())),
        row("no product", ARGUMENT, "product", "1 to 64", |o| o.product = String::new()),
        row("capitals", ARGUMENT, "product", "a-z", |o| o.product = "Product".into()),
        row("a path for a product", ARGUMENT, "product", "a-z", |o| o.product = "../x".into()),
        row("a long product", ARGUMENT, "product", "64", |o| o.product = "p".repeat(65)),
        row("no keys", ARGUMENT, "trusted_keys", "", |o| o.trusted_keys = String::new()),
        row("an unknown role", ARGUMENT, "trusted_keys", "line 2", |o| o.trusted_keys = "# ours\nking k AAAA".into()),
        row("not base64", ARGUMENT, "trusted_keys", "line 1", |o| o.trusted_keys = "root r-1 !!!!".into()),
        row("the identity as a key", ARGUMENT, "trusted_keys", "line 1", |o| {
            o.trusted_keys = "licence l-1 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into();
        }),
        row("a threshold without roots", ARGUMENT, "trusted_keys", "", |o| o.trusted_keys.push_str("\nthreshold 9")),
        row("a megabyte of keys", ORS_E_TEXT, "trusted_keys", "longer", |o| o.trusted_keys = "#".repeat((1 << 20) + 1)),
        row("a relative licence folder", ARGUMENT, "licence_folder", "absolute", |o| {
            o.licence_folder = Some("l".into())
        }),
        row("a long licence folder", ORS_E_TEXT, "licence_folder", "longer", |o| {
            o.licence_folder = Some("/".repeat(4_097));
        }),
        row("commands that are no JSON", ARGUMENT, "commands", "JSON", |o| o.commands = Some("reread".into())),
        row("commands that are a list", ARGUMENT, "commands", "object", |o| o.commands = Some("[]".into())),
        row("an unknown command", ARGUMENT, "commands", "not known", |o| {
            let program = std::env::current_exe().unwrap();
            o.commands = Some(serde_json::json!({ "format": [text(&program)] }).to_string());
        }),
        row("a command as one text", ARGUMENT, "commands", "list", |o| o.commands = Some(r#"{"reread":"/x"}"#.into())),
        row("an empty command", ARGUMENT, "commands", "no program", |o| o.commands = Some(r#"{"reread":[]}"#.into())),
        row("a program by name", ARGUMENT, "commands", "absolute", |o| {
            o.commands = Some(r#"{"reread":["sh"]}"#.into())
        }),
    ];
    for flag in [0x4, 0x8, 0x8000_0000, u32::MAX] {
        rows.push(row("an unknown flag", ARGUMENT, "flags", "not known", move |o| o.flags = flag));
    }
    for Row { what, code, place, word, change } in rows {
        let mut options = site.options();
        change(&mut options);
        let failure = Host::open(&options).err().unwrap_or_else(|| panic!("{what} is taken"));
        assert_eq!((failure.code, failure.place.as_str()), (code, place), "{what}: {}", failure.message);
        assert!(failure.message.contains(word) && failure.message.ends_with('.'), "{what}: {}", failure.message);
    }
    assert!(!site.state().exists(), "an open that fails makes no folder");
}

#[test]
fn an_option_that_is_not_text_is_named() {
    let site = Site::with(7);
    let good = Opening::new(&site.options());
    let bad = [
        (CString::new(b"/a\xff".as_slice()).unwrap(), "UTF-8"),
        (CString::new("/".repeat((1 << 20) + 1)).unwrap(), "longer"),
    ];
    type Set = fn(&mut ors_options, *const std::ffi::c_char);
    let members: [(&str, Set); 7] = [
        ("state_folder", |given, text| given.state_folder = text),
        ("product", |given, text| given.product = text),
        ("trusted_keys", |given, text| given.trusted_keys = text),
        ("licence_folder", |given, text| given.licence_folder = text),
        ("office_url", |given, text| given.office_url = text),
        ("office_ca_file", |given, text| given.office_ca_file = text),
        ("commands", |given, text| given.commands = text),
    ];
    for (place, set) in members {
        for (text, word) in &bad {
            let (mut given, mut agent, mut error) = (good.given, 7, stale_error());
            set(&mut given, text.as_ptr());
            assert_eq!(unsafe { ors_open(&given, &mut agent, &mut error) }, ORS_E_TEXT, "{place}: {word}");
            assert_eq!((agent, told(&error)), (0, (ORS_E_TEXT, place.to_owned(), true)), "{place}: {word}");
        }
    }
    for url in
        ["http://office.example", "ftp://127.0.0.1", "https://", "https://user@office.example", "office.example", ""]
    {
        let (mut given, mut agent, mut error) = (good.given, 7, stale_error());
        let text = CString::new(url).unwrap();
        given.office_url = text.as_ptr();
        assert_eq!(unsafe { ors_open(&given, &mut agent, &mut error) }, ORS_E_ARGUMENT, "{url}");
        assert_eq!((agent, told(&error)), (0, (ORS_E_ARGUMENT, "office_url".to_owned(), true)), "{url}");
    }
}

#[test]
fn the_error_struct_says_nothing_after_a_success_and_everything_after_a_failure() {
    let site = Site::with(7);
    let opening = Opening::new(&site.options());
    let (mut agent, mut error) = (7, stale_error());
    assert_eq!(unsafe { ors_open(&opening.given, &mut agent, &mut error) }, ORS_OK);
    let host = Host { agent };
    assert_eq!((told(&error), error.os_code, error.reserved), ((ORS_OK, String::new(), false), 0, 0));
    assert!(error.r#where.iter().chain(&error.message).all(|c| *c == 0), "nothing of the call before");

    let json = br#"{"proxy":{"port":0}}"#;
    let set =
        |error: *mut ors_error| unsafe { ors_settings_set(agent, json.as_ptr().cast(), json.len(), null(), 0, error) };
    assert_eq!(set(&mut error), ORS_E_ARGUMENT);
    assert_eq!(told(&error), (ORS_E_ARGUMENT, "proxy.port".to_owned(), true));
    assert_eq!(set(null_mut()), ORS_E_ARGUMENT, "without an error struct");

    let mut wrong = new_error();
    wrong.struct_size = 511;
    let mut second = 7;
    assert_eq!(unsafe { ors_open(&opening.given, &mut second, &mut wrong) }, ORS_E_STRUCT_SIZE);
    assert_eq!((second, wrong.code), (0, 0), "nothing was opened, nothing written");

    #[cfg(unix)]
    {
        let mut options = site.options();
        options.state_folder = Some("/proc/ors-state".to_owned());
        let opening = Opening::new(&options);
        let mut error = stale_error();
        let code = unsafe { ors_open(&opening.given, &mut second, &mut error) };
        assert!([ORS_E_IO, ORS_E_PERMISSION].contains(&code), "{code}");
        assert_eq!(told(&error), (code, "state_folder".to_owned(), true));
        assert!(error.os_code > 0, "what the system said");
    }
    drop(host);
}

#[test]
fn a_state_folder_of_a_newer_version_is_left_alone() {
    let site = Site::with(7);
    site.open().close();
    let newer = ["a", "b"].map(|copy| site.state().join(format!("settings.{copy}")));
    let digest = ors::licence::hex(&ors::licence::sha256(b"ors-document 2 1 1\n{}"));
    for path in &newer {
        std::fs::write(path, format!("ors-document 2 1 1 {digest}\n{{}}")).unwrap();
    }
    let before: Vec<_> = newer.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let failure = Host::open(&site.options()).err().unwrap();
    assert_eq!(failure.code, ORS_E_NEWER_STATE, "{failure:?}");
    assert_eq!(newer.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>(), before);
}

fn role(host: &Host) -> String {
    host.diagnostics()["role"].as_str().unwrap().to_owned()
}

#[test]
fn equal_options_share_one_runtime_and_other_options_are_one_of_their_own() {
    let site = Site::with(7);
    let first = site.open();
    first.until("it leads", |host| role(host) == "leader");
    let mut spelled = site.options();
    spelled.state_folder = Some(format!("{}/../state/", text(&site.state())));
    for (what, options) in [("the same", site.options()), ("the state folder spelled differently", spelled)] {
        let other = Host::open(&options).unwrap();
        assert_eq!(role(&other), "leader", "{what}: the one runtime of both");
        assert_eq!(other.close(), ORS_OK);
    }
    type Change = fn(&mut Options);
    let changes: [(&str, Change); 4] = [
        ("a flag", |o| o.flags = ORS_OPEN_OWN_LOGON),
        ("a comment among the keys", |o| o.trusted_keys.push_str("\n# newer")),
        ("commands", |o| o.commands = Some("{}".to_owned())),
        ("no licence folder", |o| o.licence_folder = None),
    ];
    for (what, change) in changes {
        let mut options = site.options();
        change(&mut options);
        let other = Host::open(&options).unwrap();
        assert_eq!(role(&other), "follower", "{what}: a runtime of its own, and only one leads");
        assert_eq!(other.close(), ORS_OK);
    }
    assert_eq!(role(&first), "leader");
}

/// The first open makes the folder; the second finds it. Both came by the same link.
#[cfg(unix)]
#[test]
fn a_state_folder_behind_a_link_is_one_folder_also_when_it_is_new() {
    let site = Site::with(7);
    let link = site.place.path().join("link");
    std::os::unix::fs::symlink(site.place.path(), &link).unwrap();
    let mut options = site.options();
    options.state_folder = Some(text(&link.join("state")));
    let hosts = [(); 3].map(|()| Host::open(&options).unwrap());
    assert_eq!(hosts.each_ref().map(role), ["leader", "leader", "leader"]);
    let direct = site.open();
    assert_eq!(role(&direct), "leader");
}
