//! What the clusters say: what they have, and of which kind it is.

use super::super::copy::{Kind, Origin};
use super::super::decide::Known;
use super::{Standing, Task};
use crate::informer::{Update, Watch};
use crate::protocol::names::ClusterName;
use crate::protocol::rows::Header;
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeMap;
use tokio::time::Instant;

impl Task {
    pub(super) fn update(&mut self, update: Update) {
        let now = Instant::now();
        match update {
            Update::Joined(cluster) => {
                let standing = self.clusters.entry(cluster).or_insert(Standing::Unknown);
                // Its copies are still to go, until it has said what it has now.
                if !matches!(standing, Standing::Forgotten) {
                    *standing = Standing::Unknown;
                }
            }
            Update::Changed(cluster, notices) => {
                if notices.iter().any(|notice| notice.key.is_empty()) {
                    self.look_at_header(&cluster);
                }
                for notice in notices.into_iter().filter(|notice| !notice.key.is_empty()) {
                    let (cluster, key) = (cluster.clone(), notice.key);
                    self.queue.add(&Origin { cluster, key }, now);
                }
            }
            Update::State(cluster, state) => {
                if let Some(why) = self.refusals.news(&cluster, &state) {
                    tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not mirrored: {why}");
                }
            }
            Update::Left(cluster) => {
                tracing::info!(cluster = cluster.as_str(), resource = %self.now.word, "the cluster was forgotten: its copies go, too");
                self.refusals.forget(&cluster);
                self.clusters.insert(cluster.clone(), Standing::Forgotten);
                self.add_copies_of(&cluster);
            }
            Update::Discovered => self.tell_of_strangers(),
            Update::Unsettled(_) | Update::Presence(_) | Update::Link(_) => {}
        }
    }

    /// Whether a cluster means by the word what the hub means. A source chooses what it answers with: were it believed,
    /// one could answer "secrets" with ClusterRoleBindings.
    pub(super) fn look_at_header(&mut self, cluster: &ClusterName) {
        let (Some(mirrored), Some(member)) = (&self.mirrored, self.watch.members().get(cluster))
        else {
            return;
        };
        let snapshot = member.store().snapshot();
        let Some(header) = snapshot
            .entries
            .get(&b""[..])
            .filter(|_| snapshot.is_whole())
        else {
            return;
        };
        let theirs = kind_of(header);
        let hub = &mirrored.kind;
        let same = theirs.as_ref().is_some_and(|theirs| {
            Kind {
                version: hub.version.clone(),
                ..theirs.clone()
            } == *hub
        });
        let was_whole = matches!(self.clusters.get(cluster), Some(Standing::Whole(_)));
        let standing = match theirs.filter(|_| same) {
            Some(theirs) => Standing::Whole(theirs),
            None => {
                tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not mirrored: the cluster means another resource by it than the hub ({}.{})", hub.plural, hub.group);
                Standing::Other
            }
        };
        self.clusters.insert(cluster.clone(), standing);
        if !was_whole {
            // What was deleted while nobody looked.
            self.add_copies_of(cluster);
        }
    }

    /// Other clusters are this process's now. Of those that are not, nothing is known any more, so nothing is done.
    pub(super) fn shared(&mut self) {
        let Some(held) = &mut self.share else {
            return;
        };
        let names = held.borrow_and_update().names();
        self.clusters.retain(|cluster, _| names.contains(cluster));
        self.refused
            .retain(|origin, _| names.contains(&origin.cluster));
        self.watch.only(names);
    }

    fn add_copies_of(&mut self, cluster: &ClusterName) {
        let now = Instant::now();
        let theirs = |origin: &&Origin| origin.cluster == *cluster;
        let origins: Vec<_> = self.copies.origins().filter(theirs).cloned().collect();
        for origin in origins {
            self.queue.add(&origin, now);
        }
    }

    pub(super) fn add_all_of(&mut self, cluster: &ClusterName) {
        let Some(member) = self.watch.members().get(cluster) else {
            return;
        };
        let (snapshot, now) = (member.store().snapshot(), Instant::now());
        for (key, _) in snapshot.objects() {
            let (cluster, key) = (cluster.clone(), key.clone());
            self.queue.add(&Origin { cluster, key }, now);
        }
    }

    /// Copies of clusters that were forgotten while nobody looked: there is nobody to say what became of them.
    fn tell_of_strangers(&self) {
        let mut strangers: BTreeMap<&str, usize> = BTreeMap::new();
        for origin in self.copies.origins() {
            if !self.watch.is_known(&origin.cluster) {
                *strangers.entry(origin.cluster.as_str()).or_default() += 1;
            }
        }
        for (cluster, copies) in strangers {
            tracing::warn!(cluster, copies, resource = %self.now.word, "copies of a cluster that is not there are kept: see docs/operations.md");
        }
    }
}

fn kind_of(header: &Bytes) -> Option<Kind> {
    let header = Header::decode(header.clone()).ok()?;
    Some(Kind {
        group: header.group,
        version: header.version,
        plural: header.plural,
        kind: header.kind,
        namespaced: header.namespaced,
    })
}

pub(super) fn known(
    watch: &Watch,
    clusters: &BTreeMap<ClusterName, Standing>,
    origin: &Origin,
) -> Known {
    let kind = match clusters.get(&origin.cluster) {
        Some(Standing::Whole(kind)) => kind,
        Some(Standing::Forgotten) => return Known::Absent,
        Some(Standing::Unknown | Standing::Other) | None => return Known::Nothing,
    };
    let Some(member) = watch.members().get(&origin.cluster) else {
        return Known::Nothing;
    };
    let snapshot = member.store().snapshot();
    match snapshot.entries.get(&origin.key) {
        _ if !snapshot.is_whole() => Known::Nothing,
        Some(value) => Known::Present(kind.clone(), value.clone()),
        None => Known::Absent,
    }
}
