//! Report: lines of the journal, stored once.

use super::Line;
use super::answer::{Done, No};
use super::check;
use super::prove::Asker;
use crate::domain::{Actor, audit, journals};
use ors::licence::Instant;
use ors::office::protocol::{Kind, Report, Stored};

pub fn answer(line: &Line, asker: &Asker, now: Instant) -> Done {
    let key = check::active(asker)?;
    let report = Report::read(&asker.request.body)?;
    line.presence.heard(key.installation, now);
    let through = line.store.write(|db| -> Result<u64, No> {
        let (through, differs) = journals::store(db, key.installation, &report, now)?;
        if differs {
            let name =
                crate::domain::installations::name(asker.request.product.as_str(), asker.request.serial.as_str());
            audit::record(db, &Actor::Office, "journal", &name, "a line came again with another content", now)?;
            journals::mark_forked(db, key.id, report.first)?;
        }
        Ok(through)
    })?;
    Ok((Kind::Stored, Stored { through }.to_body()))
}
