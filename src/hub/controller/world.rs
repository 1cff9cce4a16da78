//! What there is on the hub, as its watches show it.

use super::cache::{Cache, Id};
use crate::hub::lifecycle::farewell::Home;
use crate::kubernetes::{Heard, Kubernetes, Place, follow};
use crate::ocm::{
    ManagedCluster, ManagedClusterSet, ManagedClusterSetBinding, ManifestWork,
    ManifestWorkReplicaSet, Placement, PlacementDecision, is_deleting, name,
};
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use k8s_openapi::Resource;
use k8s_openapi::api::core::v1::Namespace;
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

/// All that is there.
#[derive(Default)]
pub(super) struct World {
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
        let whole = [
            self.namespaces.is_whole(),
            self.clusters.is_whole(),
            self.sets.is_whole(),
            self.bindings.is_whole(),
            self.placements.is_whole(),
            self.decisions.is_whole(),
            self.works.is_whole(),
            self.replica_sets.is_whole(),
        ];
        let all = whole.into_iter().zip(KINDS);
        let mut missing = all.filter(|(whole, _)| !whole);
        missing.next().map(|(_, kind)| kind.url().0)
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

    /// Whether a cluster takes work: it is accepted, and stays.
    pub(super) fn takes_work(&self, cluster: &str) -> bool {
        let found = self.clusters.get("", cluster);
        found.is_some_and(|it| it.spec.hub_accepts_client && !is_deleting(&it.metadata))
    }
}
