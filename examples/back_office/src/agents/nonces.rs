//! The memory of nonces: each counts once per key for ten minutes.

use ors::licence::Instant;
use ors::office::protocol::{NONCE_MEMORY, Nonce};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Nonces of one key that are remembered; an agent uses some twenty in ten minutes. Who uses more has to wait.
const MOST_OF_A_KEY: usize = 1_000;

/// Used nonces, by key, the oldest first.
#[derive(Default)]
pub struct Nonces {
    used: Mutex<HashMap<u128, VecDeque<(u128, i64)>>>,
}

/// What a nonce is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    First,
    Again,
    /// The key used more than anybody needs.
    TooMany,
}

impl Nonces {
    /// Uses a nonce.
    pub fn use_up(&self, key: &str, nonce: &Nonce, now: Instant) -> Use {
        let (key, nonce) = (number(key), number(nonce.as_str()));
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = used.entry(key).or_default();
        while of_key.front().is_some_and(|(_, until)| *until <= now.unix()) {
            of_key.pop_front();
        }
        if of_key.iter().any(|(known, _)| *known == nonce) {
            return Use::Again;
        }
        if of_key.len() >= MOST_OF_A_KEY {
            return Use::TooMany;
        }
        of_key.push_back((nonce, now.unix() + NONCE_MEMORY));
        Use::First
    }

    /// Forgets what is over, of keys too that do not ask any more.
    pub fn prune(&self, now: Instant) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, of_key| {
            of_key.retain(|(_, until)| *until > now.unix());
            of_key.shrink_to(8);
            !of_key.is_empty()
        });
    }

    /// Everything that is remembered: key, nonce, until when. For the next run of the server.
    pub fn all(&self) -> Vec<(String, String, i64)> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = |(key, nonces): (&u128, &VecDeque<(u128, i64)>)| {
            let key = format!("{key:032x}");
            nonces.iter().map(|(nonce, until)| (key.clone(), format!("{nonce:032x}"), *until)).collect::<Vec<_>>()
        };
        used.iter().flat_map(of_key).collect()
    }

    /// Takes what an earlier run remembered.
    pub fn put(&self, remembered: &[(String, String, i64)]) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, nonce, until) in remembered {
            used.entry(number(key)).or_default().push_back((number(nonce), *until));
        }
        // The oldest first, or one that is over would hide behind one that is not.
        used.values_mut().for_each(|of_key| of_key.make_contiguous().sort_by_key(|(_, until)| *until));
    }
}

/// Both are 32 hexadecimal digits.
fn number(hex: &str) -> u128 {
    u128::from_str_radix(hex, 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testkit::NOW;

    #[test]
    fn a_nonce_counts_once_for_ten_minutes_and_a_restart_forgets_none() {
        let (nonces, key) = (Nonces::default(), "0".repeat(32));
        let nonce = Nonce::from_random([1; 16]);
        assert_eq!(nonces.use_up(&key, &nonce, NOW), Use::First);
        assert_eq!(nonces.use_up(&key, &nonce, NOW.plus(599)), Use::Again);
        assert_eq!(nonces.use_up(&"1".repeat(32), &nonce, NOW), Use::First, "another key's");
        let restarted = Nonces::default();
        restarted.put(&nonces.all());
        assert_eq!(restarted.use_up(&key, &nonce, NOW.plus(599)), Use::Again);
        assert_eq!(restarted.use_up(&key, &nonce, NOW.plus(600)), Use::First);
        restarted.prune(NOW.plus(10_000));
        assert!(restarted.all().is_empty());
    }

    #[test]
    fn a_key_that_asks_without_end_cannot_fill_the_memory() {
        let (nonces, key) = (Nonces::default(), "0".repeat(32));
        for n in 0..MOST_OF_A_KEY as u128 {
            assert_eq!(nonces.use_up(&key, &Nonce::from_random(n.to_be_bytes()), NOW), Use::First);
        }
        assert_eq!(nonces.use_up(&key, &Nonce::from_random([9; 16]), NOW), Use::TooMany);
        assert_eq!(nonces.use_up(&key, &Nonce::from_random([9; 16]), NOW.plus(600)), Use::First);
    }
}
