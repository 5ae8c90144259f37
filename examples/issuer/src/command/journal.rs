//! `issuer journal`: checks an installation's journal, which its administrator may have sent.

use std::path::PathBuf;

use clap::Subcommand;
use ors::store::verify_journal;

use super::Done;
use super::failure::Failure;

#[derive(Subcommand)]
pub enum JournalCommand {
    /// Tell whether the journal in a state folder, or in a copy of one, is complete
    #[command(after_help = "Example:\n  issuer journal verify /var/lib/prismaprepare/ors")]
    Verify {
        /// The state folder
        folder: PathBuf,
    },
}

impl JournalCommand {
    pub fn run(self) -> Result<Done, Failure> {
        let JournalCommand::Verify { folder } = self;
        let report = verify_journal(&folder).map_err(|error| Failure::file(error.to_string()))?;
        let mut done = Done::result(format!("{report}\n"));
        for problem in &report.problems {
            done.result.push_str(&format!("  WRONG: {problem}\n"));
            done.wrong = true;
        }
        Ok(done)
    }
}
