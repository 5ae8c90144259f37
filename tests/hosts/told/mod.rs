//! The C host of `told.c`, started, told what to do and ended by a test.

use super::rig::compile;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// A running host, and everything that it has said.
pub struct Told {
    child: Running,
    orders: ChildStdin,
    lines: Receiver<String>,
    said: Arc<Mutex<String>>,
}

/// Nothing is left behind, also when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What came of an order: the library's code, and its error struct's place and message.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    pub code: i32,
    pub place: String,
    pub message: String,
}

/// The program, compiled once: tests of one binary run side by side, and a file that runs cannot be written.
pub fn program() -> PathBuf {
    static COMPILED: OnceLock<PathBuf> = OnceLock::new();
    COMPILED.get_or_init(|| compile("tests/hosts/told/told.c", "told")).clone()
}

impl Told {
    pub fn start(command: &mut Command) -> Told {
        let shown = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
        let orders = child.stdin.take().expect("a pipe");
        let said = Arc::new(Mutex::new(String::new()));
        let (send, lines) = channel();
        let (out, err) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        listen(out, said.clone(), move |line| drop(send.send(line)));
        listen(err, said.clone(), drop);
        Told { child: Running(child), orders, lines, said }
    }

    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// One order without an answer that matters to the caller: it has to be done with code 0.
    pub fn tell(&mut self, order: &str) {
        let done = self.order(order, b"");
        assert_eq!(done.code, 0, "{order}: {done:?}");
    }

    /// One order with the bytes that follow it.
    pub fn order(&mut self, order: &str, bytes: &[u8]) -> Done {
        let line = if bytes.is_empty() { format!("{order}\n") } else { format!("{order} {}\n", bytes.len()) };
        let sent = self.orders.write_all(line.as_bytes()).and_then(|()| self.orders.write_all(bytes));
        sent.unwrap_or_else(|error| panic!("{order}: {error}: {}", self.said()));
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60));
            let line = line.unwrap_or_else(|_| panic!("no answer to {order}: {}", self.said()));
            if let Some(done) = line.strip_prefix("done ") {
                let (code, rest) = done.split_once(' ').expect("a code and a place");
                let (place, message) = rest.split_once('|').expect("a place and a message");
                let code = code.parse().expect("a number");
                return Done { code, place: place.to_owned(), message: message.to_owned() };
            }
        }
    }

    /// Everything on standard output and standard error so far, the lines of the log sink among it.
    pub fn said(&self) -> String {
        self.said.lock().expect("no listener panics").clone()
    }

    /// Ends it as a host ends that has nothing more to do.
    pub fn end(self) -> String {
        let Told { mut child, orders, said, .. } = self;
        drop(orders);
        let status = child.0.wait().expect("a child of this process");
        let said = said.lock().expect("no listener panics").clone();
        assert!(status.success(), "{status}: {said}");
        said
    }
}

fn listen(from: impl Read + Send + 'static, said: Arc<Mutex<String>>, mut tell: impl FnMut(String) + Send + 'static) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            {
                let mut said = said.lock().expect("no listener panics");
                said.push_str(&line);
                said.push('\n');
            }
            tell(line);
        }
    });
}
