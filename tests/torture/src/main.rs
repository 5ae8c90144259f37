//! `torture [--library FILE] [--calls N] [--threads N] [--seed N] [--row TEXT]`: tortures a shared library, or the one that is linked in.
//!
//! Prints the seed first and what was returned last. With the same seed each thread does the same again; with one thread, all is the same.
//! `--row` names the line that is added to the table of tests/run (the file that ORS_TABLE names). Exit code 1: something was harmed.
//!
//! `torture --overrun` reads a byte behind a block of the heap and does nothing else: for finding out whether whoever watches would see it.

use std::process::ExitCode;
use torture::exports::Exports;
use torture::run::Run;
use torture::table;

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1);
    let mut run = Run { exports: Exports::linked(), seed: a_seed(), threads: 64, calls: 200_000 };
    let mut row = None;
    while let Some(option) = given.next() {
        if option == "--overrun" {
            return overrun();
        }
        let value = given.next().unwrap_or_else(|| panic!("{option} needs a value"));
        let number = || value.parse().unwrap_or_else(|_| panic!("{option} needs a number"));
        match option.as_str() {
            "--library" => run.exports = Exports::of(value.as_ref()).unwrap_or_else(|error| panic!("{error}")),
            "--calls" => run.calls = number(),
            "--threads" => run.threads = number(),
            "--seed" => run.seed = number(),
            "--row" => row = Some(value),
            _ => panic!("{option} is no option"),
        }
    }
    println!("seed {}, {} threads, {} calls", run.seed, run.threads, run.calls);
    let report = run.go();
    println!(
        "{}\n{} calls in {:.1} s, {} harmed",
        report.table,
        report.calls,
        report.took.as_secs_f64(),
        report.harmed
    );
    if report.harmed > 0 {
        println!("again: --seed {} --threads {} --calls {}", run.seed, run.threads, run.calls);
    }
    match row {
        Some(fault) => table::row(&fault, report.calls, report.harmed),
        None if report.harmed > 0 => return ExitCode::FAILURE,
        None => {}
    }
    ExitCode::SUCCESS
}

/// Another one each time.
fn a_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 % 1_000_000_000
}

fn overrun() -> ExitCode {
    let block = Box::new([1u8; 40]);
    // SAFETY: none. This is the mistake that a sanitizer or valgrind has to see.
    let behind = unsafe { std::ptr::read_volatile(std::hint::black_box(block.as_ptr()).add(block.len())) };
    println!("behind the block: {behind}");
    ExitCode::SUCCESS
}
