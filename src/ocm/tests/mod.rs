//! The types against the schemas, and both against what OCM's documentation shows.

mod documented;
mod full;
mod structural;

use super::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// What a type makes of a text, as it would be sent.
fn through<K>(text: &Value) -> Value
where
    K: k8s_openapi::Resource + Serialize + DeserializeOwned,
{
    let read: K = serde_json::from_value(text.clone()).unwrap();
    document(&read).unwrap()
}

/// Through the type of its kind.
fn through_its_type(text: &Value) -> Value {
    match text["kind"].as_str().unwrap() {
        "ManagedCluster" => through::<ManagedCluster>(text),
        "ManagedClusterSet" => through::<ManagedClusterSet>(text),
        "ManagedClusterSetBinding" => through::<ManagedClusterSetBinding>(text),
        "Placement" => through::<Placement>(text),
        "PlacementDecision" => through::<PlacementDecision>(text),
        "ManifestWork" => through::<ManifestWork>(text),
        "AppliedManifestWork" => through::<AppliedManifestWork>(text),
        "ManifestWorkReplicaSet" => through::<ManifestWorkReplicaSet>(text),
        other => panic!("no type for {other}"),
    }
}

fn definitions() -> Vec<Value> {
    let mut all = crd::of_the_hub();
    all.extend(crd::of_the_agent());
    all
}

/// The schema of a kind.
fn schema_of(kind: &str) -> Value {
    let all = definitions();
    let found = all.iter().find(|it| it["spec"]["names"]["kind"] == kind);
    found.unwrap()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// Whether all that is in `part` is in `whole`.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part))),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(w, p)| holds(w, p))
        }
        (Value::Number(whole), Value::Number(part)) => whole.as_f64() == part.as_f64(),
        _ => whole == part,
    }
}
