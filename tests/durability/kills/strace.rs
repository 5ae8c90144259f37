//! strace, attached to a thread that is about to work: lists its system calls, kills it at one of them, or lets one fail.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

/// What is done at a system call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Harm {
    /// SIGKILL, before the call does anything.
    Kill,
    /// It fails with this error, once.
    Once(&'static str),
    /// It and all calls of its name after it fail.
    ForEver(&'static str),
}

/// The k-th call of a name, counted from 1 in each traced thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    pub call: String,
    pub at: usize,
    pub harm: Harm,
}

impl Injection {
    fn argument(&self) -> String {
        let Injection { call, at, harm } = self;
        match harm {
            Harm::Kill => format!("inject={call}:signal=KILL:when={at}"),
            Harm::Once(error) => format!("inject={call}:error={error}:when={at}"),
            Harm::ForEver(error) => format!("inject={call}:error={error}:when={at}+"),
        }
    }
}

/// One call, as it began.
#[derive(Clone, Debug)]
pub struct Call {
    pub thread: u32,
    pub name: String,
    /// How many of this name the thread had made with it.
    pub at: usize,
    pub text: String,
}

/// What is traced: one thread, or a process that has one thread yet with all threads that come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Thread,
    Process,
}

pub struct Strace {
    child: Child,
    /// Kept open: strace tells of each new thread.
    _errors: BufReader<ChildStderr>,
    log: PathBuf,
    scope: Scope,
}

impl Strace {
    /// Returns when the thread is traced.
    pub fn attach(thread: u32, scope: Scope, paths: &[PathBuf], injection: Option<&Injection>, log: PathBuf) -> Strace {
        let mut command = Command::new("strace");
        command.args(["-s", "200", "-o"]).arg(&log).args(["-p", &thread.to_string()]);
        if scope == Scope::Process {
            command.arg("-f");
        }
        for path in paths {
            command.arg("-P").arg(path);
        }
        if let Some(injection) = injection {
            command.args(["-e", &format!("trace={}", injection.call), "-e", &injection.argument()]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("strace");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        while !said.contains("attached") {
            let more = errors.read_line(&mut said).expect("what strace says");
            assert!(more > 0, "strace ended: {said}");
        }
        Strace { child, _errors: errors, log, scope }
    }

    /// Waits for it to end, as it does with what it traces. Returns what it wrote.
    pub fn end(mut self) -> String {
        self.child.wait().expect("a child of this process");
        fs::read_to_string(&self.log).expect("what strace wrote")
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a call was made to fail.
pub fn injected(log: &str) -> bool {
    log.contains("(INJECTED)")
}

/// The calls of a trace in their order.
pub fn calls(log: &str, scope: Scope) -> Vec<Call> {
    let mut counts: HashMap<(u32, String), usize> = HashMap::new();
    let mut found = Vec::new();
    for line in log.lines() {
        let (thread, text) = match scope {
            Scope::Thread => (0, line),
            Scope::Process => match line.split_once(' ') {
                Some((thread, text)) => (thread.parse().unwrap_or(0), text.trim_start()),
                None => continue,
            },
        };
        // Not the second half of a call that another thread's came between, nor a signal or an exit.
        let Some((name, _)) = text.split_once('(').filter(|(name, _)| is_name(name)) else { continue };
        let count = counts.entry((thread, name.to_owned())).or_default();
        *count += 1;
        found.push(Call { thread, name: name.to_owned(), at: *count, text: text.to_owned() });
    }
    found
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The thread of a process that has this name.
pub fn thread_named(process: u32, name: &str) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    tasks.flatten().find_map(|task| {
        let is = fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name);
        is.then(|| task.file_name().to_str()?.parse().ok()).flatten()
    })
}

#[test]
fn calls_of_threads_are_counted_each_for_itself() {
    let log = "7  openat(AT_FDCWD, \"/a\", O_RDONLY <unfinished ...>\n8  openat(AT_FDCWD, \"/b\", O_RDONLY) = 3\n\
        7  <... openat resumed>) = 4\n7  openat(AT_FDCWD, \"/c\", O_RDONLY) = -1 EIO (Input/output error) (INJECTED)\n\
        8  +++ killed by SIGKILL +++\n";
    let found: Vec<(u32, usize)> = calls(log, Scope::Process).iter().map(|call| (call.thread, call.at)).collect();
    assert_eq!(found, [(7, 1), (8, 1), (7, 2)]);
    assert!(injected(log) && !injected("7  close(3) = 0\n"));
}
