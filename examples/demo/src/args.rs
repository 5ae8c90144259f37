//! The command line.

use jiff::civil::Date;
use lexopt::prelude::*;

pub const USAGE: &str = "\
A small product with the library inside, on this computer only.

Usage: cargo run -p demo -- [options]

  --port N           listen on this port (default: 8420, or a free one when that is taken)
  --at YYYY-MM-DD    show the product as it will be on that day
  --keep-folder      leave the temporary folder behind at the end
  --help             this text
";

const USUAL_PORT: u16 = 8420;

pub struct Args {
    pub port: Port,
    pub at: Option<Date>,
    pub keep_folder: bool,
}

/// A port that somebody asked for is used or refused; the usual one gives way.
#[derive(Clone, Copy)]
pub enum Port {
    Usual(u16),
    Wanted(u16),
}

impl Args {
    /// `None` when only help was wanted.
    pub fn read() -> Result<Option<Args>, lexopt::Error> {
        let mut args = Args { port: Port::Usual(USUAL_PORT), at: None, keep_folder: false };
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Long("port") => args.port = Port::Wanted(parser.value()?.parse()?),
                Long("at") => args.at = Some(parser.value()?.parse_with(day)?),
                Long("keep-folder") => args.keep_folder = true,
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(args))
    }
}

fn day(text: &str) -> Result<Date, String> {
    let wrong = || format!("{text:?} is not a day like 2027-05-01");
    let plain = text.len() == 10 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    let date: Date = if plain { text.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
    if (1970..=9998).contains(&date.year()) { Ok(date) } else { Err(wrong()) }
}
