//! Makes loom's copies of the library's sources: the shipped one of each file, and one for each fault that loom must find.
//!
//! The shipped files know nothing of loom. Every copy is such a file with the replacements that let it run under loom, and at most one
//! line spoiled. A replacement for loom that does not fit exactly once stops the build. A fault that does not fit gives a copy without
//! it, whose test fails: a copy can never silently be the original.

mod board;
mod life;
mod log;
mod mailbox;
mod ring;
mod slots;

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// One file of the library, and what becomes of it.
struct Model {
    /// The module that holds its copies.
    name: &'static str,
    source: &'static str,
    /// What lets the shipped file run under loom.
    for_loom: &'static [(&'static str, &'static str)],
    /// A module name, the shipped text, and the fault put in its place.
    spoiled: &'static [(&'static str, &'static str, &'static str)],
}

const MODELS: [Model; 6] = [ring::MODEL, slots::MODEL, board::MODEL, log::MODEL, mailbox::MODEL, life::MODEL];

fn main() {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../..");
    let out = env::var_os("OUT_DIR").expect("set by cargo");
    println!("cargo::rerun-if-changed=build");
    let mut modules = String::new();
    let mut lacking = Vec::new();
    for model in MODELS {
        let shipped = root.join(model.source);
        println!("cargo::rerun-if-changed={}", shipped.display());
        let text = fs::read_to_string(&shipped).expect(model.source).replace("\r\n", "\n");
        // Unit tests are the library's own.
        let text = text.split("\n#[cfg(test)]\n").next().unwrap_or_default().to_owned();
        let text = model.for_loom.iter().fold(text, |text, (from, to)| {
            swap(&text, from, to).unwrap_or_else(|times| {
                panic!("{} holds {from:?} {times} times, so it cannot run under loom; mend {}", model.source, file!())
            })
        });
        let folder = Path::new(&out).join(model.name);
        fs::create_dir_all(&folder).expect("a folder in OUT_DIR");
        writeln!(modules, "/// Copies of `{}`.\npub mod {} {{", model.source, model.name).expect("a String grows");
        let spoiled = model.spoiled.iter().map(|(name, from, to)| (*name, swap(&text, from, to)));
        for (name, copy) in [("shipped", Ok(text.clone()))].into_iter().chain(spoiled) {
            let copy = copy.unwrap_or_else(|times| {
                lacking.push(format!("{}::{name}: the shipped text is there {times} times", model.name));
                text.clone()
            });
            let file = folder.join(format!("{name}.rs"));
            fs::write(&file, copy).expect("a file in OUT_DIR");
            writeln!(modules, "    #[allow(warnings, clippy::all)]\n    #[path = {file:?}]\n    pub mod {name};")
                .expect("a String grows");
        }
        modules.push_str("}\n");
    }
    writeln!(
        modules,
        "/// Faults that do not fit the shipped text any more.\npub const LACKING: &[&str] = &{lacking:?};"
    )
    .expect("a String grows");
    fs::write(Path::new(&out).join("copies.rs"), modules).expect("a file in OUT_DIR");
}

/// The text with one thing in place of another, which is there exactly once; else how often it is.
fn swap(text: &str, from: &str, to: &str) -> Result<String, usize> {
    match text.matches(from).count() {
        1 => Ok(text.replacen(from, to, 1)),
        times => Err(times),
    }
}
