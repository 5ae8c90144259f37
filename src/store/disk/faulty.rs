//! A disk that fails when a test says so. Not part of the shipped library.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Access, Disk, RealDisk};

/// The kinds of operation of [`Disk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operation {
    Create,
    Append,
    Write,
    Cut,
    Sync,
    Rename,
    RenameNew,
    SyncFolder,
    Remove,
    MakeFolder,
}

impl Operation {
    /// Every kind, for tables of cases.
    pub const ALL: [Operation; 10] = [
        Operation::Create,
        Operation::Append,
        Operation::Write,
        Operation::Cut,
        Operation::Sync,
        Operation::Rename,
        Operation::RenameNew,
        Operation::SyncFolder,
        Operation::Remove,
        Operation::MakeFolder,
    ];
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    only: Option<Operation>,
    at: usize,
    errno: i32,
    for_ever: bool,
}

#[derive(Debug, Default)]
struct State {
    done: Vec<Operation>,
    plan: Option<Plan>,
    matched: usize,
    failed: usize,
}

/// The real disk, with one operation (or all from one on) failing. A failing `write` leaves half of its bytes behind,
/// as a full disk does.
#[derive(Debug, Default)]
pub struct FaultyDisk(Mutex<State>);

impl FaultyDisk {
    /// A disk that works until told otherwise.
    pub fn new() -> FaultyDisk {
        FaultyDisk::default()
    }

    /// Lets operation number `at` (from 0, counted from now) fail with `errno`; with `for_ever` all later ones too.
    pub fn fail_at(&self, at: usize, errno: i32, for_ever: bool) {
        self.plan(Some(Plan { only: None, at, errno, for_ever }));
    }

    /// The same, counting only operations of one kind.
    pub fn fail_kind_at(&self, kind: Operation, at: usize, errno: i32, for_ever: bool) {
        self.plan(Some(Plan { only: Some(kind), at, errno, for_ever }));
    }

    /// Works again; counts from 0.
    pub fn heal(&self) {
        self.plan(None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self, plan: Option<Plan>) {
        *self.state() = State { plan, ..State::default() };
    }

    /// The operations since the last call that planned or healed, failed ones included.
    pub fn operations(&self) -> Vec<Operation> {
        self.state().done.clone()
    }

    /// How many operations failed by plan.
    pub fn failures(&self) -> usize {
        self.state().failed
    }

    fn step(&self, kind: Operation) -> io::Result<()> {
        let mut state = self.state();
        state.done.push(kind);
        let Some(plan) = state.plan else { return Ok(()) };
        if plan.only.is_some_and(|only| only != kind) {
            return Ok(());
        }
        let number = state.matched;
        state.matched += 1;
        if number == plan.at || (plan.for_ever && number > plan.at) {
            state.failed += 1;
            return Err(io::Error::from_raw_os_error(plan.errno));
        }
        Ok(())
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<File> {
        self.step(Operation::Create)?;
        RealDisk.create(path, access)
    }

    fn append(&self, path: &Path, access: Access) -> io::Result<File> {
        self.step(Operation::Append)?;
        RealDisk.append(path, access)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.step(Operation::Write) {
            let (half, _) = bytes.split_at(bytes.len() / 2);
            RealDisk.write(file, half)?;
            return Err(error);
        }
        RealDisk.write(file, bytes)
    }

    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        self.step(Operation::Cut)?;
        RealDisk.cut(file, length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step(Operation::Sync)?;
        RealDisk.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Operation::Rename)?;
        RealDisk.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Operation::RenameNew)?;
        RealDisk.rename_new(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(Operation::SyncFolder)?;
        RealDisk.sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Operation::Remove)?;
        RealDisk.remove(path)
    }

    fn make_folder(&self, path: &Path, access: Access) -> io::Result<()> {
        self.step(Operation::MakeFolder)?;
        RealDisk.make_folder(path, access)
    }
}
