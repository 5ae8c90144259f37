//! Files of keys to verify by: a host's `trusted_keys` text, an `ors-keys.json`, a key file, or several of them.

use std::path::{Path, PathBuf};

use ors::licence::{KeyChain, Keyring};

use crate::files::{self, FileError};
use crate::key_file::KeyFile;
use crate::pending::{MAX_BYTES, ring_of_chain};

/// Why files of keys make no ring.
#[derive(Debug)]
pub enum TrustedError {
    /// A file cannot be read.
    File(FileError),
    /// A file says something that does not fit.
    Wrong {
        /// Which file, unless it is what they say together.
        path: Option<PathBuf>,
        /// What, in words.
        detail: String,
    },
}

impl std::fmt::Display for TrustedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TrustedError::File(error) => error.fmt(f),
            TrustedError::Wrong { path: Some(path), detail } => write!(f, "{}: {detail}", path.display()),
            TrustedError::Wrong { path: None, detail } => f.write_str(detail),
        }
    }
}

impl std::error::Error for TrustedError {}

/// The ring at the end of everything that is named; `None` when nothing is.
///
/// # Errors
/// The first file that cannot be read or does not fit.
pub fn ring(paths: &[PathBuf]) -> Result<Option<Keyring>, TrustedError> {
    let wrong = |path: &Path, detail: String| TrustedError::Wrong { path: Some(path.to_owned()), detail };
    let (mut lines, mut chains) = (String::new(), Vec::new());
    for path in paths {
        let bytes = files::read(path, MAX_BYTES).map_err(TrustedError::File)?;
        if let Ok(key) = KeyFile::parse(&bytes) {
            lines.push_str(&key.trusted_line());
        } else if bytes.trim_ascii_start().starts_with(b"{") {
            let chain = KeyChain::parse(&bytes).map_err(|refusal| wrong(path, named(&refusal)))?;
            chains.push((path, bytes, chain));
        } else {
            let text = String::from_utf8(bytes).map_err(|_| wrong(path, "this is not text".to_owned()))?;
            Keyring::from_host(&text).map_err(|problem| wrong(path, problem.to_string()))?;
            lines.push_str(&text);
        }
        lines.push('\n');
    }
    let from_lines = |lines: &str| {
        Keyring::from_host(lines).map_err(|problem| TrustedError::Wrong { path: None, detail: problem.to_string() })
    };
    let mut ring = if lines.trim().is_empty() { None } else { Some(from_lines(&lines)?) };
    for (path, bytes, chain) in &chains {
        ring = Some(match ring {
            None => ring_of_chain(chain).map_err(|problem| wrong(path, problem.0))?,
            Some(ring) => ring.advance_chain(bytes).map_err(|refusal| wrong(path, named(&refusal)))?.0,
        });
    }
    Ok(ring)
}

fn named(refusal: &ors::licence::Refusal) -> String {
    format!("{} [{}]", refusal.detail, refusal.reason.token())
}
