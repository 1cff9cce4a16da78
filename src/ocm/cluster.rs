//! `ManagedCluster` (cluster.open-cluster-management.io/v1): one cluster, as the hub knows it.

use super::{Condition, ObjectMeta, Time};
use serde_json::Value;
use std::collections::BTreeMap;

/// The hub let the cluster in, or did not.
pub const HUB_ACCEPTED: &str = "HubAcceptedManagedCluster";
/// The cluster's agent has been here.
pub const JOINED: &str = "ManagedClusterJoined";
/// The cluster's agent is here, and its API server answers.
pub const AVAILABLE: &str = "ManagedClusterConditionAvailable";

/// The taint of a cluster of which nothing is heard.
pub const TAINT_UNREACHABLE: &str = "cluster.open-cluster-management.io/unreachable";
/// The taint of a cluster whose API server does not answer.
pub const TAINT_UNAVAILABLE: &str = "cluster.open-cluster-management.io/unavailable";

/// The label of the cluster set that a cluster is in.
pub const CLUSTER_SET_LABEL: &str = "cluster.open-cluster-management.io/clusterset";
/// The label of a cluster's namespace.
pub const CLUSTER_NAME_LABEL: &str = "open-cluster-management.io/cluster-name";
/// OCM's finalizer of a cluster, which ours stands beside.
pub const FINALIZER: &str = "cluster.open-cluster-management.io/api-resource-cleanup";

/// How long a lease lasts if nobody says.
pub const DEFAULT_LEASE_SECONDS: i32 = 60;

structure! {
    /// A cluster, as the hub knows it.
    pub struct ManagedCluster {
        /// Name, labels.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: ManagedClusterSpec,
        /// What is.
        pub status: ManagedClusterStatus,
    }
}
resource!(
    ManagedCluster,
    "cluster.open-cluster-management.io",
    "v1",
    "managedclusters",
    ClusterResourceScope
);

structure! {
    /// What is wanted of a cluster.
    pub struct ManagedClusterSpec {
        /// Where its API server is, for who can reach it.
        pub managed_cluster_client_configs: Vec<ClientConfig>,
        /// Whether the hub lets it in.
        pub hub_accepts_client: bool,
        /// How long its lease lasts; [`DEFAULT_LEASE_SECONDS`] if 0 or not said.
        pub lease_duration_seconds: Option<i32>,
        /// What keeps placements away.
        pub taints: Vec<Taint>,
    }
}

structure! {
    /// Where an API server is.
    pub struct ClientConfig {
        /// `https://...`
        pub url: String,
        /// Base64 of PEM.
        pub ca_bundle: Option<String>,
    }
}

structure! {
    /// What keeps placements away that do not tolerate it.
    pub struct Taint {
        /// As a label's key.
        pub key: String,
        /// Beside the key; may be empty.
        pub value: Option<String>,
        /// What it does.
        pub effect: TaintEffect,
        /// Since when.
        pub time_added: Option<Time>,
    }
}

word! {
    /// What a taint does to placements that do not tolerate it.
    pub enum TaintEffect {
        /// Not selected, and no longer selected.
        NoSelect,
        /// Selected only if nothing else is there.
        PreferNoSelect,
        /// Not selected unless it already is.
        NoSelectIfNew,
    }
}

structure! {
    /// What a cluster is.
    pub struct ManagedClusterStatus {
        /// [`HUB_ACCEPTED`], [`JOINED`], [`AVAILABLE`].
        pub conditions: Vec<Condition>,
        /// All that its nodes have, as quantities.
        pub capacity: BTreeMap<String, Value>,
        /// What of it pods can have.
        pub allocatable: BTreeMap<String, Value>,
        /// Of its API server.
        pub version: ManagedClusterVersion,
        /// What it says of itself.
        pub cluster_claims: Vec<ClusterClaim>,
        /// Namespaces that cluster sets manage.
        pub managed_namespaces: Vec<ManagedNamespaceStatus>,
    }
}

structure! {
    /// A cluster's version.
    pub struct ManagedClusterVersion {
        /// `v1.36.0`
        pub kubernetes: Option<String>,
    }
}

structure! {
    /// What a cluster says of itself.
    pub struct ClusterClaim {
        /// `id.k8s.io`
        pub name: String,
        /// Any text.
        pub value: String,
    }
}

structure! {
    /// A namespace that a cluster set manages.
    pub struct ManagedNamespaceStatus {
        /// The set.
        pub cluster_set: String,
        /// The namespace.
        pub name: String,
        /// How it is.
        pub conditions: Vec<Condition>,
    }
}

impl ManagedCluster {
    /// The value of one of its claims.
    pub fn claim(&self, name: &str) -> Option<&str> {
        let found = self.status.cluster_claims.iter().find(|it| it.name == name);
        found.map(|it| it.value.as_str())
    }

    /// How long its lease lasts, in seconds.
    pub fn lease_seconds(&self) -> i32 {
        let said = self.spec.lease_duration_seconds.filter(|it| *it > 0);
        said.unwrap_or(DEFAULT_LEASE_SECONDS)
    }
}
