//! What the leader does beyond reading: takes uploads, puts licences into the folder, puts them back, repairs.
//!
//! Every step is decided from what lies on disk, so a leader that dies anywhere is followed by one that goes on.

use super::folder::{Failed, Job};
use super::log;
use super::putting::Putting;
use super::standing::Offer;
use super::worker::Worker;
use crate::clock;
use crate::floating::scan::FolderState;
use crate::floating::{is_licence_name, manual};
use crate::licence::{Choice, Genuine, Moment, Reason, Source, hex, sha256};
use crate::store::handover;
use std::path::PathBuf;

/// A licence that disappeared is put back this often in an hour; then a person is asked.
const PUT_BACKS: usize = 3;
const HOUR: u64 = 3_600;
/// A licence that waits for a person is tried again this often, in seconds: the share may be back.
const TRY_AGAIN: u64 = 60;

/// A licence on its way into the folder.
pub struct Placing {
    pub genuine: Genuine,
    /// The upload that brought it: dropped when it is in the folder or waits for a person.
    pub upload: Option<String>,
    /// Why, for the log.
    pub why: &'static str,
}

impl Worker {
    /// Judges what was uploaded. The highest licence is put on its way, lower ones are dropped.
    pub(super) fn take_uploads(&mut self, choice: &Choice, moment: &Moment) {
        if !self.uploads_waiting {
            return;
        }
        let uploads = match handover::uploads(&self.memory.folder) {
            Ok(uploads) => uploads,
            Err(error) => {
                self.say(log::WARNING, format!("The uploads cannot be read: {error}."));
                return;
            }
        };
        self.uploads_waiting = false;
        for upload in uploads {
            let standing = self.memory.standing(choice, self.coming());
            match standing.judge(&upload.bytes) {
                Ok(Offer::Licence(genuine)) => {
                    let line = format!("licence {} was uploaded", genuine.licence().sequence.get());
                    self.journal(moment, &upload.by, &line);
                    if let Some(lower) =
                        self.wanted.replace(Placing { genuine, upload: Some(upload.digest), why: "upload" })
                    {
                        self.drop_upload(lower.upload);
                    }
                }
                Ok(Offer::Present(genuine)) => {
                    let coming = self
                        .placing
                        .iter()
                        .chain(&self.wanted)
                        .any(|placing| placing.upload.as_ref() == Some(&upload.digest));
                    let in_use = choice.in_use.as_ref().is_some_and(|(used, _)| used.digest() == genuine.digest());
                    match (coming, in_use) {
                        (true, _) => {}
                        (false, true) if self.memory.keeps(&genuine) => self.drop_upload(Some(upload.digest)),
                        // Whoever put it into the folder may not have it on the disk yet.
                        (false, true) => self.uploads_waiting = true,
                        // It waits for a person; the upload asks to try the folder again, and stays until it is there.
                        (false, false) if self.placing.is_none() => self.retry_at = 0,
                        (false, false) => {}
                    }
                }
                Ok(Offer::Keys { keyring, steps }) => match self.memory.take_keys(keyring, &steps) {
                    Ok(()) => {
                        let line = format!("key list {} was taken", self.memory.keyring.version());
                        self.journal(moment, &upload.by, &line);
                        self.forget_folder();
                        self.keys_to_write = true;
                        self.drop_upload(Some(upload.digest));
                    }
                    Err(error) => self.trouble("The key list could not be stored", &error),
                },
                Ok(Offer::KeysPresent) => self.drop_upload(Some(upload.digest)),
                Ok(Offer::Time(time)) => {
                    let mut state = self.memory.state.clone();
                    state.mark.time_file(time);
                    state.challenge = new_challenge();
                    match self.memory.save(state) {
                        Ok(()) => {
                            self.journal(moment, &upload.by, &format!("a signed time was taken: {time}"));
                            self.drop_upload(Some(upload.digest));
                        }
                        Err(error) => self.trouble("The signed time could not be stored", &error),
                    }
                }
                Err(refusal) => {
                    self.say(
                        log::WARNING,
                        format!("An uploaded file was refused ({}): {}", refusal.reason.token(), refusal.detail),
                    );
                    self.drop_upload(Some(upload.digest));
                }
            }
        }
    }

    /// Once for each folder that may be written: what a killed leader left there half-written goes.
    pub(super) fn clear_folder(&mut self) {
        let read = self.scan.as_ref().filter(|scan| scan.state == FolderState::Read);
        let Some(folder) = read.map(|scan| scan.place.folder.clone()) else { return };
        if self.cleared.as_ref() == Some(&folder) || !self.may_write(&folder) {
            return;
        }
        let disk = self.memory.folder.disk().clone();
        if self.give(Job::Clear { folder: folder.clone(), disk, remote: self.remote }) {
            self.cleared = Some(folder);
        }
    }

    /// Decides whether something has to be written into the licence folder now, and starts it.
    pub(super) fn place(&mut self, choice: &Choice, moment: &Moment) {
        if self.folder.is_none() {
            // Nowhere to put anything: a person has to say where.
            if let Some(wanted) = self.wanted.take() {
                self.placed(wanted, Err(Failed::Other("no licence folder is set".to_owned())));
            }
            return;
        }
        if self.placing.is_some() || self.scan.is_none() || !self.seen_since_put {
            return;
        }
        if let Some(FolderState::Failed(_)) = self.scan_state() {
            return;
        }
        let newest = choice.in_use.as_ref().map_or(0, |(genuine, _)| genuine.licence().sequence.get());
        if let Some(waiting) = &self.memory.waiting
            && self.wanted.is_none()
        {
            let sequence = waiting.genuine.licence().sequence.get();
            let in_folder = matches!(&choice.in_use, Some((_, Source::Folder(_))));
            let kept = choice.in_use.as_ref().is_some_and(|(used, _)| self.memory.keeps(used));
            if kept && (sequence < newest || (sequence == newest && in_folder)) {
                self.clear_waiting();
            } else if moment.boot_seconds >= self.retry_at {
                let genuine = waiting.genuine.clone();
                self.retry_at = moment.boot_seconds + TRY_AGAIN;
                self.wanted = Some(Placing { genuine, upload: None, why: "retry" });
            } else {
                return;
            }
        }
        if self.copy_unsure && self.memory.waiting.is_none() {
            self.clear_waiting();
        }
        if self.wanted.is_none() {
            match &choice.in_use {
                // A file that is there and cannot be read is not gone, and may be a newer licence.
                Some((genuine, Source::Copy)) if !self.is_unread(&self.file_for(genuine)) => {
                    let genuine = genuine.clone();
                    self.put_back(genuine, "put back", moment);
                }
                Some((genuine, Source::Folder(_))) if !self.fls_fits(genuine) || self.is_cut_off(genuine) => {
                    let genuine = genuine.clone();
                    self.put_back(genuine, "repair", moment);
                }
                _ => {}
            }
        }
        match self.wanted.take() {
            // An upload may have waited through a kill, while a newer licence came into the folder.
            Some(wanted) if is_outdated(&wanted.genuine, choice) => self.give_up(wanted, "a newer one lies there"),
            Some(wanted) => self.start_placing(wanted, choice, moment),
            None => {}
        }
    }

    fn give_up(&mut self, placing: Placing, why: &str) {
        let sequence = placing.genuine.licence().sequence.get();
        self.say(log::WARNING, format!("Licence {sequence} is not put into the licence folder: {why}."));
        self.drop_upload(placing.upload);
    }

    fn is_unread(&self, file: &str) -> bool {
        let outcome = self.seen.get(file).map(|seen| &seen.outcome);
        matches!(outcome, Some(Err(refusal)) if refusal.reason == Reason::Unreadable)
    }

    fn put_back(&mut self, genuine: Genuine, why: &'static str, moment: &Moment) {
        let mut state = self.memory.state.clone();
        if state.put_back_boot != moment.boot {
            state.put_back.clear();
            state.put_back_boot.clone_from(&moment.boot);
        }
        state.put_back.retain(|at| moment.boot_seconds.saturating_sub(*at) < HOUR);
        if state.put_back.len() >= PUT_BACKS {
            if self.memory.waiting.is_none() && why == "put back" {
                self.wait_for_person(&genuine, "the licence disappeared from its folder again and again");
            }
            return;
        }
        state.put_back.push(moment.boot_seconds);
        match self.memory.save(state) {
            Ok(()) => self.wanted = Some(Placing { genuine, upload: None, why }),
            Err(error) => self.trouble("The state could not be stored", &error),
        }
    }

    /// Whether the floating server's files in the folder are those of the licence.
    fn fls_fits(&self, genuine: &Genuine) -> bool {
        let Some(scan) = &self.scan else { return true };
        genuine.licence().fls.iter().all(|file| {
            // A file that was not asked for yet is compared after the next look.
            scan.fls
                .iter()
                .find(|(name, _)| *name == file.name)
                .is_none_or(|(_, found)| found.as_deref() == Some(file.text.as_bytes()))
        })
    }

    /// Whether an install has not come to its end, so that files of another licence may lie in the folder.
    fn is_cut_off(&self, genuine: &Genuine) -> bool {
        self.memory.state.putting.as_ref().is_some_and(|putting| putting.is_about(genuine.licence()))
    }

    fn start_placing(&mut self, placing: Placing, choice: &Choice, moment: &Moment) {
        let Some(place) = self.scan.as_ref().map(|scan| scan.place.clone()) else { return };
        let why_not = match self.scan_state() {
            Some(FolderState::Missing(text) | FolderState::Unreadable(text)) => Some(text.clone()),
            _ if !self.may_write(&place.folder) => {
                Some("this process was not given that folder, and no genuine licence was found in it".to_owned())
            }
            _ => None,
        };
        if let Some(why_not) = why_not {
            return self.placed(placing, Err(Failed::Other(why_not)));
        }
        let file = match &choice.in_use {
            // A licence for another serial, confirmed by an administrator, does not take the old one's file.
            Some((used, _)) if used.licence().serial != placing.genuine.licence().serial => {
                placing.genuine.licence().file_name()
            }
            Some((_, Source::Folder(file))) => file.clone(),
            Some((_, Source::Copy)) | None => self.file_for(&placing.genuine),
        };
        let genuine = placing.genuine.clone();
        let used = choice.in_use.as_ref().map(|(used, _)| used.licence());
        let mut state = self.memory.state.clone();
        state.putting = Putting::begin(state.putting.as_ref(), used, genuine.licence());
        let left_overs = state.putting.as_ref().map(|putting| putting.left_overs(genuine.licence()));
        if let Err(error) = self.memory.save(state) {
            return self.placed(placing, Err(Failed::Other(format!("the state could not be stored: {error}"))));
        }
        self.placing = Some(placing);
        self.give_put(place.folder, file, genuine, left_overs.unwrap_or_default(), moment.local);
    }

    fn file_for(&self, genuine: &Genuine) -> String {
        // The file that was in use last keeps its name, also when it is gone; else the path's, else ours.
        let named = self.scan.as_ref().and_then(|scan| scan.place.named.as_ref()).filter(|name| is_licence_name(name));
        let known = self.last_file.clone().or_else(|| named.cloned());
        known.unwrap_or_else(|| genuine.licence().file_name())
    }

    /// A folder that this process's own options name, or in which it has itself found a genuine licence.
    fn may_write(&self, folder: &PathBuf) -> bool {
        self.own_folders.contains(folder)
    }

    /// The folder thread is done with a licence.
    pub(super) fn placed(&mut self, placing: Placing, result: Result<(), Failed>) {
        let sequence = placing.genuine.licence().sequence.get();
        let moment = clock::moment();
        match result {
            Ok(()) => {
                self.say(
                    log::INFORMATION,
                    format!("Licence {sequence} was put into the licence folder ({}).", placing.why),
                );
                self.journal(
                    &moment,
                    "",
                    &format!("licence {sequence} was put into the licence folder ({})", placing.why),
                );
                self.count("installed");
                self.reread.want();
                let mut state = self.memory.state.clone();
                state.putting = None;
                if let Err(error) = self.memory.save(state) {
                    self.trouble("The state could not be stored", &error);
                }
                self.drop_upload(placing.upload);
                self.look_now = true;
                // What was seen is from before: nothing more is written until the folder was looked at again.
                self.seen_since_put = false;
            }
            Err(Failed::Newer(why)) => {
                self.give_up(placing, &why);
                self.look_now = true;
                self.seen_since_put = false;
            }
            Err(Failed::Other(why)) => {
                self.count("install_failed");
                // The upload stays: it is all that there is when the files to copy cannot be prepared, or are damaged.
                self.wait_for_person(&placing.genuine, &why);
            }
        }
    }

    fn wait_for_person(&mut self, genuine: &Genuine, why: &str) {
        let file = self.file_for(genuine);
        let known = self.memory.waiting.as_ref().is_some_and(|waiting| waiting.genuine.digest() == genuine.digest());
        match manual::prepare(&self.memory.folder, genuine, &file) {
            Ok(waiting) => {
                self.retry_at = clock::boot_seconds() + TRY_AGAIN;
                let before = self.memory.waiting.replace(waiting);
                if !known {
                    let older = before.map(|before| hex(&sha256(before.genuine.bytes())));
                    self.drop_upload(older);
                    let sequence = genuine.licence().sequence.get();
                    self.say(log::WARNING, format!("Licence {sequence} has to be copied by hand: {why}."));
                    let moment = clock::moment();
                    self.journal(&moment, "", &format!("licence {sequence} waits to be copied by hand"));
                }
            }
            Err(error) => {
                self.copy_unsure = true;
                self.trouble("The files to copy could not be prepared", &error);
            }
        }
    }

    fn clear_waiting(&mut self) {
        match manual::done(&self.memory.folder) {
            Ok(()) => {
                self.memory.waiting = None;
                // Its upload goes, too.
                self.uploads_waiting = true;
                self.copy_unsure = false;
            }
            Err(error) => self.trouble("The copy folder could not be cleared", &error),
        }
    }

    fn drop_upload(&mut self, digest: Option<String>) {
        if let Some(digest) = digest {
            handover::drop_upload(&self.memory.folder, &digest);
        }
    }

    /// What is on its way to the folder.
    pub(super) fn coming(&self) -> Option<Genuine> {
        self.wanted.as_ref().or(self.placing.as_ref()).map(|placing| placing.genuine.clone())
    }
}

/// Whether a licence of the same serial that is newer, or as new and another, is in use.
fn is_outdated(wanted: &Genuine, choice: &Choice) -> bool {
    choice.in_use.as_ref().is_some_and(|(used, _)| {
        let (wanted_licence, used_licence) = (wanted.licence(), used.licence());
        used_licence.serial == wanted_licence.serial
            && used_licence.sequence >= wanted_licence.sequence
            && used.digest() != wanted.digest()
    })
}

/// 16 random bytes: an answer to another question must not fit.
pub(super) fn new_challenge() -> String {
    let mut bytes = [0u8; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex(&bytes),
        // Without randomness no challenge is given out, and no time file is taken.
        Err(_) => String::new(),
    }
}
