//! Enrol: a key is made known, by somebody who has the code and the licence.

use super::answer::{Done, No};
use super::prove::Asker;
use super::{Line, Refusal};
use crate::domain::enrolment::State;
use crate::domain::installations::{self, Installation, New, Told};
use crate::domain::licences::{self, Origin};
use crate::domain::{Actor, agent_keys, organisations};
use crate::issue;
use crate::throttle::By;
use ors::licence::{Instant, Licence, text};
use ors::office::protocol::{Enrol, Enrolled, Kind, RefusedFor};
use rusqlite::Connection;
use std::net::IpAddr;

/// Says nothing about which of the two is wrong, or whether the serial number is another organisation's.
const WRONG_CODE: &str = "The ID or the verification code is not right.";

pub fn answer(line: &Line, asker: &Asker, from: IpAddr, now: Instant) -> Done {
    let asked = Enrol::read(&asker.request.body)?;
    let (product, serial) = (asker.request.product.as_str(), asker.request.serial.as_str());
    let by = [By::address(from), By::Name(installations::name(product, serial))];
    if let Some(seconds) = line.throttle.closed(&by, now) {
        let detail = format!("Too many wrong codes. Try again in {} minutes.", seconds / 60 + 1);
        return Err(Refusal { after: Some(seconds), ..Refusal::new(RefusedFor::Throttled, detail) }.into());
    }
    let wrong_code = || {
        line.throttle.wrong(&by, now);
        Refusal::new(RefusedFor::Code, WRONG_CODE)
    };
    let named = line.store.read(|db| organisations::named_by(db, &asked.organisation, asked.code.expose()))?;
    let Some((organisation, name)) = named else { return Err(wrong_code().into()) };
    let licence = proves(line, asker, asked.licence.as_bytes())?;

    let state = line.store.write(|db| -> Result<Option<State>, No> {
        let Some(installation) = installation(db, &licence, organisation, now)? else { return Ok(None) };
        let state = agent_keys::enrol(db, &asker.public, product, serial, now)?;
        let state = state.ok_or_else(|| Refusal {
            after: Some(3600),
            ..Refusal::new(RefusedFor::Throttled, "Too many keys wait for approval for this serial number.")
        })?;
        if state == State::Active {
            brought(db, &installation, &licence, &asked, now)?;
        }
        Ok(Some(state))
    })?;
    let Some(state) = state else { return Err(wrong_code().into()) };
    match state {
        State::Active | State::Pending => {
            let enrolled = Enrolled { pending: state == State::Pending, organisation: name };
            Ok((Kind::Enrolled, enrolled.to_body()))
        }
        State::Ended => Err(Refusal::new(RefusedFor::Declined, super::check::ENDED).into()),
        decided => Err(super::check::refused(decided).into()),
    }
}

/// The licence, if it is a genuine one of this very serial number.
fn proves(line: &Line, asker: &Asker, file: &[u8]) -> Result<Licence, Refusal> {
    let no = |detail: String| Refusal::new(RefusedFor::Licence, detail);
    let licence = issue::genuine(file, &line.ring()).map_err(|problem| no(text::clean(&problem.detail, 300)))?;
    if licence.product != asker.request.product || licence.serial != asker.request.serial {
        return Err(no("The licence that was sent is for another serial number.".to_owned()));
    }
    Ok(licence)
}

/// The installation of a genuine licence: a known one of this organisation, or a new one. `None`: another organisation's.
fn installation(
    db: &Connection,
    licence: &Licence,
    organisation: i64,
    now: Instant,
) -> Result<Option<Installation>, No> {
    let (product, serial) = (licence.product.as_str(), licence.serial.as_str());
    let Some(known) = installations::find(db, product, serial)? else {
        let customer = if licence.customer.trim().is_empty() { serial } else { &licence.customer };
        let organisation = Some(organisation);
        let new = New { product: &licence.product, serial: &licence.serial, customer, organisation, draft: None };
        installations::add(db, &new, &Actor::Office, now)?;
        return Ok(installations::find(db, product, serial)?);
    };
    match installations::organisation_id(db, known.id)? {
        Some(other) if other != organisation => return Ok(None),
        Some(_) => {}
        None => installations::set_organisation(db, known.id, organisation)?,
    }
    Ok(Some(known))
}

/// What the licence that proves the serial number tells: with a higher sequence than is known here, it is continued from.
fn brought(
    db: &Connection,
    installation: &Installation,
    licence: &Licence,
    asked: &Enrol,
    now: Instant,
) -> Result<(), No> {
    let sequence = licence.sequence.get();
    if sequence > installation.newest {
        licences::keep(db, installation.id, asked.licence.as_bytes(), Origin::Adopted, &Actor::Office, now)?;
    }
    let told = Told {
        installed: sequence,
        waiting: 0,
        digest: Some(&ors::licence::sha256(asked.licence.as_bytes())),
        keys_version: installations::keys_version(db, installation.id)?,
        product_version: &asked.product_version,
        agent_version: &asked.agent_version,
    };
    Ok(installations::told(db, installation.id, &told, now)?)
}
