//! What changed from one state of an object to the next, in paths. Pure.

use super::path::{FieldPath, Step};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// So many paths are told of one change.
pub(super) const MOST: usize = 50;
/// A value is told up to so many characters.
const LONGEST: usize = 200;

/// One field that changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    path: FieldPath,
    before: Option<Value>,
    after: Option<Value>,
}

impl Difference {
    /// `values`: say them too; those of Secrets are not for everybody who looks over a shoulder.
    pub(super) fn json(&self, values: bool) -> Value {
        let mut json = json!({"path": self.path.to_string()});
        for (name, value) in [("from", &self.before), ("to", &self.after)] {
            if let Some(value) = value.as_ref().filter(|_| values) {
                json[name] = short(value);
            }
        }
        json
    }
}

/// Texts that are too long, and what is nested, as far as one line of a table needs it.
fn short(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
        other => return other.clone(),
    };
    let mut short: String = text.chars().take(LONGEST).collect();
    match (short.len() < text.len(), value) {
        (true, _) => short.push('…'),
        (false, Value::String(_)) => {}
        (false, whole) => return whole.clone(),
    }
    short.into()
}

/// The fields that differ, the deepest that do; without what changes with every change.
pub(super) fn between(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut way = Vec::new();
    compare(&mut way, Some(before), Some(after), &mut found);
    found
}

fn is_noise(way: &[Step]) -> bool {
    let name = |step: Option<&Step>| match step {
        Some(Step::Field(name)) => name.clone(),
        _ => String::new(),
    };
    way.len() == 2
        && name(way.first()) == "metadata"
        && matches!(&*name(way.get(1)), "resourceVersion" | "managedFields")
}

fn compare(
    way: &mut Vec<Step>,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    if before == after || is_noise(way) {
        return;
    }
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                way.push(Step::Field(name.clone()));
                compare(way, one.get(name), other.get(name), found);
                way.pop();
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for at in 0..one.len().max(other.len()) {
                way.push(Step::Index(at));
                compare(way, one.get(at), other.get(at), found);
                way.pop();
            }
        }
        (before, after) => found.push(Difference {
            path: FieldPath(way.clone()),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_deepest_fields_that_differ_are_told() {
        let before = json!({"metadata": {"resourceVersion": "1", "labels": {"a.b": "x"}}, "spec": {"c": [{"i": 1}, {"i": 2}]}});
        let after = json!({"metadata": {"resourceVersion": "2", "labels": {}}, "spec": {"c": [{"i": 1}, {"i": 3}, {"i": 4}], "n": "y".repeat(300)}});
        let told: Vec<_> = between(&before, &after)
            .iter()
            .map(|it| it.json(true))
            .collect();
        assert_eq!(
            told[0],
            json!({"path": ".metadata.labels[\"a.b\"]", "from": "x"})
        );
        assert_eq!(told[1], json!({"path": ".spec.c[1].i", "from": 2, "to": 3}));
        assert_eq!(told[2], json!({"path": ".spec.c[2]", "to": {"i": 4}}));
        assert_eq!(told[3]["to"].as_str().unwrap().chars().count(), 201);
        assert_eq!(told.len(), 4);
        assert_eq!(
            between(&before, &after)[0].json(false),
            json!({"path": ".metadata.labels[\"a.b\"]"})
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 20, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_is_told_of_equals_and_something_of_others(one in value(), other in value()) {
            prop_assert!(between(&one, &one).is_empty());
            prop_assert_eq!(between(&one, &other).is_empty(), one == other);
        }
    }
}
