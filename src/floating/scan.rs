//! Reads a licence folder. Ordinary files only: links, pipes, devices and folders under a licence's name are reported,
//! never opened for reading.

use super::{KEYS_FILE, MAX_FILES, is_licence_name};
use crate::licence::{MAX_LICENCE_BYTES, Reason, Refusal, text};
use crate::store::{FileStamp, read_limited, stamp};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Entries of one folder that are listed before the rest is left alone: a folder is outside input.
const MAX_ENTRIES: usize = 20_000;
/// Characters of a refused file's name that are shown; no file system has longer ones.
const LONGEST_NAME: usize = 255;

/// Where licences are: a folder, and the one file in it that the path may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub folder: PathBuf,
    pub named: Option<String>,
}

impl Place {
    /// A path names a file when a file is there, or when nothing is there and it looks like a licence's.
    pub fn of(path: &Path) -> Place {
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let is_file = match std::fs::symlink_metadata(path) {
            Ok(found) => !(found.is_dir() || found.is_symlink() && path.is_dir()),
            Err(_) => name.as_deref().is_some_and(is_licence_name),
        };
        match (is_file, path.parent(), name) {
            (true, Some(parent), Some(name)) => Place { folder: parent.to_owned(), named: Some(name) },
            _ => Place { folder: path.to_owned(), named: None },
        }
    }
}

/// What became of the folder itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderState {
    Read,
    /// Definitely not usable: it is not there, not a folder, or may not be read. The words say which.
    Missing(String),
    Unreadable(String),
    /// Failed in a way that passes (no descriptors, I/O error): nothing is known.
    Failed(String),
}

/// One file that is, or claims to be, a licence.
#[derive(Debug)]
pub struct Found {
    pub file: String,
    pub stamp: Option<FileStamp>,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    /// The stamp is one that the caller knows.
    Known,
    Bytes(Vec<u8>),
    Refused(Refusal),
}

/// Everything that one look at the folder found.
#[derive(Debug)]
pub struct Scan {
    pub place: Place,
    pub state: FolderState,
    pub files: Vec<Found>,
    /// The key list file beside the licence, when there is one and it changed.
    pub keys: Option<Vec<u8>>,
    pub keys_stamp: Option<FileStamp>,
    /// The floating server's files that were asked for: their bytes, or `None` when they are not there as a file.
    pub fls: Vec<(String, Option<Vec<u8>>)>,
    /// Whether this is the folder that the process's own options name.
    pub given: bool,
}

/// What the caller has from the scan before.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub stamps: HashMap<String, FileStamp>,
    pub keys_stamp: Option<FileStamp>,
    pub fls: Vec<String>,
    /// The file that was in use last: looked at however many others there are.
    pub first: Option<String>,
    /// The path that the process's own options name.
    pub given: Option<PathBuf>,
}

/// Looks at the folder once.
pub fn scan(path: &Path, ask: &Ask) -> Scan {
    let place = Place::of(path);
    // A path to a file that is no licence's (the folder was replaced by a file) gives no right to the folder around it.
    let given = place.named.as_deref().is_none_or(is_licence_name)
        && ask.given.as_deref().is_some_and(|path| Place::of(path).folder == place.folder);
    let mut found = Scan {
        place,
        state: FolderState::Read,
        files: Vec::new(),
        keys: None,
        keys_stamp: None,
        fls: Vec::new(),
        given,
    };
    let names = match names(&found.place, ask.first.as_ref()) {
        Ok(names) => names,
        Err(state) => {
            found.state = state;
            return found;
        }
    };
    let folder = found.place.folder.clone();
    let most = MAX_FILES + usize::from(found.place.named.is_some());
    for (index, name) in names.into_iter().enumerate() {
        let file = match read(&folder, name, ask) {
            Some(_) if index > most => continue,
            Some(mut file) if index == most => {
                file.content = Content::Refused(Refusal::new(
                    Reason::Amount,
                    format!("Only {MAX_FILES} licences of a folder are looked at."),
                ));
                file
            }
            Some(file) => file,
            None => continue,
        };
        found.files.push(file);
    }
    let keys = folder.join(KEYS_FILE);
    found.keys_stamp = stamp(&keys);
    if found.keys_stamp.is_some() && found.keys_stamp != ask.keys_stamp {
        found.keys = read_limited(&keys, MAX_LICENCE_BYTES).ok();
    }
    found.fls =
        ask.fls.iter().map(|name| (name.clone(), read_limited(&folder.join(name), MAX_LICENCE_BYTES).ok())).collect();
    found
}

/// The names to look at: the one that the path names, the one in use last, then the rest in order.
fn names(place: &Place, first: Option<&String>) -> Result<Vec<Result<String, String>>, FolderState> {
    let entries = std::fs::read_dir(&place.folder).map_err(|error| failed(&place.folder, &error))?;
    let mut names = Vec::new();
    for entry in entries.take(MAX_ENTRIES) {
        let name = entry.map_err(|error| failed(&place.folder, &error))?.file_name();
        match name.into_string() {
            Ok(name) if place.named.as_ref() == Some(&name) => {}
            // Shown as it is, such a name would be read as something else.
            Ok(name) if is_licence_name(&name) && name.chars().any(text::is_forbidden) => {
                names.push(Err(text::clean(&name, LONGEST_NAME)));
            }
            Ok(name) if is_licence_name(&name) => names.push(Ok(name)),
            Ok(_) => {}
            Err(raw) if is_licence_name(&raw.to_string_lossy()) => {
                names.push(Err(text::clean(&raw.to_string_lossy(), LONGEST_NAME)));
            }
            Err(_) => {}
        }
    }
    names.sort_by_key(|name| (name.as_ref().ok() != first, name.clone()));
    if let Some(named) = &place.named {
        names.insert(0, Ok(named.clone()));
    }
    Ok(names)
}

fn failed(folder: &Path, error: &io::Error) -> FolderState {
    let text = format!("{}: {error}", folder.display());
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FolderState::Missing(text),
        io::ErrorKind::PermissionDenied => FolderState::Unreadable(text),
        _ => FolderState::Failed(text),
    }
}

fn read(folder: &Path, name: Result<String, String>, ask: &Ask) -> Option<Found> {
    let file = match name {
        Ok(file) => file,
        Err(file) => {
            let refusal = Refusal::new(Reason::NotAFile, "The file's name is not text that this library can read.");
            return Some(Found { file, stamp: None, content: Content::Refused(refusal) });
        }
    };
    let path = folder.join(&file);
    let before = stamp(&path);
    if before.is_some() && before.as_ref() == ask.stamps.get(&file) {
        return Some(Found { file, stamp: before, content: Content::Known });
    }
    let content = match read_limited(&path, MAX_LICENCE_BYTES) {
        Ok(bytes) => Content::Bytes(bytes),
        // Deleted between the listing and now: it is simply not there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => Content::Refused(why(&error)),
    };
    Some(Found { file, stamp: before, content })
}

fn why(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Refusal::new(Reason::TooLarge, "The file is larger than 1 MiB."),
        io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => {
            Refusal::new(Reason::NotAFile, "This is not an ordinary file but a link, folder, pipe or device.")
        }
        _ => Refusal::new(Reason::Unreadable, format!("The file cannot be read: {error}.")),
    }
}
