//! A host that forks: the child forgets the runtime that it inherited, and harms nobody.

use crate::alone::alone;
use crate::child::Process;
use crate::sharing::other_options;
use crate::support::Site;
use crate::support::host::Host;
use crate::{role, within};
use ors::ffi::*;
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Runs `work` in a forked child, which ends after it. A child that hangs is ended by the alarm.
fn fork(work: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child goes on with this thread alone; what it calls is what is tested here.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: the alarm's default action ends the child.
            unsafe { libc::alarm(40) };
            let fine = catch_unwind(AssertUnwindSafe(work)).is_ok();
            // SAFETY: nothing of the parent is tidied up.
            unsafe { libc::_exit(if fine { 0 } else { 1 }) }
        }
        child => {
            assert!(child > 0, "{}", std::io::Error::last_os_error());
            child
        }
    }
}

/// How the child ended, which has to be within a minute.
fn wait_for(child: libc::pid_t) -> i32 {
    let began = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: a child of this process.
        match unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } {
            0 if began.elapsed() > Duration::from_secs(60) => {
                // SAFETY: as above.
                unsafe { libc::kill(child, libc::SIGKILL) };
                panic!("the child hangs");
            }
            0 => std::thread::sleep(Duration::from_millis(2)),
            _ => return status,
        }
    }
}

fn in_child(what: &str, work: impl FnOnce()) {
    assert_eq!(wait_for(fork(work)), 0, "{what}: 256 is a failed assertion above, 14 the alarm");
}

/// A child of this process that sleeps until it is killed.
pub fn sleeper() -> libc::pid_t {
    // SAFETY: the child only sleeps.
    match unsafe { libc::fork() } {
        0 => loop {
            // SAFETY: as above.
            unsafe { libc::pause() };
        },
        child => child,
    }
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// The descriptors of this process that are open on something below `place`.
#[cfg(target_os = "linux")]
fn open_below(place: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(place)).map(|target| target.display().to_string()).collect()
}

fn site_with_host() -> (Site, Host) {
    let site = Site::with(7);
    let host = site.open();
    host.until_sequence(7);
    assert_eq!(role(&host), "leader");
    (site, host)
}

#[test]
fn a_child_reads_at_once_and_without_a_thread() {
    if !alone("fork::a_child_reads_at_once_and_without_a_thread") {
        return;
    }
    let (_site, host) = site_with_host();
    let revision = host.notices().revision;
    in_child("reads", || {
        let began = Instant::now();
        for _ in 0..1_000 {
            assert_eq!((host.licence().sequence, host.notices().revision), (7, revision));
        }
        assert_eq!(host.text(ORS_TEXT_CUSTOMER), "Print Room");
        assert_eq!(host.about()["sequence"], 7);
        assert_eq!(host.settings()["enabled"], false);
        assert_eq!(host.diagnostics()["licence_state"], "valid");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        #[cfg(target_os = "linux")]
        assert_eq!(threads(), 1, "reading starts nothing");
    });
    assert_eq!(role(&host), "leader");
}

#[test]
fn a_childs_cold_call_starts_a_runtime_of_its_own_that_follows() {
    if !alone("fork::a_childs_cold_call_starts_a_runtime_of_its_own_that_follows") {
        return;
    }
    let (site, host) = site_with_host();
    in_child("cold calls", || {
        host.set(&json!({ "language": "fr" })).unwrap();
        assert_eq!((role(&host).as_str(), host.settings()["language"].as_str()), ("follower", Some("fr")));
        assert_eq!(host.licence().sequence, 7);
        #[cfg(target_os = "linux")]
        assert!(threads() > 1);
        host.install(&site.vendor.file(8)).1.unwrap();
        host.until_sequence(8);
        assert_eq!(ors_close(host.agent, 10_000), ORS_OK);
        let anew = site.open();
        // The parent, which leads, may still be about to take note of it.
        anew.until_sequence(8);
        anew.close();
        #[cfg(target_os = "linux")]
        within(5, "its threads end", || threads() == 1);
    });
    within(2, "the child's setting", || host.settings()["language"] == "fr");
    host.until_sequence(8);
    assert_eq!(role(&host), "leader", "the child took nothing from its parent");
    host.install(&site.vendor.file(9)).1.unwrap();
    host.until_sequence(9);
}

#[test]
fn a_childs_other_cold_calls_work_as_the_first_one() {
    if !alone("fork::a_childs_other_cold_calls_work_as_the_first_one") {
        return;
    }
    let (site, host) = site_with_host();
    let revision = host.notices().revision;
    in_child("ors_wait", || {
        // Woken by what the child's own runtime sees.
        site.drop_file("newer.ors.json", &site.vendor.file(8));
        assert_eq!(unsafe { ors_wait(host.agent, revision, 30_000, &mut 0) }, ORS_OK);
        host.until_sequence(8);
    });
    in_child("ors_read_log", || {
        let mut line = [0; 1_001];
        let mut after = 0;
        let code = unsafe {
            ors_read_log(host.agent, &mut after, 2_000, &mut 0, line.as_mut_ptr(), line.len(), std::ptr::null_mut())
        };
        assert!([ORS_OK, ORS_E_TIMEOUT].contains(&code), "{code}");
    });
    in_child("ors_set_log", || assert_eq!(unsafe { ors_set_log(host.agent, 3, None, std::ptr::null_mut()) }, ORS_OK));
    in_child("ors_close", || {
        let began = Instant::now();
        assert_eq!(ors_close(host.agent, 10_000), ORS_OK);
        assert!(began.elapsed() < Duration::from_secs(5));
        let mut out: ors_notice_status = crate::support::host::zeroed();
        out.struct_size = 64;
        assert_eq!(unsafe { ors_notify_status(host.agent, &mut out) }, ORS_E_CLOSED);
    });
    in_child("a child's child", || {
        host.set(&json!({ "language": "de" })).unwrap();
        in_child("reads and sets", || {
            assert!(host.licence().sequence >= 7);
            host.set(&json!({ "language": "en" })).unwrap();
        });
        assert!(host.licence().sequence >= 7);
    });
    within(2, "the last setting", || host.settings()["language"] == "en");
    assert_eq!(role(&host), "leader");
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_holds_no_lock_of_its_parent() {
    if !alone("fork::a_child_holds_no_lock_of_its_parent") {
        return;
    }
    let (site, host) = site_with_host();
    let place = site.place.path().to_owned();
    assert!(open_below(&place).iter().any(|path| path.ends_with("leader.lock")), "the parent has it");
    in_child("descriptors", || {
        let locks: Vec<_> = open_below(&place).into_iter().filter(|path| path.ends_with(".lock")).collect();
        assert!(locks.is_empty(), "{locks:?}");
    });
    // A program that the host starts gets none of ours at all.
    let output = std::process::Command::new("/bin/ls").args(["-l", "/proc/self/fd"]).output().unwrap();
    let open = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && open.contains("->"), "{open}");
    assert!(!open.contains(place.to_str().unwrap()), "{open}");
    assert_eq!(role(&host), "leader");
    let other = Host::open(&other_options(&site)).unwrap();
    assert_eq!(role(&other), "follower", "the children that ended left the lock where it was");
}

#[test]
fn a_child_that_outlives_a_killed_leader_keeps_nobody_from_leading() {
    let site = Site::with(7);
    let mut leader = Process::start(&site);
    assert_eq!(leader.ask("status")["role"], "leader");
    let sleeper = libc::pid_t::try_from(leader.ask("sleeper")["pid"].as_i64().unwrap()).unwrap();
    let host = site.open();
    assert_eq!(role(&host), "follower");
    leader.kill();
    let done = catch_unwind(AssertUnwindSafe(|| within(5, "the follower leads", || role(&host) == "leader")));
    // SAFETY: started above, and waiting for this signal.
    assert_eq!(unsafe { libc::kill(sleeper, libc::SIGKILL) }, 0, "it was there all the time");
    done.unwrap();
}

#[test]
fn a_hundred_forks_out_of_a_busy_host_all_end() {
    if !alone("fork::a_hundred_forks_out_of_a_busy_host_all_end") {
        return;
    }
    let (site, host) = site_with_host();
    let agent = host.agent;
    let done = AtomicBool::new(false);
    let calls = AtomicU64::new(0);
    std::thread::scope(|scope| {
        // Ends the threads also when an assertion fails.
        let ending = Ending(&done);
        for number in 0..8u64 {
            let (host, done, calls, site) = (Host { agent }, &done, &calls, &site);
            scope.spawn(move || {
                let host = std::mem::ManuallyDrop::new(host);
                while !done.load(SeqCst) {
                    match number {
                        0..3 => drop((host.notices(), host.licence())),
                        3..6 => drop(unsafe { ors_wait(agent, host.notices().revision, 3, &mut 0) }),
                        6 => drop(host.diagnostics()),
                        _ => {
                            let _ = host.set(&json!({ "unreachable_hours": 1 + calls.load(SeqCst) % 100 }));
                            let _ = host.install(&site.vendor.file(3));
                        }
                    }
                    calls.fetch_add(1, SeqCst);
                }
            });
        }
        for round in 0..100 {
            let before = calls.load(SeqCst);
            in_child(&format!("child {round}"), || {
                assert_eq!(host.licence().sequence, 7);
                assert_eq!(host.about()["sequence"], 7);
                if round % 4 == 0 {
                    // Its own runtime, with its own threads, waits and locks.
                    let set = host.set(&json!({ "language": "en" })).map_err(|failure| failure.code);
                    assert!([Ok(()), Err(ORS_E_TIMEOUT)].contains(&set), "{set:?}");
                    let code = unsafe { ors_wait(agent, host.notices().revision, 20, &mut 0) };
                    assert!([ORS_OK, ORS_E_TIMEOUT].contains(&code), "{code}");
                    let code = ors_close(agent, 5_000);
                    assert!([ORS_OK, ORS_E_TIMEOUT].contains(&code), "{code}");
                }
            });
            crate::took("the parent goes on", || calls.load(SeqCst) > before);
        }
        drop(ending);
    });
    assert_eq!((role(&host).as_str(), host.licence().sequence), ("leader", 7));
    let report = ors::store::verify_journal(&site.state()).unwrap();
    assert!(report.problems.is_empty(), "{report}");
}

struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
