//! Values on the command line, and files of keys that several commands take.

use std::path::PathBuf;

use issuer::trusted;
use ors::licence::{Day, Feature, Instant, Keyring};

use super::failure::Failure;

/// A last day, or none.
#[derive(Clone, Copy, Debug)]
pub struct LastDay(pub Option<Day>);

/// `2027-11-23`, or a word for "no such day".
pub fn last_day(text: &str) -> Result<LastDay, String> {
    match text {
        "never" | "none" => Ok(LastDay(None)),
        _ => Day::parse(text).map(|day| LastDay(Some(day))).map_err(|error| error.0.to_owned()),
    }
}

/// `2026-11-23T10:00:00Z`.
pub fn instant(text: &str) -> Result<Instant, String> {
    Instant::parse(text).map_err(|error| error.0.to_owned())
}

/// A day means its noon in UTC: by then it is that day everywhere.
pub fn day_or_instant(text: &str) -> Result<Instant, String> {
    if text.contains('T') { instant(text) } else { instant(&format!("{text}T12:00:00Z")) }
}

/// `id=name` or `id=name:2027-11-23`. A colon that no date follows belongs to the name.
pub fn feature(text: &str) -> Result<Feature, String> {
    let (id, rest) = text.split_once('=').ok_or("write id=name or id=name:last-day")?;
    let (name, expires_on) = match rest.rsplit_once(':') {
        Some((name, end)) if looks_like_date(end) => {
            (name, Some(Day::parse(end).map_err(|error| format!("{end}: {}", error.0))?))
        }
        _ => (rest, None),
    };
    Ok(Feature { id: id.to_owned(), name: name.to_owned(), expires_on })
}

fn looks_like_date(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '-')
}

/// Keys to verify by.
#[derive(clap::Args, Clone, Debug)]
pub struct TrustedArgs {
    /// Verify by these keys: a host's trusted_keys text, an ors-keys.json, or a key file. Repeat it to follow an
    /// ors-keys.json from a trusted_keys text
    #[arg(long, value_name = "FILE")]
    keys: Vec<PathBuf>,
}

impl TrustedArgs {
    /// The ring at the end of everything that was named; `None` when nothing was.
    pub fn ring(&self) -> Result<Option<Keyring>, Failure> {
        Ok(trusted::ring(&self.keys)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_written_as_id_name_and_perhaps_a_last_day() {
        type Written = (&'static str, &'static str, Option<&'static str>);
        let cases: [(&str, Option<Written>); 9] = [
            ("pdf=PDF Toolbox", Some(("pdf", "PDF Toolbox", None))),
            ("pdf=PDF Toolbox:2027-11-23", Some(("pdf", "PDF Toolbox", Some("2027-11-23")))),
            ("pdf=PDF: the Toolbox", Some(("pdf", "PDF: the Toolbox", None))),
            ("pdf=A=B", Some(("pdf", "A=B", None))),
            ("pdf=", Some(("pdf", "", None))),
            ("pdf=PDF:2027-02-30", None),
            ("pdf=PDF:20270223", None),
            ("pdf=PDF:0000-01-01", None),
            ("pdf", None),
        ];
        for (text, expected) in cases {
            let found = feature(text).ok();
            let found =
                found.as_ref().map(|it| (it.id.as_str(), it.name.as_str(), it.expires_on.map(|day| day.to_string())));
            let expected = expected.map(|(id, name, day)| (id, name, day.map(str::to_owned)));
            assert_eq!(found, expected, "{text}");
        }
    }
}
