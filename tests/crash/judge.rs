//! Starts the library on what a power cut left, and looks whether every promise is kept.

use crate::customer::Customer;
use crate::ledger::{Event, Ledger};
use crate::promised::{self, Promised};
use crate::states::{Due, Image, States, Tree};
use ors::ffi::ORS_OK;
use ors::licence::{hex, sha256};
use ors::store::{Disk, lent};
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// No process has this id.
pub const NOBODY: &str = "4194999";
const DOCUMENTS: [&str; 4] = ["state", "floor", "settings", "acknowledged"];
/// So much harm is enough to know.
pub const ENOUGH: u64 = 20;

/// A disk that forgets to sync: what is started on it here runs to its end.
pub struct Unhurried;

impl Disk for Unhurried {
    fn sync(&self, _file: &fs::File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// A folder for a trial: in memory, where there is such a place.
pub fn place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("ors-crash-");
    if memory.is_dir() { builder.tempdir_in(memory).unwrap() } else { builder.tempdir().unwrap() }
}

/// Makes a state real. Temporary files are those of a process that is gone.
pub fn lay_out(image: &Image, root: &Path) {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let ours = format!(".ors-{}-", std::process::id());
    for (path, content) in image {
        let name = path.file_name().unwrap().to_str().unwrap();
        let path = match name.strip_prefix(&ours) {
            Some(rest) => root.join(path).with_file_name(format!(".ors-{NOBODY}-{rest}")),
            None => root.join(path),
        };
        match content {
            Some(bytes) => {
                let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
                file.unwrap().write_all(bytes).unwrap();
            }
            None => fs::DirBuilder::new().mode(0o700).create(&path).unwrap(),
        }
    }
}

/// Tries every state. Returns how many were harmed, and says what was wrong with the first of those.
pub fn all(what: &str, states: &States, customer: &Customer) -> u64 {
    let begun = Instant::now();
    let trials: Vec<(&Image, &Due)> = states.images.iter().collect();
    let harmed = Mutex::new(0);
    side_by_side(&trials, |(image, due)| {
        let Err(why) = one(image, due.promised, customer) else { return true };
        let mut harmed = harmed.lock().unwrap();
        *harmed += 1;
        if *harmed <= 3 {
            eprintln!("{what}, cut after event {}: {why}\n{:?}\n{}", due.after, due.promised, listed(image));
        }
        *harmed < ENOUGH
    });
    let harmed = harmed.into_inner().unwrap();
    println!("{what}: {} states, {harmed} harmed, {:.1} s", trials.len(), begun.elapsed().as_secs_f64());
    harmed
}

/// Does something with each, on several threads, until one says that it is enough.
pub fn side_by_side<T: Sync>(each: &[T], work: impl Fn(&T) -> bool + Sync) {
    let next = AtomicUsize::new(0);
    // Mostly they wait for a thread of their agent: more at a time than there are processors.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(one) = each.get(next.fetch_add(1, SeqCst)) {
                    if !work(one) {
                        next.store(each.len(), SeqCst);
                    }
                }
            });
        }
    });
}

/// What is asked of the disk while the library starts on a state, until all is well.
pub fn recovery(image: &Image, promised: Promised, customer: &Customer) -> (Tree, Vec<Event>) {
    let place = place();
    lay_out(image, place.path());
    let ledger = Arc::new(Ledger::new(place.path()));
    ledger.promise(|now| *now = promised);
    let _lent = lent::lend(&place.path().join("state"), ledger.clone());
    promised::open(place.path(), promised, customer).unwrap().close();
    assert_eq!(ledger.complaints(), [""; 0]);
    ledger.story()
}

/// One state. `Err` says what was not kept.
pub fn one(image: &Image, promised: Promised, customer: &Customer) -> Result<(), String> {
    let torn = torn(image, customer);
    if !torn.is_empty() {
        return Err(format!("torn before anything was started: {torn:?}"));
    }
    let place = place();
    lay_out(image, place.path());
    let _lent = lent::lend(&place.path().join("state"), Arc::new(Unhurried));
    caught(|| started(place.path(), image, promised, customer))
}

/// A panic is an error like any other.
pub fn caught(work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        Err(said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned())).unwrap_or_default())
    })
}

fn started(root: &Path, image: &Image, promised: Promised, customer: &Customer) -> Result<(), String> {
    let host = promised::open(root, promised, customer)?;
    if host.close() != ORS_OK {
        return Err("it does not end".to_owned());
    }
    promised::keeps_journal(root, promised)?;
    let before = image.get(Path::new("state/journal.jsonl")).and_then(|bytes| bytes.as_deref());
    let lines = whole_lines(before.unwrap_or_default());
    match journal_files(&root.join("state")).iter().any(|file| file.starts_with(lines)) {
        true => Ok(()),
        false => Err("the start has lost lines of the journal".to_owned()),
    }
}

/// Files that are neither an old nor a new one, whole.
fn torn(image: &Image, customer: &Customer) -> Vec<PathBuf> {
    let files = image.iter().filter_map(|(path, content)| Some((path, content.as_ref()?)));
    files.filter(|(path, bytes)| !is_whole(path, bytes, customer)).map(|(path, _)| path.clone()).collect()
}

fn is_whole(path: &Path, bytes: &[u8], customer: &Customer) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    // In the backup folder a time stands before the name, in uploads the name is a digest.
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    let json = || serde_json::from_slice::<Value>(bytes).is_ok();
    let sequence = || serde_json::from_slice::<Value>(bytes).ok().and_then(|envelope| sequence_of(&envelope));
    match kind {
        _ if name.starts_with(".ors-") || name == "journal.jsonl" => true,
        "a" | "b" if DOCUMENTS.contains(&stem) => document_is_whole(bytes),
        "lic" if path.starts_with("state/uploads") => hex(&sha256(bytes)) == stem,
        "lic" => bytes == b"ONLY" || bytes.starts_with(b"SERVER ") && bytes.len() > 7,
        "json" if name.ends_with(".ors.json") => sequence().is_some_and(|number| customer.envelope(number) == bytes),
        "json" => json(),
        "key" => bytes.len() == 32,
        "sealed" => bytes.len() > 4_096,
        "jsonl" => bytes.ends_with(b"}\n"),
        "by" => bytes == b"an administrator",
        _ => panic!("{} is not known here", path.display()),
    }
}

fn sequence_of(envelope: &Value) -> Option<u64> {
    use base64::Engine as _;
    let payload = base64::engine::general_purpose::STANDARD.decode(envelope["payload"].as_str()?).ok()?;
    serde_json::from_slice::<Value>(&payload).ok()?["sequence"].as_u64()
}

fn document_is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.iter().position(|b| *b == b'\n') else { return false };
    let Ok(line) = std::str::from_utf8(&bytes[..end]) else { return false };
    let Some((prefix, hash)) = line.rsplit_once(' ') else { return false };
    hash == hex(&sha256(&[prefix.as_bytes(), b"\n", &bytes[end + 1..]].concat()))
}

/// As far as it is whole lines.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let lines = bytes.split_inclusive(|b| *b == b'\n');
    let whole = lines.take_while(|line| line.ends_with(b"\n") && serde_json::from_slice::<Value>(line).is_ok());
    &bytes[..whole.map(<[u8]>::len).sum()]
}

fn journal_files(state: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn listed(image: &Image) -> String {
    let line = |(path, content): (&PathBuf, &Option<Arc<[u8]>>)| match content {
        Some(bytes) => format!("  {} {}", path.display(), bytes.len()),
        None => format!("  {}/", path.display()),
    };
    image.iter().map(line).collect::<Vec<_>>().join("\n")
}
