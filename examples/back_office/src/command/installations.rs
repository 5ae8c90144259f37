//! `back_office installation` and `back_office import`.

use super::{Done, Exit, Failure, Office, by};
use crate::domain::installations::{self, Filter, Installation, New};
use crate::domain::{Problem, organisations};
use crate::issue::import;
use ors::licence::{Product, Serial};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum InstallationCommand {
    /// Add one; its serial number has to be registered with the signer then
    Add {
        product: String,
        serial: String,
        /// The customer's name
        #[arg(long)]
        customer: String,
        /// The ID of its organisation
        #[arg(long)]
        organisation: String,
    },
    /// List them by customer
    List {
        /// A part of customer or serial number
        text: Option<String>,
        /// Only those of the organisation with this ID
        #[arg(long)]
        organisation: Option<String>,
        /// Only those whose newest licence was issued so many days ago and is not installed
        #[arg(long, value_name = "DAYS")]
        late: Option<u32>,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Those that the signer does not know, as `signer register` reads them
    Waiting,
}

impl InstallationCommand {
    pub fn run(self, office: &Office) -> Done {
        let now = crate::now();
        match self {
            InstallationCommand::Add { product, serial, customer, organisation } => {
                let wrong = |member: &str, error: ors::licence::NameError| Problem::invalid(member, error.0);
                let product = Product::parse(&product).map_err(|error| wrong("product", error))?;
                let serial = Serial::parse(&serial).map_err(|error| wrong("serial", error))?;
                office.store.write(|db| {
                    let organisation = Some(organisations::by_ident(db, &organisation)?.id);
                    let new =
                        New { product: &product, serial: &serial, customer: &customer, organisation, draft: None };
                    installations::add(db, &new, &by(), now)
                })?;
                Ok(format!("{product} {serial} is added. Register it with the signer before its first licence.\n"))
            }
            InstallationCommand::List { text, organisation, late, limit } => {
                let filter = Filter { text, organisation, late_days: late, unregistered: false };
                let rows = office.store.read(|db| installations::list(db, &filter, None, limit, now))?;
                Ok(rows.iter().fold(String::new(), |mut out, row| {
                    let _ = writeln!(out, "{}", in_a_line(row));
                    out
                }))
            }
            InstallationCommand::Waiting => {
                let rows = office.store.read(installations::unregistered)?;
                Ok(rows.iter().fold(String::new(), |mut out, (_, product, serial)| {
                    let _ = writeln!(out, "{product} {serial}");
                    out
                }))
            }
        }
    }
}

fn in_a_line(it: &Installation) -> String {
    let seen = it.last_seen.map_or("never seen".to_owned(), |at| format!("seen {at}"));
    let state = match (it.newest, it.installed) {
        (0, _) if !it.registered => "not registered".to_owned(),
        (0, _) => "no licence".to_owned(),
        (newest, installed) if installed == newest => format!("sequence {newest}"),
        (newest, installed) => format!("sequence {newest}, installed {installed}"),
    };
    format!("{}  {}  {}  {state}, {seen}", it.product, it.serial, it.customer)
}

#[derive(clap::Args)]
pub struct Import {
    /// The CSV file: product, serial, customer, organisation; users, expires_on, maintenance_until, features
    file: PathBuf,
    /// Only say what is wrong, and take nothing
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub fn run(self, office: &Office) -> Done {
        let bytes =
            issuer::files::read(&self.file, import::MAX_BYTES).map_err(|error| Failure::new(Exit::File, error))?;
        let report = office.store.write(|db| import::import(db, &bytes, self.dry_run, &by(), crate::now()))?;
        if report.wrong.is_empty() {
            let verb = if report.taken { "were added. Register them with the signer." } else { "can be added." };
            return Ok(format!("{} installations {verb}\n", report.rows));
        }
        let mut message = format!("{}: nothing was taken", self.file.display());
        for wrong in &report.wrong {
            let column = wrong.column.as_deref().map(|column| format!(", {column}")).unwrap_or_default();
            let _ = write!(message, "\nline {}{column}: {}", wrong.line, wrong.detail);
        }
        Err(Failure::new(Exit::Refused, message))
    }
}
