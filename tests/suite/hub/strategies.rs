//! How objects are written, and by whom.

use super::{Pair, condition, uid, value};
use crate::controlplane::{get, until, until_gone};
use serde_json::{Value, json};

/// Makes or changes a work with that spec.
fn put(pair: &Pair, name: &str, spec: &Value) {
    let work = json!({
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": name, "namespace": "edge"},
        "spec": spec,
    });
    pair.hub.apply(&work.to_string()).unwrap();
}

fn config_map(pair: &Pair, name: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": pair.namespace},
        "data": data,
    })
}

fn config(pair: &Pair, resource: &str, name: &str, more: Value) -> Value {
    let mut config = more;
    config["resourceIdentifier"] =
        json!({"group": "", "resource": resource, "namespace": pair.namespace, "name": name});
    config
}

/// What a work says of one of its objects.
fn of_manifest<'a>(work: &'a Value, name: &str) -> &'a Value {
    let all = work["status"]["resourceStatus"]["manifests"].as_array();
    let mut all = all.into_iter().flatten();
    let found = all.find(|it| it["resourceMeta"]["name"] == name);
    found.unwrap_or(&Value::Null)
}

/// Reason and message of a condition of one of its objects.
fn words<'a>(work: &'a Value, name: &str, kind: &str) -> (&'a str, &'a str) {
    let all = of_manifest(work, name)["conditions"].as_array();
    let found = all.into_iter().flatten().find(|it| it["type"] == kind);
    let word = |key: &str| found.and_then(|it| it[key].as_str()).unwrap_or_default();
    (word("reason"), word("message"))
}

/// Whether all that is said of the work is about what it is now.
fn is_judged(work: &Value) -> bool {
    let all = work["status"]["conditions"].as_array();
    let mut applied = all
        .into_iter()
        .flatten()
        .filter(|it| it["type"] == "Applied");
    applied.any(|it| it["observedGeneration"] == work["metadata"]["generation"])
}

/// A ConfigMap that somebody else made in the cluster.
fn put_theirs(pair: &Pair, name: &str) {
    let object = config_map(pair, name, &json!({"v": "theirs"}));
    let words = [
        "apply",
        "--server-side",
        "--field-manager=somebody",
        "-f",
        "-",
    ];
    pair.cluster
        .kubectl_input(&words, &object.to_string())
        .unwrap();
}

#[test]
fn each_object_is_written_as_its_strategy_says() {
    let pair = Pair::new("strategies");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let map = |name: &str| pair.config_map(name);
    for name in ["theirs", "read", "contested"] {
        put_theirs(&pair, name);
    }
    let strategy = |name: &str, kind: &str| {
        config(
            &pair,
            "configmaps",
            name,
            json!({"updateStrategy": {"type": kind}}),
        )
    };
    let names = ["made", "theirs", "read", "contested"];
    let manifests = names.map(|it| config_map(&pair, it, &json!({"v": "ours"})));
    let configs = [
        strategy("made", "CreateOnly"),
        strategy("theirs", "CreateOnly"),
        strategy("read", "ReadOnly"),
        strategy("contested", "ServerSideApply"),
    ];
    put(
        &pair,
        "one",
        &json!({"workload": {"manifests": manifests}, "manifestConfigs": configs}),
    );
    let work = until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Applied") == "False"
    });
    let (reason, message) = words(&work, "contested", "Applied");
    assert_eq!(reason, "ApplyConflict");
    assert!(message.contains("somebody"), "{message}");
    for name in ["made", "theirs", "read"] {
        assert_eq!(
            words(&work, name, "Applied").0,
            "AppliedManifestComplete",
            "{name}"
        );
    }
    let now = |name: &str| get(&pair.cluster, &map(name)).map(|it| value(&it).to_owned());
    assert_eq!(now("made").as_deref(), Some("ours"));
    for name in ["theirs", "read", "contested"] {
        assert_eq!(now(name).as_deref(), Some("theirs"), "{name}");
    }

    pair.delete_work("one");
    until_gone(&pair.cluster, &map("made"), &agent.process);
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
    for name in ["theirs", "read", "contested"] {
        assert_eq!(now(name).as_deref(), Some("theirs"), "{name}");
    }
}

#[test]
fn what_a_work_only_reads_from_now_on_stays_when_the_work_goes() {
    let pair = Pair::new("only-read");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let map = |name: &str| pair.config_map(name);
    let manifests = ["later", "at-last"].map(|it| config_map(&pair, it, &json!({"v": "ours"})));
    let spec = |read: &[&str]| {
        let read = read.iter().map(|it| {
            let strategy = json!({"updateStrategy": {"type": "ReadOnly"}});
            config(&pair, "configmaps", it, strategy)
        });
        let configs: Vec<_> = read.collect();
        json!({"workload": {"manifests": manifests}, "manifestConfigs": configs})
    };
    let applied = |it: &Value| condition(it, "Applied") == "True" && is_judged(it);
    for read in [&[][..], &["later"]] {
        put(&pair, "one", &spec(read));
        until(&pair.hub, &pair.work("one"), &hub.process, applied);
    }
    let before = ["later", "at-last"].map(|it| uid(&pair.cluster, &map(it)));
    // The other one, in the moment in which the work is deleted.
    assert!(agent.process.terminate().success());
    put(&pair, "one", &spec(&["later", "at-last"]));
    pair.delete_work("one");
    agent = pair.start_agent(&[]);
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
    let after = ["later", "at-last"].map(|it| uid(&pair.cluster, &map(it)));
    assert_eq!(after, before, "{}", agent.process.err());
}

/// What the executor of these tests may do with ConfigMaps.
fn grant(pair: &Pair, verbs: &[&str]) {
    let of = |kind: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "deployer", "namespace": pair.namespace}});
    let (mut role, mut binding) = (of("Role"), of("RoleBinding"));
    role["rules"] = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]);
    binding["roleRef"] =
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"});
    binding["subjects"] =
        json!([{"kind": "ServiceAccount", "name": "deployer", "namespace": pair.namespace}]);
    pair.cluster.apply(&role.to_string()).unwrap();
    pair.cluster.apply(&binding.to_string()).unwrap();
}

/// A work of one ConfigMap that the executor writes, whose value is asked for.
fn put_executed(pair: &Pair, v: &str) {
    let asks = json!({"feedbackRules": [{"type": "JSONPaths", "jsonPaths": [{"name": "v", "path": ".data.v"}]}]});
    let account = json!({"namespace": pair.namespace, "name": "deployer"});
    let spec = json!({
        "executor": {"subject": {"type": "ServiceAccount", "serviceAccount": account}},
        "workload": {"manifests": [config_map(pair, "a", &json!({"v": v}))]},
        "manifestConfigs": [config(pair, "configmaps", "a", asks)],
    });
    put(pair, "one", &spec);
}

#[test]
fn a_work_is_written_with_the_rights_of_its_executor_and_tells_no_more_than_that_may_read() {
    let pair = Pair::new("executor");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    put_executed(&pair, "1");
    let denied = until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Applied") == "False"
    });
    let (reason, message) = words(&denied, "a", "Applied");
    assert_eq!(reason, "AppliedManifestFailed");
    let user = format!("system:serviceaccount:{}:deployer", pair.namespace);
    assert!(
        message.contains("forbidden") && message.contains(&user),
        "{message}"
    );
    assert_eq!(get(&pair.cluster, &pair.config_map("a")), None);

    grant(&pair, &["create", "patch"]);
    until(&pair.cluster, &pair.config_map("a"), &agent.process, |it| {
        value(it) == "1"
    });
    let closed = until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Applied") == "True" && condition(it, "Available") == "True"
    });
    let (reason, message) = words(&closed, "a", "StatusFeedbackSynced");
    assert_eq!(reason, "StatusFeedbackSyncFailed", "{closed}");
    assert!(message.contains("may not get it"), "{message}");
    assert!(of_manifest(&closed, "a")["statusFeedback"]["values"].is_null());

    grant(&pair, &["create", "patch", "get"]);
    put_executed(&pair, "2");
    let told = until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        let values = &of_manifest(it, "a")["statusFeedback"]["values"];
        values[0]["fieldValue"]["string"] == "2"
    });
    assert_eq!(
        words(&told, "a", "StatusFeedbackSynced").0,
        "StatusFeedbackSynced"
    );

    // It may not delete: the work says so by staying, and goes when it may.
    pair.delete_work("one");
    agent
        .process
        .wait_err("it is told why", |text| text.contains("cannot delete"));
    assert!(get(&pair.cluster, &pair.config_map("a")).is_some());
    grant(&pair, &["create", "patch", "get", "delete"]);
    until_gone(&pair.cluster, &pair.config_map("a"), &agent.process);
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
}

#[test]
fn what_has_finished_and_was_removed_does_not_run_again() {
    let pair = Pair::new("finished");
    let hub = pair.start_hub(&[]);
    let mut agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let work = |v: &str| {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "once", "namespace": pair.namespace},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none"}]},
        });
        let rule =
            json!({"conditionRules": [{"condition": "Complete", "type": "WellKnownConditions"}]});
        let spec = json!({
            "workload": {"manifests": [pod, config_map(&pair, "marker", &json!({"v": v}))]},
            "manifestConfigs": [config(&pair, "pods", "once", rule)],
        });
        put(&pair, "one", &spec);
    };
    work("1");
    let pod = format!("/api/v1/namespaces/{}/pods/once", pair.namespace);
    until(&pair.cluster, &pod, &agent.process, |_| true);
    let kubectl = |words: &[&str]| {
        let words = [&["-n", &pair.namespace], words].concat();
        pair.cluster.kubectl_ok(&words).unwrap();
    };
    let done = r#"{"status":{"phase":"Succeeded"}}"#;
    kubectl(&[
        "patch",
        "pod",
        "once",
        "--subresource=status",
        "--type=merge",
        "-p",
        done,
    ]);
    until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Complete") == "True"
    });
    assert!(agent.process.terminate().success());
    kubectl(&["delete", "pod", "once", "--force", "--grace-period=0"]);
    agent = pair.start_agent(&[]);
    work("2");
    until(
        &pair.cluster,
        &pair.config_map("marker"),
        &agent.process,
        |it| value(it) == "2",
    );
    until(&pair.hub, &pair.work("one"), &hub.process, is_judged);
    assert_eq!(get(&pair.cluster, &pod), None);
}

#[test]
fn a_work_that_orphans_leaves_all() {
    let pair = Pair::new("orphans");
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let spec = json!({
        "workload": {"manifests": [config_map(&pair, "a", &json!({"v": "1"}))]},
        "deleteOption": {"propagationPolicy": "Orphan"},
    });
    put(&pair, "one", &spec);
    until(&pair.cluster, &pair.config_map("a"), &agent.process, |_| {
        true
    });
    let before = uid(&pair.cluster, &pair.config_map("a"));
    pair.delete_work("one");
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
    assert_eq!(uid(&pair.cluster, &pair.config_map("a")), before);
}

#[test]
fn a_job_that_has_finished_takes_its_work_along_when_its_time_is_over() {
    let pair = Pair::new("job");
    pair.cluster.controllers().unwrap();
    let hub = pair.start_hub(&[]);
    let agent = pair.start_agent(&[]);
    pair.until_joined(&hub);
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once", "namespace": pair.namespace},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none"}]}}},
    });
    let mut rules = config(
        &pair,
        "jobs",
        "once",
        json!({
            "conditionRules": [{"condition": "Complete", "type": "WellKnownConditions"}],
            "feedbackRules": [{"type": "WellKnownStatus"}],
        }),
    );
    rules["resourceIdentifier"]["group"] = "batch".into();
    let spec = json!({
        "workload": {"manifests": [job]},
        "manifestConfigs": [rules],
        "deleteOption": {"ttlSecondsAfterFinished": 1},
    });
    put(&pair, "one", &spec);
    let pods = format!("/api/v1/namespaces/{}/pods", pair.namespace);
    let pods = until(&pair.cluster, &pods, &agent.process, |it| {
        it["items"].as_array().is_some_and(|all| !all.is_empty())
    });
    let told = until(&pair.hub, &pair.work("one"), &hub.process, |it| {
        condition(it, "Applied") == "True"
    });
    assert_eq!(condition(&told, "Complete"), "False", "{told}");

    let pod = pods["items"][0]["metadata"]["name"].as_str().unwrap();
    let done = r#"{"status":{"phase":"Succeeded"}}"#;
    let words = [
        "patch",
        "pod",
        pod,
        "--subresource=status",
        "--type=merge",
        "-p",
        done,
    ];
    let words = [&["-n", &pair.namespace], &words[..]].concat();
    pair.cluster.kubectl_ok(&words).unwrap();
    until_gone(&pair.hub, &pair.work("one"), &hub.process);
    let job = format!("/apis/batch/v1/namespaces/{}/jobs/once", pair.namespace);
    until_gone(&pair.cluster, &job, &agent.process);
    let pod = format!("/api/v1/namespaces/{}/pods/{pod}", pair.namespace);
    until_gone(&pair.cluster, &pod, &agent.process);
}
