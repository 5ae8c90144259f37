//! The process that works while the power is cut, in this very program: it first looks whether everything is kept that was
//! promised before, then installs, sets and acknowledges as fast as it can, and says each time what it was told.

use crate::customer::Customer;
use crate::promised::{self, Promised};
use crate::support::host::{Failure, Host};
use ors::store::{Disk, lent};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::ptr::null_mut;
use std::sync::{Arc, mpsc};
use std::time::Duration;

const TASK: &str = "ORS_TEST_POWER";
/// Begins the lines that are meant for us: the harness writes some, too.
const MARK: &str = "@ ";

/// The negative control: a disk on which nothing is ever forced.
struct Careless;

impl Disk for Careless {
    fn sync(&self, _file: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn say(what: Value) {
    println!("{MARK}{what}");
}

#[test]
#[ignore = "a process that other tests start"]
fn worker() {
    let Ok(task) = std::env::var(TASK) else { return };
    let task: Value = serde_json::from_str(&task).unwrap();
    let root = Path::new(task["root"].as_str().unwrap());
    let _lent = (task["careless"] == true).then(|| lent::lend(&root.join("state"), Arc::new(Careless)));
    let customer = Customer::new();
    let before = from_json(&task["promised"]);
    println!();
    let opened = promised::open(root, before, &customer);
    match opened.and_then(|host| promised::keeps_journal(root, before).map(|()| host)) {
        Ok(host) => {
            say(json!({ "well": true }));
            // Until the disk is gone.
            let _ = work(&host, before, &customer);
            // What the host was told is told to others: it does not end before it is killed.
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        Err(harm) => say(json!({ "harm": harm })),
    }
}

fn work(host: &Host, mut promised: Promised, customer: &Customer) -> Result<(), Failure> {
    let revision = host.settings()["revision"].as_u64().unwrap();
    promised.see(host);
    let first = promised.sequence + 1;
    for (sequence, revision) in (first..).zip(revision + 1..) {
        host.install(&customer.envelope(sequence)).1?;
        promised.sequence = sequence;
        say(json!({ "promised": to_json(promised) }));
        host.set(&Customer::change(revision))?;
        promised.revision = revision;
        say(json!({ "promised": to_json(promised) }));
        // Every other one follows while the one before is still on its way.
        if sequence % 2 == 0 {
            // SAFETY: NULL is allowed where the revision would go.
            unsafe { ors::ffi::ors_wait(host.agent, host.notices().revision, 50, null_mut()) };
        }
        let announced = host.notices().announcement;
        if announced > 0 {
            host.acknowledge(announced)?;
            promised.acknowledged = promised.acknowledged.max(announced);
        }
        promised.see(host);
        say(json!({ "promised": to_json(promised) }));
    }
    Ok(())
}

fn to_json(promised: Promised) -> Value {
    let Promised { sequence, floor, revision, acknowledged, keys, journal } = promised;
    json!([sequence, floor, revision, acknowledged, keys, journal])
}

fn from_json(numbers: &Value) -> Promised {
    let number = |index: usize| numbers[index].as_u64().unwrap();
    Promised {
        sequence: number(0),
        floor: number(1),
        revision: number(2),
        acknowledged: number(3),
        keys: number(4),
        journal: number(5),
    }
}

/// What it says.
pub enum Said {
    /// Everything was kept.
    Well,
    Harm(String),
    Promised(Promised),
}

/// A running one; killed when it goes.
pub struct Worker {
    child: Child,
    said: mpsc::Receiver<Said>,
}

impl Worker {
    pub fn start(root: &Path, promised: Promised, careless: bool) -> Worker {
        let task = json!({ "root": root, "promised": to_json(promised), "careless": careless });
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["worker::worker", "--exact", "--nocapture", "--include-ignored", "--test-threads=1"])
            .env(TASK, task.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, said) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let Some(line) = line.strip_prefix(MARK) else { continue };
                // The last line may be cut off by the kill.
                let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
                let said = match (line["harm"].as_str(), line["well"] == true) {
                    (Some(harm), _) => Said::Harm(harm.to_owned()),
                    (None, true) => Said::Well,
                    (None, false) => Said::Promised(from_json(&line["promised"])),
                };
                let _ = send.send(said);
            }
        });
        Worker { child, said }
    }

    /// The next thing that it says. `None`: it says nothing any more, or nothing for so long.
    pub fn next(&self, wait: Duration) -> Option<Said> {
        self.said.recv_timeout(wait).ok()
    }

    /// Ends it. Returns the last that it had been told.
    pub fn kill(&mut self) -> Option<Promised> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let rest = self.said.iter();
        rest.filter_map(|said| if let Said::Promised(promised) = said { Some(promised) } else { None }).last()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
