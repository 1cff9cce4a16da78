//! From a placement to works, step by step, and their status back in one.

use super::{Pair, Role, WORKS, condition};
use crate::controlplane::{get, until, until_gone};
use serde_json::{Value, json};

const BETA: &str = "/apis/cluster.open-cluster-management.io/v1beta1";

fn apply(pair: &Pair, object: &Value) {
    pair.hub.apply(&object.to_string()).unwrap();
}

fn replica_set(pair: &Pair, value: &str) -> Value {
    json!({
        "apiVersion": "work.open-cluster-management.io/v1alpha1",
        "kind": "ManifestWorkReplicaSet",
        "metadata": {"name": "set", "namespace": "default"},
        "spec": {
            "placementRefs": [{"name": "all", "rolloutStrategy": {"type": "Progressive", "progressive": {"maxConcurrency": 1}}}],
            "manifestWorkTemplate": {"workload": {"manifests": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fleet", "namespace": pair.namespace}, "data": {"v": value}},
            ]}},
        },
    })
}

#[test]
fn a_set_is_rolled_out_to_the_clusters_of_its_placement() {
    let pair = Pair::new("fleet");
    let hub = pair.start_hub(&[]);
    let other = pair.scene.bed.cluster("cluster2").unwrap();
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": pair.namespace}});
    other.apply(&namespace.to_string()).unwrap();
    let _agent = pair.start_agent(&[]);
    let _second = Role::start(
        &pair.scene,
        "agent",
        &other,
        &["--hub", pair.name, "--cluster", "other"],
    );
    for name in ["edge", "other"] {
        until(&pair.hub, &super::managed(name), &hub.process, |it| {
            condition(it, "ManagedClusterConditionAvailable") == "True"
        });
    }
    apply(
        &pair,
        &json!({
            "apiVersion": "cluster.open-cluster-management.io/v1beta2",
            "kind": "ManagedClusterSetBinding",
            "metadata": {"name": "global", "namespace": "default"},
            "spec": {"clusterSet": "global"},
        }),
    );
    apply(
        &pair,
        &json!({
            "apiVersion": "cluster.open-cluster-management.io/v1beta1",
            "kind": "Placement",
            "metadata": {"name": "all", "namespace": "default"},
            "spec": {},
        }),
    );
    let placement = until(
        &pair.hub,
        &format!("{BETA}/namespaces/default/placements/all"),
        &hub.process,
        |it| it["status"]["numberOfSelectedClusters"] == 2,
    );
    assert_eq!(condition(&placement, "PlacementSatisfied"), "True");
    let decision = until(
        &pair.hub,
        &format!("{BETA}/namespaces/default/placementdecisions/all-decision-1"),
        &hub.process,
        |it| {
            it["status"]["decisions"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
        },
    );
    assert_eq!(
        decision["metadata"]["labels"]["cluster.open-cluster-management.io/placement"],
        "all"
    );

    apply(&pair, &replica_set(&pair, "1"));
    let at = "/apis/work.open-cluster-management.io/v1alpha1/namespaces/default/manifestworkreplicasets/set";
    let summary = |it: &Value, name: &str| it["status"]["summary"][name].as_i64();
    let done = until(&pair.hub, at, &hub.process, |it| {
        summary(it, "available") == Some(2)
    });
    assert_eq!(summary(&done, "total"), Some(2));
    let map = pair.config_map("fleet");
    for cluster in [&*pair.cluster, &*other] {
        until(cluster, &map, &hub.process, |it| super::value(it) == "1");
    }
    apply(&pair, &replica_set(&pair, "2"));
    for cluster in [&*pair.cluster, &*other] {
        until(cluster, &map, &hub.process, |it| super::value(it) == "2");
    }
    until(&pair.hub, at, &hub.process, |it| {
        summary(it, "updated") == Some(2) && condition(it, "PlacementRolledOut") == "True"
    });

    // A cluster that the placement has no longer loses its work.
    pair.hub
        .kubectl_ok(&[
            "-n",
            "default",
            "patch",
            "placement",
            "all",
            "--type=merge",
            "-p",
            r#"{"spec":{"numberOfClusters":1}}"#,
        ])
        .unwrap();
    until(&pair.hub, at, &hub.process, |it| {
        summary(it, "total") == Some(1)
    });
    let left = [&*pair.cluster, &*other].map(|it| get(it, &map).is_some());
    let gone = bed::wait_for("one cluster has it no more", || {
        let left = [&*pair.cluster, &*other].map(|it| get(it, &map).is_some());
        Ok((left != [true, true]).then_some(()))
    });
    gone.unwrap_or_else(|error| panic!("{error}: {left:?}\n{}", hub.process.err()));

    pair.hub
        .kubectl_ok(&[
            "-n",
            "default",
            "delete",
            "manifestworkreplicaset",
            "set",
            "--wait=false",
        ])
        .unwrap();
    until_gone(&pair.hub, at, &hub.process);
    let works = get(&pair.hub, &format!("{WORKS}/manifestworks")).unwrap();
    let all_going = |all: &Vec<Value>| {
        all.iter()
            .all(|it| it["metadata"]["deletionTimestamp"].is_string())
    };
    assert!(works["items"].as_array().is_some_and(all_going));
    for cluster in [&*pair.cluster, &*other] {
        until_gone(cluster, &map, &hub.process);
    }
}
