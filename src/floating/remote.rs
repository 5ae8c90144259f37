//! Whether a path is on another machine, told without touching that machine: a dead server must not hang the question.

use std::path::Path;

/// Whether any of the paths is on another machine.
#[cfg(unix)]
pub fn any_remote(paths: &[&Path]) -> bool {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else { return false };
    paths.iter().any(|path| is_remote_in(&mounts, path))
}

/// Whether any of the paths is on another machine.
#[cfg(windows)]
pub fn any_remote(paths: &[&Path]) -> bool {
    paths.iter().any(|path| windows::is_remote(path))
}

#[cfg(unix)]
fn is_remote_in(mounts: &str, path: &Path) -> bool {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // The longest mount point above the path is the one it is on; of equal ones the last mounted hides the others.
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else { continue };
        let point = unescape(point);
        if path.starts_with(&point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    best.is_some_and(|(_, kind)| is_network(kind))
}

#[cfg(unix)]
fn is_network(kind: &str) -> bool {
    const KINDS: [&str; 13] =
        ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs", "sshfs", "davfs"];
    // A file system in user space may be anything, a share mounted by the desktop among them.
    KINDS.contains(&kind) || kind == "fuse" || kind.starts_with("fuse.")
}

/// `/proc/self/mountinfo` writes space, tab, newline and backslash as three octal digits.
#[cfg(unix)]
fn unescape(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[at + 4..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

#[cfg(windows)]
#[path = "remote/windows.rs"]
mod windows;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn mount_points_with_spaces_are_read_and_local_paths_are_local() {
        assert_eq!(unescape(r"/mnt/print\040room\134x"), "/mnt/print room\\x");
        assert!(!any_remote(&[Path::new("/proc"), Path::new("/")]));
        let mounts = "1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / /mnt/a\\040b rw shared:1 - cifs //h/s rw\n";
        assert!(is_remote_in(mounts, Path::new("/mnt/a b/licences")) && !is_remote_in(mounts, Path::new("/mnt/a")));
        assert!(is_network("cifs") && is_network("fuse.sshfs") && !is_network("ext4"));
    }
}
