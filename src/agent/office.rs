//! The leader's talk with the back office: sessions, lines, and the account that is kept.
//!
//! What to say and when is [`crate::office::Plan`]'s; here its requests are signed and handed to the two lines ([`super::line`]), and
//! what it makes of the answers is done. A session lasts for as long as this process leads and the service is enabled; whatever a line
//! of an earlier one still brings is not listened to. A process that does not lead only reads the account.

mod effects;
mod requests;
mod run;

use super::line::{self, News, Way, What};
use super::registry::registry;
use super::seed::{NoSeed, Seed};
use super::worker::Worker;
use run::Runs;
use crate::clock;
use crate::licence::{Choice, Digest, Moment, Serial, sha256};
use crate::net::{Limits, Trust};
use crate::office::protocol::Nonce;
use crate::office::{Account, Awaited, Facts, Identity, Installed, Line, Plan};
use crate::store::document::{self, Stamp};
use crate::store::{NoTraces, Settings, StateFolder};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The document of the account.
const ACCOUNT: &str = "office";
/// The last contact alone is written this seldom, in seconds: it moves with every poll.
const CONTACT_STEP: i64 = 300;
/// Whatever the plan wants, there is a breath between two looks at it.
const SHORTEST_REST: Duration = Duration::from_millis(20);
const BOTH: [Line; 2] = [Line::Short, Line::Poll];

/// All that a worker has to do with the back office.
pub struct Office {
    session: Option<Session>,
    /// Lines of sessions that were ended, and have not told their own end yet.
    ending: usize,
    /// As it lies on the disk.
    account: Account,
    revision: u64,
    stamp: Option<Stamp>,
    /// What failed last, for people; empty when nothing does.
    pub(super) failure: String,
    /// When the plan wants to be asked again.
    wakes: Option<Instant>,
    runs: Runs,
    /// The file of the licence in use, with its SHA-256: it may be large, and is asked for each second.
    installed: Option<(Arc<[u8]>, Digest)>,
}

struct Session {
    number: u64,
    plan: Plan,
    identity: Identity,
    lines: [Talk; 2],
    way: Way,
    /// The keyed hash of ID and code, and the revision of the settings that they are of.
    credentials: Option<(u64, Option<String>)>,
}

/// One line of a session.
struct Talk {
    desk: Arc<line::Desk>,
    /// What is under way, and since when (boot-time seconds).
    awaited: Option<(Awaited, u64)>,
}

impl Session {
    fn talk(&mut self, line: Line) -> &mut Talk {
        let [short, poll] = &mut self.lines;
        match line {
            Line::Short => short,
            Line::Poll => poll,
        }
    }
}

impl Office {
    pub fn new() -> Office {
        Office {
            session: None,
            ending: 0,
            account: Account::default(),
            revision: 0,
            stamp: None,
            failure: String::new(),
            wakes: None,
            runs: Runs::default(),
            installed: None,
        }
    }

    /// As it stands: the session's, else the one on the disk.
    pub fn account(&self) -> &Account {
        self.session.as_ref().map_or(&self.account, |session| &session.plan.account)
    }

    /// Whether lines are up, and whether any is still going down.
    pub fn lines(&self) -> (bool, bool) {
        (self.session.is_some(), self.ending > 0)
    }

    /// When there is something to say, if that is before `other`.
    pub fn wakes_before(&self, other: Instant) -> Instant {
        self.wakes.map_or(other, |wakes| wakes.min(other))
    }

    /// Measures the licence in use, when it is another one than before.
    fn measure(&mut self, choice: &Choice) {
        let bytes = choice.in_use.as_ref().map(|(genuine, _)| genuine.bytes());
        let known = self.installed.as_ref().map(|(bytes, _)| bytes);
        let same = match (bytes, known) {
            (Some(bytes), Some(known)) => Arc::ptr_eq(bytes, known),
            (bytes, known) => bytes.is_none() && known.is_none(),
        };
        if !same {
            self.installed = bytes.map(|bytes| (bytes.clone(), sha256(bytes)));
        }
    }

    /// SHA-256 of the file of the licence in use.
    fn digest(&self) -> Option<Digest> {
        self.installed.as_ref().map(|(_, digest)| *digest)
    }

    fn load(&mut self, folder: &StateFolder) -> Option<String> {
        self.stamp = Some(document::stamp(folder, ACCOUNT));
        match document::read::<Account>(folder, ACCOUNT) {
            Ok(read) => {
                self.revision = read.revision;
                self.account = read.value.unwrap_or_default();
                (!read.damaged.is_empty()).then(|| {
                    format!("A damaged copy of the back office's account is not used: {}.", read.damaged.join(", "))
                })
            }
            Err(error) => Some(format!("The back office's account cannot be read: {error}.")),
        }
    }
}

/// The account as it lies in a state folder; none where it cannot be read.
pub fn account_in(folder: &StateFolder) -> Account {
    document::read::<Account>(folder, ACCOUNT).ok().and_then(|read| read.value).unwrap_or_default()
}

impl Worker {
    /// Reads the account anew when another process wrote it.
    pub(super) fn follow_account(&mut self) {
        if self.office.session.is_some() {
            return;
        }
        let stamp = document::stamp(&self.memory.folder, ACCOUNT);
        if self.office.stamp != Some(stamp)
            && let Some(note) = self.office.load(&self.memory.folder)
        {
            self.note(note);
        }
    }

    /// Begins, goes on with, or ends the talk, as it has to be now.
    pub(super) fn talk(&mut self, choice: &Choice, moment: &Moment) {
        let used = choice.in_use.as_ref().map(|(genuine, _)| genuine.licence().serial.clone());
        let serial = used.or_else(|| self.memory.serial());
        let wanted =
            self.memory.settings.enabled && self.options.office.is_some() && self.leads() && !self.restarting;
        let same =
            self.office.session.as_ref().is_some_and(|session| Some(&session.identity.serial) == serial.as_ref());
        if self.office.session.is_some() && !(wanted && same) {
            self.hang_up();
        }
        if let (true, None, Some(serial)) = (wanted, &self.office.session, serial) {
            self.begin_talk(serial, moment);
        }
        self.office.measure(choice);
        self.run_if_asked(choice, moment);
        for line in BOTH {
            self.say_next(line, choice, moment);
        }
        self.store_account();
        let wakes = self.office.session.as_ref().and_then(|session| {
            let facts = self.facts(session, choice, moment);
            session.plan.wakes_at(&facts).map(|at| at.saturating_sub(facts.now))
        });
        self.office.wakes = wakes.map(|wait| Instant::now() + Duration::from_millis(wait).max(SHORTEST_REST));
    }

    fn begin_talk(&mut self, serial: Serial, moment: &Moment) {
        let Some(address) = self.options.office.clone() else { return };
        if let Some(note) = self.office.load(&self.memory.folder) {
            self.note(note);
        }
        let Some(instance) = nonce() else { return self.note("The system has no random numbers.".to_owned()) };
        let mut account = self.office.account.clone();
        if account.serial.as_deref() != Some(serial.as_str()) {
            // Another installation is another key.
            account = Account::of(serial.as_str());
        }
        let seed = match (Seed::open(&self.memory.folder), account.fingerprint.is_some()) {
            (Ok(seed), true) => Ok(seed),
            (Err(NoSeed::Later(error)), _) => Err(error),
            (Err(NoSeed::Lost(why)), known) => {
                if known {
                    let why = why.unwrap_or_else(|| "its file is gone".to_owned());
                    self.note(format!("The installation's key is lost and a new one is made: {why}."));
                    account = Account::of(serial.as_str());
                }
                Seed::make(&self.memory.folder)
            }
            // One that nobody has heard of, or of another serial number.
            (Ok(_), false) => Seed::make(&self.memory.folder),
        };
        let public = match seed {
            Ok(seed) => seed.key().public(),
            Err(error) => return self.trouble("The installation's key cannot be had", &error),
        };
        account.fingerprint = Some(public.fingerprint());
        // Unlike any other: a line that outlived its session, and even its worker, is not listened to.
        let number = random();
        // A certificate is judged at the same time as a licence: at the mark where the clock is behind it.
        let judged = self.judged(moment);
        let clock = move || judged.now(clock::coarse_seconds()).unix();
        let way = Way { dns: registry().dns(), trust: Arc::new(Trust::new(address.ca_file, Arc::new(clock))) };
        let mut lines = Vec::new();
        for line in BOTH {
            let runtime = self.runtime.clone();
            match line::start(line, number, way.clone(), move |news| runtime.bring(news)) {
                Ok(desk) => lines.push(Talk { desk, awaited: None }),
                Err(error) => {
                    self.office.ending += lines.len();
                    lines.iter().for_each(|talk| talk.desk.end());
                    return self.note(format!("A thread for the network cannot be started: {error}."));
                }
            }
        }
        let Ok(lines) = <[Talk; 2]>::try_from(lines) else { return };
        self.runtime.set_lines(lines.iter().map(|talk| talk.desk.clone()).collect());
        let identity = Identity {
            office: address.origin,
            product: self.options.product.clone(),
            serial,
            key: public.id(),
            instance,
        };
        let plan = Plan::new(account, random());
        self.office.session = Some(Session { number, plan, identity, lines, way, credentials: None });
        // The key is made; what is known of it is on the disk before anybody hears of it.
        self.store_account();
    }

    /// Ends the session at once, whatever is under way.
    pub(super) fn hang_up(&mut self) {
        self.store_account();
        self.interrupt_run();
        if let Some(session) = self.office.session.take() {
            self.office.ending += session.lines.len();
            session.lines.iter().for_each(|talk| talk.desk.end());
            self.runtime.set_lines(Vec::new());
        }
    }

    fn facts(&self, session: &Session, choice: &Choice, moment: &Moment) -> Facts {
        let installed = choice.in_use.as_ref().zip(self.office.digest()).map(|((genuine, _), digest)| Installed {
            serial: genuine.licence().serial.clone(),
            sequence: genuine.licence().sequence.get(),
            digest,
        });
        let known = session.credentials.as_ref().filter(|(of, _)| *of == self.memory.settings.revision);
        Facts {
            now: clock::boot_milliseconds(),
            moment: moment.clone(),
            time: self.judged(moment).now(moment.local).unix(),
            installed,
            credentials: known.and_then(|(_, mark)| mark.clone()),
            settings: self.memory.settings.revision,
            keys_version: self.memory.keyring.version(),
            journal: self.parts().journal.map(|journal| {
                let (chain, n, _) = journal.head();
                (chain, n)
            }),
        }
    }

    /// Asks the plan for the next request of a line, and hands it over.
    fn say_next(&mut self, line: Line, choice: &Choice, moment: &Moment) {
        self.mark_credentials();
        let Some(mut session) = self.office.session.take() else { return };
        let facts = self.facts(&session, choice, moment);
        if let Some(ask) = session.plan.next(line, &facts) {
            let created = session.plan.time(&facts);
            match self.request(&session.identity, &ask, created, choice) {
                Ok(Some((mut letter, awaited))) => {
                    letter.watched = line == Line::Short && std::mem::take(&mut self.office.runs.watched);
                    let talk = session.talk(line);
                    talk.awaited = Some((awaited, moment.boot_seconds));
                    let desk = talk.desk.clone();
                    self.office.session = Some(session);
                    // What is known of it is on the disk before it leaves.
                    self.store_account();
                    self.count(match line {
                        Line::Short => "requests",
                        Line::Poll => "polls",
                    });
                    desk.give(letter);
                    return;
                }
                Ok(None) => session.plan.nothing_to_report(&facts),
                Err(why) => {
                    session.plan.forget(line);
                    self.note(why);
                }
            }
        }
        self.office.session = Some(session);
    }

    /// The keyed hash of ID and code, anew when a setting changed.
    fn mark_credentials(&mut self) {
        let revision = self.memory.settings.revision;
        let known = |session: &Session| session.credentials.as_ref().is_some_and(|(of, _)| *of == revision);
        if self.office.session.as_ref().is_none_or(known) {
            return;
        }
        let _no_traces = NoTraces::from_here();
        let mark = match (Settings::open_secrets(&self.memory.folder), Seed::open(&self.memory.folder)) {
            (Ok(secrets), Ok(seed)) => {
                let organisation = self.memory.settings.organisation_id.as_ref();
                let code = secrets.verification_code.as_ref();
                organisation.zip(code).map(|(organisation, code)| seed.mark(organisation, code.expose()))
            }
            // Not now; asked again at the next tick.
            _ => return,
        };
        if let Some(session) = &mut self.office.session {
            session.credentials = Some((revision, mark));
        }
    }

    /// Writes the account when something in it changed that must not be lost.
    pub(super) fn store_account(&mut self) {
        let Some(session) = &self.office.session else { return };
        let account = session.plan.account.clone();
        let (before, now) = (self.office.account.contact.as_ref(), account.contact.as_ref());
        let moved = match (before, now) {
            (Some(before), Some(now)) => now.at.saturating_sub(before.at).abs() >= CONTACT_STEP,
            (before, now) => before != now,
        };
        let same = !moved && self.office.account.equals_but_for_contact(&account);
        if same || !self.leads() {
            return;
        }
        match document::write(&self.memory.folder, ACCOUNT, self.office.revision + 1, &account) {
            Ok(()) => {
                self.office.revision += 1;
                self.office.account = account;
            }
            Err(error) => self.trouble("The back office's account could not be stored", &error),
        }
    }

    /// A line brings something.
    pub(super) fn take_news(&mut self, news: News) {
        if let What::Ended = news.what {
            let of_session = self.office.session.as_ref().is_some_and(|session| session.number == news.session);
            if !of_session {
                self.office.ending = self.office.ending.saturating_sub(1);
            }
            return;
        }
        if self.office.session.as_ref().is_none_or(|session| session.number != news.session) {
            return;
        }
        match news.what {
            What::Reply(reply) => self.take_reply(news.line, reply),
            What::Panicked => {
                if let Some(session) = &mut self.office.session {
                    session.plan.forget(news.line);
                    session.talk(news.line).awaited = None;
                }
                self.note("An internal error in a network thread was contained.".to_owned());
            }
            What::Step(progress) => self.take_step(progress),
            What::Ended => {}
        }
    }
}

/// How long a short request may take, and a poll that is held for so many seconds.
fn limits(hold: Option<u64>) -> Limits {
    let seconds = Duration::from_secs;
    match hold {
        None => Limits { connect: seconds(10), answer: seconds(30), body: seconds(60) },
        Some(hold) => Limits { connect: seconds(10), answer: seconds(hold + 15), body: seconds(30) },
    }
}

fn nonce() -> Option<Nonce> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok().map(|()| Nonce::from_random(bytes))
}

/// For waiting times; where the system has no random numbers, the clock has to do.
fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_or_else(|_| clock::boot_milliseconds(), |()| u64::from_le_bytes(bytes))
}
