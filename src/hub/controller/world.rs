//! What there is on the hub, as its watches show it.

use super::cache::{Cache, Id};
use super::clusters::impossible;
use super::owners::Owners;
use crate::hub::lifecycle::farewell::Home;
use crate::kubernetes::{Heard, Kubernetes, Place, follow};
use crate::ocm::{
    ManagedCluster, ManagedClusterSet, ManagedClusterSetBinding, ManifestWork,
    ManifestWorkReplicaSet, ObjectMeta, Placement, PlacementDecision, document, is_deleting, name,
};
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::{Metadata, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// The annotation of a namespace that the hub has made: the uid of the cluster that it was made for. Only such a one is
/// deleted, with its cluster.
pub(super) const MADE_FOR: &str = "mqinformer.io/cluster-uid";

/// A kind that the hub follows as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Namespace,
    Cluster,
    Set,
    Binding,
    Placement,
    Decision,
    Work,
    ReplicaSet,
}

/// All of them.
pub(super) const KINDS: [Kind; 8] = [
    Kind::Namespace,
    Kind::Cluster,
    Kind::Set,
    Kind::Binding,
    Kind::Placement,
    Kind::Decision,
    Kind::Work,
    Kind::ReplicaSet,
];

/// Those that have a definition, in an order in which they can be made.
pub(super) const DEFINED: [Kind; 7] = [
    Kind::Set,
    Kind::Cluster,
    Kind::Binding,
    Kind::Placement,
    Kind::Decision,
    Kind::Work,
    Kind::ReplicaSet,
];

/// How a cluster stands to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is no such cluster.
    Absent,
    /// It takes none now: it is not accepted, or goes.
    Waits,
    /// It takes work.
    TakesWork,
}

/// All that is there.
#[derive(Default)]
pub(super) struct World {
    /// Where the hub runs, if in the cluster that it writes to: no cluster can have it.
    pub(super) own_namespace: Option<String>,
    /// Which works belong to which sets.
    pub(super) owners: Owners,
    pub(super) namespaces: Cache<Namespace>,
    pub(super) clusters: Cache<ManagedCluster>,
    pub(super) sets: Cache<ManagedClusterSet>,
    pub(super) bindings: Cache<ManagedClusterSetBinding>,
    pub(super) placements: Cache<Placement>,
    pub(super) decisions: Cache<PlacementDecision>,
    pub(super) works: Cache<ManifestWork>,
    pub(super) replica_sets: Cache<ManifestWorkReplicaSet>,
}

impl Kind {
    /// Its name in URLs, and its group.
    fn url(self) -> (&'static str, &'static str, &'static str) {
        fn of<K: Resource>() -> (&'static str, &'static str, &'static str) {
            (K::URL_PATH_SEGMENT, K::VERSION, K::GROUP)
        }
        match self {
            Self::Namespace => of::<Namespace>(),
            Self::Cluster => of::<ManagedCluster>(),
            Self::Set => of::<ManagedClusterSet>(),
            Self::Binding => of::<ManagedClusterSetBinding>(),
            Self::Placement => of::<Placement>(),
            Self::Decision => of::<PlacementDecision>(),
            Self::Work => of::<ManifestWork>(),
            Self::ReplicaSet => of::<ManifestWorkReplicaSet>(),
        }
    }

    /// Where an object of it is.
    pub(super) fn place(self, namespace: &str, name: &str) -> Place {
        let (plural, version, group) = self.url();
        Place {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: plural.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Its name in URLs.
    pub(super) fn plural(self) -> &'static str {
        self.url().0
    }

    /// The name of its definition.
    pub(super) fn definition(self) -> String {
        let (plural, _, group) = self.url();
        format!("{plural}.{group}")
    }

    fn selection(self) -> Selection {
        let (plural, version, group) = self.url();
        Selection {
            resource: format!("{plural}.{version}.{group}"),
            view: View::Objects,
            ..Selection::default()
        }
    }

    /// Follows it until nobody listens.
    pub(super) async fn follow(self, kubernetes: Kubernetes, heard: mpsc::Sender<(Self, Heard)>) {
        let (tell, mut told) = mpsc::channel(64);
        let pass_on = async {
            while let Some(one) = told.recv().await {
                if heard.send((self, one)).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = follow(kubernetes, self.selection(), tell) => {}
            () = pass_on => {}
        }
    }
}

impl World {
    /// Takes what a watch says; answers what changed.
    pub(super) fn take(&mut self, kind: Kind, heard: Heard) -> BTreeSet<Id> {
        match kind {
            Kind::Namespace => self.namespaces.take(heard),
            Kind::Cluster => self.clusters.take(heard),
            Kind::Set => self.sets.take(heard),
            Kind::Binding => self.bindings.take(heard),
            Kind::Placement => self.placements.take(heard),
            Kind::Decision => self.decisions.take(heard),
            Kind::Work => self.works.take(heard),
            Kind::ReplicaSet => self.replica_sets.take(heard),
        }
    }

    /// Takes what a write answered; answers what it is, if it is followed.
    pub(super) fn wrote(&mut self, place: &Place, object: &Bytes) -> Option<(Kind, Id)> {
        let is_it = |kind: &&Kind| {
            let (plural, _, group) = kind.url();
            (plural, group) == (place.plural.as_str(), place.group.as_str())
        };
        let kind = *KINDS.iter().find(is_it)?;
        let id = match kind {
            Kind::Namespace => self.namespaces.wrote(object),
            Kind::Cluster => self.clusters.wrote(object),
            Kind::Set => self.sets.wrote(object),
            Kind::Binding => self.bindings.wrote(object),
            Kind::Placement => self.placements.wrote(object),
            Kind::Decision => self.decisions.wrote(object),
            Kind::Work => self.works.wrote(object),
            Kind::ReplicaSet => self.replica_sets.wrote(object),
        };
        Some((kind, id?))
    }

    /// The first kind that was not read whole yet: before that, nothing is decided.
    pub(super) fn waits_for(&self) -> Option<&'static str> {
        let missing = KINDS.into_iter().find(|it| !self.is_whole(*it));
        missing.map(|kind| kind.url().0)
    }

    /// Whether a kind was read whole once.
    pub(super) fn is_whole(&self, kind: Kind) -> bool {
        match kind {
            Kind::Namespace => self.namespaces.is_whole(),
            Kind::Cluster => self.clusters.is_whole(),
            Kind::Set => self.sets.is_whole(),
            Kind::Binding => self.bindings.is_whole(),
            Kind::Placement => self.placements.is_whole(),
            Kind::Decision => self.decisions.is_whole(),
            Kind::Work => self.works.is_whole(),
            Kind::ReplicaSet => self.replica_sets.is_whole(),
        }
    }

    /// All objects of a kind, as they were read: of namespaces, none.
    pub(super) fn documents(&self, kind: Kind) -> Vec<Value> {
        fn of<K>(cache: &Cache<K>) -> Vec<Value>
        where
            K: Resource + Metadata<Ty = ObjectMeta> + Serialize + DeserializeOwned,
        {
            cache
                .all()
                .iter()
                .filter_map(|it| document(it).ok())
                .collect()
        }
        match kind {
            Kind::Namespace => Vec::new(),
            Kind::Cluster => of(&self.clusters),
            Kind::Set => of(&self.sets),
            Kind::Binding => of(&self.bindings),
            Kind::Placement => of(&self.placements),
            Kind::Decision => of(&self.decisions),
            Kind::Work => of(&self.works),
            Kind::ReplicaSet => of(&self.replica_sets),
        }
    }

    /// Whose the namespace of a cluster's name is.
    pub(super) fn home(&self, cluster: &ManagedCluster) -> Home {
        let Some(found) = self.namespaces.get("", name(cluster)) else {
            return match self.namespaces.has("", name(cluster)) {
                true => Home::Theirs,
                false => Home::Nowhere,
            };
        };
        let annotations = found.metadata.annotations.as_ref();
        let made_for = annotations.and_then(|it| it.get(MADE_FOR));
        match made_for.is_some() && made_for == cluster.metadata.uid.as_ref() {
            true => Home::Ours,
            false => Home::Theirs,
        }
    }

    /// How a cluster stands to work in its namespace.
    pub(super) fn standing(&self, cluster: &str) -> Standing {
        if !self.clusters.has("", cluster) {
            return Standing::Absent;
        }
        let takes = |it: &ManagedCluster| it.spec.hub_accepts_client && !is_deleting(&it.metadata);
        let possible = impossible(cluster, self.own_namespace.as_deref()).is_none();
        match self.clusters.get("", cluster) {
            Some(found) if takes(found) && possible => Standing::TakesWork,
            _ => Standing::Waits,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::source::Event;

    /// As a watch tells of it.
    pub(in super::super) fn put(key: &str, object: &Value) -> Heard {
        let value = object.to_string().into();
        Heard::Event(Event::Put(key.to_owned().into(), value, 0))
    }
}
