//! `ManifestWorkReplicaSet` (work.open-cluster-management.io/v1alpha1): one work for all clusters of placements.

use super::strategy::RolloutStrategy;
use super::work::ManifestWorkSpec;
use super::{Condition, ObjectMeta, name, namespace};
use serde_json::Value;

/// The label of a work that names its set: `<namespace>.<name>`.
pub const REPLICA_SET_LABEL: &str = "work.open-cluster-management.io/manifestworkreplicaset";
/// The label of a work that names its placement.
pub const PLACEMENT_NAME_LABEL: &str = "work.open-cluster-management.io/placementname";
/// The finalizer that keeps a set until its works are gone.
pub const FINALIZER: &str = "work.open-cluster-management.io/manifest-work-cleanup";

/// Its placements are there, and have clusters.
pub const PLACEMENT_VERIFIED: &str = "PlacementVerified";
/// All their clusters have succeeded.
pub const PLACEMENT_ROLLED_OUT: &str = "PlacementRolledOut";
/// What the message of [`PLACEMENT_ROLLED_OUT`] says once a set has stopped: OCM has no reason for that.
pub const STOPPED: &str = "stopped after too many failures";
/// All works are available.
pub const MANIFESTWORK_APPLIED: &str = "ManifestworkApplied";

structure! {
    /// One work for all clusters of placements.
    pub struct ManifestWorkReplicaSet {
        /// In the namespace of its placements.
        pub metadata: ObjectMeta,
        /// What, and where.
        pub spec: ManifestWorkReplicaSetSpec,
        /// How far it is.
        pub status: ManifestWorkReplicaSetStatus,
    }
}
resource!(
    ManifestWorkReplicaSet,
    "work.open-cluster-management.io",
    "v1alpha1",
    "manifestworkreplicasets",
    NamespaceResourceScope
);

structure! {
    /// What, and where.
    pub struct ManifestWorkReplicaSetSpec {
        /// The spec of each work; copied as it is, so it is no [`ManifestWorkSpec`] here.
        pub manifest_work_template: Value,
        /// Where.
        pub placement_refs: Vec<PlacementRef>,
        /// Whether the set waits for its works when it goes.
        pub cascade_deletion_policy: CascadeDeletionPolicy,
    }
}

structure! {
    /// Where, and in which steps.
    pub struct PlacementRef {
        /// A placement in the set's namespace.
        pub name: String,
        /// In which steps.
        pub rollout_strategy: RolloutStrategy,
    }
}

word! {
    /// Whether a set waits for its works when it goes.
    pub enum CascadeDeletionPolicy {
        /// It does not.
        Background,
        /// It does.
        Foreground,
    }
}

structure! {
    /// How far a set is.
    pub struct ManifestWorkReplicaSetStatus {
        /// [`PLACEMENT_VERIFIED`], [`PLACEMENT_ROLLED_OUT`], [`MANIFESTWORK_APPLIED`].
        pub conditions: Vec<Condition>,
        /// Of all placements.
        pub summary: Summary,
        /// Of each.
        pub placement_summary: Vec<PlacementSummary>,
    }
}

structure! {
    /// How far the works of a placement are.
    pub struct PlacementSummary {
        /// The placement.
        pub name: String,
        /// In words.
        pub available_decision_groups: String,
        /// In numbers.
        pub summary: Summary,
    }
}

structure! {
    /// How many works are what.
    #[derive(Eq)]
    pub struct Summary {
        /// There.
        pub total: i64,
        /// To be there.
        pub desired_total: i64,
        /// As the template is now.
        pub updated: i64,
        /// Applied.
        pub applied: i64,
        /// Available.
        pub available: i64,
        /// Degraded.
        pub degraded: i64,
        /// Progressing.
        pub progressing: i64,
    }
}

impl ManifestWorkReplicaSet {
    /// What its works' label says.
    pub fn key(&self) -> String {
        format!("{}.{}", namespace(self), name(self))
    }

    /// The template, understood.
    ///
    /// # Errors
    /// When it is not the spec of a work.
    pub fn template(&self) -> Result<ManifestWorkSpec, serde_json::Error> {
        match &self.spec.manifest_work_template {
            Value::Null => Ok(ManifestWorkSpec::default()),
            template => serde::Deserialize::deserialize(template),
        }
    }
}
