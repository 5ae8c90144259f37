//! The rules of enrolment, as functions of values: what becomes of a key that asks, and when a key is on two machines.

use ors::licence::Instant;
use ors::office::protocol::Nonce;
use serde::{Deserialize, Serialize};

/// How long a key waits for an administrator.
pub const PENDING_DAYS: i64 = 14;
/// Keys of one serial number that may wait at a time.
pub const MOST_PENDING: usize = 20;

/// What was decided about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    /// It waits for an administrator.
    Pending,
    /// An administrator refused it.
    Declined,
    /// Another key was approved in its place.
    Superseded,
    /// An administrator revoked it. For good: whoever holds it is not trusted.
    Revoked,
    /// Nobody decided for [`PENDING_DAYS`].
    Ended,
}

impl State {
    const ALL: [(State, &'static str); 6] = [
        (State::Active, "active"),
        (State::Pending, "pending"),
        (State::Declined, "declined"),
        (State::Superseded, "superseded"),
        (State::Revoked, "revoked"),
        (State::Ended, "ended"),
    ];

    pub fn token(self) -> &'static str {
        State::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, token)| token)
    }

    pub fn from_token(token: &str) -> Option<State> {
        State::ALL.iter().find(|(_, known)| *known == token).map(|(state, _)| *state)
    }
}

/// The other keys of a serial number, when a new one asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    pub active: usize,
    pub pending: usize,
    pub revoked: usize,
}

/// What becomes of a key that asks with a code and a licence that are right. `None`: too many wait already.
pub fn asked(before: Option<State>, others: Others) -> Option<State> {
    match before {
        // The same key gets the same answer, whatever happened in between.
        Some(decided @ (State::Active | State::Pending | State::Declined | State::Superseded | State::Revoked)) => {
            Some(decided)
        }
        // The first key of a serial number is taken. After a revocation somebody else may hold licence and code.
        None | Some(State::Ended) if others == Others::default() => Some(State::Active),
        None | Some(State::Ended) => (others.pending < MOST_PENDING).then_some(State::Pending),
    }
}

/// A run of an agent that was seen with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub instance: String,
    /// The time of its first request, by its own clock.
    pub first: i64,
}

/// Runs that are remembered for each key.
const REMEMBERED: usize = 8;

/// What another request says about where a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The run that was seen last.
    Same,
    /// A new one: the agent was started again.
    New,
    /// An earlier one, alive again after a later one began: the key is on two machines.
    Cloned,
    /// An earlier one whose request was under way for longer than the restart took.
    Late,
}

/// Judges a request of `instance`, made at `created`, and remembers it in `runs` (the latest last).
pub fn seen(runs: &mut Vec<Run>, instance: &Nonce, created: Instant) -> Seen {
    let known = runs.iter().position(|run| run.instance == instance.as_str());
    let judged = match (known, runs.last()) {
        (Some(at), _) if at + 1 == runs.len() => return Seen::Same,
        (Some(_), Some(last)) if created.unix() <= last.first => return Seen::Late,
        (Some(at), _) => {
            runs.remove(at);
            Seen::Cloned
        }
        (None, _) => Seen::New,
    };
    runs.push(Run { instance: instance.as_str().to_owned(), first: created.unix() });
    if runs.len() > REMEMBERED {
        runs.remove(0);
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_is_taken_and_every_other_one_waits() {
        let others = |active, pending, revoked| Others { active, pending, revoked };
        for (before, others, becomes) in [
            (None, others(0, 0, 0), Some(State::Active)),
            (None, others(1, 0, 0), Some(State::Pending)),
            (None, others(0, 1, 0), Some(State::Pending)),
            (None, others(0, 0, 1), Some(State::Pending)),
            (None, others(1, MOST_PENDING, 0), None),
            (Some(State::Ended), others(0, 0, 0), Some(State::Active)),
            (Some(State::Ended), others(1, 0, 0), Some(State::Pending)),
            (Some(State::Active), others(0, 3, 0), Some(State::Active)),
            (Some(State::Pending), others(1, MOST_PENDING, 0), Some(State::Pending)),
            (Some(State::Declined), others(0, 0, 0), Some(State::Declined)),
            (Some(State::Superseded), others(0, 0, 0), Some(State::Superseded)),
            (Some(State::Revoked), others(0, 0, 0), Some(State::Revoked)),
        ] {
            assert_eq!(asked(before, others), becomes, "{before:?} {others:?}");
        }
    }

    #[test]
    fn a_key_that_is_live_at_two_runs_in_turn_is_cloned_and_a_restart_is_not() {
        let run = |byte| Nonce::from_random([byte; 16]);
        let at = Instant::from_unix;
        let mut runs = Vec::new();
        assert_eq!(seen(&mut runs, &run(1), at(100)), Seen::New);
        assert_eq!(seen(&mut runs, &run(1), at(110)), Seen::Same);
        assert_eq!(seen(&mut runs, &run(2), at(120)), Seen::New, "a restart");
        assert_eq!(seen(&mut runs, &run(1), at(115)), Seen::Late, "sent before the restart, arrived after it");
        assert_eq!(seen(&mut runs, &run(2), at(121)), Seen::Same);
        assert_eq!(seen(&mut runs, &run(1), at(130)), Seen::Cloned);
        assert_eq!(seen(&mut runs, &run(2), at(131)), Seen::Cloned);
        for n in 10..40 {
            assert_eq!(seen(&mut runs, &run(n), at(200 + i64::from(n))), Seen::New);
        }
        assert_eq!(runs.len(), REMEMBERED);
    }
}
