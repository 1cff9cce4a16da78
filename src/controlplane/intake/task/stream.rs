//! What is known of one cluster's stream.

use super::super::unwritten::Unwritten;
use crate::informer::Snapshot;
use crate::store::{Error, StreamKey};
use std::time::Duration;
use tokio::time::Instant;

/// Pauses while the database is away, and while it refuses one stream.
pub(super) const AWAY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
const REFUSED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// One cluster's stream.
#[derive(Default)]
pub(super) struct Stream {
    /// Tells it from earlier ones of its cluster.
    pub(super) number: u64,
    /// The token it is written with, if there are other processes.
    pub(super) fence: Option<u64>,
    /// All was written with that once: nobody who had it before writes any more.
    pub(super) sealed: bool,
    /// Which stream of the store it was last.
    pub(super) key: Option<StreamKey>,
    /// What the store has; none if that is not known. Of a thin copy, only where that is.
    pub(super) written: Option<Snapshot>,
    /// What was tried in vain, and comes before all else.
    pub(super) left_over: Option<Unwritten>,
    /// There is something newer.
    pub(super) behind: bool,
    /// What is being written may have been deleted meanwhile.
    pub(super) outdated: bool,
    /// Tries in vain, and when the next one is.
    tries: u32,
    pub(super) again: Option<Instant>,
    pub(super) refused: bool,
}

impl Stream {
    pub(super) fn new(number: u64, fence: Option<u64>) -> Self {
        Self {
            number,
            fence,
            ..Self::default()
        }
    }

    /// What the store has is not known any more. Pauses go on.
    pub(super) fn begin_anew(&mut self, number: u64) {
        *self = Self {
            number,
            fence: self.fence,
            sealed: self.sealed,
            tries: self.tries,
            again: self.again,
            refused: self.refused,
            ..Self::default()
        };
    }

    /// Its token is in the store. Whether that is news: then what was loaded before may have been written by another one
    /// since.
    pub(super) fn seal(&mut self) -> bool {
        self.fence.is_some() && !std::mem::replace(&mut self.sealed, true)
    }

    /// All that was tried is in the store.
    pub(super) fn succeeded(&mut self, written: Snapshot) {
        self.written = Some(written);
        (self.tries, self.again, self.refused) = (0, None, false);
    }

    /// The next try is after a pause.
    pub(super) fn failed(&mut self, error: &Error) {
        let pauses = if error.is_retryable() { AWAY } else { REFUSED };
        let times = 2_u32.saturating_pow(self.tries.min(20));
        let pause = pauses.0.saturating_mul(times);
        self.tries += 1;
        self.again = Some(Instant::now() + pause.min(pauses.1));
        self.behind = true;
    }
}
