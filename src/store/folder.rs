//! The state folder as a place: where its files are and through which disk they are written.
//!
//! It knows no file's content. Who may read the folder is the operating system's business; it is made for its owner
//! alone.
#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Access, Disk, RealDisk};
use super::error::StoreError;

/// An existing folder and the disk it is written through. Cheap to clone.
#[derive(Clone)]
pub struct StateFolder {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl fmt::Debug for StateFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StateFolder").field(&self.path).finish()
    }
}

impl StateFolder {
    /// Opens the folder, making its last level (0700) when it is missing; the level above must exist. What is kept in it
    /// is kept under a name that is on the disk.
    ///
    /// # Errors
    /// [`StoreError::NotAFolder`], or the step that the operating system refused.
    pub fn open(path: &Path, disk: Arc<dyn Disk>) -> Result<StateFolder, StoreError> {
        let path = std::path::absolute(path).map_err(StoreError::io("find the state folder", path))?;
        let made = make_if_missing(disk.as_ref(), &path, Access::Secret)
            .map_err(StoreError::io("make the state folder", &path))?;
        let meta = std::fs::metadata(&path).map_err(StoreError::io("look at the state folder", &path))?;
        if !meta.is_dir() {
            return Err(StoreError::NotAFolder(path));
        }
        // An empty one may have been made a moment ago, by a process that was killed before its name was safe.
        if made || std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none()) {
            sync_name(disk.as_ref(), &path).map_err(StoreError::io("keep the name of the state folder", &path))?;
        }
        Ok(StateFolder { path, disk })
    }

    /// The folder if it is there, for those who only read. Makes nothing.
    pub fn existing(path: &Path) -> Option<StateFolder> {
        let path = std::path::absolute(path).ok()?;
        std::fs::metadata(&path).is_ok_and(|meta| meta.is_dir()).then(|| StateFolder { path, disk: Arc::new(RealDisk) })
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A folder within, made when missing. Its name is on the disk on return.
    ///
    /// # Errors
    /// What the operating system said; `NotADirectory` when the name is taken by something else, a link included.
    pub fn sub(&self, name: &str) -> io::Result<StateFolder> {
        let path = self.file(name);
        make_if_missing(self.disk.as_ref(), &path, Access::Owner)?;
        if !std::fs::symlink_metadata(&path)?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "is not a folder"));
        }
        // Also one that was there: whoever made it may have been killed before this step.
        self.disk.sync_folder(&self.path)?;
        Ok(StateFolder { path, disk: Arc::clone(&self.disk) })
    }

    /// A folder within if it is there, and is no link. Makes nothing.
    pub fn existing_sub(&self, name: &str) -> Option<StateFolder> {
        let path = self.file(name);
        let is_folder = std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
        is_folder.then(|| StateFolder { path, disk: Arc::clone(&self.disk) })
    }

    /// The disk that everything in the folder is written through.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The same folder, written through another disk.
    pub fn with_disk(&self, disk: Arc<dyn Disk>) -> StateFolder {
        StateFolder { path: self.path.clone(), disk }
    }
}

/// Returns whether it was missing.
fn make_if_missing(disk: &dyn Disk, path: &Path, access: Access) -> io::Result<bool> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Ok(false);
    }
    match disk.make_folder(path, access) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
        other => other.map(|()| true),
    }
}

/// Forces a folder's own name to the disk.
fn sync_name(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let Some(above) = path.parent() else { return Ok(()) };
    match disk.sync_folder(above) {
        // Names may be made there and not listed. File systems with a journal keep the name with the folder itself.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => disk.sync_folder(path),
        other => other,
    }
}

#[cfg(test)]
mod tests;
