//! What counts of an object: what somebody wanted. What a cluster made of it by itself would always differ.

use serde_json::{Map, Value};

/// Fields of `metadata` that every API server fills in.
const METADATA: [&str; 8] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "generateName",
    "ownerReferences",
];

/// Annotations that controllers write: the whole, or all that begin so.
const ANNOTATIONS: [&str; 9] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "pv.kubernetes.io/",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/",
    "control-plane.alpha.kubernetes.io/leader",
    "mqinformer.io/cluster",
    "mqinformer.io/redacted",
];

/// Labels that controllers write; selectors repeat them.
const LABELS: [&str; 6] = [
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "job-name",
];

/// Fields that are filled in by a cluster, by kind. `*` stands for every item of a list.
const SERVER_MADE: [(&str, &[&str]); 14] = [
    ("Service", &["spec", "clusterIP"]),
    ("Service", &["spec", "clusterIPs"]),
    ("Service", &["spec", "healthCheckNodePort"]),
    ("Service", &["spec", "ports", "*", "nodePort"]),
    ("Pod", &["spec", "nodeName"]),
    ("PersistentVolumeClaim", &["spec", "volumeName"]),
    ("PersistentVolume", &["spec", "claimRef", "uid"]),
    ("PersistentVolume", &["spec", "claimRef", "resourceVersion"]),
    ("Job", &["spec", "selector"]),
    ("Node", &["spec", "podCIDR"]),
    ("Node", &["spec", "podCIDRs"]),
    ("Node", &["spec", "providerID"]),
    ("ServiceAccount", &["secrets"]),
    ("Event", &["involvedObject", "uid"]),
];

/// The volume of a service account's token in a pod: its name ends at random.
const TOKEN: &str = "kube-api-access-";

/// What counts of an object; its status only `with_status`. Of another namespace than that of others, if
/// `namespace_counts` is false.
pub fn of(mut object: Value, with_status: bool, namespace_counts: bool) -> Value {
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if let Some(object) = object.as_object_mut() {
        if !with_status {
            object.remove("status");
        }
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            METADATA
                .iter()
                .for_each(|field| _ = metadata.remove(*field));
            if !namespace_counts {
                metadata.remove("namespace");
            }
            without(metadata, "annotations", is_server_s_annotation);
            without(metadata, "labels", |label| LABELS.contains(&label));
        }
    }
    for (of, path) in SERVER_MADE {
        if of == kind {
            remove(&mut object, path);
        }
    }
    if kind == "Secret" {
        hide_values(&mut object);
    }
    template(&mut object, &kind);
    object
}

/// What a Secret holds is not compared, and not shown, even if a cluster's syncer was told to hand it out.
fn hide_values(secret: &mut Value) {
    for field in ["data", "stringData"] {
        if let Some(Value::Object(values)) = secret.get_mut(field) {
            values
                .values_mut()
                .for_each(|value| *value = Value::String(String::new()));
        }
    }
}

fn is_server_s_annotation(name: &str) -> bool {
    ANNOTATIONS
        .iter()
        .any(|known| name == *known || (known.ends_with('/') && name.starts_with(known)))
}

/// Removes entries of a map, and the map with its last one.
fn without(parent: &mut Map<String, Value>, field: &str, is_gone: impl Fn(&str) -> bool) {
    let Some(Value::Object(entries)) = parent.get_mut(field) else {
        return;
    };
    entries.retain(|key, _| !is_gone(key));
    if entries.is_empty() {
        parent.remove(field);
    }
}

fn remove(value: &mut Value, path: &[&str]) {
    match (path, value) {
        ([last], Value::Object(map)) => _ = map.remove(*last),
        (["*", rest @ ..], Value::Array(items)) => {
            items.iter_mut().for_each(|item| remove(item, rest));
        }
        ([first, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(*first) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

/// Pods, and templates of pods: what is added to them by admission.
fn template(object: &mut Value, kind: &str) {
    let paths: &[&str] = match kind {
        "Pod" => &["/spec"],
        "CronJob" => &["/spec/jobTemplate/spec/template/spec"],
        _ => &["/spec/template/spec"],
    };
    let metadata = match kind {
        "CronJob" => "/spec/jobTemplate/spec/template/metadata",
        _ => "/spec/template/metadata",
    };
    if let Some(Value::Object(metadata)) = object.pointer_mut(metadata) {
        // Always null, and there or not by the version of the API server.
        metadata.remove("creationTimestamp");
        without(metadata, "labels", |label| LABELS.contains(&label));
    }
    for path in paths {
        if let Some(spec) = object.pointer_mut(path) {
            tokens(spec);
        }
    }
}

/// Names of token volumes, wherever they stand in a pod's spec.
fn tokens(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get_mut("name")
                && name.starts_with(TOKEN)
            {
                *name = format!("{TOKEN}*");
            }
            map.values_mut().for_each(tokens);
        }
        Value::Array(items) => items.iter_mut().for_each(tokens),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(object: Value, want: Value) {
        assert_eq!(of(object, false, true), want);
    }

    #[test]
    fn what_every_api_server_writes_is_gone() {
        check(
            json!({
                "kind": "Deployment",
                "metadata": {
                    "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 3,
                    "creationTimestamp": "x", "managedFields": [],
                    "annotations": {"deployment.kubernetes.io/revision": "4", "team": "a"},
                    "labels": {"pod-template-hash": "x"},
                },
                "spec": {"template": {"metadata": {"creationTimestamp": null, "labels": {"app": "web"}}}},
                "status": {"replicas": 1},
            }),
            json!({
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "shop", "annotations": {"team": "a"}},
                "spec": {"template": {"metadata": {"labels": {"app": "web"}}}},
            }),
        );
    }

    #[test]
    fn what_a_cluster_allots_is_gone_by_kind() {
        check(
            json!({"kind": "Service", "spec": {"clusterIP": "10.0.0.1", "type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}}),
            json!({"kind": "Service", "spec": {"type": "NodePort", "ports": [{"port": 80}]}}),
        );
        check(
            json!({"kind": "Pod", "spec": {
                "nodeName": "n1",
                "volumes": [{"name": "kube-api-access-x7z"}, {"name": "data"}],
                "containers": [{"name": "a", "volumeMounts": [{"name": "kube-api-access-x7z"}]}],
            }}),
            json!({"kind": "Pod", "spec": {
                "volumes": [{"name": "kube-api-access-*"}, {"name": "data"}],
                "containers": [{"name": "a", "volumeMounts": [{"name": "kube-api-access-*"}]}],
            }}),
        );
        let other = json!({"kind": "Thing", "spec": {"clusterIP": "kept", "nodeName": "kept"}});
        check(other.clone(), other);
    }

    #[test]
    fn values_of_secrets_are_not_compared() {
        check(
            json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}, "stringData": {"user": "me"}}),
            json!({"kind": "Secret", "data": {"password": ""}, "stringData": {"user": ""}}),
        );
    }

    #[test]
    fn status_and_namespace_count_when_they_are_asked_for() {
        let object = json!({"kind": "X", "metadata": {"namespace": "a"}, "status": 1});
        assert_eq!(of(object.clone(), true, true), object);
        assert_eq!(
            of(object, false, false),
            json!({"kind": "X", "metadata": {}})
        );
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for value in [
            json!(null),
            json!([1]),
            json!({"metadata": 3}),
            json!({"kind": 5, "spec": []}),
        ] {
            assert_eq!(of(value.clone(), true, true), value);
        }
    }
}
