//! Every byte of every file of ours changed, every length cut: the library starts all the same, and is healthy or says what it
//! has lost; the floor stays, and no licence comes of it that nobody made. What is said of each file is what
//! docs/operations.md says of it.

use crate::customer::Customer;
use crate::judge::{self, Unhurried};
use crate::site::{Deeds, Site, until, until_in_folder};
use crate::states::{Image, States, Tree};
use crate::support::PRODUCT;
use crate::support::host::Host;
use crate::support::table::{count, row};
use ors::ffi::*;
use ors::licence::{Keyring, Product, verify};
use ors::store::{lent, verify_journal};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What the damage of one file may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// Nothing; the other copy counts, and the damaged one is named and mended.
    TheOtherCopyCounts,
    /// Nothing; it is made again from what else there is.
    MadeAgain,
    /// The password, which has to be entered again.
    Password,
    /// Lines of the journal, and the chain's verification says so unless it was the last line.
    Journal,
    /// A copy that only a person would look for.
    Itself,
}

/// What lies on the disk, and what was told last.
struct Used {
    image: Image,
    customer: Customer,
    installed: Value,
}

/// One damage to one file.
struct Trial<'a> {
    used: &'a Used,
    path: &'a Path,
    bytes: Vec<u8>,
    what: String,
}

impl Used {
    /// A site that has been used for everything.
    fn for_everything() -> Used {
        let site = Site::used();
        let ledger = site.record(|ledger| {
            let host = site.open().unwrap();
            let deeds = Deeds { host: &host, ledger, customer: &site.customer };
            deeds.set(1).unwrap();
            deeds.install(8).unwrap();
            until_in_folder(&host, 8);
            until(&host, "announced", || host.notices().announcement == 8);
            deeds.acknowledge(8).unwrap();
            deeds.install_keys().unwrap();
            let list = site.root().join("licences/ors-keys.json");
            until(&host, "the list lies beside the licence", || list.exists());
        });
        drop(ledger);
        // As if the journal had been rotated here.
        let state = site.root().join("state");
        fs::rename(state.join("journal.jsonl"), state.join("journal-1.jsonl")).unwrap();
        let host = site.open().unwrap();
        until_in_folder(&host, 8);
        let installed = host.diagnostics()["installed"].clone();
        drop(host);
        Used { image: States::live(&Tree::read(site.root()), &[]), customer: site.customer, installed }
    }

    /// One whose licence 9 waits for a person, since its folder is away.
    fn by_hand() -> Used {
        let mut used = Used::for_everything();
        let place = judge::place();
        judge::lay_out(&used.image, place.path());
        fs::remove_dir_all(place.path().join("licences")).unwrap();
        let host = Host::open(&used.customer.options(place.path())).unwrap();
        host.install(&used.customer.envelope(9)).1.unwrap();
        until(&host, "a person is asked", || host.licence().copy_sequence == 9);
        drop(host);
        used.image = States::live(&Tree::read(place.path()), &[]);
        used.customer.by_hand = true;
        used
    }

    /// Tries everything that `damages` makes of each file. One row of the table.
    fn try_all(&self, what: &str, is_tried: impl Fn(&Path) -> bool, damages: impl Fn(&[u8]) -> Vec<(String, Vec<u8>)>) {
        let begun = Instant::now();
        let mut trials = Vec::new();
        for (path, content) in &self.image {
            let Some(content) = content.as_ref().filter(|_| is_tried(path)) else { continue };
            let damages = damages(content).into_iter().filter(|(_, bytes)| bytes[..] != content[..]);
            trials.extend(damages.map(|(what, bytes)| Trial { used: self, path, bytes, what }));
        }
        let harmed = Mutex::new(0);
        judge::side_by_side(&trials, |trial| {
            let Err(why) = judge::caught(|| trial.run()) else { return true };
            let mut harmed = harmed.lock().unwrap();
            *harmed += 1;
            if *harmed <= 5 {
                eprintln!("{}, {}: {why}", trial.path.display(), trial.what);
            }
            *harmed < judge::ENOUGH
        });
        let harmed = harmed.into_inner().unwrap();
        println!("{what}: {} tried, {harmed} harmed, {:.1} s", trials.len(), begun.elapsed().as_secs_f64());
        row(&format!("damage to one file: {what}"), trials.len() as u64, harmed);
    }
}

fn cost_of(path: &Path) -> Cost {
    let name = path.file_name().unwrap().to_str().unwrap();
    match name.rsplit_once('.').unwrap().1 {
        _ if path.starts_with("state/backup") || path.starts_with("state/uploads") => Cost::Itself,
        "a" | "b" => Cost::TheOtherCopyCounts,
        "sealed" | "key" => Cost::Password,
        "jsonl" => Cost::Journal,
        _ => Cost::MadeAgain,
    }
}

impl Trial<'_> {
    fn run(&self) -> Result<(), String> {
        let place = judge::place();
        let root = place.path();
        judge::lay_out(&self.used.image, root);
        let damaged = root.join(self.path);
        fs::write(&damaged, &self.bytes).unwrap();
        let _lent = lent::lend(&root.join("state"), Arc::new(Unhurried));
        let host = self.used.customer.open(root)?;
        let cost = cost_of(self.path);
        self.first_answer(&host, cost)?;
        let whole = self.used.image[self.path].as_deref().unwrap();
        let harmless = self.is_still_signed(whole);
        until(&host, "well again", || {
            let again = || fs::read(&damaged).is_ok_and(|bytes| bytes == whole);
            (cost != Cost::MadeAgain || harmless || again()) && self.is_well(&host)
        });
        let told = host.diagnostics();
        let notes = told["notes"].to_string();
        let name = self.path.file_name().unwrap().to_str().unwrap();
        match cost {
            Cost::TheOtherCopyCounts => {
                if !notes.contains(&format!("{name} is damaged")) {
                    return Err(format!("not told: {notes}"));
                }
                let (a, b) = (damaged.with_extension("a"), damaged.with_extension("b"));
                until(&host, "mended", || fs::read(&a).unwrap() == fs::read(&b).unwrap());
            }
            Cost::Password if !notes.contains("secrets") => return Err(format!("not told: {notes}")),
            Cost::Password => host.set(&json!({ "proxy": { "password": "again" } })).map_err(|no| format!("{no:?}"))?,
            Cost::MadeAgain | Cost::Journal | Cost::Itself => {}
        }
        if host.close() != ORS_OK {
            return Err("it does not end".to_owned());
        }
        let report = verify_journal(&root.join("state")).map_err(|error| error.to_string())?;
        let damage_shows = !report.problems.is_empty() || notes.contains("journal");
        match cost {
            Cost::Journal if !damage_shows && !self.is_in_the_last_line(whole) => {
                Err("the journal seems whole".to_owned())
            }
            Cost::Journal => Ok(()),
            _ if damage_shows => Err(format!("{report}, {notes}")),
            _ => Ok(()),
        }
    }

    /// In force on return of the open.
    fn first_answer(&self, host: &Host, cost: Cost) -> Result<(), String> {
        let status = host.licence();
        if (status.state, status.sequence) != (ORS_LICENCE_VALID, 8) {
            return Err(format!("the first answer is state {}, licence {}", status.state, status.sequence));
        }
        let settings = host.settings();
        let plain = Customer::plain(1);
        if plain.as_object().unwrap().iter().any(|(name, value)| settings[name] != *value) {
            return Err(format!("settings are lost: {settings}"));
        }
        match settings["proxy"]["password"]["set"] == (cost != Cost::Password) {
            true => Ok(()),
            false => Err("the password is lost, or still there".to_owned()),
        }
    }

    /// The very licence is in use, the floor stands, the announcement stays acknowledged, the newest keys count.
    fn is_well(&self, host: &Host) -> bool {
        let by_hand = self.used.customer.by_hand;
        let bits = if by_hand { ORS_NOTICE_MANUAL_COPY } else { 0 };
        let copy_sequence = if by_hand { 9 } else { 0 };
        if host.notices().notices != bits || host.licence().copy_sequence != copy_sequence {
            return false;
        }
        let told = host.diagnostics();
        let is_it = |member: &str| told["installed"][member] == self.used.installed[member];
        let in_place = is_it("sequence") && is_it("digest") && (by_hand || is_it("source"));
        in_place && told["floor"] == 8 && told["keys"]["version"] == 1 && told["role"] == "leader"
    }

    /// Whether it is still what the vendor signed. Only the hint, which key to try first, is not signed.
    fn is_still_signed(&self, whole: &[u8]) -> bool {
        let keys = Keyring::from_host(&self.used.customer.vendor.trusted()).unwrap();
        let digest =
            |bytes| verify(bytes, &keys, &Product::parse(PRODUCT).unwrap()).ok().map(|genuine| genuine.digest());
        let is_licence = digest(&self.bytes).is_some_and(|found| digest(whole) == Some(found));
        is_licence || keys.advance_chain(&self.bytes).is_ok()
    }

    /// Nothing vouches for that one until another follows it.
    fn is_in_the_last_line(&self, whole: &[u8]) -> bool {
        let before = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.path.ends_with("journal.jsonl") && self.bytes.get(..before) == whole.get(..before)
    }
}

/// Where a file is damaged: everywhere; in `tests/run`, of a file over 512 bytes, at every third of them.
fn places(length: usize) -> impl Iterator<Item = usize> {
    let step = if length > 512 { count(3, 1) } else { 1 };
    (0..length).step_by(usize::try_from(step).unwrap())
}

fn each_byte(bytes: &[u8], change: impl Fn(usize, u8) -> u8) -> Vec<(String, Vec<u8>)> {
    let one = |at: usize| {
        let mut changed = bytes.to_owned();
        changed[at] = change(at, changed[at]);
        (format!("byte {at} is {:#04x}", changed[at]), changed)
    };
    places(bytes.len()).map(one).collect()
}

fn one_bit(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    each_byte(bytes, |at, byte| byte ^ 1 << (at % 8))
}

fn cuts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    places(bytes.len()).map(|length| (format!("cut at {length}"), bytes[..length].to_owned())).collect()
}

fn of(what: &str) -> String {
    let places = if count(0, 1) == 1 { "" } else { " (of files over 512 bytes every third)" };
    format!("{what}{places}")
}

#[test]
fn no_changed_byte_of_any_file_costs_more_than_is_said_of_it() {
    let used = Used::for_everything();
    used.try_all(&of("one bit of each byte"), |_| true, one_bit);
    if count(0, 1) == 1 {
        used.try_all("each byte inverted", |_| true, |bytes| each_byte(bytes, |_, byte| !byte));
        used.try_all("each byte zero", |_| true, |bytes| each_byte(bytes, |_, _| 0));
    }
}

#[test]
fn no_cut_of_any_file_costs_more_than_is_said_of_it() {
    Used::for_everything().try_all(&of("each length cut"), |_| true, cuts);
}

#[test]
fn no_damage_to_what_waits_for_a_person_costs_more_than_is_said_of_it() {
    let used = Used::by_hand();
    // The other files are tried above.
    let waits = |path: &Path| path.starts_with("state/copy") || path.starts_with("state/uploads");
    used.try_all(&of("one bit of each byte of what waits for a person"), waits, one_bit);
    used.try_all(&of("each length cut of what waits for a person"), waits, cuts);
}
