//! Only the clusters that are this process's are taken in, where there are others.

use super::Task;
use super::stream::Stream;
use crate::protocol::names::ClusterName;

impl Task {
    /// The token that a cluster is written with; none if there are no others, or it is not this process's.
    pub(super) fn fence(&self, cluster: &ClusterName) -> Option<u64> {
        let held = self.share.as_ref()?.borrow();
        held.clusters.get(cluster).copied()
    }

    /// Other clusters are this process's now. What another one wrote of a cluster meanwhile is not known, so one that was
    /// taken again is begun anew.
    pub(super) fn shared(&mut self) {
        let Some(held) = &mut self.share else {
            return;
        };
        let held = held.borrow_and_update().clone();
        self.watch.only(held.names());
        let members = self.watch.members();
        let others = |cluster: &&ClusterName| !members.contains_key(*cluster);
        let others: Vec<_> = self.clusters.keys().filter(others).cloned().collect();
        for cluster in others {
            // What of it is being written is refused as soon as another one has written.
            self.clusters.remove(&cluster);
            if let Some(backing) = &self.backing {
                backing.forget(&cluster, &self.selection);
            }
        }
        let is_new = |(cluster, stream): (&ClusterName, &Stream)| {
            let fence = held.clusters.get(cluster).copied();
            (fence.is_some() && fence != stream.fence).then(|| (cluster.clone(), fence))
        };
        for (cluster, fence) in self.clusters.iter().filter_map(is_new).collect::<Vec<_>>() {
            self.clusters.insert(cluster.clone(), Stream::new(0, fence));
            self.begin_anew(&cluster);
        }
    }

    /// Whether a stream may be written: not by a process that shares, and has no token for it.
    pub(super) fn may_write(&self, stream: &Stream) -> bool {
        self.share.is_none() || stream.fence.is_some()
    }
}
