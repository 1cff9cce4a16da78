//! Structural schemas, piece by piece.

use super::Fields;
use serde_json::{Value, json};

/// A label's key.
pub(super) const QUALIFIED_NAME: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
/// The name of an object.
pub(super) const SUBDOMAIN: &str =
    "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$";

/// A schema.
#[derive(Clone)]
pub(super) struct Schema(Fields);

impl Schema {
    pub(super) fn new(kind: &str) -> Self {
        Self(Fields::new()).with("type", kind)
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn about(self, text: &str) -> Self {
        self.with("description", text)
    }

    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    pub(super) fn required(self, names: &[&str]) -> Self {
        if names.is_empty() {
            return self;
        }
        self.with("required", json!(names))
    }

    pub(super) fn lengths(self, least: u32, most: u32) -> Self {
        self.with("minLength", least).with("maxLength", most)
    }

    pub(super) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

pub(super) fn object(fields: Vec<(&'static str, Schema)>) -> Schema {
    let fields: Fields = fields
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema.value()))
        .collect();
    Schema::new("object").with("properties", fields)
}

pub(super) fn string() -> Schema {
    Schema::new("string")
}

pub(super) fn pattern(pattern: &str) -> Schema {
    string().with("pattern", pattern)
}

pub(super) fn words(words: &[&str]) -> Schema {
    string().with("enum", json!(words))
}

pub(super) fn integer(format: &str) -> Schema {
    let schema = Schema::new("integer");
    if format.is_empty() {
        return schema;
    }
    schema.with("format", format)
}

pub(super) fn boolean() -> Schema {
    Schema::new("boolean")
}

pub(super) fn time() -> Schema {
    string().with("format", "date-time")
}

pub(super) fn list(of: Schema) -> Schema {
    Schema::new("array").with("items", of.value())
}

/// A list whose items are told apart by a field.
pub(super) fn keyed(keys: &[&str], of: Schema) -> Schema {
    list(of)
        .with("x-kubernetes-list-type", "map")
        .with("x-kubernetes-list-map-keys", json!(keys))
}

pub(super) fn map(of: Schema) -> Schema {
    Schema::new("object").with("additionalProperties", of.value())
}

pub(super) fn int_or_string(pattern: &str) -> Schema {
    Schema(Fields::new())
        .with("anyOf", json!([{"type": "integer"}, {"type": "string"}]))
        .with("x-kubernetes-int-or-string", true)
        .with("pattern", pattern)
}

/// `matchExpressions`.
pub(super) fn expressions() -> Schema {
    let values = list(string()).with("x-kubernetes-list-type", "atomic");
    let fields = vec![
        ("key", string()),
        ("operator", string()),
        ("values", values),
    ];
    list(object(fields).required(&["key", "operator"]))
}

/// A label selector.
pub(super) fn label_selector() -> Schema {
    let expressions = expressions().with("x-kubernetes-list-type", "atomic");
    object(vec![
        ("matchExpressions", expressions),
        ("matchLabels", map(string())),
    ])
    .with("x-kubernetes-map-type", "atomic")
}

/// A selector of claims.
pub(super) fn claim_selector() -> Schema {
    object(vec![("matchExpressions", expressions())])
}

fn condition() -> Schema {
    let reason = pattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$").lengths(1, 1024);
    let fields = vec![
        ("lastTransitionTime", time()),
        ("message", string().with("maxLength", 32768)),
        ("observedGeneration", integer("int64").with("minimum", 0)),
        ("reason", reason),
        ("status", words(&["True", "False", "Unknown"])),
        ("type", pattern(QUALIFIED_NAME).with("maxLength", 316)),
    ];
    let required = ["lastTransitionTime", "message", "reason", "status", "type"];
    object(fields).required(&required)
}

/// Conditions, told apart by their type.
pub(super) fn condition_list() -> Schema {
    keyed(&["type"], condition())
}
