//! A test in a process of its own: for what is counted or changed in a whole process, and for children by fork.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::process::{Child, Command, Stdio};

const ALONE: &str = "ORS_TEST_ALONE";

/// Runs the rest of the test `name` (with its module: `handles::many`) in a process of its own. `true` there; here `false`, when
/// that process said that all is well.
pub fn alone(name: &str) -> bool {
    if std::env::var_os(ALONE).is_some_and(|value| value == name) {
        return true;
    }
    let output = itself(name).env(ALONE, name).output().unwrap();
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} alone: {}\n{told}\n{failed}", output.status);
    assert!(told.contains("1 passed"), "{name} is a test: {told}");
    false
}

/// This very program, as a host that the test `name` talks to by its standard handles.
pub fn start(name: &str, environment: &[(&str, &str)]) -> Child {
    let mut command = itself(name);
    command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

fn itself(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // With --nocapture the test's lines come through, between those of the harness.
    command.args([name, "--exact", "--nocapture", "--include-ignored", "--test-threads=1"]);
    command
}
