//! Check: what an installation has, and what is newer.

use super::answer::{Done, No};
use super::prove::Asker;
use super::{Line, Refusal};
use crate::domain::agent_keys::{self, AgentKey};
use crate::domain::enrolment::State;
use crate::domain::installations::{self, Installation, Told};
use crate::domain::licences::{self, Origin};
use crate::domain::{Actor, Problem, journals, key_lists};
use crate::issue;
use ors::licence::Instant;
use ors::office::protocol::{Check, Checked, Kind, MAX_KEY_STEPS, RefusedFor};

/// What is carried in one answer, as it stands in JSON, at most: after base64 and with all the rest it fits into 1 MiB.
const CARRIED: usize = 720 << 10;

pub const ENDED: &str = "Nobody approved this key within 14 days. Press [Connect] to ask again.";

/// The key of somebody who may ask this, whom an administrator let in.
pub fn active(asker: &Asker) -> Result<&AgentKey, Refusal> {
    match &asker.key {
        None => Err(Refusal::new(RefusedFor::UnknownKey, "The back office does not know this key.")),
        Some(key) if key.state == State::Active => Ok(key),
        Some(key) => Err(refused(key.state)),
    }
}

/// Why a key in this state gets nothing.
pub fn refused(state: State) -> Refusal {
    match state {
        State::Active | State::Pending => {
            let detail = "This key waits for an administrator, since the serial number has another one.";
            Refusal { after: Some(600), ..Refusal::new(RefusedFor::Pending, detail) }
        }
        State::Declined => Refusal::new(RefusedFor::Declined, "An administrator refused this key."),
        State::Superseded => Refusal::new(RefusedFor::Superseded, "Another key was approved for this serial number."),
        State::Revoked => Refusal::new(RefusedFor::Revoked, "An administrator revoked this key."),
        State::Ended => Refusal::new(RefusedFor::Declined, ENDED),
    }
}

pub fn answer(line: &Line, asker: &Asker, now: Instant) -> Done {
    let key = active(asker)?;
    let asked = Check::read(&asker.request.body)?;
    let (product, serial) = (asker.request.product.as_str(), asker.request.serial.as_str());
    line.presence.heard(key.installation, now);
    let installation = line.store.read(|db| installations::get(db, product, serial))?;
    remember(line, asker, key, &installation, &asked, now)?;

    let (newest, keys_version, lists) = line.store.read(|db| {
        let newest = licences::newest(db, key.installation)?;
        let version = key_lists::newest(db)?;
        let lists = if version > asked.keys_version { key_lists::after(db, asked.keys_version)? } else { Vec::new() };
        Ok::<_, Problem>((newest, version, lists))
    })?;
    let sequence = newest.as_ref().map_or(0, |kept| kept.sequence);
    let mut checked = Checked {
        sequence,
        digest: newest.as_ref().map(|kept| kept.digest),
        licence: newest.filter(|kept| kept.sequence > asked.sequence.max(asked.waiting)).map(|kept| kept.file),
        keys_version: keys_version.max(line.host_keys().version()),
        keys: Vec::new(),
        send_licence: asked.sequence > sequence,
    };
    let mut carried = checked.licence.as_deref().map_or(0, in_json);
    for (_, list) in lists.into_iter().take(MAX_KEY_STEPS) {
        carried += in_json(&list);
        if carried > CARRIED {
            break;
        }
        checked.keys.push(list);
    }
    Ok((Kind::Checked, checked.to_body()?))
}

/// How many bytes a text takes in JSON.
fn in_json(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t')).count() + 4
}

/// What the check says about the installation; written only when it is news.
fn remember(
    line: &Line,
    asker: &Asker,
    key: &AgentKey,
    installation: &Installation,
    asked: &Check,
    now: Instant,
) -> Result<(), No> {
    let brought = match &asked.licence {
        Some(file) if asked.sequence > installation.newest => Some(higher(line, asker, asked.sequence, file)?),
        _ => None,
    };
    let told = Told {
        installed: asked.sequence,
        waiting: asked.waiting,
        digest: asked.digest.as_ref(),
        keys_version: asked.keys_version,
        product_version: &asked.product_version,
        agent_version: &asked.agent_version,
    };
    let news = line.store.read(|db| installations::is_news(db, installation.id, &told))?;
    let runs = key.runs.last().map(|run| run.instance.as_str()) != Some(asker.request.instance.as_str());
    if !news && !runs && brought.is_none() && asked.journal.is_none() {
        return Ok(());
    }
    let name = installation.name();
    if !news && !runs && brought.is_none() {
        let head = asked.journal.as_ref();
        if line.store.read(|db| journals::is_head(db, key.id, head))? {
            return Ok(());
        }
    }
    line.store.write(|db| -> Result<(), No> {
        if let Some(file) = brought {
            licences::keep(db, installation.id, file.as_bytes(), Origin::Adopted, &Actor::Office, now)?;
        }
        agent_keys::seen(db, key, &asker.request.instance, asker.request.created, now)?;
        if let Some(head) = &asked.journal {
            journals::remember(db, key, &name, head, now)?;
        }
        Ok(installations::told(db, installation.id, &told, now)?)
    })
}

/// A licence with a higher sequence than is known here: verified, and then continued from. A bare number is never believed.
fn higher<'a>(line: &Line, asker: &Asker, sequence: u64, file: &'a str) -> Result<&'a str, Refusal> {
    let no = |detail: String| Refusal::new(RefusedFor::Licence, detail);
    let licence = issue::genuine(file.as_bytes(), &line.ring()).map_err(|problem| no(problem.detail))?;
    let same = licence.product == asker.request.product
        && licence.serial == asker.request.serial
        && licence.sequence.get() == sequence;
    if same {
        Ok(file)
    } else {
        Err(no("The licence that was sent is another than the one that was named.".to_owned()))
    }
}
