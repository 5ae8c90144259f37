//! Whether a path is on another machine, told without touching that machine: a dead server must not hang the question.

use std::path::Path;

#[cfg(unix)]
pub fn is_remote(path: &Path) -> bool {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else { return false };
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
#[cfg(windows)]
pub use windows::is_remote;
#[cfg(windows)]
const _: fn(&Path) -> bool = is_remote;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn mount_points_with_spaces_are_read_and_local_paths_are_local() {
        assert_eq!(unescape(r"/mnt/print\040room\134x"), "/mnt/print room\\x");
        assert!(!is_remote(Path::new("/proc")));
        assert!(is_network("cifs") && is_network("fuse.sshfs") && !is_network("ext4"));
    }
}
