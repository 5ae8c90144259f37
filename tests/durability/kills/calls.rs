//! Every system call of an install, of changes and of a start: the process is killed there, or the call fails.
//!
//! The calls are listed first, of one run without harm. Then the work is done anew for each of them, on a copy of the same folders,
//! with strace attached after the library was loaded: what ld.so and the host do to get ready is not counted. A run in which the
//! call did not come is no run.

use super::host::{Done, Host, Order};
use super::known::{Fault, Known};
use super::place::Place;
use super::random::Random;
use super::strace::{Call, Harm, Injection, Scope, Strace, calls, injected, thread_named};
use ors::store::{StateFolder, handover};
use serde_json::json;
use std::time::{Duration, Instant};

/// What a disk, its file system and the kernel say when they cannot do what changes something.
pub const ERRORS: [&str; 12] =
    ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EBUSY", "EMFILE", "ENOENT", "EXDEV", "ENOMEM", "EINTR"];

/// Calls that change what is on the disk. `openat` is one where it makes a file.
const DURABLE: [&str; 21] = [
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "link",
    "linkat",
    "fchmod",
    "fchown",
    "flock",
    "creat",
];

/// Memory, and what threads are made of and wait by: the kernel does not fail these with an error of a disk, and the C library ends
/// the process when it does. A kill is tried at each of them all the same.
const NOT_OF_A_DISK: [&str; 20] = [
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "brk",
    "futex",
    "clone",
    "clone3",
    "set_robust_list",
    "rseq",
    "sigaltstack",
    "rt_sigprocmask",
    "rt_sigaction",
    "prctl",
    "gettid",
    "getpid",
    "sched_getaffinity",
    "restart_syscall",
    "sched_yield",
];

/// The host's own, by which it is given orders; and what no thread comes back from.
const NOT_OURS: [&str; 4] = ["recvfrom", "sendto", "exit", "exit_group"];

/// How long a host that was harmed may take for an order before the harness goes on.
const LIMIT: Duration = Duration::from_secs(10);

/// What failed is tried again each minute at the latest.
const HEALS_WITHIN: Duration = Duration::from_secs(75);

/// The work that is harmed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    Install,
    /// Settings with and without a secret, and an acknowledgement.
    Changes,
    Start,
    /// In a state folder that is not there yet.
    FirstStart,
    /// With an upload that waits: the next leader has to do all that an install takes.
    StartWithUpload,
}

impl Work {
    pub const ALL: [Work; 5] = [Work::Install, Work::Changes, Work::Start, Work::FirstStart, Work::StartWithUpload];

    /// In words, for the table.
    pub fn name(self) -> &'static str {
        match self {
            Work::Install => "an install",
            Work::Changes => "settings changes and an acknowledgement",
            Work::Start => "a start",
            Work::FirstStart => "the first start",
            Work::StartWithUpload => "a start with an upload that waits",
        }
    }

    fn orders(self) -> Vec<Order> {
        match self {
            Work::Install => vec![Order::Install(3), Order::Until(3), Order::Raised(3)],
            Work::Changes => vec![
                Order::Set(json!({ "language": "fr", "proxy": { "password": "another" } })),
                Order::Set(json!({ "unreachable_hours": 7 })),
                Order::Acknowledge(2),
            ],
            Work::Start | Work::FirstStart => vec![Order::Open, Order::Wait(10)],
            Work::StartWithUpload => vec![Order::Open, Order::Until(3), Order::Raised(3)],
        }
    }

    /// The threads that do it: each is traced alone, but for those that the work itself begins.
    fn threads(self) -> &'static [&'static str] {
        match self {
            Work::Install => &["ors-agent", "ors-folder"],
            Work::Changes => &["ors-agent"],
            Work::Start | Work::FirstStart | Work::StartWithUpload => &[""],
        }
    }
}

/// The folders before the work, and what is known of them.
pub struct Before {
    pub work: Work,
    place: Place,
    known: Known,
}

impl Before {
    pub fn new(work: Work) -> Before {
        let place = Place::new();
        let mut known = Known::new();
        if work != Work::FirstStart {
            let orders = [
                Order::Open,
                Order::Set(json!({ "language": "de", "proxy": { "password": "one", "port": 1 } })),
                Order::Install(2),
                Order::Until(2),
                Order::Raised(2),
            ];
            let mut host = Host::start(&place);
            let answers: Vec<Done> = orders.iter().map_while(|order| host.order(&place, order)).collect();
            known.take(&orders, &answers);
            drop(host);
            known.check(&place, Fault::Kills).expect("nothing was harmed yet");
        }
        if work == Work::StartWithUpload {
            let state = StateFolder::existing(&place.state()).expect("the state folder");
            handover::put_upload(&state, &place.vendor.licence(3), "a user").expect("an upload");
            known.take(&[Order::Install(3)], &[Done::default()]);
        }
        Before { work, place, known }
    }

    /// The calls of the work without harm, thread by thread.
    pub fn list(&self) -> Vec<(&'static str, Vec<Call>)> {
        let list = |thread: &&'static str| {
            let (mut run, strace) = Run::begin(self, thread, None);
            run.work();
            assert!(run.answers.iter().all(|answer| answer.code == 0), "the work: {:?}", run.answers);
            let scope = strace.scope();
            run.end();
            let found = calls(&strace.end(), scope);
            let ours = found.into_iter().filter(|call| !NOT_OURS.contains(&call.name.as_str()));
            (*thread, ours.collect())
        };
        self.work.threads().iter().map(list).collect()
    }

    /// Does the work with harm, then looks whether all is well again. `None`: the call did not come.
    pub fn try_out(&self, thread: &str, injection: &Injection) -> Option<Result<(), String>> {
        let (run, hit) = self.harm(thread, injection);
        hit.then(|| run.check(injection.harm))
    }

    /// Does the work with harm, and goes on: the same process makes it good.
    pub fn heals(&self, thread: &str, injection: &Injection) -> Option<Result<(), String>> {
        let (mut run, strace) = Run::begin(self, thread, Some(injection));
        run.work();
        run.known.take(&run.orders, &run.answers);
        let mut host = run.host.take().expect("a host");
        let outcome = run.known.check_again(&run.place, &mut host, Fault::Errors, HEALS_WITHIN);
        drop(host);
        injected(&strace.end()).then(|| run.kept(outcome))
    }

    fn harm(&self, thread: &str, injection: &Injection) -> (Run, bool) {
        let (mut run, strace) = Run::begin(self, thread, Some(injection));
        run.work();
        let killed = injection.harm == Harm::Kill && run.host.as_mut().is_some_and(Host::dies);
        run.end();
        let log = strace.end();
        let hit = if injection.harm == Harm::Kill { killed } else { injected(&log) };
        (run, hit)
    }

    /// Does the work with harm, starts again with the first of some harms that comes, then looks whether all is well again.
    pub fn try_out_twice(&self, thread: &str, first: &Injection, second: &[Injection]) -> Option<Result<(), String>> {
        let (run, hit) = self.harm(thread, first);
        let again = Before { work: Work::Start, place: run.place, known: run.known };
        let mut runs = second.iter().filter(|_| hit).map(|second| again.harm("", second));
        let (run, _) = runs.find(|(_, hit)| *hit)?;
        Some(run.check(Harm::ForEver("")))
    }
}

/// The work, done once on folders of its own.
struct Run {
    place: Place,
    known: Known,
    orders: Vec<Order>,
    answers: Vec<Done>,
    host: Option<Host>,
}

impl Run {
    fn begin(before: &Before, thread: &str, injection: Option<&Injection>) -> (Run, Strace) {
        let place = Place::like(&before.place);
        let mut host = Host::start(&place);
        // The library is loaded, and nothing of it has run.
        // What was harmed may not come; what was not takes its time on a busy machine.
        let patience = if injection.is_some() { 250 } else { 10_000 };
        let ready = host.order(&place, &Order::Patience(patience)).expect("a host that is ready");
        assert_eq!(ready.code, 0);
        let (traced, scope) = match thread {
            "" => (host.id(), Scope::Process),
            name => {
                let opened = host.order(&place, &Order::Open).expect("an answer");
                assert_eq!(opened.code, 0, "{}", opened.error);
                host.order(&place, &Order::Until(2)).expect("an answer");
                until_it_rests(&place, &mut host);
                (thread_named(host.id(), name).expect("the thread"), Scope::Thread)
            }
        };
        let strace = Strace::attach(traced, scope, &[], injection, place.path().join("trace"));
        let known = before.known.clone();
        (Run { place, known, orders: before.work.orders(), answers: Vec::new(), host: Some(host) }, strace)
    }

    /// One order after the other, until the host is dead or an answer makes the rest pointless.
    fn work(&mut self) {
        let Some(host) = &mut self.host else { return };
        let orders = std::mem::take(&mut self.orders);
        for order in orders {
            let wait = matches!(order, Order::Until(_) | Order::Raised(_));
            if wait && self.answers.last().is_some_and(|answer| answer.code != 0) {
                break;
            }
            host.tell(&self.place, &order);
            self.orders.push(order);
            match host.answer(LIMIT) {
                Some(answer) => self.answers.push(answer),
                None => break,
            }
        }
    }

    fn end(&mut self) {
        if let Some(host) = self.host.take() {
            self.answers.extend(host.kill());
        }
        self.known.take(&self.orders, &self.answers);
    }

    fn check(mut self, harm: Harm) -> Result<(), String> {
        let fault = if harm == Harm::Kill { Fault::Kills } else { Fault::Errors };
        let outcome = self.known.check(&self.place, fault);
        self.kept(outcome)
    }

    fn kept(self, outcome: Result<(), String>) -> Result<(), String> {
        outcome.map_err(|harm| format!("{harm}\nthe folders are kept: {}", self.place.keep().display()))
    }
}

/// What the leader does by itself after an opening is done: it took note of the licence in the folder, and cleared that.
fn until_it_rests(place: &Place, host: &mut Host) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let asked = host.order(place, &Order::Ask).expect("an answer");
        let diagnostics = &asked.told["diagnostics"];
        if diagnostics["installed"]["source"] == "folder" && diagnostics["role"] == "leader" {
            return;
        }
        assert!(Instant::now() < deadline, "it does not rest: {diagnostics:#}");
        host.order(place, &Order::Wait(5));
    }
}

/// Calls by the thread that made them.
pub type List = [(&'static str, Vec<Call>)];

/// What is done to which thread.
pub type Harmful = (&'static str, Injection);

/// What is tried at the calls of a list: thread and injection.
pub fn injections(list: &List) -> Vec<Harmful> {
    let mut found: Vec<Harmful> = Vec::new();
    for (thread, calls) in list {
        for call in calls {
            let new = |harm| (*thread, Injection { call: call.name.clone(), at: call.at, harm });
            let durable = is_durable(call);
            let mut harms = vec![Harm::Kill];
            if durable {
                let pairs = ERRORS.iter().map(|error| [Harm::Once(error), Harm::ForEver(error)]);
                harms.extend(pairs.flatten().filter(|harm| may_fail(call, *harm)));
            } else if !NOT_OF_A_DISK.contains(&call.name.as_str()) {
                harms.push(Harm::Once("EIO"));
            }
            // Of a process that is traced whole, calls of two threads may have the same name and number.
            harms.into_iter().map(new).for_each(|one| {
                if !found.contains(&one) {
                    found.push(one);
                }
            });
        }
    }
    found
}

pub fn is_durable(call: &Call) -> bool {
    DURABLE.contains(&call.name.as_str()) || (call.name == "openat" && call.text.contains("O_CREAT"))
}

/// A call that is interrupted for ever is one that hangs: the standard library repeats it for as long. That is tried once for each name.
fn may_fail(call: &Call, harm: Harm) -> bool {
    harm != Harm::ForEver("EINTR") || call.at == 1
}

/// How many calls there are, and how many of them change something on the disk.
pub fn count(list: &List) -> (usize, usize) {
    let calls = || list.iter().flat_map(|(_, calls)| calls);
    (calls().count(), calls().filter(|call| is_durable(call)).count())
}

/// Whether it is at a call that changes something on the disk.
pub fn changes_something(list: &List, (thread, one): &Harmful) -> bool {
    let calls = list.iter().filter(|(of, _)| of == thread).flat_map(|(_, calls)| calls);
    calls.filter(|call| call.name == one.call && call.at == one.at).any(is_durable)
}

/// One in `one_in`, evenly; but every kill at a call that changes something.
pub fn some(jobs: &[Harmful], list: &List, one_in: u64) -> Vec<Harmful> {
    let matters = |job: &Harmful| job.1.harm == Harm::Kill && changes_something(list, job);
    let chosen = jobs.iter().enumerate().filter(|(index, job)| (*index as u64).is_multiple_of(one_in) || matters(job));
    chosen.map(|(_, job)| job.clone()).collect()
}

/// A first fault, and some second ones of which one will come.
pub type Pair = (&'static str, Injection, Vec<Injection>);

/// So many pairs of a first and a second fault, spread over all of them and the same in every run.
pub fn pairs(first: &[Harmful], second: &[Harmful], most: u64) -> Vec<Pair> {
    const CANDIDATES: u64 = 4;
    let mut random = Random::new(most);
    let pair = |index: u64| {
        let (thread, one) = &first[(index * first.len() as u64 / most) as usize];
        let two = (0..CANDIDATES).map(|_| second[random.below(second.len() as u64) as usize].1.clone());
        (*thread, one.clone(), two.collect())
    };
    (0..most).map(pair).collect()
}
