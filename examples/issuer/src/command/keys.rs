//! `issuer keys`: key lists, from the first draft to the chain file.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use issuer::explain::need_in_words;
use issuer::files::{self, Existing};
use issuer::key_file::KeyFile;
use issuer::pending::{self, Pending, PendingError, host_line};
use issuer::{KeyListDraft, Member};
use ors::licence::{KeyChain, KeyStatus, Keyring, MAX_LICENCE_BYTES, Role};

use super::failure::{Exit, Failure};
use super::passphrase::PassphraseArgs;
use super::{Done, read_key};

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Begin the first key list
    #[command(after_help = "\
Example:
  issuer keys new --add root-a.key --add root-b.key --add licence-2026.key --threshold 2 \\
         --trusted trusted_keys.txt --out keys-1.json
  issuer keys sign keys-1.json --root root-a.key
  issuer keys sign keys-1.json --root root-b.key --out ors-keys.json")]
    New {
        /// Add keys: a key file, or a text file with lines as `key show` prints them (repeatable)
        #[arg(long, value_name = "FILE", required = true)]
        add: Vec<PathBuf>,
        /// How many root keys must sign this list and the next
        #[arg(long)]
        threshold: u32,
        /// The trusted_keys text that products were built with, which this list has to follow. Without it the list
        /// stands on its own and products take it as a `list` line
        #[arg(long, value_name = "FILE")]
        trusted: Option<PathBuf>,
        /// The file that collects the signatures
        #[arg(long)]
        out: PathBuf,
    },
    /// Begin the list after the newest one in a chain file
    #[command(after_help = "\
Example:
  issuer keys next ors-keys.json --add licence-2027.key --retire licence-2026 --out keys-2.json")]
    Next {
        /// The chain file, ors-keys.json
        chain: PathBuf,
        /// Add keys: a key file, or a text file with lines as `key show` prints them (repeatable)
        #[arg(long, value_name = "FILE")]
        add: Vec<PathBuf>,
        /// Sign nothing new with this key; licences that are installed stay good (repeatable)
        #[arg(long, value_name = "ID")]
        retire: Vec<String>,
        /// Let nothing by this key count any more. Issue its licences again by another key before (repeatable)
        #[arg(long, value_name = "ID")]
        revoke: Vec<String>,
        /// Leave out a revoked key; the list has room for 64 (repeatable)
        #[arg(long, value_name = "ID")]
        drop: Vec<String>,
        /// How many root keys must sign this list (with those of the list before) and the next
        #[arg(long)]
        threshold: Option<u32>,
        /// The file that collects the signatures
        #[arg(long)]
        out: PathBuf,
    },
    /// Add root keys' signatures; once there are enough, write the chain file
    Sign {
        /// The file that `keys new` or `keys next` wrote; signatures are added to it
        file: PathBuf,
        /// A root key's file (repeatable)
        #[arg(long, value_name = "FILE")]
        root: Vec<PathBuf>,
        /// The chain file to write, ors-keys.json; exit code 1 while signatures are missing
        #[arg(long)]
        out: Option<PathBuf>,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Print what a host gives as trusted_keys: the lines of key files, or a whole list of a chain file
    #[command(after_help = "\
Examples:
  issuer keys host-line root-a.key root-b.key licence-2026.key --threshold 2
  issuer keys host-line ors-keys.json")]
    HostLine {
        /// Key files, or one chain file
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// How many root keys must sign the first list; with key files only
        #[arg(long)]
        threshold: Option<u32>,
    },
}

impl From<PendingError> for Failure {
    fn from(error: PendingError) -> Failure {
        Failure::refused(error.0)
    }
}

impl KeysCommand {
    pub fn run(self, existing: Existing) -> Result<Done, Failure> {
        match self {
            KeysCommand::New { add, threshold, trusted, out } => {
                let keys = added(&add)?;
                let trusted = trusted.as_deref().map(text).transpose()?;
                let pending = Pending::first(KeyListDraft { version: 1, threshold, keys }, trusted)?;
                begun(&pending, &out, existing)
            }
            KeysCommand::Next { chain, add, retire, revoke, drop, threshold, out } => {
                let bytes = files::read(&chain, MAX_LICENCE_BYTES)?;
                let before = KeyChain::parse(&bytes).map_err(|refusal| Failure::from(refusal).in_file(&chain))?;
                let newest =
                    before.lists.last().ok_or_else(|| Failure::refused("it holds no key list").in_file(&chain))?;
                let mut list = KeyListDraft::parse(&newest.payload).map_err(Failure::refused)?;
                list.version = list.version.saturating_add(1);
                list.threshold = threshold.unwrap_or(list.threshold);
                retire.iter().try_for_each(|id| set(&mut list.keys, id, KeyStatus::Retired))?;
                revoke.iter().try_for_each(|id| set(&mut list.keys, id, KeyStatus::Revoked))?;
                drop.iter().try_for_each(|id| leave_out(&mut list.keys, id))?;
                list.keys.extend(added(&add)?);
                begun(&Pending::next(before, list)?, &out, existing)
            }
            KeysCommand::Sign { file, root, out, passphrase } => {
                sign(&file, &root, out.as_deref(), &passphrase, existing)
            }
            KeysCommand::HostLine { files, threshold } => host_lines(&files, threshold),
        }
    }
}

fn begun(pending: &Pending, out: &Path, existing: Existing) -> Result<Done, Failure> {
    files::write_public(out, &pending.to_json(), existing)?;
    let mut done = Done::default().remark(format!(
        "Wrote {}: version {} of the key list, to be signed.",
        out.display(),
        pending.list().version
    ));
    if !pending.list().keys.iter().any(|(_, role, _, status)| (*role, *status) == (Role::Licence, KeyStatus::Active)) {
        done = done.remark("Mind: it has no active licence key, so products that follow it take no new licence.");
    }
    for need in pending.needs()? {
        done = done.remark(format!("Signed {}.", need_in_words(&need)));
    }
    Ok(done)
}

fn sign(
    file: &Path,
    roots: &[PathBuf],
    out: Option<&Path>,
    passphrase: &PassphraseArgs,
    existing: Existing,
) -> Result<Done, Failure> {
    let bytes = files::read(file, pending::MAX_BYTES)?;
    let mut pending = Pending::parse(&bytes).map_err(|error| Failure::from(error).in_file(file))?;
    if let Some(out) = out {
        files::check_free(out, existing)?;
    }
    for (nth, path) in roots.iter().enumerate() {
        let sealed = read_key(path)?;
        let root = passphrase.open(&sealed, nth, roots.len()).map_err(|failure| failure.in_file(path))?;
        pending.sign(&root)?;
    }
    if !roots.is_empty() {
        // The file was named to be added to, as a whole or not at all.
        files::write_public(file, &pending.to_json(), Existing::Replace)?;
    }
    let mut state = String::new();
    for need in pending.needs()? {
        state.push_str(&format!("Signed {}.\n", need_in_words(&need)));
    }
    let state = state.trim_end();
    match (pending.finish()?, out) {
        (Some(chain), Some(out)) => {
            files::write_public(out, &chain.to_json(), existing)?;
            Ok(Done::default().remark(state).remark(format!("Wrote {}; put it beside the licences.", out.display())))
        }
        (Some(_), None) => {
            Ok(Done::default().remark(state).remark("There are enough signatures: --out FILE writes the chain file."))
        }
        (None, None) => Ok(Done::default().remark(state)),
        (None, Some(out)) => Err(Failure {
            exit: Exit::Refused,
            message: format!("{} was not written: signatures are missing.\n{state}", out.display()),
        }),
    }
}

fn host_lines(paths: &[PathBuf], threshold: Option<u32>) -> Result<Done, Failure> {
    let mut lines: Vec<String> = threshold.map(|number| format!("threshold {number}")).into_iter().collect();
    for path in paths {
        let bytes = files::read(path, MAX_LICENCE_BYTES)?;
        if let Ok(key) = KeyFile::parse(&bytes) {
            lines.push(key.trusted_line());
            continue;
        }
        let chain = KeyChain::parse(&bytes)
            .map_err(|_| Failure::refused("this is neither a key file nor a chain file").in_file(path))?;
        pending::ring_of_chain(&chain).map_err(|error| Failure::from(error).in_file(path))?;
        lines.extend(chain.lists.last().map(host_line));
    }
    let text = lines.join("\n") + "\n";
    // A product's own code says whether it would take the text.
    Keyring::from_host(&text).map_err(|problem| Failure::refused(problem.to_string()))?;
    Ok(Done::result(text))
}

fn added(paths: &[PathBuf]) -> Result<Vec<Member>, Failure> {
    let mut keys = Vec::new();
    for path in paths {
        let bytes = files::read(path, MAX_LICENCE_BYTES)?;
        let lines = match KeyFile::parse(&bytes) {
            Ok(key) => key.trusted_line(),
            Err(error) if bytes.trim_ascii_start().starts_with(b"{") => return Err(Failure::from(error).in_file(path)),
            Err(_) => text(path)?,
        };
        let ring = Keyring::from_host(&lines).map_err(|problem| Failure::refused(problem.to_string()).in_file(path))?;
        keys.extend(ring.keys().iter().map(|key| (key.id.clone(), key.role, key.public_bytes(), KeyStatus::Active)));
    }
    Ok(keys)
}

fn text(path: &Path) -> Result<String, Failure> {
    let bytes = files::read(path, MAX_LICENCE_BYTES)?;
    String::from_utf8(bytes).map_err(|_| Failure::refused("this is not text").in_file(path))
}

fn set(keys: &mut [Member], id: &str, to: KeyStatus) -> Result<(), Failure> {
    let key = keys.iter_mut().find(|key| key.0 == id).ok_or_else(|| unknown(id))?;
    if key.3 == KeyStatus::Revoked {
        return Err(Failure::refused(format!("the key {id:?} is revoked and stays so")));
    }
    key.3 = to;
    Ok(())
}

fn leave_out(keys: &mut Vec<Member>, id: &str) -> Result<(), Failure> {
    let at = keys.iter().position(|key| key.0 == id).ok_or_else(|| unknown(id))?;
    if keys.get(at).is_some_and(|key| key.3 != KeyStatus::Revoked) {
        return Err(Failure::refused(format!(
            "the key {id:?} is not revoked, and what it signed would be refused; revoke it first"
        )));
    }
    keys.remove(at);
    Ok(())
}

fn unknown(id: &str) -> Failure {
    Failure::refused(format!("the newest key list names no key {id:?}"))
}
