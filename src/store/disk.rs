//! The handful of disk operations that durable writing needs, behind one small trait.
//!
//! The trait exists so that tests can make the k-th operation fail ([`faulty`]); it is not a file system layer.
//! It knows nothing of temporary names and order: that is [`super::durable`].
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::os;

#[cfg(any(test, feature = "test-clock"))]
pub mod faulty;

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

/// What durable writing asks of a disk. Every call either happens as a whole or returns the error; `write` and
/// `append` may leave a part behind.
pub trait Disk: Send + Sync {
    /// Makes a new file for writing, with its final rights; a name that exists is an error. Leaves nothing on error.
    fn create(&self, path: &Path, access: Access) -> io::Result<File>;
    /// Opens a file for appending, making it with `access` when it is missing. A link is not followed.
    fn append(&self, path: &Path, access: Access) -> io::Result<File>;
    /// Writes all bytes.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    /// Cuts an open file to `length` bytes.
    fn cut(&self, file: &File, length: u64) -> io::Result<()>;
    /// Forces an open file to the disk.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Renames within a folder, replacing `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames within a folder; `AlreadyExists` when `to` is there, which is never replaced.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Forces a folder's names to the disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes one file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes one folder level; `AlreadyExists` when the name is taken. `Secret`: for its owner alone; else as the folder
    /// above it.
    fn make_folder(&self, path: &Path, access: Access) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<File> {
        os::create(path, access)
    }

    fn append(&self, path: &Path, access: Access) -> io::Result<File> {
        os::append(path, access)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        os::rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        os::rename_new(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        os::sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        os::remove(path)
    }

    fn make_folder(&self, path: &Path, access: Access) -> io::Result<()> {
        os::make_folder(path, access)
    }
}
