//! What a licence says: names that cannot be wrong, and the payload with every limit.
//!
//! [`Licence::parse`] reads a payload and believes it; whether a trusted key vouches for it is decided in `verify.rs`.

use super::dates::{Day, Instant};
use super::fields::{self, Fields};
use super::{Reason, Refusal, text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// The largest sequence: the largest whole number that every JSON reader keeps exactly.
pub const MAX_SEQUENCE: u64 = (1 << 53) - 1;
/// The largest number of users.
pub const MAX_USERS: u32 = 1_000_000;
/// The most features of a licence.
pub const MAX_FEATURES: usize = 1_000;
/// The most files for the floating licence server.
pub const MAX_FLS_FILES: usize = 4;
/// The most bytes of such a file's text.
pub const MAX_FLS_BYTES: usize = 64 << 10;
/// The most characters of customer and feature names.
pub const MAX_TEXT: usize = 200;
/// How the name of every licence file of ours ends, in lower case.
pub const FILE_SUFFIX: &str = ".ors.json";
/// The file of key lists that lies beside the licence.
pub const KEYS_FILE: &str = "ors-keys.json";

/// Why a value is no product, serial or sequence, in words that follow its name: "is not ...".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameError(pub &'static str);

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NameError {}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $fits:expr, $error:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text that fits the rule, as it is.
            pub fn parse(text: &str) -> Result<$name, NameError> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok($name(text.to_owned())) } else { Err(NameError($error)) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<$name, NameError> {
                $name::parse(&text)
            }
        }
    };
}

name_type!(
    /// Which product a licence is for: `[a-z0-9._-]{1,64}`.
    Product,
    is_lower_name,
    "is not 1 to 64 of a-z 0-9 . _ -"
);
name_type!(
    /// The serial number of an installation: `[A-Za-z0-9._-]{1,64}`.
    Serial,
    |text| text::is_name(text, 64, b"._-"),
    "is not 1 to 64 of A-Z a-z 0-9 . _ -"
);

fn is_lower_name(name: &str) -> bool {
    text::is_name(name, 64, b"._-") && !name.bytes().any(|b| b.is_ascii_uppercase())
}

/// The number of a licence among those of its serial, 1 to [`MAX_SEQUENCE`]; a newer licence has a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct Sequence(u64);

impl Sequence {
    /// Takes a number in the range.
    pub fn new(number: u64) -> Result<Sequence, NameError> {
        match number {
            1..=MAX_SEQUENCE => Ok(Sequence(number)),
            _ => Err(NameError("is not a whole number from 1 to 9007199254740991")),
        }
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for Sequence {
    type Error = NameError;
    fn try_from(number: u64) -> Result<Sequence, NameError> {
        Sequence::new(number)
    }
}

/// An option of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// `[a-z0-9._-]{1,64}`, unique in the licence.
    pub id: String,
    /// For people: at most [`MAX_TEXT`] characters, no control or bidi characters. Not HTML.
    pub name: String,
    /// Its own last day; `None` = as long as the licence.
    pub expires_on: Option<Day>,
}

/// A file of the floating licence server's own, opaque to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlsFile {
    /// A plain file name that is safe on every system and is none of ours.
    pub name: String,
    /// At most [`MAX_FLS_BYTES`] bytes.
    pub text: String,
}

/// What a licence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    pub product: Product,
    pub serial: Serial,
    /// For people: at most [`MAX_TEXT`] characters, no control or bidi characters. Not HTML.
    pub customer: String,
    pub sequence: Sequence,
    pub issued_at: Instant,
    /// The last day; `None` = perpetual.
    pub expires_on: Option<Day>,
    /// The last day of maintenance; `None` = no contract.
    pub maintenance_until: Option<Day>,
    /// 0 to [`MAX_USERS`].
    pub users: u32,
    /// At most [`MAX_FEATURES`].
    pub features: Vec<Feature>,
    /// At most [`MAX_FLS_FILES`].
    pub fls: Vec<FlsFile>,
}

impl Licence {
    /// Reads a payload with every limit. A missing field is refused, an unknown one ignored.
    ///
    /// Refuses with `Malformed`, `Format` (not format 1), `Amount` (too many features or files) or `TooLarge` (a file's text);
    /// the refusal carries serial and sequence where these are readable.
    pub fn parse(payload: &[u8]) -> Result<Licence, Refusal> {
        let members = fields::object(payload, "licence")?;
        read(&members).map_err(|refusal| {
            let (serial, sequence) = claims(&members);
            refusal.about(serial, sequence)
        })
    }

    /// The name of the file that holds this licence: `<product>-<serial>.ors.json`.
    pub fn file_name(&self) -> String {
        format!("{}-{}{FILE_SUFFIX}", self.product, self.serial)
    }

    /// The payload, members in the order of the documentation; without `fls` when there are no such files.
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            format: u32,
            product: &'a Product,
            serial: &'a Serial,
            customer: &'a str,
            sequence: Sequence,
            issued_at: Instant,
            expires_on: Option<Day>,
            maintenance_until: Option<Day>,
            users: u32,
            features: &'a [Feature],
            #[serde(skip_serializing_if = "<[FlsFile]>::is_empty")]
            fls: &'a [FlsFile],
        }
        let Licence {
            product,
            serial,
            customer,
            sequence,
            issued_at,
            expires_on,
            maintenance_until,
            users,
            features,
            fls,
        } = self;
        let wire = Wire {
            format: 1,
            product,
            serial,
            customer,
            sequence: *sequence,
            issued_at: *issued_at,
            expires_on: *expires_on,
            maintenance_until: *maintenance_until,
            users: *users,
            features,
            fls,
        };
        // Texts, numbers and lists cannot fail to serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

/// Serial and sequence that a payload claims, as far as they can be read; for refusals only.
pub(super) fn claims_of(payload: &[u8]) -> (Option<String>, Option<u64>) {
    fields::object(payload, "licence").map_or((None, None), |members| claims(&members))
}

fn claims(members: &Map<String, Value>) -> (Option<String>, Option<u64>) {
    let serial = members.get("serial").and_then(Value::as_str).and_then(|text| Serial::parse(text).ok());
    let sequence = members.get("sequence").and_then(Value::as_u64).and_then(|number| Sequence::new(number).ok());
    (serial.map(|serial| serial.0), sequence.map(Sequence::get))
}

fn read(members: &Map<String, Value>) -> Result<Licence, Refusal> {
    let fields = Fields::new(members, "licence");
    // Before all else: what a newer format means by the other members is not known.
    fields.format_1()?;
    let product = Product::parse(fields.string("product")?).map_err(|error| fields.wrong("product", error.0))?;
    let serial = Serial::parse(fields.string("serial")?).map_err(|error| fields.wrong("serial", error.0))?;
    let customer = fields.plain("customer", MAX_TEXT)?;
    let sequence = fields.whole("sequence", 1, MAX_SEQUENCE)?;
    let sequence = Sequence::new(sequence).map_err(|error| fields.wrong("sequence", error.0))?;
    let issued_at = fields.instant("issued_at")?;
    let expires_on = fields.day_or_null("expires_on")?;
    let maintenance_until = fields.day_or_null("maintenance_until")?;
    let users = u32::try_from(fields.whole("users", 0, u64::from(MAX_USERS))?).unwrap_or(MAX_USERS);
    let features = read_features(&fields)?;
    let fls = match members.get("fls") {
        None => Vec::new(),
        Some(_) => read_fls(&fields)?,
    };
    Ok(Licence { product, serial, customer, sequence, issued_at, expires_on, maintenance_until, users, features, fls })
}

fn read_features(licence: &Fields<'_>) -> Result<Vec<Feature>, Refusal> {
    let mut ids = BTreeSet::new();
    let mut features = Vec::new();
    for (index, element) in licence.list("features", MAX_FEATURES)?.iter().enumerate() {
        let fields = Fields::element(element, format!("licence's features[{index}]"))?;
        let id = fields.string("id")?;
        if !is_lower_name(id) {
            return Err(fields.wrong("id", "is not 1 to 64 of a-z 0-9 . _ -"));
        }
        if !ids.insert(id) {
            return Err(fields.wrong("id", &format!("is \"{id}\", which another feature has")));
        }
        let name = fields.plain("name", MAX_TEXT)?;
        features.push(Feature { id: id.to_owned(), name, expires_on: fields.day_or_null("expires_on")? });
    }
    Ok(features)
}

fn read_fls(licence: &Fields<'_>) -> Result<Vec<FlsFile>, Refusal> {
    let mut names = BTreeSet::new();
    let mut files = Vec::new();
    for (index, element) in licence.list("fls", MAX_FLS_FILES)?.iter().enumerate() {
        let fields = Fields::element(element, format!("licence's fls[{index}]"))?;
        let name = fields.string("name")?;
        check_fls_name(name).map_err(|what| fields.wrong("name", what))?;
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(fields.wrong(
                "name",
                &format!("is \"{name}\", which another file has (upper and lower case count as the same)"),
            ));
        }
        let text = fields.string("text")?;
        if text.len() > MAX_FLS_BYTES {
            return Err(Refusal::new(
                Reason::TooLarge,
                format!("The licence's file \"{name}\" is larger than 64 KiB."),
            ));
        }
        files.push(FlsFile { name: name.to_owned(), text: text.to_owned() });
    }
    Ok(files)
}

/// A name that means the same plain file on every system, and never one of our own.
fn check_fls_name(name: &str) -> Result<(), &'static str> {
    if !text::is_name(name, 64, b"._-") {
        return Err("is not 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    if name.starts_with('.') || name.ends_with('.') {
        return Err("begins or ends with a dot");
    }
    let name = name.to_ascii_lowercase();
    // Windows opens the device for "con.lic" and "CON" alike: what stands before the first dot decides.
    let stem = name.split('.').next().unwrap_or_default();
    let numbered =
        |prefix| stem.strip_prefix(prefix).is_some_and(|rest: &str| matches!(rest.as_bytes(), [b'0'..=b'9']));
    if matches!(stem, "con" | "prn" | "aux" | "nul" | "conin" | "conout") || numbered("com") || numbered("lpt") {
        return Err("is a device on Windows");
    }
    if name.ends_with(FILE_SUFFIX) || name == KEYS_FILE {
        return Err("is the name of one of the library's own files");
    }
    Ok(())
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
