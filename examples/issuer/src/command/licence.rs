//! `issuer licence`: the first licence of a serial, and the next ones.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use issuer::files::{self, Existing};
use issuer::{SigningKey, sign};
use ors::licence::{
    Changes, Content, Day, Envelope, FILE_SUFFIX, Feature, FlsFile, Instant, Keyring, LICENCE_TYPE, Licence,
    MAX_FLS_BYTES, MAX_LICENCE_BYTES, Product, Role, Sequence, Serial, verify,
};

use super::arguments::{LastDay, TrustedArgs, feature, instant, last_day};
use super::failure::Failure;
use super::passphrase::PassphraseArgs;
use super::{Done, now, output, read_key};

#[derive(Subcommand)]
pub enum LicenceCommand {
    /// Make a licence from what the command line says, or from a payload in JSON
    #[command(after_help = "\
Examples:
  issuer licence new --key licence-2026.key --product prismaprepare --serial 1234567890 \\
         --customer 'Print Room' --users 5 --expires-on never --maintenance-until 2027-05-31 \\
         --feature 'pdf-toolbox=PDF Toolbox' --feature 'trial=Imposition:2027-01-31' \\
         --fls prismaprepare.lic
  issuer licence new --key licence-2026.key --payload licence.json --out licences/")]
    New(Box<New>),
    /// Make the licence that follows another: the next sequence, and what the command line changes
    #[command(after_help = "\
Example:
  issuer licence next prismaprepare-1234567890.ors.json --key licence-2026.key --force \\
         --maintenance-until 2028-05-31 --users 10 --add-feature 'pdf-toolbox=PDF Toolbox'")]
    Next(Box<Next>),
}

#[derive(Args)]
#[command(next_help_heading = "Key and output")]
struct Sealing {
    /// The licence key's file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file to write, or its folder; else <product>-<serial>.ors.json here
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Args)]
pub struct New {
    /// Sign this payload, byte for byte, instead of one from the command line; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "product", "serial", "customer", "sequence", "issued_at", "expires_on", "maintenance_until", "users", "feature", "fls",
    ])]
    payload: Option<PathBuf>,
    /// Which product it is for
    #[arg(long, required_unless_present = "payload")]
    product: Option<String>,
    /// The serial number of the installation
    #[arg(long, required_unless_present = "payload")]
    serial: Option<String>,
    /// The customer's name
    #[arg(long, required_unless_present = "payload")]
    customer: Option<String>,
    /// The number of this licence among those of its serial
    #[arg(long, default_value_t = 1)]
    sequence: u64,
    /// When it was issued [default: now]
    #[arg(long, value_parser = instant, value_name = "YYYY-MM-DDTHH:MM:SSZ")]
    issued_at: Option<Instant>,
    /// Its last day, or `never`
    #[arg(long, value_parser = last_day, value_name = "YYYY-MM-DD", required_unless_present = "payload")]
    expires_on: Option<LastDay>,
    /// The last day of maintenance, or `none`
    #[arg(long, value_parser = last_day, value_name = "YYYY-MM-DD", required_unless_present = "payload")]
    maintenance_until: Option<LastDay>,
    /// How many users
    #[arg(long, required_unless_present = "payload")]
    users: Option<u32>,
    /// A feature, with its own last day if it has one (repeatable)
    #[arg(long, value_parser = feature, value_name = "ID=NAME[:YYYY-MM-DD]")]
    feature: Vec<Feature>,
    /// A file for the floating licence server, put beside the licence under its own name (repeatable)
    #[arg(long, value_name = "FILE")]
    fls: Vec<PathBuf>,
    #[command(flatten)]
    sealing: Sealing,
}

#[derive(Args)]
pub struct Next {
    /// The licence that it follows
    from: PathBuf,
    #[command(flatten)]
    trusted: TrustedArgs,
    /// The customer's name
    #[arg(long)]
    customer: Option<String>,
    /// A number other than the one after
    #[arg(long)]
    sequence: Option<u64>,
    /// When it was issued [default: now]
    #[arg(long, value_parser = instant, value_name = "YYYY-MM-DDTHH:MM:SSZ")]
    issued_at: Option<Instant>,
    /// Its last day, or `never`. A day in the past takes the licence back
    #[arg(long, value_parser = last_day, value_name = "YYYY-MM-DD")]
    expires_on: Option<LastDay>,
    /// The last day of maintenance, or `none`
    #[arg(long, value_parser = last_day, value_name = "YYYY-MM-DD")]
    maintenance_until: Option<LastDay>,
    /// How many users
    #[arg(long)]
    users: Option<u32>,
    /// Add a feature, or change the one of this id (repeatable)
    #[arg(long, value_parser = feature, value_name = "ID=NAME[:YYYY-MM-DD]")]
    add_feature: Vec<Feature>,
    /// Leave out a feature (repeatable)
    #[arg(long, value_name = "ID")]
    remove_feature: Vec<String>,
    /// A file for the floating licence server; replaces the one of this name (repeatable)
    #[arg(long, value_name = "FILE")]
    fls: Vec<PathBuf>,
    /// Leave out a file for the floating licence server (repeatable)
    #[arg(long, value_name = "NAME")]
    remove_fls: Vec<String>,
    #[command(flatten)]
    sealing: Sealing,
}

impl LicenceCommand {
    pub fn run(self, existing: Existing) -> Result<Done, Failure> {
        match self {
            LicenceCommand::New(new) => new.run(existing),
            LicenceCommand::Next(next) => next.run(existing),
        }
    }
}

impl New {
    fn run(self, existing: Existing) -> Result<Done, Failure> {
        let payload = match &self.payload {
            Some(path) => read_payload(path)?,
            None => self.licence()?.to_json(),
        };
        seal(&self.sealing, &payload, existing).map(|(_, done)| done)
    }

    fn licence(&self) -> Result<Licence, Failure> {
        let missing = |what: &str| Failure::usage(format!("{what} is missing"));
        let given = |text: &Option<String>, what: &str| text.clone().ok_or_else(|| missing(what));
        Ok(Licence {
            product: Product::parse(&given(&self.product, "--product")?).map_err(|e| wrong("product", e.0))?,
            serial: Serial::parse(&given(&self.serial, "--serial")?).map_err(|e| wrong("serial", e.0))?,
            customer: given(&self.customer, "--customer")?,
            sequence: Sequence::new(self.sequence).map_err(|e| wrong("sequence", e.0))?,
            issued_at: self.issued_at.unwrap_or_else(now),
            expires_on: self.expires_on.ok_or_else(|| missing("--expires-on"))?.0,
            maintenance_until: self.maintenance_until.ok_or_else(|| missing("--maintenance-until"))?.0,
            users: self.users.ok_or_else(|| missing("--users"))?,
            features: self.feature.clone(),
            fls: self.fls.iter().map(|path| fls_file(path)).collect::<Result<_, _>>()?,
        })
    }
}

impl Next {
    fn run(self, existing: Existing) -> Result<Done, Failure> {
        let bytes = files::read(&self.from, MAX_LICENCE_BYTES)?;
        let (before, lost) = self.before(&bytes)?;
        let after = self.changed(&before)?;
        let today = Day::at(now());
        let changes = Changes::between(&Content::of(&before, today), &Content::of(&after, today));
        let (licence, mut done) = seal(&self.sealing, &after.to_json(), existing)?;
        done = done.remark(format!("Sequence {} follows {}.", licence.sequence, before.sequence));
        for line in in_words(&changes) {
            done = done.remark(line);
        }
        for name in lost {
            done = done
                .remark(format!("Mind: the member {name:?} of the old payload is not known here and was left out."));
        }
        Ok(done)
    }

    /// The licence that is followed. It must be genuine: a forged one must not become a real one by way of a renewal.
    fn before(&self, bytes: &[u8]) -> Result<(Licence, Vec<String>), Failure> {
        let envelope = Envelope::parse(bytes).map_err(|refusal| Failure::from(refusal).in_file(&self.from))?;
        let keys = match self.trusted.ring()? {
            Some(ring) => ring,
            None => own_ring(&read_key(&self.sealing.key)?.trusted_line())?,
        };
        let content =
            Licence::parse(&envelope.payload).map_err(|refusal| Failure::from(refusal).in_file(&self.from))?;
        let genuine = verify(bytes, &keys, &content.product).map_err(|refusal| {
            let failure = Failure::from(refusal).in_file(&self.from);
            Failure {
                message: format!("{}\nIf another key signed it, name that key with --keys.", failure.message),
                ..failure
            }
        })?;
        let known = members(&genuine.licence().to_json());
        let lost =
            members(&envelope.payload).into_iter().filter(|name| name != "fls" && !known.contains(name)).collect();
        Ok((genuine.licence().clone(), lost))
    }

    fn changed(&self, before: &Licence) -> Result<Licence, Failure> {
        let mut licence = before.clone();
        let number = self.sequence.unwrap_or_else(|| before.sequence.get().saturating_add(1));
        licence.sequence = Sequence::new(number).map_err(|error| wrong("sequence", error.0))?;
        if licence.sequence <= before.sequence {
            return Err(Failure::refused(format!("the sequence {number} does not follow {}", before.sequence)));
        }
        licence.issued_at = self.issued_at.unwrap_or_else(now);
        licence.customer = self.customer.clone().unwrap_or(licence.customer);
        licence.expires_on = self.expires_on.map_or(licence.expires_on, |day| day.0);
        licence.maintenance_until = self.maintenance_until.map_or(licence.maintenance_until, |day| day.0);
        licence.users = self.users.unwrap_or(licence.users);
        for id in &self.remove_feature {
            let at = licence.features.iter().position(|it| it.id == *id);
            licence.features.remove(at.ok_or_else(|| Failure::refused(format!("the licence has no feature {id:?}")))?);
        }
        for feature in &self.add_feature {
            match licence.features.iter_mut().find(|it| it.id == feature.id) {
                Some(known) => *known = feature.clone(),
                None => licence.features.push(feature.clone()),
            }
        }
        for name in &self.remove_fls {
            let at = licence.fls.iter().position(|it| it.name.eq_ignore_ascii_case(name));
            licence.fls.remove(at.ok_or_else(|| Failure::refused(format!("the licence has no file {name:?}")))?);
        }
        for path in &self.fls {
            let file = fls_file(path)?;
            licence.fls.retain(|it| !it.name.eq_ignore_ascii_case(&file.name));
            licence.fls.push(file);
        }
        Ok(licence)
    }
}

/// Looks at the payload and, once signed, at the whole file with a product's own code, and writes it.
fn seal(sealing: &Sealing, payload: &[u8], existing: Existing) -> Result<(Licence, Done), Failure> {
    let licence = Licence::parse(payload)?;
    let out = output(sealing.out.clone(), &licence.file_name());
    files::check_free(&out, existing)?;
    let sealed = read_key(&sealing.key)?;
    if sealed.role() != Role::Licence {
        return Err(Failure::refused(format!(
            "{:?} is a {} key; licences need a licence key",
            sealed.id(),
            sealed.role().token()
        )));
    }
    let key: SigningKey = sealing.passphrase.open(&sealed, 0, 1).map_err(|failure| failure.in_file(&sealing.key))?;
    let file = sign(LICENCE_TYPE, payload, &[&key]);
    verify(&file, &own_ring(&key.trusted_line())?, &licence.product)?;
    files::write_public(&out, &file, existing)?;
    let mut done = Done::default().remark(format!("Wrote {}, signed by {:?}.", out.display(), key.id()));
    if !out.to_string_lossy().to_ascii_lowercase().ends_with(FILE_SUFFIX) {
        done = done.remark(format!("Mind: in a licence folder only files named *{FILE_SUFFIX} are found."));
    }
    Ok((licence, done))
}

fn own_ring(line: &str) -> Result<Keyring, Failure> {
    Keyring::from_host(line).map_err(|problem| Failure::refused(problem.to_string()))
}

fn read_payload(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() != "-" {
        return Ok(files::read(path, MAX_LICENCE_BYTES)?);
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_LICENCE_BYTES).unwrap_or(u64::MAX);
    let read = std::io::stdin().lock().take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Failure::file(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}

fn fls_file(path: &Path) -> Result<FlsFile, Failure> {
    let bytes = files::read(path, MAX_FLS_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::refused("this is not text (UTF-8)").in_file(path))?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::refused("this file's name is not text").in_file(path))?;
    Ok(FlsFile { name: name.to_owned(), text })
}

fn members(payload: &[u8]) -> Vec<String> {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(payload)
        .map(|members| members.into_iter().map(|(name, _)| name).collect())
        .unwrap_or_default()
}

fn wrong(what: &str, why: &str) -> Failure {
    Failure::refused(format!("the {what} {why}"))
}

fn in_words(changes: &Changes) -> Vec<String> {
    let day = |day: Option<Day>| day.map_or("none".to_owned(), |day| day.to_string());
    let names = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what}: {}.", names.join(", ")));
    let lines = [
        names("Features added", &changes.added),
        names("Features removed", &changes.removed),
        names("Features changed", &changes.changed),
        names("Features ended", &changes.ended),
        changes.users.map(|(from, to)| format!("Users: {from} -> {to}.")),
        changes.maintenance.map(|(from, to)| format!("Last day of maintenance: {} -> {}.", day(from), day(to))),
        changes.expiry.map(|(from, to)| format!("Last day: {} -> {}.", day(from), day(to))),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    if lines.is_empty() { vec!["Features, users and dates are as before.".to_owned()] } else { lines }
}
