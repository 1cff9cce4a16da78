//! That our definitions are structural schemas, as `apiextensions.k8s.io/v1` asks.

use super::*;

const FORBIDDEN: &[&str] = &[
    "$ref",
    "definitions",
    "dependencies",
    "deprecated",
    "discriminator",
    "id",
    "patternProperties",
    "readOnly",
    "writeOnly",
    "xml",
    "uniqueItems",
];

fn check(schema: &Value, path: &str, root: bool) {
    let map = schema.as_object().unwrap_or_else(|| panic!("{path}"));
    for key in FORBIDDEN {
        assert!(!map.contains_key(*key), "{path} has {key}");
    }
    let either = schema["x-kubernetes-int-or-string"] == true;
    assert_eq!(map.contains_key("type"), !either, "{path}: type");
    assert!(
        !(map.contains_key("properties") && map.contains_key("additionalProperties")),
        "{path}: both"
    );
    if schema["x-kubernetes-embedded-resource"] == true {
        assert!(!root && schema["type"] == "object", "{path}");
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for name in &required {
        assert!(
            schema["properties"].get(name.as_str().unwrap()).is_some(),
            "{path} requires {name}"
        );
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        check(field, &format!("{path}.{name}"), false);
    }
    if let Some(items) = map.get("items") {
        check(items, &format!("{path}[]"), false);
    }
    if let Some(of) = map.get("additionalProperties") {
        check(of, &format!("{path}{{}}"), false);
    }
    if schema["type"] == "array" {
        check_keys(schema, path);
    }
}

/// What tells the items of a list apart must be there, or have a default.
fn check_keys(schema: &Value, path: &str) {
    assert!(schema.get("items").is_some(), "{path}: items");
    let keys = schema["x-kubernetes-list-map-keys"].as_array();
    assert_eq!(
        keys.is_some(),
        schema["x-kubernetes-list-type"] == "map",
        "{path}"
    );
    for key in keys.into_iter().flatten() {
        let items = &schema["items"];
        let required = items["required"].as_array().unwrap();
        let field = &items["properties"][key.as_str().unwrap()];
        assert!(
            required.contains(key) || field.get("default").is_some(),
            "{path}: {key}"
        );
        assert_eq!(field["type"], "string", "{path}: {key}");
    }
}

#[test]
fn all_definitions_are_structural() {
    let all = definitions();
    assert_eq!(all.len(), 8);
    for definition in &all {
        let spec = &definition["spec"];
        let (group, names) = (spec["group"].as_str().unwrap(), &spec["names"]);
        let plural = names["plural"].as_str().unwrap();
        assert_eq!(definition["metadata"]["name"], format!("{plural}.{group}"));
        assert_eq!(plural, plural.to_lowercase());
        let version = &spec["versions"][0];
        assert_eq!(version["subresources"], serde_json::json!({"status": {}}));
        let schema = &version["schema"]["openAPIV3Schema"];
        assert_eq!(schema["type"], "object");
        assert_eq!(
            schema["properties"]["metadata"],
            serde_json::json!({"type": "object"}),
            "a schema may restrict names at most"
        );
        check(schema, plural, true);
        let typed: k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition =
            serde_json::from_value(definition.clone()).unwrap();
        let again = serde_json::to_value(&typed).unwrap();
        assert!(
            holds(&again, definition),
            "{plural}: a field that no definition has"
        );
    }
}

#[test]
fn the_check_finds_what_is_not_structural() {
    let bad = [
        serde_json::json!({"properties": {}}),
        serde_json::json!({"type": "object", "properties": {}, "additionalProperties": {"type": "string"}}),
        serde_json::json!({"type": "array"}),
        serde_json::json!({"type": "object", "required": ["missing"]}),
    ];
    for schema in bad {
        assert!(std::panic::catch_unwind(|| check(&schema, "", true)).is_err());
    }
}
