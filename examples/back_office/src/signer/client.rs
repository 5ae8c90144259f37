//! The other end of the signer's socket. One connection for each question: the signer may be restarted at any time.

use super::wire::{MAX_LINE, Name, No, Question, Said, read_answer};
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An answer takes two disk writes and a signature.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The signer said no. Nothing was signed.
    No(No),
    /// It was never asked. Nothing was signed.
    Unreached(String),
    /// It was asked, and nobody knows what came of it. Asking again is safe.
    Unknown(String),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unanswered::No(no) => f.write_str(no.detail()),
            Unanswered::Unreached(why) => write!(f, "The signer cannot be reached: {why}."),
            Unanswered::Unknown(why) => write!(f, "The signer did not answer: {why}."),
        }
    }
}

impl std::error::Error for Unanswered {}

/// Where the signer is.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    pub fn new(socket: &Path) -> Client {
        Client { socket: socket.to_owned() }
    }

    /// # Errors
    /// [`Unanswered`].
    pub fn ask(&self, question: &Question) -> Result<Said, Unanswered> {
        let unreached = |error: std::io::Error| Unanswered::Unreached(format!("{}: {error}", self.socket.display()));
        let mut stream = UnixStream::connect(&self.socket).map_err(unreached)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(unreached)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(unreached)?;
        let mut line = serde_json::to_vec(question).unwrap_or_default();
        line.push(b'\n');
        let unknown = |error: std::io::Error| Unanswered::Unknown(error.to_string());
        stream.write_all(&line).map_err(unknown)?;
        let mut answer = Vec::new();
        BufReader::new(stream).take(MAX_LINE as u64).read_until(b'\n', &mut answer).map_err(unknown)?;
        if answer.pop_if(|byte| *byte == b'\n').is_none() {
            return Err(Unanswered::Unknown("it ended in the middle".to_owned()));
        }
        let answer =
            read_answer(&answer).ok_or_else(|| Unanswered::Unknown("what it said makes no sense".to_owned()))?;
        answer.map_err(Unanswered::No)
    }

    /// Has a payload signed.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn sign(&self, payload: &[u8]) -> Result<String, Unanswered> {
        self.file(&Question::Sign { payload: payload.to_owned() })
    }

    /// Brings a genuine licence, from which the signer continues. Returns its last sequence.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn adopt(&self, file: &str) -> Result<u64, Unanswered> {
        self.sequence(&Question::Adopt { file: file.to_owned() })
    }

    /// The last sequence of a serial number.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn last(&self, name: &Name) -> Result<u64, Unanswered> {
        self.sequence(&Question::Last { name: name.clone() })
    }

    /// The first licence in the record with this sequence or a larger one.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn signed(&self, name: &Name, sequence: u64) -> Result<String, Unanswered> {
        self.file(&Question::Signed { name: name.clone(), sequence })
    }

    /// Which of these serial numbers are registered.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn known(&self, names: Vec<Name>) -> Result<Vec<bool>, Unanswered> {
        match self.ask(&Question::Known { names })? {
            Said::Known { known } => Ok(known),
            _ => Err(another()),
        }
    }

    /// Registers serial numbers: how many are new, and how many were known.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn register(&self, names: Vec<Name>) -> Result<(usize, usize), Unanswered> {
        match self.ask(&Question::Register { names })? {
            Said::Registered { added, known } => Ok((added, known)),
            _ => Err(another()),
        }
    }

    fn file(&self, question: &Question) -> Result<String, Unanswered> {
        match self.ask(question)? {
            Said::File { file } => Ok(file),
            _ => Err(another()),
        }
    }

    fn sequence(&self, question: &Question) -> Result<u64, Unanswered> {
        match self.ask(question)? {
            Said::Last { sequence } => Ok(sequence),
            _ => Err(another()),
        }
    }
}

fn another() -> Unanswered {
    Unanswered::Unknown("what it said answers another question".to_owned())
}
