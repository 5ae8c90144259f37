//! Unix: modes, links refused at the last element, `renameat2`.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::time::Duration;

use super::super::disk::Access;

/// Set-group-id and group rwx: the folder was opened to one group on purpose (several accounts, trust.md §7).
const GROUP_FOLDER: u32 = 0o2070;

fn is_group_folder(folder: Option<&Path>) -> bool {
    folder
        .and_then(|folder| fs::metadata(folder).ok())
        .is_some_and(|meta| meta.mode() & GROUP_FOLDER == GROUP_FOLDER && meta.mode() & 0o007 == 0)
}

pub(super) fn state_mode(path: &Path) -> u32 {
    if is_group_folder(path.parent()) { 0o660 } else { 0o600 }
}

/// Permission bits for a file at `path`.
fn mode_for(path: &Path, access: Access) -> u32 {
    match access {
        Access::Owner | Access::Secret => state_mode(path),
        Access::Licence => 0o644,
        Access::Kept { mode, .. } => mode & 0o777,
    }
}

/// Gives an open file its final rights, whatever the umask was.
fn give_rights(file: &File, mode: u32, access: Access) -> io::Result<()> {
    if let Access::Kept { uid, gid, .. } = access {
        let meta = file.metadata()?;
        // Only root may give a file away; a member of the group may give it to the group. Neither is a reason to fail:
        // the licence server may still read the file by its mode.
        if (meta.uid(), meta.gid()) != (uid, gid) && fchown(file, Some(uid), Some(gid)).is_err() {
            let _ = fchown(file, None, Some(gid));
        }
    }
    if file.metadata()?.mode() & 0o7777 == mode {
        return Ok(());
    }
    match file.set_permissions(fs::Permissions::from_mode(mode)) {
        // Shares and FAT have no modes to set; a licence is no secret. State on such a disk is refused.
        Err(_) if matches!(access, Access::Licence | Access::Kept { .. }) => Ok(()),
        other => other,
    }
}

pub(in super::super) fn create(path: &Path, access: Access) -> io::Result<File> {
    let mode = mode_for(path, access);
    // Narrow first: nobody can open the file in the moment before its rights are final.
    let file = OpenOptions::new().write(true).create_new(true).mode(mode & 0o600).open(path)?;
    if let Err(error) = give_rights(&file, mode, access) {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(file)
}

pub(in super::super) fn append(path: &Path, access: Access) -> io::Result<File> {
    let mode = mode_for(path, access);
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(mode)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(not_plain("is not a regular file"));
    }
    if meta.len() == 0 {
        give_rights(&file, mode, access)?;
    }
    Ok(file)
}

/// The rights of the file at `path`, to be given to its successor.
pub(in super::super) fn kept_access(path: &Path) -> Option<Access> {
    let meta = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(Access::Kept { mode: meta.mode() & 0o777, uid: meta.uid(), gid: meta.gid() })
}

pub(in super::super) fn rename(from: &Path, to: &Path, _patience: Duration) -> io::Result<()> {
    fs::rename(from, to)
}

pub(in super::super) fn rename_new(from: &Path, to: &Path, _patience: Duration) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match rename_no_replace(from, to) {
        // Kernel or file system without the flag: the older way, below.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) => {}
        other => return other,
    }
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(|_| not_plain("has a NUL in its name"));
    let (from, to) = (text(from)?, text(to)?);
    // SAFETY: both pointers are NUL-terminated strings that live until the call returns; the call keeps neither.
    let result = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            from.as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub(in super::super) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match File::open(folder)?.sync_all() {
        // Network file systems that cannot sync a folder say so; there is nothing more to do.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOTSUP)) => Ok(()),
        other => other,
    }
}

pub(in super::super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// One level, 0700; within a group folder 2770.
pub(in super::super) fn make_folder(path: &Path, access: Access) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mode = if access == Access::Owner && is_group_folder(path.parent()) { 0o2770 } else { 0o700 };
    fs::DirBuilder::new().mode(0o700).create(path)?;
    // By descriptor: who shares the group folder could put a link in the place of the name.
    let folder = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)?;
    if folder.metadata()?.mode() & 0o7777 == mode {
        return Ok(());
    }
    folder.set_permissions(fs::Permissions::from_mode(mode))
}

pub(super) fn not_plain(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_owned())
}

/// Opens a regular file for reading: no link followed at the last element, no wait for a FIFO's writer, no device.
pub(in super::super) fn open_plain(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::FileTypeExt;
    // Looked at first, because opening some devices already does something. What counts is asked of the descriptor.
    let kind = fs::symlink_metadata(path)?.file_type();
    let why = match () {
        () if kind.is_symlink() => Some("is a symbolic link"),
        () if kind.is_dir() => Some("is a folder"),
        () if kind.is_fifo() => Some("is a FIFO"),
        () if kind.is_socket() => Some("is a socket"),
        () if kind.is_block_device() || kind.is_char_device() => Some("is a device"),
        () => None,
    };
    if let Some(why) = why {
        return Err(not_plain(why));
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(libc::ELOOP) => not_plain("is a symbolic link"),
            Some(libc::ENXIO) => not_plain("is not a regular file"),
            _ => error,
        })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_plain("is not a regular file")) }
}

/// Nobody keeps another from opening or replacing a file.
pub(in super::super) fn in_the_way(_error: &io::Error) -> bool {
    false
}

/// The disk, or the way to it, failed.
pub(in super::super) fn is_disk_error(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EIO)
}

/// The process or the machine has no descriptors left for the moment.
pub(in super::super) fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// What tells one version of a file from another: times in nanoseconds, size, identity.
pub(in super::super) fn stamp_of(meta: &fs::Metadata) -> [i128; 4] {
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    [
        nanoseconds(meta.mtime(), meta.mtime_nsec()),
        // A copy that keeps the time of its source still moves this one.
        nanoseconds(meta.ctime(), meta.ctime_nsec()),
        i128::from(meta.size()),
        (i128::from(meta.dev()) << 64) | i128::from(meta.ino()),
    ]
}

/// Whether a process with this id exists. A process of another account counts.
pub(in super::super) fn process_exists(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    if pid <= 0 {
        return false;
    }
    // SAFETY: signal 0 is not delivered; the call only asks.
    let result = unsafe { libc::kill(pid, 0) };
    result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Whether `path` still names the open file.
pub(in super::super) fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// The machine's identity, or `None` when it has none that can be used.
pub(in super::super) fn machine_id() -> Option<Vec<u8>> {
    let text = super::super::reading::read_limited_through_links(Path::new("/etc/machine-id"), 4096).ok()?;
    let text = String::from_utf8(text).ok()?;
    let id = text.trim();
    // "uninitialized" is what systemd leaves in an image; zeros name no machine.
    let usable = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0');
    usable.then(|| id.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_that_cannot_be_done_leaves_what_it_would_have_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&to, "old").unwrap();
        assert!(rename(&from, &to, Duration::ZERO).is_err());
        assert_eq!(fs::read(&to).unwrap(), b"old");
        fs::write(&from, "new").unwrap();
        assert_eq!(rename_new(&from, &to, Duration::ZERO).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"old");
        rename(&from, &to, Duration::ZERO).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_is_replaced_is_there_at_every_moment() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&to, "old").unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looks = scope.spawn(|| {
                let mut looks = 0_u64;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    assert!(to.exists(), "gone for a moment");
                    looks += 1;
                }
                looks
            });
            let replaced =
                (0..20_000).all(|_| fs::write(&from, "new").and_then(|()| rename(&from, &to, Duration::ZERO)).is_ok());
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(replaced);
            assert!(looks.join().unwrap() > 0);
        });
    }

    #[test]
    fn processes_are_known() {
        assert!(process_exists(std::process::id()) && process_exists(1));
        assert!(!process_exists(0) && !process_exists(u32::MAX) && !process_exists(4_194_999));
    }
}
