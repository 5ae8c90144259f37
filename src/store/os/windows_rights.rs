//! Windows: who may read what, and the machine's own encryption.
//!
//! A folder that the installer made has a protected access list (SYSTEM, Administrators, the host accounts), and what
//! we make in it inherits that. Elsewhere a secret gets a protected list of its own: SYSTEM, Administrators, and the
//! account of this process.

use std::fs::File;
use std::io;
use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{CloseHandle, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW,
    SDDL_REVISION_1, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetSecurityDescriptorControl, GetTokenInformation, PSECURITY_DESCRIPTOR,
    SE_DACL_PROTECTED, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use zeroize::{Zeroize, Zeroizing};

use super::windows::wide;

/// Memory that the system allocated for us.
struct Local(*mut core::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a function that says to free it so, and is freed once. Null is allowed.
        unsafe { LocalFree(self.0) };
    }
}

fn last() -> io::Error {
    io::Error::last_os_error()
}

/// Whether a folder's access list is its own, not inherited from above.
pub(super) fn is_protected(folder: &Path) -> io::Result<bool> {
    let path = wide(folder)?;
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: the path is NUL-terminated; only the descriptor is asked for, and freed below.
    let code = unsafe {
        GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code as i32));
    }
    let descriptor = Local(descriptor);
    let (mut control, mut revision) = (0_u16, 0_u32);
    // SAFETY: the descriptor is valid until it is dropped; both numbers are ours.
    if unsafe { GetSecurityDescriptorControl(descriptor.0, &raw mut control, &raw mut revision) } == 0 {
        return Err(last());
    }
    Ok(control & SE_DACL_PROTECTED != 0)
}

/// The account of this process, as text (`S-1-5-...`).
fn own_sid() -> io::Result<String> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the pseudo handle needs no closing; the token is owned below.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(last());
    }
    // A TOKEN_USER and its SID (68 bytes at most), aligned as pointers are.
    let mut buffer = [0_u64; 32];
    let mut needed = 0;
    // SAFETY: the buffer is as long as said; the token is open and closed once.
    let done = unsafe {
        let size = size_of_val(&buffer) as u32;
        let done = GetTokenInformation(token, TokenUser, buffer.as_mut_ptr().cast(), size, &raw mut needed);
        let error = last();
        CloseHandle(token);
        if done == 0 { Err(error) } else { Ok(()) }
    };
    done?;
    let mut text = null_mut();
    // SAFETY: the call above filled a TOKEN_USER whose SID points into the same buffer, which outlives this block. The
    // text is NUL-terminated and freed once.
    unsafe {
        let user = &*buffer.as_ptr().cast::<TOKEN_USER>();
        if ConvertSidToStringSidW(user.User.Sid, &raw mut text) == 0 {
            return Err(last());
        }
        let text = Local(text.cast());
        let start = text.0.cast::<u16>();
        let length = (0..256).take_while(|&at| *start.add(at) != 0).count();
        Ok(String::from_utf16_lossy(std::slice::from_raw_parts(start, length)))
    }
}

/// A protected list: SYSTEM, Administrators, this account; for a folder, handed down to what is made in it.
fn private_descriptor(folder: bool) -> io::Result<Local> {
    let inherit = if folder { "OICI" } else { "" };
    let aces = ["SY", "BA", &own_sid()?].map(|who| format!("(A;{inherit};FA;;;{who})")).concat();
    let text: Vec<u16> = format!("D:P{aces}").encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // SAFETY: the text is NUL-terminated; the descriptor is freed by its owner.
    let done = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            null_mut(),
        )
    };
    if done == 0 { Err(last()) } else { Ok(Local(descriptor)) }
}

fn attributes(descriptor: &Local) -> SECURITY_ATTRIBUTES {
    SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    }
}

/// A new file, private from its first moment on.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let path = wide(path)?;
    let descriptor = private_descriptor(false)?;
    let attributes = attributes(&descriptor);
    // SAFETY: path and attributes live until the call returns; the handle has one owner from here on.
    unsafe {
        let handle = CreateFileW(
            path.as_ptr(),
            GENERIC_WRITE,
            0,
            &raw const attributes,
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        );
        if handle == INVALID_HANDLE_VALUE {
            return Err(last());
        }
        Ok(File::from(OwnedHandle::from_raw_handle(handle)))
    }
}

/// A new folder, private from its first moment on.
pub(super) fn make_private_folder(path: &Path) -> io::Result<()> {
    let path = wide(path)?;
    let descriptor = private_descriptor(true)?;
    let attributes = attributes(&descriptor);
    // SAFETY: path and attributes live until the call returns.
    if unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) } == 0 { Err(last()) } else { Ok(()) }
}

fn blob(bytes: &[u8]) -> io::Result<CRYPT_INTEGER_BLOB> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("too long to be sealed"))?;
    Ok(CRYPT_INTEGER_BLOB { cbData: length, pbData: bytes.as_ptr().cast_mut() })
}

/// Copies what DPAPI gave us, wipes it and gives it back.
///
/// # Safety
/// `out` was filled by a DPAPI call that succeeded.
unsafe fn take(out: CRYPT_INTEGER_BLOB) -> Zeroizing<Vec<u8>> {
    let memory = Local(out.pbData.cast());
    if out.pbData.is_null() || out.cbData == 0 {
        return Zeroizing::new(Vec::new());
    }
    // SAFETY: DPAPI gave us this many bytes, which are ours until they are freed.
    let bytes = unsafe { std::slice::from_raw_parts_mut(out.pbData, out.cbData as usize) };
    let copy = Zeroizing::new(bytes.to_vec());
    bytes.zeroize();
    drop(memory);
    copy
}

/// DPAPI for the machine: any account on it that has the entropy can open it.
pub(in super::super) fn protect(plain: &[u8], entropy: &[u8]) -> io::Result<Vec<u8>> {
    let (plain, entropy) = (blob(plain)?, blob(entropy)?);
    let mut out = CRYPT_INTEGER_BLOB { cbData: 0, pbData: null_mut() };
    // SAFETY: the inputs are only read and live until the call returns; `out` is taken when it was filled.
    unsafe {
        let flags = CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN;
        if CryptProtectData(&raw const plain, null(), &raw const entropy, null(), null(), flags, &raw mut out) == 0 {
            return Err(last());
        }
        Ok(take(out).to_vec())
    }
}

/// The reverse of [`protect`].
pub(in super::super) fn unprotect(sealed: &[u8], entropy: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let (sealed, entropy) = (blob(sealed)?, blob(entropy)?);
    let mut out = CRYPT_INTEGER_BLOB { cbData: 0, pbData: null_mut() };
    // SAFETY: as in `protect`.
    unsafe {
        let flags = CRYPTPROTECT_UI_FORBIDDEN;
        if CryptUnprotectData(&raw const sealed, null_mut(), &raw const entropy, null(), null(), flags, &raw mut out)
            == 0
        {
            return Err(last());
        }
        Ok(take(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dpapi_opens_only_with_the_same_entropy() {
        let sealed = protect(b"a password", b"entropy").unwrap();
        assert!(!sealed.windows(10).any(|part| part == b"a password"));
        assert_eq!(&*unprotect(&sealed, b"entropy").unwrap(), b"a password");
        assert!(unprotect(&sealed, b"another").is_err());
        assert!(protect(b"", b"entropy").and_then(|sealed| unprotect(&sealed, b"entropy")).unwrap().is_empty());
    }

    #[test]
    fn a_private_folder_has_a_protected_list_and_hands_it_down() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("state");
        make_private_folder(&folder).unwrap();
        assert!(folder.is_dir());
        drop(create_private(&folder.join("secret")).unwrap());
        assert!(folder.join("secret").is_file());
        assert!(create_private(&folder.join("secret")).is_err());
        assert!(own_sid().unwrap().starts_with("S-1-"));
    }
}
