//! The requests: what the plan asks for, made of what is known here, and signed.

use super::{limits, nonce};
use crate::agent::line::Letter;
use crate::agent::seed::Seed;
use crate::agent::worker::Worker;
use crate::licence::{Choice, Genuine, Instant, Refusal};
use crate::office::protocol::{Check, Code, Enrol, Events, JournalHead, Report, Verb};
use crate::office::{Ask, Awaited, Identity};
use crate::store::{NoTraces, Settings, journal};
use serde_json::Value;
use zeroize::Zeroizing;

/// Bytes of journal lines in one report: two encodings later they still fit into a message.
const MOST_REPORTED: usize = 200 << 10;

/// What the product says of itself to the back office.
const AGENT_VERSION: &str = env!("CARGO_PKG_VERSION");

impl Worker {
    /// The request for `ask`; `None`: there is nothing to say after all.
    pub(super) fn request(
        &self,
        identity: &Identity,
        ask: &Ask,
        created: Instant,
        choice: &Choice,
    ) -> Result<Option<(Letter, Awaited)>, String> {
        let _no_traces = NoTraces::from_here();
        let Some(address) = &self.options.office else { return Ok(None) };
        let seed = Seed::open(&self.memory.folder).map_err(|_| "The installation's key cannot be read.".to_owned())?;
        let key = seed.key();
        if key.public().id() != identity.key {
            return Err("The installation's key is another one than before.".to_owned());
        }
        let installed = choice.in_use.as_ref().map(|(genuine, _)| genuine);
        let large = |refusal: Refusal| format!("A request to the back office cannot be made: {refusal}");
        let (verb, body, hold) = match ask {
            Ask::Enrol => {
                let secrets = Settings::open_secrets(&self.memory.folder)
                    .map_err(|error| format!("The verification code cannot be read: {error}."))?;
                let (Some(organisation), Some(code)) =
                    (&self.memory.settings.organisation_id, secrets.verification_code)
                else {
                    return Ok(None);
                };
                let enrol = Enrol {
                    organisation: organisation.clone(),
                    code: Code::new(Zeroizing::new(code.expose().to_owned())),
                    public: key.public(),
                    product_version: self.product_version(),
                    agent_version: AGENT_VERSION.to_owned(),
                    licence: file_of(installed).ok_or("There is no licence to enrol with.")?,
                };
                (Verb::Enrol, enrol.to_body().map_err(large)?, None)
            }
            Ask::Check { with_licence } => (Verb::Check, self.check(installed, *with_licence).map_err(large)?, None),
            Ask::Report { chain, after } => match self.report(chain, *after) {
                Some(report) => (Verb::Report, report.to_body(), None),
                None => return Ok(None),
            },
            Ask::Poll { stream, after, hold, pongs } => {
                let events =
                    Events { epoch: stream.clone(), after: *after, hold: *hold, pongs: pongs.clone(), leaving: false };
                (Verb::Events, events.to_body(), Some(*hold))
            }
        };
        let nonce = nonce().ok_or("The system has no random numbers.")?;
        let (body, awaited) = identity.request(verb, body, nonce, created, &key).map_err(large)?;
        let url = format!("{}{}", address.url, verb.path());
        Ok(Some((Letter { url, body, limits: limits(hold), watched: false }, awaited)))
    }

    fn check(&self, installed: Option<&Genuine>, with_licence: bool) -> Result<Value, Refusal> {
        let waiting = self.memory.waiting.as_ref().map_or(0, |waiting| waiting.genuine.licence().sequence.get());
        let check = Check {
            sequence: installed.map_or(0, |genuine| genuine.licence().sequence.get()),
            digest: self.office.digest(),
            waiting,
            keys_version: self.memory.keyring.version(),
            journal: self.parts().journal.map(|journal| {
                let (chain, n, hash) = journal.head();
                JournalHead { chain, n, hash }
            }),
            product_version: self.product_version(),
            agent_version: AGENT_VERSION.to_owned(),
            licence: file_of(installed).filter(|_| with_licence),
        };
        check.to_body()
    }

    fn report(&self, chain: &str, after: u64) -> Option<Report> {
        use crate::office::protocol::{MAX_LINE_BYTES, MAX_REPORT_LINES};
        let found =
            journal::lines_after(self.memory.folder.path(), chain, after, MAX_REPORT_LINES, MOST_REPORTED).ok()?;
        let fits = |line: &String| line.len() <= MAX_LINE_BYTES;
        let lines: Vec<String> = found.lines.into_iter().take_while(fits).collect();
        (!lines.is_empty()).then(|| Report { chain: chain.to_owned(), first: found.first, lines })
    }

    fn product_version(&self) -> String {
        self.memory.settings.product_version.clone().unwrap_or_default()
    }
}

/// The installed licence's file; licences are JSON, so that it is a text.
fn file_of(installed: Option<&Genuine>) -> Option<String> {
    installed.and_then(|genuine| String::from_utf8(genuine.bytes().to_vec()).ok())
}
