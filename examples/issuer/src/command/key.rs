//! `issuer key`: signing keys on disk.

use std::path::PathBuf;

use clap::Subcommand;
use issuer::SigningKey;
use issuer::explain::fingerprint;
use issuer::files::{self, Existing};
use issuer::key_file::{Cost, KeyFile};
use ors::licence::Role;

use super::failure::Failure;
use super::passphrase::{NewPassphraseArgs, PassphraseArgs};
use super::{Done, read_key};

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key and seal it under a passphrase
    #[command(after_help = "Example:\n  issuer key new --role licence --id licence-2026 --out licence-2026.key")]
    New {
        /// What it may sign: root signs key lists, licence signs licences, statement signs what a back office says
        #[arg(long, value_parser = role, value_name = "root|licence|statement")]
        role: Role,
        /// The name under which key lists and signatures mention it; choose one that stays unique for ever
        #[arg(long)]
        id: String,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Print the public half as a line for trusted_keys, and its fingerprint
    Show {
        /// Key files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Ask for the passphrase and check that the private half is there and fits
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Give a key another passphrase
    Passwd {
        /// The key file; it is replaced as a whole
        file: PathBuf,
        #[command(flatten)]
        passphrase: PassphraseArgs,
        #[command(flatten)]
        new: NewPassphraseArgs,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_token(word).ok_or_else(|| "root, licence or statement".to_owned())
}

impl KeyCommand {
    pub fn run(self, existing: Existing) -> Result<Done, Failure> {
        match self {
            KeyCommand::New { role, id, out, passphrase } => {
                if !issuer::key_file::is_key_id(&id) {
                    return Err(issuer::key_file::KeyFileError::Id.into());
                }
                files::check_free(&out, existing)?;
                let passphrase = passphrase.choose(&id)?;
                let key = SigningKey::try_generate(&id, role).map_err(|problem| Failure::file(problem.to_string()))?;
                let file = KeyFile::seal(&key, &passphrase, Cost::RECOMMENDED)?;
                files::write_private(&out, &file.to_json(), existing)?;
                Ok(Done::result(public(&file))
                    .remark(format!("Wrote {}. Keep a copy of it, and the passphrase elsewhere.", out.display())))
            }
            KeyCommand::Show { files, check, passphrase } => {
                let mut done = Done::default();
                for (nth, path) in files.iter().enumerate() {
                    let file = read_key(path)?;
                    if check {
                        passphrase.open(&file, nth, files.len()).map_err(|failure| failure.in_file(path))?;
                        done = done.remark(format!("{}: the passphrase opens it and both halves fit.", path.display()));
                    }
                    done.result.push_str(&public(&file));
                }
                Ok(done)
            }
            KeyCommand::Passwd { file: path, passphrase, new } => {
                let file = read_key(&path)?;
                let key = passphrase.open(&file, 0, 1).map_err(|failure| failure.in_file(&path))?;
                let sealed = KeyFile::seal(&key, &new.choose(key.id())?, Cost::RECOMMENDED)?;
                files::write_private(&path, &sealed.to_json(), Existing::Replace)?;
                Ok(Done::default().remark(format!(
                    "{} has the new passphrase. Copies of the old file still open with the old one.",
                    path.display()
                )))
            }
        }
    }
}

/// Fit to be appended to a `trusted_keys` text.
fn public(file: &KeyFile) -> String {
    format!("# {}: fingerprint {}\n{}\n", file.id(), fingerprint(&file.public_bytes()), file.trusted_line())
}
