//! The hub: it lets clusters in, finds places for work, sends it, and tells what became of it.
//!
//! | module | what it decides |
//! |---|---|
//! | [`placement`] | which clusters a `Placement` gets |
//! | [`rollout`] | which works of a `ManifestWorkReplicaSet` are written now |
//! | [`lifecycle`] | what a `ManagedCluster` is, from what is heard of it |
//! | [`sets`] | whether a `ManagedClusterSet` has clusters, whether a binding's set exists |
//!
//! **Architecture invariant:** all of it is pure: what there is and what time it is go in, what shall be comes out.
//! They are only ever asked about whole copies; a hub that has not synced yet asks nothing, and so removes nothing.

pub mod lifecycle;
pub mod placement;
pub mod rollout;
pub mod sets;
