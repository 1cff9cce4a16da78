//! Definitions of kinds that are deleted under a hub.

use super::{Pair, condition, definition, uid, value};
use crate::controlplane::{get, until, until_gone};
use serde_json::json;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

#[test]
fn a_definition_that_is_deleted_under_the_hub_comes_back_and_no_work_is_lost() {
    let pair = Pair::new("definitions");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&["--eviction-grace", "1s"]);
    pair.until_joined(&hub);
    pair.put_work("one", &["a"], "1");
    let map = pair.config_map("a");
    until(&pair.cluster, &map, &agent.process, |_| true);
    until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Available") == "True"
    });
    let (before, there) = (uid(&pair.hub, &pair.work("one")), uid(&pair.cluster, &map));
    let of = |plural: &str| format!("{DEFINITIONS}/{plural}");
    let delete = |plural: &str| {
        let was = uid(&pair.hub, &of(plural));
        let words = ["delete", "crd", plural, "--wait=false"];
        pair.hub.kubectl_ok(&words).unwrap();
        until(&pair.hub, &of(plural), &hub.process, |it| {
            it["metadata"]["uid"].as_str() != was.as_deref()
        });
    };
    // The one with all the works, and one without any object.
    delete("manifestworks.work.open-cluster-management.io");
    let anew = until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        it["metadata"]["uid"].as_str() != before.as_deref() && condition(it, "Available") == "True"
    });
    assert!(anew["metadata"]["deletionTimestamp"].is_null());
    delete("placements.cluster.open-cluster-management.io");

    // It goes on, and has gone on: what is in the cluster was not made anew.
    pair.put_work("one", &["a"], "2");
    until(&pair.cluster, &map, &agent.process, |it| value(it) == "2");
    assert_eq!(uid(&pair.cluster, &map), there);
    pair.delete_work("one");
    until_gone(&pair.cluster, &map, &agent.process);
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
}

#[test]
fn a_delete_that_no_agent_has_heard_of_is_not_forgotten_when_the_definition_goes() {
    let pair = Pair::new("deleted-before");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let map = |name: &str| pair.config_map(name);
    for work in ["goes", "stays"] {
        pair.put_work(work, &[work], "1");
        until(&pair.hub, &pair.work(work), &hub.process, |it| {
            condition(it, "Applied") == "True"
        });
    }
    agent.process.kill_9();
    pair.delete_work("goes");
    // What comes later is held: the hub has heard of the delete.
    pair.put_work("later", &["later"], "1");
    until(&pair.hub, &pair.work("later"), &hub.process, |it| {
        it["metadata"]["finalizers"].is_array()
    });
    let before = uid(&pair.hub, &pair.work("goes"));
    let plural = "manifestworks.work.open-cluster-management.io";
    let words = ["delete", "crd", plural, "--wait=false"];
    pair.hub.kubectl_ok(&words).unwrap();
    until(&pair.hub, &pair.work("goes"), &hub.process, |it| {
        it["metadata"]["uid"].as_str() != before.as_deref()
            && it["metadata"]["deletionTimestamp"].is_string()
    });
    agent = pair.start_agent(&[]);
    until_gone(&pair.cluster, &map("goes"), &agent.process);
    until_gone(&pair.hub, &pair.work("goes"), &hub.process);
    until(&pair.cluster, &map("later"), &agent.process, |_| true);
    let stays = get(&pair.hub, &pair.work("stays")).unwrap();
    assert!(stays["metadata"]["deletionTimestamp"].is_null());
    assert!(get(&pair.cluster, &map("stays")).is_some());
}

/// A user's kind is the user's: who deletes it, deletes its objects, everywhere.
#[test]
fn with_the_definition_of_a_distributed_kind_its_objects_go_everywhere() {
    let pair = Pair::new("widgets");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let group = format!("{}.example.com", pair.namespace);
    let name = format!("widgets.{group}");
    let definition = definition(&group, "Widget", &[("v1", true)]);
    for cluster in [&pair.hub, &*pair.cluster] {
        cluster.apply(&definition.to_string()).unwrap();
    }
    let at = |namespace: &str| format!("/apis/{group}/v1/namespaces/{namespace}/widgets/w");
    let (here, there) = (at("edge"), at(&pair.namespace));
    let widget = json!({
        "apiVersion": format!("{group}/v1"),
        "kind": "Widget",
        "metadata": {
            "name": "w",
            "namespace": "edge",
            "labels": {"mqinformer.io/distribute": ""},
            "annotations": {"mqinformer.io/namespace": pair.namespace},
        },
    });
    bed::wait_for("the kind is served", || {
        Ok(pair.hub.apply(&widget.to_string()).ok())
    })
    .unwrap();
    until(&pair.cluster, &there, &agent.process, |_| true);
    until(&pair.hub, &here, &hub.process, |it| {
        it["metadata"]["annotations"]["mqinformer.io/applied"] == "True"
    });
    let words = ["delete", "crd", &name, "--wait=false"];
    pair.hub.kubectl_ok(&words).unwrap();
    until_gone(&pair.cluster, &there, &agent.process);
    let definition = format!("{DEFINITIONS}/{name}");
    until_gone(&pair.hub, &definition, &hub.process);
    assert!(get(&pair.cluster, &definition).is_some());
}
