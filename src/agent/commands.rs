//! Cold calls, as the worker carries them out.

use super::standing::Offer;
use super::worker::Worker;
use super::{Error, error::Kind, log};
use crate::clock;
use crate::licence::{Changes, Content, Day, Reason};
use crate::store::{Settings, handover};
use zeroize::Zeroizing;

/// What a cold call asks for. `by` is who did it in the product, empty when not known.
pub enum Command {
    Acknowledge {
        id: u64,
        by: String,
    },
    Upload {
        bytes: Vec<u8>,
        by: String,
    },
    /// Starts a run through all steps of a connection, or joins the one that runs.
    Connect {
        by: String,
    },
    /// Starts the runtime anew, here and in the other processes.
    Restart {
        by: String,
    },
    /// Wiped when it goes, since passwords are in it.
    Settings {
        json: Zeroizing<Vec<u8>>,
        by: String,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Done {
    Nothing,
    Installed(Installed),
    /// The number of a run.
    Run(u64),
}

/// What came of an upload. Numbers are those of `ors_install_result`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    pub state: u32,
    pub reason: i32,
    pub changes: u32,
    pub sequence: u64,
    pub announcement: u64,
}

pub const INSTALL_ACCEPTED: u32 = 1;
pub const INSTALL_COPY: u32 = 2;
pub const INSTALL_PRESENT: u32 = 3;
const CHANGED_KEYS: u32 = 0x10;
const CHANGED_CLOCK: u32 = 0x20;

pub fn carry_out(worker: &mut Worker, command: Command) -> Result<Done, Error> {
    match command {
        Command::Acknowledge { id, by } => acknowledge(worker, id, &by),
        Command::Upload { bytes, by } => upload(worker, &bytes, &by),
        Command::Connect { by } => worker.connect(&by).map(Done::Run),
        Command::Restart { by } => worker.ask_restart(&by),
        Command::Settings { json, by } => settings(worker, &json, &by),
    }
}

fn acknowledge(worker: &mut Worker, id: u64, by: &str) -> Result<Done, Error> {
    if id <= worker.memory.acknowledged.id {
        return Ok(Done::Nothing);
    }
    if !worker.memory.state.announcements.raised(id) {
        return Err(Error::new(Kind::Stale, "announcement", "This announcement has not been raised."));
    }
    handover::acknowledge(&worker.memory.folder, id, by)?;
    worker.memory.acknowledged = handover::acknowledged(&worker.memory.folder);
    Ok(Done::Nothing)
}

fn settings(worker: &mut Worker, json: &[u8], by: &str) -> Result<Done, Error> {
    let current = worker.runtime.board.view().settings.clone();
    let changed = Settings::change(&worker.memory.folder, json, by, clock::coarse_seconds(), &current);
    worker.memory.settings = changed.map_err(|error| {
        let error = Error::from(error);
        worker.say(log::WARNING, format!("Settings were not taken: {}", error.message));
        error
    })?;
    worker.follow_settings();
    Ok(Done::Nothing)
}

/// Keeps the file, then lets the leader (this process or another) act on it.
fn upload(worker: &mut Worker, bytes: &[u8], by: &str) -> Result<Done, Error> {
    let choice = worker.choose();
    let standing = worker.memory.standing(&choice, worker.coming());
    let offer = standing.judge(bytes).map_err(Error::refused)?;
    let mut installed = Installed { state: INSTALL_ACCEPTED, reason: Reason::None.code(), ..Installed::default() };
    match &offer {
        Offer::Present(genuine) => {
            installed.state = INSTALL_PRESENT;
            installed.sequence = genuine.licence().sequence.get();
            let in_use = standing.in_use.as_ref().is_some_and(|used| used.digest() == genuine.digest());
            if in_use {
                return Ok(Done::Installed(installed));
            }
            // It is on its way or waits for a person: the upload asks to try again.
            installed.state = INSTALL_ACCEPTED;
        }
        Offer::KeysPresent => {
            installed.state = INSTALL_PRESENT;
            return Ok(Done::Installed(installed));
        }
        Offer::Licence(genuine) => {
            let licence = genuine.licence();
            let moment = clock::moment();
            let today = Day::at(worker.judged(&moment).now(moment.local));
            let content = Content::of(licence, today);
            installed.sequence = licence.sequence.get();
            if let Some((used, _)) = &choice.in_use {
                installed.changes = Changes::between(&Content::of(used.licence(), today), &content).bits();
            }
            let announcements = &worker.memory.state.announcements;
            if announcements.would_announce(&content, worker.memory.acknowledged.id).is_some() {
                installed.announcement = announcements.next_id(installed.sequence);
            }
        }
        Offer::Keys { .. } => installed.changes = CHANGED_KEYS,
        Offer::Time(_) => installed.changes = CHANGED_CLOCK,
    }
    handover::put_upload(&worker.memory.folder, bytes, by)?;
    worker.uploads_waiting = true;
    worker.settle();
    let waits = worker
        .memory
        .waiting
        .as_ref()
        .is_some_and(|waiting| waiting.genuine.licence().sequence.get() == installed.sequence);
    if installed.sequence != 0 && waits {
        installed.state = INSTALL_COPY;
    }
    Ok(Done::Installed(installed))
}
