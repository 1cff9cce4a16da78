//! Hub and agent with exactly the rights that their samples give them.

use super::{AGENT, HUB, broker};
use crate::controlplane::{get, until, until_gone};
use crate::hub::{WORKS, condition, managed};
use bed::{Bed, Cluster};
use serde_json::{Value, json};

/// A work for the cluster.
fn work(name: &str, manifests: &[Value]) -> String {
    let work = json!({
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": name, "namespace": "cluster1"},
        "spec": {"workload": {"manifests": manifests}},
    });
    work.to_string()
}

fn deployment() -> Value {
    let containers = json!([{"name": "web", "image": "nginx"}]);
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}},
        },
    })
}

fn named(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}})
}

/// What the agent may read, and its executor may not write.
fn role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "all", "namespace": "shop"},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}],
    })
}

/// A place that all clusters of the set `default` have, and a set of works for them.
const PLACED: &str = r#"
apiVersion: cluster.open-cluster-management.io/v1beta2
kind: ManagedClusterSetBinding
metadata: {name: default, namespace: default}
spec: {clusterSet: default}
---
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: everywhere, namespace: default}
spec: {clusterSets: [default]}
---
apiVersion: work.open-cluster-management.io/v1alpha1
kind: ManifestWorkReplicaSet
metadata: {name: motd, namespace: default}
spec:
  placementRefs: [{name: everywhere}]
  manifestWorkTemplate:
    workload:
      manifests:
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: motd, namespace: default}, data: {v: "1"}}
"#;

fn delete(hub: &Cluster, words: &[&str]) {
    let words = [&["delete", "--wait=false"], words].concat();
    hub.kubectl_ok(&words).unwrap();
}

#[test]
fn hub_and_agent_deploy_with_their_service_accounts_and_no_more() {
    let bed = Bed::shared().unwrap();
    let [hub, cluster] = ["rights-hub", "rights"].map(|name| bed.private_cluster(name).unwrap());
    HUB.apply(&hub);
    AGENT.apply(&cluster);
    let has = json!({"cpu": "4", "memory": "16Gi"});
    let mut node = named("Node", "node-1");
    node["status"] = json!({"capacity": has, "allocatable": has});
    let made = cluster.api().post("/api/v1/nodes", node.to_string());
    made.unwrap().success().unwrap();
    let broker = broker(&[HUB.user, AGENT.user]);
    let dir = tempfile::tempdir_in(bed.dir()).unwrap();
    let process = HUB.run(&hub, &broker, dir.path());
    let agent = AGENT.run(&cluster, &broker, dir.path());

    // As the sample's comments say.
    until(&hub, &managed("cluster1"), &process, |_| true);
    let accept = r#"{"spec":{"hubAcceptsClient":true}}"#;
    hub.kubectl_ok(&[
        "patch",
        "managedcluster",
        "cluster1",
        "--type=merge",
        "-p",
        accept,
    ])
    .unwrap();
    until(&hub, "/api/v1/namespaces/cluster1", &process, |_| true);
    until(&hub, &managed("cluster1"), &process, |it| {
        condition(it, "ManagedClusterConditionAvailable") == "True"
            && it["status"]["capacity"]["cpu"] == "4"
    });

    // What the executor may write is there, and kept; what it may not is said.
    cluster
        .kubectl_ok(&["create", "namespace", "shop"])
        .unwrap();
    hub.apply(&work("web", &[deployment()])).unwrap();
    let path = "/apis/apps/v1/namespaces/shop/deployments/web";
    let first = until(&cluster, path, &agent, |_| true);
    cluster
        .kubectl_ok(&["-n", "shop", "delete", "deployment", "web"])
        .unwrap();
    until(&cluster, path, &agent, |it| {
        it["metadata"]["uid"] != first["metadata"]["uid"]
    });
    let at = format!("{WORKS}/namespaces/cluster1/manifestworks");
    until(&hub, &format!("{at}/web"), &process, |work| {
        condition(work, "Applied") == "True"
    });
    hub.apply(&work("role", &[role()])).unwrap();
    let refused = until(&hub, &format!("{at}/role"), &process, |work| {
        condition(work, "Applied") == "False"
    });
    let words = "system:serviceaccount:mqtt-informer:mqtt-informer-executor\\\" cannot patch";
    assert!(refused.to_string().contains(words), "{refused}");
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/all";
    assert_eq!(get(&cluster, roles), None);

    // The plain form, and its way back.
    let mut plain = named("ConfigMap", "plain");
    plain["metadata"]["namespace"] = json!("cluster1");
    plain["metadata"]["labels"] = json!({"mqinformer.io/distribute": ""});
    hub.apply(&plain.to_string()).unwrap();
    let there = "/api/v1/namespaces/default/configmaps/plain";
    until(&cluster, there, &agent, |_| true);
    let here = "/api/v1/namespaces/cluster1/configmaps/plain";
    until(&hub, here, &process, |map| {
        map["metadata"]["annotations"]["mqinformer.io/applied"] == "True"
    });

    // Placement, and what it places.
    hub.apply(PLACED).unwrap();
    let motd = "/api/v1/namespaces/default/configmaps/motd";
    until(&cluster, motd, &agent, |_| true);
    let sets = "/apis/work.open-cluster-management.io/v1alpha1/namespaces/default/manifestworkreplicasets/motd";
    until(&hub, sets, &process, |set| {
        condition(set, "ManifestworkApplied") == "True"
    });
    delete(&hub, &["-n", "default", "manifestworkreplicaset", "motd"]);
    until_gone(&cluster, motd, &agent);
    until_gone(&hub, sets, &process);

    // A cluster that goes takes its works along. (What ends a namespace is a controller; none runs here.)
    delete(&hub, &["-n", "cluster1", "manifestwork", "role"]);
    until_gone(&hub, &format!("{at}/role"), &process);
    delete(&hub, &["managedcluster", "cluster1"]);
    until_gone(&cluster, path, &agent);
    until_gone(&cluster, there, &agent);
    until(&hub, &managed("cluster1"), &process, |it| {
        it.to_string().contains("DeletingNamespace")
    });
    for (who, said) in [("hub", process.err()), ("agent", agent.err())] {
        let forbidden = said.lines().filter(|line| line.contains("forbidden"));
        let unexpected: Vec<_> = forbidden.filter(|line| !line.contains("roles")).collect();
        assert!(unexpected.is_empty(), "{who}: {unexpected:#?}");
    }
}
