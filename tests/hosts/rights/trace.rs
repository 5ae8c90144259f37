//! Reads what strace wrote and follows the rights of every file that was made: no moment is missed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One system call that succeeded.
struct Call<'a> {
    name: &'a str,
    arguments: Vec<&'a str>,
}

/// What strace prints is one call a line; a call during which another thread's line came is in two pieces.
fn whole_lines(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut lines = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.trim_start().split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(begin) = call.strip_suffix("<unfinished ...>") {
            begun.insert(thread, begin.trim_end());
        } else if let Some(end) = call.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            let begin = begun.remove(thread).unwrap_or_default();
            lines.push(format!("{begin}{}", end.1));
        } else {
            lines.push(call.to_owned());
        }
    }
    lines
}

fn parse(line: &str) -> Option<Call<'_>> {
    let (name, rest) = line.split_once('(')?;
    // Results are aligned: "write(1</a>, "x", 1)     = 1".
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    (!result.starts_with('-')).then(|| Call { name, arguments: arguments.split(", ").collect() })
}

fn quoted(argument: &str) -> Option<PathBuf> {
    Some(PathBuf::from(argument.strip_prefix('"')?.strip_suffix('"')?))
}

/// The path that `-y` prints beside a descriptor: `5</a/path>`.
fn of_descriptor(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(text.split_once('<')?.1.strip_suffix('>')?))
}

fn octal(argument: &str) -> Option<u32> {
    u32::from_str_radix(argument, 8).ok()
}

/// What was found in one trace.
#[derive(Debug, Default)]
pub struct Report {
    /// Files and folders that were made.
    pub made: u64,
    pub harm: Vec<String>,
}

/// Follows every file. `allowed` says which modes a file or folder of ours may end with, the widest first; `None` for
/// one that should not be made at all.
pub fn judge(trace: &str, umask: u32, allowed: &dyn Fn(&Path, bool) -> Option<Vec<u32>>) -> Report {
    let mut report = Report::default();
    // The mode of each, and whether it is a folder.
    let mut modes: HashMap<PathBuf, (u32, bool)> = HashMap::new();
    for line in whole_lines(trace) {
        let Some(call) = parse(&line) else { continue };
        let argument = |at: usize| call.arguments.get(at).copied().unwrap_or_default();
        match call.name {
            "openat" | "open" | "creat" | "mkdir" | "mkdirat" | "mknod" | "mknodat" => {
                let at = usize::from(call.name.ends_with("at") && call.name != "creat");
                let folder = call.name.starts_with("mkdir");
                // The lock files are made without being opened. A node of any other kind has no mode that is read here.
                let node = call.name.starts_with("mknod");
                let creates = folder || node || call.name == "creat" || argument(at + 1).contains("O_CREAT");
                let Some(path) = quoted(argument(at)).filter(|_| creates) else { continue };
                let mode = match node {
                    true => argument(at + 1).strip_prefix("S_IFREG|"),
                    false => call.arguments.last().copied(),
                };
                let Some(mode) = mode.and_then(octal) else {
                    report.harm.push(format!("made without a mode: {line}"));
                    continue;
                };
                let Some(finals) = allowed(&path, folder) else {
                    report.harm.push(format!("made where nothing should be: {line}"));
                    continue;
                };
                // O_CREAT on a file that is there changes nothing.
                if !modes.contains_key(&path) {
                    report.made += 1;
                    let mode = mode & !umask;
                    if mode & !finals[0] != 0 {
                        report.harm.push(format!("wider than {:o} at first: {line}", finals[0]));
                    }
                    modes.insert(path, (mode, folder));
                }
            }
            "fchmod" => {
                let Some(path) = of_descriptor(argument(0)) else { continue };
                let mode = octal(argument(1)).unwrap_or(0o7777);
                let Some((known, folder)) = modes.get_mut(&path) else {
                    report.harm.push(format!("a file of somebody else's: {line}"));
                    continue;
                };
                *known = mode;
                let widest = allowed(&path, *folder).map_or(0, |finals| finals[0]);
                if mode & !widest != 0 {
                    report.harm.push(format!("wider than {widest:o}: {line}"));
                }
            }
            "chmod" | "fchmodat" | "fchmodat2" => report.harm.push(format!("by name, which may be another's: {line}")),
            "write" | "pwrite64" | "writev" | "ftruncate" => {
                let Some(path) = of_descriptor(argument(0)) else { continue };
                if let Some((mode, _)) = modes.get(&path)
                    && allowed(&path, false).is_some_and(|finals| !finals.contains(mode))
                {
                    report.harm.push(format!("written while its rights are {mode:o}: {line}"));
                }
            }
            "rename" | "renameat" | "renameat2" => {
                let paths: Vec<PathBuf> = call.arguments.iter().filter_map(|argument| quoted(argument)).collect();
                if let [from, to] = &paths[..]
                    && let Some((mode, folder)) = modes.remove(from)
                {
                    if allowed(to, folder).is_some_and(|finals| !finals.contains(&mode)) {
                        report.harm.push(format!("renamed while its rights are {mode:o}: {line}"));
                    }
                    modes.insert(to.clone(), (mode, folder));
                }
            }
            "unlink" | "unlinkat" | "rmdir" => {
                let path = call.arguments.iter().find_map(|argument| quoted(argument));
                path.and_then(|path| modes.remove(&path));
            }
            "link" | "linkat" | "symlink" | "symlinkat" => {
                report.harm.push(format!("not how a file of ours is made: {line}"));
            }
            _ => {}
        }
    }
    report
}

/// The system calls that [`judge`] reads.
pub const CALLS: &str = "trace=open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,write,pwrite64,writev,ftruncate,\
    rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,mknod,mknodat";
