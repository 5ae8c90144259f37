//! Looking at the licence folder: when, what was found, and what of it is new.

use super::folder::{Job, Outcome};
use super::log;
use super::worker::{Seen, Worker};
use crate::clock;
use crate::floating::scan::{Ask, FolderState};
use crate::floating::{Content, KEYS_FILE, Scan, remote};
use crate::licence::{Choice, FileReport, FileState, Reason, verify};
use crate::store::FileStamp;
use std::collections::HashMap;
use std::path::PathBuf;

/// A folder on a share is asked less often.
const SHARE_TICK: u64 = 5;
/// Looks at a changed file before its stamp is trusted: a file may change twice within one tick of the file system's clock.
const SETTLED_AFTER: u8 = 3;
/// Files are read anew this often, whatever their stamps say.
const READ_ANEW: u64 = 60;

impl Worker {
    /// The path from the settings, else from the options.
    pub(super) fn follow_path(&mut self) {
        let set = self.memory.settings.licence_path.clone().filter(|path| !path.is_empty());
        let path = set.or_else(|| self.options.licence_folder.clone()).map(PathBuf::from);
        if path == self.folder {
            return;
        }
        self.folder = path;
        self.forget_folder();
        self.scan = None;
        self.last_file = None;
        self.wanted = None;
        self.remote = self.folder.as_deref().is_some_and(|path| remote::any_remote(&[path]));
    }

    /// Everything in the folder is judged anew.
    pub(super) fn forget_folder(&mut self) {
        self.seen.clear();
        self.look_now = true;
        // What is not seen now is not gone: nothing is put back before the folder was looked at again.
        self.seen_since_put = false;
    }

    pub(super) fn look(&mut self, now: u64) {
        let Some(path) = self.folder.clone() else { return };
        let due = self.look_now || !self.remote || now.is_multiple_of(SHARE_TICK);
        if !due || self.asked_at.is_some() {
            return;
        }
        if now >= self.read_anew_at {
            self.read_anew_at = now + READ_ANEW;
            self.seen.values_mut().for_each(|seen| seen.looks = 0);
        }
        // Why a file cannot be read is not in its stamp.
        let unread = |seen: &Seen| seen.outcome.as_ref().is_err_and(|refusal| refusal.reason == Reason::Unreadable);
        let settled = |seen: &Seen| seen.stamp.filter(|_| seen.looks >= SETTLED_AFTER && !unread(seen));
        let stamps = self.seen.iter().filter_map(|(file, seen)| Some((file.clone(), settled(seen)?))).collect();
        let fls = self.memory.copy.iter().flat_map(|copy| &copy.licence().fls).map(|file| file.name.clone()).collect();
        let first = self.last_file.clone().or_else(|| self.memory.copy.as_ref().map(|copy| copy.licence().file_name()));
        let keys_stamp = self.scan.as_ref().and_then(|scan| scan.keys_stamp);
        self.asked_path = Some(path.clone());
        let given = self.options.licence_folder.as_deref().map(PathBuf::from);
        if self.give(Job::Scan { path, ask: Ask { stamps, keys_stamp, fls, first, given } }) {
            self.look_now = false;
            self.held_up_at = None;
        } else if self.desk.is_none() {
            self.held_up_at.get_or_insert(now);
        }
    }

    pub(super) fn take_outcome(&mut self, outcome: Outcome) {
        self.asked_at = None;
        match outcome {
            Outcome::Scanned(scan) => {
                if self.asked_path != self.folder {
                    // Of the path before: taken for the new one, it would fix the serial to what lies there.
                    return;
                }
                // A look that began before the last change says nothing about it.
                self.seen_since_put = !self.look_now;
                self.take_scan(*scan);
            }
            Outcome::Put(result) => match self.placing.take() {
                Some(placing) => self.placed(placing, result),
                None => self.note("A look at the licence folder failed and is repeated.".to_owned()),
            },
            Outcome::Cleared => {}
            Outcome::Keys(Ok(true)) => {}
            Outcome::Keys(Ok(false)) => (self.keys_to_write, self.look_now) = (true, true),
            Outcome::Keys(Err(why)) => {
                self.say(log::WARNING, format!("The key list could not be written beside the licence: {why}."));
            }
        }
        self.settle();
    }

    fn take_scan(&mut self, mut scan: Scan) {
        let mut next = HashMap::with_capacity(scan.files.len());
        for found in scan.files.drain(..) {
            let before = self.seen.remove(&found.file);
            let seen = match (found.content, before) {
                (Content::Known, Some(before)) => before,
                // It was forgotten while the look was under way: the next look reads it.
                (Content::Known, None) => continue,
                (Content::Bytes(bytes), Some(seen))
                    if seen.outcome.as_ref().is_ok_and(|genuine| genuine.bytes()[..] == bytes) =>
                {
                    Seen { looks: next_look(&seen, &found.stamp), stamp: found.stamp, ..seen }
                }
                (Content::Bytes(bytes), before) => {
                    let outcome = verify(&bytes, &self.memory.keyring, &self.memory.product);
                    // A refused file keeps no bytes: the same stamp and the same refusal count as the same file.
                    let same = before
                        .filter(|seen| seen.outcome.is_err() && seen.outcome.as_ref().err() == outcome.as_ref().err());
                    let looks = same.map_or(0, |seen| next_look(&seen, &found.stamp));
                    Seen { stamp: found.stamp, looks, outcome }
                }
                (Content::Refused(refusal), before) => {
                    let looks = before.map_or(0, |seen| next_look(&seen, &found.stamp));
                    Seen { stamp: found.stamp, looks, outcome: Err(refusal) }
                }
            };
            // A name that was cleaned to be shown may look like a real one, which comes first.
            next.entry(found.file).or_insert(seen);
        }
        if scan.state == FolderState::Read {
            self.seen = next;
            if self.seen.values().any(|seen| seen.outcome.is_ok()) || scan.given {
                self.own_folders.insert(scan.place.folder.clone());
            }
            if self.scan_state().is_some_and(|before| *before != FolderState::Read) {
                // It is back: what waits for a person since it went may go there now.
                self.retry_at = 0;
            }
        } else if matches!(scan.state, FolderState::Failed(_)) && self.scan.is_some() {
            // It passes: what was known stays.
            self.count("folder_failed");
            return;
        } else {
            self.seen.clear();
        }
        if let Some(bytes) = scan.keys.take() {
            self.offer_keys(&bytes);
        }
        self.scan = Some(scan);
    }

    /// A line in the log for each file that is newly refused, whatever refused it.
    pub(super) fn tell_refused(&mut self, choice: &Choice) {
        let refused: Vec<FileReport> =
            choice.files.iter().filter(|file| file.state == FileState::Refused).cloned().collect();
        for FileReport { file, reason, text, .. } in refused.iter().filter(|file| !self.refused.contains(file)) {
            self.say(log::WARNING, format!("{file} was refused ({}): {text}", reason.token()));
        }
        self.refused = refused;
    }

    /// A key list lies beside the licence: taken like an upload, and only its own signatures count.
    fn offer_keys(&mut self, bytes: &[u8]) {
        match self.memory.keyring.advance_chain(bytes) {
            Ok((_, steps)) if steps.is_empty() => {}
            Ok((keyring, steps)) if self.lock.is_some() => {
                let moment = clock::moment();
                match self.memory.take_keys(keyring, &steps) {
                    Ok(()) => {
                        let line = format!("key list {} was found beside the licence", self.memory.keyring.version());
                        self.journal(&moment, "", &line);
                        self.forget_folder();
                    }
                    Err(error) => self.trouble("The key list could not be stored", &error),
                }
            }
            Ok(_) => {}
            Err(refusal) => self.note(format!(
                "{KEYS_FILE} beside the licence was refused ({}): {}",
                refusal.reason.token(),
                refusal.detail
            )),
        }
    }

    pub(super) fn scan_state(&self) -> Option<&FolderState> {
        self.scan.as_ref().map(|scan| &scan.state)
    }
}

fn next_look(seen: &Seen, stamp: &Option<FileStamp>) -> u8 {
    if seen.stamp == *stamp { seen.looks.saturating_add(1) } else { 0 }
}
