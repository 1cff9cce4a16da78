//! How long to wait before the next try.

use std::time::Duration;

/// Waits that double, each a random part of its bound ("full jitter"), so that a thousand streams do not come back in
/// step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    bound: Duration,
}

impl Backoff {
    /// From the first wait to the longest.
    pub(super) fn between((first, longest): (Duration, Duration)) -> Self {
        Self {
            first,
            longest,
            bound: first,
        }
    }
    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let bound = self.bound;
        self.bound = (bound * 2).min(self.longest);
        // Never nothing: even the luckiest try waits a little.
        bound.mul_f64(rand::random_range(0.2..1.0))
    }
    /// It went well.
    pub(super) fn reset(&mut self) {
        self.bound = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_start_over() {
        let mut backoff = Backoff::between((Duration::from_secs(1), Duration::from_secs(8)));
        for bound in [1, 2, 4, 8, 8, 8] {
            let wait = backoff.next().as_secs_f64();
            assert!(
                (0.2..1.0).contains(&(wait / f64::from(bound))),
                "{wait} of {bound}"
            );
        }
        backoff.reset();
        assert!(backoff.next() < Duration::from_secs(1));
    }
}
