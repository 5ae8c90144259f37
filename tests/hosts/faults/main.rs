//! The machine breaks around a C host that has the shipped library loaded: pages are answered as before, no call hangs, nothing
//! crashes, and all is well again when the fault is gone. `cargo test --test faults`, as root on Linux; needs bindfs.
//! `ORS_SHIPPED=/a/folder` takes the libors.so in it instead of the shipped one.
#![cfg(target_os = "linux")]

mod fault;
mod host;
#[path = "../hot/licences.rs"]
mod licences;
mod place;
#[path = "../hot/rig.rs"]
#[allow(dead_code, reason = "shared with the measuring hosts")]
mod rig;
#[path = "../../support/table.rs"]
mod table;

use fault::Fault;
use host::Host;
use place::{Folders, Place};
use std::time::{Duration, Instant};

/// `ORS_LICENCE_VALID`, as `ors.h` numbers it, and as a bit of the states that were seen.
const VALID: u32 = 1;
const ONLY_VALID: u32 = 1 << VALID;
const OK: i32 = 0;
const E_TIMEOUT: i32 = -8;

/// The promise of a hot call: p99.9 and the worst, in microseconds.
const P999: i64 = 5_000;
const WORST: i64 = 50_000;
/// `ors_close` and other cold calls: 2 s, and as much as a computer that does something else as well takes for the steps in between.
const COLD: Duration = Duration::from_millis(2_000 + 1_500);
/// How soon everything has to work again. The longest wait of the library by itself is the minute after which it tries again to
/// install what a person could copy.
const HEALED: Duration = Duration::from_secs(75);

/// What a fault leaves of an agent, beyond what holds for each.
#[derive(Clone, Copy)]
struct Expected {
    /// States of the licence that pages may show meanwhile.
    states: u32,
    /// Whether an agent can be opened meanwhile, if that is certain.
    opens: Option<bool>,
}

const USUAL: Expected = Expected { states: ONLY_VALID, opens: None };

/// Runs a host under the fault twice: refreshing and changing things, then closing and opening. One row of the table.
fn hold(what: &str, folders: Folders, fault: &dyn Fault, expected: Expected) {
    let began = Instant::now();
    let place = Place::new(folders);
    let mut host = Host::start(&place);
    let mut harm: Vec<String> = Vec::new();
    let mut wrong = |text: String| harm.push(text);

    // A first run without the fault: what is wrong there is not the fault's.
    assert_eq!(host.open().0, OK, "{what}: opens");
    assert!(host.until_healthy(&place, Duration::from_secs(30)), "{what}: healthy before the fault");

    host.begin();
    fault.begin(&place, &mut host);
    let lasts = Duration::from_secs(table::count(3, 20));
    fault.last(&place, &mut host, lasts);
    let seen = host.end();
    fault.end(&place, &mut host);
    println!("{what}: {seen:?}");
    if seen.p999 >= P999 {
        wrong(format!("p99.9 of the hot calls: {} us", seen.p999));
    }
    if seen.worst >= WORST {
        wrong(format!("the worst of the hot calls, {}: {} us", seen.worst_name, seen.worst));
    }
    if seen.states & !expected.states != 0 {
        wrong(format!("licence states seen, as bits: {:b}", seen.states));
    }
    seen.complaints.iter().for_each(|complaint| wrong(complaint.clone()));
    assert!(seen.hot > 1_000 && seen.cold > 0, "{what}: measured {seen:?}");
    let gone = Instant::now();
    if !host.until_healthy(&place, HEALED) {
        wrong("it is not healthy again".to_owned());
    }
    let healed = gone.elapsed();

    fault.begin(&place, &mut host);
    fault.last(&place, &mut host, Duration::from_millis(300));
    // From outside, too: the measure that the host takes is of itself.
    for round in 0..4 {
        let (code, took) = host.close();
        if ![OK, E_TIMEOUT].contains(&code) || took > COLD {
            wrong(format!("ors_close {round}: {code} after {took:?}"));
        }
        if round == 3 {
            break;
        }
        let (code, took) = host.open();
        if took > COLD || expected.opens.is_some_and(|opens| opens != (code == OK)) {
            wrong(format!("ors_open {round}: {code} after {took:?}"));
        }
        if code != OK {
            break;
        }
    }
    // A host that is told "not yet" comes again, and again.
    for round in 0..2 {
        let (code, took) = host.open();
        if took > COLD {
            wrong(format!("ors_open again, {round}: {code} after {took:?}"));
        }
        if code == OK {
            host.close();
        }
    }
    let stuck = host.threads_after(Duration::from_secs(3), 1);
    if stuck > 1 {
        wrong(format!("{stuck} threads are stuck"));
    }
    fault.end(&place, &mut host);
    let opens = Instant::now();
    let mut code = host.open().0;
    while code != OK && opens.elapsed() < HEALED {
        std::thread::sleep(Duration::from_millis(100));
        code = host.open().0;
    }
    if code != OK || !host.until_healthy(&place, HEALED) {
        wrong(format!("it is not healthy after opening again: {code}"));
    }
    if host.close().0 != OK || host.threads_after(Duration::from_secs(10), 0) != 0 {
        wrong("threads stay after the last close".to_owned());
    }
    if let Err(why) = host.finish() {
        wrong(why);
    }
    println!("{what}: healed after {healed:?}, all in {:?}; {harm:?}", began.elapsed());
    let tried = u64::from(seen.hot + seen.cold);
    if !harm.is_empty() {
        eprintln!("{what}:\n  {}", harm.join("\n  "));
    }
    table::row(&format!("C host: {what}"), tried, harm.len() as u64);
}

#[test]
fn a_full_disk_harms_no_host() {
    hold("full disk", Folders::Both, &fault::Full, USUAL);
}

#[test]
fn a_disk_without_inodes_harms_no_host() {
    hold("no inodes left", Folders::Both, &fault::NoInodes, USUAL);
}

#[test]
fn a_read_only_file_system_harms_no_host() {
    hold("file system read-only", Folders::Both, &fault::ReadOnly, USUAL);
}

#[test]
fn folders_without_rights_harm_no_host() {
    hold("no rights to either folder", Folders::Both, &fault::NoRights, USUAL);
}

#[test]
fn a_frozen_state_folder_harms_no_host() {
    let expected = Expected { opens: Some(false), ..USUAL };
    hold("state folder frozen (FUSE stopped)", Folders::StateApart, &fault::Frozen, expected);
}

#[test]
fn a_frozen_licence_folder_harms_no_host() {
    let expected = Expected { opens: Some(true), ..USUAL };
    hold("licence folder frozen (FUSE stopped)", Folders::LicencesApart, &fault::Frozen, expected);
}

#[test]
fn folders_that_vanish_harm_no_host() {
    hold("both folders vanish", Folders::Both, &fault::Gone, USUAL);
}

#[test]
fn a_process_without_descriptors_is_not_harmed() {
    hold("no file descriptor left (EMFILE)", Folders::Both, &fault::NoFiles, USUAL);
}

#[test]
fn a_process_that_gets_no_more_threads_is_not_harmed() {
    let expected = Expected { opens: Some(false), ..USUAL };
    hold("no more threads (RLIMIT_NPROC)", Folders::Both, &fault::NoThreads, expected);
}

/// The clock decides what a dated licence is worth: any state is right that the next answer after the clock is right takes back.
const ANY_STATE: Expected = Expected { states: u32::MAX, opens: Some(true) };
const YEAR: i64 = 31_557_600;

#[test]
fn a_clock_at_1970_harms_no_host() {
    hold("clock at 1970", Folders::Both, &fault::Clock::at(0), ANY_STATE);
}

#[test]
fn a_clock_that_goes_past_2038_harms_no_host() {
    // Two seconds before the end of a signed 32-bit time.
    hold("clock at 2038", Folders::Both, &fault::Clock::at((1 << 31) - 2), ANY_STATE);
}

#[test]
fn a_clock_ten_years_behind_or_ahead_harms_no_host() {
    hold("clock ten years behind", Folders::Both, &fault::Clock::by(-10 * YEAR), ANY_STATE);
    hold("clock ten years ahead", Folders::Both, &fault::Clock::by(10 * YEAR), ANY_STATE);
}

#[test]
fn a_clock_that_is_moved_again_and_again_harms_no_host() {
    hold("clock moved by ten years, 20 times a second", Folders::Both, &fault::MovingClock, ANY_STATE);
}

#[test]
fn a_process_that_is_stopped_and_goes_on_is_not_harmed() {
    hold("SIGSTOP and SIGCONT", Folders::Both, &fault::Paused, USUAL);
}

#[test]
fn busy_cores_harm_no_host() {
    hold("every core busy", Folders::Both, &fault::Busy, USUAL);
}
