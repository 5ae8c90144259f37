//! The command line: one file for each first word, and what they share.

mod arguments;
mod failure;
mod journal;
mod key;
mod keys;
mod licence;
mod passphrase;
mod show;
mod time;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use issuer::files::{self, Existing};
use issuer::key_file::{self, KeyFile};
use ors::licence::Instant;

use failure::{Exit, Failure};

/// Makes signing keys, key lists, licences and time files for products that use ORS, and explains any of them.
///
/// It works offline and needs nothing but the files that it is given. Results go to standard output, remarks to
/// standard error. An existing file is never overwritten without --force, and never half written.
#[derive(Parser)]
#[command(name = "issuer", version, max_term_width = 100, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    first: First,
    /// Replace an output file that exists
    #[arg(long, global = true)]
    force: bool,
}

const AFTER: &str = "\
Begin with two keys and a licence:
  issuer key new --role root --id root-2026 --out root-2026.key
  issuer key new --role licence --id licence-2026 --out licence-2026.key
  issuer keys host-line root-2026.key licence-2026.key > trusted_keys.txt
  issuer licence new --key licence-2026.key --product prismaprepare --serial 1234567890 \\
         --customer 'Print Room' --users 5 --expires-on 2027-11-23 --maintenance-until 2027-05-31
  issuer show prismaprepare-1234567890.ors.json --keys trusted_keys.txt

Exit codes: 0 done; 1 something is wrong with what was shown or asked for; 2 the command line makes no
sense; 3 a file could not be read or written, or exists; 4 a passphrase is wrong or missing, or a key
file is damaged.";

#[derive(Subcommand)]
enum First {
    /// Make and look after signing keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Make key lists: which keys products trust from now on
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Make licences
    #[command(subcommand)]
    Licence(licence::LicenceCommand),
    /// Explain any file: what it is, who signed it, which dates it holds, what is wrong
    Show(show::Show),
    /// Make time files, for installations that cannot ask what time it is
    #[command(subcommand)]
    Time(time::TimeCommand),
    /// Check an installation's journal
    #[command(subcommand)]
    Journal(journal::JournalCommand),
}

/// What a command has to say when it did what it was asked.
#[derive(Default)]
struct Done {
    /// For standard output.
    result: String,
    /// For standard error.
    remark: String,
    /// Whether what was looked at is right; else exit code 1.
    wrong: bool,
}

impl Done {
    fn result(text: impl Into<String>) -> Done {
        Done { result: text.into(), ..Done::default() }
    }

    fn remark(mut self, text: impl AsRef<str>) -> Done {
        self.remark.push_str(text.as_ref());
        self.remark.push('\n');
        self
    }
}

/// Reads the arguments and does what they say.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let existing = if arguments.force { Existing::Replace } else { Existing::Keep };
    let done = match arguments.first {
        First::Key(command) => command.run(existing),
        First::Keys(command) => command.run(existing),
        First::Licence(command) => command.run(existing),
        First::Show(command) => command.run(),
        First::Time(command) => command.run(existing),
        First::Journal(command) => command.run(),
    };
    match done {
        Ok(done) => {
            // Whoever closed the other end does not want to hear more; what was to be written is written.
            let _ = std::io::stdout().write_all(done.result.as_bytes());
            let _ = std::io::stderr().write_all(done.remark.as_bytes());
            if done.wrong { ExitCode::from(Exit::Refused as u8) } else { ExitCode::SUCCESS }
        }
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "issuer: {}", failure.message);
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Reads a key file without opening it.
fn read_key(path: &Path) -> Result<KeyFile, Failure> {
    let bytes = files::read(path, key_file::MAX_BYTES)?;
    KeyFile::parse(&bytes).map_err(|error| Failure::from(error).in_file(path))
}

/// Now, by this computer's clock.
fn now() -> Instant {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Instant::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// Where an output goes: the file that was named, the usual name in the folder that was named, or the usual name here.
fn output(out: Option<PathBuf>, usual: &str) -> PathBuf {
    match out {
        None => PathBuf::from(usual),
        Some(folder) if folder.is_dir() => folder.join(usual),
        Some(file) => file,
    }
}
