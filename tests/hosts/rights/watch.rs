//! Watches folders by inotify and looks at the rights of whatever an event names, at once.
//!
//! A look comes some microseconds after the event, so that a moment may be missed; `trace.rs` misses none.

use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a look saw: never a file's content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    pub path: PathBuf,
    pub folder: bool,
    /// Permission bits with set-user-id, set-group-id and sticky.
    pub mode: u32,
    pub group: u32,
}

pub fn look(path: &Path) -> Option<Seen> {
    let meta = fs::symlink_metadata(path).ok()?;
    Some(Seen { path: path.to_owned(), folder: meta.is_dir(), mode: meta.mode() & 0o7777, group: meta.gid() })
}

/// Looks at everything in and below a folder, itself included.
pub fn walk(path: &Path, seen: &mut Vec<Seen>) {
    seen.extend(look(path));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), seen),
            _ => seen.extend(look(&entry.path())),
        }
    }
}

pub struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Seen>>>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Begins to watch these folders and every folder that is made in them.
    pub fn start(folders: &[&Path]) -> Watch {
        // SAFETY: a new descriptor, owned from here on.
        let events = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
        assert!(events >= 0, "{}", io::Error::last_os_error());
        // SAFETY: it was just opened.
        let events = unsafe { OwnedFd::from_raw_fd(events) };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut watcher = Watcher { events, folders: HashMap::new(), seen: seen.clone() };
        folders.iter().for_each(|folder| watcher.add(folder));
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        let thread = std::thread::spawn(move || {
            // Once more after the word to stop: events that were there before it.
            while !asked.load(SeqCst) {
                watcher.turn(20);
            }
            watcher.turn(0);
        });
        Watch { stop, seen, thread }
    }

    pub fn end(self) -> Vec<Seen> {
        self.stop.store(true, SeqCst);
        self.thread.join().expect("the watcher does not panic");
        self.seen.lock().expect("the watcher does not panic").clone()
    }

    /// What was seen so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("the watcher does not panic").clone()
    }
}

struct Watcher {
    events: OwnedFd,
    folders: HashMap<i32, PathBuf>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Watcher {
    fn add(&mut self, folder: &Path) {
        const WANTED: u32 = libc::IN_CREATE
            | libc::IN_MOVED_TO
            | libc::IN_ATTRIB
            | libc::IN_MODIFY
            | libc::IN_OPEN
            | libc::IN_CLOSE_WRITE
            | libc::IN_DONT_FOLLOW;
        let path = CString::new(folder.as_os_str().as_bytes()).expect("a path without a NUL");
        // SAFETY: the descriptor is open and the path NUL-terminated.
        let watch = unsafe { libc::inotify_add_watch(self.events.as_raw_fd(), path.as_ptr(), WANTED) };
        assert!(watch >= 0, "{}: {}", folder.display(), io::Error::last_os_error());
        self.folders.insert(watch, folder.to_owned());
    }

    fn turn(&mut self, milliseconds: i32) {
        let mut poll = libc::pollfd { fd: self.events.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry.
        unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
        let mut buffer = [0u8; 64 << 10];
        loop {
            // SAFETY: the buffer is as long as said.
            let got = unsafe { libc::read(self.events.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            let Some(mut rest) = usize::try_from(got).ok().and_then(|got| buffer.get(..got)) else { return };
            // struct inotify_event: wd, mask, cookie, len, then len bytes of a name that NULs follow.
            const HEAD: usize = size_of::<libc::inotify_event>();
            while let Some((head, tail)) = rest.split_at_checked(HEAD) {
                let number = |at: usize| u32::from_ne_bytes(*head[at..].first_chunk().expect("four bytes"));
                let (name, tail) = tail.split_at(number(12) as usize);
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                self.event(number(0).cast_signed(), number(4), OsStr::from_bytes(name));
                rest = tail;
            }
        }
    }

    fn event(&mut self, watch: i32, mask: u32, name: &OsStr) {
        assert!(mask & libc::IN_Q_OVERFLOW == 0, "events were lost");
        let Some(folder) = self.folders.get(&watch) else { return };
        let path = if name.is_empty() { folder.clone() } else { folder.join(name) };
        let Some(seen) = look(&path) else { return };
        if seen.folder && mask & libc::IN_CREATE != 0 {
            self.add(&path);
            // What was made in it before it was watched.
            walk(&path, &mut self.seen.lock().expect("nobody panics with it"));
        }
        self.seen.lock().expect("nobody panics with it").push(seen);
    }
}
