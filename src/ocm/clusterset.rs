//! `ManagedClusterSet` and `ManagedClusterSetBinding` (cluster.open-cluster-management.io/v1beta2).

use super::cluster::{CLUSTER_SET_LABEL, ManagedCluster};
use super::selector::{InvalidSelector, Selector};
use super::{Condition, LabelSelector, ObjectMeta, label, name};

/// Whether a set has no cluster.
pub const SET_EMPTY: &str = "ClusterSetEmpty";
/// Whether the set of a binding exists.
pub const BOUND: &str = "Bound";

structure! {
    /// A set of clusters.
    pub struct ManagedClusterSet {
        /// Its name.
        pub metadata: ObjectMeta,
        /// Who is in it.
        pub spec: ManagedClusterSetSpec,
        /// Whether anybody is.
        pub status: ConditionsStatus,
    }
}
resource!(
    ManagedClusterSet,
    "cluster.open-cluster-management.io",
    "v1beta2",
    "managedclustersets",
    ClusterResourceScope
);

structure! {
    /// Who is in a set.
    pub struct ManagedClusterSetSpec {
        /// Who is in it.
        pub cluster_selector: ClusterSetSelector,
        /// Namespaces that the set makes in its clusters.
        pub managed_namespaces: Vec<ManagedNamespace>,
    }
}

structure! {
    /// Who is in a set.
    pub struct ClusterSetSelector {
        /// How that is said.
        pub selector_type: SelectorType,
        /// Of `LabelSelector`; an empty one selects all clusters.
        pub label_selector: Option<LabelSelector>,
    }
}

word! {
    /// How a set says who is in it.
    pub enum SelectorType {
        /// Each cluster says by one label which set it is in.
        ExclusiveClusterSetLabel,
        /// By labels; a cluster may be in many such sets.
        LabelSelector,
    }
}

structure! {
    /// A namespace that a set makes in its clusters.
    pub struct ManagedNamespace {
        /// Its name.
        pub name: String,
    }
}

structure! {
    /// A status that has conditions only.
    pub struct ConditionsStatus {
        /// What is so.
        pub conditions: Vec<Condition>,
    }
}

structure! {
    /// A set of clusters that placements of a namespace may choose from; it has the set's name.
    pub struct ManagedClusterSetBinding {
        /// Its name is the set's.
        pub metadata: ObjectMeta,
        /// Which set.
        pub spec: ManagedClusterSetBindingSpec,
        /// Whether the set exists.
        pub status: ConditionsStatus,
    }
}
resource!(
    ManagedClusterSetBinding,
    "cluster.open-cluster-management.io",
    "v1beta2",
    "managedclustersetbindings",
    NamespaceResourceScope
);

structure! {
    /// Which set is bound.
    pub struct ManagedClusterSetBindingSpec {
        /// The set's name.
        pub cluster_set: String,
    }
}

impl ManagedClusterSet {
    /// Whether a cluster is in it.
    ///
    /// # Errors
    /// When its selector is none.
    pub fn has(&self, cluster: &ManagedCluster) -> Result<bool, InvalidSelector> {
        let selector = &self.spec.cluster_selector;
        match selector.selector_type {
            SelectorType::ExclusiveClusterSetLabel => {
                Ok(label(&cluster.metadata, CLUSTER_SET_LABEL) == Some(name(self)))
            }
            SelectorType::LabelSelector => {
                // Without a selector nobody is meant, with an empty one everybody: as apimachinery has it.
                let Some(wanted) = &selector.label_selector else {
                    return Ok(false);
                };
                let wanted = Selector::of_labels(wanted)?;
                Ok(wanted.matches(|key| label(&cluster.metadata, key)))
            }
            SelectorType::Unknown(ref word) => Err(InvalidSelector(format!(
                "selectorType must be one of {}, not {word:?}",
                SelectorType::WORDS.join(", ")
            ))),
        }
    }
}
