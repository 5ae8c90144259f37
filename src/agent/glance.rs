//! One look without a lasting thread: for an agent that is opened read only, and for the installer.
//!
//! Everything is read once, nothing is written. A folder on a share is looked at by one disposable thread with a bound,
//! since a dead server may hold it for ever; a local folder by the caller's own.

use super::memory::Memory;
use super::publish::facts_of;
use super::view::{Folder, View, contact_text};
use super::{Error, errand, error::Kind};
use crate::clock;
use crate::floating::scan::{Ask, FolderState};
use crate::floating::{Content, Scan, remote, scan};
use crate::licence::{Candidate, Choice, Genuine, Judged, Keyring, Known, Mark, Moment, Product, choose, verify};
use crate::notice::{MANUAL_COPY, NEW_FEATURES, SERVICE_UNREACHABLE};
use crate::office::Account;
use crate::store::{ReadOnlyPart, Settings, StateFolder, secrets};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What one look found.
pub struct Glance {
    pub choice: Choice,
    pub folder: PathBuf,
    pub folder_state: Folder,
    pub mark: Mark,
    pub moment: Moment,
    keyring: Keyring,
    product: Product,
    memory: Option<Memory>,
    notes: Vec<String>,
}

/// What to look at.
#[derive(Clone)]
pub struct Wanted {
    pub product: Product,
    pub keyring: Keyring,
    pub licence_folder: Option<PathBuf>,
    pub state_folder: Option<PathBuf>,
    /// The path in the settings goes before `licence_folder`.
    pub heed_settings: bool,
}

impl Wanted {
    /// Looks, for `wait` at most where the folder is on another machine.
    pub fn look(&self, wait: Duration) -> Result<Glance, Error> {
        if !remote::any_remote(&self.paths()) {
            return self.look_now();
        }
        let own = self.clone();
        errand::run(&format!("a look at {:?}", self.paths()), wait, move || own.look_now())?.unwrap_or_else(|| {
            Err(Error::new(
                Kind::Timeout,
                "licence_folder",
                "The licence folder is on a share that did not answer in time.",
            ))
        })
    }

    fn paths(&self) -> Vec<&Path> {
        [self.licence_folder.as_deref(), self.state_folder.as_deref()].into_iter().flatten().collect()
    }

    fn look_now(&self) -> Result<Glance, Error> {
        let mut notes = Vec::new();
        let state = self.state_folder.as_deref().and_then(StateFolder::existing);
        let memory = match state {
            Some(folder) => {
                let (memory, damaged) = Memory::load(folder, self.product.clone(), self.keyring.clone())?;
                notes.extend(damaged);
                Some(memory)
            }
            None => None,
        };
        let set =
            memory.as_ref().filter(|_| self.heed_settings).and_then(|memory| memory.settings.licence_path.clone());
        let path = set.filter(|path| !path.is_empty()).map(PathBuf::from).or_else(|| self.licence_folder.clone());
        let mut scan = path.as_deref().map(|path| scan(path, &Ask::default()));
        let mut keyring = memory.as_ref().map_or(&self.keyring, |memory| &memory.keyring).clone();
        if let Some(bytes) = scan.as_mut().and_then(|scan| scan.keys.take()) {
            match keyring.advance_chain(&bytes) {
                Ok((newest, _)) => keyring = newest,
                Err(refusal) => {
                    notes.push(format!("ors-keys.json was refused ({}): {}", refusal.reason.token(), refusal.detail))
                }
            }
        }
        let memory = memory.map(|memory| memory.with_keyring(keyring.clone()));
        let named = scan.as_ref().and_then(|scan| scan.place.named.clone());
        let known = match &memory {
            Some(memory) => memory.known(named),
            None => Known { named, ..Known::default() },
        };
        let (folder, folder_state, choice) = match scan {
            Some(scan) => {
                let folder = scan.place.folder.clone();
                let state = Folder::Seen(scan.state.clone());
                (folder, state, choose(candidates(scan, &keyring, &self.product, known.copy.as_ref()), &known))
            }
            None => (PathBuf::new(), Folder::NotSet, choose(Vec::new(), &known)),
        };
        let mark = memory.as_ref().map(|memory| memory.state.mark.clone()).unwrap_or_default();
        Ok(Glance {
            choice,
            folder,
            folder_state,
            mark,
            moment: clock::moment(),
            keyring,
            product: self.product.clone(),
            memory,
            notes,
        })
    }
}

fn candidates(scan: Scan, keyring: &Keyring, product: &Product, copy: Option<&Genuine>) -> Vec<Candidate> {
    let judged = scan.files.into_iter().filter_map(|found| {
        let outcome = match found.content {
            // The very file of the verified copy, judged a moment ago by the same keys.
            Content::Bytes(bytes) => match copy.filter(|copy| copy.bytes()[..] == bytes) {
                Some(copy) => Ok(copy.clone()),
                None => verify(&bytes, keyring, product),
            },
            Content::Refused(refusal) => Err(refusal),
            Content::Known => return None,
        };
        Some(Candidate { file: found.file, outcome })
    });
    judged.collect()
}

impl Glance {
    /// How the local clock is to be judged. A licence just found says since when time has run, also where no state is kept.
    pub fn judged(&self) -> Judged {
        let mut mark = self.mark.clone();
        if let Some((genuine, _)) = &self.choice.in_use {
            let newer = self.memory.as_ref().and_then(|memory| memory.copy.as_ref()).map(Genuine::digest)
                != Some(genuine.digest());
            mark.licence_issued(genuine.licence().issued_at, newer);
        }
        mark.judge(&self.moment)
    }

    /// The definite reason why there is no licence, for the installer.
    pub fn folder_failed(&self) -> bool {
        matches!(
            &self.folder_state,
            Folder::Seen(FolderState::Missing(_) | FolderState::Unreadable(_) | FolderState::Failed(_))
        )
    }

    /// What an agent opened read only shows.
    pub fn view(&self) -> View {
        let judged = self.judged();
        let mut facts = facts_of(&self.choice, &self.folder_state, &judged);
        let mut view = View { judged, notes: self.notes.clone(), role: "read_only", ..View::empty() };
        match &self.memory {
            Some(memory) => {
                if self.choice.in_use.is_some()
                    && let Some((id, _)) = memory.state.announcements.shown(memory.acknowledged.id)
                {
                    facts.steady |= NEW_FEATURES;
                    facts.announcement = id;
                }
                if let Some(waiting) = &memory.waiting {
                    facts.steady |= MANUAL_COPY;
                    facts.copy_sequence = waiting.genuine.licence().sequence.get();
                }
                let standing = memory.standing(&self.choice, None);
                view.waiting.clone_from(&memory.waiting);
                view.announcements = memory.state.announcements.clone();
                view.acknowledged = memory.acknowledged.id;
                view.account = super::office::account_in(&memory.folder);
                if memory.settings.enabled
                    && view.account.is_unreachable(memory.settings.unreachable_hours, &self.moment)
                {
                    facts.steady |= SERVICE_UNREACHABLE;
                }
                let serial = standing.serial.as_ref().map(|serial| serial.as_str().to_owned());
                view.settings = settings_json(&memory.settings, serial, &view.account);
                view.language.clone_from(&memory.settings.language);
                view.standing = Some(standing);
                view.state_folder = Some(memory.folder.path().to_owned());
                view.secrets_bound = secrets::machine_bound();
                view.mark = memory.state.mark.at;
            }
            None => {
                let serial =
                    self.choice.in_use.as_ref().map(|(genuine, _)| genuine.licence().serial.as_str().to_owned());
                view.settings = settings_json(&Settings::default(), serial, &view.account);
                view.standing = Some(super::standing::Standing::without_state(
                    self.keyring.clone(),
                    self.product.clone(),
                    &self.choice,
                ));
            }
        }
        view.facts = facts;
        view.in_use = self.choice.in_use.clone();
        view.files = self.choice.files.clone();
        view.reason = facts.reason;
        view.folder = self.folder.display().to_string();
        view.folder_state = self.folder_state.clone();
        view
    }
}

fn settings_json(settings: &Settings, serial: Option<String>, account: &Account) -> serde_json::Value {
    let runtime = json!({ "state": "off", "role": "read_only" });
    settings.to_json(ReadOnlyPart {
        serial,
        runtime,
        clock_challenge: None,
        contact: contact_text(account),
        enrolment: account.enrolment.token(),
        fingerprint: account.fingerprint.clone(),
        service_account: None,
    })
}
