//! The store is told that what it has is still true.

use super::Task;
use super::jobs::Done;
use super::stream::Stream;
use crate::informer::{Freshness, Member};
use crate::protocol::names::ClusterName;
use jiff::Timestamp;
use std::time::Duration;

impl Task {
    /// Says of each stream that what was written last is what its cluster has.
    pub(super) fn prove(&mut self) {
        for (cluster, stream) in &self.clusters {
            let Some(member) = self.watch.members().get(cluster) else {
                continue;
            };
            let (Some(key), Some(old)) = (&stream.key, self.age(cluster, stream, member)) else {
                continue;
            };
            let (store, key) = (self.writer.store.clone(), key.clone());
            self.jobs.spawn(async move {
                let at = Timestamp::now().checked_sub(old).unwrap_or_default();
                // One that fails is followed by another.
                let _ = store.prove(&key, at).await;
                Done::Proven
            });
        }
    }

    /// How old that is which the store has and the cluster has; none if they are not known to have the same.
    fn age(&self, cluster: &ClusterName, stream: &Stream, member: &Member) -> Option<Duration> {
        let written = stream.written.as_ref()?;
        if stream.behind || self.busy.contains(cluster) {
            return None;
        }
        let (snapshot, age) = member.store().read();
        let same = match snapshot.thin {
            Some(_) => member.unsettled().is_none(),
            None => (snapshot.epoch, snapshot.seq) == (written.epoch, written.seq),
        };
        age.at_most
            .filter(|_| same && age.freshness == Freshness::Fresh)
    }
}
