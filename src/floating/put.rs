//! Installs a licence: the floating server's files first, our envelope last, as the commit.
//!
//! Each file is replaced whole; what it replaces is kept in the state folder first; the envelope is read back through a
//! fresh open before anyone calls it installed. Nothing is written at all where a newer licence lies, or where what lies
//! there cannot be read: what wanted this was decided a moment ago, from an older look.

use crate::licence::{FlsFile, Genuine, Keyring, MAX_LICENCE_BYTES, Product, hex, sha256, verify};
use crate::store::{Access, Disk, StateFolder, read_limited, read_patiently, remove, replace};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Copies of replaced files that are kept.
const KEPT_BACKUPS: usize = 20;
/// Errors that say for certain that no licence is lost by a replacement: nothing is there, or nothing that could be one.
const NO_LICENCE: [io::ErrorKind; 3] =
    [io::ErrorKind::NotFound, io::ErrorKind::FileTooLarge, io::ErrorKind::InvalidInput];

/// Why a licence could not be put into its folder.
#[derive(Debug)]
pub enum PlaceError {
    /// The step that failed, the file, and the system's words.
    Io { step: &'static str, path: PathBuf, error: io::Error },
    /// What is in the folder now is not what was written.
    NotReadBack(PathBuf),
    /// The folder is a link: a licence is put only into a folder that was opened itself.
    Link(PathBuf),
    /// A newer licence lies there, with this sequence.
    Newer(PathBuf, u64),
    /// The runtime that wanted this has ended.
    Fenced,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaceError::Io { step, path, error } => write!(out, "cannot {step} {}: {error}", path.display()),
            PlaceError::NotReadBack(path) => write!(out, "{} does not hold what was just written", path.display()),
            PlaceError::Link(path) => write!(out, "{} is a link; set the path to the folder itself", path.display()),
            PlaceError::Newer(path, sequence) => write!(out, "{} holds the newer licence {sequence}", path.display()),
            PlaceError::Fenced => write!(out, "the runtime that wanted this has ended"),
        }
    }
}

/// One installation to do.
pub struct Put<'a> {
    pub disk: &'a dyn Disk,
    pub folder: &'a Path,
    /// The file name to replace or to make.
    pub file: &'a str,
    pub genuine: &'a Genuine,
    /// By which what lies there is judged.
    pub keyring: &'a Keyring,
    pub product: &'a Product,
    /// Floating server's files that licences before this one brought and this one does not, by name and SHA-256: they are
    /// taken away again.
    pub left_overs: &'a [(String, String)],
    /// Where replaced files are kept.
    pub backup: &'a StateFolder,
    /// Unix seconds, part of the backups' names.
    pub now: i64,
    /// Asked before each step that changes something.
    pub may_go_on: &'a dyn Fn() -> bool,
}

impl Put<'_> {
    /// Installs. On an error the licence in the folder is still the old one, whole; doing it again is safe.
    pub fn install(&self) -> Result<(), PlaceError> {
        let found = std::fs::symlink_metadata(self.folder).map_err(|error| self.failed("open", self.folder, error))?;
        if found.is_symlink() {
            return Err(PlaceError::Link(self.folder.to_owned()));
        }
        if !found.is_dir() {
            let error = io::Error::from(io::ErrorKind::NotADirectory);
            return Err(self.failed("open", self.folder, error));
        }
        let path = self.folder.join(self.file);
        self.is_not_newer(&path)?;
        for FlsFile { name, text } in &self.genuine.licence().fls {
            self.put(name, text.as_bytes())?;
        }
        self.is_not_newer(&path)?;
        self.put(self.file, self.genuine.bytes())?;
        let back = read_limited(&path, MAX_LICENCE_BYTES).map_err(|error| self.failed("read back", &path, error))?;
        if back != self.genuine.bytes()[..] {
            return Err(PlaceError::NotReadBack(path));
        }
        self.take_away_left_overs()
    }

    /// Whether what lies where the envelope goes may be replaced by it.
    fn is_not_newer(&self, path: &Path) -> Result<(), PlaceError> {
        let there = match read_patiently(path, MAX_LICENCE_BYTES, self.disk.patience()) {
            Ok(there) => there,
            Err(error) if NO_LICENCE.contains(&error.kind()) => return Ok(()),
            Err(error) => return Err(self.failed("read", path, error)),
        };
        let ours = self.genuine.licence();
        match verify(&there, self.keyring, self.product) {
            Ok(there) if there.licence().serial == ours.serial && there.licence().sequence > ours.sequence => {
                Err(PlaceError::Newer(path.to_owned(), there.licence().sequence.get()))
            }
            _ => Ok(()),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), PlaceError> {
        let path = self.folder.join(name);
        match read_limited(&path, MAX_LICENCE_BYTES) {
            Ok(old) if old == bytes => {
                // An install before this one may have failed, or been killed, when all but its last step was done.
                return self.disk.sync_folder(self.folder).map_err(|error| self.failed("write", &path, error));
            }
            Ok(old) => self.keep(name, &old)?,
            // Too large to be ours, or unreadable: replaced all the same if the system lets us.
            Err(_) => {}
        }
        self.go_on()?;
        replace(self.disk, &path, bytes, Access::Licence).map_err(|error| self.failed("write", &path, error))
    }

    /// Only a file that holds exactly what a licence brought is ours to remove.
    fn take_away_left_overs(&self) -> Result<(), PlaceError> {
        for (name, digest) in self.left_overs {
            let path = self.folder.join(name);
            let Ok(found) = read_limited(&path, MAX_LICENCE_BYTES) else { continue };
            if hex(&sha256(&found)) == *digest {
                self.keep(name, &found)?;
                self.go_on()?;
                remove(self.disk, &path).map_err(|error| self.failed("remove", &path, error))?;
            }
        }
        Ok(())
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), PlaceError> {
        self.go_on()?;
        let path = self.backup.file(&format!("{:012}-{name}", self.now.max(0)));
        replace(self.disk, &path, bytes, Access::Owner).map_err(|error| self.failed("back up", &path, error))?;
        prune(self.disk, self.backup.path());
        Ok(())
    }

    fn go_on(&self) -> Result<(), PlaceError> {
        if (self.may_go_on)() { Ok(()) } else { Err(PlaceError::Fenced) }
    }

    fn failed(&self, step: &'static str, path: &Path, error: io::Error) -> PlaceError {
        PlaceError::Io { step, path: path.to_owned(), error }
    }
}

/// Keeps the newest backups. Their names sort by time; a failure leaves one more than needed.
fn prune(disk: &dyn Disk, folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| !is_temp(path)).collect();
    files.sort();
    let excess = files.len().saturating_sub(KEPT_BACKUPS);
    for path in files.iter().take(excess) {
        let _ = remove(disk, path);
    }
}

fn is_temp(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".ors-"))
}

#[cfg(test)]
mod tests;
