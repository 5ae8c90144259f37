//! The other side of `host.c`.

use super::place::{Place, UID};
use super::{VALID, rig};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

pub struct Host {
    child: Child,
    answers: mpsc::Receiver<String>,
}

/// What `end` tells.
#[derive(Debug)]
pub struct Seen {
    pub hot: u32,
    /// Microseconds.
    pub p999: i64,
    pub worst: i64,
    pub worst_name: String,
    pub cold: u32,
    pub states: u32,
    pub complaints: Vec<String>,
}

impl Host {
    pub fn start(place: &Place) -> Host {
        static PROGRAM: OnceLock<std::path::PathBuf> = OnceLock::new();
        let built =
            PROGRAM.get_or_init(|| rig::compile_with("tests/hosts/faults/host.c", "fault_host", &["-rdynamic"]));
        // Where any account can reach it.
        let program = place.library().with_file_name("host");
        std::fs::copy(built, &program).unwrap();
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={UID}"), &format!("--regid={UID}"), "--clear-groups", "--pdeathsig=KILL"]);
        command.arg(program).arg(place.library()).arg(place.state()).arg(place.licences()).arg(place.keys());
        command.arg(place.first_licence()).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("setpriv, of util-linux");
        let (send, answers) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).take_while(|line| send.send(line.clone()).is_ok()).count()
        });
        Host { child, answers }
    }

    pub fn child(&self) -> &Child {
        &self.child
    }

    /// What the host says; a command that is not answered within half a minute is one that hangs.
    fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answers.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| {
            panic!("no answer to {command}; the host: {:?}", self.child.try_wait());
        })
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap_or_else(|error| {
            panic!("the host is gone before {command}: {error}, {:?}", self.child.try_wait());
        });
    }

    fn numbers(&mut self, command: &str) -> Vec<i64> {
        let answer = self.ask(command);
        answer.split(' ').map(|number| number.parse().unwrap_or_else(|_| panic!("{command}: {answer}"))).collect()
    }

    fn timed(&mut self, command: &str) -> (i32, Duration) {
        let numbers = self.numbers(command);
        (numbers[0] as i32, Duration::from_millis(numbers[1].unsigned_abs()))
    }

    pub fn open(&mut self) -> (i32, Duration) {
        self.timed("open")
    }

    pub fn close(&mut self) -> (i32, Duration) {
        self.timed("close")
    }

    pub fn begin(&mut self) {
        self.ask("begin");
    }

    pub fn end(&mut self) -> Seen {
        let answer = self.ask("end");
        let words: Vec<&str> = answer.splitn(7, ' ').collect();
        let number = |index: usize| words[index].parse::<i64>().unwrap_or_else(|_| panic!("{answer}"));
        Seen {
            hot: number(0) as u32,
            p999: number(1),
            worst: number(2),
            worst_name: words[3].to_owned(),
            cold: number(4) as u32,
            states: number(5) as u32,
            complaints: words[6].split("; ").filter(|text| !text.is_empty()).map(str::to_owned).collect(),
        }
    }

    pub fn clock(&mut self, offset: i64) {
        self.ask(&format!("clock {offset}"));
    }

    /// Whether it may have more descriptors.
    pub fn files(&mut self, allowed: bool) {
        self.ask(if allowed { "files on" } else { "files off" });
    }

    /// Whether it may start more threads.
    pub fn new_threads(&mut self, allowed: bool) {
        self.ask(if allowed { "new-threads on" } else { "new-threads off" });
    }

    /// Whether, within this time, everything works: a setting is taken, and a new licence comes into use.
    pub fn until_healthy(&mut self, place: &Place, within: Duration) -> bool {
        let began = Instant::now();
        let pause = || std::thread::sleep(Duration::from_millis(50));
        while self.timed("set").0 != 0 {
            if began.elapsed() > within {
                return false;
            }
            pause();
        }
        let (sequence, file) = place.next_licence();
        while self.timed(&format!("install {}", file.display())).0 != 0 {
            if began.elapsed() > within {
                return false;
            }
            pause();
        }
        while self.numbers("status") != [i64::from(VALID), sequence.cast_signed()] {
            if began.elapsed() > within {
                return false;
            }
            pause();
        }
        true
    }

    /// How many threads of the library there are, once there are at most `most` or this time is over.
    pub fn threads_after(&mut self, time: Duration, most: i64) -> i64 {
        let began = Instant::now();
        loop {
            let count = self.numbers("threads")[0];
            if count <= most || began.elapsed() > time {
                return count;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a host ends that has nothing more to do.
    pub fn finish(mut self) -> Result<(), String> {
        drop(self.child.stdin.take());
        let began = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the host ended with {status}")),
                None if began.elapsed() > Duration::from_secs(10) => return Err("the host does not end".to_owned()),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A stopped process dies of it, too; one that hangs in a frozen file system, when its server goes.
        let _ = self.child.kill();
        let began = Instant::now();
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
