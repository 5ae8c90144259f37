//! Windows: a UNC path, or a drive letter that is mapped to one.

use std::os::windows::ffi::OsStrExt;
use std::path::{Component, Path, Prefix};
use windows_sys::Win32::Storage::FileSystem::GetDriveTypeW;

/// `DRIVE_REMOTE` of winbase.h.
const DRIVE_REMOTE: u32 = 4;

pub fn is_remote(path: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let Some(Component::Prefix(prefix)) = absolute.components().next() else { return false };
    match prefix.kind() {
        Prefix::UNC(..) | Prefix::VerbatimUNC(..) => true,
        Prefix::Disk(letter) | Prefix::VerbatimDisk(letter) => {
            let root: Vec<u16> =
                std::ffi::OsString::from(format!("{}:\\", char::from(letter))).encode_wide().chain([0]).collect();
            // SAFETY: `root` is NUL-terminated and lives through the call.
            unsafe { GetDriveTypeW(root.as_ptr()) == DRIVE_REMOTE }
        }
        _ => false,
    }
}
