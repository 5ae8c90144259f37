//! A temporary folder in which the command runs, with a passphrase file.

use issuer::SigningKey;
use issuer::files::{Existing, write_private};
use issuer::key_file::{Cost, KeyFile};
use ors::licence::Role;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub const PASSPHRASE: &str = "a long enough passphrase";

pub struct Desk {
    folder: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Standard output of a run that did what it was asked.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Standard error of a run that ended with this code.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }
}

impl Desk {
    pub fn new() -> Desk {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        desk.put("pass", &format!("{PASSPHRASE}\n"));
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_issuer"));
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Ended {
        ended(self.command(words).output().unwrap())
    }

    /// Runs words that are separated by spaces, with the passphrase file at the end.
    pub fn with_pass(&self, words: &str) -> Ended {
        self.run(&words.split(' ').chain(["--passphrase-file", "pass"]).collect::<Vec<_>>())
    }

    /// Makes a key file `<id>.key` that opens fast; `key new` has tests of its own.
    #[track_caller]
    pub fn key(&self, role: &str, id: &str) {
        let cheap = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let key = SigningKey::generate(id, Role::from_token(role).unwrap());
        let file = KeyFile::seal(&key, PASSPHRASE, cheap).unwrap();
        write_private(&self.path(&format!("{id}.key")), &file.to_json(), Existing::Keep).unwrap();
    }

    /// Makes `a.key`, a licence key, and with it licence 1 of serial 42: `p-42.ors.json`.
    #[track_caller]
    pub fn licence(&self) {
        self.key("licence", "a");
        self.with_pass(
            "licence new --key a.key --product p --serial 42 --customer Shop --users 5 --expires-on 2027-11-23 \
             --maintenance-until 2027-05-31 --feature pdf=Toolbox --issued-at 2026-11-23T10:00:00Z",
        )
        .ok();
    }
}

pub fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
