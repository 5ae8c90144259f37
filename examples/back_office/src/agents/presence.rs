//! Who is there. A parked poll makes an installation present; without one it is for a lease; a closed connection or a goodbye
//! ends it at once.

use ors::licence::Instant as Time;
use ors::office::protocol::Nonce;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long somebody is present after the last request.
pub const LEASE: Duration = Duration::from_secs(105);
/// Answered probes that are remembered of one installation.
const PONGS: usize = 4;

struct Seen {
    parked: u32,
    last: Instant,
    gone: bool,
    pongs: Vec<Nonce>,
}

/// Who is there, by installation.
#[derive(Default)]
pub struct Presence {
    seen: Mutex<HashMap<i64, Seen>>,
    /// To be written into the database some time.
    heard: Mutex<HashMap<i64, Time>>,
}

impl Presence {
    fn seen(&self) -> MutexGuard<'_, HashMap<i64, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request of it was proven.
    pub fn heard(&self, installation: i64, now: Time) {
        let new = || Seen { parked: 0, last: Instant::now(), gone: false, pongs: Vec::new() };
        let mut seen = self.seen();
        let it = seen.entry(installation).or_insert_with(new);
        (it.last, it.gone) = (Instant::now(), false);
        drop(seen);
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(installation, now);
    }

    /// It answers a probe.
    pub fn pong(&self, installation: i64, nonces: &[Nonce]) {
        if let Some(it) = self.seen().get_mut(&installation) {
            it.pongs.extend(nonces.iter().rev().take(PONGS).cloned());
            let over = it.pongs.len().saturating_sub(PONGS);
            it.pongs.drain(..over);
        }
    }

    /// Its poll is parked.
    pub fn park(&self, installation: i64) {
        if let Some(it) = self.seen().get_mut(&installation) {
            it.parked += 1;
        }
    }

    /// Its poll ended. `gone`: the connection was closed under it.
    pub fn unpark(&self, installation: i64, gone: bool) {
        if let Some(it) = self.seen().get_mut(&installation) {
            it.parked = it.parked.saturating_sub(1);
            it.gone |= gone && it.parked == 0;
        }
    }

    /// It said goodbye.
    pub fn leave(&self, installation: i64) {
        if let Some(it) = self.seen().get_mut(&installation) {
            it.gone = true;
        }
    }

    /// Whether it is there.
    pub fn present(&self, installation: i64) -> bool {
        self.seen().get(&installation).is_some_and(is_present)
    }

    /// Whether it answered this probe, and is still there.
    pub fn answered(&self, installation: i64, probe: &Nonce) -> bool {
        self.seen().get(&installation).is_some_and(|it| is_present(it) && it.pongs.contains(probe))
    }

    /// How many are there.
    pub fn count(&self) -> usize {
        self.seen().values().filter(|it| is_present(it)).count()
    }

    /// Who was heard of since the last time this was asked.
    pub fn take_heard(&self) -> Vec<(i64, Time)> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }

    /// Forgets those who are not there.
    pub fn prune(&self) {
        self.seen().retain(|_, it| is_present(it));
    }
}

fn is_present(it: &Seen) -> bool {
    it.parked > 0 || (!it.gone && it.last.elapsed() < LEASE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testkit::NOW;

    #[test]
    fn a_closed_connection_and_a_goodbye_make_it_dark_at_once_and_the_end_of_a_poll_does_not() {
        let presence = Presence::default();
        assert!(!presence.present(1));
        presence.heard(1, NOW);
        presence.park(1);
        presence.unpark(1, false);
        assert!(presence.present(1), "between two polls");
        presence.park(1);
        presence.park(1);
        presence.unpark(1, true);
        assert!(presence.present(1), "the newer poll is parked");
        presence.unpark(1, true);
        assert!(!presence.present(1));
        presence.heard(1, NOW);
        assert!(presence.present(1));
        presence.leave(1);
        assert_eq!((presence.present(1), presence.count()), (false, 0));
        presence.prune();
        assert_eq!(presence.take_heard(), [(1, NOW)]);
    }

    #[test]
    fn a_probe_is_answered_by_its_own_nonce() {
        let presence = Presence::default();
        let nonce = |byte| Nonce::from_random([byte; 16]);
        presence.heard(1, NOW);
        presence.pong(1, &[nonce(1)]);
        assert!(presence.answered(1, &nonce(1)) && !presence.answered(1, &nonce(2)));
        (2..9).for_each(|byte| presence.pong(1, &[nonce(byte)]));
        assert!(!presence.answered(1, &nonce(1)) && presence.answered(1, &nonce(8)));
    }
}
