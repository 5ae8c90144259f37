//! Where a passphrase comes from: a file, an open descriptor, or the keyboard without echo.
//!
//! The first line counts, without its end; what follows it is somebody else's.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use zeroize::Zeroizing;

const LONGEST: u64 = 4096;

/// The first line of a file.
///
/// # Errors
/// What the operating system says, or that there is no such line.
pub fn from_file(path: &Path) -> io::Result<Zeroizing<String>> {
    File::open(path).and_then(first_line)
}

/// The first line of an open descriptor; 0 is standard input.
///
/// # Errors
/// As [`from_file`].
#[cfg(unix)]
pub fn from_descriptor(fd: u32) -> io::Result<Zeroizing<String>> {
    // The name opens the descriptor once more, so that nothing closes somebody else's.
    if fd == 0 { first_line(io::stdin().lock()) } else { File::open(format!("/dev/fd/{fd}")).and_then(first_line) }
}

/// The first line of standard input.
///
/// # Errors
/// As [`from_file`]; other descriptors than 0 do not exist here.
#[cfg(not(unix))]
pub fn from_descriptor(fd: u32) -> io::Result<Zeroizing<String>> {
    if fd == 0 {
        first_line(io::stdin().lock())
    } else {
        Err(io::Error::new(io::ErrorKind::Unsupported, "only 0, standard input, exists on this system"))
    }
}

fn first_line(from: impl Read) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the first line is longer than 4096 bytes"));
    }
    match std::str::from_utf8(line) {
        Ok("") => Err(io::Error::new(io::ErrorKind::InvalidData, "the first line is empty")),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the first line is not UTF-8")),
    }
}

/// Asks at the terminal, without echo.
///
/// # Errors
/// There is no terminal.
#[cfg(feature = "prompt")]
pub fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(prompt).map(Zeroizing::new)
}
