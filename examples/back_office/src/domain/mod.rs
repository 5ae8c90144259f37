//! What a back office knows, and the rules about it. Every function takes the time as a value and a connection of the
//! database; those that change something are called inside a transaction of [`crate::store::Store::write`].
//!
//! * `organisations`: the service organisations and their verification codes;
//! * `installations`: one product at one customer;
//! * `agent_keys`: the keys of agents, and who decided what about them; `enrolment` is the pure rule;
//! * `licences`: what was issued, and what the signer was asked;
//! * `events`: what agents are told, and the probes; `journals`: what agents tell;
//! * `key_lists`: the lists that agents follow;
//! * `people`: users and their roles; `tokens`: the API's; `audit`: who did what.

pub mod agent_keys;
pub mod audit;
pub mod enrolment;
pub mod events;
pub mod installations;
pub mod journals;
pub mod key_lists;
pub mod licences;
pub mod organisations;
pub mod people;
pub mod tokens;

use crate::store::StoreError;
use std::fmt;

/// What kind of no it is; decides the exit code of a command and the status of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing.
    NotFound,
    /// Something else happened meanwhile, or it is there already.
    Conflict,
    /// What was said makes no sense.
    Invalid,
    /// Not now: too much in too short a time.
    Limit,
    /// The signer refuses, or cannot be reached.
    Signer,
    /// The database or the disk.
    Store,
}

impl Kind {
    /// The word for it in the API.
    pub fn token(self) -> &'static str {
        match self {
            Kind::NotFound => "not-found",
            Kind::Conflict => "conflict",
            Kind::Invalid => "invalid",
            Kind::Limit => "limit",
            Kind::Signer => "signer",
            Kind::Store => "store",
        }
    }
}

/// Why something was not done. The sentence is for the person or program that asked.
#[derive(Debug)]
pub struct Problem {
    pub kind: Kind,
    pub detail: String,
    /// The member, column or option that is wrong, if it is one.
    pub member: Option<String>,
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), member: None }
    }

    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::NotFound, detail)
    }

    pub fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::Conflict, detail)
    }

    pub fn limit(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::Limit, detail)
    }

    pub fn signer(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::Signer, detail)
    }

    /// What was said is wrong as a whole.
    pub fn invalid_as(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::Invalid, detail)
    }

    /// `member` is wrong: "is not ...".
    pub fn invalid(member: &str, must: impl fmt::Display) -> Problem {
        Problem { kind: Kind::Invalid, detail: format!("{member} {must}"), member: Some(member.to_owned()) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        Problem::new(Kind::Store, error.to_string())
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Problem {
        StoreError::from(error).into()
    }
}

/// An outcome in this room.
pub type Outcome<T> = Result<T, Problem>;

/// Who does something, as the audit log names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Logged in.
    User(String),
    /// A program with a token of this name.
    Token(String),
    /// Somebody at the server's own command line.
    CommandLine(String),
    /// An installation's agent.
    Agent(String),
    /// The back office itself.
    Office,
    /// Whoever began what is finished now, as it was written down then.
    Recorded(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::User(name) => write!(f, "user {name}"),
            Actor::Token(name) => write!(f, "token {name}"),
            Actor::CommandLine(name) => write!(f, "command line {name}"),
            Actor::Agent(key) => write!(f, "agent {key}"),
            Actor::Office => f.write_str("back office"),
            Actor::Recorded(name) => f.write_str(name),
        }
    }
}

/// A text that people wrote: 1 to 200 characters, none of them control or bidirectional characters.
pub fn plain_text(member: &str, text: &str) -> Outcome<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::invalid(member, "is empty"));
    }
    if !ors::licence::text::is_plain(text, ors::licence::MAX_TEXT) {
        return Err(Problem::invalid(
            member,
            "is longer than 200 characters, or holds control or bidirectional characters",
        ));
    }
    Ok(text.to_owned())
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| Problem::new(Kind::Store, "the operating system gave no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
