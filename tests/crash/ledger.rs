//! A disk that does what it is asked and takes down what that was, in one order for all threads.

use crate::promised::Promised;
use crate::states::Tree;
use ors::store::{Access, Disk, RealDisk};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file or folder, whatever it is called at the moment.
pub type Node = usize;

/// What the disk was asked, and what the library promised meanwhile.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new file or folder got its name.
    Link {
        folder: Node,
        name: String,
        node: Node,
        is_folder: bool,
    },
    Rename {
        folder: Node,
        from: String,
        to: String,
        node: Node,
    },
    Unlink {
        folder: Node,
        name: String,
    },
    Write {
        node: Node,
        at: usize,
        bytes: Arc<[u8]>,
    },
    Cut {
        node: Node,
        length: usize,
    },
    SyncFile(Node),
    SyncFolder(Node),
    Promised(Promised),
}

#[derive(Default)]
struct Inner {
    events: Vec<Event>,
    /// What has a name now, by its path below the root.
    paths: HashMap<PathBuf, Node>,
    /// The files of this run by device and inode, and how long each is.
    files: HashMap<(u64, u64), Node>,
    lengths: HashMap<Node, usize>,
    next: Node,
    promised: Promised,
    fault: Option<Fault>,
    asked: usize,
    forgets: Forgets,
    /// What the library did past this disk.
    complaints: Vec<String>,
}

/// Requests from number `at` on that fail: one, or all.
#[derive(Clone, Copy)]
struct Fault {
    at: usize,
    for_ever: bool,
    /// How many events there were when it came.
    came_after: Option<usize>,
}

/// What a library without care would not ask for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Forgets {
    #[default]
    Nothing,
    SyncFile,
    SyncFolder,
}

/// The disk under the library, below one folder.
pub struct Ledger {
    root: PathBuf,
    base: Tree,
    inner: Mutex<Inner>,
}

impl Ledger {
    /// What lies below `root` now is on the disk for good.
    pub fn new(root: &Path) -> Ledger {
        let base = Tree::read(root);
        let mut inner = Inner { next: base.next_node(), ..Inner::default() };
        for (path, node) in base.paths() {
            if let Ok(meta) = fs::metadata(root.join(&path)) {
                inner.files.insert((meta.dev(), meta.ino()), node);
                inner.lengths.insert(node, usize::try_from(meta.len()).unwrap());
            }
            inner.paths.insert(path, node);
        }
        Ledger { root: root.to_owned(), base, inner: Mutex::new(inner) }
    }

    /// What was on the disk before, and what was done since.
    pub fn story(&self) -> (Tree, Vec<Event>) {
        (self.base.clone(), self.lock().events.clone())
    }

    /// Notes what the library has promised by now.
    pub fn promise(&self, change: impl FnOnce(&mut Promised)) {
        let mut inner = self.lock();
        change(&mut inner.promised);
        let promised = inner.promised;
        inner.events.push(Event::Promised(promised));
    }

    /// How often the disk was asked for something.
    pub fn asked(&self) -> usize {
        self.lock().asked
    }

    /// From now on, these requests have no effect.
    pub fn forget(&self, what: Forgets) {
        self.lock().forgets = what;
    }

    /// Lets the request number `at` fail, counted from now on, or all from there on, as after the death of the process.
    pub fn fail_at(&self, at: usize, for_ever: bool) {
        let mut inner = self.lock();
        inner.asked = 0;
        inner.fault = Some(Fault { at, for_ever, came_after: None });
    }

    /// How many events there were when a request failed by plan; `None` when none did.
    pub fn failed_after(&self) -> Option<usize> {
        self.lock().fault.and_then(|fault| fault.came_after)
    }

    /// Works again.
    pub fn heal(&self) {
        self.lock().fault = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole of a request is one step, so that the order taken down is the order in which things happened.
    fn ask<T>(&self, work: impl FnOnce(&mut Inner) -> io::Result<T>) -> io::Result<T> {
        let mut inner = self.lock();
        let (number, events) = (inner.asked, inner.events.len());
        inner.asked += 1;
        match &mut inner.fault {
            Some(fault) if number == fault.at || fault.for_ever && number > fault.at => {
                fault.came_after.get_or_insert(events);
                Err(io::Error::from_raw_os_error(libc::EIO))
            }
            _ => work(&mut inner),
        }
    }

    fn below<'a>(&self, path: &'a Path) -> &'a Path {
        // What is elsewhere has no node, and is complained about.
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// The folder that a path lies in, and its name there.
    fn place(&self, inner: &mut Inner, path: &Path) -> io::Result<(Node, String)> {
        let path = self.below(path);
        let node = inner.node_at(path.parent().unwrap_or(path))?;
        Ok((node, path.file_name().unwrap_or_default().to_string_lossy().into_owned()))
    }

    /// Requests that do not fit what this disk knows, since something was done past it.
    pub fn complaints(&self) -> Vec<String> {
        self.lock().complaints.clone()
    }
}

impl Inner {
    fn new_node(&mut self) -> Node {
        self.next += 1;
        self.next - 1
    }

    fn node(&mut self, file: &File) -> io::Result<Node> {
        let meta = file.metadata()?;
        let known = self.files.get(&(meta.dev(), meta.ino())).copied();
        known.ok_or_else(|| self.complain("a file that was not opened here".to_owned()))
    }

    fn node_at(&mut self, path: &Path) -> io::Result<Node> {
        let known = self.paths.get(path).copied();
        known.ok_or_else(|| self.complain(format!("{} was made past this disk", path.display())))
    }

    /// On a thread of the library a panic would be contained.
    fn complain(&mut self, what: String) -> io::Error {
        self.complaints.push(what.clone());
        io::Error::other(what)
    }
}

impl Ledger {
    fn made(&self, inner: &mut Inner, path: &Path, file: Option<&File>) -> io::Result<()> {
        let (folder, name) = self.place(inner, path)?;
        let node = inner.new_node();
        if let Some(file) = file {
            let meta = file.metadata()?;
            // A number that was another file's is this one's now.
            inner.files.insert((meta.dev(), meta.ino()), node);
            inner.lengths.insert(node, 0);
        }
        inner.paths.insert(self.below(path).to_owned(), node);
        inner.events.push(Event::Link { folder, name, node, is_folder: file.is_none() });
        Ok(())
    }

    fn renamed(&self, inner: &mut Inner, from: &Path, to: &Path) -> io::Result<()> {
        let (folder, old) = self.place(inner, from)?;
        let (other, new) = self.place(inner, to)?;
        if folder != other {
            return Err(inner.complain(format!("{} is renamed into another folder", from.display())));
        }
        let node = inner.node_at(self.below(from))?;
        inner.paths.remove(self.below(from));
        inner.paths.insert(self.below(to).to_owned(), node);
        inner.events.push(Event::Rename { folder, from: old, to: new, node });
        Ok(())
    }
}

impl Disk for Ledger {
    fn create(&self, path: &Path, access: Access) -> io::Result<File> {
        self.ask(|inner| {
            let file = RealDisk.create(path, access)?;
            self.made(inner, path, Some(&file))?;
            Ok(file)
        })
    }

    fn append(&self, path: &Path, access: Access) -> io::Result<File> {
        self.ask(|inner| {
            let is_new = !path.exists();
            let file = RealDisk.append(path, access)?;
            if is_new {
                self.made(inner, path, Some(&file))?;
            }
            Ok(file)
        })
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.write(file, bytes)?;
            let node = inner.node(file)?;
            // The library writes at the end of a file, and nowhere else.
            let length = inner.lengths.entry(node).or_default();
            let at = *length;
            *length += bytes.len();
            inner.events.push(Event::Write { node, at, bytes: bytes.into() });
            Ok(())
        })
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.cut(file, length)?;
            let node = inner.node(file)?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            inner.lengths.insert(node, length);
            inner.events.push(Event::Cut { node, length });
            Ok(())
        })
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.sync(file)?;
            let node = inner.node(file)?;
            if inner.forgets != Forgets::SyncFile {
                inner.events.push(Event::SyncFile(node));
            }
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.rename(from, to)?;
            self.renamed(inner, from, to)
        })
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.rename_new(from, to)?;
            self.renamed(inner, from, to)
        })
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.sync_folder(folder)?;
            let node = inner.node_at(self.below(folder))?;
            if inner.forgets != Forgets::SyncFolder {
                inner.events.push(Event::SyncFolder(node));
            }
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.remove(path)?;
            let (folder, name) = self.place(inner, path)?;
            inner.paths.remove(self.below(path));
            inner.events.push(Event::Unlink { folder, name });
            Ok(())
        })
    }

    fn make_folder(&self, path: &Path, access: Access) -> io::Result<()> {
        self.ask(|inner| {
            RealDisk.make_folder(path, access)?;
            self.made(inner, path, None)
        })
    }
}
