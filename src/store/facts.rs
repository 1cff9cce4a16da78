//! What a value says of its object, as columns: read once, when it is written. Pure.

use super::text;
use crate::protocol::compress::shelve;
use crate::protocol::message::View;
use crate::protocol::rows::{Cell, Column, Row, part};
use bytes::Bytes;
use jiff::Timestamp;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What can be searched for, of one value. What cannot be read is absent: a value is stored whatever it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) uid: String,
    pub(super) created_ms: Option<i64>,
    /// A JSON object of texts; none if there are no labels.
    pub(super) labels: Option<String>,
    pub(super) owner_kind: Option<String>,
    pub(super) owner_name: Option<String>,
    pub(super) owner_uid: Option<String>,
    pub(super) phase: Option<String>,
    pub(super) ready: Option<bool>,
    pub(super) node: Option<String>,
    /// What a database can look into: the object, or a row's cells by their column's name.
    pub(super) json: Option<String>,
    /// The exact value, as it is kept.
    pub(super) shelved: Bytes,
}

impl Facts {
    /// Reads a value; `columns` name the cells of a row.
    pub(super) fn of(view: View, value: &Bytes, columns: &[Column]) -> Self {
        let facts = match view {
            View::Rows => Self::of_row(value, columns),
            View::Objects | View::Resources | View::Source | View::Work | View::Status => {
                Self::of_object(value)
            }
        };
        Self {
            shelved: shelve(value),
            ..facts
        }
    }

    fn of_object(value: &Bytes) -> Self {
        let Some(json) = text::json(value) else {
            return Self::default();
        };
        let facts = Self::of_json(&json);
        Self {
            json: Some(json.into_owned()),
            ..facts
        }
    }

    fn of_row(value: &Bytes, columns: &[Column]) -> Self {
        let row = Row::decode(value.clone()).unwrap_or_default();
        let mut cells = Map::new();
        for (column, cell) in columns.iter().zip(&row.cells) {
            cells.insert(text::clean(&column.name).into_owned(), cell_value(cell));
        }
        let metadata = text::json(&row.metadata).and_then(|json| {
            let metadata: Metadata<'_> = serde_json::from_str(&json).ok()?;
            Some(Self::default().with_metadata(metadata))
        });
        Self {
            json: Some(Value::Object(cells).to_string()),
            ..metadata.unwrap_or_default()
        }
    }

    fn of_json(json: &str) -> Self {
        let object: Object<'_> = serde_json::from_str(json).unwrap_or_default();
        let metadata = object.metadata.and_then(parsed);
        let facts = Self::default().with_metadata(metadata.unwrap_or_default());
        let spec: Spec<'_> = object.spec.and_then(parsed).unwrap_or_default();
        let status: Status<'_> = object.status.and_then(parsed).unwrap_or_default();
        let conditions: Vec<Condition<'_>> = status.conditions.and_then(parsed).unwrap_or_default();
        Self {
            phase: status.phase.and_then(string),
            node: spec.node_name.and_then(string),
            ready: ready(&conditions),
            ..facts
        }
    }

    fn with_metadata(self, metadata: Metadata<'_>) -> Self {
        let owners: Vec<Owner<'_>> = metadata
            .owner_references
            .and_then(parsed)
            .unwrap_or_default();
        let owner = owners.iter().find(|owner| owner.controller == Some(true));
        let owner = owner.or(owners.first());
        let of_owner = |read: fn(&Owner<'_>) -> Option<String>| owner.and_then(read);
        let labels: Option<BTreeMap<String, String>> = metadata.labels.and_then(parsed);
        let created = metadata.creation_timestamp.and_then(string);
        let created = created.and_then(|text| text.parse::<Timestamp>().ok());
        Self {
            uid: metadata.uid.and_then(string).unwrap_or_default(),
            created_ms: created.map(Timestamp::as_millisecond),
            labels: labels
                .filter(|labels| !labels.is_empty())
                .and_then(|labels| serde_json::to_string(&labels).ok()),
            owner_kind: of_owner(|owner| owner.kind.as_deref().map(str::to_owned)),
            owner_name: of_owner(|owner| owner.name.as_deref().map(str::to_owned)),
            owner_uid: of_owner(|owner| owner.uid.as_deref().map(str::to_owned)),
            ..self
        }
    }
}

/// Each level is read by itself: an odd status hides no labels.
#[derive(Default, Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    uid: Option<&'a RawValue>,
    #[serde(borrow)]
    creation_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    labels: Option<&'a RawValue>,
    #[serde(borrow)]
    owner_references: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Owner<'a> {
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    uid: Option<Cow<'a, str>>,
    controller: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    node_name: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    phase: Option<&'a RawValue>,
    #[serde(borrow)]
    conditions: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
}

fn parsed<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn string(raw: &RawValue) -> Option<String> {
    parsed(raw)
}

/// What its condition `Ready` says, else `Available`.
fn ready(conditions: &[Condition<'_>]) -> Option<bool> {
    let of = |kind: &str| {
        conditions
            .iter()
            .find(|condition| condition.kind.as_deref() == Some(kind))
    };
    let condition = of("Ready").or_else(|| of("Available"))?;
    Some(condition.status.as_deref() == Some("True"))
}

/// A cell as a value to compare: text, or a number (an instant is ms since 1970). `3 (5m ago)` is 3.
fn cell_value(cell: &Cell) -> Value {
    let value = |part: Option<&part::Part>| match part {
        Some(part::Part::Text(text)) => Value::from(text::clean(text)),
        Some(part::Part::SinceMs(ms)) => Value::from(*ms),
        Some(part::Part::Integer(number)) => Value::from(*number),
        Some(part::Part::Null(_)) | None => Value::Null,
    };
    let first = value(cell.parts.first().and_then(|part| part.part.as_ref()));
    match &first {
        Value::String(text) if cell.parts.len() > 1 => {
            let text = text.trim_end_matches([' ', '(']);
            text.parse::<i64>()
                .map_or_else(|_| Value::from(text), Value::from)
        }
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::compress::unshelve;
    use crate::protocol::rows::Part;
    use proptest::prelude::*;

    const METADATA: &str = r#"{"name":"web","uid":"u1","labels":{"app":"web"},"creationTimestamp":"1970-01-01T00:00:01Z","ownerReferences":[{"kind":"Node","name":"n","uid":"x"},{"kind":"ReplicaSet","name":"web-1","uid":"o","controller":true}]}"#;

    fn object(rest: &str) -> Facts {
        let json = format!(r#"{{"metadata":{METADATA}{rest}}}"#);
        Facts::of(View::Objects, &json.into(), &[])
    }

    fn cells(parts: Vec<part::Part>) -> Cell {
        let parts = parts
            .into_iter()
            .map(|part| Part { part: Some(part) })
            .collect();
        Cell { parts }
    }

    #[test]
    fn an_object_says_who_owns_it_and_how_it_is() {
        let facts = object(
            r#","spec":{"nodeName":"n1"},"status":{"phase":"Running","conditions":[{"type":"Available","status":"False"},{"type":"Ready","status":"True"}]}"#,
        );
        assert_eq!((&*facts.uid, facts.created_ms), ("u1", Some(1000)));
        assert_eq!(facts.labels.as_deref(), Some(r#"{"app":"web"}"#));
        assert_eq!(facts.owner_name.as_deref(), Some("web-1"));
        assert_eq!(facts.phase.as_deref(), Some("Running"));
        assert_eq!(facts.node.as_deref(), Some("n1"));
        assert_eq!(facts.ready, Some(true));
    }

    #[test]
    fn an_odd_status_hides_no_labels() {
        let facts = object(r#","spec":[],"status":{"phase":7,"conditions":{}}"#);
        assert_eq!(facts.labels.as_deref(), Some(r#"{"app":"web"}"#));
        assert_eq!((facts.phase, facts.node, facts.ready), (None, None, None));
    }

    #[test]
    fn a_row_is_known_by_its_columns() {
        let column = |name: &str| Column {
            name: name.into(),
            ..Column::default()
        };
        let row = Row {
            cells: vec![
                cells(vec![part::Part::Text("web\0".into())]),
                cells(vec![
                    part::Part::Text("3 (".into()),
                    part::Part::SinceMs(7),
                    part::Part::Text(" ago)".into()),
                ]),
                cells(vec![part::Part::SinceMs(7)]),
                cells(vec![]),
            ],
            metadata: METADATA.as_bytes().into(),
        };
        let columns = ["Name", "Restarts", "Age", "Node"].map(column);
        let value: Bytes = row.encode_to_vec().into();
        let facts = Facts::of(View::Rows, &value, &columns);
        assert_eq!(
            facts.json.as_deref(),
            Some(r#"{"Age":7,"Name":"web�","Node":null,"Restarts":3}"#)
        );
        assert_eq!(
            (&*facts.uid, unshelve(&facts.shelved, 1000)),
            ("u1", Ok(value))
        );
    }

    proptest! {
        #[test]
        fn hostile_values_are_kept_as_they_are(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let value = Bytes::from(bytes);
            for view in [View::Rows, View::Objects] {
                let facts = Facts::of(view, &value, &[]);
                let found = unshelve(&facts.shelved, 60);
                prop_assert_eq!(found.as_ref(), Ok(&value));
            }
        }
    }
}
