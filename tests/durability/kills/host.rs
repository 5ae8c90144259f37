//! The other side of `host.c`: a host that is given orders, answers them, and is killed.

use super::place::Place;
use super::rig;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A host that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a host is told to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Open,
    Close,
    /// Members of the settings.
    Set(Value),
    /// The licence with this sequence, as an upload.
    Install(u64),
    Acknowledge(u64),
    /// Waits until this licence is in use.
    Until(u64),
    /// Waits until this announcement is shown.
    Raised(u64),
    /// For how many milliseconds the two above wait.
    Patience(u64),
    /// Waits for a change, so many milliseconds at most.
    Wait(u64),
    Ask,
}

/// What came of an order.
#[derive(Clone, Debug, Default)]
pub struct Done {
    pub code: i32,
    /// Place and message of the error struct.
    pub error: String,
    pub told: HashMap<String, Value>,
}

pub struct Host {
    child: Child,
    line: UnixStream,
    received: Vec<u8>,
    answers: VecDeque<Done>,
    next: Done,
}

fn program() -> &'static std::path::Path {
    static PROGRAM: OnceLock<std::path::PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // Two parts of a run may be at it: each name is one whole program at every moment.
        let own = rig::compile("tests/durability/kills/host.c", &format!("killed_host-{}", std::process::id()));
        let shared = own.with_file_name("killed_host");
        std::fs::rename(own, &shared).expect("the host's name");
        shared
    })
}

impl Host {
    pub fn start(place: &Place) -> Host {
        let (line, theirs) = UnixStream::pair().expect("a pair of sockets");
        let mut command = Command::new(program());
        command.arg(rig::shipped()).arg(place.state()).arg(place.licences()).arg(place.keys());
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
        let child = command.spawn().expect("the host");
        Host { child, line, received: Vec::new(), answers: VecDeque::new(), next: Done::default() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends an order without waiting for its answer. A host that is dead already takes none.
    pub fn tell(&mut self, place: &Place, order: &Order) {
        let (words, bytes) = match order {
            Order::Open => ("open".to_owned(), Vec::new()),
            Order::Close => ("close".to_owned(), Vec::new()),
            Order::Set(value) => ("set".to_owned(), value.to_string().into_bytes()),
            Order::Install(sequence) => ("install".to_owned(), place.vendor.licence(*sequence)),
            Order::Acknowledge(id) => (format!("acknowledge {id}"), Vec::new()),
            Order::Until(sequence) => (format!("until {sequence}"), Vec::new()),
            Order::Raised(id) => (format!("raised {id}"), Vec::new()),
            Order::Patience(time) => (format!("patience {time}"), Vec::new()),
            Order::Wait(time) => (format!("wait {time}"), Vec::new()),
            Order::Ask => ("ask".to_owned(), Vec::new()),
        };
        let mut whole = match bytes.len() {
            0 => format!("{words}\n").into_bytes(),
            length => format!("{words} {length}\n").into_bytes(),
        };
        whole.extend(bytes);
        let _ = self.line.write_all(&whole);
    }

    /// The next answer, within `wait`; `None` where there is none: not yet, or the host is dead.
    pub fn answer(&mut self, wait: Duration) -> Option<Done> {
        let deadline = Instant::now() + wait;
        while self.answers.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.line.set_read_timeout(Some(left)).expect("a time");
            let mut part = [0; 64 << 10];
            match self.line.read(&mut part) {
                Ok(0) => return None,
                Ok(got) => self.take(&part[..got]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                    if Instant::now() >= deadline {
                        return None;
                    }
                }
                Err(_) => return None,
            }
        }
        self.answers.pop_front()
    }

    fn take(&mut self, part: &[u8]) {
        self.received.extend(part);
        while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.received.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (name, text) = line.split_once(' ').expect("a name and a text");
            if name == "done" {
                let (code, error) = text.split_once(' ').expect("a code and a place");
                self.next.code = code.parse().expect("a number");
                self.next.error = error.to_owned();
                self.answers.push_back(std::mem::take(&mut self.next));
            } else {
                let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
                self.next.told.insert(name.to_owned(), value);
            }
        }
    }

    /// An order and its answer; `None` from a host that dies over it.
    pub fn order(&mut self, place: &Place, order: &Order) -> Option<Done> {
        self.tell(place, order);
        self.answer(PATIENCE)
    }

    /// Kills it at this very moment. Returns the answers that it had given.
    pub fn kill(mut self) -> Vec<Done> {
        let _ = self.child.kill();
        self.child.wait().expect("a child of this process");
        let mut answers = Vec::new();
        // What a dead process has sent is there already.
        while let Some(answer) = self.answer(Duration::ZERO) {
            answers.push(answer);
        }
        answers
    }

    /// Whether it is dead, or about to be: that a socket is closed is seen before the process is gone.
    pub fn dies(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_millis(20);
        loop {
            if self.child.try_wait().expect("a child of this process").is_some() {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
