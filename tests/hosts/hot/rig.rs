//! What measurements of the shipped file share: finding or building it, compiling the hosts, a place with a licence in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::licences::{FILE_NAME, Vendor};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder that cargo builds into, and a folder in it for what is compiled here.
pub fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's tmp folder lies in its target folder")
}

fn built() -> PathBuf {
    let folder = target().join("hosts/hot");
    fs::create_dir_all(&folder).expect("a folder for the hosts");
    folder
}

/// The file under measurement: `libors.so` in the folder that `ORS_SHIPPED` names, else the shipped one, built now if it is not fresh.
pub fn shipped() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(find_or_ship).clone()
}

fn find_or_ship() -> PathBuf {
    if let Some(folder) = std::env::var_os("ORS_SHIPPED") {
        return fs::canonicalize(Path::new(&folder).join("libors.so")).expect("libors.so in the folder ORS_SHIPPED");
    }
    output(Command::new(root().join("tools/ship")).arg("linux").env("CARGO_TARGET_DIR", target()));
    target().join("ship/linux/libors.so")
}

/// Compiles one C file of the repository into a program, or into a shared library when `name` ends with `.so`.
pub fn compile(source: &str, name: &str) -> PathBuf {
    compile_with(source, name, &[])
}

/// The same with more options.
pub fn compile_with(source: &str, name: &str, options: &[&str]) -> PathBuf {
    let to = built().join(name);
    let mut compiler = Command::new("gcc");
    compiler.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread"]);
    compiler.args(["-I", "include", "-I", "tests/hosts/hot"]);
    if name.ends_with(".so") {
        compiler.args(["-shared", "-fPIC"]);
    }
    output(compiler.args(options).arg("-o").arg(&to).arg(source).arg("-ldl").current_dir(root()));
    to
}

/// Runs a command to its end and returns what it printed. A failure says what was run and what it said.
pub fn output(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    match command.output() {
        Err(error) => panic!("cannot run {shown}: {error}"),
        Ok(done) => {
            let text = String::from_utf8_lossy(&done.stdout).into_owned();
            assert!(done.status.success(), "{}: {shown}\n{text}{}", done.status, String::from_utf8_lossy(&done.stderr));
            text
        }
    }
}

/// A licence folder with licence 1 in it, the keys that it is signed by, room for a state folder, and more licences outside.
pub struct Place {
    folder: tempfile::TempDir,
    vendor: Vendor,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::Builder::new().prefix("hot-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let place = Place { folder, vendor: Vendor::new() };
        fs::create_dir(place.licences()).expect("the licence folder");
        fs::write(place.licences().join(FILE_NAME), place.vendor.licence(1)).expect("licence 1");
        fs::write(place.keys(), place.vendor.trusted_keys()).expect("the keys");
        place
    }

    /// Made by the library at its first opening.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn licences(&self) -> PathBuf {
        self.folder.path().join("licences")
    }

    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// A host with the four arguments that all of them begin with.
    pub fn host(&self, program: impl AsRef<OsStr>, library: &Path) -> Command {
        let mut host = Command::new(program);
        host.arg(library).arg(self.state()).arg(self.licences()).arg(self.keys());
        host
    }

    /// Licences 2 to `last`, one a file, in a folder of their own.
    pub fn arrivals(&self, last: u64) -> PathBuf {
        let folder = self.folder.path().join("arrivals");
        fs::create_dir(&folder).expect("the folder of arrivals");
        for sequence in 2..=last {
            fs::write(folder.join(format!("{sequence}.ors.json")), self.vendor.licence(sequence)).expect("a licence");
        }
        folder
    }
}
