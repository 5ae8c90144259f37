//! How a command ends badly: one sentence and an exit code.

use issuer::files::FileError;
use issuer::key_file::KeyFileError;
use issuer::trusted::TrustedError;
use ors::licence::Refusal;

/// The exit codes, as `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was shown or asked for is not right: a bad signature, a payload that no product would take.
    Refused = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A file could not be read or written, or exists already.
    File = 3,
    /// A passphrase is wrong or missing, or a key file is damaged.
    Key = 4,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// One or more sentences for the person at the keyboard.
    pub message: String,
}

impl Failure {
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Refused, message: message.into() }
    }

    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, message: message.into() }
    }

    pub fn file(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::File, message: message.into() }
    }

    pub fn passphrase(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Key, message: message.into() }
    }

    /// Puts the file's name before the message.
    pub fn in_file(self, path: &std::path::Path) -> Failure {
        Failure { message: format!("{}: {}", path.display(), self.message), ..self }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Failure {
        Failure::file(error.to_string())
    }
}

impl From<TrustedError> for Failure {
    fn from(error: TrustedError) -> Failure {
        match error {
            TrustedError::File(error) => error.into(),
            wrong @ TrustedError::Wrong { .. } => Failure::refused(wrong.to_string()),
        }
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Failure {
        let exit = match error {
            KeyFileError::Id => Exit::Usage,
            _ => Exit::Key,
        };
        Failure { exit, message: error.to_string() }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::refused(format!("{} [{}]", refusal.detail, refusal.reason.token()))
    }
}
