//! `PlacementDecision` (cluster.open-cluster-management.io/v1beta1): which clusters a placement got.

use super::{ObjectMeta, label};

/// The label that names the placement.
pub const PLACEMENT_LABEL: &str = "cluster.open-cluster-management.io/placement";
/// The label that counts the group, from 0.
pub const GROUP_INDEX_LABEL: &str = "cluster.open-cluster-management.io/decision-group-index";
/// The label that names the group; its value may be empty.
pub const GROUP_NAME_LABEL: &str = "cluster.open-cluster-management.io/decision-group-name";
/// The most clusters that one object lists.
pub const MOST_DECISIONS: usize = 100;

structure! {
    /// Some of the clusters that a placement got.
    pub struct PlacementDecision {
        /// Its labels say of which placement and group it is.
        pub metadata: ObjectMeta,
        /// The clusters.
        pub status: PlacementDecisionStatus,
    }
}
resource!(
    PlacementDecision,
    "cluster.open-cluster-management.io",
    "v1beta1",
    "placementdecisions",
    NamespaceResourceScope
);

structure! {
    /// Some of the clusters that a placement got.
    pub struct PlacementDecisionStatus {
        /// At most [`MOST_DECISIONS`]; required, so "none" is said.
        pub decisions: Option<Vec<ClusterDecision>>,
    }
}

structure! {
    /// A cluster that a placement got.
    pub struct ClusterDecision {
        /// The cluster; empty: none yet.
        pub cluster_name: String,
        /// Why.
        pub reason: String,
        /// How good it is.
        pub score: Option<i64>,
    }
}

impl PlacementDecision {
    /// Its decisions.
    pub fn decisions(&self) -> &[ClusterDecision] {
        self.status.decisions.as_deref().unwrap_or_default()
    }

    /// The names of its clusters.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        let names = self.decisions().iter().map(|it| it.cluster_name.as_str());
        names.filter(|it| !it.is_empty())
    }

    /// Whether it belongs to that placement.
    pub fn is_of(&self, namespace: &str, placement: &str) -> bool {
        self.metadata.namespace.as_deref() == Some(namespace)
            && label(&self.metadata, PLACEMENT_LABEL) == Some(placement)
    }
}
