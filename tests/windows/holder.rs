//! Another process, which holds files as a virus scanner, a backup or an editor does.

use crate::alone;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

const NAME: &str = "ORS_TEST_HOLDER";
/// Begins the lines that are answers: the harness writes some, too.
const MARK: &str = "@ ";

/// With whom the holder shares the file: with nobody.
pub const NOBODY: u32 = 0;
/// With readers and writers, but not with one who would replace or delete it.
pub const NO_DELETE: u32 = 3;

/// The other side of [`Holder`]: does what it is told, a line at a time.
#[test]
#[ignore = "a process that other tests start"]
fn holder() {
    assert!(std::env::var_os(NAME).is_some(), "started by another test");
    let mut held: HashMap<String, File> = HashMap::new();
    let mut scanners: HashMap<String, Scanner> = HashMap::new();
    println!("\n{MARK}ready");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.splitn(4, '|').collect();
        let answer = match words[..] {
            ["hold", id, share, path] => {
                match OpenOptions::new().read(true).share_mode(share.parse().unwrap()).open(path) {
                    Ok(file) => {
                        held.insert(id.to_owned(), file);
                        "held".to_owned()
                    }
                    Err(error) => format!("error {error}"),
                }
            }
            ["release", id] => {
                drop(held.remove(id).expect("a held file"));
                "released".to_owned()
            }
            ["scan", id, milliseconds, folder] => {
                let time = Duration::from_millis(milliseconds.parse().unwrap());
                scanners.insert(id.to_owned(), Scanner::start(folder.into(), time));
                "scanning".to_owned()
            }
            ["stop", id] => scanners.remove(id).expect("a scanner").stop().to_string(),
            _ => panic!("{line} is no command"),
        };
        println!("{MARK}{answer}");
    }
}

/// Opens every temporary file that appears in a folder, and keeps it open for a while.
struct Scanner {
    stop: Arc<AtomicBool>,
    caught: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Scanner {
    fn start(folder: PathBuf, time: Duration) -> Scanner {
        let (stop, caught) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (asked, count) = (stop.clone(), caught.clone());
        let thread = std::thread::spawn(move || {
            let mut open: Vec<(Instant, File)> = Vec::new();
            let mut known: HashSet<PathBuf> = HashSet::new();
            while !asked.load(SeqCst) {
                for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                    let is_temp = path.extension().is_some_and(|extension| extension == "tmp");
                    if is_temp && !known.contains(&path) {
                        if let Ok(file) = OpenOptions::new().read(true).share_mode(NO_DELETE).open(&path) {
                            open.push((Instant::now() + time, file));
                            count.fetch_add(1, SeqCst);
                            known.insert(path);
                        }
                    }
                }
                open.retain(|(until, _)| *until > Instant::now());
            }
        });
        Scanner { stop, caught, thread }
    }

    fn stop(self) -> u64 {
        self.stop.store(true, SeqCst);
        self.thread.join().unwrap();
        self.caught.load(SeqCst)
    }
}

/// The process. Threads may use it side by side.
pub struct Holder {
    child: Child,
    line: Mutex<(ChildStdin, mpsc::Receiver<String>)>,
    number: AtomicU64,
}

impl Holder {
    pub fn start() -> Holder {
        let mut child = alone::start("holder::holder", &[(NAME, "1")]);
        let (send, answers) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(answer) = line.strip_prefix(MARK) {
                    let _ = send.send(answer.to_owned());
                }
            }
        });
        assert_eq!(answers.recv_timeout(Duration::from_secs(60)).as_deref(), Ok("ready"));
        let orders = child.stdin.take().unwrap();
        Holder { child, line: Mutex::new((orders, answers)), number: AtomicU64::new(1) }
    }

    fn ask(&self, order: &str) -> String {
        let mut line = self.line.lock().unwrap();
        writeln!(line.0, "{order}").unwrap();
        line.1.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|error| panic!("{order}: {error}"))
    }

    /// Holds a file until the hold is dropped.
    pub fn hold(&self, path: &Path, share: u32) -> Hold<'_> {
        let id = self.number.fetch_add(1, SeqCst);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            // The library may have it open at this very moment.
            let answer = self.ask(&format!("hold|{id}|{share}|{}", path.to_str().unwrap()));
            if answer == "held" {
                return Hold { holder: self, id };
            }
            assert!(Instant::now() < deadline, "{}: {answer}", path.display());
        }
    }

    /// Opens every temporary file in the folder for some milliseconds while `work` runs. Returns how many it caught.
    pub fn scan(&self, folder: &Path, milliseconds: u64, work: impl FnOnce()) -> u64 {
        let id = self.number.fetch_add(1, SeqCst);
        self.ask(&format!("scan|{id}|{milliseconds}|{}", folder.to_str().unwrap()));
        work();
        self.ask(&format!("stop|{id}")).parse().unwrap()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Hold<'a> {
    holder: &'a Holder,
    id: u64,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.holder.ask(&format!("release|{}", self.id));
    }
}
