//! What has to be done to a copy so that nothing on the hub acts upon it.
//!
//! A Deployment's copy must not run, a Service's must not take an address, a RoleBinding's must not grant anything.
//! Each kind that is mirrored has its treatment here; kinds that cannot be made inert are refused, and so is what is not
//! known here, until somebody says that it may be copied as it is (`--mirror-as-is`).
//!
//! Where a copy differs from its origin in a field, an annotation says what the origin has
//! ([`super::marks::ORIGINAL`]). Where a controller of the hub writes the copy's status, the origin's is an annotation
//! ([`super::marks::STATUS`]): two writers of one field would go on for ever.
//!
//! Pure.

use super::marks::{ANNOTATIONS, INERT, NOBODY, ORIGINAL};
use super::names::{Form, LABEL, SUBDOMAIN};
use serde_json::{Map, Value, json};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// What becomes of an origin's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// The copy has it, too.
    Copied,
    /// A controller of the hub writes the copy's own: it becomes an annotation.
    Noted,
}

/// How objects of one kind are copied.
#[derive(Clone, Copy)]
pub(super) struct Treatment {
    /// What its names may be.
    pub(super) form: Form,
    /// What becomes of its status.
    pub(super) status: Status,
    /// Makes a copy inert, which has apiVersion, kind, metadata and all else of its origin but the status.
    pub(super) edit: fn(&mut Object),
}

/// How a kind is mirrored, or why it is not.
pub(super) fn treatment(group: &str, plural: &str) -> Result<Treatment, &'static str> {
    let plain = |edit| Ok(of(SUBDOMAIN, Status::Copied, edit));
    let noted = |edit| Ok(of(SUBDOMAIN, Status::Noted, edit));
    let short = |longest, edit| {
        let form = Form {
            longest,
            ..SUBDOMAIN
        };
        Ok(of(form, Status::Noted, edit))
    };
    match (group, plural) {
        ("", "configmaps" | "podtemplates")
        | ("coordination.k8s.io", "leases")
        | ("networking.k8s.io", "networkpolicies")
        | ("node.k8s.io", "runtimeclasses")
        | ("rbac.authorization.k8s.io", "roles") => plain(as_it_is),
        ("", "secrets") => plain(secret),
        ("", "serviceaccounts") => plain(service_account),
        ("", "pods") => plain(super::pod::edit),
        ("", "services") => {
            let form = Form {
                longest: LABEL,
                dots: false,
            };
            Ok(of(form, Status::Noted, service))
        }
        ("", "replicationcontrollers") | ("apps", "replicasets") => noted(without_replicas),
        ("apps", "deployments") => noted(deployment),
        // Labels of its pods are made of its name, and it may have no dots.
        ("apps", "statefulsets") => {
            let form = Form {
                longest: 52,
                dots: false,
            };
            Ok(of(form, Status::Noted, without_replicas))
        }
        ("apps", "daemonsets") => noted(daemon_set),
        // The names of their pods and jobs are made of theirs, and have to be labels' values.
        ("batch", "jobs") => short(LABEL, job),
        ("batch", "cronjobs") => short(52, suspended),
        ("networking.k8s.io", "ingresses") => noted(ingress),
        ("policy", "poddisruptionbudgets") => noted(as_it_is),
        ("rbac.authorization.k8s.io", "clusterroles") => plain(cluster_role),
        ("networking.k8s.io", "ingressclasses") | ("storage.k8s.io", "storageclasses") => {
            plain(not_the_default)
        }
        ("scheduling.k8s.io", "priorityclasses") => plain(priority_class),
        _ => Err(refusal(group, plural)),
    }
}

/// For what somebody says nothing on the hub acts upon.
pub(super) fn as_is() -> Treatment {
    of(SUBDOMAIN, Status::Copied, as_it_is)
}

fn of(form: Form, status: Status, edit: fn(&mut Object)) -> Treatment {
    Treatment { form, status, edit }
}

fn refusal(group: &str, plural: &str) -> &'static str {
    match (group, plural) {
        ("", "nodes") => "the hub's scheduler would place pods on its copies",
        ("", "namespaces") => "its copies would be namespaces of the hub",
        ("", "persistentvolumes" | "persistentvolumeclaims") => {
            "the hub would bind, provision or reclaim volumes for its copies"
        }
        ("", "endpoints") | ("discovery.k8s.io", "endpointslices") => {
            "the hub's own controllers and kube-proxy would act upon its copies"
        }
        ("", "events") | ("events.k8s.io", "events") => {
            "an event belongs into the namespace of its object, and expires by itself"
        }
        ("", "limitranges" | "resourcequotas") => "its copies would limit the other copies",
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            "its copies would grant rights on the hub"
        }
        ("autoscaling", _) => "the hub's autoscaler would act upon its copies",
        ("apiextensions.k8s.io" | "apiregistration.k8s.io", _) => {
            "its name says what it is, so that a copy cannot have another one"
        }
        ("admissionregistration.k8s.io", _) => "the hub's API server would obey its copies",
        ("certificates.k8s.io", _) => "the hub would sign its copies",
        _ => "whether a controller of the hub would act upon its copies is not known",
    }
}

fn as_it_is(_copy: &mut Object) {}

/// A member that is an object; none if it is missing or something else.
pub(super) fn object<'a>(of: &'a mut Object, path: &[&str]) -> Option<&'a mut Object> {
    let mut at = of;
    for name in path {
        at = at.get_mut(*name)?.as_object_mut()?;
    }
    Some(at)
}

/// The same, made where it is missing.
pub(super) fn made<'a>(of: &'a mut Object, name: &str) -> &'a mut Object {
    if !of.get(name).is_some_and(Value::is_object) {
        of.insert(name.to_owned(), Value::Object(Object::new()));
    }
    match of.get_mut(name) {
        Some(Value::Object(object)) => object,
        _ => unreachable!("it is one, or was made one just now"),
    }
}

/// Sets a field of the spec, and notes what the origin has there.
pub(super) fn set(copy: &mut Object, field: &str, value: Value) {
    let before = made(copy, "spec").insert(field.to_owned(), value);
    if let Some(before) = before {
        note(copy, field, &before);
    }
}

/// Drops fields of the spec, and notes what the origin has there.
pub(super) fn drop_noted(copy: &mut Object, fields: &[&str]) {
    for field in fields {
        if let Some(before) = object(copy, &["spec"]).and_then(|spec| spec.remove(*field)) {
            note(copy, field, &before);
        }
    }
}

/// Drops fields of the spec that say nothing of the origin itself.
pub(super) fn drop_fields(copy: &mut Object, fields: &[&str]) {
    if let Some(spec) = object(copy, &["spec"]) {
        spec.retain(|name, _| !fields.contains(&name.as_str()));
    }
}

/// Notes what the origin has in a field.
pub(super) fn note(copy: &mut Object, field: &str, value: &Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    annotations(copy).insert(format!("{ORIGINAL}{field}"), Value::String(text));
}

pub(super) fn annotations(copy: &mut Object) -> &mut Object {
    made(made(copy, "metadata"), "annotations")
}

/// A token's controller would empty or delete a copy whose service account is not there.
fn secret(copy: &mut Object) {
    const TOKEN: &str = "kubernetes.io/service-account-token";
    if copy.get("type").and_then(Value::as_str) != Some(TOKEN) {
        return;
    }
    copy.insert("type".to_owned(), json!("Opaque"));
    note(copy, "type", &json!(TOKEN));
    annotations(copy).retain(|name, _| !name.starts_with("kubernetes.io/service-account."));
}

/// What it names is called otherwise here.
fn service_account(copy: &mut Object) {
    copy.remove("secrets");
    copy.remove("imagePullSecrets");
}

/// A paused one makes no ReplicaSet; and it selects none that is there.
fn deployment(copy: &mut Object) {
    set(copy, "paused", json!(true));
    selects_nothing(copy);
}

fn without_replicas(copy: &mut Object) {
    set(copy, "replicas", json!(0));
    selects_nothing(copy);
}

/// No node has the label.
fn daemon_set(copy: &mut Object) {
    selects_nothing(copy);
    if let Some(template) = object(copy, &["spec", "template", "spec"]) {
        made(template, "nodeSelector").insert(INERT.to_owned(), json!("true"));
    }
}

/// Else a copy would adopt copies of pods or ReplicaSets, and delete those that are too many.
fn selects_nothing(copy: &mut Object) {
    let Some(spec) = object(copy, &["spec"]) else {
        return;
    };
    let selector = made(spec, "selector");
    // A ReplicationController's selector is the labels themselves.
    let plain = !selector.is_empty() && selector.values().all(Value::is_string);
    let labels = if plain {
        selector
    } else {
        made(selector, "matchLabels")
    };
    labels.insert(INERT.to_owned(), json!("true"));
    let template = made(made(spec, "template"), "metadata");
    made(template, "labels").insert(INERT.to_owned(), json!("true"));
}

fn suspended(copy: &mut Object) {
    set(copy, "suspend", json!(true));
}

/// The API server writes selector and labels by the uid, which is another one here.
fn job(copy: &mut Object) {
    suspended(copy);
    drop_fields(
        copy,
        &["selector", "manualSelector", "ttlSecondsAfterFinished"],
    );
    if let Some(labels) = object(copy, &["spec", "template", "metadata", "labels"]) {
        let by_name = ["controller-uid", "job-name"];
        let own = |name: &str| {
            name.strip_prefix("batch.kubernetes.io/")
                .unwrap_or(name)
                .to_owned()
        };
        labels.retain(|name, _| !by_name.contains(&own(name).as_str()));
    }
}

/// No selector, so no endpoints; no address, no port on nodes, no load balancer.
fn service(copy: &mut Object) {
    drop_noted(
        copy,
        &["selector", "clusterIP", "externalName", "externalIPs"],
    );
    drop_fields(
        copy,
        &[
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "allocateLoadBalancerNodePorts",
            "externalTrafficPolicy",
            "healthCheckNodePort",
            "internalTrafficPolicy",
            "loadBalancerClass",
            "loadBalancerIP",
            "loadBalancerSourceRanges",
            "sessionAffinity",
            "sessionAffinityConfig",
            "trafficDistribution",
        ],
    );
    set(copy, "type", json!("ClusterIP"));
    made(copy, "spec").insert("clusterIP".to_owned(), json!("None"));
    let ports = object(copy, &["spec"]).and_then(|spec| spec.get_mut("ports"));
    for port in ports.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(port) = port {
            port.remove("nodePort");
        }
    }
    hide_annotations(copy);
}

fn ingress(copy: &mut Object) {
    set(copy, "ingressClassName", json!(NOBODY));
    hide_annotations(copy);
}

/// Makers of DNS records and certificates go by annotations, whatever the class.
fn hide_annotations(copy: &mut Object) {
    let annotations = annotations(copy);
    let foreign = |name: &String| !name.starts_with(super::marks::PREFIX);
    let names: Vec<_> = annotations
        .keys()
        .filter(|name| foreign(name))
        .cloned()
        .collect();
    let taken: Object = names
        .into_iter()
        .filter_map(|name| annotations.remove_entry(&name))
        .collect();
    if !taken.is_empty() {
        let text = Value::Object(taken).to_string();
        annotations.insert(ANNOTATIONS.to_owned(), Value::String(text));
    }
}

/// Its rules would be added to roles of the hub, or be gathered from them.
fn cluster_role(copy: &mut Object) {
    if let Some(rule) = copy.remove("aggregationRule") {
        note(copy, "aggregation-rule", &rule);
    }
    if let Some(labels) = object(copy, &["metadata", "labels"]) {
        labels.retain(|name, _| !name.starts_with("rbac.authorization.k8s.io/"));
    }
}

fn not_the_default(copy: &mut Object) {
    annotations(copy).retain(|name, _| !name.ends_with("/is-default-class"));
}

fn priority_class(copy: &mut Object) {
    copy.remove("globalDefault");
}

#[cfg(test)]
#[path = "inert_tests.rs"]
mod tests;
