//! [Connect]: a run through all steps, told as they happen.
//!
//! Any process may ask; the leader does it, and keeps the report in the state folder, where the others read it.

use super::Office;
use crate::agent::worker::Worker;
use crate::agent::error::{Error, Kind};
use crate::agent::{line, log};
use crate::clock;
use crate::licence::{Choice, Moment};
use crate::net::Progress;
use crate::office::{Failure, Heard, Line, Problem, Report, Step, Verdict, verdict};
use crate::store::asked::{self, Asked, Wish};
use crate::store::document::{self, Stamp};
use crate::words;
use std::sync::Arc;

const REPORT: &str = "connect-report";
/// A run that has not come to its end after so long never will, in milliseconds.
const LONGEST: u64 = 180_000;

/// What is known of runs.
#[derive(Default)]
pub struct Runs {
    /// The last one.
    report: Option<Arc<Report>>,
    /// When the one that runs here began, by the clock that nobody sets.
    began: Option<u64>,
    /// The last wish that was acted on.
    done: u64,
    /// The last wish.
    wish: Asked,
    seen: Option<(Stamp, Stamp)>,
    /// The next request of the short line belongs to the run.
    pub(super) watched: bool,
}

impl Office {
    pub fn report(&self) -> Option<Arc<Report>> {
        self.runs.report.clone()
    }

    fn runs_now(&self) -> bool {
        self.runs.began.is_some()
    }
}

impl Worker {
    /// Wishes for a run, or joins the one that runs. Returns its number.
    pub(in crate::agent) fn connect(&mut self, by: &str) -> Result<u64, Error> {
        if !self.memory.settings.enabled {
            return Err(Error::new(Kind::Disabled, "enabled", "The service is switched off: switch it on first."));
        }
        let running = self.office.report().filter(|report| report.is_running()).map(|report| report.run);
        let run = asked::ask(&self.memory.folder, Wish::Connect, by, |number| Some(number) == running)?;
        if Some(run) != running {
            // The next answer shows it, also where another process leads.
            self.office.runs.report = Some(Arc::new(Report::new(run, clock::coarse_seconds())));
        }
        self.follow_runs();
        Ok(run)
    }

    /// Looks whether somebody wished for a run, or, where another process leads, what it reports.
    pub(in crate::agent) fn follow_runs(&mut self) {
        let folder = &self.memory.folder;
        let stamps = (asked::stamp(folder, Wish::Connect), document::stamp(folder, REPORT));
        if self.office.runs.seen == Some(stamps) {
            return;
        }
        self.office.runs.seen = Some(stamps);
        if let Ok(wish) = asked::asked(folder, Wish::Connect) {
            self.office.runs.wish = wish;
        }
        if let Ok(read) = document::read::<Report>(folder, REPORT)
            && let Some(report) = read.value
            && !self.office.runs_now()
            && self.office.report().is_none_or(|shown| shown.run <= report.run)
        {
            self.office.runs.done = self.office.runs.done.max(report.run);
            self.office.runs.report = Some(Arc::new(report));
        }
    }

    /// The leader does what was wished for.
    pub(super) fn run_if_asked(&mut self, choice: &Choice, moment: &Moment) {
        if !self.leads() {
            return;
        }
        let late = |began: u64| clock::boot_milliseconds().saturating_sub(began) > LONGEST;
        if self.office.runs.began.is_some_and(late) {
            self.fail_run(&Problem::Interrupted);
        }
        let wish = self.office.runs.wish.clone();
        // One that another leader has not come to the end of is begun again.
        let unfinished = self.office.report().is_some_and(|report| report.is_running()) && !self.office.runs_now();
        if !unfinished && wish.number <= self.office.runs.done {
            return;
        }
        self.office.runs.done = wish.number;
        if !self.memory.settings.enabled {
            // It was switched off meanwhile: nothing is said to anybody.
            return if unfinished { self.fail_run(&Problem::Interrupted) };
        }
        self.journal(moment, &wish.by, &format!("connect was asked for (run {})", wish.number));
        self.say(log::INFORMATION, format!("Connect was asked for (run {}).", wish.number));
        self.begin_run(wish.number, choice, moment);
    }

    fn begin_run(&mut self, number: u64, choice: &Choice, moment: &Moment) {
        self.office.runs.began = Some(clock::boot_milliseconds());
        let mut report = Report::new(number, moment.local);
        report.began(Step::Settings, 0);
        let settings = &self.memory.settings;
        let missing = if self.options.office.is_none() {
            Some(Problem::NoOffice)
        } else if settings.organisation_id.is_none() {
            Some(Problem::NoOrganisation)
        } else if !settings.secrets_set.contains(&"verification_code") {
            Some(Problem::NoCode)
        } else {
            None
        };
        let proxy = settings.proxy.mode != "none";
        self.office.runs.report = Some(Arc::new(report));
        if let Some(problem) = missing {
            return self.fail_run(&problem);
        }
        self.change_report(true, |report, at, _| {
            report.ended(Step::Settings, at, String::new());
            report.began(Step::Serial, at);
            let unused = if proxy { "This version connects directly, without the proxy.".to_owned() } else { String::new() };
            report.skip(Step::Proxy, unused);
            report.skip(Step::ProxyAuth, String::new());
        });
        let serial = choice.in_use.as_ref().map(|(genuine, _)| genuine.licence().serial.as_str().to_owned());
        let Some(serial) = serial else { return self.fail_run(&Problem::NoLicence) };
        if self.office.session.is_none() {
            return self.fail_run(&Problem::NoKey);
        }
        self.change_report(true, |report, at, _| report.ended(Step::Serial, at, serial));
        self.redial();
    }

    /// Gives up what is under way on the short line, and asks anew on a fresh connection.
    fn redial(&mut self) {
        let Some(mut session) = self.office.session.take() else { return };
        let runtime = self.runtime.clone();
        match line::start(Line::Short, session.number, session.way.clone(), move |news| runtime.bring(news)) {
            Ok(desk) => {
                let talk = session.talk(Line::Short);
                std::mem::replace(&mut talk.desk, desk).end();
                talk.awaited = None;
                self.office.ending += 1;
                session.plan.connect();
                self.office.runs.watched = true;
                self.runtime.set_lines(session.lines.iter().map(|talk| talk.desk.clone()).collect());
                self.office.session = Some(session);
            }
            Err(error) => {
                self.office.session = Some(session);
                self.note(format!("A thread for the network cannot be started: {error}."));
                self.fail_run(&Problem::Interrupted);
            }
        }
    }

    /// A step of the connection that is being made.
    pub(super) fn take_step(&mut self, progress: Progress) {
        if self.office.runs_now() {
            let ended = matches!(progress, Progress::Ended(..));
            self.change_report(ended, |report, at, _| report.progress(progress, at));
            self.settle();
        }
    }

    /// What came of a request that a run waits for. `again`: it is asked once more by itself.
    pub(super) fn judge_run(&mut self, heard: &Result<Heard, Failure>, again: bool) {
        if !self.office.runs_now() {
            return;
        }
        let fingerprint = self.office.account().fingerprint.clone();
        match verdict(heard, again) {
            Verdict::NotYet => self.office.runs.watched = true,
            Verdict::Bad(problem) => {
                self.change_report(false, |report, _, _| report.name_key(fingerprint));
                self.fail_run(&problem);
            }
            Verdict::Good(state) => {
                self.change_report(true, |report, at, words| {
                    report.enrolled(fingerprint, at, words.enrolment(state).to_owned());
                });
                self.end_run(state.token());
            }
        }
    }

    /// A run that was going on cannot come to its end.
    pub(super) fn interrupt_run(&mut self) {
        if self.office.runs_now() {
            self.fail_run(&Problem::Interrupted);
        }
    }

    fn fail_run(&mut self, problem: &Problem) {
        self.change_report(true, |report, at, words| report.fail(problem, at, words.connect(problem)));
        self.end_run("failed");
    }

    fn end_run(&mut self, how: &str) {
        (self.office.runs.began, self.office.runs.watched) = (None, false);
        self.say(log::INFORMATION, format!("Connect has come to its end: {how}."));
    }

    /// Changes the report of the run that goes on, and where it is worth it keeps it for the other processes.
    fn change_report(&mut self, keep: bool, change: impl FnOnce(&mut Report, u64, &dyn words::Phrases)) {
        let Some(mut report) = self.office.report() else { return };
        let at = self.office.runs.began.map_or(0, |began| clock::boot_milliseconds().saturating_sub(began));
        let words = words::choose(None, self.memory.settings.language.as_deref());
        change(Arc::make_mut(&mut report), at, words);
        if keep
            && self.leads()
            && let Err(error) = document::write(&self.memory.folder, REPORT, report.run, &*report)
        {
            self.trouble("The report of the connection could not be stored", &error);
        }
        self.office.runs.report = Some(report);
    }
}
