//! `cargo run -p header` writes `include/ors.h`; `cargo run -p header -- --check` only compares, and fails with what differs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let check = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--check"] => true,
        _ => {
            eprintln!("usage: header [--check]");
            return ExitCode::from(2);
        }
    };
    match run(&root(), check) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// The repository: two levels above this package when cargo runs us, else the current folder.
fn root() -> PathBuf {
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => Path::new(&package).join("../.."),
        None => PathBuf::from("."),
    }
}

fn run(root: &Path, check: bool) -> Result<String, header::Problem> {
    let path = root.join("include").join("ors.h");
    let problem = |error: std::io::Error| header::Problem(format!("include/ors.h: {error}"));
    let text = header::generate(root)?;
    if check {
        let committed = std::fs::read_to_string(&path).map_err(problem)?;
        let difference = header::difference(&committed, &text);
        if difference.is_empty() {
            return Ok("include/ors.h says what src/ffi says".into());
        }
        return Err(header::Problem(format!(
            "include/ors.h is not what src/ffi says now; write it anew with `cargo run -p header`, {difference}"
        )));
    }
    std::fs::create_dir_all(root.join("include")).map_err(problem)?;
    std::fs::write(&path, text).map_err(problem)?;
    Ok("include/ors.h written".into())
}
