//! Where a host of these tests lives: a small file system of its own, and what of it lies on another one that can be frozen.

use super::licences::{FILE_NAME, Vendor};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Nobody: hosts run without root's rights, which no file system refuses anything.
pub const UID: u32 = 65_534;

/// What the fault is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Folders {
    Both,
    /// The state folder on a file system in user space.
    StateApart,
    /// The licence folder on one.
    LicencesApart,
}

pub struct Place {
    /// Holds everything; the licences and state folders are in `fs`, a file system of its own.
    folder: tempfile::TempDir,
    folders: Folders,
    vendor: Vendor,
    /// The process that serves the file system in user space.
    server: Option<Child>,
    sequence: AtomicU64,
}

/// Runs a command that has to succeed.
pub fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn give(path: &Path, uid: u32, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    chown(path, Some(uid), Some(uid)).unwrap();
}

impl Place {
    pub fn new(folders: Folders) -> Place {
        // SAFETY: asks only.
        assert_eq!(unsafe { libc::geteuid() }, 0, "mounting and dropping rights needs root");
        // Not below the target folder, which another account may not be able to reach.
        let folder = tempfile::Builder::new().prefix("ors-faults-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut place = Place { folder, folders, vendor: Vendor::new(), server: None, sequence: AtomicU64::new(1) };
        let fs = place.fs();
        fs::create_dir(&fs).unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,nr_inodes=200,mode=755", "tmpfs"]).arg(&fs));
        let served = fs.join("served");
        for folder in [&served, &fs.join("apart"), &fs.join("plain")] {
            fs::create_dir(folder).unwrap();
        }
        for folder in ["state", "licences"] {
            let apart = folders == if folder == "state" { Folders::StateApart } else { Folders::LicencesApart };
            let folder = if apart { served.join(folder) } else { fs.join("plain").join(folder) };
            fs::create_dir(&folder).unwrap();
            give(&folder, UID, 0o700);
        }
        if folders != Folders::Both {
            let mount = fs.join("apart");
            // It ends with whoever started it: a stopped server that stayed would hold up everybody who meets its mount.
            let mut server = Command::new("setpriv");
            server.args(["--pdeathsig", "KILL", "bindfs", "-f"]).arg(&served).arg(&mount).stdin(Stdio::null());
            place.server = Some(server.spawn().expect("setpriv, of util-linux"));
            let began = Instant::now();
            while !mount.join("state").exists() && !mount.join("licences").exists() {
                assert!(began.elapsed() < Duration::from_secs(20), "bindfs serves nothing");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        fs::write(place.licences().join(FILE_NAME), place.vendor.licence(1)).unwrap();
        chown(place.licences().join(FILE_NAME), Some(UID), Some(UID)).unwrap();
        fs::write(place.keys(), place.vendor.trusted_keys()).unwrap();
        fs::write(place.first_licence(), place.vendor.licence(1)).unwrap();
        fs::copy(super::rig::shipped(), place.library()).unwrap();
        place
    }

    /// The file system of this place alone.
    pub fn fs(&self) -> PathBuf {
        self.folder.path().join("fs")
    }

    /// Both folders, unless one of them lies apart.
    pub fn plain(&self) -> PathBuf {
        self.fs().join("plain")
    }

    fn one(&self, name: &str, apart: Folders) -> PathBuf {
        self.fs().join(if self.folders == apart { "apart" } else { "plain" }).join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.one("state", Folders::StateApart)
    }

    pub fn licences(&self) -> PathBuf {
        self.one("licences", Folders::LicencesApart)
    }

    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub fn first_licence(&self) -> PathBuf {
        self.folder.path().join("first.ors.json")
    }

    pub fn library(&self) -> PathBuf {
        self.folder.path().join("libors.so")
    }

    /// The next licence, as a file outside of both folders: its sequence and path.
    pub fn next_licence(&self) -> (u64, PathBuf) {
        let sequence = self.sequence.fetch_add(1, SeqCst) + 1;
        let path = self.folder.path().join("next.ors.json");
        fs::write(&path, self.vendor.licence(sequence)).unwrap();
        (sequence, path)
    }

    /// Whether the accounts that hosts run under may use the two folders.
    pub fn allow(&self, allowed: bool) {
        let (uid, mode) = if allowed { (UID, 0o700) } else { (0, 0o700) };
        [self.state(), self.licences()].iter().for_each(|folder| give(folder, uid, mode));
    }

    /// Stops the process that serves the folder apart, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        let server = self.server.as_ref().expect("a folder apart");
        signal(server, if frozen { libc::SIGSTOP } else { libc::SIGCONT });
    }
}

/// Sends a signal to a child that was not waited for yet.
pub fn signal(child: &Child, number: i32) {
    let pid = libc::pid_t::try_from(child.id()).unwrap();
    // SAFETY: the child was not waited for, so its number is its own.
    assert_eq!(unsafe { libc::kill(pid, number) }, 0, "{}", std::io::Error::last_os_error());
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // Killed: whoever hangs in its file system gets an error then.
            let _ = server.kill();
            let _ = server.wait();
        }
        // What the fault left mounted above goes first.
        for _ in 0..4 {
            for mounted in [self.fs().join("apart"), self.plain(), self.fs()] {
                let _ = Command::new("umount").arg("-l").arg(mounted).stderr(Stdio::null()).status();
            }
        }
    }
}
