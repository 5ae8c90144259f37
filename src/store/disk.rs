//! The handful of disk operations that durable writing needs, behind one small trait.
//!
//! The trait exists so that tests can make the k-th operation fail (`faulty`), and take down what is asked of a disk, to try
//! what a power cut may leave of it ([`lent`]); it is not a file system layer.
//! It knows nothing of temporary names and order: that is [`super::durable`].
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::os;

#[cfg(any(test, feature = "test-disk"))]
pub mod faulty;
pub mod lent;

/// Who may read a file that we make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// State: 0600, or 0660 in a folder that its administrator opened to one group (2770). On Windows what the folder
    /// hands down.
    Owner,
    /// A key that protects others: as `Owner`; on Windows with a protected access list of its own when the folder has
    /// none.
    Secret,
    /// A licence, which the floating licence server must read: 0644. [`super::replace`] keeps the rights of the file
    /// that it replaces.
    Licence,
    /// Exactly the rights of a replaced file; owner and group as far as the operating system lets us give them away.
    Kept {
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
}

/// What durable writing asks of a disk. Every call either happens as a whole or returns the error; `write` may leave a
/// part behind. Without an implementation of its own, a call goes to the disk of this machine.
pub trait Disk: Send + Sync {
    /// How long a rename waits while somebody else holds the file, which on Windows a virus scanner, indexer or backup
    /// does for a moment after every change.
    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// Makes a new file for writing, with its final rights; a name that exists is an error. Leaves nothing on error.
    fn create(&self, path: &Path, access: Access) -> io::Result<File> {
        os::create(path, access)
    }

    /// Opens a file for appending, making it with `access` when it is missing. A link is not followed.
    fn append(&self, path: &Path, access: Access) -> io::Result<File> {
        os::append(path, access)
    }

    /// Writes all bytes.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Cuts an open file to `length` bytes.
    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    /// Forces an open file to the disk.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Renames within a folder, replacing `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        os::rename(from, to, self.patience())
    }

    /// Renames within a folder; `AlreadyExists` when `to` is there, which is never replaced.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        os::rename_new(from, to, self.patience())
    }

    /// Forces a folder's names to the disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        os::sync_folder(folder)
    }

    /// Removes one file.
    fn remove(&self, path: &Path) -> io::Result<()> {
        os::remove(path)
    }

    /// Makes one folder level; `AlreadyExists` when the name is taken. `Secret`: for its owner alone; else as the folder
    /// above it.
    fn make_folder(&self, path: &Path, access: Access) -> io::Result<()> {
        os::make_folder(path, access)
    }
}

/// The disk of this machine, for threads of our own, which may wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// The same for a host's thread: a call of the host has 2 s in all, and it renames up to five files.
#[derive(Clone, Copy, Debug, Default)]
pub struct BriefDisk;

impl Disk for BriefDisk {
    fn patience(&self) -> Duration {
        Duration::from_millis(300)
    }
}
