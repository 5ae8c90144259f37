//! What each verb asks.

use super::key::AgentPublic;
use super::words::{Code, Nonce, Read, is_hex};
use super::{MAX_CARRIED_BYTES, MAX_HOLD, MAX_LINE_BYTES, MAX_REPORT_LINES, MIN_HOLD};
use crate::licence::{Digest, Fields, MAX_SEQUENCE, MAX_TEXT, Reason, Refusal, hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// What is asked; also the last part of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Makes the key known, with the installed licence as proof.
    Enrol,
    /// What is the newest licence, and which key lists are missing here?
    Check,
    /// The long poll.
    Events,
    /// Lines of the journal.
    Report,
}

impl Verb {
    pub const ALL: [Verb; 4] = [Verb::Enrol, Verb::Check, Verb::Events, Verb::Report];

    pub fn token(self) -> &'static str {
        match self {
            Verb::Enrol => "enrol",
            Verb::Check => "check",
            Verb::Events => "events",
            Verb::Report => "report",
        }
    }

    pub fn from_token(token: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.token() == token)
    }

    /// The path below the office's address.
    pub fn path(self) -> &'static str {
        match self {
            Verb::Enrol => "/agent/v1/enrol",
            Verb::Check => "/agent/v1/check",
            Verb::Events => "/agent/v1/events",
            Verb::Report => "/agent/v1/report",
        }
    }
}

fn fields_of<'a>(body: &'a Value, what: &str) -> Read<Fields<'a>> {
    Fields::element(body, what.to_owned())
}

/// A signed file inside a message, as text.
pub(super) fn carried(fields: &Fields<'_>, name: &str) -> Read<Option<String>> {
    let Some(text) = fields.string_or_null(name)? else { return Ok(None) };
    fits(text, name)?;
    Ok(Some(text.to_owned()))
}

pub(super) fn fits(text: &str, name: &str) -> Read<()> {
    if text.len() <= MAX_CARRIED_BYTES {
        return Ok(());
    }
    let most = MAX_CARRIED_BYTES >> 10;
    Err(Refusal::new(Reason::TooLarge, format!("The message's \"{name}\" is larger than {most} KiB.")))
}

pub(super) fn digest(fields: &Fields<'_>, name: &str) -> Read<Option<Digest>> {
    let Some(text) = fields.string_or_null(name)? else { return Ok(None) };
    if !is_hex(text, 64) {
        return Err(fields.wrong(name, "is not a SHA-256 in hexadecimal"));
    }
    let mut out = Digest::default();
    for (byte, at) in out.iter_mut().zip((0..64).step_by(2)) {
        let digits = text.get(at..at + 2).unwrap_or_default();
        *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    Ok(Some(out))
}

/// The public key in an enrolment's body, whatever else is in it.
pub(super) fn public_of(body: &Value) -> Option<AgentPublic> {
    AgentPublic::from_bytes(&STANDARD.decode(body.get("public")?.as_str()?).ok()?)
}

/// "This is my key, and this is the licence that I have."
pub struct Enrol {
    /// The service organisation's ID.
    pub organisation: String,
    /// Its verification code: it finds the organisation and proves nothing.
    pub code: Code,
    pub public: AgentPublic,
    pub product_version: String,
    pub agent_version: String,
    /// The installed licence, byte for byte: a serial number can be guessed, this cannot.
    pub licence: String,
}

impl Enrol {
    /// # Errors
    /// `TooLarge` for a licence over [`MAX_CARRIED_BYTES`].
    pub fn to_body(&self) -> Read<Value> {
        fits(&self.licence, "licence")?;
        Ok(json!({
            "organisation": self.organisation, "code": self.code.expose(), "public": STANDARD.encode(self.public.to_bytes()),
            "product_version": self.product_version, "agent_version": self.agent_version, "licence": self.licence,
        }))
    }

    pub fn read(body: &Value) -> Read<Enrol> {
        let fields = fields_of(body, "enrolment")?;
        Ok(Enrol {
            organisation: fields.plain("organisation", MAX_TEXT)?,
            code: Code::new(Zeroizing::new(fields.plain("code", MAX_TEXT)?)),
            public: public_of(body).ok_or_else(|| fields.wrong("public", "is not an Ed25519 key in base64"))?,
            product_version: fields.plain("product_version", MAX_TEXT)?,
            agent_version: fields.plain("agent_version", MAX_TEXT)?,
            licence: carried(&fields, "licence")?.ok_or_else(|| fields.wrong("licence", "is null"))?,
        })
    }
}

/// The newest line of the journal, for the office to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalHead {
    pub chain: String,
    pub n: u64,
    pub hash: String,
}

impl JournalHead {
    fn to_value(&self) -> Value {
        json!({"chain": self.chain, "n": self.n, "hash": self.hash})
    }

    fn read(value: &Value) -> Read<JournalHead> {
        let fields = fields_of(value, "check's journal")?;
        let hash = fields.string("hash")?;
        if !is_hex(hash, 64) {
            return Err(fields.wrong("hash", "is not a SHA-256 in hexadecimal"));
        }
        Ok(JournalHead { chain: chain(&fields)?, n: fields.whole("n", 0, MAX_SEQUENCE)?, hash: hash.to_owned() })
    }
}

fn chain(fields: &Fields<'_>) -> Read<String> {
    let chain = fields.string("chain")?;
    if !crate::licence::text::is_name(chain, 64, b"-") {
        return Err(fields.wrong("chain", "is not a chain id"));
    }
    Ok(chain.to_owned())
}

/// "This is what I have. What is new?"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// That of the installed licence; 0 when there is none.
    pub sequence: u64,
    /// SHA-256 of the installed licence's file.
    pub digest: Option<Digest>,
    /// A newer licence that is here but waits to be installed (manual copy, share down).
    pub waiting: u64,
    pub keys_version: u64,
    pub journal: Option<JournalHead>,
    pub product_version: String,
    pub agent_version: String,
    /// The installed licence, when the office asked for it.
    pub licence: Option<String>,
}

impl Check {
    /// # Errors
    /// `TooLarge` for a licence over [`MAX_CARRIED_BYTES`].
    pub fn to_body(&self) -> Read<Value> {
        self.licence.as_deref().map_or(Ok(()), |licence| fits(licence, "licence"))?;
        Ok(json!({
            "sequence": self.sequence, "digest": self.digest.map(|digest| hex(&digest)), "waiting": self.waiting,
            "keys_version": self.keys_version, "journal": self.journal.as_ref().map(JournalHead::to_value),
            "product_version": self.product_version, "agent_version": self.agent_version, "licence": self.licence,
        }))
    }

    pub fn read(body: &Value) -> Read<Check> {
        let fields = fields_of(body, "check")?;
        Ok(Check {
            sequence: fields.whole("sequence", 0, MAX_SEQUENCE)?,
            digest: digest(&fields, "digest")?,
            waiting: fields.whole("waiting", 0, MAX_SEQUENCE)?,
            keys_version: fields.whole("keys_version", 0, MAX_SEQUENCE)?,
            journal: match fields.get("journal")? {
                Value::Null => None,
                value => Some(JournalHead::read(value)?),
            },
            product_version: fields.plain("product_version", MAX_TEXT)?,
            agent_version: fields.plain("agent_version", MAX_TEXT)?,
            licence: carried(&fields, "licence")?,
        })
    }
}

/// "Tell me when something happens."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// Which stream `after` belongs to; none at first.
    pub epoch: Option<Nonce>,
    /// The last event that was seen.
    pub after: u64,
    /// How long the answer may be held, in seconds.
    pub hold: u64,
    /// The probes that this request answers.
    pub pongs: Vec<Nonce>,
    /// The last request of this run: presence ends now, not with the lease. Answered at once.
    pub leaving: bool,
}

/// Probes that one request may answer.
const MAX_PONGS: usize = 16;

impl Events {
    pub fn to_body(&self) -> Value {
        let pongs: Vec<&str> = self.pongs.iter().rev().take(MAX_PONGS).rev().map(Nonce::as_str).collect();
        json!({
            "epoch": self.epoch.as_ref().map(Nonce::as_str), "after": self.after, "hold": self.hold, "pongs": pongs,
            "leaving": self.leaving,
        })
    }

    pub fn read(body: &Value) -> Read<Events> {
        let fields = fields_of(body, "poll")?;
        let nonce = |text: &str, name: &str| {
            Nonce::parse(text).ok_or_else(|| fields.wrong(name, "is not 32 hexadecimal digits"))
        };
        let pong = |value: &Value| nonce(value.as_str().unwrap_or_default(), "pongs");
        Ok(Events {
            epoch: fields.string_or_null("epoch")?.map(|text| nonce(text, "epoch")).transpose()?,
            after: fields.whole("after", 0, MAX_SEQUENCE)?,
            hold: fields.whole("hold", MIN_HOLD, MAX_HOLD)?,
            pongs: fields.list("pongs", MAX_PONGS)?.iter().map(pong).collect::<Read<_>>()?,
            leaving: fields.flag("leaving")?,
        })
    }
}

/// Lines of the journal, in order. A line's chain and number are its record id: sent twice, it is stored once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub chain: String,
    /// The number of the first line.
    pub first: u64,
    pub lines: Vec<String>,
}

impl Report {
    pub fn to_body(&self) -> Value {
        json!({"chain": self.chain, "first": self.first, "lines": self.lines})
    }

    pub fn read(body: &Value) -> Read<Report> {
        let fields = fields_of(body, "report")?;
        let line = |value: &Value| match value.as_str() {
            Some(line) if line.len() <= MAX_LINE_BYTES => Ok(line.to_owned()),
            Some(_) => Err(fields.wrong("lines", "holds a line over 12 KiB")),
            None => Err(fields.wrong("lines", "holds something that is not a text")),
        };
        Ok(Report {
            chain: chain(&fields)?,
            first: fields.whole("first", 1, MAX_SEQUENCE)?,
            lines: fields.list("lines", MAX_REPORT_LINES)?.iter().map(line).collect::<Read<_>>()?,
        })
    }
}
