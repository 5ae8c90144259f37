//! `back_office licence`: the same orders as on the page and in the API.

use super::arguments::{LastDay, feature, last_day};
use super::{Done, Exit, Failure, Office, by};
use crate::domain::{Problem, installations, licences};
use crate::issue::change::{Change, FloatingFile, Ordered};
use crate::issue::{Order, Preview};
use ors::licence::MAX_LICENCE_BYTES;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum LicenceCommand {
    /// Issue the next licence of an installation
    #[command(after_help = "\
Examples:
  back_office licence issue prismaprepare 1234567890 --maintenance-until 2028-05-31
  back_office licence issue prismaprepare 1234567890 --add-feature 'pdf-toolbox=PDF Toolbox' --preview")]
    Issue(Box<Issue>),
    /// Bring a licence that was signed elsewhere, or before the database was restored
    Adopt { file: PathBuf },
    /// The licences of an installation, the newest first
    List { product: String, serial: String },
    /// Write a licence's file to standard output
    File {
        product: String,
        serial: String,
        /// Which one [default: the newest]
        sequence: Option<u64>,
    },
}

#[derive(clap::Args)]
pub struct Issue {
    product: String,
    serial: String,
    /// The customer's name
    #[arg(long)]
    customer: Option<String>,
    /// Its last day, or `never`
    #[arg(long, value_parser = last_day, value_name = "YYYY-MM-DD")]
    expires_on: Option<LastDay>,
    /// The last day of maintenance, or `none`
    #[arg(long, value_parser = last_day, value_name = "YYYY-MM-DD")]
    maintenance_until: Option<LastDay>,
    /// How many users
    #[arg(long)]
    users: Option<u32>,
    /// How many more users
    #[arg(long, conflicts_with = "users")]
    add_users: Option<u32>,
    /// Add an option, or change the one of this id (repeatable)
    #[arg(long, value_parser = feature, value_name = "ID=NAME[:YYYY-MM-DD]")]
    add_feature: Vec<Ordered>,
    /// Remove an option (repeatable)
    #[arg(long, value_name = "ID")]
    remove_feature: Vec<String>,
    /// A file for the floating licence server; replaces the one of this name (repeatable)
    #[arg(long, value_name = "FILE")]
    fls: Vec<PathBuf>,
    /// Leave out a file for the floating licence server (repeatable)
    #[arg(long, value_name = "NAME")]
    remove_fls: Vec<String>,
    /// Take the licence back: the product says that it has expired
    #[arg(long, conflicts_with = "expires_on")]
    take_back: bool,
    /// The same once more, by the key that signs now
    #[arg(long)]
    again: bool,
    /// Issue nothing unless the newest licence has this sequence (0: there is none)
    #[arg(long, value_name = "SEQUENCE")]
    based_on: Option<u64>,
    /// Only say what would change and what the customer would read
    #[arg(long)]
    preview: bool,
}

impl LicenceCommand {
    pub fn run(self, office: &Office) -> Done {
        match self {
            LicenceCommand::Issue(issue) => issue.run(office),
            LicenceCommand::Adopt { file } => {
                let bytes =
                    issuer::files::read(&file, MAX_LICENCE_BYTES).map_err(|error| Failure::new(Exit::File, error))?;
                let host = crate::serve::host_keys(&office.config).map_err(|error| Failure::new(Exit::File, error))?;
                let trusted = office.store.read(|db| crate::domain::key_lists::ring(db, &host))?;
                let licence = office.desk().adopt(&bytes, &trusted, &by(), crate::now())?;
                office.poke();
                Ok(format!("{} {}: sequence {} is kept.\n", licence.product, licence.serial, licence.sequence))
            }
            LicenceCommand::List { product, serial } => {
                let all = office.store.read(|db| {
                    let installation = installations::get(db, &product, &serial)?;
                    licences::list(db, installation.id, 1000)
                })?;
                Ok(all.iter().fold(String::new(), |mut out, kept| {
                    let _ = writeln!(out, "{}  {}  {} by {}", kept.sequence, kept.recorded, kept.origin, kept.actor);
                    out
                }))
            }
            LicenceCommand::File { product, serial, sequence } => {
                let kept = office.store.read(|db| {
                    let installation = installations::get(db, &product, &serial)?;
                    licences::get(db, installation.id, sequence.unwrap_or(installation.newest))
                })?;
                kept.map(|kept| kept.file).ok_or_else(|| Problem::not_found("There is no such licence.").into())
            }
        }
    }
}

impl Issue {
    fn run(self, office: &Office) -> Done {
        let preview = self.preview;
        let order = self.order()?;
        let now = crate::now();
        if preview {
            return Ok(in_words(&office.desk().preview(&order, None, now)?));
        }
        let issued = office.desk().issue(&order, &by(), now);
        office.poke();
        let issued = issued?;
        Ok(format!("{} {}: sequence {} is issued.\n", order.product, order.serial, issued.licence.sequence))
    }

    fn order(self) -> Result<Order, Failure> {
        let files = self.fls.iter().map(|path| {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::new(Exit::File, format!("cannot read {}: {error}", path.display())))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(FloatingFile { name, text })
        });
        let change = Change {
            add_files: files.collect::<Result<_, Failure>>()?,
            customer: self.customer,
            expires_on: self.expires_on.map(|day| day.0),
            maintenance_until: self.maintenance_until.map(|day| day.0),
            users: self.users,
            add_users: self.add_users,
            add_features: self.add_feature,
            remove_features: self.remove_feature,
            remove_files: self.remove_fls,
            take_back: self.take_back,
            again: self.again,
        };
        Ok(Order { product: self.product, serial: self.serial, change, based_on: self.based_on, request: None })
    }
}

fn in_words(preview: &Preview) -> String {
    let mut out = format!("Sequence {} would be issued.\n", preview.after.sequence);
    let changes = &preview.changes;
    for (word, names) in [
        ("New", &changes.added),
        ("Changed", &changes.changed),
        ("Removed", &changes.removed),
        ("Ended", &changes.ended),
    ] {
        if !names.is_empty() {
            let _ = writeln!(out, "{word}: {}", names.join(", "));
        }
    }
    if let Some((from, to)) = changes.users {
        let _ = writeln!(out, "Users: {from} -> {to}");
    }
    let day = |day: Option<ors::licence::Day>, none: &str| day.map_or(none.to_owned(), |day| day.to_string());
    if let Some((from, to)) = changes.maintenance {
        let _ = writeln!(out, "Maintenance until: {} -> {}", day(from, "none"), day(to, "none"));
    }
    if let Some((from, to)) = changes.expiry {
        let _ = writeln!(out, "Licence until: {} -> {}", day(from, "never"), day(to, "never"));
    }
    for sentence in &preview.customer_reads {
        let _ = writeln!(out, "The customer reads: {sentence}");
    }
    for remark in &preview.remarks {
        let _ = writeln!(out, "Mind: {remark}");
    }
    out
}
