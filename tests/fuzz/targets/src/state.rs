//! Whatever lies in the state folder and in the licence folder: an agent opens, and answers.

use crate::allocation::bounded;
use crate::expand::expand;
use crate::fixture::{PRODUCT, fixture};
use crate::{place, promises};
use ors::agent::{Agent, Field, Kind, Options, UpdateQuery, check_update};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MOST: usize = 1 << 20;
/// Room for the line that is put above a document's body.
const BODY: usize = MOST - 200;
/// In the first byte: the agent is a leader, which acts on what it finds.
const LEADS: u8 = 0x80;

/// The first byte says which file the rest is, and whether the agent only reads.
pub fn run(data: &[u8]) {
    let Some((&which, bytes)) = data.split_first() else { return };
    let folders = Folders::new();
    if !folders.spoil(which & !LEADS, bytes) {
        return;
    }
    let options = folders.options(which & LEADS == 0);
    match bounded("an agent is opened", || Agent::open(&options)) {
        Ok(agent) => {
            answers(&agent);
            bounded("an agent is closed", || {
                let ended = agent.close(Duration::from_secs(10));
                assert!(ended, "its threads end");
            });
            if !options.read_only {
                // What a leader left is as good as new.
                let again = Agent::open(&folders.options(true)).expect("what was written can be read");
                answers(&again);
            }
        }
        Err(error) => assert!(matches!(error.kind, Kind::NewerState | Kind::Io), "{error:?}"),
    }
    let query = UpdateQuery {
        licence_folder: place::text(&folders.licences),
        state_folder: Some(place::text(&folders.state)),
        product: PRODUCT.to_owned(),
        trusted_keys: fixture().trusted.clone(),
        release_date: "2026-12-01".to_owned(),
        ..UpdateQuery::default()
    };
    let answer = bounded("an installer asks", || check_update(&query)).expect("the question is sound");
    assert!((-1..=1).contains(&answer.verdict.verdict) && answer.message.len() < 2_000);
}

struct Folders {
    state: PathBuf,
    licences: PathBuf,
}

impl Folders {
    /// An installation that runs: a licence in use, its copy, a key list.
    fn new() -> Folders {
        let place = place::fresh();
        let folders = Folders { state: place::folder(&place, "state"), licences: place::folder(&place, "licences") };
        place::folder(&folders.state, "copy");
        let licence = &fixture().licences[0];
        place::put(&folders.licences.join("prismaprepare-1234567890.ors.json"), licence);
        place::put(&folders.state.join("installed.ors.json"), licence);
        place::put(&folders.state.join("keys.json"), &fixture().keys.list(1));
        folders
    }

    /// Puts the bytes where `which` says; `false` when it says nothing.
    fn spoil(&self, which: u8, bytes: &[u8]) -> bool {
        let document = |name: &str| (self.state.join(name), place::sealed(7, 3, &expand(bytes, BODY)));
        let file = |folder: &Path, name: &str| (folder.join(name), expand(bytes, MOST));
        let (path, bytes) = match which {
            b's' => document("state.a"),
            b'f' => document("floor.b"),
            b'a' => document("acknowledged.a"),
            b'r' => document("restart.a"),
            b't' => document("settings.a"),
            b'k' => file(&self.state, "keys.json"),
            b'i' => file(&self.state, "installed.ors.json"),
            b'c' => file(&self.state.join("copy"), "a.ors.json"),
            b'j' => file(&self.state, "journal.jsonl"),
            b'n' => file(&self.licences, "next.ors.json"),
            b'o' => file(&self.licences, "ors-keys.json"),
            b'w' => file(&self.state, "state.a"),
            _ => return false,
        };
        place::put(&path, &bytes);
        true
    }

    fn options(&self, read_only: bool) -> Options {
        Options {
            read_only,
            state_folder: Some(place::text(&self.state)),
            product: PRODUCT.to_owned(),
            trusted_keys: fixture().trusted.clone(),
            licence_folder: Some(place::text(&self.licences)),
            ..Options::default()
        }
    }
}

/// Asks an agent everything.
fn answers(agent: &Agent) {
    let status = bounded("the status is asked", || agent.status()).expect("an open agent");
    let json = |what: &str, text: Result<String, ors::agent::Error>| {
        let text = text.expect(what);
        assert!(serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object()), "{what}: {text}");
    };
    json("about", bounded("the About box is asked", || agent.about()));
    json("diagnostics", bounded("diagnostics are asked", || agent.diagnostics()));
    json("settings", bounded("the settings are asked", || agent.settings()));
    promises::sentences(agent, &status);
    for field in [
        Field::Serial,
        Field::Customer,
        Field::Product,
        Field::LicenceReason,
        Field::CopySource,
        Field::CopyTarget,
        Field::CopyFileNames,
        Field::CopyLicence,
    ] {
        match bounded("a text is asked", || agent.text(field, 0)) {
            Ok(text) => assert!(!text.contains('\0')),
            Err(error) => assert_eq!(error.kind, Kind::Stale),
        }
    }
}
