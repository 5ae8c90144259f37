//! The `ors-agent` thread: looks, decides, publishes.
//!
//! It wakes each second, on a command, and when the folder thread has an outcome. What is decided is pure
//! ([`crate::licence::choose`], [`super::standing`], [`super::announce`]); here are the order of things and the effects.
//! Only one runtime of all that opened the state folder leads; the others follow what it wrote and write nothing of its.

use super::folder::{Desk, Job, PutJob};
use super::leader::{Placing, new_challenge};
use super::memory::{Memory, Stamps};
use super::options::Checked;
use super::record::Record;
use super::registry::registry;
use super::reread::Reread;
use super::runtime::Runtime;
use super::told;
use super::{Command, Error, log};
use crate::clock;
use crate::floating::scan::FolderState;
use crate::floating::{Scan, manual};
use crate::injected;
use crate::licence::{Candidate, Choice, Day, FileReport, Genuine, Judged, Moment, Refusal, Source, choose};
use crate::store::{FileLock, FileStamp, Journal, Settings, StateFolder, handover, lent, secrets, take_over};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the thread looks by itself.
const TICK: Duration = Duration::from_secs(1);
/// A folder thread that has not answered for so long is held up by its folder.
const HUNG_AFTER: u64 = 5;
/// The clock mark and the uploads are looked after this often.
const SLOW_TICK: u64 = 60;
/// Running time is added to the clock mark in steps of this size, so that the state is not written each second.
const MARK_STEP: u64 = 600;

/// A file of the licence folder, as last judged.
pub(super) struct Seen {
    pub stamp: Option<FileStamp>,
    /// Looks since the stamp last changed.
    pub looks: u8,
    pub outcome: Result<Genuine, Refusal>,
}

pub struct Worker {
    pub(super) runtime: Arc<Runtime>,
    pub(super) options: Checked,
    pub(super) memory: Memory,
    owner: u64,
    pub(super) lock: Option<FileLock>,
    pub(super) record: Record,
    pub(super) desk: Option<Arc<Desk>>,
    pub(super) seen: HashMap<String, Seen>,
    pub(super) scan: Option<Scan>,
    pub(super) folder: Option<PathBuf>,
    /// Since when the folder thread is at something.
    pub(super) asked_at: Option<u64>,
    /// Since when there is no folder thread, because one of an agent that was closed hangs in that very folder.
    pub(super) held_up_at: Option<u64>,
    /// The path that the look under way is for: the setting may change meanwhile.
    pub(super) asked_path: Option<PathBuf>,
    pub(super) read_anew_at: u64,
    pub(super) remote: bool,
    pub(super) look_now: bool,
    /// The folder was looked at after the last time that something was put into it.
    pub(super) seen_since_put: bool,
    pub(super) last_file: Option<String>,
    /// The refused files that the log tells of.
    pub(super) refused: Vec<FileReport>,
    pub(super) own_folders: HashSet<PathBuf>,
    /// The folder that was cleared of what kills left.
    pub(super) cleared: Option<PathBuf>,
    pub(super) uploads_waiting: bool,
    pub(super) wanted: Option<Placing>,
    pub(super) placing: Option<Placing>,
    pub(super) retry_at: u64,
    pub(super) keys_to_write: bool,
    pub(super) reread: Reread,
    document_stamps: Option<Stamps>,
    /// Told by diagnostics; a fact of the machine, read once.
    pub(super) secrets_bound: bool,
    marked_at: u64,
    slow_at: u64,
    counters: BTreeMap<&'static str, u64>,
    notes: Vec<String>,
}

impl Worker {
    /// Reads the state folder and publishes the last known licence.
    pub fn start(runtime: Arc<Runtime>, options: Checked, owner: u64) -> Result<Worker, Error> {
        let path = options
            .state_folder
            .clone()
            .ok_or_else(|| Error::argument("state_folder", "A state folder is required."))?;
        let folder = StateFolder::open(&path, lent::under(&path))?;
        let (memory, notes) = Memory::load(folder, options.product.clone(), options.keyring.clone())?;
        let mut worker = Worker {
            runtime,
            memory,
            owner,
            lock: None,
            record: Record::default(),
            desk: None,
            seen: HashMap::new(),
            scan: None,
            folder: None,
            asked_at: None,
            held_up_at: None,
            asked_path: None,
            read_anew_at: 0,
            remote: false,
            look_now: true,
            seen_since_put: true,
            last_file: None,
            refused: Vec::new(),
            own_folders: HashSet::new(),
            cleared: None,
            uploads_waiting: true,
            wanted: None,
            placing: None,
            retry_at: 0,
            keys_to_write: true,
            reread: Reread::default(),
            document_stamps: None,
            secrets_bound: secrets::machine_bound(),
            marked_at: clock::boot_seconds(),
            slow_at: 0,
            counters: BTreeMap::new(),
            notes: Vec::new(),
            options,
        };
        injected::point();
        for note in notes {
            worker.note(note);
        }
        worker.document_stamps = Some(worker.memory.stamps());
        worker.follow_path();
        worker.try_to_lead();
        worker.settle();
        Ok(worker)
    }

    /// Goes on until the runtime ends.
    pub fn run(&mut self) {
        let mut next_tick = Instant::now();
        loop {
            if Instant::now() >= next_tick {
                // After a pause of the process: one tick, not one for each second that passed.
                next_tick = Instant::now() + TICK;
                self.tick();
            } else if self.look_now {
                self.look(clock::boot_seconds());
            }
            self.runtime.log.flush();
            let rest = next_tick.saturating_duration_since(Instant::now());
            let Some(letters) = self.runtime.next_letters(rest) else { return };
            for outcome in letters.outcomes {
                self.take_outcome(outcome);
            }
            for (command, reply) in letters.commands {
                let result = self.carry_out(command);
                injected::point();
                // In force means that the next answer shows it.
                self.settle();
                reply.send(result);
            }
        }
    }

    fn tick(&mut self) {
        injected::point();
        let now = clock::boot_seconds();
        let stamps = Some(self.memory.stamps());
        // What could not be read is read again, until it can be.
        if stamps != self.document_stamps && self.reload() {
            self.document_stamps = stamps;
        }
        if self.lock.as_ref().is_some_and(|lock| !lock.still_there()) {
            self.note("The leader's lock file was removed: another process may lead now.".to_owned());
            self.lock = None;
            self.record.close();
        }
        if self.lock.is_none() {
            self.try_to_lead();
        } else if self.record.waits() {
            self.write_record();
        }
        if now >= self.slow_at {
            self.slow_at = now + SLOW_TICK;
            self.uploads_waiting = true;
        }
        self.add_running_time(now);
        if let Some(line) = self.reread.tick(self.options.reread.as_deref()) {
            self.say(log::INFORMATION, line);
        }
        self.look(now);
        self.settle();
    }

    /// Another process wrote something. Returns whether all of it was read.
    fn reload(&mut self) -> bool {
        let keys = self.memory.keyring.version();
        let mut whole = true;
        match Settings::load(&self.memory.folder) {
            Ok((settings, notes)) => {
                self.memory.settings = settings;
                notes.into_iter().for_each(|note| self.note(note));
            }
            Err(error) => {
                self.trouble("The settings cannot be read", &error);
                whole = false;
            }
        }
        if let Err(error) = self.memory.reload_acknowledged() {
            self.trouble("What was acknowledged cannot be read", &error);
            whole = false;
        }
        self.uploads_waiting = true;
        if self.lock.is_none() {
            match self.memory.reload() {
                Ok(notes) => notes.into_iter().for_each(|note| self.note(note)),
                Err(error) => {
                    self.trouble("The state cannot be read", &error);
                    whole = false;
                }
            }
        }
        if self.memory.keyring.version() != keys {
            self.forget_folder();
        }
        self.follow_path();
        whole
    }

    fn try_to_lead(&mut self) {
        if !self.runtime.alive() {
            return;
        }
        match FileLock::try_take(&self.memory.folder.file("leader.lock")) {
            Ok(Some(lock)) => self.lead(lock),
            Ok(None) => {}
            Err(error) => self.note(format!("The leader's lock cannot be taken: {error}.")),
        }
    }

    fn lead(&mut self, lock: FileLock) {
        let folder = self.memory.folder.clone();
        let within = [handover::UPLOADS, super::folder::BACKUP, manual::FOLDER].map(|name| folder.file(name));
        for path in [folder.path()].into_iter().chain(within.iter().map(PathBuf::as_path)) {
            if let Err(error) = take_over(folder.disk().as_ref(), path) {
                // As below: what may not be on the disk is nothing to lead on.
                return self.trouble("The state folder cannot be taken over", &error);
            }
        }
        handover::clear_left_overs(&self.memory.folder);
        if let Err(error) = self.memory.take_over() {
            // Who led on what he remembers would write over what the leader before him wrote last. The lock goes, and is
            // taken again in a second.
            return self.trouble("The state cannot be taken over", &error);
        }
        self.lock = Some(lock);
        for mended in [Settings::mend(&self.memory.folder), handover::mend(&self.memory.folder)] {
            if let Err(error) = mended {
                self.trouble("A document has one good copy only", &error);
            }
        }
        let mut state = self.memory.state.clone();
        if state.challenge.is_empty() {
            state.challenge = new_challenge();
        }
        if let Err(error) = self.memory.save(state) {
            self.trouble("The state could not be stored", &error);
        }
        self.uploads_waiting = true;
        self.say(log::INFORMATION, "This process leads now.".to_owned());
        let moment = clock::moment();
        self.journal(&moment, "", &format!("process {} leads", std::process::id()));
    }

    pub fn state_folder(&self) -> &Path {
        self.memory.folder.path()
    }

    /// Whether a licence is known from before this start.
    pub fn knows_a_licence(&self) -> bool {
        self.memory.copy.is_some()
    }

    pub(super) fn leads(&self) -> bool {
        self.lock.is_some() && self.runtime.alive()
    }

    /// Hands a job to the folder thread, which is started when first needed: never a second one into a folder in which one
    /// of an agent that was closed still hangs.
    pub(super) fn give(&mut self, job: Job) -> bool {
        if self.desk.is_none() {
            if registry().hangs_in(job.folder()) {
                return false;
            }
            let desk = registry().new_desk();
            let (mail, watch) = (self.runtime.clone(), self.runtime.clone());
            match super::folder::start(desk.clone(), move |outcome| mail.tell(outcome), move || watch.alive()) {
                Ok(()) => {
                    self.runtime.set_desk(&desk);
                    self.desk = Some(desk);
                }
                Err(error) => {
                    self.note(format!("The folder thread cannot be started: {error}."));
                    return false;
                }
            }
        }
        let given = self.desk.as_ref().is_some_and(|desk| desk.give(job));
        if given {
            self.asked_at = Some(clock::boot_seconds());
        }
        given
    }

    pub(super) fn give_put(
        &mut self,
        folder: PathBuf,
        file: String,
        genuine: Genuine,
        left_overs: Vec<(String, String)>,
        now: i64,
    ) {
        let state = self.memory.folder.clone();
        let (keyring, product) = (self.memory.keyring.clone(), self.memory.product.clone());
        let job = PutJob { folder, file, genuine, keyring, product, left_overs, state, now };
        if !self.give(Job::Put(Box::new(job))) {
            // The folder thread is at something else: decide again when it is done.
            self.wanted = self.placing.take();
        }
    }

    /// Decides what is in use, acts on it when leading, and publishes.
    pub(super) fn settle(&mut self) {
        if !self.runtime.alive() {
            return;
        }
        let moment = clock::moment();
        let mut choice = self.choose();
        if self.leads() {
            self.tell_journal(&moment);
            self.take_uploads(&choice, &moment);
            choice = self.choose();
            self.follow(&choice, &moment);
            self.clear_folder();
            self.place(&choice, &moment);
            self.write_keys_beside();
        }
        self.tell_refused(&choice);
        self.publish(&choice, &moment);
    }

    pub(super) fn choose(&self) -> Choice {
        injected::point();
        let candidates =
            self.seen.iter().map(|(file, seen)| Candidate { file: file.clone(), outcome: seen.outcome.clone() });
        let mut candidates: Vec<Candidate> = candidates.collect();
        candidates.sort_by(|a, b| a.file.cmp(&b.file));
        choose(candidates, &self.memory.known(self.scan.as_ref().and_then(|scan| scan.place.named.clone())))
    }

    fn follow(&mut self, choice: &Choice, moment: &Moment) {
        let Some((genuine, source)) = &choice.in_use else { return };
        let judged = self.memory.state.mark.judge(moment);
        let today = Day::at(judged.now(moment.local));
        if let Source::Folder(file) = source {
            self.last_file = Some(file.clone());
        }
        match self.memory.follow(genuine, source, moment.local, today) {
            Ok(state) => {
                let line = told::in_use(genuine.licence(), source);
                let shown = format!("{}.", line.0);
                if self.tell(moment, "", line) {
                    self.say(log::INFORMATION, shown);
                }
                self.save_told(state);
            }
            Err(error) => self.trouble("The licence in use could not be recorded", &error),
        }
    }

    /// The newest key list lies beside the licence, for the installer.
    fn write_keys_beside(&mut self) {
        let read = self.scan.as_ref().filter(|scan| scan.state == FolderState::Read);
        let Some((place, seen)) = read.map(|scan| (scan.place.folder.clone(), scan.keys_stamp)) else { return };
        if !self.keys_to_write || self.memory.chain.lists.is_empty() || !self.own_folders.contains(&place) {
            return;
        }
        let (disk, bytes) = (self.memory.folder.disk().clone(), self.memory.chain.to_json());
        let job = Job::Keys { folder: place, disk, bytes, seen };
        if self.give(job) {
            self.keys_to_write = false;
        }
    }

    fn add_running_time(&mut self, now: u64) {
        let ran = now.saturating_sub(self.marked_at);
        if ran < MARK_STEP || !self.leads() {
            return;
        }
        self.marked_at = now;
        let mut state = self.memory.state.clone();
        state.mark.ran(&clock::moment(), ran);
        if let Err(error) = self.memory.save(state) {
            self.trouble("The clock mark could not be stored", &error);
        }
    }

    pub(super) fn judged(&self, moment: &Moment) -> Judged {
        self.memory.state.mark.judge(moment)
    }

    pub(super) fn say(&self, level: u32, text: String) {
        self.runtime.log.write(level, text);
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counters.entry(what).or_default() += 1;
    }

    pub(super) fn trouble(&mut self, what: &str, error: &dyn std::fmt::Display) {
        self.note(format!("{what}: {error}."));
    }

    /// A line in the log and in diagnostics; the same one is not repeated.
    pub(super) fn note(&mut self, text: String) {
        const KEPT: usize = 20;
        if self.notes.contains(&text) {
            return;
        }
        self.say(log::WARNING, text.clone());
        self.notes.push(text);
        if self.notes.len() > KEPT {
            self.notes.remove(0);
        }
    }

    pub(super) fn parts(&self) -> Parts<'_> {
        Parts {
            owner: self.owner,
            folder: self.folder.as_ref(),
            hung: self
                .asked_at
                .or(self.held_up_at)
                .is_some_and(|at| clock::boot_seconds().saturating_sub(at) > HUNG_AFTER),
            journal: self.record.journal(),
            counters: &self.counters,
            notes: &self.notes,
        }
    }

    fn carry_out(&mut self, command: Command) -> Result<super::Done, Error> {
        super::commands::carry_out(self, command)
    }
}

/// What publishing needs besides memory and choice.
pub struct Parts<'a> {
    pub owner: u64,
    pub folder: Option<&'a PathBuf>,
    pub hung: bool,
    pub journal: Option<&'a Journal>,
    pub counters: &'a BTreeMap<&'static str, u64>,
    pub notes: &'a [String],
}
