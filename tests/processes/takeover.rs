//! A second process follows; when the leader is killed, wherever it is, it goes on.

use crate::child::Process;
use crate::support::{Site, licence, text};
use crate::{role, within};
use std::time::Duration;

#[test]
fn a_process_follows_the_one_that_leads_and_leads_after_it() {
    let site = Site::with(7);
    let mut first = Process::start(&site);
    let status = first.ask("status");
    assert_eq!((&status["role"], &status["sequence"]), (&"leader".into(), &7.into()));
    assert_eq!(status["pid"], first.id());
    let host = site.open();
    assert_eq!(role(&host), "follower");

    assert!(first.ask(r#"set {"language":"fr"}"#)["failure"].is_null());
    within(2, "a setting of another process", || host.settings()["language"] == "fr");
    let file = site.place.path().join("upload");
    std::fs::write(&file, site.vendor.file(8)).unwrap();
    assert!(first.ask(&format!("install {}", text(&file)))["failure"].is_null());
    host.until_sequence(8);
    let (_, done) = host.install(&site.vendor.file(9));
    done.unwrap();
    within(4, "an upload of the follower", || host.licence().sequence == 9);
    assert_eq!(first.ask("status")["role"], "leader");

    first.kill();
    within(5, "the follower leads", || role(&host) == "leader");
    assert_eq!(host.licence().sequence, 9);
    host.install(&site.vendor.file(10)).1.unwrap();
    host.until_sequence(10);
}

#[test]
fn a_leader_killed_in_the_middle_of_its_work_leaves_a_good_state() {
    let site = Site::with(1);
    let host = site.open();
    host.until_sequence(1);
    host.close();
    let upload = site.place.path().join("upload");
    let mut sequence = 1;
    for round in 0..8u64 {
        let mut leader = Process::start(&site);
        assert_eq!(leader.ask("status")["role"], "leader", "round {round}");
        let host = site.open();
        for _ in 0..3 {
            sequence += 1;
            let mut newer = licence(sequence);
            newer.users = u32::try_from(sequence).unwrap();
            // Complete at every moment: the other process reads it when it comes to it.
            std::fs::write(upload.with_extension(sequence.to_string()), site.vendor.sign(&newer)).unwrap();
            leader.tell(&format!("install {}.{sequence}", text(&upload)));
            leader.tell(&format!(r#"set {{"unreachable_hours":{sequence}}}"#));
        }
        // Somewhere in the middle, another place each time.
        std::thread::sleep(Duration::from_millis(round * 9));
        leader.kill();
        within(5, "the follower leads", || role(&host) == "leader");
        host.install(&std::fs::read(upload.with_extension(sequence.to_string())).unwrap()).1.unwrap();
        host.until_sequence(sequence);
        let diagnostics = host.diagnostics();
        let damage = diagnostics["notes"].as_array().unwrap().iter().filter(|note| {
            let note = note.as_str().unwrap();
            note.contains("damaged") && !note.contains("journal")
        });
        // A copy that was being written is torn; the other one counts, and nothing is lost.
        assert!(!damage.clone().any(|note| note.as_str().unwrap().contains("Both")), "round {round}: {diagnostics:#}");
        assert_eq!(host.close(), 0, "round {round}");
        let report = ors::store::verify_journal(&site.state()).unwrap();
        assert!(report.problems.is_empty(), "round {round}: {report}");
    }
    let host = site.open();
    assert_eq!((host.licence().sequence, host.licence().users), (sequence, u32::try_from(sequence).unwrap()));
    let left: Vec<_> = std::fs::read_dir(site.state()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let temporary = left.iter().filter(|name| name.to_string_lossy().ends_with(".tmp")).count();
    assert_eq!(temporary, 0, "{left:?}");
}
