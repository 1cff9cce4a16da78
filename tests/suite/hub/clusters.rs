//! What a hub knows of clusters, and what it leaves alone.

use super::{Pair, Role, condition, managed, uid};
use crate::controlplane::{get, until};
use crate::programs::http;
use crate::scene::Scene;
use serde_json::Value;

fn reason(object: &Value, kind: &str) -> String {
    let all = object["status"]["conditions"].as_array();
    let found = all.into_iter().flatten().find(|it| it["type"] == kind);
    found.map_or_else(String::new, |it| it["reason"].as_str().unwrap().to_owned())
}

fn is_tainted(cluster: &Value) -> bool {
    let taints = cluster["spec"]["taints"].as_array();
    let mut keys = taints.into_iter().flatten().map(|it| &it["key"]);
    keys.any(|it| it == "cluster.open-cluster-management.io/unreachable")
}

#[test]
fn a_namespace_that_was_there_before_is_used_and_stays() {
    let pair = Pair::new("before");
    pair.hub
        .kubectl_ok(&["create", "namespace", "edge"])
        .unwrap();
    let namespace = "/api/v1/namespaces/edge";
    let before = get(&pair.hub, namespace).unwrap();
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    until(&pair.cluster, &pair.config_map("a"), &agent.process, |_| {
        true
    });
    let joined = uid(&pair.hub, &managed("edge"));
    pair.hub
        .kubectl_ok(&["delete", "managedcluster", "edge", "--wait=false"])
        .unwrap();
    // It has gone: what is there is a new one of its name.
    until(&pair.hub, &managed("edge"), &hub.process, |it| {
        it["metadata"]["uid"].as_str() != joined.as_deref()
    });
    let after = get(&pair.hub, namespace).unwrap();
    assert_eq!(after["metadata"], before["metadata"]);
}

#[test]
fn a_silent_cluster_is_tainted_until_it_is_heard_again() {
    let pair = Pair::new("silent");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let sets = "/apis/cluster.open-cluster-management.io/v1beta2";
    let default = format!("{sets}/managedclustersets/default");
    until(&pair.hub, &default, &hub.process, |it| {
        condition(it, "ClusterSetEmpty") == "False"
    });
    let binding = "apiVersion: cluster.open-cluster-management.io/v1beta2\nkind: ManagedClusterSetBinding\nmetadata: {name: default, namespace: default}\nspec: {clusterSet: default}\n";
    pair.hub.apply(binding).unwrap();
    let bound = format!("{sets}/namespaces/default/managedclustersetbindings/default");
    until(&pair.hub, &bound, &hub.process, |it| {
        condition(it, "Bound") == "True"
    });
    let (_, metrics) = http(&format!("{}/metrics", hub.probes)).unwrap();
    for line in ["mqinformer_hub_writing 1", "mqinformer_hub_clusters 1"] {
        assert!(metrics.lines().any(|it| it == line), "{metrics}");
    }
    assert_eq!(hub.ready(), (true, "serving".to_owned()));

    let lease = r#"{"spec":{"leaseDurationSeconds":1}}"#;
    let words = [
        "patch",
        "managedcluster",
        "edge",
        "--type=merge",
        "-p",
        lease,
    ];
    pair.hub.kubectl_ok(&words).unwrap();
    agent.process.kill_9();
    let silent = until(&pair.hub, &managed("edge"), &hub.process, is_tainted);
    assert_eq!(
        condition(&silent, "ManagedClusterConditionAvailable"),
        "Unknown"
    );
    let _agent = pair.start_agent(&[]);
    until(&pair.hub, &managed("edge"), &hub.process, |it| {
        !is_tainted(it) && condition(it, "ManagedClusterConditionAvailable") == "True"
    });
}

#[test]
fn another_cluster_under_a_known_name_gets_no_work() {
    let pair = Pair::new("foreign");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    until(&pair.cluster, &pair.config_map("a"), &agent.process, |_| {
        true
    });
    agent.process.kill_9();
    until(&pair.hub, &managed("edge"), &hub.process, |it| {
        condition(it, "ManagedClusterConditionAvailable") == "Unknown"
    });
    let other = pair.scene.bed.private_cluster("foreign-other").unwrap();
    let words = [
        "--hub",
        pair.name,
        "--cluster",
        "edge",
        "--label",
        "mqinformer.io/x=y",
    ];
    let foreign = Role::launch(&pair.scene, "agent", &other, &words);
    until(&pair.hub, &managed("edge"), &hub.process, |it| {
        reason(it, "ManagedClusterJoined") == "AnotherCluster"
    });
    foreign.process.wait_err("it is refused", |text| {
        text.contains("the hub sends no work to this cluster")
    });
    assert!(!foreign.process.err().contains("the hub's work is here"));
}

/// It is the agent that says so, by an entry that nobody has confirmed since.
#[test]
fn an_api_server_that_hangs_is_told_and_heard_again() {
    let scene = Scene::new("hangs");
    let hub_cluster = scene.bed.private_cluster("hangs-hub").unwrap();
    let cluster = scene.bed.private_cluster("hangs-edge").unwrap();
    let words = ["--name", "hangs", "--auto-accept", "*"];
    let hub = Role::start(&scene, "hub", &hub_cluster, &words);
    let words = ["--hub", "hangs", "--cluster", "edge"];
    let _agent = Role::start(&scene, "agent", &cluster, &words);
    let until_available = |wanted: &str| {
        until(&hub_cluster, &managed("edge"), &hub.process, |it| {
            condition(it, "ManagedClusterConditionAvailable") == wanted
        })
    };
    until_available("True");
    cluster.apiserver().stop().unwrap();
    let said = until_available("False");
    let why = reason(&said, "ManagedClusterConditionAvailable");
    assert_eq!(why, "ManagedClusterKubeAPIServerUnavailable");
    cluster.apiserver().cont().unwrap();
    until_available("True");
}
