//! A power cut after something else had gone wrong: another power cut, a kill, a request that failed.

use crate::judge;
use crate::ledger::Ledger;
use crate::site::{Deeds, Site, is_in_folder, until};
use crate::states::{Due, Image, States};
use crate::support::host::{Failure, Host};
use crate::support::table::{count, row};
use ors::store::Disk;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

#[test]
fn a_power_cut_during_the_recovery_from_a_power_cut_does_no_harm() {
    let site = Site::new();
    let ledger = site.record(|ledger| all_of_it(&site, ledger));
    let (base, events) = ledger.story();
    let first = States::of(&base, &events);
    let chosen: Vec<(&Image, &Due)> = first.some(usize::try_from(count(30, 100_000)).unwrap());
    let second = Mutex::new(States::default());
    judge::side_by_side(&chosen, |(image, due)| {
        let (base, events) = judge::recovery(image, due.promised, &site.customer);
        second.lock().unwrap().join(States::of(&base, &events));
        true
    });
    let second = second.into_inner().unwrap();
    let what = format!("again, while it recovers ({} of {} first ones)", chosen.len(), first.images.len());
    let harmed = judge::all(&what, &second, &site.customer);
    row("power cut at every moment of the recovery from a power cut", second.images.len() as u64, harmed);
    assert_eq!(second.cut_short, 0);
}

/// The first start, settings, an install, an acknowledgement.
fn all_of_it(site: &Site, ledger: &Ledger) {
    let host = site.open().unwrap();
    let deeds = Deeds { host: &host, ledger, customer: &site.customer };
    deeds.set(1).unwrap();
    deeds.install(8).unwrap();
    until(&host, "announced", || is_announced(&host));
    deeds.acknowledge(8).unwrap();
    deeds.see();
}

fn is_announced(host: &Host) -> bool {
    is_in_folder(host, 8)
        && (host.notices().announcement == 8 || host.about()["announcements"][0]["acknowledged"] == true)
}

#[test]
fn a_power_cut_after_a_kill_at_any_request_and_a_new_start_does_no_harm() {
    after_each("a kill at any request, and a new start", |site, ledger, at| {
        ledger.fail_at(at, true);
        let _ = until_killed(site, ledger);
        let failed_after = ledger.failed_after();
        ledger.heal();
        disown_temporary_files(site.root(), ledger);
        all_of_it(site, ledger);
        failed_after
    });
}

#[test]
fn a_power_cut_after_a_request_that_failed_and_the_same_call_again_does_no_harm() {
    after_each("a request that failed, and the same call again", |site, ledger, at| {
        ledger.fail_at(at, false);
        until_it_succeeds(site, ledger);
        ledger.failed_after()
    });
}

/// Goes on as long as the disk does what it is asked.
fn until_killed(site: &Site, ledger: &Ledger) -> Result<(), Failure> {
    let host = site.open()?;
    let deeds = Deeds { host: &host, ledger, customer: &site.customer };
    deeds.set(1)?;
    deeds.install(8)?;
    until(&host, "announced or killed", || is_announced(&host) || ledger.failed_after().is_some());
    if ledger.failed_after().is_none() {
        deeds.acknowledge(8)?;
        deeds.see();
    }
    Ok(())
}

/// Does each thing again that did not succeed, as a user does.
fn until_it_succeeds(site: &Site, ledger: &Ledger) {
    let host = again(|| site.open());
    let deeds = Deeds { host: &host, ledger, customer: &site.customer };
    again(|| deeds.set(1));
    again(|| deeds.install(8));
    until(&host, "announced", || {
        if host.licence().copy_sequence == 8 {
            // It could not be put into its folder: the page offers to try again.
            again(|| deeds.install(8));
        }
        is_announced(&host)
    });
    again(|| deeds.acknowledge(8));
    deeds.see();
}

fn again<T>(call: impl Fn() -> Result<T, Failure>) -> T {
    call().or_else(|_| call()).expect("one request fails, and no other")
}

/// A process that was killed would not be this one: its temporary files are nobody's.
fn disown_temporary_files(root: &Path, ledger: &Ledger) {
    let ours = format!(".ors-{}-", std::process::id());
    for folder in ["licences", "state", "state/uploads", "state/backup"].map(|name| root.join(name)) {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if let Some(rest) = path.file_name().unwrap().to_str().unwrap().strip_prefix(&ours) {
                ledger.rename(&path, &folder.join(format!(".ors-{}-{rest}", judge::NOBODY))).unwrap();
            }
        }
    }
}

/// Lets each request of the disk fail in a try of its own, and cuts the power at every moment from there on.
fn after_each(what: &str, act: impl Fn(&Site, &Ledger, usize) -> Option<usize> + Sync) {
    let site = Site::used();
    let requests = site.record(|ledger| all_of_it(&site, ledger)).asked();
    let faults: Vec<usize> = (0..requests).step_by(usize::try_from(count(24, 1)).unwrap()).collect();
    let states = Mutex::new(States::default());
    judge::side_by_side(&faults, |at| {
        let site = Site::used();
        let mut failed_after = None;
        let ledger = site.record(|ledger| failed_after = act(&site, ledger, *at));
        // Other threads may ask for a little more or less than the time before.
        if let Some(happened) = failed_after {
            let (base, events) = ledger.story();
            states.lock().unwrap().join(States::since(happened, &base, &events));
        }
        true
    });
    let states = states.into_inner().unwrap();
    let harmed = judge::all(&format!("after {what} ({} of {requests})", faults.len()), &states, &site.customer);
    row(&format!("power cut after {what}"), states.images.len() as u64, harmed);
    assert_eq!(states.cut_short, 0);
}
