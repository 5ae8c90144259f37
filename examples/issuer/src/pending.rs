//! A key list on its way to enough signatures.
//!
//! The holders of root keys seldom sit at one table, so the list, the chain that it follows and the signatures so far
//! travel in one file from holder to holder, each of whom adds a signature. When the thresholds of the list before *and*
//! of the list itself are met, the file turns into a chain file that products read. Whether they are met is decided by
//! `ors::licence::Keyring`, as in a product; this room only collects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ors::licence::{Advance, Envelope, KEYS_TYPE, KeyChain, KeyStatus, Keyring, Reason, Role, Signature};
use serde::{Deserialize, Serialize};

use crate::key_list::KeyListDraft;
use crate::signing::{SigningKey, public_line};

/// Larger files are not read: a chain file of the largest size within JSON, and a list.
pub const MAX_BYTES: usize = 4 << 20;

const KIND: &str = "ors-pending-key-list";

/// Why a pending list was not made, read, signed or finished; a sentence to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingError(pub String);

impl std::fmt::Display for PendingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PendingError {}

fn wrong(text: impl Into<String>) -> PendingError {
    PendingError(text.into())
}

/// A key list that still collects signatures.
#[derive(Clone, Debug)]
pub struct Pending {
    trusted: Option<String>,
    before: KeyChain,
    list: KeyListDraft,
    /// Exactly what is signed: the bytes that the first holder saw, whoever reads the file later.
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One threshold, and who has signed towards it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The version whose roots count here.
    pub version: u64,
    /// How many of them must sign.
    pub threshold: u32,
    /// Ids of those who did.
    pub signed: Vec<String>,
    /// Ids of those who could.
    pub open: Vec<String>,
}

impl Need {
    /// How many signatures are missing.
    pub fn missing(&self) -> usize {
        usize::try_from(self.threshold).unwrap_or(usize::MAX).saturating_sub(self.signed.len())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u64,
    kind: String,
    trusted: Option<String>,
    before: Option<serde_json::Value>,
    payload: String,
    signatures: Vec<WrittenSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSignature {
    keyid: String,
    sig: String,
}

impl Pending {
    /// The first list of a chain. `trusted` is the text of the hosts' `trusted_keys` that it has to follow; without it
    /// the list stands on its own and hosts take it as a `list` line.
    ///
    /// # Errors
    /// What is wrong with the list or with `trusted`.
    pub fn first(list: KeyListDraft, trusted: Option<String>) -> Result<Pending, PendingError> {
        Pending { trusted, before: KeyChain { lists: vec![] }, payload: list.payload(), list, signatures: vec![] }
            .checked()
    }

    /// The next list of a chain.
    ///
    /// # Errors
    /// What is wrong with the chain or with the list.
    pub fn next(before: KeyChain, list: KeyListDraft) -> Result<Pending, PendingError> {
        Pending { trusted: None, before, payload: list.payload(), list, signatures: vec![] }.checked()
    }

    /// Whether a file means to be one of these, in any format and however damaged.
    pub fn is_one(bytes: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Heading {
            kind: String,
        }
        bytes.len() <= MAX_BYTES && serde_json::from_slice::<Heading>(bytes).is_ok_and(|heading| heading.kind == KIND)
    }

    /// Reads a file; a signature in it that does not fit is refused.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn parse(bytes: &[u8]) -> Result<Pending, PendingError> {
        let not = || wrong("this is not a key list that waits for signatures; `keys new` and `keys next` make one");
        if bytes.len() > MAX_BYTES {
            return Err(not());
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|_| not())?;
        if written.kind != KIND {
            return Err(not());
        }
        if written.format != 1 {
            return Err(wrong(format!(
                "this waiting key list has format {}; this issuer knows format 1",
                written.format
            )));
        }
        let before = match &written.before {
            None => KeyChain { lists: vec![] },
            Some(chain) => KeyChain::parse(chain.to_string().as_bytes()).map_err(|refusal| wrong(refusal.detail))?,
        };
        let payload = STANDARD.decode(&written.payload).map_err(|_| not())?;
        let signatures: Result<Vec<_>, _> = written
            .signatures
            .into_iter()
            .map(|it| STANDARD.decode(&it.sig).map(|sig| Signature { keyid: Some(it.keyid), sig }).map_err(|_| not()))
            .collect();
        let list = KeyListDraft::parse(&payload).map_err(wrong)?;
        let pending = Pending { trusted: written.trusted, before, list, payload, signatures: signatures? }.checked()?;
        let known = pending.rings()?;
        for signature in &pending.signatures {
            if !known.iter().any(|ring| pending.signer(ring, signature).is_some()) {
                let id = signature.keyid.as_deref().unwrap_or_default();
                return Err(wrong(format!(
                    "the signature of {id:?} does not fit: the file was changed after it was signed"
                )));
            }
        }
        Ok(pending)
    }

    /// The file's bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let before = (!self.before.lists.is_empty())
            .then(|| serde_json::from_slice(&self.before.to_json()).unwrap_or(serde_json::Value::Null));
        let signatures = self
            .signatures
            .iter()
            .map(|it| WrittenSignature { keyid: it.keyid.clone().unwrap_or_default(), sig: STANDARD.encode(&it.sig) })
            .collect();
        let written = Written {
            format: 1,
            kind: KIND.to_owned(),
            trusted: self.trusted.clone(),
            before,
            payload: STANDARD.encode(&self.payload),
            signatures,
        };
        // Strings and numbers cannot fail to serialise.
        let mut bytes = serde_json::to_vec_pretty(&written).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The list that is being signed.
    pub fn list(&self) -> &KeyListDraft {
        &self.list
    }

    /// Adds a root key's signature; one that it made before is replaced.
    ///
    /// # Errors
    /// When the key is no active root of the list or of the one before, or there are eight signatures.
    pub fn sign(&mut self, root: &SigningKey) -> Result<(), PendingError> {
        let signature = root.signature(KEYS_TYPE, &self.payload);
        if !self.rings()?.iter().any(|ring| self.signer(ring, &signature).is_some()) {
            return Err(wrong(format!(
                "{:?} is no active root key, neither of this list nor of the one before; its signature would not count",
                root.id()
            )));
        }
        self.signatures.retain(|it| it.keyid != signature.keyid && it.sig != signature.sig);
        if self.signatures.len() >= MOST_SIGNATURES {
            return Err(wrong("a key list carries at most 8 signatures, and it has them"));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// What has to be met: the threshold of the list before, if there is one, and the list's own.
    ///
    /// # Errors
    /// As for [`Pending::parse`].
    pub fn needs(&self) -> Result<Vec<Need>, PendingError> {
        let mut needs = Vec::new();
        if let Some(before) = self.ring_before()? {
            needs.push(self.need(&before, before.version(), before.threshold()));
        }
        needs.push(self.need(&self.own_ring()?, self.list.version, self.list.threshold));
        Ok(needs)
    }

    /// The chain file with this list at its end, once a product would take it; `None` while signatures are missing.
    ///
    /// # Errors
    /// When signatures are enough in number and a product would still refuse the list.
    pub fn finish(&self) -> Result<Option<KeyChain>, PendingError> {
        if self.needs()?.iter().any(|need| need.missing() > 0) {
            return Ok(None);
        }
        let list = self.envelope();
        match self.ring_before()? {
            Some(before) => match before.advance(&list) {
                Ok(Advance::Next(_)) => {}
                Ok(_) => return Err(wrong("the list is not newer than the one before")),
                Err(refusal) => return Err(wrong(refusal.detail)),
            },
            None => drop(ring_of_list(&list)?),
        }
        let mut chain = self.before.clone();
        if !chain.push(list) {
            return Err(wrong("the chain file would be larger than products read (1 MiB); begin a new one"));
        }
        Ok(Some(chain))
    }

    fn envelope(&self) -> Envelope {
        Envelope {
            payload_type: KEYS_TYPE.to_owned(),
            payload: self.payload.clone(),
            signatures: self.signatures.clone(),
        }
    }

    /// Lets a product's own code look at the list before anybody signs it.
    fn checked(self) -> Result<Pending, PendingError> {
        let own = self.own_ring()?;
        let roots = self.list.active_roots().count();
        if self.list.threshold < 1 || usize::try_from(self.list.threshold).map_or(true, |wanted| wanted > roots) {
            return Err(wrong(format!(
                "the threshold is {}, but the list has {roots} active root keys; nobody could ever sign the next one",
                self.list.threshold
            )));
        }
        let before = self.ring_before()?.unwrap_or(own);
        let unsigned = Signature { keyid: None, sig: vec![0; 64] };
        match before.advance(&Envelope { signatures: vec![unsigned], ..self.envelope() }) {
            Ok(Advance::Next(_)) => Ok(self),
            Ok(_) => Err(wrong("the list is not newer than the one before")),
            Err(refusal) => match refusal.reason {
                // It got as far as the signature, which is still to come.
                Reason::Signature | Reason::UnknownKey | Reason::KeyRole => Ok(self),
                _ => Err(wrong(refusal.detail)),
            },
        }
    }

    fn ring_before(&self) -> Result<Option<Keyring>, PendingError> {
        if self.before.lists.is_empty() {
            let ring = self.trusted.as_deref().map(Keyring::from_host).transpose();
            return ring.map_err(|problem| wrong(problem.to_string()));
        }
        ring_of_chain(&self.before).map(Some)
    }

    /// The list's own active roots, as a ring that only tells who made a signature.
    fn own_ring(&self) -> Result<Keyring, PendingError> {
        let lines: Vec<_> =
            self.list.active_roots().map(|(id, role, public, _)| public_line(id, *role, public)).collect();
        if lines.is_empty() {
            return Err(wrong("the list has no active root key; nobody could ever sign the next one"));
        }
        Keyring::from_host(&lines.join("\n")).map_err(|problem| wrong(problem.what))
    }

    fn rings(&self) -> Result<Vec<Keyring>, PendingError> {
        Ok(self.ring_before()?.into_iter().chain([self.own_ring()?]).collect())
    }

    fn signer(&self, ring: &Keyring, signature: &Signature) -> Option<String> {
        let alone = Envelope { signatures: vec![signature.clone()], ..self.envelope() };
        let key = ring.sealed_by(&alone, Role::Root).ok()?;
        (key.status == KeyStatus::Active).then(|| key.id.clone())
    }

    fn need(&self, ring: &Keyring, version: u64, threshold: u32) -> Need {
        let signed: Vec<String> = self.signatures.iter().filter_map(|it| self.signer(ring, it)).collect();
        let could = ring
            .keys()
            .iter()
            .filter(|key| key.role == Role::Root && key.status == KeyStatus::Active && !signed.contains(&key.id));
        Need { version, threshold, open: could.map(|key| key.id.clone()).collect(), signed }
    }
}

/// The most signatures that an envelope carries.
const MOST_SIGNATURES: usize = 8;

/// The line by which a host builds a whole list in.
pub fn host_line(list: &Envelope) -> String {
    format!("list {}", STANDARD.encode(list.to_json()))
}

fn ring_of_list(list: &Envelope) -> Result<Keyring, PendingError> {
    Keyring::from_host(&host_line(list)).map_err(|problem| wrong(problem.what))
}

/// The ring at the end of a chain that stands on its own: its first list is believed, every later one is judged from
/// the one before.
///
/// # Errors
/// The first thing that does not fit.
pub fn ring_of_chain(chain: &KeyChain) -> Result<Keyring, PendingError> {
    let (first, rest) = chain.lists.split_first().ok_or_else(|| wrong("the file holds no key list"))?;
    rest.iter().try_fold(ring_of_list(first)?, |ring, list| match ring.advance(list) {
        Ok(Advance::Next(next)) => Ok(next),
        Ok(_) => Err(wrong(format!("a key list that is not newer stands after version {}", ring.version()))),
        Err(refusal) => Err(wrong(refusal.detail)),
    })
}
