//! What a refresh must not do, measured: the numbers that the tests hold and the bench prints.

use std::fs;
use std::process::Command;

use super::rig::{Place, compile, output, shipped};

pub const CALLS: &str = "1000000";

/// The numbers that a host printed, in its order.
pub fn numbers<const N: usize>(text: &str) -> [f64; N] {
    let found: Option<Vec<f64>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
    found.and_then(|found| found.try_into().ok()).unwrap_or_else(|| panic!("not {N} numbers: {text:?}"))
}

/// Allocations of the calling thread.
pub struct Allocations {
    /// While it opened: not 0, or nothing is counted at all.
    pub opening: f64,
    /// In 1 M refreshes and 1 M log-ins.
    pub calls: f64,
}

pub fn allocations() -> Allocations {
    let place = Place::new();
    let counter = compile("tests/hosts/hot/count_allocations.c", "libcount_allocations.so");
    let host = compile("tests/hosts/hot/allocations.c", "allocations");
    let [opening, calls] = numbers(&output(place.host(host, &shipped()).env("LD_PRELOAD", counter)));
    Allocations { opening, calls }
}

/// Runs the host under strace and returns what strace wrote.
fn traced(place: &Place, strace_options: &[&str], open_flags: &str, calls: &str) -> String {
    let host = compile("tests/hosts/hot/system_calls.c", &format!("system_calls_{open_flags}_{calls}"));
    let trace = place.state().with_extension("trace");
    let mut strace = Command::new("strace");
    strace.args(strace_options).arg("-o").arg(&trace);
    strace.arg(host).arg(shipped()).arg(place.state()).arg(place.licences()).arg(place.keys());
    output(strace.args([open_flags, calls]));
    fs::read_to_string(trace).expect("what strace wrote")
}

/// The system calls of the refreshing thread between the host's two marks, while the agent's own threads go on with theirs.
pub fn system_calls_between_the_marks() -> Vec<String> {
    let trace = traced(&Place::new(), &["-f"], "0", CALLS);
    // "TID call(...) = result", one a line; a call that was interrupted by another thread's line ends on a "<... resumed>" one.
    let lines: Vec<(&str, &str)> = trace.lines().filter_map(|line| line.split_once(' ')).collect();
    let mark = |text: &str| {
        let text = format!("\"{text}\"");
        let found: Vec<usize> = (0..lines.len()).filter(|index| lines[*index].1.contains(&text)).collect();
        assert_eq!(found.len(), 1, "the mark {text} is in the trace once");
        found[0]
    };
    let (begin, end) = (mark("refreshes begin"), mark("refreshes end"));
    let of_the_caller = lines[begin + 1..end].iter().filter(|(thread, _)| *thread == lines[begin].0);
    of_the_caller.map(|(_, call)| call.trim().to_owned()).filter(|call| !call.starts_with("<...")).collect()
}

/// What `strace -c` counts for a whole process that opens read only, refreshes `calls` times, and ends.
pub fn system_calls_in_all(calls: &str) -> i64 {
    let place = Place::new();
    // Opened by a real agent before, so that there is a state folder.
    traced(&place, &["-f", "-c"], "0", "0");
    let table = traced(&place, &["-f", "-c"], "1", calls);
    // "100.00 seconds usecs/call calls [errors] total"
    let total = table.lines().find(|line| line.ends_with(" total")).and_then(|line| line.split_whitespace().nth(3));
    total.and_then(|calls| calls.parse().ok()).unwrap_or_else(|| panic!("no total in {table}"))
}

/// Milliseconds from the end of copying a licence into the folder until `ors_notify_status` shows it, ten times.
pub fn dropped_until_seen() -> [f64; 10] {
    let place = Place::new();
    let arrivals = place.arrivals(11);
    let host = compile("tests/hosts/hot/dropped.c", "dropped");
    numbers(&output(place.host(host, &shipped()).arg(arrivals).args(["2", "11"])))
}

/// Resident memory in KiB while 1,000 licences arrive and one thread refreshes.
pub struct Growth {
    pub before: f64,
    pub after: f64,
    pub refreshes: f64,
    #[allow(dead_code, reason = "a promise of the host, which the test checks and the bench does not")]
    /// How many of the thousand came by the licence folder, the others by `ors_install_licence`.
    pub by_folder: f64,
}

/// The first hundred licences are not counted: they take every path twice, so that code pages and buffers are there.
pub fn growth() -> Growth {
    let place = Place::new();
    let arrivals = place.arrivals(1100);
    let host = compile("tests/hosts/hot/arrivals.c", "arrivals");
    let printed = output(place.host(host, &shipped()).arg(arrivals).args(["100", "1100", CALLS]));
    let [before, after, refreshes, by_folder] = numbers(&printed);
    Growth { before, after, refreshes, by_folder }
}
