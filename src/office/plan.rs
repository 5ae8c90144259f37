//! When what is said to the back office, and what follows from an answer.
//!
//! A machine of values: [`Plan::next`] is asked what to do, [`Plan::heard`] is told what came of it, and time, facts and the seed for
//! waiting times come in. Two lines are spoken on: short requests, one at a time, and the poll. The runtime has the effects; nothing
//! in here waits, and the same run with the same inputs makes the same requests.
//!
//! Events are hints, the check is the truth: whatever may have been missed (a start, a reconnect, another stream) is made good by a
//! check.

use super::account::{Account, Enrolment};
use super::client::{Failure, Heard};
use super::pace::{Bucket, Jitter, Pace};
use super::protocol::{MIN_HOLD, Nonce, Refused};
use crate::licence::{Digest, Instant, Moment, Serial, hex};

mod answers;

/// Milliseconds.
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// A pending key asks again after this, should no event come.
const PENDING_AGAIN: u64 = 10 * MINUTE;
/// The journal is sent at most so often.
const REPORT_AGAIN: u64 = MINUTE;
/// After "too many wrong codes" without a time.
const THROTTLED: u64 = 15 * 60;
/// Seconds a poll is held: under the minute at which proxies cut.
const HOLD: u64 = 45;
const SHORTEST_CUT: u64 = 15;
/// Polls that were held to their end before a longer one is tried again.
const GOOD_HOLDS: u32 = 20;
/// A connection that was cut sooner was no hold.
const A_HOLD: u64 = 5 * SECOND;
/// Pongs that one poll carries.
const MOST_PONGS: usize = 16;

/// The two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    Short,
    Poll,
}

/// The installed licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub serial: Serial,
    pub sequence: u64,
    /// SHA-256 of its file.
    pub digest: Digest,
}

/// What the plan depends on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Milliseconds by a clock that nobody sets and that goes on in sleep.
    pub now: u64,
    pub moment: Moment,
    /// The best guess at the time before anything was signed, Unix seconds.
    pub time: i64,
    pub installed: Option<Installed>,
    /// Keyed hash of ID and verification code; `None` when one of them is not set.
    pub credentials: Option<String>,
    /// Revision of the settings.
    pub settings: u64,
    pub keys_version: u64,
    /// Chain and number of the newest journal line.
    pub journal: Option<(String, u64)>,
}

/// What to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Enrol,
    Check {
        with_licence: bool,
    },
    /// Journal lines of this chain after that number.
    Report {
        chain: String,
        after: u64,
    },
    Poll {
        stream: Option<Nonce>,
        after: u64,
        /// Seconds.
        hold: u64,
        pongs: Vec<Nonce>,
    },
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A time of this moment, signed.
    Time(Instant),
    /// A licence, with the sequence that was announced for it; not verified yet.
    Licence { file: String, sequence: u64 },
    /// Key lists, oldest first; not verified yet.
    Keys(Vec<String>),
    /// It stands otherwise with the back office now.
    Enrolment(Enrolment),
    /// The back office says no, for this reason and in these words.
    Refused(Refused),
    /// Something that the back office must not say: for the log.
    Wrong(String),
    /// There was no answer.
    Failed(Failure),
    /// There is one again.
    CameBack,
}

#[derive(Clone, Debug)]
struct Attempt {
    ask: Ask,
    began: u64,
    /// It was asked before and is repeated at once: not a third time.
    repeated: bool,
    /// The credentials and the licence that it is about.
    credentials: Option<String>,
    licence: Option<Digest>,
}

#[derive(Debug, Default)]
struct Talk {
    pace: Pace,
    bucket: Bucket,
    under_way: Option<Attempt>,
    /// To be asked once more, at once.
    again: Option<Ask>,
}

pub struct Plan {
    pub account: Account,
    jitter: Jitter,
    short: Talk,
    poll: Talk,
    /// When to check next without a hint; 0 = now.
    check_at: u64,
    /// Something happened that no check has been asked about yet.
    hinted: bool,
    report_at: u64,
    /// The office answered a check since the start: it may be polled.
    answered: bool,
    /// The next check shall bring the licence.
    send_licence: bool,
    /// The licence that the last answered check told of.
    told: Option<Digest>,
    /// The key list that the office has, and what was here when it said so.
    keys: Option<(u64, u64)>,
    stream: Option<(Nonce, u64)>,
    pongs: Vec<Nonce>,
    /// The longest hold that gets through, in seconds.
    hold: u64,
    good_holds: u32,
    /// A poll has failed since the last one that was answered.
    reconnecting: bool,
    /// The last signed time, and when it came.
    signed: Option<(i64, u64)>,
}

impl Plan {
    pub fn new(account: Account, seed: u64) -> Plan {
        Plan {
            account,
            jitter: Jitter::new(seed),
            short: Talk::default(),
            poll: Talk::default(),
            check_at: 0,
            hinted: false,
            report_at: 0,
            answered: false,
            send_licence: false,
            told: None,
            keys: None,
            stream: None,
            pongs: Vec::new(),
            hold: HOLD,
            good_holds: 0,
            reconnecting: false,
            signed: None,
        }
    }

    fn talk(&mut self, line: Line) -> &mut Talk {
        match line {
            Line::Short => &mut self.short,
            Line::Poll => &mut self.poll,
        }
    }

    /// The time for a request: the last signed one and what has passed since; a guess until there is one.
    pub fn time(&self, facts: &Facts) -> Instant {
        let signed = self.signed.map(|(time, came)| {
            let since = facts.now.saturating_sub(came) / SECOND;
            time.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
        });
        Instant::from_unix(signed.unwrap_or(facts.time))
    }

    /// Somebody pressed [Connect]: everything is tried again, now. What is under way on the short line is given up.
    pub fn connect(&mut self) {
        self.account.try_again();
        self.short = Talk { bucket: std::mem::take(&mut self.short.bucket), ..Talk::default() };
        self.poll.pace.good();
        self.check_at = 0;
    }

    /// A line was ended from outside: nothing that was asked on it will be answered.
    pub fn forget(&mut self, line: Line) {
        let talk = self.talk(line);
        talk.under_way = None;
        talk.again = None;
    }

    /// What to say now on a line, if anything. What is returned is under way until [`Plan::heard`] is told.
    pub fn next(&mut self, line: Line, facts: &Facts) -> Option<Ask> {
        if self.talk(line).under_way.is_some() {
            return None;
        }
        self.let_go(facts);
        let repeated = self.talk(line).again.take();
        let ask = match &repeated {
            Some(ask) => ask.clone(),
            None if facts.now < self.talk(line).pace.not_before => return None,
            None => match line {
                Line::Short => self.next_short(facts)?,
                Line::Poll => self.next_poll()?,
            },
        };
        if repeated.is_none() && !self.talk(line).bucket.take(facts.now) {
            return None;
        }
        match &ask {
            Ask::Enrol => self.account.count_try(&facts.moment),
            Ask::Poll { .. } => self.pongs.clear(),
            // What happens from here on, its answer may not know yet.
            Ask::Check { .. } => self.hinted = false,
            Ask::Report { .. } => {}
        }
        self.talk(line).under_way = Some(Attempt {
            ask: ask.clone(),
            began: facts.now,
            repeated: repeated.is_some(),
            credentials: facts.credentials.clone(),
            licence: facts.installed.as_ref().map(|installed| installed.digest),
        });
        Some(ask)
    }

    /// A decision against the key holds until somebody changes a setting.
    fn let_go(&mut self, facts: &Facts) {
        if self.account.enrolment.is_final() && self.account.decided_at != facts.settings {
            self.account.enrolment = Enrolment::None;
        }
    }

    fn next_short(&mut self, facts: &Facts) -> Option<Ask> {
        match self.account.enrolment {
            Enrolment::None => (self.enrol_at(facts)? <= facts.now).then_some(Ask::Enrol),
            Enrolment::Active | Enrolment::Pending => {
                if self.hinted || self.check_at <= facts.now || self.has_news(facts) {
                    return Some(Ask::Check { with_licence: self.send_licence });
                }
                let (chain, after) = self.unreported(facts)?;
                (self.report_at <= facts.now).then_some(Ask::Report { chain, after })
            }
            Enrolment::Declined | Enrolment::Superseded | Enrolment::Revoked => None,
        }
    }

    /// When an attempt to enrol may be made; `None`: not before something changes.
    fn enrol_at(&self, facts: &Facts) -> Option<u64> {
        let credentials = facts.credentials.as_ref()?;
        let installed = facts.installed.as_ref()?;
        let refused = self.account.refused.as_ref() == Some(credentials)
            || self.account.refused_licence.as_deref() == Some(hex(&installed.digest).as_str());
        if refused {
            return None;
        }
        Some(match self.account.may_try(&facts.moment) {
            Ok(()) => facts.now,
            Err(seconds) => facts.now + seconds * SECOND,
        })
    }

    /// Something here that the office does not know, or that it has and that was asked for in parts.
    fn has_news(&self, facts: &Facts) -> bool {
        let installed = facts.installed.as_ref().map(|installed| installed.digest);
        let active = self.account.enrolment == Enrolment::Active;
        let more_keys = self.keys.is_some_and(|(there, then)| facts.keys_version > then && facts.keys_version < there);
        active && self.answered && (installed != self.told || more_keys)
    }

    /// The journal after what is stored there.
    fn unreported(&self, facts: &Facts) -> Option<(String, u64)> {
        if self.account.enrolment != Enrolment::Active || !self.answered {
            return None;
        }
        let (chain, newest) = facts.journal.as_ref()?;
        let after = match &self.account.reported {
            Some((stored, through)) if stored == chain => *through,
            _ => 0,
        };
        (after < *newest).then(|| (chain.clone(), after))
    }

    fn next_poll(&mut self) -> Option<Ask> {
        if !self.account.enrolment.is_known() || !self.answered {
            return None;
        }
        let hold = if self.hold == HOLD { self.jitter.between(HOLD - 5, HOLD + 5) } else { self.hold };
        let (stream, after) = self.stream.clone().map_or((None, 0), |(stream, after)| (Some(stream), after));
        Some(Ask::Poll { stream, after, hold: hold.max(MIN_HOLD), pongs: self.pongs.clone() })
    }

    /// When [`Plan::next`] has to be asked again at the latest, if nothing comes in before; `None`: only then.
    pub fn wakes_at(&self, facts: &Facts) -> Option<u64> {
        let line = |talk: &Talk, wants: Option<u64>| {
            if talk.under_way.is_some() {
                return None;
            }
            if talk.again.is_some() {
                return Some(facts.now);
            }
            Some(wants?.max(talk.pace.not_before).max(talk.bucket.ready_at()))
        };
        let short = match self.account.enrolment {
            Enrolment::None => self.enrol_at(facts),
            state if state.is_known() => {
                let check = if self.hinted || self.has_news(facts) { facts.now } else { self.check_at };
                let report = self.unreported(facts).map(|_| self.report_at);
                Some(report.map_or(check, |report| report.min(check)))
            }
            _ => (self.account.decided_at != facts.settings).then_some(facts.now),
        };
        let poll = (self.account.enrolment.is_known() && self.answered).then_some(facts.now);
        [line(&self.short, short), line(&self.poll, poll)].into_iter().flatten().min()
    }

    /// What came of the last [`Plan::next`] of this line.
    pub fn heard(&mut self, line: Line, facts: &Facts, heard: Result<Heard, Failure>) -> Vec<Effect> {
        let Some(attempt) = self.talk(line).under_way.take() else { return Vec::new() };
        match heard {
            Ok(heard) => self.answered(line, facts, &attempt, heard),
            Err(failure) => self.failed(line, facts, attempt, failure),
        }
    }

    /// What was just heard is no answer yet: the same is asked once more, at once.
    pub fn asks_again(&self, line: Line) -> bool {
        match line {
            Line::Short => self.short.again.is_some(),
            Line::Poll => self.poll.again.is_some(),
        }
    }

    /// A journal that cannot be read is not sent.
    pub fn nothing_to_report(&mut self, facts: &Facts) {
        self.short.under_way = None;
        self.report_at = facts.now + HOUR;
    }
}

#[cfg(test)]
mod tests;
