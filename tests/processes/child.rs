//! A host in a process of its own, that tests start, ask and kill.

use crate::alone;
use crate::support::Site;
use crate::support::host::{Host, Options};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Child;
use std::sync::mpsc;
use std::time::Duration;

const OPTIONS: &str = "ORS_TEST_HOST";
/// Begins the lines that are answers: the harness writes some, too.
const MARK: &str = "@ ";

/// The other side of [`Process`]: opens an agent and does what it is told, a line at a time.
#[test]
#[ignore = "a host that other tests start"]
fn host() {
    let Ok(given) = std::env::var(OPTIONS) else { return };
    let given: Value = serde_json::from_str(&given).unwrap();
    let text = |name: &str| given[name].as_str().map(str::to_owned);
    let host = Host::open(&Options {
        flags: 0,
        state_folder: text("state_folder"),
        product: text("product").unwrap(),
        trusted_keys: text("trusted_keys").unwrap(),
        licence_folder: text("licence_folder"),
        ..Options::default()
    })
    .unwrap();
    println!("\n{MARK}{{}}");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match verb {
            "status" => {
                json!({ "sequence": host.licence().sequence, "role": crate::role(&host), "pid": std::process::id() })
            }
            "set" => {
                json!({ "failure": host.set(&serde_json::from_str(rest).unwrap()).err().map(|failure| failure.code) })
            }
            "install" => {
                let (result, done) = host.install(&std::fs::read(rest).unwrap());
                json!({ "failure": done.err().map(|failure| failure.code), "state": result.state })
            }
            #[cfg(unix)]
            "sleeper" => json!({ "pid": crate::fork::sleeper() }),
            _ => panic!("{line} is no command"),
        };
        println!("{MARK}{answer}");
    }
}

/// A running host.
pub struct Process {
    child: Child,
    answers: mpsc::Receiver<Value>,
}

impl Process {
    /// Starts one for the site, and returns when its agent is open.
    pub fn start(site: &Site) -> Process {
        let options = site.options();
        let given = json!({
            "state_folder": options.state_folder, "product": options.product, "trusted_keys": options.trusted_keys,
            "licence_folder": options.licence_folder,
        });
        let mut child = alone::start("child::host", &[(OPTIONS, &given.to_string())]);
        let (send, answers) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(answer) = line.strip_prefix(MARK) {
                    let _ = send.send(serde_json::from_str(answer).unwrap());
                }
            }
        });
        let process = Process { child, answers };
        process.answer("open");
        process
    }

    fn answer(&self, what: &str) -> Value {
        self.answers
            .recv_timeout(Duration::from_secs(60))
            .unwrap_or_else(|error| panic!("no answer to {what}: {error}"))
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn ask(&mut self, line: &str) -> Value {
        self.tell(line);
        self.answer(line)
    }

    /// Ends it as the system does when it has no memory left: at once, with nothing tidied up.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
