//! The configuration file. What is wrong with it is said with its line and member, before anything is opened.

use ors::office::protocol::Origin;
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// What the file says, checked. Relative paths are relative to the file.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What agents call this office.
    pub origin: Origin,
    /// Certificate chain and key; none: plain HTTP, on loopback only.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Proxies whose `X-Forwarded-For` names the real address.
    pub forwarded_by: Vec<IpAddr>,
    pub max_connections: usize,
    /// The folder of the database and its secrets.
    pub data: PathBuf,
    /// The `trusted_keys` that products are built with.
    pub trusted_keys: PathBuf,
    /// The key file of the statement key.
    pub statement_key: PathBuf,
    /// The signer's socket.
    pub signer: PathBuf,
}

impl Config {
    pub fn database(&self) -> PathBuf {
        self.data.join("office.db")
    }

    /// Held while a server runs or a backup is put back.
    pub fn lock(&self) -> PathBuf {
        self.data.join("lock")
    }

    /// Where the command line tells a running server that something changed.
    pub fn poke(&self) -> PathBuf {
        self.data.join("poke.sock")
    }

    /// The key under which second factors are stored.
    pub fn secrets(&self) -> PathBuf {
        self.data.join("secrets.key")
    }
}

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub file: PathBuf,
    pub line: Option<usize>,
    pub member: Option<String>,
    pub what: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(member) = &self.member {
            write!(f, ", {member}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for ConfigError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    server: Server,
    data: Data,
    keys: Keys,
    signer: SignerPart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    listen: Spanned<String>,
    url: Spanned<String>,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
    #[serde(default)]
    forwarded_by: Vec<Spanned<String>>,
    max_connections: Option<Spanned<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    folder: Spanned<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    trusted: Spanned<PathBuf>,
    statement: Spanned<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignerPart {
    socket: Spanned<PathBuf>,
}

/// Connections that are held at a time when the file does not say.
const CONNECTIONS: usize = 20_000;

/// Reads the file.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
        file: path.to_owned(),
        line: None,
        member: None,
        what: format!("cannot be read: {error}"),
    })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let page = Page { path, text };
    let written: Written =
        toml::from_str(text).map_err(|error| page.wrong(error.span(), error.message().to_owned()))?;
    let server = written.server;
    let listen: SocketAddr = server.listen.get_ref().parse().map_err(|_| {
        page.wrong(Some(server.listen.span()), "is not an address and port, as 127.0.0.1:8443 or [::]:8443".to_owned())
    })?;
    let url = server.url.get_ref();
    let origin = Origin::of_url(url).filter(|_| !url.contains('@')).ok_or_else(|| {
        page.wrong(Some(server.url.span()), "is not the address of this office, as https://office.example".to_owned())
    })?;
    let tls = match (&server.certificate, &server.key) {
        (Some(certificate), Some(key)) => Some((page.file(certificate), page.file(key))),
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => {
            return Err(page.wrong(Some(one.span()), "certificate and key go together".to_owned()));
        }
    };
    if tls.is_none() && !listen.ip().is_loopback() {
        let what = "without a certificate the office listens on 127.0.0.0/8 and [::1] only".to_owned();
        return Err(page.wrong(Some(server.listen.span()), what));
    }
    if origin.as_str().starts_with("http://") && !is_loopback(&origin) {
        let what = "agents speak http to 127.0.0.0/8 and [::1] only; use https".to_owned();
        return Err(page.wrong(Some(server.url.span()), what));
    }
    let proxy = |text: &Spanned<String>| {
        text.get_ref().parse().map_err(|_| page.wrong(Some(text.span()), "is not an IP address".to_owned()))
    };
    let max_connections = match &server.max_connections {
        Some(number) if *number.get_ref() == 0 => {
            return Err(page.wrong(Some(number.span()), "is 0: nobody could connect".to_owned()));
        }
        number => number.as_ref().map_or(CONNECTIONS, |number| *number.get_ref()),
    };
    Ok(Config {
        listen,
        origin,
        tls,
        forwarded_by: server.forwarded_by.iter().map(proxy).collect::<Result<_, _>>()?,
        max_connections,
        data: page.file(&written.data.folder),
        trusted_keys: page.file(&written.keys.trusted),
        statement_key: page.file(&written.keys.statement),
        signer: page.file(&written.signer.socket),
    })
}

fn is_loopback(origin: &Origin) -> bool {
    let host = origin.as_str().trim_start_matches("http://");
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => host.split(':').next(),
    };
    host.and_then(|host| host.parse::<IpAddr>().ok()).is_some_and(|address| address.is_loopback())
}

struct Page<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Page<'_> {
    fn file(&self, written: &Spanned<PathBuf>) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(written.get_ref())
    }

    fn wrong(&self, span: Option<Range<usize>>, what: String) -> ConfigError {
        let before = span.and_then(|span| self.text.get(..span.start));
        ConfigError {
            file: self.path.to_owned(),
            line: before.map(|before| before.matches('\n').count() + 1),
            member: before.and_then(|before| self.member(before)),
            what,
        }
    }

    /// The member that stands where `before` ends: its table, and the name at the beginning of the line.
    fn member(&self, before: &str) -> Option<String> {
        let at = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.get(at..)?.lines().next()?.trim();
        let table =
            before.lines().chain([line]).rev().find_map(|line| line.trim().strip_prefix('[')?.strip_suffix(']'));
        let name = line.split_once('=').map(|(name, _)| name.trim());
        match (table, name) {
            (Some(table), Some(name)) => Some(format!("{table}.{name}")),
            (None, Some(name)) => Some(name.to_owned()),
            (table, None) => table.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"# A comment
[server]
listen = "127.0.0.1:0"
url = "https://office.example"
[data]
folder = "data"
[keys]
trusted = "trusted_keys.txt"
statement = "statement.key"
[signer]
socket = "/run/signer.sock"
"#;

    fn read(text: &str) -> Result<Config, ConfigError> {
        parse(Path::new("/etc/office.toml"), text)
    }

    #[test]
    fn a_good_file_is_read_and_its_paths_are_relative_to_it() {
        let config = read(GOOD).unwrap();
        assert_eq!(config.data, Path::new("/etc/data"));
        assert_eq!(config.signer, Path::new("/run/signer.sock"));
        assert_eq!((config.origin.as_str(), config.max_connections), ("https://office.example", CONNECTIONS));
        let http = GOOD.replace("https://office.example", "http://127.0.0.1:8080");
        assert_eq!(read(&http).unwrap().origin.as_str(), "http://127.0.0.1:8080");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_member() {
        for (from, to, line, member) in [
            ("listen = \"127.0.0.1:0\"", "listen = \"localhost\"", Some(3), Some("server.listen")),
            ("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:80\"", Some(3), Some("server.listen")),
            ("listen = \"127.0.0.1:0\"", "listen = 8443", Some(3), Some("server.listen")),
            ("url = \"https://office.example\"", "url = \"http://office.example\"", Some(4), Some("server.url")),
            ("url = \"https://office.example\"", "url = \"office\"", Some(4), Some("server.url")),
            ("[data]", "key = \"k.pem\"\n[data]", Some(5), Some("server.key")),
            ("[data]", "max_connections = 0\n[data]", Some(5), Some("server.max_connections")),
            ("[data]", "forwarded_by = [\"proxy\"]\n[data]", Some(5), Some("server.forwarded_by")),
            ("folder = \"data\"", "folder = \"data\"\nfoldr = 1", Some(7), Some("data.foldr")),
            ("folder = \"data\"", "", Some(5), Some("data")),
            ("[signer]", "[signer", Some(10), None),
        ] {
            let wrong = read(&GOOD.replace(from, to)).unwrap_err();
            assert_eq!(wrong.line, line, "{to}: {wrong}");
            if member.is_some() {
                assert_eq!(wrong.member.as_deref(), member, "{to}: {wrong}");
            }
        }
    }
}
