//! The installer's question, answered without an agent.

use super::glance::Wanted;
use super::options::keys_problem;
use super::{Error, error::Kind};
use crate::injected;
use crate::licence::{Day, Keyring, Product, Reason, Verdict, judge};
use std::path::PathBuf;
use std::time::Duration;

/// Longest stay when the caller does not say, and the longest that is granted.
const DEFAULT_WAIT: u32 = 5_000;
const LONGEST_WAIT: u32 = 60_000;

/// What the installer asks. Texts as in `ors_update_query`.
#[derive(Clone, Debug, Default)]
pub struct UpdateQuery {
    /// Longest stay in milliseconds; 0 = 5,000; at most 60,000. Matters on a share only.
    pub timeout_ms: u32,
    pub licence_folder: String,
    pub product: String,
    pub trusted_keys: String,
    /// `2026-12-01`.
    pub release_date: String,
    /// Optional: newest key list, floor, clock mark.
    pub state_folder: Option<String>,
}

/// The answer, and the sentence that says why it cannot be told.
#[derive(Clone, Debug)]
pub struct Answer {
    pub verdict: Verdict,
    pub message: String,
}

/// May this customer install this release? An error is a mistake of the caller; all that is wrong at the customer's is an
/// answer: 0, with a reason.
pub fn check_update(query: &UpdateQuery) -> Result<Answer, Error> {
    let product =
        Product::parse(&query.product).map_err(|error| Error::argument("product", format!("product {}.", error.0)))?;
    let keyring = Keyring::from_host(&query.trusted_keys).map_err(keys_problem)?;
    let release = Day::parse(&query.release_date).map_err(|error| {
        Error::argument("release_date", format!("release_date is a day like 2026-12-01: {}.", error.0))
    })?;
    if query.licence_folder.is_empty() {
        return Err(Error::argument("licence_folder", "licence_folder is empty."));
    }
    let wait = if query.timeout_ms == 0 { DEFAULT_WAIT } else { query.timeout_ms.min(LONGEST_WAIT) };
    let wanted = Wanted {
        product,
        keyring,
        licence_folder: Some(PathBuf::from(&query.licence_folder)),
        state_folder: query.state_folder.as_ref().filter(|path| !path.is_empty()).map(PathBuf::from),
        heed_settings: false,
    };
    let cannot_tell =
        |reason: Reason, message: String| Answer { verdict: judge(Err(reason), release, Default::default), message };
    injected::point();
    let glance = match wanted.look(Duration::from_millis(wait.into())) {
        Ok(glance) => glance,
        Err(error) if error.kind == Kind::Internal => return Err(error),
        Err(error) => return Ok(cannot_tell(Reason::Unreadable, error.message)),
    };
    let licence = match &glance.choice.in_use {
        Some((genuine, _)) => Ok(genuine.licence()),
        None if glance.folder_failed() => Err(Reason::Unreadable),
        None => Err(glance.choice.reason),
    };
    let verdict = judge(licence, release, || glance.judged());
    let message = match (verdict.verdict, verdict.reason) {
        (0, Reason::Clock) => "The clock of this computer is wrong, so the licence cannot be judged.".to_owned(),
        (0, Reason::Unreadable) => format!(
            "The licence folder cannot be read: {}.",
            glance.folder_state.error().unwrap_or("no reason is known")
        ),
        (0, Reason::NoLicence) => format!("There is no licence for this product in {}.", glance.folder.display()),
        (0, reason) => glance.refused_text(reason),
        _ => String::new(),
    };
    Ok(Answer { verdict, message })
}

impl super::glance::Glance {
    fn refused_text(&self, reason: Reason) -> String {
        let row = self.choice.files.iter().find(|file| file.reason == reason);
        row.map_or_else(String::new, |file| format!("{}: {}", file.file, file.text))
    }
}
