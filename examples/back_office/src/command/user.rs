//! `back_office user`: people who log in.

use super::arguments::PassphraseArgs;
use super::{Done, Office, by};
use crate::domain::people::{self, New, Role};
use crate::domain::{Outcome, organisations};
use crate::login::secrets::Secrets;
use crate::login::{self, password};
use std::fmt::Write;

#[derive(clap::Subcommand)]
pub enum UserCommand {
    /// Add one; the password is asked for, or taken from a descriptor
    Add {
        name: String,
        /// What pages call them [default: the name]
        #[arg(long)]
        display: Option<String>,
        /// administrator, licence-desk, help-desk
        #[arg(long, value_delimiter = ',', required = true)]
        role: Vec<String>,
        /// The ID of the organisation that a help-desk employee belongs to
        #[arg(long)]
        organisation: Option<String>,
        /// Set the second factor up now, and print it with its recovery codes; else the first login does it
        #[arg(long)]
        with_second_factor: bool,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// List them
    List,
    /// Give somebody another password
    SetPassword {
        name: String,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Change what somebody may do
    SetRoles {
        name: String,
        /// administrator, licence-desk, help-desk
        #[arg(long, value_delimiter = ',', required = true)]
        role: Vec<String>,
        /// The ID of the organisation that a help-desk employee belongs to
        #[arg(long)]
        organisation: Option<String>,
    },
    /// Take a lost second factor away; the next login sets one up
    ResetSecondFactor { name: String },
    /// Let somebody in no more
    Disable { name: String },
    /// Let somebody in again
    Enable { name: String },
}

impl UserCommand {
    pub fn run(self, office: &Office) -> Done {
        let now = crate::now();
        match self {
            UserCommand::Add { name, display, role, organisation, with_second_factor, passphrase } => {
                let roles = roles(&role)?;
                let secrets = Secrets::open_file(&office.config.secrets())?;
                let hash = password::hash(&passphrase.choose(&format!("Password of {name}: "))?)?;
                let given = office.store.write(|db| {
                    let organisation = match &organisation {
                        Some(ident) => Some(organisations::by_ident(db, ident)?.id),
                        None => None,
                    };
                    let display = display.as_deref().unwrap_or(&name);
                    let new = New { name: &name, display, roles: &roles, organisation, password_hash: &hash };
                    people::add(db, &new, &by(), now)?;
                    with_second_factor.then(|| login::give_second_factor(db, &secrets, &name, &by(), now)).transpose()
                })?;
                let mut out = format!("{name} is added.\n");
                if let Some((shown, recovery)) = given {
                    let _ = write!(out, "secret {}\nuri {}\n", shown.secret, shown.uri);
                    recovery.iter().for_each(|code| out.push_str(&format!("recovery {code}\n")));
                }
                Ok(out)
            }
            UserCommand::List => {
                let all = office.store.read(people::list)?;
                Ok(all.iter().fold(String::new(), |mut out, user| {
                    let roles: Vec<&str> = user.roles.iter().map(|role| role.token()).collect();
                    let factor = if user.second_factor { "" } else { ", no second factor yet" };
                    let disabled = if user.disabled { ", disabled" } else { "" };
                    let _ = writeln!(out, "{}  {}  {}{factor}{disabled}", user.name, user.display, roles.join(","));
                    out
                }))
            }
            UserCommand::SetPassword { name, passphrase } => {
                let chosen = passphrase.choose(&format!("New password of {name}: "))?;
                office.store.write(|db| login::set_password(db, &name, &chosen, &by(), now))?;
                Ok(format!("{name} has a new password and is logged out.\n"))
            }
            UserCommand::SetRoles { name, role, organisation } => {
                let roles = roles(&role)?;
                office.store.write(|db| {
                    let organisation = match &organisation {
                        Some(ident) => Some(organisations::by_ident(db, ident)?.id),
                        None => None,
                    };
                    people::set_roles(db, &name, &roles, organisation, &by(), now)
                })?;
                Ok(format!("{name} has these roles from the next login on.\n"))
            }
            UserCommand::ResetSecondFactor { name } => {
                office.store.write(|db| login::reset_second_factor(db, &name, &by(), now))?;
                Ok(format!("{name} sets a second factor up at the next login.\n"))
            }
            UserCommand::Disable { name } => {
                office.store.write(|db| people::set_disabled(db, &name, true, &by(), now))?;
                Ok(format!("{name} is disabled.\n"))
            }
            UserCommand::Enable { name } => {
                office.store.write(|db| people::set_disabled(db, &name, false, &by(), now))?;
                Ok(format!("{name} is enabled.\n"))
            }
        }
    }
}

fn roles(words: &[String]) -> Outcome<Vec<Role>> {
    words.iter().map(|word| Role::parse(word)).collect()
}
