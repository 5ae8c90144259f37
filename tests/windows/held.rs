//! Files held by another process: whatever is held, it is told at most, and done when the file is free.

use crate::alone::alone;
use crate::holder::{Hold, Holder, NO_DELETE, NOBODY};
use crate::pulse::while_asked;
use crate::support::host::Host;
use crate::support::{Site, move_as_a_person, table};
use ors::clock::test::set_boot_offset;
use ors::ffi::{ORS_E_IO, ORS_E_TIMEOUT, ORS_NOTICE_MANUAL_COPY};
use ors::store::{Settings, StateFolder, verify_journal};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const LICENCE: &str = "prismaprepare-1234567890.ors.json";
const VALID: u32 = 1;

type Case<'a> = (String, Box<dyn Fn() + Send + 'a>);

/// Runs cases side by side, each with folders of its own: most of their time is somebody holding a file.
fn side_by_side(fault: &str, cases: Vec<Case<'_>>) {
    let tried = cases.len() as u64;
    let failed: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = cases.into_iter().map(|(name, case)| (name, scope.spawn(case))).collect();
        running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name)).collect()
    });
    failed.iter().for_each(|name| println!("HARM {name}"));
    table::row(fault, tried, failed.len() as u64);
}

/// Does `work`, and lets the file go after that time.
fn during<T>(hold: Hold<'_>, time: Duration, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(time);
            drop(hold);
        });
        work()
    })
}

fn manual_copy(host: &Host) -> bool {
    host.notices().notices & ORS_NOTICE_MANUAL_COPY != 0
}

fn until(what: &str, host: &Host, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}; {:#}", host.diagnostics());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn no_temps(folder: &Path) {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let temps: Vec<String> = names.filter(|name| name.ends_with(".tmp")).collect();
    assert_eq!(temps, Vec::<String>::new(), "{}", folder.display());
}

fn seconds(tenths: u64) -> Duration {
    Duration::from_millis(tenths * 100)
}

fn licence_held(holder: &Holder, time: Duration, share: u32) {
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    let what = format!("licence held for {time:?}");
    let newer = site.vendor.file(2);
    while_asked(&host, &what, || {
        let hold = holder.hold(&site.file(LICENCE), share);
        let began = Instant::now();
        during(hold, time, || {
            let (_, done) = host.install_once(&newer);
            assert!(began.elapsed() < Duration::from_secs(3), "{what}: the call took {:?}", began.elapsed());
            assert!(
                done.as_ref().is_ok_and(|()| true) || done.as_ref().is_err_and(|f| f.code == ORS_E_TIMEOUT),
                "{done:?}"
            );
            until("licence 2", &host, || {
                assert_eq!(host.licence().state, VALID, "{what}");
                assert!(!manual_copy(&host), "{what}: a person is asked for help");
                host.licence().sequence == 2
            });
        });
    });
    assert_eq!(fs::read(site.file(LICENCE)).unwrap(), newer);
    no_temps(&site.licences());
    assert_eq!(host.close(), 0);
    no_temps(&site.state());
}

#[test]
fn an_install_outlasts_who_holds_the_licence_without_delete_sharing() {
    let holder = Holder::start();
    let case = |tenths| -> Case<'_> {
        let holder = &holder;
        (format!("{tenths} tenths of a second"), Box::new(move || licence_held(holder, seconds(tenths), NO_DELETE)))
    };
    side_by_side("Windows: licence held without delete sharing, 0.1 to 4 s", [1, 5, 10, 20, 40].map(case).into());
}

#[test]
fn a_licence_held_for_longer_is_a_notice_and_is_installed_when_it_is_free() {
    if !alone("held::a_licence_held_for_longer_is_a_notice_and_is_installed_when_it_is_free") {
        return;
    }
    let holder = Holder::start();
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    let newer = site.vendor.file(2);
    while_asked(&host, "licence held until a person is asked", || {
        let hold = holder.hold(&site.file(LICENCE), NO_DELETE);
        let _ = host.install(&newer);
        until("the notice", &host, || manual_copy(&host));
        assert_eq!((host.licence().state, host.licence().sequence), (VALID, 1));
        assert_eq!(fs::read(site.state().join("copy").join(LICENCE)).unwrap(), newer, "the file to copy is there");
        drop(hold);
        // The library tries again each minute; the test does not wait for that.
        set_boot_offset(61);
        until("licence 2", &host, || host.licence().sequence == 2 && !manual_copy(&host));
    });
    set_boot_offset(0);
    assert_eq!(fs::read(site.file(LICENCE)).unwrap(), newer);
    table::row("Windows: licence held for longer: a notice, later success", 1, 0);
}

/// The licence is only read meanwhile, by a look of the library's own.
fn licence_unreadable(holder: &Holder, time: Duration) {
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    let hold = holder.hold(&site.file(LICENCE), NOBODY);
    let deadline = Instant::now() + time + Duration::from_secs(3);
    during(hold, time, || {
        while Instant::now() < deadline {
            let licence = host.licence();
            assert_eq!((licence.state, licence.sequence), (VALID, 1), "{:#}", host.diagnostics());
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    until("the licence in its folder", &host, || {
        host.row(LICENCE).is_some_and(|row| row["state"] == "in_use") && !manual_copy(&host)
    });
}

/// A set while a file of the state folder is held: taken now or later, and the host never waits for long.
fn state_held(holder: &Holder, files: &[&str], share: u32, time: Duration) {
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    let secrets = json!({
        "verification_code": "a code", "proxy": { "password": "p" }, "share_account": { "password": "s" },
    });
    host.set(&secrets).unwrap();
    let what = format!("{files:?} held for {time:?}");
    let change = json!({ "language": "de", "proxy": { "password": "q" } });
    while_asked(&host, &what, || {
        let mut holds: Vec<Hold<'_>> = files.iter().map(|file| holder.hold(&site.state().join(file), share)).collect();
        let last = holds.pop().unwrap();
        let began = Instant::now();
        let done = during(last, time, || {
            let done = host.set_once(&change);
            assert!(began.elapsed() < Duration::from_secs(3), "{what}: the call took {:?}", began.elapsed());
            done
        });
        drop(holds);
        match done {
            Ok(()) => {}
            Err(failure) => {
                assert!([ORS_E_TIMEOUT, ORS_E_IO].contains(&failure.code), "{what}: {failure:?}");
                // Repeating is safe, and helps now.
                until("the same set again", &host, || host.set(&change).is_ok());
            }
        }
        assert_eq!(host.settings()["language"], "de", "{what}");
    });
    until("the journal", &host, || {
        let journal = fs::read_to_string(site.state().join("journal.jsonl")).unwrap_or_default();
        journal.contains("settings changed (revision 2): language, proxy.password")
    });
    assert_eq!(host.close(), 0);
    no_temps(&site.state());
    let journal = verify_journal(&site.state()).unwrap();
    assert!(journal.problems.is_empty(), "{what}: {journal}");

    let host = site.open();
    let shown = host.settings();
    assert_eq!(shown["language"], "de", "{what}");
    for member in ["/verification_code", "/proxy/password", "/share_account/password"] {
        assert_eq!(shown.pointer(member), Some(&json!({ "set": true })), "{what}: {member}");
    }
    let kept = Settings::open_secrets(&StateFolder::existing(&site.state()).unwrap()).unwrap();
    let kept = [kept.verification_code, kept.proxy_password, kept.share_password];
    assert_eq!(kept.map(|secret| secret.unwrap().expose().to_owned()), ["a code", "q", "s"], "{what}");
}

/// An upload while a file of the leader's is held.
fn install_held(holder: &Holder, file: &str, share: u32, time: Duration) {
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    until("the file", &host, || site.state().join(file).exists());
    let newer = site.vendor.file(2);
    let hold = holder.hold(&site.state().join(file), share);
    while_asked(&host, file, || {
        during(hold, time, || {
            let _ = host.install(&newer);
            until("licence 2", &host, || {
                assert_eq!(host.licence().state, VALID, "{file}");
                if host.licence().sequence != 2 {
                    let _ = host.install(&newer);
                }
                host.licence().sequence == 2
            });
        });
    });
    assert_eq!(host.close(), 0);
    no_temps(&site.state());
    // What was acknowledged by the folder is known without it.
    move_as_a_person(&site.licences(), &site.place.path().join("away"));
    let host = site.open();
    assert_eq!((host.licence().state, host.licence().sequence), (VALID, 2), "{file}: {:#}", host.diagnostics());
}

/// A file of the state folder is held while the library starts.
fn start_held(holder: &Holder, file: &str, time: Duration) {
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    host.set(&json!({ "language": "de" })).unwrap();
    assert_eq!(host.close(), 0);
    let hold = holder.hold(&site.state().join(file), NOBODY);
    let host = during(hold, time, || site.open());
    assert_eq!(host.licence().sequence, 1, "{file}");
    assert_eq!(host.settings()["language"], "de", "{file}");
    until("the lead", &host, || host.diagnostics()["role"] == "leader");
    host.set(&json!({ "language": "en" })).unwrap();
    until("the journal", &host, || {
        let journal = fs::read_to_string(site.state().join("journal.jsonl")).unwrap_or_default();
        journal.contains("settings changed (revision 2): language")
    });
    assert_eq!(host.close(), 0);
    assert!(verify_journal(&site.state()).unwrap().problems.is_empty(), "{file}");
}

#[test]
fn what_is_held_exclusively_is_done_when_it_is_free() {
    let holder = Holder::start();
    let holder = &holder;
    let mut cases: Vec<Case<'_>> = Vec::new();
    for tenths in [5, 20, 40] {
        let name = format!("licence held exclusively for {tenths} tenths of a second");
        cases.push((name, Box::new(move || licence_held(holder, seconds(tenths), NOBODY))));
    }
    cases.push(("licence only read".to_owned(), Box::new(move || licence_unreadable(holder, seconds(30)))));
    let state: [(&[&str], u32, u64); 11] = [
        (&["settings.a"], NO_DELETE, 5),
        (&["settings.a"], NO_DELETE, 40),
        (&["settings.a"], NOBODY, 5),
        (&["settings.a"], NOBODY, 40),
        (&["settings.b", "settings.a"], NOBODY, 10),
        (&["secrets-1.sealed"], NOBODY, 10),
        (&["secrets.entropy"], NOBODY, 10),
        (&["journal.jsonl"], NOBODY, 2),
        (&["journal.jsonl"], NOBODY, 30),
        (&["settings.lock"], NOBODY, 5),
        (&["settings.lock"], NOBODY, 30),
    ];
    for (files, share, tenths) in state {
        let name = format!("{files:?} held for {tenths} tenths of a second, shared {share}");
        cases.push((name, Box::new(move || state_held(holder, files, share, seconds(tenths)))));
    }
    for (file, share) in
        [("state.a", NO_DELETE), ("state.a", NOBODY), ("floor.a", NOBODY), ("installed.ors.json", NOBODY)]
    {
        let name = format!("{file} held during an install, shared {share}");
        cases.push((name, Box::new(move || install_held(holder, file, share, seconds(20)))));
    }
    for file in ["settings.a", "settings.b", "state.a", "floor.a", "leader.lock", "journal.jsonl"] {
        let name = format!("{file} held at the start");
        cases.push((name, Box::new(move || start_held(holder, file, seconds(15)))));
    }
    side_by_side("Windows: licence, state files or locks held exclusively", cases);
}

#[test]
fn temporary_files_that_a_scanner_opens_reach_their_places() {
    let holder = Holder::start();
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    let (state, licences) = (site.state(), site.licences());
    let mut in_licences = 0;
    let in_state = holder.scan(&state, 150, || {
        in_licences = holder.scan(&licences, 150, || {
            while_asked(&host, "a scanner", || {
                for round in 0..5_u64 {
                    let settings =
                        json!({ "unreachable_hours": round + 1, "proxy": { "password": round.to_string() } });
                    until("a set", &host, || host.set(&settings).is_ok());
                    let _ = host.install(&site.vendor.file(round + 2));
                    until("the licence", &host, || host.licence().sequence == round + 2);
                }
            });
        });
    });
    assert!(!manual_copy(&host) && host.licence().state == VALID);
    assert_eq!(host.settings()["unreachable_hours"], Value::from(5));
    assert_eq!(host.close(), 0);
    for folder in [&state, &licences] {
        no_temps(folder);
    }
    assert!(in_state > 10 && in_licences > 0, "the scanner caught {in_state} and {in_licences} files");
    table::row("Windows: temporary files held by a scanner", in_state + in_licences, 0);
}
