//! Two runtimes in one process on one state folder: one leads, both say the same.

use crate::support::host::{Host, Options};
use crate::support::{Site, licence};
use crate::{role, within};
use ors::ffi::*;
use serde_json::json;

/// The same site with other options: a runtime of its own.
pub fn other_options(site: &Site) -> Options {
    Options { commands: Some("{}".to_owned()), ..site.options() }
}

/// How often the journal tells of something.
fn told(site: &Site, what: &str) -> usize {
    let journal = std::fs::read_to_string(site.state().join("journal.jsonl")).unwrap();
    journal.lines().filter(|line| line.contains(what)).count()
}

/// A licence with that many users, so that it is announced.
fn file(site: &Site, sequence: u64, users: u32) -> Vec<u8> {
    let mut licence = licence(sequence);
    licence.users = users;
    site.vendor.sign(&licence)
}

fn pair(site: &Site) -> (Host, Host) {
    let first = site.open();
    let second = Host::open(&other_options(site)).unwrap();
    assert_eq!((role(&first).as_str(), role(&second).as_str()), ("leader", "follower"));
    (first, second)
}

#[test]
fn what_one_runtime_finds_or_is_told_the_other_shows_too() {
    let site = Site::with(7);
    let (leader, follower) = pair(&site);
    let same = |what: &str| {
        within(2, what, || leader.notices().revision == follower.notices().revision);
        assert_eq!(leader.licence().sequence, follower.licence().sequence, "{what}");
    };
    same("the first licence");

    site.drop_file("newer.ors.json", &file(&site, 8, 10));
    within(2, "a licence dropped into the folder", || {
        [&leader, &follower].iter().all(|host| host.notices().announcement == 8)
    });
    same("the announcement");
    let shown = follower.notices();
    assert_eq!((shown.notices, shown.users), (ORS_NOTICE_NEW_FEATURES, 10));
    assert_eq!(follower.notice_text(ORS_NOTICE_NEW_FEATURES), leader.notice_text(ORS_NOTICE_NEW_FEATURES));

    for (setter, reader, value) in [(&follower, &leader, "de"), (&leader, &follower, "fr")] {
        setter.set(&json!({ "language": value })).unwrap();
        within(2, "a setting", || reader.settings()["language"] == value);
    }

    follower.acknowledge(8).unwrap();
    assert_eq!(follower.notices().notices, 0, "in force on return");
    within(2, "an acknowledgement", || leader.notices().notices == 0);
    same("after the acknowledgement");
    within(2, "the journal", || told(&site, "announcement 8 was acknowledged") > 0);

    for (sequence, uploader) in [(9, &follower), (10, &leader)] {
        let (result, done) = uploader.install(&file(&site, sequence, 10));
        done.unwrap();
        assert_eq!((result.state, result.sequence), (ORS_INSTALL_ACCEPTED, sequence));
        within(2, "an upload", || [&leader, &follower].iter().all(|host| host.licence().sequence == sequence));
    }
    same("after the uploads");
    within(2, "the key of both", || role(&leader) == "leader" && role(&follower) == "follower");
    for what in ["announcement 8 was acknowledged", "licence 9 was uploaded", "licence 10 was uploaded"] {
        assert_eq!(told(&site, what), 1, "{what}: done once");
    }
    let report = ors::store::verify_journal(&site.state()).unwrap();
    assert!(report.problems.is_empty(), "{report}");
}

#[test]
fn a_follower_leads_when_the_leader_is_closed() {
    let site = Site::with(7);
    let (leader, follower) = pair(&site);
    assert_eq!(leader.close(), ORS_OK);
    within(5, "the other leads", || role(&follower) == "leader");
    follower.install(&file(&site, 8, 10)).1.unwrap();
    follower.until_sequence(8);
    let again = site.open();
    assert_eq!(role(&again), "follower", "who comes back follows");
    assert_eq!(again.licence().sequence, 8, "and knows at once");
}

#[test]
fn many_runtimes_have_one_leader_at_all_times() {
    let site = Site::with(7);
    let open = |number: usize| {
        let options = Options { trusted_keys: format!("{}\n# {number}", site.vendor.trusted()), ..site.options() };
        Host::open(&options).unwrap()
    };
    let mut hosts: Vec<Host> = (0..6).map(open).collect();
    while hosts.len() > 1 {
        within(5, "one leads", || hosts.iter().filter(|host| role(host) == "leader").count() == 1);
        let leader = hosts.iter().position(|host| role(host) == "leader").unwrap();
        assert_eq!(hosts.swap_remove(leader).close(), ORS_OK);
    }
    within(5, "the last one leads", || role(&hosts[0]) == "leader");
    assert_eq!(told(&site, "leads"), 6, "each once");
}
