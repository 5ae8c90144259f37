//! The command that makes the floating server read its folder anew. It is one that this process's own options name.
//!
//! No shell, no standard handles, one at a time, killed when it takes too long; looked after by the worker's tick, so no
//! thread waits for it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(60);

#[derive(Default)]
pub struct Reread {
    running: Option<(Child, Instant)>,
    wanted: bool,
}

impl Reread {
    /// Asks for a run; one that is wanted while another runs follows it.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// Looks after the command. Returns a line for the log when something ended or failed.
    pub fn tick(&mut self, argv: Option<&[String]>) -> Option<String> {
        let ended = self.look();
        if self.running.is_none() && self.wanted {
            self.wanted = false;
            if let Some((program, arguments)) = argv.and_then(<[String]>::split_first) {
                let spawned = Command::new(program)
                    .args(arguments)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn();
                match spawned {
                    Ok(child) => self.running = Some((child, Instant::now())),
                    Err(error) => return Some(format!("The reread command {program} could not be started: {error}.")),
                }
            }
        }
        ended
    }

    fn look(&mut self) -> Option<String> {
        let (child, since) = self.running.as_mut()?;
        let line = match child.try_wait() {
            Ok(None) if since.elapsed() < LONGEST => return None,
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                "The reread command took longer than a minute and was ended.".to_owned()
            }
            Ok(Some(status)) => format!("The reread command ended: {status}."),
            // The host reaps all children itself: how it ended is not ours to know.
            Err(error) => format!("The reread command's end is not known: {error}."),
        };
        self.running = None;
        Some(line)
    }
}
