//! The settings of an installation: one document with a revision, changed as a whole or not at all.
//!
//! A set names only what changes. Made on an older revision it is merged: what nobody else changed since goes in, what
//! somebody did change is [`SettingsErrorKind::Stale`]. Secrets are not in the document but sealed in a file of their
//! own, `secrets-<revision>.sealed`, which is on the disk before the document that names it.
//!
//! The members are a table in `members`, reading a set is `patch`, what is kept on disk is `stored`. What a setting
//! means is decided by those who act on it; settings never name a program to run, a key or an office (trust.md §2).
#![forbid(unsafe_code)]

use std::fmt;

use serde_json::{Value, json};

use super::error::StoreError;
use super::folder::StateFolder;
use super::handover;
use super::secrets::{NoTraces, Secret};
use crate::licence::text::clean;

mod members;
mod patch;
mod raw;
mod stored;

use patch::Patch;
use stored::{Loaded, Stored};

/// Largest JSON text that a set may be, in bytes.
pub const LARGEST_SET: usize = 64 << 10;
/// How many changes are remembered with who made them.
pub const CHANGES_KEPT: usize = 50;

/// What the customer's administrator decided.
#[derive(Debug)]
pub struct Settings {
    /// Whether the service runs at all. Off until somebody switches it on.
    pub enabled: bool,
    /// The licence folder, or one file in it; absolute. `None`: the one of the options.
    pub licence_path: Option<String>,
    /// The service organisation's ID.
    pub organisation_id: Option<String>,
    /// Whether the help desk may ask for access. Off until somebody switches it on.
    pub allow_assistance: bool,
    /// What the help desk may ask for.
    pub assistance: Assistance,
    /// How the network is reached.
    pub proxy: Proxy,
    /// As whom a share is used.
    pub share_account: ShareAccount,
    /// Language of texts, a BCP 47 tag; `None`: the library's.
    pub language: Option<String>,
    /// Hours without an answer after which the service counts as unreachable, 1 to 8,760.
    pub unreachable_hours: u32,
    /// What the product says of itself, such as `8.2.1`: for the service organisation's list.
    pub product_version: Option<String>,
    /// The serial number to which an administrator agreed to change. See [`Settings::changed_at`] for when.
    pub confirm_serial: Option<String>,
    /// The revision at which `licence_path` was changed last; 0 = never.
    pub licence_path_revision: u64,
    /// Grows with every change; 0 before the first.
    pub revision: u64,
    /// Secrets that are set. They themselves are not here: an idle process holds none, so that none is
    /// in a core dump of it. Whoever has to send one asks [`Settings::open_secrets`].
    pub secrets_set: Vec<&'static str>,
    /// Secrets that are set but cannot be read (another machine, a lost key): to be entered again.
    pub unreadable_secrets: Vec<&'static str>,
    stored: Stored,
}

/// What the help desk may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assistance {
    /// Some of `control`, `view`, `vpn`.
    pub capabilities: Vec<String>,
    /// The longest grant, in minutes, 1 to 10,080.
    pub longest_minutes: u32,
}

/// How the network is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// `none`, `detect` or `manual`.
    pub mode: String,
    /// Name or address, without scheme and path.
    pub host: Option<String>,
    /// 1 to 65,535.
    pub port: Option<u16>,
    /// Whether the proxy asks who we are.
    pub authentication: bool,
    /// User name.
    pub user: Option<String>,
    /// Windows domain.
    pub domain: Option<String>,
}

/// As whom a share is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareAccount {
    /// `host`: the account of the process; `other`: the one named here.
    pub kind: String,
    /// User name.
    pub user: Option<String>,
    /// Windows domain.
    pub domain: Option<String>,
}

/// The secrets among the settings.
#[derive(Default)]
pub struct Secrets {
    /// The service organisation's verification code.
    pub verification_code: Option<Secret>,
    /// `proxy.password`.
    pub proxy_password: Option<Secret>,
    /// `share_account.password`.
    pub share_password: Option<Secret>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for name in members::SECRETS {
            map.entry(&name, &if self.get(name).is_some() { "set" } else { "not set" });
        }
        map.finish()
    }
}

impl Secrets {
    fn get(&self, name: &str) -> Option<&Secret> {
        match name {
            members::VERIFICATION_CODE => self.verification_code.as_ref(),
            members::PROXY_PASSWORD => self.proxy_password.as_ref(),
            members::SHARE_PASSWORD => self.share_password.as_ref(),
            _ => None,
        }
    }

    fn put(&mut self, name: &str, secret: Option<Secret>) {
        match name {
            members::VERIFICATION_CODE => self.verification_code = secret,
            members::PROXY_PASSWORD => self.proxy_password = secret,
            members::SHARE_PASSWORD => self.share_password = secret,
            _ => {}
        }
    }
}

/// One change, for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The revision it made.
    pub revision: u64,
    /// Who made it.
    pub by: String,
    /// When, in Unix seconds.
    pub time: i64,
    /// The members changed, such as `proxy.port`; never their values.
    pub members: Vec<String>,
}

/// The members of a get that are not settings: the caller knows them.
#[derive(Clone, Debug, Default)]
pub struct ReadOnlyPart {
    /// The installation's serial number.
    pub serial: Option<String>,
    /// What the runtime does; shown as it is.
    pub runtime: Value,
    /// The number that a signed time file has to answer.
    pub clock_challenge: Option<String>,
    /// When the back office answered last; an instant.
    pub contact: Option<String>,
    /// How the installation stands with the back office; a word.
    pub enrolment: &'static str,
    /// Of the installation's key.
    pub fingerprint: Option<String>,
    /// The account that the service runs under.
    pub service_account: Option<String>,
}

/// What kind of mistake a set was.
#[derive(Debug)]
pub enum SettingsErrorKind {
    /// A member or value that we do not know or that is out of range.
    Argument,
    /// Not UTF-8, too long, or with characters that cannot be shown.
    Text,
    /// The same member was changed since the revision that the set names.
    Stale,
    /// The lock was not had in time.
    Busy,
    /// The disk, or a newer version's settings.
    Store(StoreError),
}

/// Why a set was not taken. Nothing was changed.
#[derive(Debug)]
pub struct SettingsError {
    /// What kind of mistake.
    pub kind: SettingsErrorKind,
    /// The member, such as `proxy.port`; empty when it is none in particular.
    pub member: String,
    /// One sentence for the user. Never holds a secret.
    pub message: String,
}

impl SettingsError {
    fn new(kind: SettingsErrorKind, member: &str, message: impl Into<String>) -> SettingsError {
        SettingsError { kind, member: clean(member, 100), message: message.into() }
    }
}

impl From<StoreError> for SettingsError {
    fn from(error: StoreError) -> SettingsError {
        let message = error.to_string();
        let kind = match error {
            StoreError::Busy { .. } => SettingsErrorKind::Busy,
            error => SettingsErrorKind::Store(error),
        };
        SettingsError { kind, member: String::new(), message }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.member.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.member, self.message) }
    }
}

impl std::error::Error for SettingsError {}

impl Default for Settings {
    fn default() -> Settings {
        stored::defaults()
    }
}

impl Settings {
    /// Reads the settings; defaults where there are none. The second value is notes for the log: damaged copies,
    /// values that are none, secrets that cannot be read.
    ///
    /// # Errors
    /// Written by a newer version, or not readable for lack of rights.
    pub fn load(folder: &StateFolder) -> Result<(Settings, Vec<String>), StoreError> {
        let Loaded { settings, notes, .. } = stored::load(folder)?;
        Ok((settings, notes))
    }

    /// The secrets as they are on the disk now, for the moment in which they are needed.
    ///
    /// # Errors
    /// As [`Settings::load`]; and when the operating system does not let us read them now. Those that have to be entered
    /// again are not set.
    pub fn open_secrets(folder: &StateFolder) -> Result<Secrets, StoreError> {
        let Loaded { secrets, held, .. } = stored::load(folder)?;
        held.map_or(Ok(secrets), Err)
    }

    /// Takes a set: checks it, merges it with what others changed, and writes it, under `settings.lock`. `by` and `now`
    /// (Unix seconds) are remembered with the change; `current` is what a get shows now. A set that changes nothing
    /// writes nothing.
    ///
    /// # Errors
    /// See [`SettingsErrorKind`]; the settings are as they were.
    pub fn change(
        folder: &StateFolder,
        json: &[u8],
        by: &str,
        now: i64,
        current: &Value,
    ) -> Result<Settings, SettingsError> {
        let _no_traces = NoTraces::from_here();
        let by = members::check_by(by)?;
        let patch = Patch::parse(json, current)?;
        let _lock = handover::settings_lock(folder)?;
        let Loaded { settings: before, secrets, held, .. } = stored::load(folder)?;
        if let Some(held) = held.filter(|_| !patch.secrets.is_empty()) {
            // To write one of them without the others would lose the others.
            return Err(held.into());
        }
        let wanted = stored::merge(&before, &secrets, patch)?;
        if wanted.is_empty() {
            return Ok(before);
        }
        Ok(stored::write(folder, before, secrets, wanted, by, now)?)
    }

    /// The JSON of a get: the settings, secrets as `{"set": true}`, and what the caller knows.
    pub fn to_json(&self, rest: ReadOnlyPart) -> Value {
        let secret = |name: &str| json!({ "set": self.secrets_set.contains(&name) });
        json!({
            "enabled": self.enabled,
            "licence_path": self.licence_path,
            "organisation_id": self.organisation_id,
            "verification_code": secret(members::VERIFICATION_CODE),
            "allow_assistance": self.allow_assistance,
            "assistance": {
                "capabilities": self.assistance.capabilities,
                "longest_minutes": self.assistance.longest_minutes,
            },
            "proxy": {
                "mode": self.proxy.mode,
                "host": self.proxy.host,
                "port": self.proxy.port,
                "authentication": self.proxy.authentication,
                "user": self.proxy.user,
                "password": secret(members::PROXY_PASSWORD),
                "domain": self.proxy.domain,
            },
            "share_account": {
                "kind": self.share_account.kind,
                "user": self.share_account.user,
                "password": secret(members::SHARE_PASSWORD),
                "domain": self.share_account.domain,
            },
            "language": self.language,
            "unreachable_hours": self.unreachable_hours,
            "product_version": self.product_version,
            "revision": self.revision,
            "serial": rest.serial,
            "runtime": rest.runtime,
            "contact": rest.contact,
            "enrolment": rest.enrolment,
            "fingerprint": rest.fingerprint,
            "clock_challenge": rest.clock_challenge,
            "service_account": rest.service_account,
        })
    }

    /// The changes after a revision, oldest first; the last [`CHANGES_KEPT`] are known.
    pub fn changes_after(&self, revision: u64) -> Vec<Change> {
        self.stored.changes_after(revision)
    }

    /// The revision at which a member (`proxy.port`) was changed last; 0 = never.
    pub fn changed_at(&self, member: &str) -> u64 {
        self.stored.changed_at(member)
    }
}

#[cfg(test)]
mod tests;
