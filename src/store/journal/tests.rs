use std::fs;
use std::sync::Arc;

use super::*;
use crate::store::FaultyDisk;
use crate::store::disk::faulty::Operation;
use crate::store::durable::tests::temps;

fn folder(path: &Path) -> StateFolder {
    StateFolder::existing(path).unwrap()
}

fn opened(folder: &StateFolder) -> Journal {
    let (journal, notes) = Journal::open(folder).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    journal
}

fn filled(folder: &StateFolder, entries: u64) -> Journal {
    let mut journal = opened(folder);
    for n in 1..=entries {
        assert_eq!(journal.append(1_000 + n as i64, n, "leader", &format!("did {n}")).unwrap(), n);
    }
    journal
}

fn said(folder: &StateFolder) -> String {
    verify_journal(folder.path()).unwrap().to_string()
}

#[test]
fn a_journal_goes_on_where_it_ended() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    assert_eq!(said(&folder), "empty; not anchored");
    let first = filled(&folder, 3).head();
    let mut again = opened(&folder);
    assert_eq!(again.head(), first);
    assert_eq!(again.append(0, 0, "leader", "again").unwrap(), 4);
    assert_eq!(said(&folder), "complete from 1 to 4; not anchored");
    let report = verify_journal(folder.path()).unwrap();
    assert_eq!((report.chain, report.anchored), (first.0, None));
    let anchored = JournalReport { from: 1, to: 9, anchored: Some(7), ..JournalReport::default() };
    assert_eq!(anchored.to_string(), "complete from 1 to 9; anchored up to 7");
}

#[test]
fn an_entry_is_one_line_whatever_its_text_is() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let mut journal = opened(&folder);
    journal.append(-1, u64::MAX, &"a\n".repeat(500), &"b\u{202e}\"\r\n".repeat(5000)).unwrap();
    journal.append(i64::MAX, 0, "", "").unwrap();
    let text = fs::read_to_string(folder.file(CURRENT)).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.lines().all(|line| line.len() < 16_000));
    assert_eq!(said(&folder), "complete from 1 to 2; not anchored");
}

/// Every byte of every line flipped, every line but the last taken out, two lines exchanged, a line doubled.
#[test]
fn a_changed_removed_or_moved_line_is_found() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    filled(&folder, 4);
    let path = folder.file(CURRENT);
    let whole = fs::read(&path).unwrap();
    let last_line = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n').unwrap() + 1;
    let is_found = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let report = verify_journal(folder.path()).unwrap();
        assert!(!report.problems.is_empty(), "{what}");
        assert!(report.to_string().starts_with("not complete from "), "{report}");
    };
    for at in 0..last_line {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        is_found(&bytes, &format!("byte {at}"));
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|&b| b == b'\n').collect();
    for without in 1..3 {
        let left: Vec<&[u8]> = lines.iter().enumerate().filter(|(n, _)| *n != without).map(|(_, line)| *line).collect();
        is_found(&left.concat(), &format!("line {without} removed"));
    }
    is_found(&[lines[0], lines[2], lines[1], lines[3]].concat(), "exchanged");
    is_found(&[lines[0], lines[1], lines[1], lines[2], lines[3]].concat(), "doubled");
    is_found(&whole[..whole.len() - 1], "torn");
    // The first line gone shows in the number from which the journal is complete.
    fs::write(&path, lines[1..].concat()).unwrap();
    assert_eq!(said(&folder), "complete from 2 to 4; not anchored");
    fs::write(&path, &whole).unwrap();
    assert_eq!(said(&folder), "complete from 1 to 4; not anchored");
}

#[test]
fn a_torn_last_line_is_cut_and_recorded() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    filled(&folder, 3);
    let path = folder.file(CURRENT);
    let whole = fs::read(&path).unwrap();
    let third = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n').unwrap() + 1;
    for length in third + 1..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (journal, notes) = Journal::open(&folder).unwrap();
        assert_eq!(notes, [format!("a torn last line of the journal, {} bytes, was cut", length - third)]);
        assert_eq!(journal.head().1, 2);
        assert_eq!(fs::read(&path).unwrap().len(), third);
    }
    // What a power cut leaves on some file systems: the length grew, the bytes never came.
    for tail in [&[0; 100][..], b"{\"chain\":\n", b"garbage\n\0\0\n"] {
        fs::write(&path, [&whole[..third], tail].concat()).unwrap();
        let (mut journal, notes) = Journal::open(&folder).unwrap();
        assert_eq!(notes.len(), 1);
        assert_eq!(journal.append(5, 6, "leader", "went on").unwrap(), 4, "3 is the record of the cut");
        assert_eq!(said(&folder), "complete from 1 to 4; not anchored");
        assert!(fs::read_to_string(&path).unwrap().lines().nth(2).unwrap().contains("torn last line"));
    }
}

#[test]
fn a_journal_that_cannot_be_used_is_set_aside_and_that_is_recorded() {
    for useless in [&b"no line at all"[..], b"not\njson\n", &[0; 5 << 20]] {
        let temp = tempfile::tempdir().unwrap();
        let folder = folder(temp.path());
        fs::write(folder.file(CURRENT), useless).unwrap();
        let (mut journal, notes) = Journal::open(&folder).unwrap();
        assert!(!notes.is_empty());
        assert_eq!(fs::read(folder.file("journal-set-aside")).unwrap().len(), useless.len());
        let n = journal.append(1, 1, "leader", "began").unwrap();
        assert_eq!(n, 1 + notes.len() as u64);
        assert_eq!(said(&folder), format!("complete from 1 to {n}; not anchored"));
    }
}

fn grow(path: &Path, folder: &StateFolder) {
    // Long texts, so that few durable writes fill a file.
    let mut journal = opened(folder);
    while fs::metadata(path).map_or(0, |meta| meta.len()) < ROTATE_AT {
        journal.append(1, 1, "leader", &"x".repeat(2000)).unwrap();
    }
}

#[test]
fn rotation_keeps_the_chain_and_eight_files() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let path = folder.file(CURRENT);
    grow(&path, &folder);
    let full = fs::metadata(&path).unwrap().len();
    let mut journal = opened(&folder);
    let (chain, before, hash) = journal.head();
    assert_eq!(journal.append(1, 1, "leader", "first of the next file").unwrap(), before + 1);
    assert_eq!(fs::metadata(folder.file("journal-1.jsonl")).unwrap().len(), full);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().count() == 1 && text.contains(&hash), "a rotated journal begins with the last hash");
    assert_eq!(said(&folder), format!("complete from 1 to {}; not anchored", before + 1));

    // The current file lost at that moment: the chain goes on from the rotated one.
    fs::remove_file(&path).unwrap();
    let mut journal = opened(&folder);
    assert_eq!(journal.head(), (chain, before, hash));
    journal.append(1, 1, "leader", "again").unwrap();
    assert_eq!(said(&folder), format!("complete from 1 to {}; not anchored", before + 1));

    // A line changed in a rotated file is found; a missing rotated file is.
    let rotated_path = folder.file("journal-1.jsonl");
    let whole = fs::read(&rotated_path).unwrap();
    let mut bytes = whole.clone();
    bytes[1000] ^= 1;
    fs::write(&rotated_path, bytes).unwrap();
    assert!(said(&folder).starts_with("not complete"));
    fs::write(&rotated_path, &whole).unwrap();

    // Old files go. They are made here by the length of what `rotate` looks at, not by 8 MiB of entries.
    for n in 2..=9_u64 {
        fs::write(folder.file(&format!("journal-{n}.jsonl")), b"").unwrap();
    }
    journal.length = ROTATE_AT;
    journal.rotate();
    let left: Vec<u64> = rotated(folder.path()).unwrap().into_iter().map(|(number, _)| number).collect();
    assert_eq!((left.len(), left[0], *left.last().unwrap()), (KEPT, 3, before + 1));
}

#[test]
fn whichever_operation_fails_no_line_is_torn_and_none_is_lost() {
    for first in [true, false] {
        for kind in std::iter::once(None).chain(Operation::ALL.into_iter().map(Some)) {
            for at in 0.. {
                let temp = tempfile::tempdir().unwrap();
                let disk = Arc::new(FaultyDisk::new());
                let folder = folder(temp.path()).with_disk(disk.clone());
                let before = if first { 0 } else { 2 };
                let mut journal = filled(&folder, before);
                match kind {
                    None => disk.fail_at(at, 28, false),
                    Some(kind) => disk.fail_kind_at(kind, at, 28, false),
                }
                let result = journal.append(7, 7, "leader", "in trouble");
                if disk.failures() == 0 {
                    assert_eq!(result.unwrap(), before + 1);
                    break;
                }
                let report = verify_journal(folder.path()).unwrap();
                assert_eq!(report.problems, Vec::<String>::new(), "{kind:?} {at}");
                // After its folder could not be synced a first line may be there although the append failed.
                assert!(report.to == before + u64::from(result.is_ok()) || (first && report.to == 1), "{kind:?} {at}");
                assert!(temps(temp.path()).is_empty());
                disk.heal();
                journal.append(8, 8, "leader", "after").unwrap();
                let report = verify_journal(folder.path()).unwrap();
                assert!(report.problems.is_empty() && report.to > before, "{kind:?} {at} {report}");
                assert_eq!(report.to, journal.head().1);
            }
        }
    }
}

/// Half a line is on the disk and cannot be taken back; the disk works again later.
#[test]
fn a_line_that_could_not_be_taken_back_is_cut_before_the_next_one() {
    let temp = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::new());
    let folder = folder(temp.path()).with_disk(disk.clone());
    let mut journal = filled(&folder, 2);
    disk.fail_kind_at(Operation::Write, 0, 28, true);
    disk.fail_at(1, 28, true);
    assert!(journal.append(7, 7, "leader", "in trouble").is_err());
    assert!(said(&folder).contains("ends in the middle of a line"));
    assert!(journal.append(7, 7, "leader", "in trouble").is_err());
    disk.heal();
    assert_eq!(journal.append(8, 8, "leader", "after").unwrap(), 4, "3 is the record of the cut");
    assert_eq!(said(&folder), "complete from 1 to 4; not anchored");
}

#[test]
fn a_journal_deleted_under_the_leader_shows_as_missing_from_there() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let mut journal = filled(&folder, 3);
    fs::remove_file(folder.file(CURRENT)).unwrap();
    assert_eq!(journal.append(9, 9, "leader", "went on").unwrap(), 5, "4 says that entries were lost");
    assert_eq!(said(&folder), "complete from 4 to 5; not anchored");
    assert!(fs::read_to_string(folder.file(CURRENT)).unwrap().contains("entries 1 to 3 were lost"));
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_a_link_is_not_followed() {
    let temp = tempfile::tempdir().unwrap();
    let folder = folder(temp.path());
    let target = folder.file("elsewhere");
    fs::write(&target, "keep").unwrap();
    std::os::unix::fs::symlink(&target, folder.file(CURRENT)).unwrap();
    let (mut journal, notes) = Journal::open(&folder).unwrap();
    assert!(!notes.is_empty());
    journal.append(1, 1, "leader", "began").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"keep");
}

#[test]
fn what_the_back_office_has_anchors_the_journal_and_cannot_be_taken_off_unseen() {
    let temp = tempfile::tempdir().unwrap();
    let folder = StateFolder::existing(temp.path()).unwrap();
    let (mut journal, _) = Journal::open(&folder).unwrap();
    for n in 1..=4 {
        journal.append(n, 1, "Ann", "something").unwrap();
    }
    let chain = journal.head().0;
    let stored = |chain: &str, n: u64| {
        let account = serde_json::json!({ "enrolment": "active", "reported": [chain, n] });
        crate::store::document::write(&folder, "office", n, &account).unwrap();
    };
    stored("another", 3);
    assert_eq!(said(&folder), "complete from 1 to 4; not anchored");
    stored(&chain, 3);
    assert_eq!(said(&folder), "complete from 1 to 4; anchored up to 3");
    let file = folder.file("journal.jsonl");
    let lines: Vec<String> = fs::read_to_string(&file).unwrap().lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(&file, lines.concat()).unwrap();
    let report = said(&folder);
    assert!(report.contains("entries 3 to 3, which the back office has, are missing"), "{report}");
}
