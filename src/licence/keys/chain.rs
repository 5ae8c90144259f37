//! Follows key lists from version to version, and keeps the steps.
//!
//! Version N+1 can only be judged from version N, so both the file beside the licence and the one in the state folder hold all
//! steps, oldest first.

use super::list::KeyList;
use super::{Keyring, Quorum, Role};
use crate::licence::envelope::{Envelope, MAX_KEY_LIST_BYTES, MAX_LICENCE_BYTES};
use crate::licence::fields::{self, Fields, malformed};
use crate::licence::{Reason, Refusal, written};
use serde::Serialize;
use serde_json::Value;

/// What a key list is to a ring.
#[derive(Clone, Debug)]
pub enum Advance {
    /// The next version, properly signed: the ring to use from now on.
    Next(Keyring),
    /// The very list that the ring is.
    Present,
    /// Of a version that the ring has passed. Nothing about it was checked.
    Older,
}

impl Keyring {
    /// Judges one key list.
    ///
    /// The next version needs `threshold` distinct roots of this version and of its own; a root that signed twice counts once.
    /// Refuses with `KeyListFork` when enough roots signed a second, different list of this version; with `Sequence` when a
    /// version in between is missing; else as [`Keyring::sealed_by`] for root keys, with `Signature` when too few signed, or
    /// for what is wrong with the list itself.
    pub fn advance(&self, list: &Envelope) -> Result<Advance, Refusal> {
        let next = KeyList::parse(list)?;
        if next.version < self.version {
            return Ok(Advance::Older);
        }
        if next.version == self.version {
            return if self.list == Some(list.digest()) { Ok(Advance::Present) } else { Err(self.forked_by(list)) };
        }
        if next.version - self.version > 1 {
            let (missing, found, have) = (self.version + 1, next.version, self.version);
            let detail =
                format!("Version {found} of the key list cannot follow version {have}: version {missing} is missing.");
            return Err(Refusal::new(Reason::Sequence, detail));
        }
        self.signed_by_trusted_roots(list)?;
        let next = next.into_ring(list, Some(self.quorum()));
        next.signed_by_its_own_roots(list)?;
        Ok(Advance::Next(next))
    }

    /// Takes all steps that lead on from this ring, out of a chain file or a single list. Returns the ring reached and the
    /// steps newly taken, none when there is nothing new.
    ///
    /// Stops at the first list that is refused. When good steps came before it they are returned, and the refusal shows when
    /// the same file is judged from the ring reached; else it is the answer.
    pub fn advance_chain(&self, file: &[u8]) -> Result<(Keyring, Vec<Envelope>), Refusal> {
        let mut ring = self.clone();
        let mut taken = Vec::new();
        for list in KeyChain::parse(file)?.lists {
            match ring.advance(&list) {
                Ok(Advance::Next(next)) => {
                    ring = next;
                    taken.push(list);
                }
                Ok(Advance::Present | Advance::Older) => {}
                Err(refusal) if taken.is_empty() => return Err(refusal),
                Err(_) => break,
            }
        }
        Ok((ring, taken))
    }

    /// Why a list of this ring's own version with other content is refused. It is a fork when those who could sign this version
    /// did: the roots of the version before, or these; anybody else's list is just badly signed.
    fn forked_by(&self, list: &Envelope) -> Refusal {
        let met = |quorum: &Quorum| quorum.count(list) >= quorum.threshold;
        if met(&self.quorum()) || self.before.as_ref().is_some_and(met) {
            let version = self.version;
            let detail = format!(
                "There are two different key lists of version {version}. Tell the vendor: its root keys signed both."
            );
            return Refusal::new(Reason::KeyListFork, detail);
        }
        self.signed_by_trusted_roots(list).err().unwrap_or_else(|| self.too_few(0))
    }

    /// Whether enough roots of this ring signed; when none did, says what the signatures are instead.
    fn signed_by_trusted_roots(&self, list: &Envelope) -> Result<(), Refusal> {
        match self.quorum().count(list) {
            signed if signed >= self.threshold => Ok(()),
            0 => Err(self.sealed_by(list, Role::Root).err().unwrap_or_else(|| self.too_few(0))),
            signed => Err(self.too_few(signed)),
        }
    }

    /// Whether enough roots of this ring, which is the list itself, signed it.
    pub(super) fn signed_by_its_own_roots(&self, list: &Envelope) -> Result<(), Refusal> {
        let signed = self.quorum().count(list);
        if signed >= self.threshold { Ok(()) } else { Err(self.too_few(signed)) }
    }

    fn too_few(&self, signed: u32) -> Refusal {
        let (needed, version) = (self.threshold, self.version);
        let detail = format!(
            "The key list is signed by {signed} of the {needed} active root keys that version {version} asks for."
        );
        Refusal::new(Reason::Signature, detail)
    }
}

/// Key lists, oldest first: what `ors-keys.json` beside the licence and `keys.json` in the state folder hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChain {
    pub lists: Vec<Envelope>,
}

impl KeyChain {
    /// Reads `{"format": 1, "lists": [envelope, ...]}` or one bare envelope; at most 1 MiB, each list at most 256 KiB.
    pub fn parse(file: &[u8]) -> Result<KeyChain, Refusal> {
        if file.len() > MAX_LICENCE_BYTES {
            return Err(Refusal::new(Reason::TooLarge, "The file of key lists is larger than 1 MiB."));
        }
        let members = fields::object(file, "file of key lists")?;
        if members.contains_key("payload") {
            return Ok(KeyChain { lists: vec![Envelope::from_members(members)?] });
        }
        let fields = Fields::new(&members, "file of key lists");
        fields.format_1()?;
        // Bounded by the size of the file; the smallest list that anybody can sign takes hundreds of bytes.
        let listed = fields.list("lists", MAX_LISTS)?;
        let mut lists = Vec::with_capacity(listed.len());
        for (index, element) in listed.iter().enumerate() {
            let Value::Object(members) = element else {
                return Err(malformed(format!("The file of key lists has no object at lists[{index}].")));
            };
            let list = Envelope::from_members(members.clone())?;
            if list.length() > MAX_KEY_LIST_BYTES {
                return Err(Refusal::new(Reason::TooLarge, "The key list is larger than 256 KiB."));
            }
            lists.push(list);
        }
        Ok(KeyChain { lists })
    }

    /// The file, in the shape that [`KeyChain::parse`] reads.
    pub fn to_json(&self) -> Vec<u8> {
        written::bytes(&self.wire())
    }

    fn wire(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Wire<T: Serialize> {
            format: u32,
            lists: Vec<T>,
        }
        Wire { format: 1, lists: self.lists.iter().map(Envelope::wire).collect() }
    }

    /// Adds a step at the end. Returns false, and adds nothing, when the file would then be larger than is read again.
    pub fn push(&mut self, list: Envelope) -> bool {
        self.lists.push(list);
        let fits = self.lists.len() <= MAX_LISTS && written::length(&self.wire()) <= MAX_LICENCE_BYTES;
        if !fits {
            self.lists.pop();
        }
        fits
    }
}

/// The most steps in a chain.
const MAX_LISTS: usize = 4096;
