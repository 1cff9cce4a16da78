//! What cannot be read, in a cluster or on the hub: nothing that it may have said is undone.

use super::inventories::inventory;
use super::{Pair, Role, condition, uid, value};
use crate::controlplane::{get, until, until_gone};
use bed::{Cluster, User};
use serde_json::{Value, json};

const INVENTORIES: &str = "appliedmanifestworks.work.open-cluster-management.io";

/// Lets everything into the objects of a kind.
fn loosen(cluster: &Cluster, definition: &str) {
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let path = "/spec/versions/0/schema/openAPIV3Schema";
    let patch = json!([{"op": "replace", "path": path, "value": any}]).to_string();
    let words = ["patch", "crd", definition, "--type=json", "-p", &patch];
    cluster.kubectl_ok(&words).unwrap();
}

/// What an inventory lists is what it says here.
fn list(cluster: &Cluster, name: &str, resources: &Value) {
    let status = json!({"status": {"appliedResources": resources}}).to_string();
    let of = ["patch", INVENTORIES, name, "--subresource=status"];
    let words = [&of[..], &["--type=merge", "-p", &status]].concat();
    // The API server takes a moment until it uses another schema.
    bed::wait_for("the inventory takes it", || {
        Ok(cluster.kubectl_ok(&words).ok())
    })
    .unwrap();
}

/// Whether what is said of a work is about what it is now.
fn is_refused(work: &Value) -> bool {
    condition(work, "Applied") == "False"
        && work["status"]["conditions"][0]["observedGeneration"] == work["metadata"]["generation"]
}

#[test]
fn what_an_inventory_that_cannot_be_read_may_list_stays() {
    let pair = Pair::alone("illegible");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Applied") == "True"
    });
    let before = uid(&pair.cluster, &pair.config_map("a"));
    let written = inventory(&pair, "edge", "one").unwrap();
    let name = written["metadata"]["name"].as_str().unwrap();

    assert!(agent.process.terminate().success());
    loosen(&pair.cluster, INVENTORIES);
    list(&pair.cluster, name, &json!("nobody can read this"));
    agent = pair.start_agent(&[]);
    // It leaves the work, and then the work goes: both would remove it.
    pair.put_work("one", &["b"], "2");
    let refused = until(&pair.hub, &pair.work("one"), &hub.process, is_refused);
    let told = refused["status"]["conditions"].to_string();
    assert!(told.contains("AppliedManifestWork"), "{told}");
    pair.delete_work("one");
    pair.put_work("two", &["c"], "1");
    let c = pair.config_map("c");
    until(&pair.cluster, &c, &agent.process, |_| true);
    assert!(get(&pair.hub, &pair.work("one")).is_some());
    assert_eq!(uid(&pair.cluster, &pair.config_map("a")), before);
    assert_eq!(get(&pair.cluster, &pair.config_map("b")), None);

    // Repaired, everything goes on.
    assert!(agent.process.terminate().success());
    list(&pair.cluster, name, &written["status"]["appliedResources"]);
    agent = pair.start_agent(&[]);
    until_gone(&pair.cluster, &pair.config_map("a"), &agent.process);
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
}

/// What a hub may do here: with ConfigMaps, or without.
fn allow(pair: &Pair, config_maps: bool) {
    let secrets =
        json!({"apiGroups": [""], "resources": ["secrets", "namespaces"], "verbs": ["*"]});
    let ocm = ["cluster", "work"].map(|it| format!("{it}.open-cluster-management.io"));
    let groups = [&ocm[..], &["apiextensions.k8s.io".to_owned()]].concat();
    let mut rules = vec![
        secrets,
        json!({"apiGroups": groups, "resources": ["*"], "verbs": ["*"]}),
    ];
    if config_maps {
        rules.push(json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}));
    }
    let of = |kind: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "a-hub"}});
    let (mut role, mut binding) = (of("ClusterRole"), of("ClusterRoleBinding"));
    role["rules"] = rules.into();
    binding["roleRef"] =
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a-hub"});
    binding["subjects"] = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": User::Nobody.name()}]);
    pair.hub.apply(&role.to_string()).unwrap();
    pair.hub.apply(&binding.to_string()).unwrap();
}

/// A hub that may do what [`allow`] says.
fn start_limited(pair: &Pair) -> Role {
    let kubeconfig = pair.hub.kubeconfig(User::Nobody);
    let words = ["--name", pair.name, "--auto-accept", "*"];
    let hub = Role::at(pair.scene.broker.url(), "hub", &kubeconfig, &words);
    hub.until_ready();
    hub
}

#[test]
fn what_was_distributed_of_a_kind_that_the_hub_may_not_read_any_more_stays() {
    let pair = Pair::new("kinds");
    allow(&pair, true);
    let mut hub = start_limited(&pair);
    let agent = pair.start_agent(&["--eviction-grace", "1s"]);
    pair.until_joined(&hub);
    let put = |kind: &str, name: &str| {
        let object = json!({
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": "edge",
                "labels": {"mqinformer.io/distribute": ""},
                "annotations": {"mqinformer.io/namespace": pair.namespace},
            },
        });
        pair.hub.apply(&object.to_string()).unwrap();
    };
    put("ConfigMap", "kept");
    let kept = pair.config_map("kept");
    until(&pair.cluster, &kept, &agent.process, |_| true);
    let before = uid(&pair.cluster, &kept);

    assert!(hub.process.terminate().success());
    allow(&pair, false);
    hub = start_limited(&pair);
    // What another kind has comes, so the agent has heard what this hub has to say.
    put("Secret", "new");
    let secret = |name: &str| format!("/api/v1/namespaces/{}/secrets/{name}", pair.namespace);
    until(&pair.cluster, &secret("new"), &agent.process, |_| true);
    // An eviction would have been over by the time that this one has gone.
    let words = ["-n", "edge", "delete", "secret", "new", "--wait=false"];
    pair.hub.kubectl_ok(&words).unwrap();
    until_gone(&pair.cluster, &secret("new"), &agent.process);
    assert_eq!(uid(&pair.cluster, &kept), before);

    // It is let read them again, and they are as they were wanted.
    allow(&pair, true);
    let path = "/api/v1/namespaces/edge/configmaps/kept";
    let words = [
        "-n",
        "edge",
        "patch",
        "configmap",
        "kept",
        "--type=merge",
        "-p",
        r#"{"data":{"v":"2"}}"#,
    ];
    pair.hub.kubectl_ok(&words).unwrap();
    until(&pair.cluster, &kept, &agent.process, |it| value(it) == "2");
    assert_eq!(uid(&pair.cluster, &kept), before);
    assert!(get(&pair.hub, path).is_some());
    drop(hub);
}

#[test]
fn one_object_that_cannot_be_read_holds_up_its_namespace_until_it_can_be() {
    let pair = Pair::new("doubts");
    let hub = pair.start_hub(&[]);
    let _agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    loosen(
        &pair.hub,
        "managedclustersetbindings.cluster.open-cluster-management.io",
    );
    let group = "cluster.open-cluster-management.io";
    let binding = |namespace: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": format!("{group}/v1beta2"),
            "kind": "ManagedClusterSetBinding",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        })
    };
    let put = |object: &Value| pair.hub.apply(&object.to_string());
    for namespace in ["shop", "bank"] {
        put(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))
            .unwrap();
        put(&binding(
            namespace,
            "default",
            json!({"clusterSet": "default"}),
        ))
        .unwrap();
    }
    let broken = binding("shop", "broken", json!(7));
    bed::wait_for("the binding is taken", || Ok(put(&broken).ok())).unwrap();
    hub.process
        .wait_err("it is told", |text| text.contains("cannot be read"));
    let decision = |of: &str| {
        format!("/apis/{group}/v1beta1/namespaces/{of}/placementdecisions/web-decision-1")
    };
    for namespace in ["shop", "bank"] {
        let placement = json!({
            "apiVersion": format!("{group}/v1beta1"),
            "kind": "Placement",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {},
        });
        put(&placement).unwrap();
    }
    let chosen = |it: &Value| it["status"]["decisions"][0]["clusterName"] == "edge";
    until(&pair.hub, &decision("bank"), &hub.process, chosen);
    hub.process.wait_err("it is told who waits", |text| {
        text.contains("managedclustersetbindings shop/broken cannot be read")
    });
    assert_eq!(get(&pair.hub, &decision("shop")), None);
    let repaired = binding("shop", "broken", json!({"clusterSet": "broken"}));
    put(&repaired).unwrap();
    until(&pair.hub, &decision("shop"), &hub.process, chosen);
}
