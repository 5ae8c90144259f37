//! Paths longer than 260 characters, and names that the code page of the machine does not have.

use crate::support::host::Host;
use crate::support::{PRODUCT, Site, move_as_a_person, table, text};
use ors::ffi::{ORS_E_READ_ONLY, ORS_NOTICE_MANUAL_COPY, ORS_OPEN_READ_ONLY};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LICENCE: &str = "prismaprepare-1234567890.ors.json";

fn below(place: &Path, levels: &[&str]) -> PathBuf {
    let folder = levels.iter().fold(place.to_owned(), |folder, level| folder.join(level));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn until(what: &str, host: &Host, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}; {:#}", host.diagnostics());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Everything that names a file, with state and licences in `folder`.
fn life(site: &Site, folder: &Path) {
    let licences = folder.join("licences");
    fs::create_dir(&licences).unwrap();
    fs::write(licences.join(LICENCE), site.vendor.file(1)).unwrap();
    let mut options = site.options();
    options.state_folder = Some(text(&folder.join("state")));
    options.licence_folder = Some(text(&licences));
    let host = Host::open(&options).unwrap();
    host.until_sequence(1);
    // The same folder once more, as the administrator types it.
    let set = json!({ "licence_path": text(&licences), "proxy": { "password": "p" }, "verification_code": "c" });
    host.set(&set).unwrap();
    host.install(&site.vendor.file(2)).1.unwrap();
    host.until_sequence(2);
    assert_eq!(fs::read(licences.join(LICENCE)).unwrap(), site.vendor.file(2));
    let state = folder.join("state");
    until("a backup", &host, || fs::read_dir(state.join("backup")).is_ok_and(|files| files.count() > 0));
    host.acknowledge(host.notices().announcement).unwrap_or_else(|failure| assert_eq!(failure.place, "announcement"));

    // The folder is away: files to copy lie ready, under a path that is told.
    let away = folder.join("away");
    move_as_a_person(&licences, &away);
    host.install(&site.vendor.file(3)).1.unwrap();
    until("the notice", &host, || host.notices().notices & ORS_NOTICE_MANUAL_COPY != 0);
    assert_eq!(fs::read(state.join("copy").join(LICENCE)).unwrap(), site.vendor.file(3));
    move_as_a_person(&away, &licences);
    host.install(&site.vendor.file(3)).1.unwrap();
    until("licence 3", &host, || host.licence().sequence == 3);
    assert_eq!(host.close(), 0);

    let journal = fs::read_to_string(state.join("journal.jsonl")).unwrap();
    assert!(journal.contains("settings changed (revision 1)") && journal.contains("licence 3 was put"), "{journal}");
    for name in ["settings.a", "settings.b", "secrets.entropy", "secrets-1.sealed", "floor.a", "installed.ors.json"] {
        assert!(state.join(name).is_file(), "{name}");
    }
    let host = Host::open(&options).unwrap();
    assert_eq!(host.licence().sequence, 3);
    let shown = host.settings();
    assert_eq!(
        (&shown["licence_path"], &shown["proxy"]["password"]),
        (&json!(text(&licences)), &json!({ "set": true }))
    );
    let looking = Host::open(&crate::support::host::Options { flags: ORS_OPEN_READ_ONLY, ..options }).unwrap();
    assert_eq!(looking.licence().sequence, 3);
    assert_eq!(looking.set(&json!({})).unwrap_err().code, ORS_E_READ_ONLY);
    let question = ors::agent::UpdateQuery {
        licence_folder: text(&licences),
        product: PRODUCT.to_owned(),
        trusted_keys: site.vendor.trusted(),
        release_date: "2026-01-01".to_owned(),
        ..Default::default()
    };
    assert_eq!(ors::agent::check_update(&question).unwrap().verdict.verdict, 1, "the installer's question");
}

#[test]
fn long_paths_and_names_of_any_language_work() {
    let level = "x".repeat(60);
    let wide = "žlutý kůň 漢字 🐎";
    let cases: [(&str, Vec<&str>); 5] = [
        ("short", vec!["a"]),
        ("not ASCII", vec![wide]),
        // The folder is within 260 characters and the files in it are not.
        ("just below", vec![&level, &level, &level]),
        ("300", vec![&level; 5]),
        ("1,000 and not ASCII", [vec![wide], vec![&level; 16], vec![wide]].concat()),
    ];
    let tried = cases.len() as u64;
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let running = cases.map(|(name, levels)| {
            let case = scope.spawn(move || {
                let site = Site::new();
                let folder = below(site.place.path(), &levels);
                println!("{name}: {} characters", text(&folder).chars().count());
                life(&site, &folder);
            });
            (name, case)
        });
        running.into_iter().filter_map(|(name, case)| case.join().is_err().then_some(name)).collect()
    });
    failed.iter().for_each(|name| println!("HARM {name}"));
    table::row("Windows: state and licences under long and non-ASCII paths", tried, failed.len() as u64);
}
