//! What an installation says, signed by its own key.

use super::bodies::Verb;
use super::key::{AgentKey, AgentPublic, KeyId};
use super::words::{Nonce, Origin, Read};
use super::{MAX_MESSAGE_BYTES, REQUEST_TYPE};
use crate::licence::{Envelope, Fields, Instant, Product, Reason, Refusal, Serial, parse_object};
use serde::Serialize;
use serde_json::{Map, Value};

/// A request: who asks which office what, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub verb: Verb,
    pub office: Origin,
    pub product: Product,
    pub serial: Serial,
    pub key: KeyId,
    /// Which run of the agent this is. A key that is live at two of them in turn is on two machines.
    pub instance: Nonce,
    /// New for each attempt.
    pub nonce: Nonce,
    /// The installation's time, corrected by the last signed one.
    pub created: Instant,
    /// What the verb's own type in `bodies` reads and writes.
    pub body: Value,
}

#[derive(Serialize)]
struct Wire<'a> {
    format: u32,
    verb: &'a str,
    office: &'a str,
    product: &'a Product,
    serial: &'a Serial,
    key: &'a str,
    instance: &'a str,
    nonce: &'a str,
    created: Instant,
    body: &'a Value,
}

impl Request {
    /// The signed request as it is sent.
    ///
    /// # Errors
    /// `TooLarge` when it would not fit into [`MAX_MESSAGE_BYTES`].
    pub fn seal(&self, key: &AgentKey) -> Read<Vec<u8>> {
        let wire = Wire {
            format: 1,
            verb: self.verb.token(),
            office: self.office.as_str(),
            product: &self.product,
            serial: &self.serial,
            key: self.key.as_str(),
            instance: self.instance.as_str(),
            nonce: self.nonce.as_str(),
            created: self.created,
            body: &self.body,
        };
        // Texts and numbers cannot fail to serialise.
        let payload = serde_json::to_vec(&wire).unwrap_or_default();
        let sent = key.seal(REQUEST_TYPE, payload).to_json();
        if sent.len() > MAX_MESSAGE_BYTES {
            return Err(Refusal::new(Reason::TooLarge, "The request is larger than 1 MiB."));
        }
        Ok(sent)
    }
}

/// A request whose signature nobody has checked: good for finding the key it names, and for nothing else.
#[derive(Debug)]
pub struct Unproven {
    envelope: Envelope,
    request: Request,
}

impl Unproven {
    /// Reads a request of at most [`MAX_MESSAGE_BYTES`].
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, `Amount`, or `Format` for one of a newer version.
    pub fn read(bytes: &[u8]) -> Read<Unproven> {
        let envelope = Envelope::parse(bytes)?;
        if envelope.payload_type != REQUEST_TYPE {
            return Err(Refusal::new(Reason::Malformed, "This is not a request of an installation."));
        }
        let members = parse_object(&envelope.payload, "request")?;
        let request = read(&members)?;
        Ok(Unproven { envelope, request })
    }

    /// The key that is claimed.
    pub fn key(&self) -> &KeyId {
        &self.request.key
    }

    pub fn verb(&self) -> Verb {
        self.request.verb
    }

    /// Everything that is claimed. Good for finding the key, and for addressing a refusal to whoever asked.
    pub fn claims(&self) -> &Request {
        &self.request
    }

    /// The body of an enrolment brings the key itself; it proves that the sender has it, nothing more.
    pub fn public_in_body(&self) -> Option<AgentPublic> {
        super::bodies::public_of(&self.request.body)
    }

    /// The request, if this key signed it, is the one it names, and it was made for this office.
    ///
    /// # Errors
    /// `Signature`, or `UnknownKey` when the key is another than the one named, or `Malformed` for another office.
    pub fn prove(self, key: &AgentPublic, office: &Origin) -> Read<Request> {
        if key.id() != self.request.key {
            return Err(Refusal::new(Reason::UnknownKey, "The request names another key."));
        }
        if !key.sealed(&self.envelope) {
            return Err(Refusal::new(Reason::Signature, "The request's signature does not fit."));
        }
        if self.request.office != *office {
            let detail = format!("The request was made for {}, this is {office}.", self.request.office);
            return Err(Refusal::new(Reason::Malformed, detail));
        }
        Ok(self.request)
    }
}

fn read(members: &Map<String, Value>) -> Read<Request> {
    let fields = Fields::new(members, "request");
    fields.format_1()?;
    let verb = Verb::from_token(fields.string("verb")?).ok_or_else(|| fields.wrong("verb", "is not known"))?;
    let nonce = |name: &str| {
        Nonce::parse(fields.string(name)?).ok_or_else(|| fields.wrong(name, "is not 32 hexadecimal digits"))
    };
    Ok(Request {
        verb,
        office: office(&fields)?,
        product: Product::parse(fields.string("product")?).map_err(|error| fields.wrong("product", error.0))?,
        serial: Serial::parse(fields.string("serial")?).map_err(|error| fields.wrong("serial", error.0))?,
        key: KeyId::parse(fields.string("key")?).ok_or_else(|| fields.wrong("key", "is not a key id"))?,
        instance: nonce("instance")?,
        nonce: nonce("nonce")?,
        created: fields.instant("created")?,
        body: fields.object("body")?.clone().into(),
    })
}

/// An origin in its one spelling.
pub(super) fn office(fields: &Fields<'_>) -> Read<Origin> {
    let text = fields.string("office")?;
    Origin::of_url(text)
        .filter(|origin| origin.as_str() == text)
        .ok_or_else(|| fields.wrong("office", "is not an origin"))
}
