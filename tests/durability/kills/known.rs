//! What a customer has been told is done, and whether it still is.

use super::host::{Done, Host, Order};
use super::licences::Vendor;
use super::place::{Place, SERVER_FILE, server_text};
use ors::ffi::{ORS_LICENCE_VALID, ORS_NOTICE_NEW_FEATURES};
use ors::store::{StateFolder, document, verify_journal};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const VALID: u64 = ORS_LICENCE_VALID as u64;
const NEW_FEATURES: u64 = ORS_NOTICE_NEW_FEATURES as u64;
/// Back to healthy: how long that may take with nobody doing anything. An opening is quick; a busy machine is not.
const HEALTHY_WITHIN: Duration = Duration::from_secs(20);
const DOCUMENTS: [&str; 4] = ["settings", "acknowledged", "state", "floor"];

/// What was done to the library before it is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing but kills: whatever it wrote, it wrote as it wanted to.
    Kills,
    /// Calls that failed: it may have said so, and may have done something twice.
    Errors,
}

/// What is certain, and what may or may not have happened.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The values that a member may have: of a change that was acknowledged exactly one.
    members: BTreeMap<String, Vec<Value>>,
    revision: u64,
    /// Acknowledged installs, and licences that a person copied: the newest of them has to come into use.
    installed: u64,
    /// An install of which nobody knows.
    perhaps: u64,
    /// The newest licence that was ever seen in use, and in the folder: none older may follow it there.
    used: u64,
    lay: u64,
    acknowledged: u64,
    floor: u64,
    journal: Vec<String>,
}

impl Known {
    pub fn new() -> Known {
        let members = members(&json!({
            "language": null, "unreachable_hours": 24, "organisation_id": null,
            "proxy": { "port": null, "password": null },
        }));
        let members = members.into_iter().map(|(name, value)| (name, vec![value])).collect();
        Known { installed: 1, members, ..Known::default() }
    }

    /// The newest licence that may be in use.
    pub fn newest(&self) -> u64 {
        self.installed.max(self.perhaps)
    }

    /// A person put a licence into the folder.
    pub fn copied(&mut self, sequence: u64) {
        self.installed = self.installed.max(sequence);
        self.lay = self.lay.max(sequence);
    }

    /// A host was given these orders, and answered so many of them before it died: the one after them was under way.
    pub fn take(&mut self, orders: &[Order], answers: &[Done]) {
        for (order, answer) in orders.iter().zip(answers) {
            self.note(order, answer.code == 0);
        }
        if let Some(order) = orders.get(answers.len()) {
            self.note(order, false);
        }
    }

    fn note(&mut self, order: &Order, certain: bool) {
        match order {
            Order::Set(set) => {
                for (name, value) in members(set) {
                    let known = self.members.get_mut(&name).expect("a member that is looked at");
                    if certain {
                        known.clear();
                    }
                    known.push(value);
                }
            }
            Order::Install(sequence) if certain => self.installed = self.installed.max(*sequence),
            Order::Install(sequence) => self.perhaps = self.perhaps.max(*sequence),
            Order::Acknowledge(id) if certain => self.acknowledged = self.acknowledged.max(*id),
            Order::Until(sequence) if certain => {
                self.used = self.used.max(*sequence);
                self.lay = self.lay.max(*sequence);
            }
            _ => {}
        }
    }

    /// Opens it once more and looks at everything, until all is well again: within a while, with nobody doing anything. An error
    /// says what is wrong.
    pub fn check(&mut self, place: &Place, fault: Fault) -> Result<(), String> {
        self.look_at_folder(place)?;
        let mut host = Host::start(place);
        let opened = host.order(place, &Order::Open).ok_or("the host died at its opening")?;
        if opened.code != 0 {
            return Err(format!("cannot be opened: {} {}", opened.code, opened.error));
        }
        self.check_again(place, &mut host, fault, HEALTHY_WITHIN)?;
        match host.order(place, &Order::Close) {
            Some(done) if done.code == 0 => Ok(()),
            other => Err(format!("does not close: {other:?}")),
        }
    }

    /// The same in a host that goes on.
    pub fn check_again(
        &mut self,
        place: &Place,
        host: &mut Host,
        fault: Fault,
        within: Duration,
    ) -> Result<(), String> {
        let began = Instant::now();
        let asked = loop {
            let asked = host.order(place, &Order::Ask).ok_or("the host died when it was asked")?;
            if asked.code != 0 {
                return Err(format!("cannot be asked: {}", asked.code));
            }
            let told = Told(&asked);
            self.never(&told, fault)?;
            let Err(missing) = self.at_last(place, &told, fault) else { break asked };
            if began.elapsed() > within {
                let shown = told.0.told.get("diagnostics");
                return Err(format!("not healthy after {within:?}: {missing}\n{shown:#?}"));
            }
            host.order(place, &Order::Wait(if began.elapsed() < Duration::from_secs(1) { 5 } else { 200 }));
        };
        self.settle(place, &Told(&asked))
    }

    /// Before anybody repairs anything: what the floating server reads is whole, and no older than before.
    fn look_at_folder(&mut self, place: &Place) -> Result<(), String> {
        let sequence = newest_in(place)?;
        if sequence < self.lay {
            return Err(format!("licence {sequence} lies in the folder, where {} was", self.lay));
        }
        let server = fs::read_to_string(place.licences().join(SERVER_FILE)).unwrap_or_default();
        if !(sequence..=self.newest().max(sequence)).any(|sequence| server == server_text(sequence)) {
            return Err(format!("{SERVER_FILE} holds {server:?} beside licence {sequence}"));
        }
        self.lay = sequence;
        Ok(())
    }

    /// What may not be so, not even for a moment.
    fn never(&self, told: &Told<'_>, fault: Fault) -> Result<(), String> {
        let status = told.status();
        if status("state") != VALID {
            return Err(format!("the licence is in state {}", status("state")));
        }
        // A call that failed may have kept the leader from taking note of what it showed.
        let least = if fault == Fault::Kills { self.used } else { self.floor };
        if status("sequence") < least {
            return Err(format!("licence {} is in use, after {least}", status("sequence")));
        }
        for (name, allowed) in &self.members {
            let value = told.member(name);
            if !allowed.contains(&value) {
                return Err(format!("the setting {name} is {value}; it should be {allowed:?}"));
            }
        }
        let revision = told.settings()["revision"].as_u64().unwrap_or(0);
        if revision < self.revision {
            return Err(format!("the settings are of revision {revision}, after {}", self.revision));
        }
        let shown = status("announcement");
        if shown != 0 && shown <= self.acknowledged {
            return Err(format!("announcement {shown} is shown, and {} was acknowledged", self.acknowledged));
        }
        let floor = told.diagnostics()["floor"].as_u64().unwrap_or(0);
        if floor < self.floor {
            return Err(format!("the floor is {floor}, after {}", self.floor));
        }
        let notes = told.diagnostics()["notes"].as_array().cloned().unwrap_or_default();
        match notes.first() {
            Some(note) if fault == Fault::Kills => Err(format!("there is something to note: {note}")),
            _ => Ok(()),
        }
    }

    /// What has to be so in the end.
    fn at_last(&self, place: &Place, told: &Told<'_>, fault: Fault) -> Result<(), String> {
        let status = told.status();
        let diagnostics = told.diagnostics();
        let sequence = status("sequence");
        let said = |what: String| Err(what);
        if sequence < self.installed || sequence > self.newest() {
            return said(format!("licence {sequence} is in use instead of {}", self.installed));
        }
        if diagnostics["role"] != "leader" || diagnostics["installed"]["source"] != "folder" {
            return said(format!("{} with a licence from {}", diagnostics["role"], diagnostics["installed"]["source"]));
        }
        if diagnostics["floor"] != sequence {
            return said(format!("the floor is {}", diagnostics["floor"]));
        }
        if status("copy_sequence") != 0 || !diagnostics["copy"].is_null() {
            return said("a person is asked to copy".to_owned());
        }
        if status("notices") & !NEW_FEATURES != 0 {
            return said(format!("notices {:x}", status("notices")));
        }
        let lying = newest_in(place)?;
        let server = fs::read_to_string(place.licences().join(SERVER_FILE)).unwrap_or_default();
        if lying != sequence || server != server_text(sequence) {
            return said(format!("licence {lying} and {server:?} lie in the folder, {sequence} is in use"));
        }
        // Who sent a file (`.by`) may stay for a while when the file never came.
        let waiting = names(&place.state().join("uploads")).into_iter().filter(|name| name.ends_with(".lic"));
        if let Some(left) = waiting.chain(names(&place.state().join("copy"))).next() {
            return said(format!("{left} still waits"));
        }
        let folders = ["", "uploads", "copy", "backup"].map(|name| place.state().join(name));
        for folder in folders.iter().chain([&place.licences()]) {
            if let Some(temp) = names(folder).iter().find(|name| name.ends_with(".tmp")) {
                return said(format!("{temp} is left in {}", folder.display()));
            }
        }
        copies_agree(&place.state())?;
        self.is_told(place, told, sequence, fault)
    }

    /// The journal is complete, holds what it held, and tells everything once.
    fn is_told(&self, place: &Place, told: &Told<'_>, sequence: u64, fault: Fault) -> Result<(), String> {
        let report = verify_journal(&place.state()).map_err(|error| error.to_string())?;
        if !report.problems.is_empty() || report.from != 1 {
            return Err(format!("the journal is {report}"));
        }
        let lines = journal(place);
        if !lines.starts_with(&self.journal) {
            return Err(format!("the journal had {} lines, and these are others: {lines:#?}", self.journal.len()));
        }
        let entries: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let count = |begins: &str| {
            entries.iter().filter(|entry| entry["what"].as_str().is_some_and(|what| what.starts_with(begins))).count()
        };
        let mut wanted = vec![format!("licence {sequence} of serial 1234567890 is in use, from ")];
        let revision = told.settings()["revision"].as_u64().unwrap_or(0);
        wanted.extend((1..=revision).map(|revision| format!("settings changed (revision {revision}): ")));
        if self.acknowledged > 0 {
            // Of several acknowledgements between two looks of the leader the last is told.
            let newest = (self.acknowledged..=self.newest()).rev();
            let told = newest.map(|id| format!("announcement {id} was acknowledged")).find(|line| count(line) > 0);
            wanted.push(told.unwrap_or_else(|| format!("announcement {} was acknowledged", self.acknowledged)));
        }
        for line in wanted {
            match (count(&line), fault) {
                (0, _) => return Err(format!("the journal does not tell: {line}")),
                (1, _) | (_, Fault::Errors) => {}
                (times, Fault::Kills) => return Err(format!("the journal tells {times} times: {line}")),
            }
        }
        Ok(())
    }

    /// From here on this is what is known.
    fn settle(&mut self, place: &Place, told: &Told<'_>) -> Result<(), String> {
        self.installed = told.status()("sequence");
        self.perhaps = 0;
        (self.used, self.lay) = (self.installed, self.installed);
        self.floor = self.installed;
        self.revision = told.settings()["revision"].as_u64().ok_or("the settings have no revision")?;
        for (name, allowed) in &mut self.members {
            *allowed = vec![told.member(name)];
        }
        self.journal = journal(place);
        Ok(())
    }
}

/// What a host told.
struct Told<'a>(&'a Done);

impl Told<'_> {
    fn of(&self, name: &str) -> &Value {
        self.0.told.get(name).unwrap_or(&Value::Null)
    }

    fn settings(&self) -> &Value {
        self.of("settings")
    }

    fn diagnostics(&self) -> &Value {
        self.of("diagnostics")
    }

    fn status(&self) -> impl Fn(&str) -> u64 {
        |name| self.of("status")[name].as_u64().unwrap_or(u64::MAX)
    }

    fn member(&self, name: &str) -> Value {
        self.settings().pointer(name).cloned().unwrap_or(Value::Null)
    }
}

/// The members that a set names, as pointers into a get; a secret as a get shows it.
fn members(set: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, value) in set.as_object().expect("an object") {
        match value.as_object() {
            Some(group) => found.extend(group.iter().map(|(inner, value)| (format!("/{name}/{inner}"), value.clone()))),
            None => found.push((format!("/{name}"), value.clone())),
        }
    }
    for (name, value) in &mut found {
        if name.ends_with("password") {
            *value = json!({ "set": !value.is_null() });
        }
    }
    found
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| Vec::new());
    entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The newest licence in the folder. All that is there under a licence's name is a whole licence.
fn newest_in(place: &Place) -> Result<u64, String> {
    let mut newest = 0;
    for name in names(&place.licences()).iter().filter(|name| name.ends_with(".ors.json")) {
        let bytes = fs::read(place.licences().join(name)).map_err(|error| format!("{name}: {error}"))?;
        let sequence =
            sequence_of(&place.vendor, &bytes).ok_or_else(|| format!("{name} is torn: {} bytes", bytes.len()))?;
        newest = newest.max(sequence);
    }
    if newest == 0 { Err("no licence lies in the folder".to_owned()) } else { Ok(newest) }
}

fn sequence_of(vendor: &Vendor, bytes: &[u8]) -> Option<u64> {
    use base64::Engine as _;
    let envelope: Value = serde_json::from_slice(bytes).ok()?;
    let payload = base64::engine::general_purpose::STANDARD.decode(envelope["payload"].as_str()?).ok()?;
    let sequence = serde_json::from_slice::<Value>(&payload).ok()?["sequence"].as_u64()?;
    (vendor.licence(sequence) == bytes).then_some(sequence)
}

fn copies_agree(state: &Path) -> Result<(), String> {
    let folder = StateFolder::existing(state).ok_or("the state folder is gone")?;
    for name in DOCUMENTS {
        let read = document::read::<Value>(&folder, name).map_err(|error| error.to_string())?;
        if !read.damaged.is_empty() {
            return Err(format!("damaged: {:?}", read.damaged));
        }
        let [a, b] = ["a", "b"].map(|copy| fs::read(state.join(format!("{name}.{copy}"))).ok());
        if a != b {
            return Err(format!("the two copies of {name} differ"));
        }
    }
    Ok(())
}

fn journal(place: &Place) -> Vec<String> {
    let text = fs::read_to_string(place.state().join("journal.jsonl")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
