//! What [Connect] found out, step by step. Pure: what happens is told, and the report is a value that any process can show.

use super::account::Enrolment;
use super::client::{Failure, Heard, Said};
use super::protocol::{Refused, RefusedFor};
use crate::net;
use crate::net::{Names, Progress};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The steps, in the order in which they are shown. Their words never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    Settings,
    Serial,
    Dns,
    Connect,
    Proxy,
    ProxyAuth,
    Tls,
    Http,
    Enrolment,
}

const ALL: [Step; 9] = [
    Step::Settings,
    Step::Serial,
    Step::Dns,
    Step::Connect,
    Step::Proxy,
    Step::ProxyAuth,
    Step::Tls,
    Step::Http,
    Step::Enrolment,
];

impl Step {
    pub fn token(self) -> &'static str {
        match self {
            Step::Settings => "settings",
            Step::Serial => "serial",
            Step::Dns => "dns",
            Step::Connect => "connect",
            Step::Proxy => "proxy",
            Step::ProxyAuth => "proxy-auth",
            Step::Tls => "tls",
            Step::Http => "http",
            Step::Enrolment => "enrolment",
        }
    }
}

impl From<net::Step> for Step {
    fn from(step: net::Step) -> Step {
        match step {
            net::Step::Dns => Step::Dns,
            net::Step::Connect => Step::Connect,
            net::Step::Tls => Step::Tls,
            net::Step::Http => Step::Http,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not begun.
    Waiting,
    Running,
    Ok,
    Failed,
    /// Not needed, or not reached since a step before it failed.
    Skipped,
}

impl State {
    fn token(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Running => "running",
            State::Ok => "ok",
            State::Failed => "failed",
            State::Skipped => "skipped",
        }
    }
}

/// What stands in the way, for the sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The product was built without the address of a back office.
    NoOffice,
    NoOrganisation,
    NoCode,
    NoLicence,
    /// The installation's key cannot be made or read.
    NoKey,
    /// The service was switched off, restarted or taken over in the middle.
    Interrupted,
    Failed(Failure),
    Refused(Refused),
}

impl Problem {
    fn step(&self) -> Step {
        match self {
            Problem::NoOffice | Problem::NoOrganisation | Problem::NoCode | Problem::NoKey => Step::Settings,
            Problem::NoLicence => Step::Serial,
            Problem::Failed(Failure::Net(trouble)) => trouble.step.into(),
            Problem::Failed(_) | Problem::Interrupted => Step::Http,
            Problem::Refused(refused) => match refused.reason {
                RefusedFor::Clock | RefusedFor::Nonce | RefusedFor::Request => Step::Http,
                RefusedFor::Licence => Step::Serial,
                _ => Step::Enrolment,
            },
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    step: Step,
    state: State,
    /// Milliseconds since the run began.
    began: Option<u64>,
    took: Option<u64>,
    /// One sentence; empty when there is nothing to say.
    text: String,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Its number; a later run has a higher one.
    pub run: u64,
    /// Unix seconds by the local clock.
    started_at: i64,
    state: State,
    rows: Vec<Row>,
    peer: Option<String>,
    issuer: Option<String>,
    fingerprint: Option<String>,
}

impl Report {
    /// A run that begins.
    pub fn new(run: u64, started_at: i64) -> Report {
        let row = |step| Row { step, state: State::Waiting, began: None, took: None, text: String::new() };
        Report {
            run,
            started_at,
            state: State::Running,
            rows: ALL.map(row).to_vec(),
            peer: None,
            issuer: None,
            fingerprint: None,
        }
    }

    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }

    fn row(&mut self, step: Step) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.step == step)
    }

    /// `at`: milliseconds since the run began.
    pub fn began(&mut self, step: Step, at: u64) {
        if let Some(row) = self.row(step)
            && row.state == State::Waiting
        {
            (row.state, row.began) = (State::Running, Some(at));
        }
    }

    pub fn ended(&mut self, step: Step, at: u64, text: String) {
        self.close(step, State::Ok, at, text);
    }

    pub fn skip(&mut self, step: Step, text: String) {
        if let Some(row) = self.row(step)
            && row.state == State::Waiting
        {
            (row.state, row.text) = (State::Skipped, text);
        }
    }

    fn close(&mut self, step: Step, state: State, at: u64, text: String) {
        if let Some(row) = self.row(step) {
            let began = row.began.unwrap_or(at);
            (row.state, row.began, row.took, row.text) = (state, Some(began), Some(at.saturating_sub(began)), text);
        }
    }

    /// Something on the way out.
    pub fn progress(&mut self, progress: Progress, at: u64) {
        match progress {
            Progress::Began(step) => {
                if step == net::Step::Http {
                    // To this very machine there is no TLS.
                    self.skip(Step::Tls, String::new());
                }
                self.began(step.into(), at);
            }
            Progress::Ended(step, names) => {
                self.ended(step.into(), at, String::new());
                if let Some(Names { peer, issuer }) = names {
                    (self.peer, self.issuer) = (Some(peer), Some(issuer));
                }
            }
        }
    }

    /// It comes to nothing, for this reason. `text` says what to change.
    pub fn fail(&mut self, problem: &Problem, at: u64, text: String) {
        let mut step = problem.step();
        if let Some(running) = self.rows.iter().find(|row| row.state == State::Running).map(|row| row.step)
            && *problem == Problem::Interrupted
        {
            step = running;
        }
        if let Problem::Failed(Failure::Net(trouble)) = problem
            && let net::Why::Certificate { issuer, .. } = &trouble.why
        {
            self.issuer = Some(issuer.clone());
        }
        // Steps that were passed on the way to this one, as far as nobody told.
        let index = ALL.iter().position(|one| *one == step).unwrap_or(0);
        for before in ALL.iter().take(index) {
            if self.rows.iter().any(|row| row.step == *before && row.state == State::Running) {
                self.ended(*before, at, String::new());
            }
        }
        self.close(step, State::Failed, at, text);
        self.finish(State::Failed);
    }

    /// The back office answered, and knows this installation. `text`: what is to be said about the enrolment.
    pub fn enrolled(&mut self, fingerprint: Option<String>, at: u64, text: String) {
        self.ended(Step::Http, at, String::new());
        self.fingerprint = fingerprint;
        self.ended(Step::Enrolment, at, text);
        self.finish(State::Ok);
    }

    /// The key that the enrolment is about, also when it is refused.
    pub fn name_key(&mut self, fingerprint: Option<String>) {
        self.fingerprint = fingerprint;
    }

    fn finish(&mut self, state: State) {
        self.state = state;
        for row in &mut self.rows {
            if matches!(row.state, State::Waiting | State::Running) {
                row.state = State::Skipped;
            }
        }
    }

    /// As `ors_connect_report` shows it.
    pub fn to_json(&self) -> Value {
        let steps: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let tls = row.step == Step::Tls;
                let enrolment = row.step == Step::Enrolment;
                json!({
                    "step": row.step.token(),
                    "state": row.state.token(),
                    "ms": row.took,
                    "text": row.text,
                    "peer": self.peer.as_ref().filter(|_| tls),
                    "issuer": self.issuer.as_ref().filter(|_| tls),
                    "fingerprint": self.fingerprint.as_ref().filter(|_| enrolment),
                })
            })
            .collect();
        json!({
            "run": self.run,
            "state": self.state.token(),
            "started_at": crate::licence::Instant::from_unix(self.started_at).to_string(),
            "steps": steps,
        })
    }
}

/// What an answer means for a run that waits for it.
pub enum Verdict {
    Good(Enrolment),
    Bad(Problem),
    /// It is asked once more.
    NotYet,
}

/// `again`: the plan asks once more by itself.
pub fn verdict(heard: &Result<Heard, Failure>, again: bool) -> Verdict {
    match heard {
        _ if again => Verdict::NotYet,
        Err(failure) => Verdict::Bad(Problem::Failed(failure.clone())),
        Ok(heard) => match &heard.said {
            Said::Enrolled(enrolled) if enrolled.pending => Verdict::Good(Enrolment::Pending),
            Said::Refused(refused) if refused.reason == RefusedFor::Pending => Verdict::Good(Enrolment::Pending),
            // It does not know this key: the enrolment follows.
            Said::Refused(refused) if refused.reason == RefusedFor::UnknownKey => Verdict::NotYet,
            Said::Refused(refused) => Verdict::Bad(Problem::Refused(refused.clone())),
            Said::Enrolled(_) | Said::Checked(_) | Said::Happened(_) | Said::Stored(_) => {
                Verdict::Good(Enrolment::Active)
            }
        },
    }
}
