//! What a newly offered file is judged against, and the judgement. Pure: the caller's thread and the leader use the same.

use crate::licence::{
    Choice, Digest, Envelope, FileKind, Genuine, Instant, KeyStatus, Keyring, MAX_LICENCE_BYTES, Product, Reason,
    Refusal, Serial, kind_of, verify, verify_time,
};

/// What is known when a file is offered.
#[derive(Clone, Debug)]
pub struct Standing {
    pub keyring: Keyring,
    pub product: Product,
    pub serial: Option<Serial>,
    /// Another serial that an administrator confirmed.
    pub confirmed: Option<Serial>,
    pub in_use: Option<Genuine>,
    /// The licence that waits to be copied by hand, or is on its way to the folder.
    pub coming: Option<Genuine>,
    pub floor: u64,
    pub floor_digest: Option<Digest>,
    /// What a signed time file has to answer.
    pub challenge: String,
}

/// Something that may be taken.
#[derive(Clone, Debug)]
pub enum Offer {
    Licence(Genuine),
    /// In use already, or on its way: the same payload.
    Present(Genuine),
    Keys {
        keyring: Keyring,
        steps: Vec<Envelope>,
    },
    KeysPresent,
    Time(Instant),
}

impl Standing {
    /// Where no state is kept: judged by what was just found.
    pub fn without_state(keyring: Keyring, product: Product, choice: &Choice) -> Standing {
        let in_use = choice.in_use.as_ref().map(|(genuine, _)| genuine.clone());
        let serial = in_use.as_ref().map(|genuine| genuine.licence().serial.clone());
        Standing {
            keyring,
            product,
            serial,
            confirmed: None,
            in_use,
            coming: None,
            floor: 0,
            floor_digest: None,
            challenge: String::new(),
        }
    }

    /// Judges a file that somebody uploads: a licence, a key list, or a signed time.
    pub fn judge(&self, file: &[u8]) -> Result<Offer, Refusal> {
        if file.len() > MAX_LICENCE_BYTES {
            return Err(Refusal::new(Reason::TooLarge, "The file is larger than 1 MiB."));
        }
        match kind_of(file)? {
            FileKind::Licence => self.judge_licence(file),
            FileKind::Keys => self.judge_keys(file),
            FileKind::Time => {
                let serial = self.serial.as_ref().ok_or_else(|| {
                    Refusal::new(Reason::Serial, "A signed time needs an installation: install the licence first.")
                })?;
                verify_time(file, &self.keyring, &self.product, serial, &self.challenge).map(Offer::Time)
            }
        }
    }

    fn judge_keys(&self, file: &[u8]) -> Result<Offer, Refusal> {
        let (keyring, steps) = self.keyring.advance_chain(file)?;
        Ok(if steps.is_empty() { Offer::KeysPresent } else { Offer::Keys { keyring, steps } })
    }

    fn judge_licence(&self, file: &[u8]) -> Result<Offer, Refusal> {
        let genuine = verify(file, &self.keyring, &self.product)?;
        let licence = genuine.licence();
        let refuse = |reason: Reason, text: &str| {
            Err(Refusal::new(reason, text)
                .about(Some(licence.serial.as_str().to_owned()), Some(licence.sequence.get())))
        };
        let expected = self.serial.as_ref().is_none_or(|fixed| *fixed == licence.serial);
        if !expected && self.confirmed.as_ref() != Some(&licence.serial) {
            return refuse(Reason::Serial, "This licence is for another serial number than this installation's.");
        }
        let same_serial = self.serial.as_ref() == Some(&licence.serial);
        let sequence = licence.sequence.get();
        for known in self.in_use.iter().chain(&self.coming).filter(|known| known.licence().serial == licence.serial) {
            let newest = known.licence().sequence.get();
            if known.digest() == genuine.digest() {
                return Ok(Offer::Present(genuine));
            }
            if sequence == newest {
                return refuse(
                    Reason::SequenceConflict,
                    "A licence with this sequence number is known with other content.",
                );
            }
            if sequence < newest {
                return refuse(Reason::Sequence, "This licence is older than the one that is in use or waits.");
            }
        }
        if same_serial && sequence < self.floor {
            return refuse(Reason::Sequence, "This licence is older than the one that was in use last.");
        }
        if same_serial && sequence == self.floor && self.floor_digest.is_some_and(|known| known != genuine.digest()) {
            return refuse(
                Reason::SequenceConflict,
                "A licence with this sequence number is known with other content.",
            );
        }
        if genuine.key_status() == KeyStatus::Retired {
            return refuse(
                Reason::KeyRetired,
                "The key that signed this licence was retired: only a licence already installed by it stays good.",
            );
        }
        Ok(Offer::Licence(genuine))
    }
}
