//! `issuer time`: signed time for installations that cannot ask for it.

use std::path::PathBuf;

use clap::Subcommand;
use issuer::files::{self, Existing};
use issuer::sign_time;
use ors::licence::{Instant, Keyring, Product, Role, Serial, verify_time};

use super::arguments::instant;
use super::failure::Failure;
use super::passphrase::PassphraseArgs;
use super::{Done, now, output, read_key};

#[derive(Subcommand)]
pub enum TimeCommand {
    /// Answer an installation's clock challenge. The file is uploaded there like a licence
    #[command(after_help = "\
Example:
  issuer time new --key statement-2026.key --product prismaprepare --serial 1234567890 \\
         --challenge 5f2c-91aa")]
    New {
        /// The statement key's file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The product
        #[arg(long)]
        product: String,
        /// The serial number of the installation
        #[arg(long)]
        serial: String,
        /// What its settings page shows as clock challenge
        #[arg(long)]
        challenge: String,
        /// The time [default: now, by this computer's clock]
        #[arg(long, value_parser = instant, value_name = "YYYY-MM-DDTHH:MM:SSZ")]
        time: Option<Instant>,
        /// The file to write, or its folder; else <product>-<serial>.time.json here
        #[arg(long)]
        out: Option<PathBuf>,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
}

impl TimeCommand {
    pub fn run(self, existing: Existing) -> Result<Done, Failure> {
        let TimeCommand::New { key: path, product, serial, challenge, time, out, passphrase } = self;
        let product = Product::parse(&product).map_err(|error| Failure::refused(format!("the product {}", error.0)))?;
        let serial = Serial::parse(&serial).map_err(|error| Failure::refused(format!("the serial {}", error.0)))?;
        let time = time.unwrap_or_else(now);
        let out = output(out, &format!("{product}-{serial}.time.json"));
        files::check_free(&out, existing)?;
        let sealed = read_key(&path)?;
        if sealed.role() != Role::Statement {
            return Err(Failure::refused(format!(
                "{:?} is a {} key; time files need a statement key",
                sealed.id(),
                sealed.role().token()
            )));
        }
        let key = passphrase.open(&sealed, 0, 1).map_err(|failure| failure.in_file(&path))?;
        let file = sign_time(product.as_str(), serial.as_str(), &challenge, time, &key);
        let ring = Keyring::from_host(&key.trusted_line()).map_err(|problem| Failure::refused(problem.to_string()))?;
        verify_time(&file, &ring, &product, &serial, &challenge)?;
        files::write_public(&out, &file, existing)?;
        Ok(Done::default().remark(format!("Wrote {}: it is {time}, for the challenge {challenge}.", out.display())))
    }
}
