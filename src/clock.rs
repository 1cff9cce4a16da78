//! The clocks that the tasks hand to the pure parts.

use crate::replica::Moment;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// A task's own clock: [`Moment`]s count from when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that stands at zero.
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Moment {
        Moment::from_micros(u64::try_from(self.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// For how long it runs.
    pub(crate) fn elapsed(self) -> Duration {
        self.origin.elapsed()
    }

    /// When that is, for those that wait.
    pub(crate) fn instant(self, at: Moment) -> Instant {
        self.origin + Duration::from_micros(at.as_micros())
    }

    /// Waits until then; for ever if there is nothing to wait for.
    pub(crate) async fn wait_for(self, deadline: Option<Moment>) {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(self.instant(deadline)).await,
            None => std::future::pending().await,
        }
    }
}

/// The wall clock in ms since 1970: only to compare with what was written down.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
