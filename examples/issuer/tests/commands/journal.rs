use crate::desk::Desk;
use ors::store::{Journal, RealDisk, StateFolder};
use std::sync::Arc;

#[test]
fn a_journal_is_complete_or_its_gap_is_named() {
    let desk = Desk::new();
    let folder = StateFolder::open(&desk.path("state"), Arc::new(RealDisk)).unwrap();
    let (mut journal, _) = Journal::open(&folder).unwrap();
    for n in 0..5 {
        journal.append(1_795_000_000 + n, 60, "agent", &format!("entry {n}")).unwrap();
    }
    drop(journal);
    let page = desk.run(&["journal", "verify", "state"]).ok();
    assert!(page.contains("complete from 1 to 5"), "{page}");
    let file = std::fs::read_dir(desk.path("state")).unwrap().map(|it| it.unwrap().path()).find(|it| {
        it.file_name().unwrap().to_string_lossy().starts_with("journal")
            && it.extension().is_some_and(|end| end == "jsonl")
    });
    let file = file.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("entry 2", "entry X")).unwrap();
    let ended = desk.run(&["journal", "verify", "state"]);
    assert!(ended.code == 1 && ended.out.contains("WRONG"), "{ended:?}");
    assert_ne!(desk.run(&["journal", "verify", "missing"]).code, 0);
}
