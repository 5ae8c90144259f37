//! Runs inputs that are kept, on a thread with a small stack: `replay CORPUS-FOLDER [TARGET]...`, or `replay --input TARGET FILE`;
//! `replay --targets` names the targets.
//!
//! Prints a line `target: N tried, M harmed` for each target. What ends the process (a stack that overflows) is the input named last.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use targets::{TARGETS, Target};

/// Much less than any host gives a thread of its own: nothing recurses deeper than the 32 levels of a file.
const STACK: usize = 64 << 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let harmed = match words.as_slice() {
        ["--targets"] => {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            0
        }
        ["--input", name, file] => {
            let target = Target::named(name).expect("a target");
            u64::from(!holds(target, Path::new(file)))
        }
        [corpus, names @ ..] if !corpus.starts_with('-') => {
            let chosen = TARGETS.iter().filter(|target| names.is_empty() || names.contains(&target.name));
            chosen.map(|target| replay(target, &Path::new(corpus).join(target.name))).sum()
        }
        _ => {
            eprintln!("replay CORPUS-FOLDER [TARGET]...   replay --input TARGET FILE   replay --targets");
            return ExitCode::from(2);
        }
    };
    if harmed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay(target: &'static Target, folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file of the corpus").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    let harmed = files.iter().filter(|file| !holds(target, file)).count();
    println!("{}: {} tried, {harmed} harmed", target.name, files.len());
    harmed as u64
}

/// Whether every promise holds for one input.
fn holds(target: &'static Target, file: &Path) -> bool {
    eprintln!("{} {}", target.name, file.display());
    let data = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let thread = std::thread::Builder::new().stack_size(STACK);
    thread.spawn(move || (target.run)(&data)).expect("a thread").join().is_ok()
}
