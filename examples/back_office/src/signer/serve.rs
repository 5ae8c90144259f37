//! The signer's two sockets: one for the web process, one for the administrator, who alone registers serial numbers.

use super::wire::{MAX_LINE, No, Question, answer_line};
use super::{Answer, Signer};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Who says nothing for so long is hung up on.
const PATIENCE: Duration = Duration::from_secs(30);
/// Conversations at a time.
const MOST: usize = 32;

/// Where the signer listens.
#[derive(Clone, Debug)]
pub struct Doors {
    /// The web process's door.
    pub socket: PathBuf,
    /// The group whose members may use it too; else only this account.
    pub group: Option<u32>,
}

impl Doors {
    /// The administrator's door, for this account only.
    pub fn administrator(&self) -> PathBuf {
        let mut name = self.socket.as_os_str().to_owned();
        name.push(".admin");
        name.into()
    }
}

/// A signer that listens. It ends with the process.
pub struct Serving {
    pub doors: Doors,
    threads: Vec<JoinHandle<()>>,
}

impl Serving {
    /// Stays for as long as the signer listens.
    pub fn wait(self) {
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// Opens both doors. The record's lock says that no other signer uses them, so that a socket left by a killed one can go.
///
/// # Errors
/// What the operating system says about a socket.
pub fn serve(signer: Signer, doors: Doors) -> io::Result<Serving> {
    let signer = Arc::new(Mutex::new(signer));
    let listening = [
        (listen(&doors.socket, doors.group)?, doors.group.is_none(), false),
        (listen(&doors.administrator(), None)?, true, true),
    ];
    let threads = listening.into_iter().map(|(listener, only_us, administrator)| {
        let signer = signer.clone();
        thread::spawn(move || accept(&listener, only_us, administrator, &signer))
    });
    Ok(Serving { doors, threads: threads.collect() })
}

fn listen(path: &Path, group: Option<u32>) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    if let Some(group) = group {
        chown(path, None, Some(group))?;
    }
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

fn accept(listener: &UnixListener, only_us: bool, administrator: bool, signer: &Arc<Mutex<Signer>>) {
    let talking = Arc::new(());
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Out of descriptors: those who talk will give some back.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        if Arc::strong_count(&talking) > MOST || (only_us && !is_us(&stream)) {
            continue;
        }
        let (signer, one_more) = (signer.clone(), talking.clone());
        thread::spawn(move || {
            let _ = talk(stream, administrator, &signer);
            drop(one_more);
        });
    }
}

/// Whether the other end is this account, or root. The socket's rights say so too; this says it also for the moment between
/// making a socket and giving it its rights.
fn is_us(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid.is_root() || peer.uid == rustix::process::geteuid())
}

fn talk(stream: UnixStream, administrator: bool, signer: &Mutex<Signer>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut reader).take(MAX_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        let answer = if whole { answer(&line, administrator, signer) } else { Err(too_long()) };
        writer.write_all(&answer_line(&answer))?;
        if !whole {
            return Ok(());
        }
    }
}

fn answer(line: &[u8], administrator: bool, signer: &Mutex<Signer>) -> Answer {
    let question: Question = serde_json::from_slice(line)
        .map_err(|error| No::Question { detail: format!("This is no question: {error}") })?;
    let mut signer = signer.lock().unwrap_or_else(PoisonError::into_inner);
    signer.answer(question, administrator, crate::now())
}

fn too_long() -> No {
    No::Question { detail: "The question is cut off, or longer than 2 MiB.".to_owned() }
}
