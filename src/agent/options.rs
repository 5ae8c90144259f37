//! What a host says when it opens an agent, checked.

use super::{Error, error::Kind};
use crate::licence::{Keyring, KeysProblem, Product};
use crate::office::protocol::Origin;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of [`super::Agent::open`], as the host gave them.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// No lasting thread, no network, no write; the licence as at opening, dates go on.
    pub read_only: bool,
    /// This process's own account may be used towards a share or proxy.
    pub own_logon: bool,
    /// Local folder that only the product's accounts may read. Its last level is made when missing. Optional when read only.
    pub state_folder: Option<String>,
    pub product: String,
    /// `role key-id base64` a line, `threshold N`, or one `list base64` alone.
    pub trusted_keys: String,
    /// Folder of the floating licence server, or one file in it; holds until the setting is set.
    pub licence_folder: Option<String>,
    pub office_url: Option<String>,
    pub office_ca_file: Option<String>,
    /// JSON `{"reread": [argv], "assistance": [argv]}`: all that this process will ever run.
    pub commands: Option<String>,
}

/// Options that were found good.
#[derive(Clone, Debug)]
pub struct Checked {
    pub read_only: bool,
    pub product: Product,
    pub keyring: Keyring,
    pub state_folder: Option<PathBuf>,
    pub licence_folder: Option<String>,
    /// Program and arguments that make the floating server read its folder anew.
    pub reread: Option<Vec<String>>,
    /// The back office; without one nothing is ever said to anybody.
    pub office: Option<OfficeAddress>,
    /// Two opens with the same key and the same state folder share one runtime.
    pub key: String,
}

/// Where the back office is, and which further roots its certificate may hang from.
#[derive(Clone, Debug)]
pub struct OfficeAddress {
    /// Without a slash at its end.
    pub url: String,
    pub origin: Origin,
    pub ca_file: Option<PathBuf>,
}

/// Longest text of one option.
const LONGEST: usize = 1 << 20;
const LONGEST_PATH: usize = 4_096;
/// Words of one command, the program among them.
const MAX_ARGUMENTS: usize = 64;

impl Options {
    /// Checks everything that can be told without touching a folder.
    pub fn check(&self) -> Result<Checked, Error> {
        for (place, text, limit) in [
            ("trusted_keys", Some(&self.trusted_keys), LONGEST),
            ("state_folder", self.state_folder.as_ref(), LONGEST_PATH),
            ("licence_folder", self.licence_folder.as_ref(), LONGEST_PATH),
            ("office_url", self.office_url.as_ref(), LONGEST_PATH),
            ("office_ca_file", self.office_ca_file.as_ref(), LONGEST_PATH),
            ("commands", self.commands.as_ref(), LONGEST),
        ] {
            if text.is_some_and(|text| text.len() > limit) {
                return Err(Error::new(Kind::Text, place, format!("{place} is longer than {limit} bytes.")));
            }
        }
        let product = Product::parse(&self.product).map_err(|_| {
            Error::argument("product", "The product is 1 to 64 characters from a-z, 0-9, dot, underscore and hyphen.")
        })?;
        let keyring = Keyring::from_host(&self.trusted_keys).map_err(keys_problem)?;
        let state_folder = self.state_folder.as_deref().map(|path| folder("state_folder", path)).transpose()?;
        if state_folder.is_none() && !self.read_only {
            return Err(Error::argument(
                "state_folder",
                "A state folder is required unless the agent is opened read only.",
            ));
        }
        if let Some(path) = &self.licence_folder {
            folder("licence_folder", path)?;
        }
        let ca_file = self.office_ca_file.as_deref().filter(|path| !path.is_empty());
        let ca_file = ca_file.map(|path| folder("office_ca_file", path)).transpose()?;
        let office = self.office_url.as_deref().map(|url| {
            check_url(url).map(|origin| OfficeAddress { url: url.trim_end_matches('/').to_owned(), origin, ca_file })
        });
        let reread = self.commands.as_deref().map(commands).transpose()?.flatten();
        Ok(Checked {
            read_only: self.read_only,
            product,
            keyring,
            licence_folder: self.licence_folder.clone().filter(|path| !path.is_empty()),
            reread,
            office: office.transpose()?,
            key: self.key(),
            state_folder,
        })
    }

    /// Same bytes and flags. The state folder is left out: it may have several names, and asking the disk may hang.
    fn key(&self) -> String {
        let parts = [
            format!("{}{}", self.read_only, self.own_logon),
            self.product.clone(),
            self.trusted_keys.clone(),
            self.licence_folder.clone().unwrap_or_default(),
            self.office_url.clone().unwrap_or_default(),
            self.office_ca_file.clone().unwrap_or_default(),
            self.commands.clone().unwrap_or_default(),
        ];
        parts.join("\0")
    }
}

/// What is wrong with the host's keys, and in which line of them.
pub fn keys_problem(problem: KeysProblem) -> Error {
    let place = if problem.line == 0 { String::new() } else { format!(", line {}", problem.line) };
    Error::argument("trusted_keys", format!("trusted_keys{place}: {}.", problem.what))
}

/// How long a cold call may take.
pub const COLD: Duration = Duration::from_millis(2_000);

fn folder(place: &str, path: &str) -> Result<PathBuf, Error> {
    let path = Path::new(path);
    if !path.is_absolute() {
        return Err(Error::argument(place, format!("{place} has to be an absolute path.")));
    }
    Ok(path.to_owned())
}

/// `https`, or `http` to this very machine.
fn check_url(url: &str) -> Result<Origin, Error> {
    let wrong = || {
        Error::argument("office_url", "office_url is https://host[:port][/path], or http to 127.0.0.0/8 or [::1] only.")
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let authority = rest.split('/').next().unwrap_or_default();
    // A path may follow, nothing else; a name in other letters is written as its owner registered it (xn--...).
    let usual = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b);
    let plain = rest.bytes().all(usual) && !authority.is_empty();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match scheme {
        "https" if plain && !host.is_empty() => {}
        "http" if plain && loopback => {}
        _ => return Err(wrong()),
    }
    Origin::of_url(url).ok_or_else(wrong)
}

fn commands(json: &str) -> Result<Option<Vec<String>>, Error> {
    let wrong = |what: String| Error::argument("commands", what);
    let value: serde_json::Value =
        serde_json::from_str(json).map_err(|error| wrong(format!("commands is not JSON: {error}.")))?;
    let serde_json::Value::Object(members) = value else {
        return Err(wrong("commands is a JSON object.".to_owned()));
    };
    let mut reread = None;
    for (name, value) in members {
        let argv: Vec<String> = serde_json::from_value(value)
            .map_err(|_| wrong(format!("commands.{name} is a list of texts: the program and its arguments.")))?;
        let program = argv.first().ok_or_else(|| wrong(format!("commands.{name} names no program.")))?;
        if !Path::new(program).is_absolute() {
            return Err(wrong(format!("commands.{name}: the program has to be an absolute path.")));
        }
        if argv.len() > MAX_ARGUMENTS || argv.iter().any(|word| word.contains('\0') || word.len() > LONGEST_PATH) {
            return Err(wrong(format!("commands.{name} is too long, or has a NUL inside.")));
        }
        match name.as_str() {
            "reread" => reread = Some(argv),
            // Checked now, used by remote assistance.
            "assistance" => {}
            other => return Err(wrong(format!("commands.{other} is not known."))),
        }
    }
    Ok(reread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn office_urls_are_https_or_this_machine() {
        for good in [
            "https://office.example",
            "https://office.example:8443/ors",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:1",
        ] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://office.example",
            "http://localhost",
            "ftp://x",
            "https://",
            "https://u@h",
            "https://a b",
            "https://h?x",
            "https://h/#x",
            "https://h:99999",
            "https://h:x",
            "https://b\u{fc}ro.example",
            "http://127.0.0.1.example",
            "x",
            "",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn commands_name_absolute_programs_only() {
        let program = if cfg!(windows) { "C:/reread.exe" } else { "/bin/true" };
        let good = format!(r#"{{"reread":["{program}","-x"],"assistance":["{program}"]}}"#);
        assert_eq!(commands(&good).ok(), Some(Some(vec![program.into(), "-x".into()])));
        assert_eq!(commands("{}").ok(), Some(None));
        for bad in [
            "",
            "[]",
            r#"{"reread":"x"}"#,
            r#"{"reread":[]}"#,
            r#"{"reread":["true"]}"#,
            r#"{"other":["/bin/true"]}"#,
            r#"{"reread":["/a\u0000b"]}"#,
        ] {
            assert!(commands(bad).is_err(), "{bad}");
        }
    }
}
