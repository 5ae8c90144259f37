//! A vendor's keys, a folder, the signer and the server as processes, and who talks to them.
#![allow(dead_code, reason = "each test uses its own part")]

pub mod agent;
pub mod http;

use issuer::SigningKey;
use issuer::key_file::{Cost, KeyFile};
use ors::licence::{Day, Feature, Instant, Keyring, Licence, Product, Role, Sequence, Serial};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub const PRODUCT: &str = "prismaprepare";
pub const SERIAL: &str = "1234567890";
pub const PASSPHRASE: &str = "a long enough passphrase";
pub const ORIGIN: &str = "https://office.example";
const BOUND: Duration = Duration::from_secs(20);

/// The vendor's keys, the same in every run.
pub fn key(role: Role) -> SigningKey {
    let (id, seed) = match role {
        Role::Root => ("root-1", 1),
        Role::Licence => ("licence-1", 2),
        Role::Statement => ("statement-1", 3),
    };
    SigningKey::from_seed(id, role, [seed; 32])
}

pub fn ring() -> Keyring {
    Keyring::from_host(&trusted()).unwrap()
}

fn trusted() -> String {
    [Role::Root, Role::Licence, Role::Statement].map(|role| key(role).trusted_line()).join("\n")
}

pub fn now() -> Instant {
    back_office::now()
}

/// A licence with one feature, good for years.
pub fn licence(serial: &str, sequence: u64) -> Licence {
    Licence {
        product: Product::parse(PRODUCT).unwrap(),
        serial: Serial::parse(serial).unwrap(),
        customer: "Print Room".into(),
        sequence: Sequence::new(sequence).unwrap(),
        issued_at: Instant::parse("2026-01-05T10:00:00Z").unwrap(),
        expires_on: Day::parse("2090-11-23").ok(),
        maintenance_until: Day::parse("2090-05-31").ok(),
        users: 5,
        features: vec![Feature { id: "pdf".into(), name: "PDF Toolbox".into(), expires_on: None }],
        fls: vec![],
    }
}

/// It as a file.
pub fn signed(licence: &Licence) -> String {
    String::from_utf8(issuer::sign_licence(licence, &key(Role::Licence))).unwrap()
}

/// A process that ends with the test.
pub struct Running {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(command: &mut Command, passphrase: &str, awaited: &str) -> Result<(Running, String), String> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut stdin = child.stdin.take().unwrap();
        let _ = writeln!(stdin, "{passphrase}");
        drop(stdin);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        match line.trim().strip_prefix(awaited) {
            Some(rest) => {
                // What it logs goes nowhere; a full pipe would stop it.
                let mut err = child.stderr.take().unwrap();
                std::thread::spawn(move || std::io::copy(&mut err, &mut std::io::sink()));
                Ok((Running { child, out }, rest.trim().to_owned()))
            }
            None => {
                let ended = child.wait_with_output().unwrap();
                Err(String::from_utf8_lossy(&ended.stderr).into_owned())
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, which the test has asked for. Returns the exit code.
    pub fn ended(mut self) -> Option<i32> {
        let end = std::time::Instant::now() + BOUND;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(std::time::Instant::now() < end, "it did not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with keys and a configuration.
pub struct Desk {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }
}

const CONFIG: &str = r#"[server]
listen = "127.0.0.1:0"
url = "https://office.example"
[data]
folder = "data"
[keys]
trusted = "trusted_keys.txt"
statement = "statement.key"
[signer]
socket = "signer.sock"
"#;

impl Desk {
    pub fn new() -> Desk {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        desk.put("trusted_keys.txt", trusted().as_bytes());
        let cheap = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        for (name, role) in [("licence.key", Role::Licence), ("statement.key", Role::Statement)] {
            desk.put(name, &KeyFile::seal(&key(role), PASSPHRASE, cheap).unwrap().to_json());
        }
        desk.put("office.toml", CONFIG.as_bytes());
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_back_office"));
        command.current_dir(self.folder.path()).arg("--config").arg("office.toml");
        command
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Ended {
        self.run_with(arguments, "")
    }

    /// The same, with a line on standard input.
    pub fn run_with<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S], line: &str) -> Ended {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _ = writeln!(child.stdin.take().unwrap(), "{line}");
        let ended = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: ended.status.code().unwrap_or(-1), out: text(&ended.stdout), err: text(&ended.stderr) }
    }

    pub fn try_signer(&self, passphrase: &str) -> Result<Running, String> {
        let mut command = self.command();
        command.args(["signer", "--socket", "signer.sock", "--keys", "licence.key", "--trusted", "trusted_keys.txt"]);
        command.args(["--passphrase-fd", "0"]);
        Running::start(&mut command, passphrase, "signing at").map(|(running, _)| running)
    }

    pub fn signer(&self) -> Running {
        self.try_signer(PASSPHRASE).unwrap()
    }

    pub fn try_server(&self, passphrase: &str) -> Result<Server, String> {
        let mut command = self.command();
        command.args(["serve", "--passphrase-fd", "0"]);
        let (running, address) = Running::start(&mut command, passphrase, "listening on")?;
        Ok(Server { running, address: address.parse().unwrap() })
    }

    pub fn server(&self) -> Server {
        self.try_server(PASSPHRASE).unwrap()
    }

    /// An organisation 4711 with a code, which is returned.
    pub fn organisation(&self) -> String {
        self.run(&["organisation", "add", "4711", "Prints & Co"]).ok();
        self.run(&["organisation", "new-code", "4711"]).ok().trim().to_owned()
    }

    pub fn register(&self, serials: &[&str]) {
        let lines: String = serials.iter().map(|serial| format!("{PRODUCT} {serial}\n")).collect();
        self.put("serials.txt", lines.as_bytes());
        self.run(&["signer", "register", "serials.txt", "--socket", "signer.sock"]).ok();
    }

    pub fn token(&self, scopes: &str) -> String {
        self.run(&["token", "add", &format!("token {scopes}"), "--scope", scopes]).ok().trim().to_owned()
    }

    pub fn database(&self) -> back_office::store::Store {
        back_office::store::Store::open(&self.path("data/office.db")).unwrap()
    }
}

pub struct Server {
    pub running: Running,
    pub address: SocketAddr,
}

/// Everything: signer, server, an organisation, and one registered serial number with an enrolled agent.
pub struct Office {
    pub desk: Desk,
    pub signer: Running,
    pub server: Server,
    pub code: String,
}

impl Office {
    pub fn open() -> Office {
        let desk = Desk::new();
        let signer = desk.signer();
        let code = desk.organisation();
        desk.register(&[SERIAL]);
        let server = desk.server();
        Office { desk, signer, server, code }
    }

    /// An agent with the licence of this sequence installed, whose key is made of `seed`.
    pub fn agent(&self, seed: u8, sequence: u64) -> agent::Agent {
        agent::Agent::new(self.server.address, seed, SERIAL, signed(&licence(SERIAL, sequence)))
    }

    /// The same, enrolled.
    pub fn enrolled(&self, seed: u8, sequence: u64) -> agent::Agent {
        let agent = self.agent(seed, sequence);
        let enrolled = agent.enrol("4711", &self.code).unwrap();
        assert!(!enrolled.pending);
        agent
    }
}

/// Waits for something that will be, with a bound.
#[track_caller]
pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + BOUND;
    while !is() {
        assert!(std::time::Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
