//! A pod's copy: never scheduled, never run, and nothing made for it.
//!
//! Pure.

use super::inert::{Object, annotations, drop_fields, drop_noted, made, note, object, set};
use super::marks::NOBODY;
use serde_json::{Value, json};

/// What an admission plugin of the hub would look up, or set, or refuse.
const LOOKED_UP: [&str; 8] = [
    "ephemeralContainers",
    "overhead",
    "preemptionPolicy",
    "priority",
    "resourceClaims",
    "serviceAccount",
    "hostnameOverride",
    "schedulingGroup",
];

/// The same, of which the origin's words are kept.
const LOOKED_UP_NOTED: [&str; 4] = [
    "nodeName",
    "priorityClassName",
    "runtimeClassName",
    "serviceAccountName",
];

/// A pod that names a node of the hub would run there; one that names another would be deleted by the hub's garbage
/// collector. Without a node, a gate keeps every scheduler away.
pub(super) fn edit(copy: &mut Object) {
    drop_noted(copy, &LOOKED_UP_NOTED);
    drop_fields(copy, &LOOKED_UP);
    set(copy, "schedulingGates", json!([{"name": NOBODY}]));
    set(copy, "schedulerName", json!(NOBODY));
    made(copy, "spec").insert("automountServiceAccountToken".to_owned(), json!(false));
    if let Some(spec) = object(copy, &["spec"]) {
        without_claims(spec);
    }
    // A static pod's: the API server wants a node with them.
    annotations(copy).retain(|name, _| !name.starts_with("kubernetes.io/config."));
    without_addresses(copy);
}

/// Controllers would make claims, and with them volumes and devices.
fn without_claims(spec: &mut Object) {
    for volume in members(spec, "volumes") {
        if volume.remove("ephemeral").is_some() {
            volume.insert("emptyDir".to_owned(), json!({}));
        }
    }
    for kind in ["containers", "initContainers"] {
        for container in members(spec, kind) {
            if let Some(resources) = object(container, &["resources"]) {
                resources.remove("claims");
            }
        }
    }
}

fn members<'a>(of: &'a mut Object, name: &str) -> impl Iterator<Item = &'a mut Object> {
    let list = of.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// They are addresses of another network: whoever turns pods' addresses into rules of this one must not meet them.
fn without_addresses(copy: &mut Object) {
    for field in ["podIP", "hostIP"] {
        let status = object(copy, &["status"]);
        if let Some(address) = status.and_then(|status| status.remove(field)) {
            note(copy, field, &address);
        }
    }
    if let Some(status) = object(copy, &["status"]) {
        status.remove("podIPs");
        status.remove("hostIPs");
        status.remove("nominatedNodeName");
        status.remove("resourceClaimStatuses");
        status.remove("ephemeralContainerStatuses");
    }
}
