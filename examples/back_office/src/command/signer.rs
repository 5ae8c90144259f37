//! `back_office signer`: the process that holds the licence key.

use super::arguments::PassphraseArgs;
use super::{Done, Exit, Failure};
use crate::signer::{Client, Doors, Name, Record, Signer, Unanswered, serve};
use ors::licence::{Product, Serial};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SignerCommand {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    run: Run,
}

#[derive(clap::Args)]
struct Run {
    /// Where to listen: a Unix socket for the server; the administrator's is beside it, with .admin at its end
    #[arg(long, value_name = "PATH", required = true)]
    socket: Option<PathBuf>,
    /// The licence key's file
    #[arg(long, value_name = "FILE", required = true)]
    keys: Option<PathBuf>,
    /// What products trust: a trusted_keys text, an ors-keys.json; repeat it for both
    #[arg(long, value_name = "FILE", required = true)]
    trusted: Vec<PathBuf>,
    /// The record of everything that was signed [default: <keys>.record]
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Let this group (its number) ask too, for a server with an account of its own
    #[arg(long, value_name = "GID")]
    group: Option<u32>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(clap::Subcommand)]
enum Other {
    /// Let the signer know serial numbers: each line of the file is a product and a serial number
    Register {
        /// The file; - is standard input. `back_office installation waiting` writes it
        file: PathBuf,
        /// The socket that the signer was started with
        #[arg(long, value_name = "PATH")]
        socket: PathBuf,
    },
}

impl SignerCommand {
    pub fn run(self) -> Done {
        match self.other {
            Some(Other::Register { file, socket }) => register(&file, &socket),
            None => self.run.run(),
        }
    }
}

impl Run {
    fn run(self) -> Done {
        let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::File, error);
        let (Some(socket), Some(keys)) = (self.socket, self.keys) else {
            return Err(Failure::new(Exit::Usage, "give --socket, --keys and --trusted"));
        };
        let trusted = issuer::trusted::ring(&self.trusted).map_err(|error| failed(&error))?;
        let trusted = trusted.ok_or_else(|| failed(&"the trusted files hold no keys"))?;
        let record = self.record.unwrap_or_else(|| {
            let mut name = keys.as_os_str().to_owned();
            name.push(".record");
            name.into()
        });
        let record = Record::open(&record).map_err(|error| failed(&error))?;
        let key = self.passphrase.open(&keys)?;
        let signer = Signer::new(key, trusted, record).map_err(|error| Failure::new(Exit::Refused, error))?;
        let doors = Doors { socket: socket.clone(), group: self.group };
        let serving =
            serve(signer, doors).map_err(|error| failed(&format!("cannot listen on {}: {error}", socket.display())))?;
        let mut out = std::io::stdout();
        let _ = writeln!(out, "signing at {}", socket.display()).and_then(|()| out.flush());
        serving.wait();
        Ok(String::new())
    }
}

fn register(file: &Path, socket: &Path) -> Done {
    let text =
        if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| Failure::new(Exit::File, format!("cannot read {}: {error}", file.display())))?;
    let names = names(&text).map_err(|wrong| Failure::new(Exit::Refused, format!("{}: {wrong}", file.display())))?;
    let administrator = Doors { socket: socket.to_owned(), group: None }.administrator();
    let (mut new, mut old) = (0, 0);
    for some in names.chunks(1000) {
        let done = Client::new(&administrator).register(some.to_vec());
        let (added, known) = done.map_err(|unanswered: Unanswered| Failure::new(Exit::Signer, unanswered))?;
        (new, old) = (new + added, old + known);
    }
    Ok(format!("{new} serial numbers registered, {old} were known.\n"))
}

/// `product serial` a line; empty lines and lines that begin with # are skipped.
fn names(text: &str) -> Result<Vec<Name>, String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.trim().starts_with('#'));
    lines
        .map(|(number, line)| {
            let wrong = |what: &str| format!("line {number}: {what}");
            let mut words = line.split([' ', '\t', ',', ';']).filter(|word| !word.is_empty());
            match (words.next(), words.next(), words.next()) {
                (Some(product), Some(serial), None) => {
                    Product::parse(product).map_err(|error| wrong(&format!("the product {error}")))?;
                    Serial::parse(serial).map_err(|error| wrong(&format!("the serial number {error}")))?;
                    Ok(Name::new(product, serial))
                }
                _ => Err(wrong("write a product and a serial number")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_serial_numbers_is_read_or_refused_with_its_line() {
        let read = names("# waiting\nprismaprepare 1\n\nprismaprepare,2\r\np\t3\n").unwrap();
        assert_eq!(read.iter().map(|name| name.serial.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
        for (text, line) in
            [("p 1\nUPPER 2\n", "line 2"), ("p\n", "line 1"), ("p 1 2\n", "line 1"), ("p a/b\n", "line 1")]
        {
            assert!(names(text).unwrap_err().starts_with(line), "{text}");
        }
    }
}
