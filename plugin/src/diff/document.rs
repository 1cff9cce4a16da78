//! Differences for scripts.
//!
//! ```json
//! {"clusters": ["east", "west"],
//!  "differences": [{
//!    "resource": "deployments.apps", "kind": "deployment.apps", "namespace": "shop", "name": "web",
//!    "missing": [],
//!    "versions": [{"clusters": ["east"]}, {"clusters": ["west"]}],
//!    "fields": [{"path": ".spec.replicas", "values": [
//!      {"clusters": ["east"], "value": 3}, {"clusters": ["west"], "value": 5}]}]}]}
//! ```
//!
//! A field that a version does not have is without `value`.

use super::{Difference, Version};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::{Map, Value, json};

/// All differences between these clusters.
pub fn of(clusters: &[ClusterName], differences: &[Difference]) -> Value {
    json!({
        "clusters": names(clusters),
        "differences": differences.iter().map(difference).collect::<Vec<_>>(),
    })
}

fn difference(it: &Difference) -> Value {
    let fields = it.fields.iter().map(|field| {
        let values = field.values.iter().zip(&it.versions);
        let values = values.map(|(value, version)| held(version, value.as_ref()));
        json!({ "path": field.path, "values": values.collect::<Vec<_>>() })
    });
    json!({
        "resource": it.identity.resource,
        "kind": it.kind,
        "namespace": it.identity.namespace,
        "name": it.identity.name,
        "missing": names(&it.missing),
        "versions": it.versions.iter().map(|version| held(version, None)).collect::<Vec<_>>(),
        "fields": fields.collect::<Vec<_>>(),
    })
}

fn held(version: &Version, value: Option<&Value>) -> Value {
    let mut held = Map::new();
    held.insert("clusters".to_owned(), names(&version.clusters));
    if let Some(value) = value {
        held.insert("value".to_owned(), value.clone());
    }
    held.into()
}

fn names(clusters: &[ClusterName]) -> Value {
    clusters
        .iter()
        .map(|name| Value::from(name.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::{compared, names as clusters, web};

    #[test]
    fn a_field_has_a_value_for_each_version() {
        let of_two = [("east", Some(web("a", 3))), ("west", Some(web("a", 5)))];
        let document = of(&clusters(&["east", "west"]), &compared(&of_two));
        assert_eq!(
            document["differences"][0]["fields"],
            json!([{"path": ".spec.replicas", "values": [
                {"clusters": ["east"], "value": 3},
                {"clusters": ["west"], "value": 5},
            ]}])
        );
        assert_eq!(document["clusters"], json!(["east", "west"]));
    }
}
