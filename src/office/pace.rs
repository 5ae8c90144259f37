//! How fast: waiting after failures, and a limit that holds whatever the other end does. Pure.

/// All times are in milliseconds by a clock that nobody sets.
const SECOND: u64 = 1_000;
const LONGEST_BACKOFF: u64 = 300 * SECOND;
/// The longest that the other end may make us wait.
const LONGEST_RETRY_AFTER: u64 = 3_600 * SECOND;

/// Random numbers for waiting times. Not for secrets: the same seed gives the same numbers, so that a simulation replays.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    pub fn new(seed: u64) -> Jitter {
        Jitter(seed)
    }

    /// splitmix64 (Steele, Lea and Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `from` ... `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        let span = to.saturating_sub(from).saturating_add(1);
        // A span far below 2^64: no value is noticeably more likely than another.
        from + self.next() % span.max(1)
    }
}

/// Waiting after failures of one line.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    failures: u32,
    /// Nothing before this.
    pub not_before: u64,
}

impl Pace {
    pub fn good(&mut self) {
        *self = Pace::default();
    }

    /// Full jitter: anything up to a bound that doubles from 1 s to 300 s; and no sooner than the other end asks, within an hour.
    pub fn failed(&mut self, now: u64, retry_after: Option<u64>, jitter: &mut Jitter) {
        let bound = (SECOND << self.failures.min(20)).min(LONGEST_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        let mut wait = jitter.between(0, bound);
        if let Some(seconds) = retry_after {
            let asked = seconds.saturating_mul(SECOND).min(LONGEST_RETRY_AFTER);
            // Not everybody who was told the same comes back in the same second.
            wait = wait.max(asked + jitter.between(0, asked / 10));
        }
        self.not_before = now + wait;
    }

    /// Waits for as long as it was told to, in seconds.
    pub fn wait(&mut self, now: u64, seconds: u64) {
        self.not_before = now + seconds.saturating_mul(SECOND).min(LONGEST_RETRY_AFTER);
    }
}

/// So many at once, and then one in so long. An office that answers every poll at once must not make us spin.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Requests that may still be made at once, in parts of [`EACH`].
    level: u64,
    at: u64,
}

const AT_ONCE: u64 = 10;
/// One more in this time.
const EACH: u64 = 2 * SECOND;

impl Default for Bucket {
    fn default() -> Bucket {
        Bucket { level: AT_ONCE * EACH, at: 0 }
    }
}

impl Bucket {
    fn fill(&mut self, now: u64) {
        self.level = (self.level + now.saturating_sub(self.at)).min(AT_ONCE * EACH);
        self.at = self.at.max(now);
    }

    pub fn take(&mut self, now: u64) -> bool {
        self.fill(now);
        let enough = self.level >= EACH;
        if enough {
            self.level -= EACH;
        }
        enough
    }

    /// When the next one may be made.
    pub fn ready_at(&self) -> u64 {
        self.at + EACH.saturating_sub(self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_anything_up_to_a_bound_that_doubles_to_five_minutes() {
        let mut jitter = Jitter::new(1);
        let mut longest = [0; 12];
        for _ in 0..2_000 {
            let mut pace = Pace::default();
            for longest in &mut longest {
                pace.failed(1_000_000, None, &mut jitter);
                *longest = (pace.not_before - 1_000_000).max(*longest);
            }
            pace.good();
            assert_eq!(pace.not_before, 0);
        }
        for (round, longest) in longest.into_iter().enumerate() {
            let bound = (1_000 << round).min(300_000);
            assert!(longest <= bound && longest > bound * 9 / 10, "{round}: {longest} of {bound}");
        }
    }

    #[test]
    fn what_the_other_end_asks_for_is_kept_up_to_an_hour() {
        let mut jitter = Jitter::new(2);
        for (asked, least) in [(10, 10_000), (3_600, 3_600_000), (31_536_000, 3_600_000), (u64::MAX, 3_600_000)] {
            let mut pace = Pace::default();
            pace.failed(0, Some(asked), &mut jitter);
            assert!((least..=least * 11 / 10).contains(&pace.not_before), "{asked}: {}", pace.not_before);
            pace.wait(0, asked);
            assert_eq!(pace.not_before, least);
        }
    }

    #[test]
    fn ten_at_once_and_then_one_in_two_seconds() {
        let mut bucket = Bucket::default();
        let made = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(now)).count();
        assert_eq!(made(&mut bucket, 5_000), 10);
        assert_eq!(bucket.ready_at(), 7_000);
        assert_eq!(made(&mut bucket, 6_999), 0);
        assert_eq!(made(&mut bucket, 7_000), 1);
        assert_eq!(made(&mut bucket, 13_000), 3);
        assert_eq!(made(&mut bucket, 1_000_000), 10);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut a, mut b) = (Jitter::new(7), Jitter::new(7));
        assert!((0..100).all(|_| a.between(3, 90) == b.between(3, 90)));
        assert!((0..1_000).all(|_| (3..=5).contains(&a.between(3, 5))));
        assert_eq!(a.between(4, 4), 4);
    }
}
