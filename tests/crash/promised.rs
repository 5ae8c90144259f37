//! What a host was told, and whether that still holds after a power cut.

use crate::customer::{Brought, Customer};
use crate::support::host::Host;
use ors::ffi::*;
use ors::store::{StateFolder, document, verify_journal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::time::{Duration, Instant};

/// As soon as this all has to be well, without a person.
const HEALED: Duration = Duration::from_secs(20);

/// What a host has been told. A power cut after that may not take it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promised {
    /// The licence that was installed, or seen in use.
    pub sequence: u64,
    /// The floor that diagnostics told.
    pub floor: u64,
    /// The settings' revision.
    pub revision: u64,
    /// The announcement that was acknowledged.
    pub acknowledged: u64,
    /// The version of the key list.
    pub keys: u64,
    /// The last entry of the journal that diagnostics told.
    pub journal: u64,
}

impl Promised {
    /// What pages and diagnostics show now.
    pub fn see(&mut self, host: &Host) {
        let told = host.diagnostics();
        self.sequence = self.sequence.max(host.licence().sequence);
        self.floor = self.floor.max(told["floor"].as_u64().unwrap());
        self.journal = self.journal.max(told["journal"]["n"].as_u64().unwrap_or(0));
    }
}

/// The highest sequence in the floor's document as it lies there.
fn floor_on_disk(root: &Path) -> u64 {
    let folder = StateFolder::existing(&root.join("state"));
    let read = folder.and_then(|folder| document::read::<Value>(&folder, "floor").ok()).and_then(|read| read.value);
    let levels = read.as_ref().and_then(|floor| floor["keys"].as_object());
    levels.into_iter().flatten().filter_map(|(_, level)| level["sequence"].as_u64()).max().unwrap_or(0)
}

/// Opens an agent on what was left, and waits until all is as promised. `Err` says what is not.
pub fn open(root: &Path, promised: Promised, customer: &Customer) -> Result<Host, String> {
    let least = Promised { floor: promised.floor.max(floor_on_disk(root)), ..promised };
    let host = customer.open(root)?;
    keeps_settings(&host, least)?;
    let deadline = Instant::now() + HEALED;
    loop {
        match healthy(&host, root, least, customer) {
            Ok(()) => break,
            Err(why) if Instant::now() > deadline => return Err(format!("{why}; {:#}", host.diagnostics())),
            // Woken by what is published; what is not is looked for again a moment later.
            Err(_) => unsafe { ors_wait(host.agent, host.notices().revision, 3, null_mut()) },
        };
    }
    let told = host.diagnostics();
    let notes = told["notes"].as_array().unwrap().iter().filter_map(Value::as_str);
    // A line that was being written when the power went is cut off, and that is told.
    let unexpected: Vec<&str> = notes.filter(|note| !note.contains("a torn last line of the journal")).collect();
    if !unexpected.is_empty() {
        return Err(format!("something was not as it should be: {unexpected:?}"));
    }
    Ok(host)
}

/// The journal's chain is whole, and reaches as far as was told.
pub fn keeps_journal(root: &Path, promised: Promised) -> Result<(), String> {
    let report = verify_journal(&root.join("state")).map_err(|error| error.to_string())?;
    match report.problems.is_empty() && report.to >= promised.journal {
        true => Ok(()),
        false => Err(format!("the journal is not whole up to {}: {report}", promised.journal)),
    }
}

/// In force on return of the open: the settings are an old state or a new one, and none that was promised is missing.
fn keeps_settings(host: &Host, promised: Promised) -> Result<(), String> {
    let settings = host.settings();
    let revision = settings["revision"].as_u64().unwrap();
    if revision < promised.revision {
        return Err(format!("settings of revision {} are lost: {revision}", promised.revision));
    }
    let plain = Customer::plain(revision);
    if plain.as_object().unwrap().iter().any(|(name, value)| settings[name] != *value) {
        return Err(format!("settings are mixed: {settings:#}"));
    }
    match settings["proxy"]["password"]["set"] == (revision > 0) {
        true => Ok(()),
        false => Err(format!("the password of revision {revision} is lost, or is there too early")),
    }
}

/// Everything that has to be so soon after a start. What is cheap to ask comes first: this is asked again and again.
fn healthy(host: &Host, root: &Path, promised: Promised, customer: &Customer) -> Result<(), String> {
    let says = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let (status, notices) = (host.licence(), host.notices());
    let newest = status.sequence.max(status.copy_sequence);
    let by_hand = customer.by_hand && status.copy_sequence != 0;
    says(status.state == ORS_LICENCE_VALID, "there is no licence")?;
    says(newest >= promised.sequence, "a licence that was promised is lost")?;
    says(notices.announcement == 0 || notices.announcement > promised.acknowledged, "an acknowledgement is lost")?;
    says(by_hand || notices.notices & ORS_NOTICE_MANUAL_COPY == 0, "a person has to copy")?;
    let files = files_below(root);
    let temporary: Vec<_> = files.iter().filter(|path| path.to_string_lossy().contains(".ors-")).collect();
    says(temporary.is_empty(), &format!("temporary files stay: {temporary:?}"))?;
    let waits =
        |path: &PathBuf| path.starts_with("state/uploads") && path.extension().is_some_and(|kind| kind == "lic");
    says(by_hand || !files.iter().any(waits), "an upload is not dealt with")?;
    let (envelope, brought) = (customer.envelope(newest), customer.brought(newest));
    if by_hand {
        says(status.copy_sequence == newest, "an older licence waits for a person than the one in use")?;
        holds(&root.join("state/copy"), &envelope, &brought)?;
    } else {
        says(
            fs::read(root.join("state/installed.ors.json")).is_ok_and(|copy| copy == envelope),
            "the copy is another",
        )?;
    }
    if !customer.by_hand {
        holds(&root.join("licences"), &envelope, &brought)?;
    }
    let told = host.diagnostics();
    says(told["role"] == "leader", "it does not lead")?;
    says(told["floor"].as_u64() >= Some(promised.floor), "the floor is lower than it was")?;
    says(told["keys"]["version"].as_u64() >= Some(promised.keys), "the key list is lost")?;
    says(customer.by_hand || told["installed"]["source"] == "folder", "the licence is not in its folder")
}

/// A folder holds a licence and what it brings, and nothing that an earlier one brought.
fn holds(folder: &Path, envelope: &[u8], brought: &Brought) -> Result<(), String> {
    let mut found = BTreeMap::new();
    let mut envelopes = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&path).map_err(|error| error.to_string())?;
        match name.ends_with(".ors.json") {
            true => envelopes.push(bytes),
            false if name == "ors-keys.json" => {}
            false => drop(found.insert(name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    match () {
        () if envelopes != [envelope] => Err(format!("{} holds other licences", folder.display())),
        () if found != *brought => Err(format!("{} holds {found:?} and not {brought:?}", folder.display())),
        () => Ok(()),
    }
}

/// Every path below a folder, from there.
fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        // The library is at work here: what is listed may be gone.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            found.push(path.strip_prefix(root).unwrap().to_owned());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
        }
    }
    found
}
