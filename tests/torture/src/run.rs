//! One run: the threads, the watch over them, and what has to be so when they are done.

use crate::calls::name_of;
use crate::codes::name;
use crate::exports::Exports;
use crate::handles::{Handle, locked};
use crate::sites::{KINDS, Kind, Site, users};
use crate::support::text;
use crate::thread::{Progress, Thread, World};
use ors::ffi::*;
use std::ffi::CString;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

pub struct Run {
    pub exports: Exports,
    pub seed: u64,
    pub threads: u64,
    pub calls: u64,
}

/// What came of it.
pub struct Report {
    pub calls: u64,
    pub harmed: u64,
    /// The first of what was harmed, in words.
    pub told: Vec<String>,
    /// Functions with the codes that they returned, and how often.
    pub table: String,
    pub took: Duration,
}

/// A thread that is in one call for so long hangs.
const HANGS: Duration = Duration::from_secs(120);
/// A busy machine may take so long to do what is done in a moment.
const BUSY: Duration = Duration::from_secs(30);

impl Run {
    pub fn go(&self) -> Report {
        let began = Instant::now();
        let world = World::new(self.exports, self.seed);
        let first = open(&world, world.site(Kind::Licensed));
        until_in_use(&world, first, crate::sites::FIRST);
        world.handles.add(Arc::new(Handle::new(first, false, Kind::Licensed)));
        self.threads(&world);
        for handle in world.handles.take_all() {
            // SAFETY: no pointers.
            let code = unsafe { (self.exports.ors_close)(handle.value, ORS_DEFAULT_WAIT) };
            if ![ORS_OK, ORS_E_TIMEOUT].contains(&code) {
                world.harm.tell(format!("at the end ors_close({:#x}) gave {}", handle.value, name(code)));
            }
        }
        at_the_end(&world);
        let table = locked(&world.tally);
        let table: Vec<String> = table
            .iter()
            .map(|((function, code), times)| format!("{function:<20} {:<17} {times:>9}", name(*code)))
            .collect();
        Report {
            calls: self.calls,
            harmed: world.harm.count(),
            told: world.harm.told(),
            table: table.join("\n"),
            took: began.elapsed(),
        }
    }

    fn threads(&self, world: &World) {
        let made = AtomicU64::new(0);
        let done = AtomicBool::new(false);
        let progress: Vec<Progress> = (0..self.threads).map(|_| Progress::default()).collect();
        std::thread::scope(|scope| {
            let threads: Vec<_> = progress
                .iter()
                .zip(0..)
                .map(|(progress, number)| {
                    let made = &made;
                    scope.spawn(move || Thread::new(world, progress, number).run(made, self.calls))
                })
                .collect();
            scope.spawn(|| watch(&progress, &done));
            let ended: Vec<_> = threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            done.store(true, SeqCst);
            // A panic is a defect of this program.
            ended.into_iter().for_each(|ended| ended.expect("no thread panics"));
        });
    }
}

/// Ends the process when a call hangs, and says which.
fn watch(progress: &[Progress], done: &AtomicBool) {
    let mut last: Vec<(u64, Instant)> = progress.iter().map(|_| (u64::MAX, Instant::now())).collect();
    while !done.load(SeqCst) {
        std::thread::sleep(Duration::from_millis(50));
        for (number, (progress, last)) in progress.iter().zip(&mut last).enumerate() {
            let (calls, inside) = (progress.calls.load(SeqCst), progress.inside.load(SeqCst));
            if calls != last.0 || inside == 0 {
                *last = (calls, Instant::now());
            } else if last.1.elapsed() > HANGS {
                eprintln!("harm: thread {number} hangs in {}, its call {calls}", name_of(inside - 1));
                std::process::exit(3);
            }
        }
    }
}

fn open(world: &World, site: &Site) -> ors_agent {
    let options = site.place.options();
    let c = |text: &str| CString::new(text).expect("no NUL inside");
    let (state, licences) = (c(&text(&site.place.state())), c(&text(&site.place.licences())));
    let (product, keys) = (c(&options.product), c(&options.trusted_keys));
    let given = ors_options {
        struct_size: size_of::<ors_options>() as u32,
        flags: 0,
        state_folder: state.as_ptr(),
        product: product.as_ptr(),
        trusted_keys: keys.as_ptr(),
        licence_folder: licences.as_ptr(),
        office_url: null(),
        office_ca_file: null(),
        commands: null(),
    };
    let mut agent = 0;
    let began = Instant::now();
    loop {
        // SAFETY: structs and texts of this function.
        match unsafe { (world.exports.ors_open)(&given, &mut agent, null_mut()) } {
            ORS_OK => return agent,
            ORS_E_TIMEOUT if began.elapsed() < BUSY => {}
            code => panic!("ors_open at the beginning or end: {}", name(code)),
        }
    }
}

fn licence(world: &World, agent: ors_agent) -> ors_licence_status {
    // SAFETY: a plain struct of numbers.
    let mut status: ors_licence_status = unsafe { std::mem::zeroed() };
    status.struct_size = size_of::<ors_licence_status>() as u32;
    // SAFETY: a struct of that size.
    let code = unsafe { (world.exports.ors_check_licence)(agent, &mut status) };
    assert_eq!(code, ORS_OK, "an open handle");
    status
}

fn until_in_use(world: &World, agent: ors_agent, sequence: u64) -> bool {
    let began = Instant::now();
    loop {
        let status = licence(world, agent);
        if status.state == ORS_LICENCE_VALID && status.sequence >= sequence {
            return true;
        }
        if began.elapsed() > BUSY {
            return false;
        }
        // SAFETY: no pointer that is not NULL. What it returns is not needed: the status is looked at again.
        unsafe { (world.exports.ors_wait)(agent, status.revision, 100, null_mut()) };
    }
}

/// Nothing that was acknowledged is lost, nothing is left behind, and all is well.
fn at_the_end(world: &World) {
    let began = Instant::now();
    while let Some(thread) = a_thread_of_the_library() {
        if began.elapsed() > BUSY {
            world.harm.tell(format!("{thread} is left after all handles were closed"));
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let site = world.site(Kind::Licensed);
    let agent = open(world, site);
    let (first, acknowledged) = (licence(world, agent), site.acknowledged.load(SeqCst));
    if first.state != ORS_LICENCE_VALID {
        world.harm.tell(format!("the first answer after the end: state {}", first.state));
    }
    if !until_in_use(world, agent, acknowledged) {
        let now = licence(world, agent).sequence;
        world.harm.tell(format!("licence {acknowledged} was acknowledged, and {now} is in use"));
    }
    let now = licence(world, agent);
    if now.users != users(now.sequence) {
        world.harm.tell(format!("licence {} with {} users", now.sequence, now.users));
    }
    // SAFETY: no pointers.
    let code = unsafe { (world.exports.ors_close)(agent, ORS_DEFAULT_WAIT) };
    if code != ORS_OK {
        world.harm.tell(format!("the last ors_close gave {}", name(code)));
    }
    for kind in KINDS {
        let place = &world.site(kind).place;
        if !place.state().exists() {
            continue;
        }
        match ors::store::verify_journal(&place.state()) {
            Ok(report) if report.problems.is_empty() => {}
            Ok(report) => world.harm.tell(format!("{kind:?}: {report}")),
            Err(error) => world.harm.tell(format!("{kind:?}: {error}")),
        }
        for folder in [place.state(), place.licences()] {
            temporary(&folder).into_iter().for_each(|name| world.harm.tell(format!("{kind:?}: {name} is left")));
        }
    }
}

/// Temporary files of the library. Those of the licensed installation's last leader are gone with it; nobody was killed here.
fn temporary(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".ors-")).collect()
}

fn a_thread_of_the_library() -> Option<String> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.find(|name| name.starts_with("ors-")).map(|name| name.trim().to_owned())
}
