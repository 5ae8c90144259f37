//! A power cut at every moment, with everything that it may leave.
//!
//! The library works on a disk that takes down what is asked of it ([`ledger`]). From that every state is made that the disk
//! may be in after a power cut ([`states`]), and on each of them the library is started for real ([`judge`]): nothing is
//! torn, nothing that a host was told is lost, the floor is not lower, no temporary file stays, and all is well again without
//! a person ([`promised`]). [`twice`] does the same where something had gone wrong before, [`damage`] where bytes were changed on the
//! disk. `cargo test --test crash`.
#![cfg(target_os = "linux")]

mod customer;
mod damage;
mod judge;
mod ledger;
mod promised;
mod site;
mod states;
#[path = "../support/mod.rs"]
mod support;
mod twice;

use ledger::Forgets;
use ors::store::{Journal, StateFolder};
use site::{Deeds, Site, until, until_in_folder};
use states::States;
use std::fs;
use support::table::row;

/// Does something, and tries every state that a power cut at any moment of it may leave.
fn cut_everywhere(what: &str, site: &Site, work: impl FnOnce(&Deeds)) {
    let states = states_of(site, Forgets::Nothing, work);
    let harmed = judge::all(what, &states, &site.customer);
    row(&format!("power cut at every moment, every state of the disk: {what}"), states.images.len() as u64, harmed);
    assert_eq!(states.cut_short, 0, "{what}: more is left unsynced at a time than can be tried in full");
}

fn states_of(site: &Site, forgets: Forgets, work: impl FnOnce(&Deeds)) -> States {
    let ledger = site.record(|ledger| {
        ledger.forget(forgets);
        let host = site.open().unwrap();
        work(&Deeds { host: &host, ledger, customer: &site.customer });
    });
    let (base, events) = ledger.story();
    States::of(&base, &events)
}

#[test]
fn a_first_start_survives_a_power_cut_at_every_moment() {
    cut_everywhere("the first start, with settings", &Site::new(), |deeds| {
        deeds.set(1).unwrap();
        until_in_folder(deeds.host, 7);
        deeds.see();
    });
}

#[test]
fn an_install_survives_a_power_cut_at_every_moment() {
    cut_everywhere("an install", &Site::used(), |deeds| {
        deeds.install(8).unwrap();
        until_in_folder(deeds.host, 8);
        deeds.see();
    });
}

#[test]
fn two_installs_in_a_row_survive_a_power_cut_at_every_moment() {
    cut_everywhere("two installs in a row", &Site::used(), |deeds| {
        deeds.install(8).unwrap();
        deeds.install(9).unwrap();
        until_in_folder(deeds.host, 9);
        deeds.see();
    });
}

#[test]
fn settings_with_a_password_survive_a_power_cut_at_every_moment() {
    cut_everywhere("settings with a password, twice", &Site::used(), |deeds| {
        deeds.set(1).unwrap();
        deeds.set(2).unwrap();
        deeds.see();
    });
}

#[test]
fn an_acknowledgement_and_a_key_list_survive_a_power_cut_at_every_moment() {
    let site = Site::used();
    let host = site.open().unwrap();
    host.install(&site.customer.envelope(8)).1.unwrap();
    until_in_folder(&host, 8);
    drop(host);
    cut_everywhere("an acknowledgement and a key list", &site, |deeds| {
        deeds.acknowledge(8).unwrap();
        deeds.install_keys().unwrap();
        until(deeds.host, "the list lies beside the licence", || site.root().join("licences/ors-keys.json").exists());
        deeds.see();
    });
}

#[test]
fn a_licence_that_waits_for_a_person_survives_a_power_cut_at_every_moment() {
    let mut site = Site::used();
    fs::remove_dir_all(site.root().join("licences")).unwrap();
    site.customer.by_hand = true;
    cut_everywhere("two licences that wait for a person", &site, |deeds| {
        for sequence in [8, 9] {
            deeds.install(sequence).unwrap();
            until(deeds.host, "a person is asked", || deeds.host.licence().copy_sequence == sequence);
        }
        deeds.see();
    });
}

#[test]
fn a_journal_that_is_rotated_survives_a_power_cut_at_every_moment() {
    let site = Site::used();
    let state = site.root().join("state");
    let (mut journal, _) = Journal::open(&StateFolder::existing(&state).unwrap()).unwrap();
    while fs::metadata(state.join("journal.jsonl")).unwrap().len() < 1 << 20 {
        journal.append(1, 1, "leader", &"did something ".repeat(130)).unwrap();
    }
    cut_everywhere("a journal that is rotated", &site, |deeds| {
        deeds.set(1).unwrap();
        assert!(state.join("journal-1.jsonl").exists());
        deeds.see();
    });
}

/// The negative control: a library that forgets to sync is found out.
#[test]
fn without_syncing_files_or_folders_a_power_cut_does_harm() {
    for (what, forgets) in [("files", Forgets::SyncFile), ("folders", Forgets::SyncFolder)] {
        let site = Site::used();
        let states = states_of(&site, forgets, |deeds| deeds.set(1).unwrap());
        // What it says is of no interest here, and long.
        let found =
            states.some(400).into_iter().any(|(image, due)| judge::one(image, due.promised, &site.customer).is_err());
        row(&format!("the same, control: no sync of {what}; harmed = not found out"), 1, u64::from(!found));
    }
}
