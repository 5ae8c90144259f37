//! What a runtime knows between two looks at the folder: the documents of the state folder, and the verified copy.
//!
//! Every process reads them; only the leader writes the ones named here. Each is written before anything is built on it,
//! and each can be lost: a fresh start begins from what it finds.

use super::announce::Announcements;
use super::putting::Putting;
use super::standing::Standing;
use super::told::Told;
use crate::floating::manual::{self, Waiting};
use crate::licence::{
    Choice, Content, Day, Digest, Genuine, KeyChain, KeyStatus, Keyring, Known, MAX_LICENCE_BYTES, Mark, Product,
    Serial, Source, hex, verify,
};
use crate::store::{
    Access, FileStamp, Settings, StateFolder, StoreError, document, handover, handover::Acknowledged, passes,
    read_limited, replace, stamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

/// The verified copy of the licence in use.
pub const COPY_FILE: &str = "installed.ors.json";
/// The newest key list with the steps to it.
pub const KEYS_FILE: &str = "keys.json";
const COPY_NOT_USED: &str = "The verified copy of the licence is not used";
const KEYS_NOT_USED: &str = "The stored key list is not used";
const STATE: &str = "state";
const FLOOR: &str = "floor";

/// The leader's own document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub serial: Option<Serial>,
    /// Revision of the licence path under which the serial was fixed: a later one lets another serial in.
    pub path_revision: u64,
    /// Settings revision of the last `confirm_serial` that was acted on.
    pub confirmed_revision: u64,
    pub announcements: Announcements,
    pub mark: Mark,
    /// What a signed time file has to answer; replaced after use.
    pub challenge: String,
    /// The licence in use that was followed last, by digest.
    followed: String,
    /// What the journal tells.
    pub told: Told,
    /// The install that has not come to its end.
    pub putting: Option<Putting>,
    /// Boot-time seconds of the last times a licence was put back, with the boot they belong to.
    pub put_back: Vec<u64>,
    pub put_back_boot: String,
}

/// The highest sequence that was ever read back from the licence folder, for each signing key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    serial: Option<Serial>,
    keys: BTreeMap<String, Level>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Level {
    sequence: u64,
    digest: String,
}

impl Floor {
    /// The floor for `serial`: that of a revoked key does not count.
    fn level(&self, serial: Option<&Serial>, keyring: &Keyring) -> (u64, Option<Digest>) {
        if self.serial.as_ref() != serial {
            return (0, None);
        }
        let counts = |key: &str| {
            !keyring.keys().iter().any(|known| known.status == KeyStatus::Revoked && known.fingerprint() == key)
        };
        let best = self.keys.iter().filter(|(key, _)| counts(key)).max_by_key(|(_, level)| level.sequence);
        best.map_or((0, None), |(_, level)| (level.sequence, digest(&level.digest)))
    }

    /// Raises the floor to an installed licence. Returns whether that changed anything.
    fn raise(&mut self, genuine: &Genuine) -> bool {
        let licence = genuine.licence();
        if self.serial.as_ref() != Some(&licence.serial) {
            *self = Floor { serial: Some(licence.serial.clone()), keys: BTreeMap::new() };
        }
        let sequence = licence.sequence.get();
        let key = genuine.key_fingerprint().to_owned();
        if self.keys.get(&key).is_some_and(|level| level.sequence >= sequence) {
            return false;
        }
        self.keys.insert(key, Level { sequence, digest: hex(&genuine.digest()) });
        true
    }
}

fn digest(text: &str) -> Option<Digest> {
    let mut out = Digest::default();
    if text.len() != out.len() * 2 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}

/// What tells whether another process wrote something.
pub type Stamps = ([document::Stamp; 5], [Option<FileStamp>; 4]);

/// All that is known.
pub struct Memory {
    pub folder: StateFolder,
    pub product: Product,
    host_keys: Keyring,
    pub keyring: Keyring,
    pub chain: KeyChain,
    pub state: State,
    state_revision: u64,
    floor: Floor,
    floor_revision: u64,
    pub copy: Option<Genuine>,
    pub settings: Settings,
    pub acknowledged: Acknowledged,
    pub waiting: Option<Waiting>,
}

impl Memory {
    /// Reads everything. The second part names what was damaged.
    pub fn load(
        folder: StateFolder,
        product: Product,
        host_keys: Keyring,
    ) -> Result<(Memory, Vec<String>), StoreError> {
        let (settings, mut notes) = Settings::load(&folder)?;
        let mut memory = Memory {
            keyring: host_keys.clone(),
            chain: KeyChain::default(),
            state: State::default(),
            state_revision: 0,
            floor: Floor::default(),
            floor_revision: 0,
            copy: None,
            settings,
            acknowledged: Acknowledged::default(),
            waiting: None,
            folder,
            product,
            host_keys,
        };
        notes.extend(memory.reload()?);
        Ok((memory, notes))
    }

    /// Reads what the leader wrote, anew. What cannot be read just now is an error, and everything is as it was.
    pub fn reload(&mut self) -> Result<Vec<String>, StoreError> {
        self.read(false)
    }

    /// The same for the one who writes it from now on: on top of the newest, or not at all.
    pub fn take_over(&mut self) -> Result<(), StoreError> {
        let (settings, _) = Settings::load_newest(&self.folder)?;
        self.settings = settings;
        self.read(true).map(drop)
    }

    /// Makes both copies of each document the same, so that nothing older can come back. Leader only.
    pub fn mend(&self) -> Result<(), StoreError> {
        document::mend::<State>(&self.folder, STATE)?;
        document::mend::<Floor>(&self.folder, FLOOR)?;
        Settings::mend(&self.folder)?;
        handover::mend(&self.folder)
    }

    fn read(&mut self, to_change: bool) -> Result<Vec<String>, StoreError> {
        let mut notes = Vec::new();
        let mut state = document::read::<State>(&self.folder, STATE)?;
        let mut floor = document::read::<Floor>(&self.folder, FLOOR)?;
        let mut acknowledged = handover::read_acknowledged(&self.folder)?;
        if to_change {
            (state, floor, acknowledged) = (state.to_change()?, floor.to_change()?, acknowledged.to_change()?);
        }
        notes.extend(damage(&state.damaged, state.value.is_none()));
        notes.extend(damage(&floor.damaged, floor.value.is_none()));
        notes.extend(damage(&acknowledged.damaged, acknowledged.value.is_none()));
        let (keyring, chain) = self.read_keys(&mut notes)?;
        let copy = match self.read_kept(COPY_FILE, COPY_NOT_USED, &mut notes)? {
            Some(bytes) => verify(&bytes, &keyring, &self.product)
                .inspect_err(|refusal| notes.push(format!("{COPY_NOT_USED}: {}", refusal.detail)))
                .ok(),
            None => None,
        };
        let waiting = manual::waiting(&self.folder, &keyring, &self.product)?;

        self.state_revision = state.revision;
        // What was acted on is lost with a damaged state; that must not let another serial in once more.
        self.state = state.value.unwrap_or_else(|| match state.damaged.as_slice() {
            [] => State::default(),
            _ => State {
                path_revision: self.settings.licence_path_revision,
                confirmed_revision: self.settings.changed_at("confirm_serial"),
                ..State::default()
            },
        });
        self.floor_revision = floor.revision;
        self.floor = floor.value.unwrap_or_default();
        self.acknowledged = acknowledged.value.unwrap_or_default();
        (self.keyring, self.chain, self.copy, self.waiting) = (keyring, chain, copy, waiting);
        Ok(notes)
    }

    /// What any process may have acknowledged.
    pub fn reload_acknowledged(&mut self) -> Result<(), StoreError> {
        self.acknowledged = handover::read_acknowledged(&self.folder)?.to_change()?.value.unwrap_or_default();
        Ok(())
    }

    /// A file of ours, if it is there and can be read at all.
    fn read_kept(&self, name: &str, not_used: &str, notes: &mut Vec<String>) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.folder.file(name);
        match read_limited(&path, MAX_LICENCE_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if passes(&error) => Err(StoreError::io(&format!("read {name}"), &path)(error)),
            Err(error) => {
                notes.push(format!("{not_used}: {error}"));
                Ok(None)
            }
        }
    }

    fn read_keys(&self, notes: &mut Vec<String>) -> Result<(Keyring, KeyChain), StoreError> {
        if let Some(bytes) = self.read_kept(KEYS_FILE, KEYS_NOT_USED, notes)? {
            match (KeyChain::parse(&bytes), self.host_keys.advance_chain(&bytes)) {
                (Ok(chain), Ok((keyring, _))) => return Ok((keyring, chain)),
                (Err(refusal), _) | (_, Err(refusal)) => notes.push(format!("{KEYS_NOT_USED}: {}", refusal.detail)),
            }
        }
        Ok((self.host_keys.clone(), KeyChain::default()))
    }

    /// The serial this installation is fixed to; a lost state document does not loosen it.
    pub fn serial(&self) -> Option<Serial> {
        let copy = || self.copy.as_ref().map(|copy| copy.licence().serial.clone());
        self.state.serial.clone().or_else(|| self.floor.serial.clone()).or_else(copy)
    }

    /// A serial that an administrator confirmed and that was not acted on yet.
    fn confirming(&self) -> Option<Serial> {
        let pending = self.settings.changed_at("confirm_serial") > self.state.confirmed_revision;
        self.settings.confirm_serial.as_deref().filter(|_| pending).and_then(|serial| Serial::parse(serial).ok())
    }

    /// What the choice among the files of the folder depends on.
    pub fn known(&self, named: Option<String>) -> Known {
        let serial = self.serial();
        let (floor, floor_digest) = self.floor.level(serial.as_ref(), &self.keyring);
        Known {
            serial_may_change: self.settings.licence_path_revision > self.state.path_revision,
            confirmed: self.confirming(),
            serial,
            named,
            floor,
            floor_digest,
            copy: self.copy.clone(),
        }
    }

    /// What an upload is judged against.
    pub fn standing(&self, choice: &Choice, coming: Option<Genuine>) -> Standing {
        let serial =
            choice.in_use.as_ref().map(|(genuine, _)| genuine.licence().serial.clone()).or_else(|| self.serial());
        let (floor, floor_digest) = self.floor.level(serial.as_ref(), &self.keyring);
        Standing {
            keyring: self.keyring.clone(),
            product: self.product.clone(),
            serial,
            confirmed: self.confirming(),
            in_use: choice.in_use.as_ref().map(|(genuine, _)| genuine.clone()),
            coming: coming.or_else(|| self.waiting.as_ref().map(|waiting| waiting.genuine.clone())),
            floor,
            floor_digest,
            challenge: self.state.challenge.clone(),
        }
    }

    /// Follows the licence in use: copy and floor, each durable before the next. Leader only. Returns the leader's document
    /// as it has to be then, with serial, mark and announcements: to be saved when the journal tells of it.
    pub fn follow(&mut self, genuine: &Genuine, source: &Source, now: i64, today: Day) -> Result<State, StoreError> {
        let licence = genuine.licence();
        let from_folder = matches!(source, Source::Folder(_));
        if from_folder && self.copy.as_ref().map(Genuine::digest) != Some(genuine.digest()) {
            let path = self.folder.file(COPY_FILE);
            replace(self.folder.disk().as_ref(), &path, genuine.bytes(), Access::Owner)
                .map_err(|error| StoreError::Io { what: "write the verified copy".to_owned(), path, error })?;
            self.copy = Some(genuine.clone());
        }
        let mut floor = self.floor.clone();
        if from_folder && floor.raise(genuine) {
            document::write(&self.folder, FLOOR, self.floor_revision + 1, &floor)?;
            self.floor_revision += 1;
            self.floor = floor;
        }
        let mut state = self.state.clone();
        if state.serial.as_ref() != Some(&licence.serial) {
            if state.serial.is_some() {
                state.announcements.start_anew();
            }
            state.serial = Some(licence.serial.clone());
        }
        if from_folder {
            state.path_revision = self.settings.licence_path_revision;
            if self.confirming().is_some_and(|confirmed| confirmed == licence.serial) {
                state.confirmed_revision = self.settings.changed_at("confirm_serial");
            }
        }
        state.announcements.follow(Content::of(licence, today), self.acknowledged.id, now);
        let digest = hex(&genuine.digest());
        state.mark.licence_issued(licence.issued_at, state.followed != digest);
        state.followed = digest;
        Ok(state)
    }

    /// Whether this very licence is the verified copy, which is on the disk for good.
    pub fn keeps(&self, genuine: &Genuine) -> bool {
        self.copy.as_ref().is_some_and(|copy| copy.digest() == genuine.digest())
    }

    /// The same knowledge under a newer key list that was found elsewhere; nothing is written.
    pub fn with_keyring(mut self, keyring: Keyring) -> Memory {
        if keyring.version() != self.keyring.version() {
            self.keyring = keyring;
            self.judge_anew();
        }
        self
    }

    /// A key may have been revoked: what was verified is verified again.
    fn judge_anew(&mut self) {
        if let Some(copy) = self.copy.take() {
            self.copy = verify(copy.bytes(), &self.keyring, &self.product).ok();
        }
        let genuine = |waiting: &Waiting| verify(waiting.genuine.bytes(), &self.keyring, &self.product).is_ok();
        self.waiting = manual::waiting(&self.folder, &self.keyring, &self.product)
            .unwrap_or_else(|_| self.waiting.take().filter(genuine));
    }

    /// What changes when another process wrote something.
    pub fn stamps(&self) -> Stamps {
        let documents = ["settings", "acknowledged", "restart", STATE, FLOOR];
        let files = [COPY_FILE, KEYS_FILE, "uploads", manual::FOLDER];
        (documents.map(|name| document::stamp(&self.folder, name)), files.map(|name| stamp(&self.folder.file(name))))
    }

    /// Writes the leader's document when it changed.
    pub fn save(&mut self, state: State) -> Result<(), StoreError> {
        if state == self.state {
            return Ok(());
        }
        document::write(&self.folder, STATE, self.state_revision + 1, &state)?;
        self.state_revision += 1;
        self.state = state;
        Ok(())
    }

    /// Takes the next steps of the key list. Leader only.
    pub fn take_keys(&mut self, keyring: Keyring, steps: &[crate::licence::Envelope]) -> Result<(), StoreError> {
        let mut chain = self.chain.clone();
        for step in steps {
            if !chain.push(step.clone()) {
                return Err(StoreError::Limit("the key lists together are larger than 1 MiB".to_owned()));
            }
        }
        let path = self.folder.file(KEYS_FILE);
        replace(self.folder.disk().as_ref(), &path, &chain.to_json(), Access::Owner)
            .map_err(|error| StoreError::Io { what: "write the key list".to_owned(), path, error })?;
        self.chain = chain;
        self.keyring = keyring;
        self.judge_anew();
        Ok(())
    }
}

fn damage(copies: &[String], lost: bool) -> Option<String> {
    match (copies, lost) {
        ([], _) => None,
        (copies, false) => Some(format!("A damaged copy of a state document is not used: {}.", copies.join(", "))),
        (copies, true) => Some(format!(
            "Both copies of a state document are damaged: {}. It is made anew from what is installed.",
            copies.join(", ")
        )),
    }
}
