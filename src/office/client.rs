//! One request made, one answer read. Pure: what travels is bytes, and time comes in as a value.

use super::protocol::{
    AgentKey, Checked, Enrolled, Expected, Happened, KeyId, Kind, Nonce, Origin, Refused, Request, Statement, Stored,
    Untrusted, Verb,
};
use crate::licence::text::clean;
use crate::licence::{Instant, Keyring, Product, Refusal, Serial};
use crate::net::{Reply, Trouble, Why};
use serde_json::Value;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Who speaks to whom.
#[derive(Clone, Debug)]
pub struct Identity {
    pub office: Origin,
    pub product: Product,
    pub serial: Serial,
    pub key: KeyId,
    /// New at each start.
    pub instance: Nonce,
}

/// What an answer has to be the answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    pub verb: Verb,
    pub nonce: Nonce,
}

/// What the back office said, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Enrolled(Enrolled),
    Checked(Checked),
    Happened(Happened),
    Stored(Stored),
    Refused(Refused),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub said: Said,
    pub server_time: Instant,
    /// How long it asks to be left alone, in seconds.
    pub retry_after: Option<u64>,
}

/// There is nothing that was said by the back office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Net(Trouble),
    /// Somebody else answered: a proxy, a log-in page, a server that is none of ours or has no time.
    NotOurs {
        status: u16,
        /// Of the page that came, and where it points to; cleaned.
        title: Option<String>,
        location: Option<String>,
        retry_after: Option<u64>,
    },
    /// It is signed, and not to be taken.
    Untrusted(Untrusted),
    /// It is the back office's, and this version cannot read it.
    Unreadable(Refusal),
}

impl Failure {
    /// Seconds that were asked for without a signature.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::NotOurs { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the back office may have got the request.
    pub fn was_sent(&self) -> bool {
        !matches!(self, Failure::Net(Trouble { sent: false, .. }))
    }

    pub fn was_called_off(&self) -> bool {
        matches!(self, Failure::Net(Trouble { why: Why::Stopped, .. }))
    }

    /// The connection ended instead of bringing an answer.
    pub fn was_cut(&self) -> bool {
        matches!(self, Failure::Net(Trouble { why: Why::Cut, .. }))
    }

    /// A kept connection that the other end had just closed.
    pub fn was_stale(&self) -> bool {
        matches!(self, Failure::Net(Trouble { why: Why::Cut, kept: true, .. }))
    }

    /// Nothing came for as long as was waited.
    pub fn was_silent(&self) -> bool {
        matches!(self, Failure::Net(Trouble { why: Why::Silent, .. }))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Net(trouble) => trouble.fmt(f),
            Failure::NotOurs { status, title, location, .. } => {
                write!(f, "not the back office: a proxy or log-in page answered with status {status}")?;
                title.as_ref().map_or(Ok(()), |title| write!(f, ", titled \"{title}\""))?;
                location.as_ref().map_or(Ok(()), |location| write!(f, ", pointing to {location}"))
            }
            Failure::Untrusted(untrusted) => untrusted.fmt(f),
            Failure::Unreadable(refusal) => write!(f, "the back office's answer cannot be read: {refusal}"),
        }
    }
}

impl Identity {
    /// Makes a signed request.
    ///
    /// # Errors
    /// `TooLarge` when it would not fit into a message.
    pub fn request(
        &self,
        verb: Verb,
        body: Value,
        nonce: Nonce,
        created: Instant,
        key: &AgentKey,
    ) -> Result<(Zeroizing<Vec<u8>>, Awaited), Refusal> {
        let awaited = Awaited { verb, nonce: nonce.clone() };
        let mut request = Request {
            verb,
            office: self.office.clone(),
            product: self.product.clone(),
            serial: self.serial.clone(),
            key: self.key.clone(),
            instance: self.instance.clone(),
            nonce,
            created,
            body,
        };
        let sealed = request.seal(key);
        wipe(&mut request.body);
        Ok((sealed?, awaited))
    }

    /// Reads what came back `elapsed` seconds after the request was made, by a clock that nobody sets.
    ///
    /// # Errors
    /// [`Failure`]: nothing that the back office said.
    pub fn read(
        &self,
        reply: Result<Reply, Trouble>,
        awaited: &Awaited,
        keys: &Keyring,
        elapsed: u64,
    ) -> Result<Heard, Failure> {
        let reply = reply.map_err(Failure::Net)?;
        let not_ours = || Failure::NotOurs {
            status: reply.status,
            title: title(&reply.body),
            location: reply.location.clone(),
            retry_after: reply.retry_after,
        };
        if (300..400).contains(&reply.status) {
            return Err(not_ours());
        }
        let expected = Expected {
            office: &self.office,
            product: &self.product,
            serial: &self.serial,
            key: &self.key,
            nonce: &awaited.nonce,
            elapsed: i64::try_from(elapsed).unwrap_or(i64::MAX),
        };
        let statement = Statement::verify(&reply.body, keys, &expected).map_err(|untrusted| match untrusted {
            Untrusted::NotOurs(_) => not_ours(),
            other => Failure::Untrusted(other),
        })?;
        let said = said(&statement, awaited.verb).map_err(Failure::Unreadable)?;
        Ok(Heard { said, server_time: statement.server_time, retry_after: reply.retry_after })
    }
}

/// A verification code may be in it.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn said(statement: &Statement, verb: Verb) -> Result<Said, Refusal> {
    let body = &statement.body;
    match (statement.kind, verb) {
        (Kind::Refused, _) => Refused::read(body).map(Said::Refused),
        (Kind::Enrolled, Verb::Enrol) => Enrolled::read(body).map(Said::Enrolled),
        (Kind::Checked, Verb::Check) => Checked::read(body).map(Said::Checked),
        (Kind::Events, Verb::Events) => Happened::read(body).map(Said::Happened),
        (Kind::Stored, Verb::Report) => Stored::read(body).map(Said::Stored),
        (kind, verb) => {
            let detail = format!("The answer to \"{}\" is of type \"{}\".", verb.token(), kind.token());
            Err(Refusal::new(crate::licence::Reason::Malformed, detail))
        }
    }
}

/// The title of a page, for the person who has to find out whose it is.
fn title(body: &[u8]) -> Option<String> {
    const LOOKED_AT: usize = 64 << 10;
    let text = String::from_utf8_lossy(body.get(..LOOKED_AT).unwrap_or(body));
    // ASCII letters only: places in both texts are the same.
    let lower = text.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let from = open + lower.get(open..)?.find('>')? + 1;
    let to = from + lower.get(from..)?.find("</title")?;
    let words: Vec<&str> = text.get(from..to)?.split_whitespace().collect();
    Some(clean(&words.join(" "), 100)).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_of_a_page_is_found_and_cleaned() {
        for (page, expected) in [
            ("<html><head><TITLE lang=en>\n Log in  to\tthe proxy </TITLE>", Some("Log in to the proxy")),
            ("<title>a\u{202e}b</title>", Some("a\u{fffd}b")),
            ("<title></title>", None),
            ("<title>never closed", None),
            ("<title", None),
            ("{}", None),
        ] {
            assert_eq!(title(page.as_bytes()).as_deref(), expected, "{page}");
        }
        assert_eq!(title(&[0xff; 100]), None);
        let long = format!("<title>{}</title>", "\u{fc}".repeat(40_000));
        assert_eq!(title(long.as_bytes()), None, "it ends beyond what is looked at");
    }
}
