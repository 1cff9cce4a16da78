//! One object of each kind with every field in it: types and schemas have the same ones.

use super::*;

const FULL: &str = include_str!("full.yaml");

fn objects() -> Vec<Value> {
    yaml(FULL).as_array().unwrap().clone()
}

/// Every field of the schema is in the object, and every field of the object in the schema.
fn same_fields(schema: &Value, object: &Value, path: &str) {
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    match object {
        Value::Object(map) if schema.get("properties").is_some() => {
            let fields = schema["properties"].as_object().unwrap();
            let only: Vec<_> = fields.keys().filter(|it| !map.contains_key(*it)).collect();
            assert!(only.is_empty(), "{path}: in the schema only: {only:?}");
            for (name, value) in map {
                let field = fields
                    .get(name)
                    .unwrap_or_else(|| panic!("{path}.{name} is not in the schema"));
                if name != "metadata" || path.contains('.') {
                    same_fields(field, value, &format!("{path}.{name}"));
                }
            }
        }
        Value::Object(map) => {
            let of = &schema["additionalProperties"];
            assert!(of.is_object(), "{path} is no map");
            map.values()
                .for_each(|it| same_fields(of, it, &format!("{path}{{}}")));
        }
        Value::Array(items) => {
            assert!(!items.is_empty(), "{path} has no item to look at");
            items
                .iter()
                .for_each(|it| same_fields(&schema["items"], it, &format!("{path}[]")));
        }
        other => simple(schema, other, path),
    }
}

fn simple(schema: &Value, value: &Value, path: &str) {
    if schema["x-kubernetes-int-or-string"] == true {
        return assert!(value.is_string() || value.is_i64(), "{path}");
    }
    let kind = match value {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        _ => "nothing",
    };
    assert_eq!(schema["type"], kind, "{path}");
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{path}: {value}");
    }
}

#[test]
fn types_and_schemas_have_the_same_fields() {
    let all = objects();
    assert_eq!(all.len(), definitions().len());
    for object in all {
        let kind = object["kind"].as_str().unwrap();
        same_fields(&schema_of(kind), &object, kind);
        let sent = through_its_type(&object);
        assert!(holds(&sent, &object), "{kind} loses a field: {sent}");
        assert!(holds(&object, &sent), "{kind} adds a field: {sent}");
    }
}

#[test]
fn defaults_and_words_are_those_of_the_schemas() {
    for (kind, path, default) in [
        ("Placement", "sortBy", "ClusterName"),
        ("Placement", "scoreRateLimit", "1m"),
    ] {
        let schema = schema_of(kind);
        assert_eq!(
            schema["properties"]["spec"]["properties"][path]["default"],
            default
        );
    }
    let nothing: Placement = serde_json::from_value(serde_json::json!({})).unwrap();
    assert_eq!(nothing.spec.sort_by.as_str(), "ClusterName");
    assert_eq!(nothing.spec.prioritizer_policy.mode.as_str(), "Additive");
}

#[test]
fn a_word_from_tomorrow_is_kept() {
    let text = yaml(
        "{kind: Placement, apiVersion: cluster.open-cluster-management.io/v1beta1, spec: {sortBy: Moon}}",
    );
    assert_eq!(through_its_type(&text)["spec"]["sortBy"], "Moon");
}
