//! The command line: the server and the signer, and everything an administrator does beside the pages. It uses the same code
//! as the API, on the same database, whether the server runs or not; a running one is poked, so that agents hear at once.

mod administration;
mod arguments;
mod backup;
mod installations;
mod licence;
mod serve;
mod signer;
mod user;

use crate::config::{self, Config};
use crate::domain::{Actor, Kind, Problem};
use crate::issue::Desk;
use crate::signer::Client;
use crate::store::{Store, StoreError};
use clap::{Parser, Subcommand};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The service organisation's server: installations, licences, their signer, and the line to the agents.
#[derive(Parser)]
#[command(name = "back_office", version, max_term_width = 100, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    first: First,
    /// The configuration file
    #[arg(long, global = true, default_value = "back_office.toml", value_name = "FILE")]
    config: PathBuf,
}

const AFTER: &str = "\
Begin with docs/back_office.md, which goes from an empty folder to the first licence.

Exit codes: 0 done; 1 refused, or something is wrong with what was shown or asked for; 2 the command line makes no sense;
3 a file or the database could not be read or written; 4 a passphrase is wrong or missing; 5 the signer refuses, or cannot
be reached.";

#[derive(Subcommand)]
enum First {
    /// Run the server, until SIGTERM
    Serve(serve::Serve),
    /// Run the signer, which holds the licence key; or register serial numbers with it
    Signer(signer::SignerCommand),
    /// Service organisations and their verification codes
    #[command(subcommand)]
    Organisation(administration::OrganisationCommand),
    /// People who log in
    #[command(subcommand)]
    User(user::UserCommand),
    /// Tokens of programs that use the API
    #[command(subcommand)]
    Token(administration::TokenCommand),
    /// Keys of installations: those that wait for approval, and those that are in use
    #[command(subcommand)]
    Enrolment(administration::EnrolmentCommand),
    /// Key lists that agents follow
    #[command(subcommand)]
    Keys(administration::KeysCommand),
    /// Installations
    #[command(subcommand)]
    Installation(installations::InstallationCommand),
    /// Licences: issue the next one, look at it first, bring one
    #[command(subcommand)]
    Licence(licence::LicenceCommand),
    /// Take existing customers from a CSV file
    Import(installations::Import),
    /// Copy the database into a new file, while the server runs
    Backup(backup::Backup),
    /// Put a backup in the place of the database, while the server does not run
    Restore(backup::Restore),
}

/// Reads the arguments and does what they say.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let config = arguments.config;
    let done = match arguments.first {
        First::Serve(command) => command.run(&config),
        First::Signer(command) => command.run(),
        First::Organisation(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::User(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::Token(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::Enrolment(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::Keys(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::Installation(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::Licence(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::Import(command) => Office::open(&config).and_then(|office| command.run(&office)),
        First::Backup(command) => command.run(&config),
        First::Restore(command) => command.run(&config),
    };
    match done {
        Ok(said) => {
            // Whoever closed the other end does not want to hear more.
            let _ = std::io::stdout().write_all(said.as_bytes());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "back_office: {}", failure.message);
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// The exit codes, as `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Refused = 1,
    Usage = 2,
    File = 3,
    Passphrase = 4,
    Signer = 5,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn new(exit: Exit, message: impl fmt::Display) -> Failure {
        Failure { exit, message: message.to_string() }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        let exit = match problem.kind {
            Kind::Store => Exit::File,
            Kind::Signer => Exit::Signer,
            Kind::NotFound | Kind::Conflict | Kind::Invalid | Kind::Limit => Exit::Refused,
        };
        Failure::new(exit, problem)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::new(Exit::File, error)
    }
}

/// What a command says on standard output.
type Done = Result<String, Failure>;

/// The database and the signer of a configuration.
struct Office {
    config: Config,
    store: Store,
    signer: Client,
}

impl Office {
    fn open(path: &Path) -> Result<Office, Failure> {
        let config = read_config(path)?;
        let store = Store::open(&config.database())?;
        let signer = Client::new(&config.signer);
        Ok(Office { config, store, signer })
    }

    fn desk(&self) -> Desk<'_> {
        Desk { store: &self.store, signer: &self.signer }
    }

    /// Agents hear of it at once.
    fn poke(&self) {
        crate::serve::poke(&self.config);
    }
}

fn read_config(path: &Path) -> Result<Config, Failure> {
    let config = config::read(path).map_err(|error| Failure::new(Exit::Usage, error))?;
    crate::serve::make_folder(&config.data).map_err(|error| Failure::new(Exit::File, error))?;
    Ok(config)
}

/// Whoever is at the keyboard.
fn by() -> Actor {
    Actor::CommandLine(format!("uid {}", rustix::process::getuid().as_raw()))
}
