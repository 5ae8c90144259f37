//! The installer's question: may this release be installed here? Answered by the licence folder, without an agent.

use crate::support::host::{failure, new_error, text_of, zeroed};
use crate::support::{PRODUCT, Site, licence, text};
use crate::tools::{changed, is_sentence, key, key_list};
use ors::ffi::*;
use ors::licence::{Day, KeyStatus, Licence, Product, Role, Serial};
use serde_json::json;
use std::ffi::{CString, c_char};
use std::fs;
use std::ptr::null;

const OURS: &str = "prismaprepare-1234567890.ors.json";

struct Query {
    folder: String,
    product: String,
    keys: String,
    release: String,
    state: Option<String>,
}

impl Query {
    fn of(site: &Site) -> Query {
        Query {
            folder: text(&site.licences()),
            product: PRODUCT.to_owned(),
            keys: site.vendor.trusted(),
            release: "2026-12-01".to_owned(),
            state: None,
        }
    }

    fn with_state(site: &Site) -> Query {
        Query { state: Some(text(&site.state())), ..Query::of(site) }
    }

    fn release(self, day: &str) -> Query {
        Query { release: day.to_owned(), ..self }
    }

    /// The answer as a C program gets it, with the sentence beside it.
    fn ask(&self) -> (ors_update_verdict, String) {
        let c = |text: &str| CString::new(text).unwrap();
        let (folder, product, keys, release) = (c(&self.folder), c(&self.product), c(&self.keys), c(&self.release));
        let state = self.state.as_deref().map(c);
        let query = ors_update_query {
            struct_size: size_of::<ors_update_query>() as u32,
            timeout_ms: 0,
            licence_folder: folder.as_ptr(),
            product: product.as_ptr(),
            trusted_keys: keys.as_ptr(),
            release_date: release.as_ptr(),
            state_folder: state.as_ref().map_or(null(), |state| state.as_ptr()),
        };
        let mut out: ors_update_verdict = zeroed();
        out.struct_size = size_of::<ors_update_verdict>() as u32;
        let mut error = new_error();
        let code = unsafe { ors_check_update(&query, &mut out, &mut error) };
        failure(code, &error).unwrap();
        let message: Vec<u8> =
            error.message.iter().map(|c: &c_char| c.cast_unsigned()).take_while(|b| *b != 0).collect();
        (out, String::from_utf8(message).unwrap())
    }

    fn verdict(&self) -> (i32, i32) {
        let (verdict, message) = self.ask();
        match verdict.verdict {
            0 => assert!(is_sentence(&message), "{message:?}"),
            _ => assert_eq!(message, ""),
        }
        let sentence = sentence(&verdict);
        assert!(is_sentence(&sentence), "{sentence}");
        (verdict.verdict, verdict.reason)
    }
}

fn sentence(verdict: &ors_update_verdict) -> String {
    text_of(|buf, cap, needed| unsafe { ors_update_text(verdict, null(), 0, buf, cap, needed) }).unwrap()
}

fn day(text: &str) -> Option<Day> {
    Some(Day::parse(text).unwrap())
}

fn site_of(licence: &Licence) -> Site {
    let site = Site::new();
    site.drop_file(OURS, &site.vendor.sign(licence));
    site
}

#[test]
fn the_licence_in_the_folder_answers_with_its_days() {
    type Case = (&'static str, fn(&mut Licence), &'static str, i32, i32, [i32; 2], &'static str);
    let cases: [Case; 9] = [
        (
            "covered",
            |l| (l.expires_on, l.maintenance_until) = (day("2090-11-23"), day("2026-12-31")),
            "2026-12-01",
            1,
            ORS_REASON_NONE,
            [20_901_123, 20_261_231],
            "The release of 1 December 2026 may be installed: maintenance covers releases up to 31 December 2026.",
        ),
        (
            "on the last day of maintenance",
            |l| (l.expires_on, l.maintenance_until) = (day("2090-11-23"), day("2026-12-01")),
            "2026-12-01",
            1,
            ORS_REASON_NONE,
            [20_901_123, 20_261_201],
            "The release of 1 December 2026 may be installed: maintenance covers releases up to 1 December 2026.",
        ),
        (
            "a day after maintenance",
            |l| (l.expires_on, l.maintenance_until) = (day("2090-11-23"), day("2026-11-30")),
            "2026-12-01",
            -1,
            ORS_REASON_MAINTENANCE_ENDED,
            [20_901_123, 20_261_130],
            "The release of 1 December 2026 may not be installed: maintenance covers releases up to 30 November 2026.",
        ),
        (
            "no contract",
            |l| (l.expires_on, l.maintenance_until) = (day("2090-11-23"), None),
            "2026-12-01",
            -1,
            ORS_REASON_MAINTENANCE_ENDED,
            [20_901_123, 0],
            "The release of 1 December 2026 may not be installed: there is no maintenance contract.",
        ),
        (
            "an old release, maintenance long over",
            |l| (l.expires_on, l.maintenance_until) = (day("2090-11-23"), day("2020-05-31")),
            "2020-01-31",
            1,
            ORS_REASON_NONE,
            [20_901_123, 20_200_531],
            "The release of 31 January 2020 may be installed: maintenance covers releases up to 31 May 2020.",
        ),
        (
            "expired",
            |l| (l.expires_on, l.maintenance_until) = (day("2026-02-28"), day("2090-05-31")),
            "2026-12-01",
            -1,
            ORS_REASON_LICENCE_EXPIRED,
            [20_260_228, 20_900_531],
            "The release of 1 December 2026 may not be installed: the licence expired, its last day was 28 February 2026.",
        ),
        (
            "expired, and maintenance ended: the first that fails",
            |l| (l.expires_on, l.maintenance_until) = (day("2026-02-28"), day("2026-02-28")),
            "2026-12-01",
            -1,
            ORS_REASON_MAINTENANCE_ENDED,
            [20_260_228, 20_260_228],
            "The release of 1 December 2026 may not be installed: maintenance covers releases up to 28 February 2026.",
        ),
        (
            "perpetual",
            |l| (l.expires_on, l.maintenance_until) = (None, day("2027-05-31")),
            "2027-05-31",
            1,
            ORS_REASON_NONE,
            [ORS_NEVER_DAY, 20_270_531],
            "The release of 31 May 2027 may be installed: maintenance covers releases up to 31 May 2027.",
        ),
        (
            "perpetual, maintenance ended",
            |l| (l.expires_on, l.maintenance_until) = (None, day("2027-05-31")),
            "2027-06-01",
            -1,
            ORS_REASON_MAINTENANCE_ENDED,
            [ORS_NEVER_DAY, 20_270_531],
            "The release of 1 June 2027 may not be installed: maintenance covers releases up to 31 May 2027.",
        ),
    ];
    for (name, change, release, verdict, reason, days, words) in cases {
        let site = site_of(&changed(7, change));
        let query = Query::of(&site).release(release);
        assert_eq!(query.verdict(), (verdict, reason), "{name}");
        let (found, _) = query.ask();
        assert_eq!([found.licence_last_day, found.maintenance_last_day], days, "{name}");
        assert_eq!(found.release_day.to_string(), release.replace('-', ""), "{name}");
        assert_eq!(found.sequence, 7, "{name}");
        assert_eq!(sentence(&found), words, "{name}");
    }
}

#[test]
fn whatever_is_wrong_at_the_customers_is_cannot_tell_and_a_reason() {
    type Case = (&'static str, fn(&Site), i32);
    let cases: [Case; 11] = [
        ("an empty folder", |_| {}, ORS_REASON_NO_LICENCE),
        ("no folder", |site| fs::remove_dir(site.licences()).unwrap(), ORS_REASON_UNREADABLE),
        (
            "a file instead of a folder",
            |site| {
                fs::remove_dir(site.licences()).unwrap();
                fs::write(site.licences(), "x").unwrap();
            },
            ORS_REASON_MALFORMED,
        ),
        (
            "a forged licence",
            |site| site.drop_file(OURS, &issuer::sign_licence(&licence(7), &site.vendor.stranger)),
            ORS_REASON_UNKNOWN_KEY,
        ),
        ("no licence at all", |site| site.drop_file(OURS, b"{}"), ORS_REASON_MALFORMED),
        (
            "another product",
            |site| {
                site.drop_file(OURS, &site.vendor.sign(&changed(7, |l| l.product = Product::parse("other").unwrap())))
            },
            ORS_REASON_PRODUCT,
        ),
        (
            "two serials",
            |site| {
                site.drop_file("a.ors.json", &site.vendor.file(7));
                site.drop_file(
                    "b.ors.json",
                    &site.vendor.sign(&changed(7, |l| l.serial = Serial::parse("99").unwrap())),
                );
            },
            ORS_REASON_AMBIGUOUS,
        ),
        ("a folder under the licence's name", |site| fs::create_dir(site.file(OURS)).unwrap(), ORS_REASON_NOT_A_FILE),
        ("2 MiB", |site| site.drop_file(OURS, &vec![b' '; 2 << 20]), ORS_REASON_TOO_LARGE),
        (
            "two bad ones: the newer counts",
            |site| {
                site.drop_file("a.ors.json", &issuer::sign_licence(&licence(9), &site.vendor.root));
                site.drop_file("b.ors.json", &issuer::sign_licence(&licence(8), &site.vendor.stranger));
            },
            ORS_REASON_KEY_ROLE,
        ),
        ("100,000 nested arrays", |site| site.drop_file(OURS, "[".repeat(100_000).as_bytes()), ORS_REASON_MALFORMED),
    ];
    for (name, spoil, reason) in cases {
        let site = Site::new();
        spoil(&site);
        assert_eq!(Query::of(&site).verdict(), (0, reason), "{name}");
        let (found, message) = Query::of(&site).ask();
        assert_eq!([found.licence_last_day, found.maintenance_last_day], [0, 0], "{name}: {message}");
        assert_eq!((found.release_day, found.sequence), (20_261_201, 0), "{name}");
        assert!(sentence(&found).starts_with("It cannot be told whether the release of 1 December 2026"), "{name}");
    }
}

#[test]
fn a_bad_file_beside_a_good_one_changes_nothing_and_a_path_may_name_the_file() {
    let site = Site::with(7);
    site.drop_file("bad.ors.json", b"{");
    site.drop_file("forged.ors.json", &issuer::sign_licence(&licence(9), &site.vendor.stranger));
    assert_eq!(Query::of(&site).verdict(), (1, ORS_REASON_NONE));
    let other = site.vendor.sign(&changed(9, |l| {
        l.serial = Serial::parse("99").unwrap();
        l.maintenance_until = day("2020-01-01");
    }));
    site.drop_file("other.ors.json", &other);
    assert_eq!(Query::of(&site).verdict(), (0, ORS_REASON_AMBIGUOUS));
    for (file, wanted) in [(OURS, (1, ORS_REASON_NONE)), ("other.ors.json", (-1, ORS_REASON_MAINTENANCE_ENDED))] {
        let query = Query { folder: text(&site.file(file)), ..Query::of(&site) };
        assert_eq!(query.verdict(), wanted, "{file}");
    }
}

#[test]
fn the_state_folder_knows_serial_floor_and_the_licence_that_was_taken_away() {
    let site = Site::with(7);
    let host = site.open();
    host.until("read", |host| host.diagnostics()["installed"]["source"] == "folder");
    host.set(&json!({ "enabled": false })).unwrap();
    drop(host);
    let before = listing(&site);
    assert_eq!(Query::with_state(&site).verdict(), (1, ORS_REASON_NONE));
    // Another serial beside it is no question for an installation that has one.
    let other = site.vendor.sign(&changed(9, |l| l.serial = Serial::parse("99").unwrap()));
    site.drop_file("other.ors.json", &other);
    assert_eq!(Query::of(&site).verdict(), (0, ORS_REASON_AMBIGUOUS));
    assert_eq!(Query::with_state(&site).ask().0.sequence, 7);
    fs::remove_file(site.file("other.ors.json")).unwrap();
    // An older licence with longer maintenance is not the one that counts.
    let mine = fs::read(site.file(OURS)).unwrap();
    site.drop_file(OURS, &site.vendor.sign(&changed(6, |l| l.maintenance_until = day("2097-01-01"))));
    let (found, _) = Query::with_state(&site).ask();
    assert_eq!((found.verdict, found.sequence, found.maintenance_last_day), (1, 7, 20_900_531));
    site.drop_file(OURS, &mine);
    assert_eq!(listing(&site), before, "nothing was written");
    // A state folder that is not there, or is none, is as if none were given.
    for state in ["/nowhere/at/all", "", &text(&site.file(OURS))] {
        let query = Query { state: Some(state.to_owned()), ..Query::of(&site) };
        assert_eq!(query.verdict(), (1, ORS_REASON_NONE), "{state}");
    }
    // One that a newer version wrote is not guessed at.
    fs::write(site.state().join("floor.a"), newer_document()).unwrap();
    assert_eq!(Query::with_state(&site).verdict(), (0, ORS_REASON_UNREADABLE));
}

/// A document of format 2, whole.
fn newer_document() -> Vec<u8> {
    let prefix = "ors-document 2 9 9";
    let hash = ors::licence::hex(&ors::licence::sha256(format!("{prefix}\n{{}}").as_bytes()));
    format!("{prefix} {hash}\n{{}}").into_bytes()
}

fn listing(site: &Site) -> Vec<(String, Vec<u8>)> {
    let folders = [site.state(), site.licences()];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut found: Vec<_> = files.map(|path| (text(&path), fs::read(&path).unwrap_or_default())).collect();
    found.sort();
    found
}

#[test]
fn the_newest_key_list_counts_whether_it_lies_beside_the_licence_or_in_the_state_folder() {
    use KeyStatus::{Active, Retired, Revoked};
    let site = Site::with(7);
    let next = key("licence-2", Role::Licence, 12);
    let vendor = &site.vendor;
    let list = |version, first| {
        key_list(version, 1, &[(&vendor.root, Active), (&vendor.licence, first), (&next, Active)], &[&vendor.root])
    };
    let by_next = issuer::sign_licence(&licence(8), &next);
    // Beside the licence.
    site.drop_file(OURS, &by_next);
    assert_eq!(Query::of(&site).verdict(), (0, ORS_REASON_UNKNOWN_KEY));
    site.drop_file("ors-keys.json", &list(1, Active));
    assert_eq!(Query::of(&site).verdict(), (1, ORS_REASON_NONE));
    for (name, spoiled) in [
        ("no JSON", b"{".to_vec()),
        ("a stranger's", key_list(1, 1, &[(&next, Active)], &[&vendor.stranger])),
        ("a gap", list(2, Active)),
    ] {
        site.drop_file("ors-keys.json", &spoiled);
        assert_eq!(Query::of(&site).verdict(), (0, ORS_REASON_UNKNOWN_KEY), "{name}");
        site.drop_file("old.ors.json", &vendor.file(7));
        assert_eq!(Query::of(&site).verdict(), (1, ORS_REASON_NONE), "{name}: the host's own keys count");
        fs::remove_file(site.file("old.ors.json")).unwrap();
    }
    // Retired and revoked.
    site.drop_file(OURS, &vendor.file(7));
    for (first, wanted) in [(Retired, (1, ORS_REASON_NONE)), (Revoked, (0, ORS_REASON_KEY_REVOKED))] {
        site.drop_file("ors-keys.json", &list(1, first));
        assert_eq!(Query::of(&site).verdict(), wanted, "{first:?}");
    }
    // In the state folder; the one that lies beside the licence is older, or gone.
    let site = Site::with(7);
    let host = site.open();
    host.install(&list(1, Active)).1.unwrap();
    host.until("beside the licence", |_| site.file("ors-keys.json").exists());
    let old = fs::read(site.file("ors-keys.json")).unwrap();
    host.install(&list(2, Revoked)).1.unwrap();
    host.until("beside the licence", |_| fs::read(site.file("ors-keys.json")).is_ok_and(|bytes| bytes != old));
    drop(host);
    site.drop_file("ors-keys.json", &old);
    assert_eq!(Query::of(&site).verdict(), (1, ORS_REASON_NONE), "what the folder alone can tell");
    assert_eq!(Query::with_state(&site).verdict(), (0, ORS_REASON_KEY_REVOKED));
    fs::remove_file(site.file("ors-keys.json")).unwrap();
    assert_eq!(Query::with_state(&site).verdict(), (0, ORS_REASON_KEY_REVOKED));
}
