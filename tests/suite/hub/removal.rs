//! What is removed, and what is not: by whom, and while who is down.

use super::{Pair, Role, WORKS, condition, definition, uid, value};
use crate::controlplane::{get, until, until_gone};
use serde_json::{Value, json};

#[test]
fn what_leaves_a_work_is_pruned_and_what_somebody_made_again_is_not() {
    let pair = Pair::new("prune");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["kept", "left", "swapped"], "1");
    let map = |name: &str| pair.config_map(name);
    for name in ["kept", "left", "swapped"] {
        until(&pair.cluster, &map(name), &agent.process, |_| true);
    }
    until(&pair.hub, &pair.work("one"), &hub.process, |work| {
        condition(work, "Applied") == "True"
    });

    // The agent is down when the work changes, and when somebody makes one of its objects anew.
    assert!(agent.process.terminate().success());
    let kept = uid(&pair.cluster, &map("kept"));
    pair.put_work("one", &["kept"], "2");
    pair.cluster
        .kubectl_ok(&["-n", &pair.namespace, "delete", "configmap", "swapped"])
        .unwrap();
    pair.cluster
        .kubectl_ok(&["-n", &pair.namespace, "create", "configmap", "swapped"])
        .unwrap();
    let agent = pair.start_agent(&[]);
    until_gone(&pair.cluster, &map("left"), &agent.process);
    until(&pair.cluster, &map("kept"), &agent.process, |it| {
        value(it) == "2"
    });
    assert_eq!(
        uid(&pair.cluster, &map("kept")),
        kept,
        "it was not made anew"
    );
    until(
        &pair.cluster,
        &inventory(&pair, "one"),
        &agent.process,
        |it| listed(it) == ["kept"],
    );
    assert!(
        get(&pair.cluster, &map("swapped")).is_some(),
        "it is not the one that was put there"
    );
}

/// Where the inventory of a work is.
fn inventory(pair: &Pair, work: &str) -> String {
    let all = get(&pair.cluster, &format!("{WORKS}/appliedmanifestworks")).unwrap();
    let hash = |it: &&Value| {
        let name = it["metadata"]["name"].as_str().unwrap();
        it["spec"]["manifestWorkName"] == work && name.ends_with(work)
    };
    let mut of_work = all["items"].as_array().unwrap().iter().filter(hash);
    let is_ours = |it: &&Value| {
        let resources = it["status"]["appliedResources"].as_array();
        resources
            .into_iter()
            .flatten()
            .all(|it| it["namespace"] == pair.namespace.as_str())
    };
    let found = of_work.find(is_ours).unwrap();
    format!(
        "{WORKS}/appliedmanifestworks/{}",
        found["metadata"]["name"].as_str().unwrap()
    )
}

fn listed(inventory: &Value) -> Vec<&str> {
    let all = inventory["status"]["appliedResources"].as_array();
    all.into_iter()
        .flatten()
        .map(|it| it["name"].as_str().unwrap())
        .collect()
}

#[test]
fn no_delete_is_lost_whoever_is_down() {
    let pair = Pair::new("deletes");
    let mut hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    for work in ["no-agent", "no-hub", "neither", "stays"] {
        pair.put_work(work, &[work], "1");
    }
    let map = |name: &str| pair.config_map(name);
    for work in ["no-agent", "no-hub", "neither", "stays"] {
        until(&pair.hub, &pair.work(work), &hub.process, |it| {
            condition(it, "Available") == "True"
        });
    }
    let delete = |work: &str| pair.delete_work(work);
    agent.process.kill_9();
    delete("no-agent");
    agent = pair.start_agent(&[]);
    until_gone(&pair.cluster, &map("no-agent"), &agent.process);
    until_gone(&pair.hub, &pair.work("no-agent"), &hub.process);

    hub.process.kill_9();
    delete("no-hub");
    hub = pair.start_hub(&[]);
    until_gone(&pair.cluster, &map("no-hub"), &agent.process);
    until_gone(&pair.hub, &pair.work("no-hub"), &hub.process);

    hub.process.kill_9();
    agent.process.kill_9();
    pair.scene.broker.component().kill_9().unwrap();
    delete("neither");
    pair.scene.broker.component().restart().unwrap();
    let (hub, agent) = (pair.start_hub(&[]), pair.start_agent(&[]));
    until_gone(&pair.cluster, &map("neither"), &agent.process);
    until_gone(&pair.hub, &pair.work("neither"), &hub.process);
    assert!(get(&pair.cluster, &map("stays")).is_some());
}

#[test]
fn a_work_says_what_stays_when_it_goes() {
    let pair = Pair::new("orphan");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["goes", "stays"], "1");
    let rule = json!({"group": "", "resource": "configmaps", "namespace": pair.namespace, "name": "stays"});
    let option = json!({"spec": {"deleteOption": {
        "propagationPolicy": "SelectivelyOrphan",
        "selectivelyOrphans": {"orphaningRules": [rule]},
    }}});
    pair.hub
        .kubectl_ok(&[
            "-n",
            "edge",
            "patch",
            "manifestwork",
            "one",
            "--type=merge",
            "-p",
            &option.to_string(),
        ])
        .unwrap();
    let map = |name: &str| pair.config_map(name);
    for name in ["goes", "stays"] {
        until(&pair.cluster, &map(name), &agent.process, |_| true);
    }
    pair.delete_work("one");
    until_gone(&pair.cluster, &map("goes"), &agent.process);
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
    assert!(get(&pair.cluster, &map("stays")).is_some());
}

#[test]
fn a_hub_that_is_empty_removes_nothing_before_the_grace_is_over() {
    let pair = Pair::new("empty");
    let mut hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&["--eviction-grace", "20s"]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    pair.put_work("two", &["b"], "1");
    let map = |name: &str| pair.config_map(name);
    for name in ["a", "b"] {
        until(&pair.cluster, &map(name), &agent.process, |_| true);
    }
    let before = uid(&pair.cluster, &map("a"));
    assert!(hub.process.terminate().success());

    // The same hub with another API server, where there is nothing.
    let other = pair.scene.bed.private_cluster("empty-anew").unwrap();
    let words = ["--name", pair.name, "--auto-accept", "*"];
    let anew = Role::start(&pair.scene, "hub", &other, &words);
    let at = inventory(&pair, "one");
    until(&pair.cluster, &at, &agent.process, |it| {
        it["status"]["evictionStartTime"].is_string()
    });
    assert!(get(&pair.cluster, &map("a")).is_some() && get(&pair.cluster, &map("b")).is_some());

    // One of the works comes back in time.
    let work = json!({
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": "one", "namespace": "edge"},
        "spec": {"workload": {"manifests": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": pair.namespace}, "data": {"v": "2"}},
        ]}},
    });
    until(&other, "/api/v1/namespaces/edge", &anew.process, |_| true);
    other.apply(&work.to_string()).unwrap();
    until(&pair.cluster, &map("a"), &agent.process, |it| {
        value(it) == "2"
    });
    until(&pair.cluster, &at, &agent.process, |it| {
        it["status"]["evictionStartTime"].is_null()
    });
    until_gone(&pair.cluster, &map("b"), &agent.process);
    assert_eq!(
        uid(&pair.cluster, &map("a")),
        before,
        "it was never gone: {}\n{}",
        agent.process.err(),
        anew.process.err()
    );
}

#[test]
fn a_kind_may_come_with_the_work_that_needs_it() {
    let pair = Pair::new("kind");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let group = format!("{}.example.com", pair.namespace);
    let definition = definition(&group, "Gadget", &[("v1", true)]);
    let gadget = json!({
        "apiVersion": format!("{group}/v1"),
        "kind": "Gadget",
        "metadata": {"name": "g", "namespace": pair.namespace},
        "spec": {"size": 1},
    });
    pair.put_manifests("one", &[gadget, definition]);
    let path = format!("/apis/{group}/v1/namespaces/{}/gadgets/g", pair.namespace);
    until(&pair.cluster, &path, &agent.process, |it| {
        it["spec"]["size"] == 1
    });
    until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Available") == "True"
    });
    // The definition is deleted under it: both come back.
    let crd = format!("gadgets.{group}");
    pair.cluster.kubectl_ok(&["delete", "crd", &crd]).unwrap();
    until(&pair.cluster, &path, &agent.process, |it| {
        it["spec"]["size"] == 1
    });
    pair.delete_work("one");
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
    until_gone(
        &pair.cluster,
        &format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}"),
        &agent.process,
    );
}

#[test]
fn an_object_that_loses_its_label_goes_from_its_cluster_and_stays_on_the_hub() {
    let pair = Pair::new("label");
    let mut hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let object = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: edge\n  labels: {{mqinformer.io/distribute: \"\"}}\n  annotations: {{mqinformer.io/namespace: {}}}\ndata: {{v: one}}\n",
            pair.namespace
        )
    };
    let here = |name: &str| format!("/api/v1/namespaces/edge/configmaps/{name}");
    for name in ["online", "offline", "both", "again"] {
        pair.hub.apply(&object(name)).unwrap();
        until(
            &pair.cluster,
            &pair.config_map(name),
            &agent.process,
            |it| value(it) == "one",
        );
        until(&pair.hub, &here(name), &hub.process, |it| {
            it["metadata"]["annotations"]["mqinformer.io/applied"] == "True"
        });
    }
    let unlabel = |name: &str| {
        pair.hub
            .kubectl_ok(&[
                "-n",
                "edge",
                "label",
                "configmap",
                name,
                "mqinformer.io/distribute-",
            ])
            .unwrap();
    };
    let until_free = |name: &str, hub: &Role| {
        until_gone(&pair.cluster, &pair.config_map(name), &agent.process);
        until(&pair.hub, &here(name), &hub.process, |it| {
            it["metadata"]["finalizers"].is_null()
        });
    };
    unlabel("online");
    until_free("online", &hub);
    // No watch shows it any more, and it is ours to let go.
    let both = ["mqinformer.io/distribute-", "mqinformer.io/held-"];
    let words = [&["-n", "edge", "label", "configmap", "both"], &both[..]].concat();
    pair.hub.kubectl_ok(&words).unwrap();
    until_free("both", &hub);
    // It comes back before it is gone, and goes for good.
    unlabel("again");
    let words = ["-n", "edge", "label", "configmap", "again"];
    let label = [&words[..], &["mqinformer.io/distribute="]].concat();
    pair.hub.kubectl_ok(&label).unwrap();
    unlabel("again");
    until_free("again", &hub);
    assert!(hub.process.terminate().success());
    unlabel("offline");
    hub = pair.start_hub(&[]);
    until_free("offline", &hub);
}

#[test]
fn what_moves_to_another_work_while_the_agent_is_down_stays() {
    let pair = Pair::new("moves");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("a", &["deleted"], "1");
    pair.put_work("b", &["pruned", "kept"], "1");
    for work in ["a", "b"] {
        until(&pair.hub, &pair.work(work), &hub.process, |it| {
            condition(it, "Applied") == "True"
        });
    }
    let map = |name: &str| pair.config_map(name);
    let before = ["deleted", "pruned"].map(|it| uid(&pair.cluster, &map(it)));
    assert!(agent.process.terminate().success());
    pair.delete_work("a");
    pair.put_work("b", &["kept"], "1");
    pair.put_work("c", &["deleted", "pruned"], "2");
    agent = pair.start_agent(&[]);
    until_gone(&pair.hub, &pair.work("a"), &hub.process);
    for name in ["deleted", "pruned"] {
        until(&pair.cluster, &map(name), &agent.process, |it| {
            value(it) == "2"
        });
    }
    let after = ["deleted", "pruned"].map(|it| uid(&pair.cluster, &map(it)));
    assert_eq!(after, before, "they were not made anew");
}

#[test]
fn what_was_applied_in_a_version_that_is_no_longer_served_is_removed_all_the_same() {
    let pair = Pair::new("version");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let group = format!("{}.example.com", pair.namespace);
    let define = |old_is_served: bool| {
        let versions = [("v1alpha1", old_is_served), ("v1", true)];
        let definition = definition(&group, "Gizmo", &versions);
        pair.cluster.apply(&definition.to_string()).unwrap();
    };
    define(true);
    let gizmo = json!({
        "apiVersion": format!("{group}/v1alpha1"),
        "kind": "Gizmo",
        "metadata": {"name": "g", "namespace": pair.namespace},
    });
    pair.put_manifests("one", &[gizmo]);
    let at = |version: &str| {
        let namespace = &pair.namespace;
        format!("/apis/{group}/{version}/namespaces/{namespace}/gizmos/g")
    };
    until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Applied") == "True"
    });
    until(&pair.cluster, &at("v1"), &agent.process, |_| true);
    define(false);
    until_gone(&pair.cluster, &at("v1alpha1"), &agent.process);
    assert!(uid(&pair.cluster, &at("v1")).is_some());
    pair.delete_work("one");
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
    assert_eq!(get(&pair.cluster, &at("v1")), None);
    let crd = format!("gizmos.{group}");
    pair.cluster.kubectl_ok(&["delete", "crd", &crd]).unwrap();
}
