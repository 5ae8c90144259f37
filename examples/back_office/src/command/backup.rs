//! `back_office backup` and `back_office restore`.

use super::{Done, Exit, Failure, read_config};
use crate::store;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Backup {
    /// The file to make
    file: PathBuf,
}

impl Backup {
    pub fn run(self, config: &Path) -> Done {
        let config = read_config(config)?;
        store::backup(&config.database(), &self.file)?;
        Ok(format!("{} holds the database as it is now.\n", self.file.display()))
    }
}

#[derive(clap::Args)]
pub struct Restore {
    /// A file that `backup` made
    file: PathBuf,
}

impl Restore {
    pub fn run(self, config: &Path) -> Done {
        let config = read_config(config)?;
        let _lock = crate::serve::lock(&config).map_err(|failure| Failure::new(Exit::Refused, failure))?;
        let aside = store::restore(&self.file, &config.database(), crate::now().unix())?;
        let kept = aside.map(|aside| format!(" What was there is kept as {}.", aside.display())).unwrap_or_default();
        Ok(format!(
            "The database is the one of {}.{kept}\nStart the server. Sequences are put right by the signer's record and by what \
             agents report. Look at keys that were approved or revoked since, and at codes and tokens that were ended: see \
             docs/back_office.md.\n",
            self.file.display()
        ))
    }
}
