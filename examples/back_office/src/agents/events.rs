//! Events: the long poll. It is looked at twice, when it comes and when it is woken, and parked in between with as little as
//! possible.

use super::answer::{Heard, No, To};
use super::hub::Bell;
use super::prove::Asker;
use super::{Line, check};
use crate::domain::Problem;
use crate::domain::agent_keys;
use crate::domain::enrolment::State;
use crate::domain::events as hints;
use ors::licence::Instant;
use ors::office::protocol::{Event, Events, Happened, Kind, STATEMENT_LIFE};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What comes of a poll when it arrives.
pub enum Begun {
    Now(Kind, Value),
    Park(Parked),
}

/// A parked poll. Whoever holds it waits for `bell` or `hold`, and then calls [`Line::wake_up`].
pub struct Parked {
    pub bell: Arc<Bell>,
    pub hold: Duration,
    to: To,
    installation: i64,
    organisation: Option<i64>,
    after: u64,
}

pub fn begin(line: &Line, asker: &Asker, now: Instant) -> Result<Begun, No> {
    let key = match (&asker.key, check::active(asker)) {
        // A key that waits may poll: it hears when it is decided.
        (Some(key), Err(_)) if key.state == State::Pending => key,
        (_, Ok(key)) => key,
        (_, Err(refusal)) => return Err(refusal.into()),
    };
    let asked = Events::read(&asker.request.body)?;
    let active = key.state == State::Active;
    if active {
        line.presence.heard(key.installation, now);
        line.presence.pong(key.installation, &asked.pongs);
    }
    if key.runs.last().map(|run| run.instance.as_str()) != Some(asker.request.instance.as_str()) {
        line.store.write(|db| agent_keys::seen(db, key, &asker.request.instance, asker.request.created, now))?;
    }
    let mut parked = Parked {
        bell: Arc::default(),
        hold: Duration::from_secs(asked.hold),
        to: To { life: STATEMENT_LIFE + i64::try_from(asked.hold).unwrap_or_default(), ..asker.to.clone() },
        installation: key.installation,
        organisation: key.organisation,
        after: asked.after,
    };
    if asked.leaving {
        if active {
            line.presence.leave(key.installation);
        }
        return now_with(line, Vec::new(), asked.after);
    }
    if asked.epoch.as_ref() != Some(&line.epoch) {
        let newest = line.store.read(hints::newest)?;
        return now_with(line, Vec::new(), newest);
    }
    parked.bell = line.hub.park(key.id, key.installation, key.organisation);
    let events = match line.happened(&parked, active, now) {
        Ok(events) => events,
        Err(problem) => {
            line.hub.leave(parked.installation, &parked.bell);
            return Err(problem.into());
        }
    };
    if let Some(last) = events.last() {
        line.hub.leave(parked.installation, &parked.bell);
        let last = last.id;
        return now_with(line, events, last);
    }
    line.presence.park(parked.installation);
    Ok(Begun::Park(parked))
}

fn now_with(line: &Line, events: Vec<Event>, last: u64) -> Result<Begun, No> {
    Ok(Begun::Now(Kind::Events, Happened { epoch: line.epoch.clone(), last, events }.to_body()))
}

impl Line {
    fn happened(&self, parked: &Parked, active: bool, now: Instant) -> Result<Vec<Event>, Problem> {
        let asker = hints::Asker { installation: parked.installation, organisation: parked.organisation, active };
        self.store.read(|db| hints::after(db, asker, parked.after, now))
    }

    /// Answers a poll that was parked; nothing when it was rung for an event that it knows, so that it goes on waiting.
    /// `over`: it has waited for as long as it asked for.
    pub fn wake_up(&self, parked: &Parked, over: bool, now: Instant) -> Option<Heard> {
        let last = over || parked.bell.is_last();
        let done = self.woken(parked, now);
        let nothing = matches!(&done, Ok(happened) if happened.events.is_empty());
        let done = done.map(|happened| (Kind::Events, happened.to_body()));
        (last || !nothing).then(|| self.said(&parked.to, done, now))
    }

    fn woken(&self, parked: &Parked, now: Instant) -> Result<Happened, No> {
        let to = &parked.to;
        // The key may have been decided about meanwhile.
        let find =
            |db: &rusqlite::Connection| agent_keys::find(db, to.key.as_str(), to.product.as_str(), to.serial.as_str());
        let active = self.store.read(find)?.is_some_and(|key| key.state == State::Active);
        let events = self.happened(parked, active, now)?;
        let last = events.last().map_or(parked.after, |event| event.id);
        Ok(Happened { epoch: self.epoch.clone(), last, events })
    }

    /// A parked poll ended; `gone`: its connection was closed under it.
    pub fn unpark(&self, parked: &Parked, gone: bool) {
        self.hub.leave(parked.installation, &parked.bell);
        self.presence.unpark(parked.installation, gone);
    }
}
