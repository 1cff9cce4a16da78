//! An object as an answer shows it. Pure.

use super::kinds::{Known, qualified};
use super::path::FieldPath;
use crate::controlplane::client::Encoded;
use crate::kubernetes::duration::human;
use crate::protocol::rows::{Cell, Column, Row, part::Part};
use crate::store::Stored;
use bytes::Bytes;
use jiff::Timestamp;
use prost::Message;
use serde_json::{Map, Value, json};

/// How much of an object is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    /// These fields instead of what is usually said.
    pub(super) fields: &'a [FieldPath],
    /// The whole object too.
    pub(super) object: bool,
    /// The row as it is, too.
    pub(super) row: bool,
    /// The moment that ages are counted to.
    pub(super) now: Timestamp,
}

/// The object of a stored value; null if it is none.
pub(super) fn object(stored: &Stored) -> Value {
    serde_json::from_slice(&stored.value).unwrap_or_default()
}

/// Which object: what every answer says of it.
pub(super) fn identity(stored: &Stored, known: Option<&Known>) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("cluster".into(), stored.key.cluster.as_str().into());
    item.insert("resource".into(), qualified(&stored.key.resource).into());
    item.insert("kind".into(), known.map(|it| it.header.kind.clone()).into());
    item.insert("apiVersion".into(), known.map(Known::api_version).into());
    item.insert("namespace".into(), stored.key.namespace.clone().into());
    item.insert("name".into(), stored.key.name.clone().into());
    item.insert("resourceVersion".into(), stored.seq.to_string().into());
    item
}

/// An item of a list.
pub(super) fn item(
    stored: &Stored,
    row: Option<&Bytes>,
    known: Option<&Known>,
    shape: Shape<'_>,
) -> Value {
    let whole = object(stored);
    let mut item = identity(stored, known);
    // What the object says of itself wins: a header may not have come yet.
    for name in ["kind", "apiVersion"] {
        if let Some(Value::String(text)) = whole.get(name) {
            item.insert(name.into(), text.clone().into());
        }
    }
    if shape.fields.is_empty() {
        about(&mut item, &whole, stored);
        if let Some(row) = row.and_then(|row| Row::decode(row.clone()).ok()) {
            let cells = row.cells.iter().map(|cell| cell_text(cell, shape.now));
            item.insert("cells".into(), cells.collect());
        }
    } else {
        let fields = shape
            .fields
            .iter()
            .map(|path| (path.to_string(), path.one(&whole).unwrap_or_default()));
        item.insert("fields".into(), Value::Object(fields.collect()));
    }
    if let Some(row) = row.filter(|_| shape.row) {
        item.insert("row".into(), Encoded::print(row).into());
    }
    if shape.object {
        item.insert("object".into(), whole);
    }
    Value::Object(item)
}

fn about(item: &mut Map<String, Value>, whole: &Value, stored: &Stored) {
    let metadata = &whole["metadata"];
    let labels = metadata.get("labels").filter(|labels| labels.is_object());
    item.insert("uid".into(), stored.uid.clone().into());
    item.insert("created".into(), metadata["creationTimestamp"].clone());
    item.insert(
        "labels".into(),
        labels.cloned().unwrap_or_else(|| json!({})),
    );
    item.insert("owner".into(), owner(metadata));
    item.insert("phase".into(), whole["status"]["phase"].clone());
    item.insert("ready".into(), ready(whole));
    item.insert("firstSeen".into(), stored.first_seen.to_string().into());
    item.insert("changed".into(), stored.changed.to_string().into());
    item.insert(
        "clusterResourceVersion".into(),
        metadata["resourceVersion"].clone(),
    );
}

fn owner(metadata: &Value) -> Value {
    let none = Vec::new();
    let owners = metadata["ownerReferences"].as_array().unwrap_or(&none);
    let controller = owners.iter().find(|owner| owner["controller"] == true);
    match controller.or(owners.first()) {
        Some(owner) => json!({"kind": owner["kind"], "name": owner["name"]}),
        None => Value::Null,
    }
}

/// What its condition `Ready` says, else `Available`.
fn ready(whole: &Value) -> Value {
    let none = Vec::new();
    let conditions = whole["status"]["conditions"].as_array().unwrap_or(&none);
    let of = |kind: &str| {
        conditions
            .iter()
            .find(|condition| condition["type"] == kind)
    };
    match of("Ready").or_else(|| of("Available")) {
        Some(condition) => (condition["status"] == "True").into(),
        None => Value::Null,
    }
}

/// A cell as kubectl prints it at that moment.
fn cell_text(cell: &Cell, now: Timestamp) -> Value {
    let text = |part: &Option<Part>| match part {
        Some(Part::Text(text)) => text.clone(),
        Some(Part::Integer(number)) => number.to_string(),
        Some(Part::SinceMs(at)) => human(now.as_millisecond().saturating_sub(*at)),
        Some(Part::Null(_)) | None => String::new(),
    };
    cell.parts
        .iter()
        .map(|part| text(&part.part))
        .collect::<String>()
        .into()
}

/// The columns that cells are of, as the API server's Table defines them.
pub(super) fn columns(columns: &[Column]) -> Value {
    let one = |column: &Column| json!({"name": column.name, "type": column.r#type, "format": column.format, "priority": column.priority});
    columns.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::View;
    use crate::protocol::names::ClusterName;
    use crate::protocol::rows;
    use crate::store::{GroupResource, ObjectKey};

    fn stored(value: &str) -> Stored {
        Stored {
            key: ObjectKey {
                cluster: ClusterName::new("c").unwrap(),
                resource: GroupResource {
                    group: String::new(),
                    plural: "pods".into(),
                },
                view: View::Objects,
                namespace: "shop".into(),
                name: "web".into(),
            },
            seq: 7,
            uid: "u".into(),
            value: Bytes::copy_from_slice(value.as_bytes()),
            first_seen: Timestamp::default(),
            changed: Timestamp::default(),
            deleted: false,
        }
    }

    fn shape(fields: &[FieldPath]) -> Shape<'_> {
        Shape {
            fields,
            object: false,
            row: false,
            now: Timestamp::from_second(100).unwrap(),
        }
    }

    #[test]
    fn an_item_says_what_matters() {
        let stored = stored(
            r#"{"kind":"Pod","metadata":{"labels":{"a":"b"},"resourceVersion":"99","ownerReferences":[{"kind":"Node","name":"n"},
            {"kind":"ReplicaSet","name":"r","controller":true}]},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}]}}"#,
        );
        let row = Row {
            cells: vec![Cell {
                parts: vec![
                    rows::Part {
                        part: Some(Part::Text("3 (".into())),
                    },
                    rows::Part {
                        part: Some(Part::SinceMs(40_000)),
                    },
                    rows::Part {
                        part: Some(Part::Text(" ago)".into())),
                    },
                ],
            }],
            metadata: Bytes::new(),
        };
        let row = Bytes::from(row.encode_to_vec());
        let it = item(&stored, Some(&row), None, shape(&[]));
        assert_eq!(it["cells"], json!(["3 (60s ago)"]));
        assert_eq!(
            (&it["phase"], &it["ready"], &it["kind"]),
            (&json!("Running"), &json!(false), &json!("Pod"))
        );
        assert_eq!(it["owner"], json!({"kind": "ReplicaSet", "name": "r"}));
        assert_eq!(
            (&it["resourceVersion"], &it["clusterResourceVersion"]),
            (&json!("7"), &json!("99"))
        );
        let paths = [
            FieldPath::parse(".status.phase").unwrap(),
            FieldPath::parse(".x").unwrap(),
        ];
        let it = item(&stored, None, None, shape(&paths));
        assert_eq!(
            it["fields"],
            json!({".status.phase": "Running", ".x": null})
        );
        assert!(it.get("labels").is_none() && it["name"] == "web");
    }

    #[test]
    fn what_is_no_object_is_shown_by_its_name() {
        for value in ["", "[]", "7", "{\"metadata\":7,\"status\":[1]}", "\u{0}"] {
            let it = item(
                &stored(value),
                Some(&Bytes::from_static(b"\xff\xff")),
                None,
                shape(&[]),
            );
            assert_eq!(
                (&it["name"], &it["owner"], &it["labels"]),
                (&json!("web"), &Value::Null, &json!({})),
                "{value}"
            );
        }
    }
}
