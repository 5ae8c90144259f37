//! The journal: whatever lies there, it goes on.

use crate::allocation::bounded;
use crate::expand::expand;
use crate::place;
use ors::licence::{hex, sha256};
use ors::store::{Journal, StateFolder, verify_journal};
use serde_json::{Value, json};

const MOST: usize = 1 << 20;
const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The first byte says whether the lines are linked here, so that most of the chain is whole. A byte 0xFE begins the next file.
pub fn run(data: &[u8]) {
    let (linked, data) = match data {
        [b'l', data @ ..] => (true, data),
        [b'r', data @ ..] => (false, data),
        _ => return,
    };
    let place = place::fresh();
    let mut chain = Chain { n: 0, before: NOTHING_BEFORE.to_owned() };
    let files: Vec<&[u8]> = data.split(|byte| *byte == 0xFE).take(10).collect();
    for (index, file) in files.iter().enumerate() {
        let name = match files.len() - 1 - index {
            0 => "journal.jsonl".to_owned(),
            _ => format!("journal-{}.jsonl", chain.n + 1),
        };
        let file = expand(file, MOST);
        place::put(&place.join(name), &if linked { chain.link(&file) } else { file });
    }
    let folder = StateFolder::existing(&place).expect("the folder was just made");
    bounded("a journal is verified", || verify_journal(&place)).expect("damage is no error");
    let (mut journal, notes) = bounded("a journal is opened", || Journal::open(&folder)).expect("it can be opened");
    assert!(notes.iter().all(|note| !note.is_empty()));
    let before = journal.head().1;
    for what in ["the first", "the second"] {
        bounded("an entry is written", || journal.append(1_800_000_000, 5, "Ann", what)).expect("it can be written");
    }
    let head = journal.head();
    assert!(head.1 >= before.saturating_add(2) || head.1 == u64::MAX);
    let (again, notes) = Journal::open(&folder).expect("it can be opened again");
    assert_eq!((again.head(), notes), (head.clone(), Vec::new()));
    let report = bounded("a journal is verified", || verify_journal(&place)).expect("damage is no error");
    assert_eq!((report.chain, report.to), (head.0, head.1));
    assert!(report.problems.len() <= 50);
}

struct Chain {
    n: u64,
    before: String,
}

impl Chain {
    /// Every line that is an object gets the number, chain and hash that it has to have, unless it says what they are.
    fn link(&mut self, file: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in file.split_inclusive(|byte| *byte == b'\n') {
            let (text, end) = match line.strip_suffix(b"\n") {
                Some(text) => (text, &b"\n"[..]),
                None => (line, &b""[..]),
            };
            let linked = match serde_json::from_slice(text) {
                Ok(Value::Object(mut members)) => {
                    self.n += 1;
                    let given = [
                        ("chain", json!("c")),
                        ("n", json!(self.n)),
                        ("time", json!(1)),
                        ("boot", json!(1)),
                        ("actor", json!("Ann")),
                        ("what", json!("x")),
                        ("prev", json!(self.before)),
                    ];
                    for (name, value) in given {
                        members.entry(name).or_insert(value);
                    }
                    Value::Object(members).to_string().into_bytes()
                }
                _ => text.to_owned(),
            };
            self.before = hex(&sha256(&linked));
            out.extend([&linked[..], end].concat());
        }
        out.truncate(MOST);
        out
    }
}
