//! How long to wait before the next attempt.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// When nobody has let us in for [`PATIENCE`], or when trying again will not help by itself.
const SLOW: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(60);
/// A connection that lasted as long was a success; one that is dropped at once, again and again, is none.
pub(super) const SETTLED: Duration = LONGEST;

/// Doubles from 100 ms to 2 s with full jitter, so that a thousand clients of a restarted broker do not come at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    failing_since: Option<Instant>,
}

impl Backoff {
    /// The broker let us in: it is there. A network that breaks every second for a minute is no reason to stay away
    /// for half of one.
    pub(super) fn admitted(&mut self) {
        self.failing_since = None;
    }

    /// A connection lasted.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// How long to wait after a failure. `random` is in `0.0..1.0`.
    pub(super) fn failed(&mut self, now: Instant, permanent: bool, random: f64) -> Duration {
        let since = *self.failing_since.get_or_insert(now);
        if permanent || now.duration_since(since) >= PATIENCE {
            return SLOW.mul_f64(0.5 + random / 2.0);
        }
        let ceiling = FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALMOST: f64 = 1.0;

    #[test]
    fn waits_double_up_to_two_seconds() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let waits: Vec<_> = (0..7)
            .map(|_| backoff.failed(now, false, ALMOST).as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(backoff.failed(now, false, 0.0), Duration::ZERO);
        backoff.succeeded();
        assert_eq!(backoff.failed(now, false, ALMOST), FIRST);
    }

    #[test]
    fn after_a_minute_or_for_what_will_not_heal_waits_are_long() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!(backoff.failed(now, true, ALMOST), SLOW);
        assert_eq!(backoff.failed(now, true, 0.0), SLOW / 2);
        assert!(backoff.failed(now + PATIENCE / 2, false, ALMOST) <= LONGEST);
        assert_eq!(backoff.failed(now + PATIENCE, false, ALMOST), SLOW);
        backoff.succeeded();
        assert_eq!(backoff.failed(now + PATIENCE, false, ALMOST), FIRST);
    }

    #[test]
    fn a_network_that_breaks_again_and_again_is_tried_every_two_seconds() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        for second in 0..200 {
            let wait = backoff.failed(now + Duration::from_secs(second), false, ALMOST);
            assert!(wait <= LONGEST, "{wait:?}");
            backoff.admitted();
        }
        assert_eq!(backoff.failed(now, false, ALMOST), LONGEST, "and no faster");
    }
}
