//! Writes, a few batches at once.

use super::super::batches::{MOST, batches};
use super::super::unwritten::Unwritten;
use crate::protocol::names::ClusterName;
use crate::store::{Batch, Error, Store, StreamKey};
use std::sync::Arc;
use tokio::sync::{Semaphore, broadcast};

/// What all tasks write with.
#[derive(Clone)]
pub(in super::super) struct Writer {
    pub(in super::super) store: Store,
    pub(in super::super) turns: Arc<Semaphore>,
    /// Clusters whose objects were all deleted, by any of the tasks: what the others wrote since is gone, too.
    pub(in super::super) emptied: broadcast::Sender<ClusterName>,
}

/// What became of it.
pub(super) struct Written {
    pub(super) what: Unwritten,
    pub(super) batches: u64,
    pub(super) changes: u64,
    pub(super) result: Result<(), Error>,
}

impl Writer {
    /// All of it, or as far as it goes.
    pub(super) async fn write(
        &self,
        (key, fence): (&StreamKey, Option<u64>),
        what: Unwritten,
    ) -> Written {
        let (mut written, mut changes) = (0, 0);
        let result = async {
            // Nobody closes it.
            let _turn = self.turns.acquire().await;
            for batch in batches(key, what.changes(), what.end(), MOST) {
                let count = batch.changes.len() as u64;
                self.store.write(Batch { fence, ..batch }).await?;
                written += 1;
                changes += count;
            }
            Ok(())
        };
        let result = result.await;
        Written {
            what,
            batches: written,
            changes,
            result,
        }
    }
}
