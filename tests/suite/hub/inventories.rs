//! What an agent has written down of what it put into its cluster.

use super::{Pair, Role, WORKS, condition, uid};
use crate::controlplane::{get, until, until_gone};
use serde_json::{Value, json};

/// The inventory of a work, of the agent of that name.
pub(super) fn inventory(pair: &Pair, agent: &str, work: &str) -> Option<Value> {
    let all = get(&pair.cluster, &format!("{WORKS}/appliedmanifestworks"))?;
    let is = |it: &&Value| it["spec"]["agentID"] == agent && it["spec"]["manifestWorkName"] == work;
    all["items"].as_array()?.iter().find(is).cloned()
}

/// Makes an inventory list these.
fn set_listed(pair: &Pair, inventory: &Value, listed: &Value) {
    let name = inventory["metadata"]["name"].as_str().unwrap();
    let status = json!({"status": {"appliedResources": listed}}).to_string();
    let resource = "appliedmanifestworks.work.open-cluster-management.io";
    let words = [
        "patch",
        resource,
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ];
    pair.cluster.kubectl_ok(&words).unwrap();
}

#[test]
fn two_agents_on_one_api_server_leave_each_others_objects_alone() {
    let pair = Pair::alone("agents");
    let hub = pair.start_hub(&[]);
    let mut first = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    let map = |name: &str| pair.config_map(name);
    until(&pair.cluster, &map("a"), &first.process, |_| true);
    let before = uid(&pair.cluster, &map("a"));

    let words = ["--hub", pair.name, "--cluster", "second"];
    let second = Role::start(&pair.scene, "agent", &pair.cluster, &words);
    until(&pair.hub, "/api/v1/namespaces/second", &hub.process, |_| {
        true
    });
    let work = json!({
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": "one", "namespace": "second"},
        "spec": {"workload": {"manifests": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": pair.namespace}, "data": {"v": "1"}},
        ]}},
    });
    pair.hub.apply(&work.to_string()).unwrap();
    let of_second = format!("{WORKS}/namespaces/second/manifestworks/one");
    until(&pair.hub, &of_second, &hub.process, |it| {
        condition(it, "Applied") == "True"
    });
    assert_eq!(uid(&pair.cluster, &map("a")), before);
    for (agent, name) in [("edge", "a"), ("second", "b")] {
        let listed = inventory(&pair, agent, "one").unwrap();
        let resources = listed["status"]["appliedResources"].as_array().unwrap();
        let names: Vec<_> = resources.iter().map(|it| &it["name"]).collect();
        assert_eq!(names, [name], "{agent}");
    }

    // As if the first had ended just before it wrote what the second has written since.
    first.process.kill_9();
    let unwritten = json!({"version": "v1", "resource": "configmaps", "namespace": pair.namespace, "name": "b"});
    let written = inventory(&pair, "edge", "one").unwrap();
    let mut both = written["status"]["appliedResources"].clone();
    both.as_array_mut().unwrap().push(unwritten);
    set_listed(&pair, &written, &both);
    let of_second_s = uid(&pair.cluster, &map("b"));
    first = pair.start_agent(&[]);
    let name = written["metadata"]["name"].as_str().unwrap();
    let path = format!("{WORKS}/appliedmanifestworks/{name}");
    until(&pair.cluster, &path, &first.process, |it| {
        it["status"]["appliedResources"]
            .as_array()
            .is_some_and(|it| it.len() == 1)
    });
    assert_eq!(uid(&pair.cluster, &map("b")), of_second_s);

    let words = [
        "-n",
        "second",
        "delete",
        "manifestwork",
        "one",
        "--wait=false",
    ];
    pair.hub.kubectl_ok(&words).unwrap();
    until_gone(&pair.cluster, &map("b"), &second.process);
    until_gone(&pair.hub, &of_second, &hub.process);
    assert_eq!(uid(&pair.cluster, &map("a")), before);
    assert!(inventory(&pair, "edge", "one").is_some());
}

#[test]
fn an_inventory_whose_kind_is_deleted_is_written_again() {
    let pair = Pair::alone("crd-gone");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Applied") == "True"
    });
    let map = pair.config_map("a");
    let before = uid(&pair.cluster, &map);
    let written = inventory(&pair, "edge", "one").unwrap();
    let name = written["metadata"]["name"].as_str().unwrap();
    let path = format!("{WORKS}/appliedmanifestworks/{name}");

    let kind = "appliedmanifestworks.work.open-cluster-management.io";
    pair.cluster
        .kubectl_ok(&["delete", "crd", kind, "--wait=false"])
        .unwrap();
    until(&pair.cluster, &path, &agent.process, |it| {
        it["metadata"]["uid"] != written["metadata"]["uid"]
            && it["status"]["appliedResources"][0]["uid"].as_str() == before.as_deref()
    });
    assert_eq!(uid(&pair.cluster, &map), before, "it stays meanwhile");

    pair.delete_work("one");
    until_gone(&pair.cluster, &map, &agent.process);
    until_gone(&pair.cluster, &path, &agent.process);
}

#[test]
fn what_an_agent_wrote_just_before_it_ended_is_its_own() {
    let pair = Pair::new("crash");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    pair.put_work("crash", &["kept", "ours", "theirs"], "1");
    until(&pair.hub, &pair.work("crash"), &hub.process, |it| {
        condition(it, "Applied") == "True"
    });
    // As if it had ended between writing down and applying; and one of the objects is somebody else's.
    agent.process.kill_9();
    let written = inventory(&pair, "edge", "crash").unwrap();
    let mut listed = written["status"]["appliedResources"].clone();
    for one in listed.as_array_mut().unwrap() {
        one.as_object_mut().unwrap().remove("uid");
    }
    set_listed(&pair, &written, &listed);
    for verb in ["delete", "create"] {
        let words = ["-n", &pair.namespace, verb, "configmap", "theirs"];
        pair.cluster.kubectl_ok(&words).unwrap();
    }
    pair.put_work("crash", &["kept"], "2");
    agent = pair.start_agent(&[]);
    until_gone(&pair.cluster, &pair.config_map("ours"), &agent.process);
    until(&pair.hub, &pair.work("crash"), &hub.process, |it| {
        let manifests = it["status"]["resourceStatus"]["manifests"].as_array();
        condition(it, "Applied") == "True" && manifests.is_some_and(|it| it.len() == 1)
    });
    assert!(uid(&pair.cluster, &pair.config_map("theirs")).is_some());
}

#[test]
fn an_object_whose_name_no_inventory_could_have_is_distributed_all_the_same() {
    let pair = Pair::new("names");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {
            "name": "system:Some",
            "namespace": "edge",
            "labels": {"mqinformer.io/distribute": ""},
            "annotations": {"mqinformer.io/namespace": pair.namespace},
        },
        "rules": [],
    });
    pair.hub.apply(&role.to_string()).unwrap();
    let at = |namespace: &str| {
        format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/system:Some")
    };
    until(&pair.hub, &at("edge"), &hub.process, |it| {
        it["metadata"]["annotations"]["mqinformer.io/applied"] == "True"
    });
    assert!(uid(&pair.cluster, &at(&pair.namespace)).is_some());
    let words = ["-n", "edge", "delete", "role", "system:Some"];
    pair.hub.kubectl_ok(&words).unwrap();
    until_gone(&pair.cluster, &at(&pair.namespace), &agent.process);
}
