//! A file system of its own in a file, whose power can be cut.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A file system, and how it is made and mounted.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    make: &'static [&'static str],
    options: &'static str,
}

pub const EXT4: Kind = Kind { name: "ext4", make: &["mkfs.ext4", "-q", "-F"], options: "loop" };
pub const EXT4_WRITEBACK: Kind =
    Kind { name: "ext4, data=writeback", make: &["mkfs.ext4", "-q", "-F"], options: "loop,data=writeback" };
pub const XFS: Kind = Kind { name: "xfs", make: &["mkfs.xfs", "-q", "-f"], options: "loop" };

/// The least that xfs takes.
const BYTES: u64 = 320 << 20;

pub struct Volume {
    kind: Kind,
    /// Holds the file, which takes only the room that is written, and the mount point.
    place: TempDir,
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Volume {
    /// Made and mounted. A file system that this machine has not is a failure.
    pub fn new(kind: Kind) -> Volume {
        // SAFETY: asks only.
        assert_eq!(unsafe { libc::geteuid() }, 0, "mounting needs root");
        let place = tempfile::Builder::new().prefix("ors-power-").tempdir().unwrap();
        let volume = Volume { kind, place };
        File::create(volume.file()).unwrap().set_len(BYTES).unwrap();
        std::fs::create_dir(volume.root()).unwrap();
        run(Command::new(kind.make[0]).args(&kind.make[1..]).arg(volume.file()));
        volume.mount();
        volume
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("disk")
    }

    /// Where it is mounted.
    pub fn root(&self) -> PathBuf {
        self.place.path().join("mounted")
    }

    pub fn mount(&self) {
        run(Command::new("mount").args(["-o", self.kind.options]).arg(self.file()).arg(self.root()));
    }

    pub fn unmount(&self) {
        run(Command::new("umount").arg(self.root()));
    }

    /// Everything is on the disk.
    pub fn sync(&self) {
        let root = File::open(self.root()).unwrap();
        // SAFETY: an open descriptor, and nothing else.
        assert_eq!(unsafe { libc::syncfs(root.as_raw_fd()) }, 0);
    }

    /// From now on nothing reaches the disk, and what has not is lost: not even the journal is written out.
    pub fn cut_power(&self) {
        /// `_IOR('X', 125, u32)`: `EXT4_IOC_SHUTDOWN`, `XFS_IOC_GOINGDOWN`.
        const SHUTDOWN: libc::Ioctl = 0x8004_587d_u32 as libc::Ioctl;
        let no_log_flush = 2_u32;
        let root = File::open(self.root()).unwrap();
        // SAFETY: the call reads one number, which lives until it returns.
        let done = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &raw const no_log_flush) };
        assert_eq!(done, 0, "{}: {}", self.kind.name, std::io::Error::last_os_error());
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Also while a test fails: a process may still be in it.
        let _ = Command::new("umount").arg("-l").arg(self.root()).output();
    }
}
