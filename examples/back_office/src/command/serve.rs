//! `back_office serve`.

use super::arguments::PassphraseArgs;
use super::{Done, Exit, Failure, read_config};
use std::io::Write;
use std::path::Path;

#[derive(clap::Args)]
pub struct Serve {
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl Serve {
    pub fn run(self, config: &Path) -> Done {
        log_to_stderr();
        let config = read_config(config)?;
        let statement = self.passphrase.open(&config.statement_key)?;
        let ended = crate::serve::run(&config, statement, |address| {
            // For whoever started it with port 0.
            let mut out = std::io::stdout();
            let _ = writeln!(out, "listening on {address}").and_then(|()| out.flush());
        });
        ended.map(|()| String::new()).map_err(|failure| Failure::new(Exit::File, failure))
    }
}

/// One line for each event on standard error; `RUST_LOG` says how much.
pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_env_filter(filter);
    // A second one in the same process is no harm.
    let _ = subscriber.try_init();
}
