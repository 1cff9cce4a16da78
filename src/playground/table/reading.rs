//! Reads an object's fields for its cells.

use crate::kubernetes::duration;
use serde_json::Value;

/// An object, read at some time.
pub(super) struct Reading<'a> {
    pub(super) object: &'a Value,
    pub(super) now: i64,
}

impl<'a> Reading<'a> {
    pub(super) fn at(&self, path: &str) -> Option<&'a Value> {
        self.object.pointer(path).filter(|value| !value.is_null())
    }
    pub(super) fn str(&self, path: &str) -> &'a str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }
    pub(super) fn text(&self, path: &str) -> Value {
        self.str(path).into()
    }
    pub(super) fn or(&self, path: &str, otherwise: &str) -> Value {
        match self.str(path) {
            "" => otherwise.into(),
            text => text.into(),
        }
    }
    pub(super) fn number(&self, path: &str) -> i64 {
        self.at(path).and_then(Value::as_i64).unwrap_or_default()
    }
    pub(super) fn array(&self, path: &str) -> &'a [Value] {
        self.at(path)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
    pub(super) fn size(&self, path: &str) -> usize {
        self.at(path)
            .and_then(Value::as_object)
            .map_or(0, serde_json::Map::len)
    }
    pub(super) fn since(&self, at: &str) -> String {
        match at.parse::<jiff::Timestamp>() {
            Ok(at) => duration::human(self.now - at.as_millisecond()),
            Err(_) => "<unknown>".into(),
        }
    }
    pub(super) fn age(&self) -> Value {
        self.since(self.str("/metadata/creationTimestamp")).into()
    }
    /// `a=b,c=d`, or `<none>`.
    pub(super) fn pairs(&self, path: &str) -> String {
        let pairs = self.at(path).and_then(Value::as_object);
        let pair = |(key, value): (&String, &Value)| {
            format!("{key}={}", value.as_str().unwrap_or_default())
        };
        match pairs {
            Some(pairs) if !pairs.is_empty() => {
                pairs.iter().map(pair).collect::<Vec<_>>().join(",")
            }
            _ => "<none>".into(),
        }
    }
    /// The names and images of the containers of a pod's spec.
    pub(super) fn containers(&self, spec: &str) -> [Value; 2] {
        let containers = self.array(&format!("{spec}/containers"));
        ["name", "image"].map(|field| {
            let values: Vec<&str> = containers
                .iter()
                .filter_map(|c| c[field].as_str())
                .collect();
            values.join(",").into()
        })
    }
    pub(super) fn condition(&self, kind: &str) -> Option<&'a str> {
        let found = self
            .array("/status/conditions")
            .iter()
            .find(|c| c["type"] == kind)?;
        found["status"].as_str()
    }
}
