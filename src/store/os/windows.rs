//! Windows: renames that outlast a virus scanner's look, reparse points and device names refused, locks without delete
//! sharing. Rights and DPAPI: `windows_rights.rs`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::path::{Component, Path, Prefix};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_CRC, ERROR_INVALID_PARAMETER, ERROR_IO_DEVICE, ERROR_LOCK_VIOLATION,
    ERROR_NO_SYSTEM_RESOURCES, ERROR_SHARING_VIOLATION, ERROR_TOO_MANY_OPEN_FILES, WAIT_TIMEOUT,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_TYPE_DISK, GetFileInformationByHandle,
    GetFileType, MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

use super::super::disk::Access;
use super::windows_rights;

/// For removing and reading: what is in the way is a rename that is being done.
const SHORT_PATIENCE: Duration = Duration::from_millis(300);

fn is_one_of(error: &io::Error, codes: &[u32]) -> bool {
    error.raw_os_error().and_then(|code| u32::try_from(code).ok()).is_some_and(|code| codes.contains(&code))
}

/// Somebody else holds the file, or it is being replaced.
pub(in super::super) fn in_the_way(error: &io::Error) -> bool {
    is_one_of(error, &[ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION])
}

/// The disk, or the way to it, failed.
pub(in super::super) fn is_disk_error(error: &io::Error) -> bool {
    is_one_of(error, &[ERROR_CRC, ERROR_IO_DEVICE])
}

/// The machine has run out of something for the moment, or another program holds the file.
pub(in super::super) fn is_shortage(error: &io::Error) -> bool {
    const SHORT: [u32; 4] =
        [ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_TOO_MANY_OPEN_FILES, ERROR_NO_SYSTEM_RESOURCES];
    is_one_of(error, &SHORT)
}

/// Repeats while somebody else holds the file, with pauses that two processes do not share.
fn patiently<T>(longest: Duration, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let started = Instant::now();
    let mut pause = 4_u32;
    loop {
        match act() {
            Err(error) if in_the_way(&error) && started.elapsed() < longest => {
                let jitter = getrandom::u32().unwrap_or(0) % pause;
                std::thread::sleep(Duration::from_millis(u64::from(pause / 2 + jitter)));
                pause = (pause * 2).min(200);
            }
            other => return other,
        }
    }
}

/// A path for the wide functions: absolute, NUL-terminated, and beyond 260 characters when it has to be.
pub(super) fn wide(path: &Path) -> io::Result<Vec<u16>> {
    const LONGEST_PLAIN: usize = 240;
    let path = std::path::absolute(path)?;
    let mut text: Vec<u16> = path.as_os_str().encode_wide().collect();
    if text.contains(&0) {
        return Err(refused("has a NUL in its name"));
    }
    if text.len() > LONGEST_PLAIN {
        let prefix = match path.components().next() {
            Some(Component::Prefix(prefix)) => prefix.kind(),
            _ => return Err(refused("is not an absolute path")),
        };
        let (start, skip) = match prefix {
            Prefix::Disk(_) => (r"\\?\", 0),
            Prefix::UNC(..) => (r"\\?\UNC\", 2),
            _ => ("", 0),
        };
        text = start.encode_utf16().chain(text.into_iter().skip(skip)).collect();
    }
    text.push(0);
    Ok(text)
}

pub(in super::super) fn create(path: &Path, access: Access) -> io::Result<File> {
    if access == Access::Secret && !windows_rights::is_protected(parent_of(path)?)? {
        return windows_rights::create_private(path);
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

pub(in super::super) fn append(path: &Path, _access: Access) -> io::Result<File> {
    // Not `append(true)`: such a handle may not cut the file.
    let mut file = patiently(SHORT_PATIENCE, || {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
            .open(path)
    })?;
    check_plain(&file)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

fn parent_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| refused("is a file path without a folder"))
}

/// Rights come from the folder.
pub(in super::super) fn kept_access(_path: &Path) -> Option<Access> {
    None
}

fn move_file(from: &Path, to: &Path, flags: u32, patience: Duration) -> io::Result<()> {
    let (from, to) = (wide(from)?, wide(to)?);
    patiently(patience, || {
        // SAFETY: both are NUL-terminated and live until the call returns.
        let done = unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags | MOVEFILE_WRITE_THROUGH) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    })
}

pub(in super::super) fn rename(from: &Path, to: &Path, patience: Duration) -> io::Result<()> {
    // A folder of that name is refused with the same error as a file that is held, and stays however long one waits.
    let folder = fs::symlink_metadata(to).is_ok_and(|meta| meta.is_dir());
    move_file(from, to, MOVEFILE_REPLACE_EXISTING, if folder { Duration::ZERO } else { patience })
}

pub(in super::super) fn rename_new(from: &Path, to: &Path, patience: Duration) -> io::Result<()> {
    move_file(from, to, 0, patience)
}

/// NTFS journals its names, and the rename was written through.
pub(in super::super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

pub(in super::super) fn remove(path: &Path) -> io::Result<()> {
    patiently(SHORT_PATIENCE, || fs::remove_file(path))
}

pub(in super::super) fn make_folder(path: &Path, access: Access) -> io::Result<()> {
    match access {
        Access::Secret => windows_rights::make_private_folder(path),
        _ => fs::create_dir(path),
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_owned())
}

/// Names that mean a device in every folder, with or without an extension (`NUL`, `com1.txt`), and names that mean a
/// stream of another file.
fn is_device_name(path: &Path) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let Some(name) = path.file_name() else { return true };
    let name = name.to_string_lossy().to_lowercase();
    if name.contains(':') {
        return true;
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    if DEVICES.contains(&stem) {
        return true;
    }
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    port.is_some_and(|number| {
        let mut digits = number.chars();
        matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    })
}

fn check_plain(file: &File) -> io::Result<()> {
    // SAFETY: the handle is open for as long as `file` lives.
    if unsafe { GetFileType(file.as_raw_handle()) } != FILE_TYPE_DISK {
        return Err(refused("is a device"));
    }
    let attributes = file.metadata()?.file_attributes();
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(refused("is a symbolic link or another reparse point"));
    }
    if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        return Err(refused("is a folder"));
    }
    Ok(())
}

/// Opens a regular file for reading: no reparse point followed at the last element, no device.
pub(in super::super) fn open_plain(path: &Path) -> io::Result<File> {
    if is_device_name(path) {
        return Err(refused("is a device name"));
    }
    let file = patiently(SHORT_PATIENCE, || {
        OpenOptions::new()
            .read(true)
            // Folders can be opened so, and are then called by their name instead of "access denied".
            .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
            // Whoever serves a pipe under this name may learn who we are, not act as us.
            .security_qos_flags(SECURITY_IDENTIFICATION)
            .open(path)
    })?;
    check_plain(&file)?;
    Ok(file)
}

/// What tells one version of a file from another: times in units of 100 ns, size, attributes.
pub(in super::super) fn stamp_of(meta: &fs::Metadata) -> [i128; 4] {
    [
        i128::from(meta.last_write_time()),
        i128::from(meta.creation_time()),
        i128::from(meta.file_size()),
        i128::from(meta.file_attributes()),
    ]
}

/// Whether a process with this id runs. One that we may not ask counts.
pub(in super::super) fn process_exists(pid: u32) -> bool {
    // SAFETY: plain call; the handle is closed below.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE, 0, pid) };
    if process.is_null() {
        return io::Error::last_os_error().raw_os_error() != i32::try_from(ERROR_INVALID_PARAMETER).ok();
    }
    // SAFETY: the handle was just opened with the right to wait; it is closed once.
    unsafe {
        let running = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
        CloseHandle(process);
        running
    }
}

/// Opens a lock file without delete sharing: its name cannot go while it is open. `None` when somebody shares it with
/// nobody.
pub(in super::super) fn open_lock(path: &Path) -> io::Result<Option<File>> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path);
    match opened {
        Ok(file) => check_plain(&file).map(|()| Some(file)),
        Err(error) if error.raw_os_error() == i32::try_from(ERROR_SHARING_VIOLATION).ok() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether `path` still names the open file.
pub(in super::super) fn is_same_file(file: &File, path: &Path) -> bool {
    let there = OpenOptions::new()
        .access_mode(0)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
        .open(path);
    match (identity(file), there.ok().as_ref().and_then(identity)) {
        (Some(ours), Some(there)) => ours == there,
        _ => false,
    }
}

fn identity(file: &File) -> Option<(u32, u32, u32)> {
    let mut about = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and the struct is ours to write.
    let done = unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut about) };
    (done != 0).then_some((about.dwVolumeSerialNumber, about.nFileIndexHigh, about.nFileIndexLow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_known_with_and_without_extension() {
        for name in ["NUL", "nul.ors.json", "Con", "com1", "COM9.txt", "lpt0", "com¹", "aux .json", "a.json:stream"] {
            assert!(is_device_name(&Path::new(r"C:\licences").join(name)), "{name}");
        }
        for name in ["null", "console.ors.json", "com10", "comx", "lpt", "a.nul"] {
            assert!(!is_device_name(&Path::new(r"C:\licences").join(name)), "{name}");
        }
    }

    #[test]
    fn a_rename_outlasts_who_holds_the_file_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        let hold = || OpenOptions::new().read(true).share_mode(FILE_SHARE_READ).open(&to).unwrap();
        let held = hold();
        let started = Instant::now();
        let error = rename(&from, &to, Duration::from_millis(100)).unwrap_err();
        assert!(in_the_way(&error) && started.elapsed() < Duration::from_secs(3), "{error}");
        assert_eq!((fs::read(&from).unwrap(), fs::read(&to).unwrap()), (b"new".to_vec(), b"old".to_vec()));
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(150));
                drop(held);
            });
            rename(&from, &to, Duration::from_secs(5)).unwrap();
        });
        assert_eq!(fs::read(&to).unwrap(), b"new");
    }

    #[test]
    fn long_paths_become_verbatim() {
        let long = "x".repeat(250);
        let text = |path: &str| String::from_utf16_lossy(&wide(Path::new(path)).unwrap());
        assert_eq!(text(r"C:\a\b"), "C:\\a\\b\0");
        assert_eq!(text(&format!(r"C:\{long}")), format!("\\\\?\\C:\\{long}\0"));
        assert_eq!(text(&format!(r"\\server\share\{long}")), format!("\\\\?\\UNC\\server\\share\\{long}\0"));
    }
}
