//! Cluster sets: whether they have clusters, whether what is bound exists, and the two that are always there.

use crate::ocm::cluster::CLUSTER_SET_LABEL;
use crate::ocm::clusterset::{
    BOUND, ClusterSetSelector, ConditionsStatus, ManagedClusterSetSpec, SET_EMPTY, SelectorType,
};
use crate::ocm::conditions::{State, condition, set};
use crate::ocm::unsupported::{Unsupported, tell};
use crate::ocm::{
    LabelSelector, ManagedCluster, ManagedClusterSet, ManagedClusterSetBinding, ObjectMeta, label,
    name,
};
use k8s_openapi::jiff::Timestamp;

/// The set of clusters that name no other.
pub const DEFAULT: &str = "default";
/// The set of all clusters.
pub const GLOBAL: &str = "global";

/// The two sets that a hub makes where they are not.
pub fn always_there() -> [ManagedClusterSet; 2] {
    let everybody = ClusterSetSelector {
        selector_type: SelectorType::LabelSelector,
        label_selector: Some(LabelSelector::default()),
    };
    [
        made(DEFAULT, ClusterSetSelector::default()),
        made(GLOBAL, everybody),
    ]
}

fn made(name: &str, cluster_selector: ClusterSetSelector) -> ManagedClusterSet {
    ManagedClusterSet {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: ManagedClusterSetSpec {
            cluster_selector,
            managed_namespaces: Vec::new(),
        },
        status: ConditionsStatus::default(),
    }
}

/// The set that a cluster has to be put into, because it names none.
pub fn missing_set(cluster: &ManagedCluster) -> Option<(&'static str, &'static str)> {
    let said = label(&cluster.metadata, CLUSTER_SET_LABEL).unwrap_or_default();
    said.is_empty().then_some((CLUSTER_SET_LABEL, DEFAULT))
}

/// The status of a set.
pub fn status(
    of: &ManagedClusterSet,
    clusters: &[ManagedCluster],
    now: Timestamp,
) -> ConditionsStatus {
    let mut status = of.status.clone();
    let members = clusters
        .iter()
        .map(|it| of.has(it))
        .collect::<Result<Vec<_>, _>>();
    let members = members.map(|all| all.into_iter().filter(|it| *it).count());
    let new = match members {
        Ok(0) => condition(
            SET_EMPTY,
            true,
            "NoClusterMatched",
            "No ManagedCluster selected",
            now,
        ),
        Ok(count) => {
            let text = format!("{count} ManagedClusters selected");
            condition(SET_EMPTY, false, "ClustersSelected", text, now)
        }
        Err(error) => {
            let text = error.to_string();
            condition(SET_EMPTY, State::Unknown, "InvalidSelector", text, now)
        }
    };
    set(&mut status.conditions, new);
    let mut fields = Vec::new();
    if !of.spec.managed_namespaces.is_empty() {
        fields.push(Unsupported::new(
            "spec.managedNamespaces",
            "no namespace is made",
        ));
    }
    tell(&mut status.conditions, &fields, now);
    status
}

/// The status of a binding.
pub fn binding_status(
    binding: &ManagedClusterSetBinding,
    sets: &[ManagedClusterSet],
    now: Timestamp,
) -> ConditionsStatus {
    let mut status = binding.status.clone();
    let new = match sets.iter().any(|it| name(it) == name(binding)) {
        true => condition(BOUND, true, "ClusterSetBound", "", now),
        false => condition(BOUND, false, "ClusterSetNotFound", "", now),
    };
    set(&mut status.conditions, new);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocm::conditions::find;
    use crate::ocm::unsupported::UNSUPPORTED;
    use serde_json::{Value, json};

    fn read<K: serde::de::DeserializeOwned>(value: Value) -> K {
        serde_json::from_value(value).unwrap()
    }

    fn said(status: &ConditionsStatus, kind: &str) -> (String, String) {
        let found = find(&status.conditions, kind).unwrap();
        (found.status.clone(), found.reason.clone())
    }

    fn pair(status: &str, reason: &str) -> (String, String) {
        (status.to_owned(), reason.to_owned())
    }

    #[test]
    fn who_names_no_set_is_in_the_default_one_and_all_are_in_the_global_one() {
        let mut cluster: ManagedCluster = read(json!({"metadata": {"name": "c"}}));
        let [default, global] = always_there();
        let now = Timestamp::UNIX_EPOCH;
        let all = |cluster: &ManagedCluster| std::slice::from_ref(cluster).to_vec();
        let empty = status(&default, &all(&cluster), now);
        assert_eq!(said(&empty, SET_EMPTY), pair("True", "NoClusterMatched"));
        assert_eq!(
            said(&status(&global, &all(&cluster), now), SET_EMPTY),
            pair("False", "ClustersSelected")
        );
        let (key, value) = missing_set(&cluster).unwrap();
        let labels = cluster.metadata.labels.get_or_insert_default();
        labels.insert(key.to_owned(), value.to_owned());
        assert_eq!(missing_set(&cluster), None);
        assert_eq!(
            said(&status(&default, &all(&cluster), now), SET_EMPTY),
            pair("False", "ClustersSelected")
        );
    }

    #[test]
    fn what_cannot_be_is_told() {
        let now = Timestamp::UNIX_EPOCH;
        let wrong = json!({"clusterSelector": {"selectorType": "Moon"}, "managedNamespaces": [{"name": "n"}]});
        let set: ManagedClusterSet = read(json!({"metadata": {"name": "s"}, "spec": wrong}));
        let cluster = read(json!({}));
        let found = status(&set, &[cluster], now);
        assert_eq!(said(&found, SET_EMPTY), pair("Unknown", "InvalidSelector"));
        assert_eq!(said(&found, UNSUPPORTED), pair("True", "UnsupportedFields"));
        let binding: ManagedClusterSetBinding = read(json!({"metadata": {"name": "s"}}));
        let bound = binding_status(&binding, &[set], now);
        assert_eq!(said(&bound, BOUND), pair("True", "ClusterSetBound"));
        let loose = binding_status(&binding, &[], now);
        assert_eq!(said(&loose, BOUND), pair("False", "ClusterSetNotFound"));
    }
}
