//! History ends: what was not true any more so long ago is forgotten.

use crate::store::Store;
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked after, at most and at least.
const EVERY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));

/// Forgets what is older than `history`, now and again and again, until it is asked to stop.
pub(super) async fn run(store: Store, history: Duration, mut stop: watch::Receiver<bool>) {
    let mut turn = interval((history / 24).clamp(EVERY.0, EVERY.1));
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = turn.tick() => {}
        }
        let Ok(before) = Timestamp::now().checked_sub(history) else {
            // Nothing is as old as that.
            continue;
        };
        // It may be interrupted, and goes on at the next turn.
        let pruned = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            pruned = store.prune(before) => pruned,
        };
        match pruned {
            Ok(pruned) if pruned.versions > 0 => {
                tracing::info!(
                    versions = pruned.versions,
                    "forgot what was older than --history"
                );
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "nothing is forgotten; it is tried again"),
        }
    }
}
