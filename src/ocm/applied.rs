//! `AppliedManifestWork` (work.open-cluster-management.io/v1): what an agent put into its cluster, kept there.

use super::{ObjectMeta, Time};

/// The finalizer that keeps one until what it lists is gone.
pub const FINALIZER: &str = "cluster.open-cluster-management.io/applied-manifest-work-cleanup";

structure! {
    /// What an agent put into its cluster for one work.
    pub struct AppliedManifestWork {
        /// Named `<hash of the hub>-<name of the work>`.
        pub metadata: ObjectMeta,
        /// For which work.
        pub spec: AppliedManifestWorkSpec,
        /// What.
        pub status: AppliedManifestWorkStatus,
    }
}
resource!(
    AppliedManifestWork,
    "work.open-cluster-management.io",
    "v1",
    "appliedmanifestworks",
    ClusterResourceScope
);

structure! {
    /// For which work.
    pub struct AppliedManifestWorkSpec {
        /// Which hub.
        pub hub_hash: String,
        /// Whose.
        #[serde(rename = "agentID")]
        pub agent_id: Option<String>,
        /// Which work.
        pub manifest_work_name: String,
    }
}

structure! {
    /// What was put there.
    pub struct AppliedManifestWorkStatus {
        /// All of it.
        pub applied_resources: Vec<AppliedResource>,
        /// Since when the hub does not want it any more.
        pub eviction_start_time: Option<Time>,
    }
}

structure! {
    /// An object that was put there.
    #[derive(Eq, PartialOrd, Ord)]
    pub struct AppliedResource {
        /// Its group; empty for the core.
        pub group: String,
        /// The version that it was applied in.
        pub version: String,
        /// The plural.
        pub resource: String,
        /// Empty for what has none.
        pub namespace: String,
        /// Its name.
        pub name: String,
        /// Which one of that name: another one of it is not ours to delete.
        pub uid: Option<String>,
    }
}

impl AppliedResource {
    /// Whether both are one object, in whichever version.
    pub fn is(&self, other: &Self) -> bool {
        (&self.group, &self.resource, &self.namespace, &self.name)
            == (&other.group, &other.resource, &other.namespace, &other.name)
    }
}
