//! Moments of a monotonic clock that somebody else reads, and random numbers from a seed that somebody else chose.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment of the driver's monotonic clock: microseconds since an origin that the driver chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// Earlier than any other: what is due then is due at once.
    pub(super) const AT_ONCE: Self = Self(0);
    /// Later than any other.
    pub(super) const NEVER: Self = Self(u64::MAX);

    /// The moment so many microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }
    /// The moment so many milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }
    /// Microseconds since the origin.
    pub const fn as_micros(self) -> u64 {
        self.0
    }
    /// The time from `earlier` to this moment; none at all if it was not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(micros(later)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(micros(earlier)))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds of a duration, as messages carry them.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Spreads what many would do at one moment. Deterministic: one seed, one sequence (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A duration of at most `most`, each as likely as the other.
    pub(super) fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.next() % micros(most).saturating_add(1).max(1))
    }
}
