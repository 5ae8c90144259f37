//! What a person has to copy: a folder in the state folder that holds every file, the envelope last.

use crate::licence::{Genuine, Keyring, MAX_LICENCE_BYTES, Product, verify};
use crate::store::{Access, StateFolder, StoreError, list, passes, read_limited, remove, replace};
use std::io;
use std::path::PathBuf;

/// The folder's name in the state folder.
pub const FOLDER: &str = "copy";

/// More licences than one do not lie there, unless somebody puts them there.
const MOST_LICENCES: usize = 64;

/// A licence that waits for a person, with the files to copy.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub genuine: Genuine,
    pub source: PathBuf,
    /// In the order to copy them: the envelope last.
    pub files: Vec<String>,
}

/// Puts the files of `genuine` into the copy folder, in place of what was there. `file` is the envelope's name.
pub fn prepare(state: &StateFolder, genuine: &Genuine, file: &str) -> Result<Waiting, StoreError> {
    let folder = state.sub(FOLDER).map_err(|error| failed("make the copy folder", state.file(FOLDER), error))?;
    let licence = genuine.licence();
    let mut files: Vec<String> = licence.fls.iter().map(|fls| fls.name.clone()).collect();
    files.push(file.to_owned());
    clear(&folder, &files)?;
    for fls in &licence.fls {
        put(&folder, &fls.name, fls.text.as_bytes())?;
    }
    put(&folder, file, genuine.bytes())?;
    Ok(Waiting { genuine: genuine.clone(), source: folder.path().to_owned(), files })
}

/// The licence that waits, verified anew: what lies there is only a file. An error says that it cannot be told just now.
pub fn waiting(state: &StateFolder, keys: &Keyring, product: &Product) -> Result<Option<Waiting>, StoreError> {
    let source = state.file(FOLDER);
    let entries = match list(&source) {
        Ok(entries) => entries,
        Err(error) if passes(&error) => return Err(failed("list the copy folder", source, error)),
        Err(_) => return Ok(None),
    };
    let mut names: Vec<String> = entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    for file in names.into_iter().filter(|name| super::is_licence_name(name)).take(MOST_LICENCES) {
        let path = source.join(&file);
        let bytes = match read_limited(&path, MAX_LICENCE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if passes(&error) => return Err(failed("read a file to copy", path, error)),
            Err(_) => continue,
        };
        let Ok(genuine) = verify(&bytes, keys, product) else { continue };
        let mut files: Vec<String> = genuine.licence().fls.iter().map(|fls| fls.name.clone()).collect();
        files.push(file);
        return Ok(Some(Waiting { genuine, source, files }));
    }
    Ok(None)
}

/// Nothing waits any more. The envelope goes first, so that a half-done clearing is not taken for a licence that waits.
pub fn done(state: &StateFolder) -> Result<(), StoreError> {
    match state.existing_sub(FOLDER) {
        Some(folder) => clear(&folder, &[]),
        None => Ok(()),
    }
}

fn clear(folder: &StateFolder, keep: &[String]) -> Result<(), StoreError> {
    let entries = match std::fs::read_dir(folder.path()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("list the copy folder", folder.path().to_owned(), error)),
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by_key(|name| !super::is_licence_name(name));
    for name in names.iter().filter(|name| !keep.contains(name)) {
        remove(folder.disk().as_ref(), &folder.file(name))
            .map_err(|error| failed("clear the copy folder", folder.file(name), error))?;
    }
    Ok(())
}

fn put(folder: &StateFolder, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let path = folder.file(name);
    if read_limited(&path, MAX_LICENCE_BYTES).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    replace(folder.disk().as_ref(), &path, bytes, Access::Owner)
        .map_err(|error| failed("write a file to copy", path, error))
}

fn failed(what: &str, path: PathBuf, error: io::Error) -> StoreError {
    StoreError::Io { what: what.to_owned(), path, error }
}
