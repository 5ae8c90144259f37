//! What is said on the signer's socket: one JSON object a line, one answer to each.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ors::licence::Licence;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest line either way.
pub const MAX_LINE: usize = 2 << 20;

/// Product and serial number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Name {
    pub product: String,
    pub serial: String,
}

impl Name {
    pub fn new(product: &str, serial: &str) -> Name {
        Name { product: product.to_owned(), serial: serial.to_owned() }
    }

    pub fn of(licence: &Licence) -> Name {
        Name::new(licence.product.as_str(), licence.serial.as_str())
    }
}

/// What the signer is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Question {
    /// Sign this payload.
    Sign {
        #[serde(serialize_with = "encode", deserialize_with = "decode")]
        payload: Vec<u8>,
    },
    /// Continue from this licence, if it is genuine.
    Adopt {
        file: String,
    },
    /// The last sequence of a serial number.
    Last {
        name: Name,
    },
    /// The first licence that was signed or adopted with this sequence or a larger one: one that is adopted may leap.
    Signed {
        name: Name,
        sequence: u64,
    },
    /// Which of these are registered?
    Known {
        names: Vec<Name>,
    },
    /// Register these. At the administrator's door only.
    Register {
        names: Vec<Name>,
    },
    Status,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    File { file: String },
    Last { sequence: u64 },
    Known { known: Vec<bool> },
    Registered { added: usize, known: usize },
    Status { key: String, serials: usize, signed_last_hour: usize, per_hour: usize },
}

/// Why it does not. The detail is a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "no", rename_all = "kebab-case")]
pub enum No {
    /// The serial number is not registered.
    UnknownSerial { detail: String },
    /// Another sequence is next.
    Sequence { last: u64, detail: String },
    /// Too many in an hour.
    Limit { detail: String },
    /// What is to be signed is no licence, or not one to sign.
    Payload { detail: String },
    /// What is to be adopted is not genuine.
    Licence { detail: String },
    /// The record cannot be written or read.
    Record { detail: String },
    /// Not at this door.
    NotAllowed { detail: String },
    /// The question cannot be read.
    Question { detail: String },
}

impl No {
    pub fn record(error: super::RecordError) -> No {
        No::Record { detail: error.to_string() }
    }

    pub fn detail(&self) -> &str {
        match self {
            No::UnknownSerial { detail }
            | No::Sequence { detail, .. }
            | No::Limit { detail }
            | No::Payload { detail }
            | No::Licence { detail }
            | No::Record { detail }
            | No::NotAllowed { detail }
            | No::Question { detail } => detail,
        }
    }
}

pub type Answer = Result<Said, No>;

/// An answer as a line.
pub fn answer_line(answer: &Answer) -> Vec<u8> {
    // Texts, numbers and lists cannot fail to serialise.
    let mut line = match answer {
        Ok(said) => serde_json::to_vec(said),
        Err(no) => serde_json::to_vec(no),
    }
    .unwrap_or_default();
    line.push(b'\n');
    line
}

/// The answer in a line.
pub fn read_answer(line: &[u8]) -> Option<Answer> {
    match serde_json::from_slice::<No>(line) {
        Ok(no) => Some(Err(no)),
        Err(_) => serde_json::from_slice::<Said>(line).ok().map(Ok),
    }
}

fn encode<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes))
}

fn decode<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(from)?).map_err(de::Error::custom)
}
