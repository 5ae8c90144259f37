//! Counts that differ between `tests/run` and `tests/soak`, and the table that both print at their end.

use std::io::Write as _;

/// How often something is tried: `short` in `tests/run` and `cargo test`, `full` in `tests/soak`.
pub fn count(short: u64, full: u64) -> u64 {
    if std::env::var_os("ORS_SOAK").is_some() { full } else { short }
}

/// A line of the table: what was done, how often, and how often it did harm. Fails when it did.
pub fn row(fault: &str, tried: u64, harmed: u64) {
    println!("{fault}: {tried} tried, {harmed} harmed");
    if let Some(path) = std::env::var_os("ORS_TABLE") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        // One write, so that lines of two tests do not mix.
        file.write_all(format!("{fault}\t{tried}\t{harmed}\n").as_bytes()).unwrap();
    }
    assert!(tried > 0, "{fault}: nothing was tried");
    assert_eq!(harmed, 0, "{fault}: {harmed} of {tried} harmed");
}
