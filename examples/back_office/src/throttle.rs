//! Wrong codes: five within a minute, from one address or for one serial number, and it is closed for a quarter of an hour.
//!
//! Never per organisation: somebody who guesses would lock all its customers out. The same rule holds for logins.

use ors::licence::Instant;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const TRIES: usize = 5;
const WITHIN: i64 = 60;
const CLOSED: i64 = 900;
/// What is remembered at a time; beyond that the oldest go.
const REMEMBERED: usize = 50_000;

/// Whom a try is counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum By {
    Address(IpAddr),
    Name(String),
}

impl By {
    /// An address; of IPv6 the network, since one customer has billions.
    pub fn address(address: IpAddr) -> By {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let network = u128::from(v6) >> 64 << 64;
                By::Address(IpAddr::V6(network.into()))
            }
            v4 => By::Address(v4),
        }
    }
}

#[derive(Default)]
struct Tries {
    wrong: Vec<i64>,
    closed_until: i64,
}

/// Counts wrong tries.
#[derive(Default)]
pub struct Throttle {
    tries: Mutex<HashMap<By, Tries>>,
}

impl Throttle {
    /// For how many more seconds it is closed to any of these.
    pub fn closed(&self, by: &[By], now: Instant) -> Option<i64> {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let left = by.iter().filter_map(|by| tries.get(by)).map(|tries| tries.closed_until - now.unix());
        left.max().filter(|left| *left > 0)
    }

    /// Counts a wrong try.
    pub fn wrong(&self, by: &[By], now: Instant) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= REMEMBERED {
            tries.retain(|_, it| {
                it.closed_until > now.unix() || it.wrong.last().is_some_and(|at| *at > now.unix() - WITHIN)
            });
        }
        if tries.len() >= REMEMBERED {
            let mut last: Vec<i64> = tries.values().filter_map(|it| it.wrong.last().copied()).collect();
            last.sort_unstable();
            let middle = last.get(last.len() / 2).copied().unwrap_or_default();
            tries.retain(|_, it| it.wrong.last().is_some_and(|at| *at > middle));
        }
        for by in by {
            let it = tries.entry(by.clone()).or_default();
            it.wrong.retain(|at| *at > now.unix() - WITHIN);
            it.wrong.push(now.unix());
            if it.wrong.len() >= TRIES {
                it.closed_until = now.unix() + CLOSED;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testkit::NOW;

    #[test]
    fn five_wrong_tries_in_a_minute_close_it_for_a_quarter_of_an_hour_and_for_nobody_else() {
        let throttle = Throttle::default();
        let here = &[By::address("192.0.2.1".parse().unwrap())];
        let serial = &[By::Name("prismaprepare 1".into())];
        let both = [here[0].clone(), serial[0].clone()];
        for second in 0..4 {
            throttle.wrong(&both, NOW.plus(second));
        }
        assert_eq!(throttle.closed(here, NOW.plus(5)), None);
        throttle.wrong(here, NOW.plus(30));
        assert_eq!(throttle.closed(&both, NOW.plus(30)), Some(900));
        assert_eq!(throttle.closed(&[serial[0].clone(), By::Name("x".into())], NOW.plus(30)), None);
        assert_eq!(throttle.closed(here, NOW.plus(930)), None);
        throttle.wrong(serial, NOW.plus(200));
        assert_eq!(
            throttle.closed(serial, NOW.plus(200)),
            None,
            "four old ones and a new one are not five in a minute"
        );
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let network = |text: &str| By::address(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::7"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn many_guesses_cannot_fill_the_memory() {
        let throttle = Throttle::default();
        for n in 0..REMEMBERED as i64 * 2 {
            throttle.wrong(&[By::Name(n.to_string())], NOW.plus(n / 1000));
        }
        assert!(throttle.tries.lock().unwrap().len() <= REMEMBERED + 1);
    }
}
