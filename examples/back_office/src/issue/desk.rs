//! The steps of an issue, over the database and the signer.

use super::change::{Before, Change, Terms, next};
use super::preview::{self, Preview};
use crate::domain::installations::{self, Installation};
use crate::domain::licences::{self, Kept, Open, Origin};
use crate::domain::{Actor, Kind, Outcome, Problem};
use crate::signer::{Client, Name, No, Unanswered};
use crate::store::Store;
use ors::licence::{Instant, Keyring, Licence, Product, Serial, sha256, verify};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

/// What is ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub product: String,
    pub serial: String,
    #[serde(default)]
    pub change: Change,
    /// The sequence that the order was made from (0: there was none). With another one newest, nothing is issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<u64>,
    /// Names this order for ever: ordered twice under one name, it is issued once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// What came of an order.
#[derive(Clone, Debug)]
pub struct Issued {
    pub licence: Licence,
    pub kept: Kept,
    /// The order was carried out before, under the same name.
    pub repeated: bool,
}

/// Where licences are issued.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub store: &'a Store,
    pub signer: &'a Client,
}

impl Desk<'_> {
    /// What an order would do. Nothing is changed.
    ///
    /// # Errors
    /// As [`Desk::issue`], as far as it can be known before.
    pub fn preview(&self, order: &Order, language: Option<&str>, now: Instant) -> Outcome<Preview> {
        self.store.read(|db| {
            let installation = installations::get(db, &order.product, &order.serial)?;
            let newest = licences::newest(db, installation.id)?.map(|kept| kept.licence()).transpose()?;
            let after = follows(db, &installation, newest.as_ref(), order, now)?;
            let installed = licences::get(db, installation.id, installation.installed)?;
            let installed = installed.map(|kept| kept.licence()).transpose()?;
            Ok(preview::preview(&installation, newest.as_ref(), installed.as_ref(), after, language, now))
        })
    }

    /// Issues the next licence.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Conflict`, `Limit`, `Signer`, `Store`. Nothing is issued then, unless the sentence says that it
    /// will be as soon as the signer answers.
    pub fn issue(&self, order: &Order, by: &Actor, now: Instant) -> Outcome<Issued> {
        let asked_for = sha256(&serde_json::to_vec(order).unwrap_or_default());
        if let Some(request) = &order.request {
            crate::domain::plain_text("request", request)?;
            if let Some(issued) = self.before(request, &asked_for)? {
                return Ok(issued);
            }
        }
        let installation = self.store.read(|db| installations::get(db, &order.product, &order.serial))?;
        self.finish_open(&installation, now)?;
        self.agree(&installation, now)?;
        let open = self.store.write(|db| {
            let installation = installations::get(db, &order.product, &order.serial)?;
            let newest = licences::newest(db, installation.id)?.map(|kept| kept.licence()).transpose()?;
            let after = follows(db, &installation, newest.as_ref(), order, now)?;
            let open = Open {
                installation: installation.id,
                sequence: after.sequence.get(),
                payload: after.to_json(),
                actor: by.to_string(),
                asked: now,
            };
            licences::open(db, &open, order.request.as_deref())?;
            if let Some(request) = &order.request {
                licences::remember_request(db, request, &asked_for, installation.id, open.sequence, now)?;
            }
            Ok::<_, Problem>(open)
        })?;
        self.finish(&open, Some(by), now)
    }

    /// What an order under this name came to, if there was one.
    fn before(&self, request: &str, asked_for: &[u8; 32]) -> Outcome<Option<Issued>> {
        let found = self.store.read(|db| {
            let Some((known, installation, sequence)) = licences::requested(db, request)? else { return Ok(None) };
            if known != *asked_for {
                return Err(Problem::conflict(format!("The request {request} was used for another order.")));
            }
            let kept = licences::get(db, installation, sequence)?;
            Ok(Some((kept, licences::opened(db, installation)?)))
        })?;
        match found {
            None => Ok(None),
            Some((Some(kept), _)) => Ok(Some(Issued { licence: kept.licence()?, kept, repeated: true })),
            Some((None, Some(open))) => {
                self.finish(&open, None, crate::now()).map(|issued| Some(Issued { repeated: true, ..issued }))
            }
            Some((None, None)) => Err(Problem::conflict("This order was refused a moment ago. Order again.")),
        }
    }

    /// Finishes what was begun for an installation and not ended, by whatever process.
    fn finish_open(&self, installation: &Installation, now: Instant) -> Outcome<()> {
        match self.store.read(|db| licences::opened(db, installation.id))? {
            Some(open) => self.finish(&open, None, now).map(drop),
            None => Ok(()),
        }
    }

    /// Finishes every issue that was begun before a moment. Returns how many, and the first that could not be.
    ///
    /// # Errors
    /// `Store`.
    pub fn finish_all(&self, begun_before: Instant, now: Instant) -> Outcome<(usize, Option<Problem>)> {
        let (mut done, mut first) = (0, None);
        for open in self.store.read(|db| licences::all_opened(db, begun_before))? {
            match self.finish(&open, None, now) {
                Ok(_) => done += 1,
                Err(problem) => first = first.or(Some(problem)),
            }
        }
        Ok((done, first))
    }

    /// Has it signed, keeps it, tells the agent. Done twice, or by two at a time, it comes to the same.
    fn finish(&self, open: &Open, by: Option<&Actor>, now: Instant) -> Outcome<Issued> {
        let file = match self.signer.sign(&open.payload) {
            Ok(file) => file,
            Err(unanswered) => return Err(self.not_signed(open, &unanswered)),
        };
        let begun_by = Actor::Recorded(open.actor.clone());
        let kept = self.store.write(|db| {
            let by = by.unwrap_or(&begun_by);
            let licence = licences::keep(db, open.installation, file.as_bytes(), Origin::Issued, by, now)?;
            licences::close(db, open.installation)?;
            installations::set_registered(db, open.installation, true)?;
            let kept = licences::get(db, open.installation, open.sequence)?;
            let kept =
                kept.ok_or_else(|| Problem::conflict("The licence that was issued is not the one that was ordered."))?;
            Ok(Issued { licence, kept, repeated: false })
        });
        if kept.as_ref().is_err_and(|problem: &Problem| problem.kind == Kind::Conflict) {
            // The agent brought another licence with this sequence meanwhile. It stays, and the next order continues from it.
            self.withdraw(open, false)?;
        }
        kept
    }

    /// The open issue comes to nothing.
    fn withdraw(&self, open: &Open, unregistered: bool) -> Outcome<()> {
        self.store.write(|db| {
            licences::close(db, open.installation)?;
            licences::forget_request(db, open.installation, open.sequence)?;
            if unregistered {
                installations::set_registered(db, open.installation, false)?;
            }
            Ok(())
        })
    }

    fn not_signed(&self, open: &Open, unanswered: &Unanswered) -> Problem {
        if let Unanswered::Unknown(_) = unanswered {
            let later = "It will be issued as soon as the signer answers; do not order it again.";
            return Problem::signer(format!("{unanswered} {later}"));
        }
        let unregistered = matches!(unanswered, Unanswered::No(No::UnknownSerial { .. }));
        if let Err(problem) = self.withdraw(open, unregistered) {
            return problem;
        }
        match unanswered {
            Unanswered::No(No::Limit { detail }) => Problem::limit(detail.clone()),
            Unanswered::No(No::UnknownSerial { detail }) => Problem::conflict(detail.clone()),
            Unanswered::No(No::Sequence { detail, .. }) => Problem::conflict(format!("{detail} Look again.")),
            other => Problem::signer(other.to_string()),
        }
    }

    /// Makes database and signer agree on the last sequence, whichever of them an older copy was restored of.
    ///
    /// # Errors
    /// `Signer`, `Store`; `Conflict` when licences were put back, so that an order was made from an older one.
    pub fn agree(&self, installation: &Installation, now: Instant) -> Outcome<()> {
        let name = Name::new(&installation.product, &installation.serial);
        let last = match self.signer.last(&name) {
            Ok(last) => last,
            Err(unanswered) => {
                if let Unanswered::No(No::UnknownSerial { detail }) = unanswered {
                    self.store.write(|db| installations::set_registered(db, installation.id, false))?;
                    return Err(Problem::conflict(detail));
                }
                return Err(Problem::signer(unanswered.to_string()));
            }
        };
        let newest = self.store.read(|db| licences::newest(db, installation.id))?;
        let have = newest.as_ref().map_or(0, |kept| kept.sequence);
        if let Some(newest) = newest.filter(|newest| newest.sequence > last) {
            self.signer.adopt(&newest.file).map_err(|unanswered| Problem::signer(unanswered.to_string()))?;
        }
        let (mut recovered, mut from) = (0, have + 1);
        while from <= last {
            let file = match self.signer.signed(&name, from) {
                Ok(file) => file,
                Err(Unanswered::No(No::Record { .. })) => break,
                Err(unanswered) => return Err(Problem::signer(unanswered.to_string())),
            };
            let keep = |db: &Connection| {
                licences::keep(db, installation.id, file.as_bytes(), Origin::Recovered, &Actor::Office, now)
            };
            from = self.store.write(keep)?.sequence.get() + 1;
            recovered += 1;
        }
        if recovered == 0 {
            return Ok(());
        }
        Err(Problem::conflict(format!(
            "{recovered} newer licences of this installation were found in the signer's record and put back. Look again: the \
             newest has the sequence {last}."
        )))
    }

    /// Takes a licence that somebody brings: genuine, of a known installation.
    ///
    /// # Errors
    /// `Invalid` when it is not genuine; `NotFound`, `Conflict`, `Store`.
    pub fn adopt(&self, file: &[u8], trusted: &Keyring, by: &Actor, now: Instant) -> Outcome<Licence> {
        let licence = genuine(file, trusted)?;
        self.store.write(|db| {
            let installation = installations::get(db, licence.product.as_str(), licence.serial.as_str())?;
            licences::keep(db, installation.id, file, Origin::Adopted, by, now)
        })
    }
}

/// What a genuine licence says that agents can be sent.
///
/// # Errors
/// `Invalid`.
pub fn genuine(file: &[u8], trusted: &Keyring) -> Outcome<Licence> {
    let refused = |detail: &str| Problem::invalid("licence", format!("is refused: {detail}"));
    if file.len() > ors::office::protocol::MAX_CARRIED_BYTES {
        return Err(refused("It is larger than agents take."));
    }
    let content = ors::licence::Envelope::parse(file).and_then(|envelope| Licence::parse(&envelope.payload));
    let product = content.map_err(|refusal| refused(&refusal.detail))?.product;
    let genuine = verify(file, trusted, &product).map_err(|refusal| refused(&refusal.detail))?;
    Ok(genuine.licence().clone())
}

/// The licence that an order makes of the newest one.
fn follows(
    db: &Connection,
    installation: &Installation,
    newest: Option<&Licence>,
    order: &Order,
    now: Instant,
) -> Outcome<Licence> {
    let have = newest.map_or(0, |licence| licence.sequence.get());
    if let Some(based_on) = order.based_on.filter(|based_on| *based_on != have) {
        return Err(Problem::conflict(format!(
            "The order was made from sequence {based_on}, and the newest licence now has {have}. Look again."
        )));
    }
    if let Some(newest) = newest {
        return next(&Before::Licence(newest), &order.change, now);
    }
    let wrong = |member: &str, error: ors::licence::NameError| Problem::invalid(member, error.0);
    let product = Product::parse(&installation.product).map_err(|error| wrong("product", error))?;
    let serial = Serial::parse(&installation.serial).map_err(|error| wrong("serial", error))?;
    let draft = installations::draft(db, installation.id)?;
    let terms: Option<Terms> = draft.as_deref().and_then(|draft| serde_json::from_str(draft).ok());
    let customer = installation.customer.as_str();
    next(&Before::Nothing { product: &product, serial: &serial, customer, terms: terms.as_ref() }, &order.change, now)
}
