//! From what the worker knows to what readers see.

use super::view::{Folder, View, contact_text, service_token};
use super::worker::Worker;
use crate::floating::FolderState;
use crate::licence::{Choice, Judged, Moment, Reason};
use crate::notice::{Facts, LicenceState, MANUAL_COPY, NEW_FEATURES, SERVICE_UNREACHABLE};
use crate::store::ReadOnlyPart;
use serde_json::json;

pub const SERVICE_OFF: u32 = 0;
const SERVICE_STARTING: u32 = 1;
pub const SERVICE_READY: u32 = 2;
const SERVICE_STOPPING: u32 = 3;

impl Worker {
    /// Publishes what holds now. Nothing is published twice: readers are woken only by news.
    pub(super) fn publish(&mut self, choice: &Choice, moment: &Moment) {
        let judged = self.judged(moment);
        let parts = self.parts();
        let place = self.scan.as_ref().map(|scan| &scan.place.folder).or(parts.folder);
        let folder = place.map(|path| path.display().to_string()).unwrap_or_default();
        let folder_state = match (parts.folder, self.scan_state()) {
            (None, _) => Folder::NotSet,
            _ if parts.hung => Folder::Hung,
            (Some(_), None) => Folder::NotRead,
            (Some(_), Some(state)) => Folder::Seen(state.clone()),
        };
        let shown = self.memory.state.announcements.shown(self.memory.acknowledged.id);
        let waiting = self.memory.waiting.clone();
        let service = self.service();
        let account = self.office.account().clone();
        let mut facts = facts_of(choice, &folder_state, &judged);
        facts.service = service;
        if let Some((id, _)) = &shown {
            facts.steady |= NEW_FEATURES;
            facts.announcement = *id;
        }
        if let Some(waiting) = &waiting {
            facts.steady |= MANUAL_COPY;
            facts.copy_sequence = waiting.genuine.licence().sequence.get();
        }
        if self.memory.settings.enabled && account.is_unreachable(self.memory.settings.unreachable_hours, moment) {
            facts.steady |= SERVICE_UNREACHABLE;
        }
        if choice.in_use.is_none() {
            // NO_LICENCE excludes it: there is nothing that could have changed.
            facts.steady &= !NEW_FEATURES;
            facts.announcement = 0;
        }
        let role = if self.leads() { "leader" } else { "follower" };
        let standing = self.memory.standing(choice, self.coming());
        let settings = self.memory.settings.to_json(ReadOnlyPart {
            serial: standing.serial.as_ref().map(|serial| serial.as_str().to_owned()),
            runtime: json!({ "state": service_token(service), "role": role }),
            clock_challenge: Some(standing.challenge.clone()).filter(|challenge| !challenge.is_empty()),
            contact: contact_text(&account),
            enrolment: account.enrolment.token(),
            fingerprint: account.fingerprint.clone(),
            service_account: None,
        });
        let view = View {
            facts,
            judged,
            in_use: choice.in_use.clone(),
            files: choice.files.clone(),
            reason: facts.reason,
            folder,
            folder_state,
            waiting,
            announcements: self.memory.state.announcements.clone(),
            acknowledged: self.memory.acknowledged.id,
            settings,
            account,
            failure: self.office.failure.clone(),
            report: self.office.report(),
            language: self.memory.settings.language.clone(),
            standing: Some(standing),
            role,
            state_folder: Some(self.memory.folder.path().to_owned()),
            mark: self.memory.state.mark.at,
            journal: parts.journal.map(|journal| {
                let (chain, n, _) = journal.head();
                (chain, n)
            }),
            secrets_bound: self.secrets_bound,
            counters: parts.counters.clone(),
            notes: parts.notes.to_vec(),
        };
        let owner = parts.owner;
        self.runtime.board.publish(owner, view, moment.local);
        if self.scan.is_some() || self.parts().folder.is_none() {
            self.runtime.set_settled();
        }
    }
}

impl Worker {
    /// What the runtime does. A process that does not lead, or a product without a back office, has nothing to start.
    fn service(&self) -> u32 {
        if self.restarting {
            return SERVICE_STOPPING;
        }
        let (up, going_down) = self.office.lines();
        let talks = self.leads() && self.options.office.is_some() && self.memory.serial().is_some();
        match self.memory.settings.enabled {
            true if talks && !up => SERVICE_STARTING,
            true => SERVICE_READY,
            false if going_down => SERVICE_STOPPING,
            false => SERVICE_OFF,
        }
    }
}

/// The integers for a choice. `Failed` and a folder that was not read yet leave the licence unknown where there is no copy.
pub fn facts_of(choice: &Choice, folder: &Folder, judged: &Judged) -> Facts {
    if let Some((genuine, _)) = &choice.in_use {
        return Facts::of(genuine.licence(), judged);
    }
    let definite = |reason: Reason| {
        let state = if choice.files.is_empty() { LicenceState::Missing } else { LicenceState::Refused };
        Facts::none(state, reason, judged)
    };
    match folder {
        Folder::Seen(FolderState::Read) => definite(choice.reason),
        Folder::Seen(FolderState::Missing(_)) => Facts::none(LicenceState::Missing, Reason::NoLicence, judged),
        Folder::Seen(FolderState::Unreadable(_)) => Facts::none(LicenceState::Missing, Reason::Unreadable, judged),
        Folder::NotSet => Facts::none(LicenceState::Missing, Reason::NoLicence, judged),
        Folder::NotRead | Folder::Hung | Folder::Seen(FolderState::Failed(_)) => {
            Facts::none(LicenceState::Unknown, Reason::None, judged)
        }
    }
}
