mod decisions;
mod reports;

use super::manifest::{Mapping, Read, read_all};
use super::*;
use crate::ocm::work::ManifestWorkSpec;
use crate::ocm::{AppliedResource, ManifestWork};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn read<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// What a cluster serves; custom resources are not among it.
fn kinds(group: &str, _version: &str, kind: &str) -> Option<Mapping> {
    let (resource, namespaced) = match (group, kind) {
        ("", "Namespace") => ("namespaces", false),
        ("", "ConfigMap") => ("configmaps", true),
        ("", "Secret") => ("secrets", true),
        ("", "Service") => ("services", true),
        ("apps", "Deployment") => ("deployments", true),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            ("customresourcedefinitions", false)
        }
        _ => return None,
    };
    Some(Mapping {
        resource: resource.to_owned(),
        namespaced,
    })
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace, "name": name}})
}

fn config_map(name: &str) -> Value {
    object("v1", "ConfigMap", "n", name)
}

fn spec(manifests: Vec<Value>, more: Value) -> ManifestWorkSpec {
    let mut spec: ManifestWorkSpec = read(more);
    spec.workload.manifests = manifests;
    spec
}

fn manifests(all: Vec<Value>) -> Vec<Read> {
    read_all(&spec(all, json!({})), &kinds)
}

fn thing(resource: &str, name: &str) -> AppliedResource {
    AppliedResource {
        version: "v1".to_owned(),
        resource: resource.to_owned(),
        namespace: "n".to_owned(),
        name: name.to_owned(),
        uid: Some("u".to_owned()),
        ..AppliedResource::default()
    }
}
