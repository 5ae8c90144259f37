//! What is done about an answer.

use crate::agent::log;
use crate::agent::standing::Offer;
use crate::agent::worker::Worker;
use crate::clock;
use crate::licence::{Instant, Moment};
use crate::net::{Reply, Trouble};
use crate::office::{Effect, Enrolment, Line};
use crate::store::handover;

/// Who brings what the back office sends, in the journal.
const BY: &str = "back office";
/// A signed time is taken into the mark again when the last one is so old, or when it moved by so much, in seconds.
const TIME_STEP: u64 = 3_600;
const TIME_OFF: u64 = 60;

impl Worker {
    pub(super) fn take_reply(&mut self, line: Line, reply: Result<Reply, Trouble>) {
        let moment = clock::moment();
        let choice = self.choose();
        self.office.measure(&choice);
        let Some(mut session) = self.office.session.take() else { return };
        if let Some((awaited, since)) = session.talk(line).awaited.take() {
            let elapsed = moment.boot_seconds.saturating_sub(since);
            let heard = session.identity.read(reply, &awaited, &self.memory.keyring, elapsed);
            let facts = self.facts(&session, &choice, &moment);
            let effects = session.plan.heard(line, &facts, heard.clone());
            let again = session.plan.asks_again(line);
            self.office.session = Some(session);
            if line == Line::Short {
                self.judge_run(&heard, again);
            }
            for effect in effects {
                self.act_on(effect, &moment);
            }
        } else {
            self.office.session = Some(session);
        }
        self.settle();
    }

    fn act_on(&mut self, effect: Effect, moment: &Moment) {
        match effect {
            Effect::Time(time) => self.take_time(time, moment),
            Effect::Licence { file, sequence } => self.take_licence(file.as_bytes(), sequence),
            Effect::Keys(lists) => self.take_lists(&lists, moment),
            Effect::Enrolment(state) => {
                self.journal(moment, BY, &format!("the enrolment is {}", state.token()));
                let level = if state == Enrolment::Active { log::INFORMATION } else { log::WARNING };
                self.say(level, format!("The enrolment is {}.", state.token()));
            }
            Effect::Refused(refused) => {
                self.count("refused_by_office");
                self.fail(format!("The back office refuses ({}): {}", refused.reason.token(), refused.detail));
            }
            Effect::Wrong(what) => {
                self.count("wrong_answers");
                self.note(what);
            }
            Effect::Failed(failure) => {
                self.count("failed_requests");
                self.fail(format!("The back office was not reached: {failure}."));
            }
            Effect::CameBack => {
                self.office.failure.clear();
                self.say(log::INFORMATION, "The back office answers.".to_owned());
            }
        }
    }

    /// Said once, however often it happens.
    fn fail(&mut self, what: String) {
        if self.office.failure != what {
            self.say(log::WARNING, what.clone());
            self.office.failure = what;
        }
    }

    fn take_time(&mut self, time: Instant, moment: &Moment) {
        let mark = &self.memory.state.mark;
        let known = mark.signed.as_ref().filter(|signed| signed.boot == moment.boot).is_some_and(|signed| {
            let since = moment.boot_seconds.saturating_sub(signed.boot_seconds);
            let expected = signed.time.saturating_add(i64::try_from(since).unwrap_or(i64::MAX));
            since < TIME_STEP && expected.abs_diff(time.unix()) < TIME_OFF
        });
        if known {
            return;
        }
        let mut state = self.memory.state.clone();
        state.mark.signed(time, moment);
        if let Err(error) = self.memory.save(state) {
            self.trouble("The signed time could not be stored", &error);
        }
    }

    /// A licence that comes this way goes on as one that was uploaded.
    fn take_licence(&mut self, file: &[u8], sequence: u64) {
        let standing = self.memory.standing(&self.choose(), self.coming());
        match standing.judge(file) {
            Ok(Offer::Licence(genuine)) if genuine.licence().sequence.get() == sequence => {
                match handover::put_upload(&self.memory.folder, file, BY) {
                    Ok(_) => self.uploads_waiting = true,
                    Err(error) => self.trouble("The back office's licence could not be stored", &error),
                }
            }
            Ok(Offer::Present(_)) => {}
            Ok(_) => {
                self.count("wrong_answers");
                self.note(format!("What the back office sent as licence {sequence} is something else."));
            }
            Err(refusal) => {
                self.count("wrong_answers");
                let token = refusal.reason.token();
                self.note(format!("Licence {sequence} of the back office was refused ({token}): {}", refusal.detail));
            }
        }
    }

    /// Takes key lists in their order, as far as they fit.
    fn take_lists(&mut self, lists: &[String], moment: &Moment) {
        for list in lists {
            let standing = self.memory.standing(&self.choose(), self.coming());
            match standing.judge(list.as_bytes()) {
                Ok(Offer::Keys { keyring, steps }) => match self.memory.take_keys(keyring, &steps) {
                    Ok(()) => {
                        let version = self.memory.keyring.version();
                        self.journal(moment, BY, &format!("key list {version} was taken"));
                        self.forget_folder();
                        self.keys_to_write = true;
                    }
                    Err(error) => return self.trouble("The key list could not be stored", &error),
                },
                Ok(Offer::KeysPresent) => {}
                Ok(_) => {
                    self.count("wrong_answers");
                    return self.note("What the back office sent as a key list is something else.".to_owned());
                }
                Err(refusal) => {
                    self.count("wrong_answers");
                    let token = refusal.reason.token();
                    return self
                        .note(format!("A key list of the back office was refused ({token}): {}", refusal.detail));
                }
            }
        }
    }
}
