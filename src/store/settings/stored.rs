//! What is kept on disk: the settings document, the sealed file beside it, and how a set is merged into them.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::members::{self, CONFIRM_SERIAL, LICENCE_PATH, MEMBERS, SECRETS};
use super::patch::Patch;
use super::raw;
use super::{
    Assistance, CHANGES_KEPT, Change, Proxy, Secrets, Settings, SettingsError, SettingsErrorKind, ShareAccount,
};
use crate::store::disk::Access;
use crate::store::durable;
use crate::store::error::StoreError;
use crate::store::folder::StateFolder;
use crate::store::secrets::{self, NoTraces, Secret, SecretsProblem};
use crate::store::{document, read_limited};

const DOCUMENT: &str = "settings";
const LARGEST_SEALED: usize = 64 << 10;
/// Three secrets of 200 characters with their names, each character four bytes at most, take less.
const MOST_PLAIN: usize = 4 << 10;

/// The document. Members that this version does not know are kept as they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(default)]
    values: BTreeMap<String, Value>,
    /// Member -> revision of its last change.
    #[serde(default)]
    changed_at: BTreeMap<String, u64>,
    /// Names the sealed file; 0 = no secrets.
    #[serde(default)]
    secrets_revision: u64,
    /// Which secrets the sealed file holds.
    #[serde(default)]
    secrets_set: Vec<String>,
    #[serde(default)]
    log: Vec<Logged>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Logged {
    revision: u64,
    by: String,
    time: i64,
    members: Vec<String>,
    /// The values before, so that a set made on an older revision tells what it changes from what it only repeats.
    /// Never a secret.
    before: BTreeMap<String, Value>,
}

impl Stored {
    /// The value that counts; the default for one that is missing or, after damage, not one the member may have.
    fn value(&self, member: &members::Member) -> Value {
        let kept = self.values.get(member.name).and_then(|value| (member.check)(value).ok());
        kept.unwrap_or_else(member.default)
    }

    fn named(&self, name: &str) -> Value {
        members::find(name).map_or(Value::Null, |member| self.value(member))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.named(name).as_str().map(str::to_owned)
    }

    fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    fn flag(&self, name: &str) -> bool {
        self.named(name).as_bool().unwrap_or(false)
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.named(name).as_u64().and_then(|number| u32::try_from(number).ok())
    }

    pub(super) fn changed_at(&self, member: &str) -> u64 {
        self.changed_at.get(member).copied().unwrap_or(0)
    }

    pub(super) fn changes_after(&self, revision: u64) -> Vec<Change> {
        let later = self.log.iter().filter(|logged| logged.revision > revision);
        later
            .map(|logged| Change {
                revision: logged.revision,
                by: logged.by.clone(),
                time: logged.time,
                members: logged.members.clone(),
            })
            .collect()
    }

    /// The value a member had at a revision; `None` when that is no longer known.
    fn value_at(&self, member: &members::Member, revision: u64) -> Option<Value> {
        if self.changed_at(member.name) <= revision {
            return Some(self.value(member));
        }
        // The log is without gaps from its first entry on.
        if self.log.first().is_none_or(|oldest| oldest.revision > revision.saturating_add(1)) {
            return None;
        }
        let next = self.log.iter().find(|logged| logged.revision > revision && logged.before.contains_key(member.name));
        next.and_then(|logged| logged.before.get(member.name).cloned())
    }
}

fn sealed_name(revision: u64) -> String {
    format!("secrets-{revision}.sealed")
}

/// The settings with what is in no document.
pub(super) struct Loaded {
    pub(super) settings: Settings,
    pub(super) secrets: Secrets,
    /// Why the secrets could not be read just now: `secrets` is empty, but nothing is lost.
    pub(super) held: Option<StoreError>,
    /// For the log.
    pub(super) notes: Vec<String>,
}

/// An error is one of the operating system's; what is damaged, or was sealed elsewhere, is a note.
fn open_secrets(folder: &StateFolder, stored: &Stored, notes: &mut Vec<String>) -> io::Result<Secrets> {
    let mut found = Secrets::default();
    if stored.secrets_revision == 0 {
        return Ok(found);
    }
    let name = sealed_name(stored.secrets_revision);
    let sealed = read_limited(&folder.file(&name), LARGEST_SEALED)?;
    match secrets::open(folder, &sealed) {
        // Name -> text.
        Ok(plain) => match std::str::from_utf8(&plain).ok().and_then(raw::members) {
            Some(Ok(map)) => map.into_iter().for_each(|(name, text)| found.put(&name, raw::secret(text))),
            _ => notes.push(format!("{name} does not hold what it should")),
        },
        Err(SecretsProblem::KeyHeld(error)) => return Err(error),
        Err(problem) => notes.push(format!("{name}: {problem}")),
    }
    Ok(found)
}

pub(super) fn load(folder: &StateFolder) -> Result<Loaded, StoreError> {
    let _no_traces = NoTraces::from_here();
    let mut attempts_left = 3;
    loop {
        let read = document::read::<Stored>(folder, DOCUMENT)?;
        let mut notes = read.damaged;
        let stored = read.value.unwrap_or_default();
        for member in &MEMBERS {
            if stored.values.get(member.name).is_some_and(|value| (member.check)(value).is_err()) {
                notes.push(format!("the stored {} is not valid; its default counts", member.name));
            }
        }
        let (secrets, held) = match open_secrets(folder, &stored, &mut notes) {
            Ok(secrets) => (secrets, None),
            // Another process changed a secret between our two reads, and its file is a newer one.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts_left > 0 => {
                attempts_left -= 1;
                continue;
            }
            Err(error) => {
                let name = sealed_name(stored.secrets_revision);
                notes.push(format!("{name} cannot be read: {error}"));
                let lost = [io::ErrorKind::NotFound, io::ErrorKind::InvalidInput, io::ErrorKind::FileTooLarge];
                let held = !lost.contains(&error.kind());
                let error = StoreError::io("read the secrets", &folder.file(&name))(error);
                (Secrets::default(), held.then_some(error))
            }
        };
        let mut settings = settings_of(stored, &secrets, read.revision);
        if held.is_some() {
            settings.secrets_set = std::mem::take(&mut settings.unreadable_secrets);
        }
        return Ok(Loaded { settings, secrets, held, notes });
    }
}

/// The settings of an installation on which nothing was ever set.
pub(super) fn defaults() -> Settings {
    settings_of(Stored::default(), &Secrets::default(), 0)
}

fn settings_of(stored: Stored, secrets: &Secrets, revision: u64) -> Settings {
    let is_set = |name: &str| stored.secrets_set.iter().any(|set| set == name);
    let (readable, missing): (Vec<_>, Vec<_>) = SECRETS.into_iter().partition(|name| secrets.get(name).is_some());
    let unreadable = missing.into_iter().filter(|name| is_set(name)).collect();
    let capabilities = stored.named("assistance.capabilities");
    let capabilities = capabilities.as_array().map(Vec::as_slice).unwrap_or_default();
    Settings {
        enabled: stored.flag("enabled"),
        licence_path: stored.text(LICENCE_PATH),
        organisation_id: stored.text("organisation_id"),
        allow_assistance: stored.flag("allow_assistance"),
        assistance: Assistance {
            capabilities: capabilities.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            longest_minutes: stored.number("assistance.longest_minutes").unwrap_or(1),
        },
        proxy: Proxy {
            mode: stored.word("proxy.mode"),
            host: stored.text("proxy.host"),
            port: stored.number("proxy.port").and_then(|port| u16::try_from(port).ok()),
            authentication: stored.flag("proxy.authentication"),
            user: stored.text("proxy.user"),
            domain: stored.text("proxy.domain"),
        },
        share_account: ShareAccount {
            kind: stored.word("share_account.kind"),
            user: stored.text("share_account.user"),
            domain: stored.text("share_account.domain"),
        },
        language: stored.text("language"),
        unreachable_hours: stored.number("unreachable_hours").unwrap_or(24),
        product_version: stored.text("product_version"),
        confirm_serial: stored.text(CONFIRM_SERIAL),
        licence_path_revision: stored.changed_at(LICENCE_PATH),
        revision,
        secrets_set: readable,
        unreadable_secrets: unreadable,
        stored,
    }
}

/// What a set really changes.
pub(super) struct Wanted {
    plain: Vec<(&'static members::Member, Value)>,
    secrets: Vec<(&'static str, Option<Secret>)>,
}

impl Wanted {
    pub(super) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.secrets.is_empty()
    }
}

/// Compares a set with what is stored now and with what its maker saw.
pub(super) fn merge(now: &Settings, secrets: &Secrets, patch: Patch) -> Result<Wanted, SettingsError> {
    let stored = &now.stored;
    let seen = patch.revision.unwrap_or(now.revision);
    if seen > now.revision {
        let message = "is newer than the settings that are stored; read them again";
        return Err(SettingsError::new(SettingsErrorKind::Stale, "revision", message));
    }
    let stale = |name: &str| {
        let message = "was changed by somebody else since you read it; read the settings again";
        SettingsError::new(SettingsErrorKind::Stale, name, message)
    };
    let mut wanted = Wanted { plain: Vec::new(), secrets: Vec::new() };
    for (member, value) in patch.plain {
        // To confirm a serial number is an act: the same one may have to be confirmed again.
        let is_act = member.name == CONFIRM_SERIAL && !value.is_null();
        if value == stored.value(member) && !is_act {
            continue;
        }
        if stored.changed_at(member.name) > seen {
            if stored.value_at(member, seen).is_some_and(|then| then == value) && !is_act {
                // Only repeated from what was read: the other one's change stays.
                continue;
            }
            return Err(stale(member.name));
        }
        wanted.plain.push((member, value));
    }
    for (name, secret) in patch.secrets {
        let same = match (secrets.get(name), &secret) {
            (Some(now), Some(new)) => now.expose() == new.expose(),
            (None, None) => !now.unreadable_secrets.contains(&name),
            _ => false,
        };
        if same {
            continue;
        }
        if stored.changed_at(name) > seen {
            return Err(stale(name));
        }
        wanted.secrets.push((name, secret));
    }
    Ok(wanted)
}

/// Writes the sealed file if a secret changes, then the document, which is the commit; then removes older sealed files.
pub(super) fn write(
    folder: &StateFolder,
    before: Settings,
    mut secrets: Secrets,
    wanted: Wanted,
    by: String,
    time: i64,
) -> Result<Settings, StoreError> {
    let Settings { stored: old, revision, .. } = before;
    let revision = revision.saturating_add(1);
    let mut stored = old.clone();
    let mut logged = Logged { revision, by, time, members: Vec::new(), before: BTreeMap::new() };
    for (member, value) in wanted.plain {
        logged.before.insert(member.name.to_owned(), old.value(member));
        logged.members.push(member.name.to_owned());
        stored.values.insert(member.name.to_owned(), value);
        stored.changed_at.insert(member.name.to_owned(), revision);
    }
    let secrets_change = !wanted.secrets.is_empty();
    for (name, secret) in wanted.secrets {
        stored.secrets_set.retain(|set| set != name);
        if secret.is_some() {
            stored.secrets_set.push(name.to_owned());
        }
        secrets.put(name, secret);
        logged.members.push(name.to_owned());
        stored.changed_at.insert(name.to_owned(), revision);
    }
    stored.log.push(logged);
    let surplus = stored.log.len().saturating_sub(CHANGES_KEPT);
    stored.log.drain(..surplus);

    let disk = folder.disk().as_ref();
    let mut new_file = None;
    if secrets_change {
        let plain = plain_of(&secrets)?;
        // Secrets that are set but unreadable keep their place in `secrets_set`: still to be entered again.
        stored.secrets_revision = if stored.secrets_set.is_empty() { 0 } else { revision };
        if stored.secrets_revision != 0 {
            let path = folder.file(&sealed_name(revision));
            let sealed = secrets::seal(folder, &plain)?;
            durable::replace(disk, &path, &sealed, Access::Owner).map_err(StoreError::io("write secrets", &path))?;
            new_file = Some(path);
        }
    }
    if let Err(error) = document::write(folder, DOCUMENT, revision, &stored) {
        if let Some(path) = new_file
            && !is_committed(folder, revision)
        {
            let _ = durable::remove(disk, &path);
        }
        return Err(error);
    }
    if secrets_change {
        remove_older(folder, stored.secrets_revision);
    }
    Ok(settings_of(stored, &secrets, revision))
}

/// Whether the document of this revision is in place although writing it failed (its folder could not be synced).
fn is_committed(folder: &StateFolder, revision: u64) -> bool {
    document::read::<Stored>(folder, DOCUMENT).is_ok_and(|read| read.revision == revision)
}

fn plain_of(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let set = SECRETS.into_iter().filter_map(|name| secrets.get(name).map(|secret| (name, secret.expose())));
    let plain: BTreeMap<&str, &str> = set.collect();
    // Room from the start: growing would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_PLAIN));
    serde_json::to_writer(&mut *bytes, &plain)
        .map_err(|error| StoreError::Encode { what: "the secrets".to_owned(), message: error.to_string() })?;
    // One length for all, so that the sealed file does not tell how long a password is; and a cipher's last block,
    // which it copies about, holds blanks.
    let padded = MOST_PLAIN.max(bytes.len());
    bytes.resize(padded, b' ');
    Ok(bytes)
}

/// Old sealed files, and those of changes that never came to their commit.
fn remove_older(folder: &StateFolder, keep: u64) {
    let Ok(entries) = std::fs::read_dir(folder.path()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_prefix("secrets-")?.strip_suffix(".sealed")?.parse().ok());
        if number.is_some_and(|number: u64| number != keep) {
            let _ = durable::remove(folder.disk().as_ref(), &entry.path());
        }
    }
}
