//! `back_office organisation`, `token`, `enrolment`, `keys`.

use super::{Done, Exit, Failure, Office, by};
use crate::domain::tokens::{self, Scope};
use crate::domain::{Outcome, agent_keys, installations, key_lists, organisations};
use ors::licence::{Instant, MAX_LICENCE_BYTES};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum OrganisationCommand {
    /// Add one: the ID that its customers type, and its name
    Add { id: String, name: String },
    /// List them
    List,
    /// Make a new verification code; it is shown once. The one before stays valid, so that customers can change
    NewCode { id: String },
    /// End every code but the newest
    EndOldCodes { id: String },
}

impl OrganisationCommand {
    pub fn run(self, office: &Office) -> Done {
        let now = crate::now();
        match self {
            OrganisationCommand::Add { id, name } => {
                office.store.write(|db| organisations::add(db, &id, &name, &by(), now))?;
                Ok(format!("{id} is added. Make its verification code with `organisation new-code {id}`.\n"))
            }
            OrganisationCommand::List => {
                let all = office.store.read(organisations::list)?;
                Ok(lines(all.iter().map(|it| format!("{}  {}  codes: {}", it.ident, it.name, it.codes.len()))))
            }
            OrganisationCommand::NewCode { id } => {
                let code = office.store.write(|db| organisations::new_code(db, &id, &by(), now))?;
                Ok(format!("{code}\n"))
            }
            OrganisationCommand::EndOldCodes { id } => {
                let ended = office.store.write(|db| organisations::end_old_codes(db, &id, &by(), now))?;
                Ok(format!("{ended} codes ended.\n"))
            }
        }
    }
}

#[derive(clap::Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is shown once
    Add {
        name: String,
        /// What it may do: read, issue, import, metrics
        #[arg(long, value_delimiter = ',', required = true)]
        scope: Vec<String>,
        /// Valid for so many days [default: until it is revoked]
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
    /// List them
    List,
    /// End one
    Revoke { name: String },
}

impl TokenCommand {
    pub fn run(self, office: &Office) -> Done {
        let now = crate::now();
        match self {
            TokenCommand::Add { name, scope, days } => {
                let scopes: Vec<Scope> = scope.iter().map(|word| Scope::parse(word)).collect::<Outcome<_>>()?;
                let until = days.map(|days| now.plus(i64::from(days) * 86_400));
                let token = office.store.write(|db| tokens::add(db, &name, &scopes, until, &by(), now))?;
                Ok(format!("{token}\n"))
            }
            TokenCommand::List => {
                let all = office.store.read(tokens::list)?;
                let when = |at: Option<Instant>, none: &str| at.map_or(none.to_owned(), |at| at.to_string());
                Ok(lines(all.iter().map(|it| {
                    let scopes: Vec<&str> = it.scopes.iter().map(|scope| scope.token()).collect();
                    let ended = it.revoked.map_or(String::new(), |at| format!(", revoked {at}"));
                    let (until, used) = (when(it.until, "revoked"), when(it.used, "never"));
                    format!("{}  {}  until {until}, used {used}{ended}", it.name, scopes.join(","))
                })))
            }
            TokenCommand::Revoke { name } => {
                office.store.write(|db| tokens::revoke(db, &name, &by(), now))?;
                Ok(format!("{name} is revoked.\n"))
            }
        }
    }
}

#[derive(clap::Subcommand)]
pub enum EnrolmentCommand {
    /// Keys that wait for approval, with the fingerprint of the key in use
    Waiting,
    /// All keys of an installation
    List { product: String, serial: String },
    /// Let a key in, by its fingerprint; the one in use is superseded
    Approve { product: String, serial: String, fingerprint: String },
    /// Turn a key that waits away
    Refuse { product: String, serial: String, fingerprint: String },
    /// End a key for good
    Revoke { product: String, serial: String, fingerprint: String },
}

impl EnrolmentCommand {
    pub fn run(self, office: &Office) -> Done {
        type Decide = fn(&rusqlite::Connection, i64, &crate::domain::Actor, Instant) -> Outcome<()>;
        let (product, serial, fingerprint, decide, done): (_, _, _, Decide, _) = match self {
            EnrolmentCommand::Waiting => {
                let all = office.store.read(agent_keys::waiting)?;
                return Ok(lines(all.iter().map(|it| {
                    let active = it.active.as_deref().unwrap_or("none");
                    let (key, of) = (it.key.fingerprint(), it.installation.name());
                    format!("{of}  {}  asks: {key}, in use: {active}, since {}", it.installation.customer, it.key.asked)
                })));
            }
            EnrolmentCommand::List { product, serial } => {
                let keys = keys(office, &product, &serial)?;
                return Ok(lines(keys.iter().map(|key| {
                    let cloned = if key.cloned.is_some() { ", seen on two machines" } else { "" };
                    let history = key.history.as_deref().map(|it| format!(", {it}")).unwrap_or_default();
                    format!("{}  {}, asked {}{cloned}{history}", key.fingerprint(), key.state.token(), key.asked)
                })));
            }
            EnrolmentCommand::Approve { product, serial, fingerprint } => {
                (product, serial, fingerprint, agent_keys::approve, "approved")
            }
            EnrolmentCommand::Refuse { product, serial, fingerprint } => {
                (product, serial, fingerprint, agent_keys::refuse, "refused")
            }
            EnrolmentCommand::Revoke { product, serial, fingerprint } => {
                (product, serial, fingerprint, agent_keys::revoke, "revoked")
            }
        };
        let typed = fingerprint.trim().to_ascii_uppercase();
        let found: Vec<_> =
            keys(office, &product, &serial)?.into_iter().filter(|key| key.fingerprint() == typed).collect();
        let [key] = found.as_slice() else {
            let message = format!("{product} {serial} has no key with the fingerprint {typed}");
            return Err(Failure::new(Exit::Refused, message));
        };
        office.store.write(|db| decide(db, key.id, &by(), crate::now()))?;
        office.poke();
        Ok(format!("{typed} is {done}.\n"))
    }
}

fn keys(office: &Office, product: &str, serial: &str) -> Result<Vec<agent_keys::AgentKey>, Failure> {
    Ok(office.store.read(|db| agent_keys::of(db, installations::get(db, product, serial)?.id))?)
}

#[derive(clap::Subcommand)]
pub enum KeysCommand {
    /// Take a key list, or a chain of them; all agents hear of it
    Import { file: PathBuf },
}

impl KeysCommand {
    pub fn run(self, office: &Office) -> Done {
        let KeysCommand::Import { file } = self;
        let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::File, error);
        let bytes = issuer::files::read(&file, MAX_LICENCE_BYTES).map_err(|error| failed(&error))?;
        let host = crate::serve::host_keys(&office.config).map_err(|error| failed(&error))?;
        let now = crate::now();
        let (ring, steps) = office.store.write(|db| key_lists::import(db, &host, &bytes, &by(), now))?;
        office.poke();
        Ok(format!("{steps} new lists; the newest is version {}.\n", ring.version()))
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{line}");
        out
    })
}
