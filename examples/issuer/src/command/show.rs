//! `issuer show`: explains files.

use std::path::PathBuf;

use clap::Args;
use issuer::explain::{Against, explain};
use issuer::files;
use issuer::pending::MAX_BYTES;
use ors::licence::{Instant, Product};

use super::arguments::{TrustedArgs, day_or_instant};
use super::failure::Failure;
use super::{Done, now};

#[derive(Args)]
#[command(after_help = "\
Examples:
  issuer show prismaprepare-1234567890.ors.json --keys trusted_keys.txt
  issuer show ors-keys.json --keys trusted_keys.txt
  issuer show prismaprepare-1234567890.ors.json --keys ors-keys.json --at 2027-05-01")]
pub struct Show {
    /// Licences, key lists, time files, key files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    trusted: TrustedArgs,
    /// Judge as this product would, instead of the one that the file names
    #[arg(long, value_parser = product)]
    product: Option<Product>,
    /// Judge dates at this day or moment [default: now]
    #[arg(long, value_parser = day_or_instant, value_name = "YYYY-MM-DD[THH:MM:SSZ]")]
    at: Option<Instant>,
}

fn product(text: &str) -> Result<Product, String> {
    Product::parse(text).map_err(|error| error.0.to_owned())
}

impl Show {
    pub fn run(self) -> Result<Done, Failure> {
        let keys = self.trusted.ring()?;
        let against = Against { keys: keys.as_ref(), product: self.product.as_ref(), now: self.at.unwrap_or_else(now) };
        let mut done = Done::default();
        for path in &self.files {
            let explanation = explain(&files::read(path, MAX_BYTES)?, against);
            done.result.push_str(&format!("{}: {}", path.display(), explanation.text));
            done.wrong |= !explanation.good;
        }
        Ok(done)
    }
}
