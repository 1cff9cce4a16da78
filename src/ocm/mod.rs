//! Open Cluster Management's API, in our own types: what its users know, its tools read and its controllers write.
//!
//! | module | what it is |
//! |---|---|
//! | [`cluster`] | `ManagedCluster` |
//! | [`clusterset`] | `ManagedClusterSet`, `ManagedClusterSetBinding` |
//! | [`placement`], [`decision`] | `Placement`, `PlacementDecision` |
//! | [`work`], [`work_status`] | `ManifestWork` |
//! | [`applied`] | `AppliedManifestWork` |
//! | [`replicaset`], [`strategy`] | `ManifestWorkReplicaSet` |
//! | [`conditions`] | conditions, as apimachinery sets and finds them |
//! | [`selector`], [`quantity`], [`duration`], [`share`] | what is written in strings |
//! | [`plain`] | the seed's plain form: a labelled object in a cluster's namespace is a work |
//! | [`exchange`] | what hub and agent tell each other |
//! | [`crd`] | the definitions that a hub installs where nobody has |
//!
//! # Fields that we do not know
//! These types are how we *read*. A field that they do not have is left where it is, since nothing is ever read, changed
//! and written back whole: specs are users', of whom we write only `hubAcceptsClient` and taints, by a patch of just
//! that; status and finalizers go by server-side apply or a patch of just what is ours. Where a user's text has to be
//! copied (the template of a `ManifestWorkReplicaSet`, the manifests of a work) it stays JSON and is copied as it is. A
//! word that we do not know stays that word (`Unknown`), so one field from tomorrow does not make an object unreadable,
//! and whoever cannot honour it can say so.
//!
//! **Architecture invariant:** pure; knows no broker and no cluster, and nothing of kube-rs: its `Api` takes these types
//! by what `k8s_openapi` says of them.

#[macro_use]
mod define;

pub mod applied;
pub mod cluster;
pub mod clusterset;
pub mod conditions;
pub mod crd;
pub mod decision;
pub mod duration;
pub mod exchange;
pub mod placement;
pub mod plain;
pub mod quantity;
pub mod replicaset;
pub mod selector;
pub mod share;
pub mod strategy;
#[cfg(test)]
mod tests;
pub mod unsupported;
pub mod work;
pub mod work_status;

pub use applied::{AppliedManifestWork, AppliedResource};
pub use cluster::{ManagedCluster, Taint, TaintEffect};
pub use clusterset::{ManagedClusterSet, ManagedClusterSetBinding};
pub use decision::{ClusterDecision, PlacementDecision};
pub use placement::Placement;
pub use replicaset::ManifestWorkReplicaSet;
pub use work::ManifestWork;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    Condition, LabelSelector, LabelSelectorRequirement, ObjectMeta, OwnerReference, Time,
};
pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The group of clusters, sets and placements.
pub const CLUSTER_GROUP: &str = "cluster.open-cluster-management.io";

/// The group of works.
pub const WORK_GROUP: &str = "work.open-cluster-management.io";

/// An object as it is sent: with the `apiVersion` and the `kind` that its type says.
///
/// # Errors
/// None for the types of this layer; a map whose keys are no strings would be one.
pub fn document<K>(object: &K) -> Result<serde_json::Value, serde_json::Error>
where
    K: k8s_openapi::Resource + serde::Serialize,
{
    let mut value = serde_json::to_value(object)?;
    if let Some(map) = value.as_object_mut() {
        map.insert("apiVersion".to_owned(), K::API_VERSION.into());
        map.insert("kind".to_owned(), K::KIND.into());
    }
    Ok(value)
}

/// An object's name; empty if it has none yet.
pub fn name<K: k8s_openapi::Metadata<Ty = ObjectMeta>>(object: &K) -> &str {
    object.metadata().name.as_deref().unwrap_or_default()
}

/// An object's namespace; empty if it has none.
pub fn namespace<K: k8s_openapi::Metadata<Ty = ObjectMeta>>(object: &K) -> &str {
    object.metadata().namespace.as_deref().unwrap_or_default()
}

/// The value of one of an object's labels.
pub fn label<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(key).map(String::as_str)
}

/// Whether an object is being deleted.
pub fn is_deleting(meta: &ObjectMeta) -> bool {
    meta.deletion_timestamp.is_some()
}
