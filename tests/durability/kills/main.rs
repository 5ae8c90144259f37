//! Hosts on the shipped file that are killed, and whose system calls fail, at every moment of their work. Whatever was acknowledged
//! to them is there afterwards, nothing is torn, and all is well again with nobody doing anything.
//!
//! [`known`] is what is looked at after each of them; [`random`] kills at random, [`calls`] at every system call.
//! `cargo test --test kills`; `ORS_SHIPPED=/a/folder` looks at the libors.so in it. A line `seed N` of a kill at random is replayed with
//! `ORS_KILL_SEED=N`.
#![cfg(target_os = "linux")]

mod calls;
mod host;
mod known;
#[path = "../../hosts/hot/licences.rs"]
mod licences;
mod moments;
mod place;
mod random;
#[allow(dead_code, reason = "each test binary uses its own part")]
#[path = "../../hosts/hot/rig.rs"]
mod rig;
mod strace;
#[path = "../../support/table.rs"]
mod table;

use calls::{Before, Work};
use place::Place;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use strace::Harm;

/// Hosts that are harmed side by side: mostly they wait.
const LANES: u64 = 3;

/// Does all jobs, a few at a time. Counts those that were tried and those that did harm, and tells of the harm.
fn side_by_side<J: Sync>(
    lanes: u64,
    jobs: &[J],
    try_out: impl Fn(&J) -> Option<Result<(), String>> + Sync,
) -> (u64, u64) {
    let (next, tried, harmed) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, SeqCst)) {
                    let Some(outcome) = try_out(job) else { continue };
                    tried.fetch_add(1, SeqCst);
                    if let Err(harm) = outcome {
                        println!("HARM {harm}");
                        harmed.fetch_add(1, SeqCst);
                    }
                }
            });
        }
    });
    (tried.into_inner(), harmed.into_inner())
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged() {
    let began = Instant::now();
    let replayed = std::env::var("ORS_KILL_SEED").ok().map(|seed| seed.parse::<u64>().expect("a number"));
    let sites = if replayed.is_some() { 1 } else { table::count(2_000, 10_000).div_ceil(random::CYCLES) };
    let first =
        replayed.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_micros() as u64);
    println!("seeds {first} to {}", first + sites - 1);
    let seeds: Vec<u64> = (first..first + sites).collect();
    let (_, harmed) = side_by_side(LANES, &seeds, |seed| {
        let place = Place::new();
        let outcome = random::kill_again_and_again(&place, *seed, random::CYCLES);
        Some(outcome.map_err(|harm| format!("seed {seed}: {harm}\nthe folders are kept: {}", place.keep().display())))
    });
    let tried = sites * random::CYCLES;
    let seconds = began.elapsed().as_secs_f64();
    println!("{tried} kills, {seconds:.1} s, {:.0} kills/s", tried as f64 / seconds);
    table::row("kill -9 at a random moment of installs, settings, acknowledgements, starts", tried, harmed);
}

/// Of what is tried at every call, `tests/run` does one in so many; all of it where that matters most.
const ONE_IN: u64 = 8;

#[test]
fn a_kill_or_an_error_at_any_system_call_loses_nothing_acknowledged() {
    let mut rows = Vec::new();
    for work in Work::ALL {
        let began = Instant::now();
        let before = Before::new(work);
        let list = before.list();
        let (calls, durable) = calls::count(&list);
        let all = calls::injections(&list);
        let (kills, errors): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, one)| one.harm == Harm::Kill);
        for (what, jobs) in [("killed", kills), ("failing once or for ever", errors)] {
            let chosen = calls::some(&jobs, &list, table::count(ONE_IN, 1));
            let (tried, harmed) = side_by_side(LANES, &chosen, |(thread, injection)| {
                // A call may come in another place this time: once more.
                let outcome = before.try_out(thread, injection).or_else(|| before.try_out(thread, injection))?;
                Some(outcome.map_err(|harm| format!("{work:?}, {thread} {injection:?}: {harm}")))
            });
            println!(
                "{work:?}: {calls} calls, {durable} of them durable; {what}: {} of {} tried, {} did not come, {:.1} s",
                chosen.len(),
                jobs.len(),
                chosen.len() as u64 - tried,
                began.elapsed().as_secs_f64()
            );
            rows.push((format!("system calls of {}, {what}", work.name()), tried, harmed));
        }
    }
    rows.iter().for_each(|(fault, tried, harmed)| table::row(fault, *tried, *harmed));
}

#[test]
fn a_fault_in_the_recovery_from_a_fault_loses_nothing_acknowledged() {
    let began = Instant::now();
    let (tried, harmed) = (AtomicU64::new(0), AtomicU64::new(0));
    for work in [Work::Install, Work::Changes, Work::FirstStart] {
        let before = Before::new(work);
        let first = calls::injections(&before.list());
        let first: Vec<_> = first.into_iter().filter(|(_, one)| one.harm == Harm::Kill).collect();
        let second = calls::injections(&Before::new(Work::StartWithUpload).list());
        let jobs = calls::pairs(&first, &second, table::count(60, 3_000));
        let (some, harm) = side_by_side(LANES, &jobs, |(thread, one, two)| {
            let outcome = before.try_out_twice(thread, one, two)?;
            Some(outcome.map_err(|harm| format!("{work:?}, {thread} {one:?}, then {two:?}: {harm}")))
        });
        tried.fetch_add(some, SeqCst);
        harmed.fetch_add(harm, SeqCst);
    }
    let (tried, harmed) = (tried.into_inner(), harmed.into_inner());
    println!("{tried} faults in a recovery, {:.1} s", began.elapsed().as_secs_f64());
    table::row("a fault during the recovery from a kill at any system call", tried, harmed);
}

#[test]
fn a_process_in_which_a_call_fails_once_makes_it_good_by_itself() {
    // They wait for a tick, or for a minute.
    const AT_ONCE: u64 = 12;
    let began = Instant::now();
    let (mut tried, mut harmed) = (0, 0);
    for work in [Work::Install, Work::Changes] {
        let before = Before::new(work);
        let list = before.list();
        let once = |job: &calls::Harmful| job.1.harm == Harm::Once("EIO") && calls::changes_something(&list, job);
        let all: Vec<_> = calls::injections(&list).into_iter().filter(once).collect();
        let jobs = calls::some(&all, &list, table::count(12, 1));
        let (some, harm) = side_by_side(AT_ONCE, &jobs, |(thread, injection)| {
            let outcome = before.heals(thread, injection)?;
            Some(outcome.map_err(|harm| format!("{work:?}, {thread} {injection:?}: {harm}")))
        });
        (tried, harmed) = (tried + some, harmed + harm);
    }
    println!("{tried} calls made good, {:.1} s", began.elapsed().as_secs_f64());
    table::row("a call that fails once, made good by the same process", tried, harmed);
}
