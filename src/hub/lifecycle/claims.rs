//! Which claims a cluster has: those that it makes itself, and those that every cluster has.

use super::Contact;
use crate::ocm::ManagedCluster;
use crate::ocm::cluster::ClusterClaim;

/// The claim that says which cluster it is: the uid of its `kube-system`.
pub const ID_CLAIM: &str = "id.k8s.io";
/// The claim that says which Kubernetes it runs, as its API server says it: placements choose by it.
pub(super) const VERSION_CLAIM: &str = "kubeversion.open-cluster-management.io";

/// The claims of a cluster, by their names. One that does not say what it is or runs takes nothing back.
pub(super) fn all(cluster: &ManagedCluster, contact: &Contact) -> Vec<ClusterClaim> {
    let made = |wanted: &str| contact.claims.iter().any(|it| it.name == wanted);
    let version = contact.kubernetes.as_deref().unwrap_or_default();
    let id = claim(cluster, ID_CLAIM, &contact.uid);
    // Who makes that claim in the cluster knows better what is to be said there; which cluster it is, nobody else says.
    let version = claim(cluster, VERSION_CLAIM, version).filter(|_| !made(VERSION_CLAIM));
    let others = contact.claims.iter().filter(|it| it.name != ID_CLAIM);
    let mut all: Vec<_> = id.into_iter().chain(version).collect();
    all.extend(others.cloned());
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A claim of what is said now, or else of what was said last.
fn claim(cluster: &ManagedCluster, name: &str, said: &str) -> Option<ClusterClaim> {
    let value = match said {
        "" => cluster.claim(name).unwrap_or_default(),
        said => said,
    };
    (!value.is_empty()).then(|| ClusterClaim {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}
