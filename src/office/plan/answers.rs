//! What follows from an answer, and from none.

use super::*;
use crate::licence::sha256;
use crate::office::account::Contact;
use crate::office::client::Said;
use crate::office::protocol::{Checked, EventKind, Happened, RefusedFor};

impl Plan {
    pub(super) fn failed(&mut self, line: Line, facts: &Facts, attempt: Attempt, failure: Failure) -> Vec<Effect> {
        if failure.was_called_off() {
            return Vec::new();
        }
        if attempt.ask == Ask::Enrol && !failure.was_sent() {
            self.account.uncount_try();
        }
        if failure.was_stale() && !attempt.repeated && line == Line::Short {
            // As good as not asked.
            if attempt.ask == Ask::Enrol {
                self.account.uncount_try();
            }
            self.short.again = Some(attempt.ask);
            return Vec::new();
        }
        // It is still to be asked.
        self.hinted |= matches!(attempt.ask, Ask::Check { .. });
        let took = facts.now.saturating_sub(attempt.began);
        let mut held = false;
        if let Ask::Poll { hold, pongs, .. } = &attempt.ask {
            self.reconnecting = true;
            held = failure.was_cut() && took >= A_HOLD;
            let got_through = if held { Some(took / SECOND) } else { failure.was_silent().then_some(*hold) };
            if let Some(seconds) = got_through {
                self.hold = (seconds * 7 / 10).clamp(SHORTEST_CUT, HOLD);
                self.good_holds = 0;
            }
            // They were for the office's eyes, which have not seen them.
            let later = std::mem::take(&mut self.pongs);
            self.pongs = pongs.iter().cloned().chain(later).collect();
            self.pongs.drain(..self.pongs.len().saturating_sub(MOST_PONGS));
        }
        let retry_after = failure.retry_after();
        let talk = match line {
            Line::Short => &mut self.short,
            Line::Poll => &mut self.poll,
        };
        if held {
            // Cut by somebody on the way after a while: not a failure, and nobody has to wait.
            talk.pace.good();
        }
        talk.pace.failed(facts.now, retry_after, &mut self.jitter);
        if held {
            return Vec::new();
        }
        self.account.failing = true;
        vec![Effect::Failed(failure)]
    }

    pub(super) fn answered(&mut self, line: Line, facts: &Facts, attempt: &Attempt, heard: Heard) -> Vec<Effect> {
        let mut effects = vec![Effect::Time(heard.server_time)];
        self.signed = Some((heard.server_time.unix(), facts.now));
        self.account.contact = Some(Contact {
            at: facts.moment.local,
            boot: facts.moment.boot.clone(),
            boot_seconds: facts.moment.boot_seconds,
        });
        if std::mem::replace(&mut self.account.failing, false) {
            effects.push(Effect::CameBack);
        }
        if attempt.ask == Ask::Enrol {
            self.account.uncount_try();
        }
        let before = self.account.enrolment;
        match heard.said {
            Said::Enrolled(enrolled) => {
                self.account.organisation = enrolled.organisation;
                self.account.enrolment = if enrolled.pending { Enrolment::Pending } else { Enrolment::Active };
                self.account.refused = None;
                self.check_at = if enrolled.pending { facts.now + PENDING_AGAIN } else { facts.now };
                self.answered = enrolled.pending;
            }
            Said::Checked(checked) => self.checked(facts, attempt, checked, &mut effects),
            Said::Happened(happened) => self.happened(facts, attempt, happened),
            Said::Stored(stored) => self.stored(facts, attempt, stored.through),
            Said::Refused(refused) => self.refused(line, facts, attempt, refused, heard.retry_after, &mut effects),
        }
        if self.account.enrolment != before {
            effects.push(Effect::Enrolment(self.account.enrolment));
        }
        effects
    }

    fn checked(&mut self, facts: &Facts, attempt: &Attempt, checked: Checked, effects: &mut Vec<Effect>) {
        self.short.pace.good();
        self.account.enrolment = Enrolment::Active;
        self.answered = true;
        self.check_at = facts.now + self.jitter.between(5 * HOUR, 7 * HOUR);
        self.told = attempt.licence;
        self.keys = Some((checked.keys_version, facts.keys_version));
        let sent = matches!(attempt.ask, Ask::Check { with_licence: true });
        self.send_licence = checked.send_licence && !sent && attempt.licence.is_some();
        if self.send_licence {
            self.check_at = facts.now;
        }
        if !checked.keys.is_empty() {
            effects.push(Effect::Keys(checked.keys));
        }
        if let Some(file) = checked.licence {
            let installed = facts.installed.as_ref().map_or(0, |installed| installed.sequence);
            if checked.digest != Some(sha256(file.as_bytes())) {
                effects.push(Effect::Wrong(format!(
                    "The licence that came is not the one that was announced as number {}: its digest is another one.",
                    checked.sequence
                )));
            } else if checked.sequence > installed {
                effects.push(Effect::Licence { file, sequence: checked.sequence });
            }
        }
    }

    fn happened(&mut self, facts: &Facts, attempt: &Attempt, happened: Happened) {
        self.poll.pace.good();
        let Ask::Poll { stream, hold, .. } = &attempt.ask else { return };
        let mut check = std::mem::replace(&mut self.reconnecting, false) || *stream != Some(happened.epoch.clone());
        for event in happened.events {
            match event.kind {
                EventKind::Licence | EventKind::Keys | EventKind::Enrolment => check = true,
                EventKind::Probe(probe) if self.pongs.len() < MOST_PONGS => self.pongs.push(probe),
                EventKind::Probe(_) | EventKind::Unknown => {}
            }
        }
        self.stream = Some((happened.epoch, happened.last));
        self.hinted |= check;
        if facts.now.saturating_sub(attempt.began) + SECOND >= hold * SECOND {
            self.good_holds += 1;
            if self.good_holds >= GOOD_HOLDS {
                self.good_holds = 0;
                self.hold = (self.hold * 10 / 7).min(HOLD);
            }
        }
    }

    fn stored(&mut self, facts: &Facts, attempt: &Attempt, through: u64) {
        let Ask::Report { chain, after } = &attempt.ask else { return };
        let newest = facts.journal.as_ref().filter(|(now, _)| now == chain).map_or(*after, |(_, n)| *n);
        let through = through.min(newest);
        if through <= *after {
            // It has taken nothing: not asked again and again.
            self.report_at = facts.now + HOUR;
            return;
        }
        self.short.pace.good();
        self.account.reported = Some((chain.clone(), through));
        self.report_at = if through < newest { facts.now } else { facts.now + REPORT_AGAIN };
    }

    fn refused(
        &mut self,
        line: Line,
        facts: &Facts,
        attempt: &Attempt,
        refused: Refused,
        retry_after: Option<u64>,
        effects: &mut Vec<Effect>,
    ) {
        match refused.reason {
            RefusedFor::Clock | RefusedFor::Nonce if !attempt.repeated => {
                // The time is right now, and each attempt has a nonce of its own.
                self.talk(line).again = Some(attempt.ask.clone());
                return;
            }
            RefusedFor::Pending => {
                self.account.enrolment = Enrolment::Pending;
                self.answered = true;
                self.check_at = facts.now + PENDING_AGAIN;
                self.talk(line).pace.good();
                return;
            }
            RefusedFor::Code => self.account.refused.clone_from(&attempt.credentials),
            RefusedFor::Licence => self.account.refused_licence = attempt.licence.map(|digest| hex(&digest)),
            RefusedFor::Throttled => {
                self.hinted |= matches!(attempt.ask, Ask::Check { .. });
                self.talk(line).pace.wait(facts.now, retry_after.unwrap_or(THROTTLED).max(1));
            }
            RefusedFor::Declined => self.decided(Enrolment::Declined, facts),
            RefusedFor::Superseded => self.decided(Enrolment::Superseded, facts),
            RefusedFor::Revoked => self.decided(Enrolment::Revoked, facts),
            RefusedFor::UnknownKey | RefusedFor::Clock | RefusedFor::Nonce | RefusedFor::Request => {
                if refused.reason == RefusedFor::UnknownKey && attempt.ask != Ask::Enrol {
                    self.account.enrolment = Enrolment::None;
                }
                self.hinted |= matches!(attempt.ask, Ask::Check { .. });
                // With a growing wait: an office that enrols a key and then does not know it would keep us busy for ever.
                let talk = match line {
                    Line::Short => &mut self.short,
                    Line::Poll => &mut self.poll,
                };
                talk.pace.failed(facts.now, retry_after, &mut self.jitter);
            }
        }
        effects.push(Effect::Refused(refused));
    }

    fn decided(&mut self, against: Enrolment, facts: &Facts) {
        self.account.enrolment = against;
        self.account.decided_at = facts.settings;
        self.answered = false;
        self.stream = None;
    }
}
