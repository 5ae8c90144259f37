//! Which passphrase a command line names.

use std::path::PathBuf;

use issuer::SigningKey;
use issuer::key_file::{KeyFile, SHORTEST_PASSPHRASE};
use issuer::passphrase;
use zeroize::Zeroizing;

use super::failure::Failure;

/// Reads passphrases, one for each key that a command opens.
#[derive(clap::Args, Clone, Debug)]
pub struct PassphraseArgs {
    /// Take the passphrase from the first line of this file. Repeat it for several keys, in their order; one for all
    /// is enough when they share it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    passphrase_file: Vec<PathBuf>,
    /// Take the passphrase from the first line of this open file descriptor (0 is standard input)
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

/// The second passphrase of `key passwd`.
#[derive(clap::Args, Clone, Debug)]
pub struct NewPassphraseArgs {
    /// Take the new passphrase from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_fd")]
    new_passphrase_file: Option<PathBuf>,
    /// Take the new passphrase from the first line of this open file descriptor
    #[arg(long, value_name = "N")]
    new_passphrase_fd: Option<u32>,
}

impl PassphraseArgs {
    /// Opens the `nth` (from 0) of `of` key files.
    pub fn open(&self, file: &KeyFile, nth: usize, of: usize) -> Result<SigningKey, Failure> {
        if self.passphrase_file.len() > 1 && self.passphrase_file.len() != of {
            return Err(Failure::usage(format!(
                "{} --passphrase-file for {of} keys: give one for all, or one for each",
                self.passphrase_file.len()
            )));
        }
        if self.passphrase_fd.is_some() && of > 1 {
            return Err(Failure::usage("--passphrase-fd serves one key: sign with the keys one after the other"));
        }
        let path = self.passphrase_file.get(nth).or(self.passphrase_file.first());
        let passphrase = match given(path, self.passphrase_fd)? {
            Some(passphrase) => passphrase,
            None => ask(&format!("Passphrase of {}: ", file.id()))?,
        };
        Ok(file.open(&passphrase)?)
    }

    /// A passphrase for a new key.
    pub fn choose(&self, id: &str) -> Result<Zeroizing<String>, Failure> {
        choose(self.passphrase_file.first(), self.passphrase_fd, id)
    }
}

impl NewPassphraseArgs {
    /// The passphrase that a key shall have from now on.
    pub fn choose(&self, id: &str) -> Result<Zeroizing<String>, Failure> {
        choose(self.new_passphrase_file.as_ref(), self.new_passphrase_fd, id)
    }
}

fn choose(path: Option<&PathBuf>, fd: Option<u32>, id: &str) -> Result<Zeroizing<String>, Failure> {
    if let Some(passphrase) = given(path, fd)? {
        return Ok(passphrase);
    }
    let first = ask(&format!("New passphrase for {id}, at least {SHORTEST_PASSPHRASE} characters: "))?;
    let second = ask("The same again: ")?;
    if *first == *second {
        Ok(first)
    } else {
        Err(Failure::passphrase("the two passphrases differ; nothing was written"))
    }
}

fn given(path: Option<&PathBuf>, fd: Option<u32>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(path) = path {
        let line = passphrase::from_file(path);
        return line.map(Some).map_err(|error| Failure::file(format!("cannot read {}: {error}", path.display())));
    }
    let Some(fd) = fd else { return Ok(None) };
    let line = passphrase::from_descriptor(fd);
    line.map(Some).map_err(|error| Failure::file(format!("cannot read file descriptor {fd}: {error}")))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    passphrase::ask(prompt).map_err(|error| {
        Failure::passphrase(format!(
            "no terminal to ask for the passphrase ({error}); give --passphrase-file or --passphrase-fd"
        ))
    })
}
