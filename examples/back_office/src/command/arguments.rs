//! Values on the command line, and passphrases.

use super::{Exit, Failure};
use crate::issue::change::Ordered;
use issuer::SigningKey;
use issuer::key_file::{KeyFile, MAX_BYTES};
use issuer::{files, passphrase};
use ors::licence::Day;
use std::path::Path;
use zeroize::Zeroizing;

/// `2027-11-23`, or a word for "no such day".
#[derive(Clone, Copy, Debug)]
pub struct LastDay(pub Option<Day>);

pub fn last_day(text: &str) -> Result<LastDay, String> {
    match text {
        "never" | "none" => Ok(LastDay(None)),
        _ => Day::parse(text).map(|day| LastDay(Some(day))).map_err(|error| error.0.to_owned()),
    }
}

/// `id=name` or `id=name:2027-11-23`.
pub fn feature(text: &str) -> Result<Ordered, String> {
    crate::issue::import::feature(text)
}

/// Where a passphrase comes from; without one of these it is asked for.
#[derive(clap::Args, Clone, Debug)]
pub struct PassphraseArgs {
    /// Take the passphrase from the first line of this open file descriptor (0 is standard input)
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

impl PassphraseArgs {
    /// Opens a key file.
    pub fn open(&self, path: &Path) -> Result<SigningKey, Failure> {
        let bytes = files::read(path, MAX_BYTES).map_err(|error| Failure::new(Exit::File, error))?;
        let named = |error: issuer::key_file::KeyFileError| {
            Failure::new(Exit::Passphrase, format!("{}: {error}", path.display()))
        };
        let file = KeyFile::parse(&bytes).map_err(named)?;
        file.open(&self.choose(&format!("Passphrase of {}: ", file.id()))?).map_err(named)
    }

    /// The passphrase itself.
    pub fn choose(&self, prompt: &str) -> Result<Zeroizing<String>, Failure> {
        let failed = |message: String| Failure::new(Exit::Passphrase, message);
        match self.passphrase_fd {
            Some(fd) => passphrase::from_descriptor(fd)
                .map_err(|error| failed(format!("cannot read file descriptor {fd}: {error}"))),
            None => passphrase::ask(prompt).map_err(|error| {
                failed(format!("no terminal to ask for the passphrase ({error}); give --passphrase-fd"))
            }),
        }
    }
}
