//! What texts are made from: names, files, dates. Published whole with the integers; a reader holds its own copy.

use super::announce::Announcements;
use super::log::Log;
use super::standing::Standing;
use crate::clock;
use crate::floating::FolderState;
use crate::floating::manual::Waiting;
use crate::licence::{Day, FileReport, Genuine, Instant, Judged, Reason, Source, hex};
use crate::notice::Facts;
use crate::office::{Account, Report};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Log lines in diagnostics.
const SHOWN_LINES: usize = 50;

/// Everything that a text can be asked about.
#[derive(Clone, Debug)]
pub struct View {
    pub facts: Facts,
    pub judged: Judged,
    pub in_use: Option<(Genuine, Source)>,
    pub files: Vec<FileReport>,
    /// Why there is no licence.
    pub reason: Reason,
    pub folder: String,
    pub folder_state: Folder,
    pub waiting: Option<Waiting>,
    /// Where the waiting files have to go.
    pub announcements: Announcements,
    pub acknowledged: u64,
    /// As `ors_settings_get` shows them.
    pub settings: Value,
    /// How the installation stands with the back office, and what failed there last.
    pub account: Account,
    pub failure: String,
    /// The last run of [Connect].
    pub report: Option<Arc<Report>>,
    pub language: Option<String>,
    /// What an upload is judged against; `None` while nothing is known yet.
    pub standing: Option<Standing>,
    pub role: &'static str,
    pub state_folder: Option<PathBuf>,
    pub mark: i64,
    pub journal: Option<(String, u64)>,
    pub secrets_bound: bool,
    pub counters: BTreeMap<&'static str, u64>,
    /// What a person on call should know: damaged copies, files that could not be written.
    pub notes: Vec<String>,
}

/// What is known of the licence folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    NotSet,
    NotRead,
    /// The folder thread does not answer: a share or disk hangs.
    Hung,
    Seen(FolderState),
}

impl Folder {
    fn token(&self) -> &'static str {
        match self {
            Folder::NotSet => "not_set",
            Folder::NotRead => "not_read",
            Folder::Hung => "hung",
            Folder::Seen(FolderState::Read) => "read",
            Folder::Seen(FolderState::Missing(_)) => "missing",
            Folder::Seen(FolderState::Unreadable(_) | FolderState::Failed(_)) => "unreadable",
        }
    }

    /// What the system said, when the folder could not be read.
    pub fn error(&self) -> Option<&str> {
        match self {
            Folder::Seen(FolderState::Missing(text) | FolderState::Unreadable(text) | FolderState::Failed(text)) => {
                Some(text)
            }
            _ => None,
        }
    }
}

impl View {
    /// What an agent shows before anything was read.
    pub fn empty() -> View {
        View {
            facts: Facts::UNKNOWN,
            judged: Judged::default(),
            in_use: None,
            files: Vec::new(),
            reason: Reason::None,
            folder: String::new(),
            folder_state: Folder::NotSet,
            waiting: None,
            announcements: Announcements::default(),
            acknowledged: 0,
            settings: Value::Null,
            account: Account::default(),
            failure: String::new(),
            report: None,
            language: None,
            standing: None,
            role: "none",
            state_folder: None,
            mark: 0,
            journal: None,
            secrets_bound: false,
            counters: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// The About box.
    pub fn about(&self, local: i64) -> Value {
        let state = self.facts.at(local).licence_state().token();
        let today = Day::at(self.judged.now(local));
        let licence = self.in_use.as_ref().map(|(genuine, _)| genuine.licence());
        let features: Vec<Value> = licence
            .map(|licence| licence.features.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|feature| {
                let ended = feature.expires_on.is_some_and(|day| day < today);
                json!({ "id": feature.id, "name": feature.name, "expires_on": day(feature.expires_on), "ended": ended })
            })
            .collect();
        json!({
            "product": licence.map(|licence| licence.product.as_str()),
            "serial": licence.map(|licence| licence.serial.as_str()),
            "customer": licence.map(|licence| licence.customer.as_str()),
            "sequence": licence.map(|licence| licence.sequence.get()),
            "issued_at": licence.map(|licence| licence.issued_at.to_string()),
            "expires_on": licence.and_then(|licence| day(licence.expires_on)),
            "maintenance_until": licence.and_then(|licence| day(licence.maintenance_until)),
            "users": licence.map(|licence| licence.users),
            "features": features,
            "licence_state": state,
            "announcements": self.told(),
            "keys_version": self.standing.as_ref().map_or(0, |standing| standing.keyring.version()),
            "library_version": env!("CARGO_PKG_VERSION"),
        })
    }

    fn told(&self) -> Vec<Value> {
        let span = |change: Option<(Option<Day>, Option<Day>)>| {
            change.map(|(from, to)| json!({ "from": day(from), "to": day(to) }))
        };
        let entries = self.announcements.entries().iter();
        entries
            .map(|entry| {
                let changes = &entry.changes;
                json!({
                    "id": entry.id,
                    "sequence": entry.content.sequence,
                    "raised_at": Instant::from_unix(entry.raised_at).to_string(),
                    "acknowledged": entry.id <= self.acknowledged,
                    "added": changes.added,
                    "removed": changes.removed,
                    "changed": changes.changed,
                    "ended": changes.ended,
                    "users": changes.users.map(|(from, to)| json!({ "from": from, "to": to })),
                    "maintenance_until": span(changes.maintenance),
                    "expires_on": span(changes.expiry),
                })
            })
            .collect()
    }

    /// For the person on call: no secret is in here, and every text is as it was found.
    pub fn diagnostics(&self, log: &Log, local: i64) -> Value {
        let image = self.facts.at(local);
        let judged = &self.judged;
        let lines: Vec<String> = log
            .tail(SHOWN_LINES)
            .into_iter()
            .map(|line| format!("{} {} {}", line.number, line.level, line.text))
            .collect();
        let installed = self.in_use.as_ref().map(|(genuine, source)| {
            let (file, source) = match source {
                Source::Folder(file) => (Some(file.as_str()), "folder"),
                Source::Copy => (None, "copy"),
            };
            json!({
                "file": file,
                "source": source,
                "sequence": genuine.licence().sequence.get(),
                "digest": hex(&genuine.digest()),
                "key": genuine.key_fingerprint(),
            })
        });
        let rows: Vec<Value> = self.files.iter().map(row).collect();
        json!({
            "library_version": env!("CARGO_PKG_VERSION"),
            "abi_version": crate::ABI_VERSION,
            "process_id": std::process::id(),
            "time": Instant::from_unix(local).to_string(),
            "boot_seconds": clock::boot_seconds(),
            "role": self.role,
            "service": service_token(self.facts.service),
            "state_folder": self.state_folder.as_ref().map(|path| path.display().to_string()),
            "licence_folder": self.folder,
            "licence_folder_state": self.folder_state.token(),
            "licence_folder_error": self.folder_state.error(),
            "licence_state": image.licence_state().token(),
            "reason": self.reason.token(),
            "licences": rows,
            "installed": installed,
            "floor": self.standing.as_ref().map_or(0, |standing| standing.floor),
            "serial": self.standing.as_ref().and_then(|standing| standing.serial.as_ref()).map(|serial| serial.as_str()),
            "keys": self.standing.as_ref().map(|standing| json!({
                "version": standing.keyring.version(),
                "threshold": standing.keyring.threshold(),
                "count": standing.keyring.keys().len(),
            })),
            "clock": {
                "mark": (self.mark != 0).then(|| Instant::from_unix(self.mark).to_string()),
                "wrong": image.notices & crate::notice::CLOCK_WRONG != 0,
                "shift_seconds": judged.shift,
                "dates_unknown": judged.unknown_dates,
                "challenge": self.standing.as_ref().map(|standing| standing.challenge.as_str()),
            },
            "office": {
                "enrolment": self.account.enrolment.token(),
                "organisation": self.account.organisation,
                "contact": contact_text(&self.account),
                "failure": (!self.failure.is_empty()).then_some(&self.failure),
                "reported": self.account.reported.as_ref().map(|(chain, n)| json!({ "chain": chain, "n": n })),
            },
            "journal": self.journal.as_ref().map(|(chain, n)| json!({ "chain": chain, "n": n })),
            "secrets_bound_to_machine": self.secrets_bound,
            "copy": self.waiting.as_ref().map(|waiting| json!({
                "source": waiting.source.display().to_string(),
                "target": self.copy_target(),
                "files": waiting.files,
                "sequence": waiting.genuine.licence().sequence.get(),
            })),
            "counters": self.counters,
            "notes": self.notes,
            "log": lines,
        })
    }

    /// The folder that waiting files go to.
    pub fn copy_target(&self) -> &str {
        &self.folder
    }
}

fn row(report: &FileReport) -> Value {
    json!({
        "file": report.file,
        "state": report.state.token(),
        "reason": report.reason.token(),
        "reason_code": report.reason.code(),
        "text": report.text,
        "serial": report.serial,
        "sequence": report.sequence,
    })
}

/// When the back office answered last.
pub fn contact_text(account: &Account) -> Option<String> {
    account.contact.as_ref().map(|contact| Instant::from_unix(contact.at).to_string())
}

fn day(day: Option<Day>) -> Option<String> {
    day.map(|day| day.to_string())
}

/// The words for `ORS_SERVICE_*`.
pub fn service_token(service: u32) -> &'static str {
    match service {
        1 => "starting",
        2 => "ready",
        3 => "stopping",
        _ => "off",
    }
}
