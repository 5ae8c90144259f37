//! A password that is set by a C host through the shipped file is nowhere afterwards but sealed in its own file: not in any file,
//! log, answer or error, not in arguments and environment, and not in a core dump of the idle host.
//! `cargo test --test secrets`; `ORS_SHIPPED=/a/folder` looks at the libors.so in it instead.
//!
//! The memory of other processes and of the kernel (pipes, the page cache, swap) is not searched: what the host got its
//! password from is not ours.
#![cfg(target_os = "linux")]

mod core;
#[path = "../hot/licences.rs"]
mod licences;
#[allow(dead_code, reason = "each test binary uses its own part")]
#[path = "../hot/rig.rs"]
mod rig;
mod search;
#[allow(dead_code, reason = "each test binary uses its own part")]
#[path = "../../support/table.rs"]
mod table;
#[path = "../told/mod.rs"]
mod told;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use self::core::Core;
use ors::store::{Settings, StateFolder};
use rig::{Place, shipped};
use search::{Canary, Search};
use serde_json::{Value, json};
use told::Told;

const ORS_OK: i32 = 0;
const ORS_E_ARGUMENT: i32 = -2;
const ORS_E_TEXT: i32 = -3;
const ORS_E_CLOSED: i32 = -6;
const ORS_E_READ_ONLY: i32 = -7;
const ORS_E_TIMEOUT: i32 = -8;
const ORS_E_STALE: i32 = -9;
const ORS_E_INTERNAL: i32 = -900;

/// A place with a host in it, and a folder for every file that a program makes without being told where.
struct Scene {
    place: Place,
    host: Told,
    began: SystemTime,
    canaries: Vec<Canary>,
    dumps: u64,
    harmed: u64,
}

fn folder_of(place: &Place) -> PathBuf {
    place.state().parent().expect("the place's folder").to_owned()
}

impl Scene {
    fn new() -> Scene {
        let place = Place::new();
        let temp = folder_of(&place).join("temp");
        fs::create_dir(&temp).expect("a folder");
        let mut command: Command = place.host(told::program(), &shipped());
        for variable in ["HOME", "TMPDIR", "TMP", "TEMP", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
            command.env(variable, &temp);
        }
        // The first call of a function saves all registers on the stack while the loader looks for it; the library is
        // linked without that (-z now), and this host's own clock_gettime must not do it in the middle of a set.
        command.env("LD_BIND_NOW", "1");
        // Panics are part of this: the standard library's own words about them cost seconds and megabytes with a trace.
        command.current_dir(&temp).env_remove("RUST_BACKTRACE");
        let host = Told::start(&mut command);
        Scene { place, host, began: SystemTime::now(), canaries: Vec::new(), dumps: 0, harmed: 0 }
    }

    fn canary(&mut self, name: &str) -> Canary {
        self.note(Canary::new(name, 43))
    }

    fn note(&mut self, canary: Canary) -> Canary {
        self.canaries.push(canary.clone());
        canary
    }

    fn set(&mut self, settings: &Value) -> told::Done {
        self.host.order("set", settings.to_string().as_bytes())
    }

    /// Sets what has to be refused with `code`, with a canary in the place of `CANARY`.
    fn refused(&mut self, code: i32, json: &[u8]) {
        let shown = String::from_utf8_lossy(json.get(..json.len().min(100)).unwrap_or_default()).into_owned();
        let canary = self.canary(&shown);
        let at = json.windows(6).position(|part| part == b"CANARY").expect("a place for the canary");
        let json = [&json[..at], canary.text.as_bytes(), &json[at + 6..]].concat();
        let done = self.host.order("set", &json);
        assert_eq!(done.code, code, "{shown}: {done:?}");
    }

    /// Looks for every canary so far, everywhere.
    fn look(&mut self, when: &str) {
        let search = Search::new(&self.canaries);
        // First: whatever the host calls next goes through the registers and over the stack.
        self.dump(when, &search);
        self.host.tell("ask");
        self.report(when, "what the host was told and told", &search, self.host.said().as_bytes(), None);
        let process = self.host.id();
        for file in ["cmdline", "environ"] {
            let bytes = fs::read(format!("/proc/{process}/{file}")).expect("a running child");
            self.report(when, file, &search, &bytes, None);
        }
        for path in files_under(&folder_of(&self.place)) {
            let bytes = fs::read(&path).expect("a file of the place");
            self.report(when, &path.display().to_string(), &search, &bytes, None);
        }
    }

    fn dump(&mut self, when: &str, search: &Search) {
        let core = Core::of(self.host.id(), &PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
        self.dumps += 1;
        self.report(when, "memory", search, &core.bytes, Some(&core));
    }

    fn report(&mut self, when: &str, place: &str, search: &Search, bytes: &[u8], core: Option<&Core>) {
        let found = search.find(bytes);
        if found.is_empty() {
            return;
        }
        self.harmed += 1;
        for found in found {
            let at = core.map_or_else(|| format!("byte {}", found.at), |core| core.place(found.at));
            println!("FOUND {when}: {} bytes of {} in {place}: {at}", found.length, found.what);
        }
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of ours").flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_under(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

/// Files right in a folder of everybody's that were changed since then. What others remove meanwhile is theirs.
fn small_files_of(folder: &Path, since: SystemTime) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let new = entries.filter(|entry| {
        let meta = entry.metadata().ok().filter(|meta| meta.is_file() && meta.len() < 1 << 20);
        meta.and_then(|meta| meta.modified().ok()).is_some_and(|time| time >= since)
    });
    new.filter_map(|entry| fs::read(entry.path()).ok()).collect()
}

#[test]
fn a_planted_canary_is_found_in_every_form() {
    let mut scene = Scene::new();
    let (plain, wide, based, hexed) =
        (Canary::new("plain", 43), Canary::new("wide", 43), Canary::awkward("based", 43), Canary::awkward("hexed", 43));
    let escaped = Canary::awkward("escaped", 43);
    scene.host.tell("open");
    let planted = [
        ("plain", plain.text.clone().into_bytes()),
        // Nine letters of forty-three: what a register or a block of a cipher keeps.
        ("plain", Canary::new("piece", 43).text.into_bytes()),
        ("UTF-16LE", wide.utf16()),
        ("base64", based.base64()),
        ("hex", hexed.hex()),
        ("JSON", escaped.json().into_bytes()),
    ];
    let piece = Canary { name: "piece".to_owned(), text: String::from_utf8_lossy(&planted[1].1).into_owned() };
    for (index, (_, bytes)) in planted.iter().enumerate() {
        let bytes = if index == 1 { &bytes[20..29] } else { bytes };
        assert_eq!(scene.host.order("keep", bytes).code, ORS_OK);
    }
    let canaries = [plain, piece, wide, based, hexed, escaped];
    let search = Search::new(&canaries);
    let core = Core::of(scene.host.id(), &PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
    let found = search.find(&core.bytes);
    for (canary, (form, bytes)) in canaries.iter().zip(&planted) {
        let label = format!("{} ({form})", canary.name);
        let length = if canary.name == "piece" { 9 } else { bytes.len() };
        let longest = found.iter().filter(|found| found.what == label).map(|found| found.length).max();
        assert!(longest.is_some_and(|longest| longest + 3 >= length), "{label}: {longest:?} of {length}");
        assert!(!search.find(bytes).is_empty());
    }
    assert!(Search::new(&[Canary::new("another", 43)]).find(&core.bytes).is_empty());
    scene.host.end();
}

#[test]
fn a_password_is_nowhere_but_sealed_in_its_own_file() {
    let began = Instant::now();
    let mut scene = Scene::new();
    let (proxy, share) = (scene.canary("proxy.password"), scene.note(Canary::awkward("share_account.password", 100)));
    let code = scene.canary("verification_code");
    scene.host.tell("open");
    let all = json!({
        "verification_code": code.text,
        "proxy": { "mode": "manual", "host": "proxy.example", "port": 8080, "user": "u", "password": proxy.text },
        "share_account": { "kind": "other", "user": "s", "password": share.text },
    });
    let done = scene.set(&all);
    assert_eq!(done.code, ORS_OK, "{done:?}");
    scene.look("after a set");
    sealed_is(&scene, [Some(&code), Some(&proxy), Some(&share)]);

    refused_sets(&mut scene);
    scene.look("after refused sets");

    let (second, third) = (scene.note(Canary::new("another proxy.password", 200)), scene.canary("another code"));
    for change in [
        json!({ "proxy": { "password": second.text } }),
        json!({ "proxy": { "password": second.text } }),
        json!({ "share_account": { "password": null } }),
        json!({ "verification_code": third.text, "language": "de" }),
        json!({ "language": "en" }),
    ] {
        assert_eq!(scene.set(&change).code, ORS_OK, "{change}");
    }
    scene.look("after a change and a clearing");
    sealed_is(&scene, [Some(&third), Some(&second), None]);

    panics(&mut scene);
    scene.look("after panics of the library's own thread");

    let done = scene.set(&json!({ "share_account": { "password": share.text } }));
    assert_eq!(done.code, ORS_OK, "{done:?}");
    scene.host.tell("close");
    let search = Search::new(&scene.canaries);
    scene.dump("after close", &search);
    scene.host.tell("look");
    let read_only = scene.canary("set on an agent that only reads");
    assert_eq!(scene.set(&json!({ "verification_code": read_only.text })).code, ORS_E_READ_ONLY);
    scene.look("opened read only");
    scene.host.tell("close");
    let closed = scene.canary("set on a closed handle");
    assert_eq!(scene.set(&json!({ "verification_code": closed.text })).code, ORS_E_CLOSED);

    scene.host.tell("open");
    let shown = settings(&mut scene);
    for member in ["/verification_code", "/proxy/password", "/share_account/password"] {
        assert_eq!(shown.pointer(member), Some(&json!({ "set": true })), "{member} after a restart");
    }
    scene.look("opened again");

    // Another process sets one: this one reads the settings anew.
    let other = scene.canary("set by another process");
    let folder = StateFolder::existing(&scene.place.state()).expect("the state folder");
    let json = json!({ "verification_code": other.text }).to_string();
    let changed = Settings::change(&folder, json.as_bytes(), "another process", 1, &Value::Null).expect("a set");
    let deadline = Instant::now() + Duration::from_secs(20);
    while settings(&mut scene)["revision"] != changed.revision {
        assert!(Instant::now() < deadline, "the other process's set is not seen");
        std::thread::sleep(Duration::from_millis(100));
    }
    scene.look("after another process's set");
    sealed_is(&scene, [Some(&other), Some(&second), Some(&share)]);

    let search = Search::new(&scene.canaries);
    // Where a library could leave something although nobody told it of the place.
    for folder in ["/tmp", "/var/tmp", "/dev/shm"] {
        for bytes in small_files_of(Path::new(folder), scene.began) {
            scene.report("at the end", folder, &search, &bytes, None);
        }
    }
    let Scene { host, canaries, dumps, harmed, place, .. } = scene;
    host.end();
    drop(place);
    println!("{} canaries, {:.1} s", canaries.len(), began.elapsed().as_secs_f64());
    table::row("a password looked for in memory, files, logs, answers, errors", canaries.len() as u64 * dumps, harmed);
}

/// What the host shows now.
fn settings(scene: &mut Scene) -> Value {
    scene.host.tell("ask");
    let said = scene.host.said();
    let line = said.lines().rev().find_map(|line| line.strip_prefix("settings "));
    serde_json::from_str(line.expect("the answer to ask")).expect("JSON")
}

/// The sealed file gives back what was set: verification code, proxy, share.
fn sealed_is(scene: &Scene, wanted: [Option<&Canary>; 3]) {
    let folder = StateFolder::existing(&scene.place.state()).expect("the state folder");
    let secrets = Settings::open_secrets(&folder).expect("settings");
    let found = [secrets.verification_code, secrets.proxy_password, secrets.share_password];
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!(found.as_ref().map(|secret| secret.expose()), wanted.map(|canary| canary.text.as_str()));
    }
}

fn refused_sets(scene: &mut Scene) {
    let cases: [(i32, &str); 22] = [
        // Another member is wrong, before it and after it.
        (ORS_E_ARGUMENT, r#"{"proxy":{"password":"CANARY","port":0}}"#),
        (ORS_E_ARGUMENT, r#"{"allow_assistance":1,"verification_code":"CANARY"}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":"CANARY","zzz":1}"#),
        (ORS_E_ARGUMENT, r#"{"share_account":{"password":"CANARY"},"unreachable_hours":0}"#),
        (ORS_E_STALE, r#"{"verification_code":"CANARY","revision":99}"#),
        (ORS_E_STALE, r#"{"verification_code":"CANARY","revision":0}"#),
        // In the wrong place or of the wrong kind.
        (ORS_E_ARGUMENT, r#"{"verification_code":["CANARY"]}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":{"set":"CANARY"}}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":{"set":true,"to":"CANARY"}}"#),
        (ORS_E_ARGUMENT, r#"{"password":"CANARY"}"#),
        (ORS_E_ARGUMENT, r#"{"proxy":"CANARY"}"#),
        (ORS_E_ARGUMENT, r#""CANARY""#),
        // Not JSON right after it.
        (ORS_E_ARGUMENT, r#"{"verification_code":"CANARY"x}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":"CANARY",}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":"CANARY"#),
        (ORS_E_ARGUMENT, r#"{"proxy":{"password":"CANARY","password":""}}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":"CANARY","unreachable_hours":1e}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":"CANARY\x"}"#),
        (ORS_E_ARGUMENT, r#"{"verification_code":"CANARY\ud800"}"#),
        // No text that a password may be.
        (ORS_E_TEXT, r#"{"verification_code":"CANARY\u0000"}"#),
        (ORS_E_TEXT, r#"{"verification_code":"CANARY\n"}"#),
        (ORS_E_TEXT, "{\"verification_code\":\"CANARY\0\"}"),
    ];
    for (code, json) in cases {
        scene.refused(code, json.as_bytes());
    }
    scene.refused(ORS_E_TEXT, b"{\"verification_code\":\"CANARY\xff\"}");
    scene.refused(ORS_E_TEXT, format!("{{\"verification_code\":\"CANARY{}\"}}", "x".repeat(200)).as_bytes());
    scene.refused(
        ORS_E_TEXT,
        format!("{{\"verification_code\":\"CANARY\",\"language\":\"{}\"}}", "x".repeat(70_000)).as_bytes(),
    );
    // Large sets that are taken: buffers of another size.
    let large = format!("{{\"verification_code\":\"CANARY\",\"runtime\":\"{}\",\"zzz\":1}}", "x".repeat(60_000));
    scene.refused(ORS_E_ARGUMENT, large.as_bytes());
}

/// The library's thread panics with a set in its hands, and while one waits for it.
fn panics(scene: &mut Scene) {
    let mut contained = 0;
    for looks_at_the_clock in 1..=3 {
        let canary = scene.canary(&format!("set at panic {looks_at_the_clock}"));
        scene.host.tell(&format!("fail {looks_at_the_clock}"));
        let done = scene.set(&json!({ "verification_code": canary.text }));
        assert!([ORS_OK, ORS_E_INTERNAL, ORS_E_TIMEOUT].contains(&done.code), "{done:?}");
        contained += u32::from(done.code == ORS_E_INTERNAL);
        // It starts anew after a pause; one that was told so late is done then.
        let deadline = Instant::now() + Duration::from_secs(30);
        while scene.set(&json!({ "language": "de" })).code != ORS_OK {
            assert!(Instant::now() < deadline, "the library does not come back");
        }
    }
    assert!(contained > 0, "no panic met a set");
    let third = scene.canary("set after the panics");
    assert_eq!(scene.set(&json!({ "verification_code": third.text })).code, ORS_OK);
}
