//! One object's row.

use super::{Cell, Malformed};
use bytes::Bytes;
use mqtt_informer::protocol::rows;
use prost::Message;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One object as a table shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// In the order of the resource's columns.
    pub cells: Vec<Cell>,
    /// Whose row it is.
    pub metadata: Metadata,
}

/// What tables need of an object's metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Its namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Tells it from another object that had the name before.
    pub uid: String,
}

impl Row {
    /// Reads a value of the view `rows`.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn from_value(bytes: &Bytes) -> Result<Self, Malformed> {
        let row = rows::Row::decode(bytes.clone()).map_err(|_| Malformed)?;
        Ok(Self {
            metadata: serde_json::from_slice(&row.metadata).map_err(|_| Malformed)?,
            cells: row.cells.into_iter().map(Cell::from).collect(),
        })
    }
}

/// The bytes of a value's metadata, and no cell looked into; empty where there is none.
pub fn metadata_bytes(value: &[u8]) -> &[u8] {
    let mut rest = value;
    while let Some((tag, field)) = next_field(&mut rest) {
        if tag == METADATA {
            return field;
        }
    }
    &[]
}

/// Takes the next field off, with its tag.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (tag, mut bytes) = rest.split_first()?;
    if ![CELL, METADATA].contains(tag) {
        return None;
    }
    let len = prost::encoding::decode_varint(&mut bytes).ok()?;
    let (field, after) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    *rest = after;
    Some((*tag, field))
}

/// The tags of a row's fields, 1 and 2, that have a length before them.
const CELL: u8 = 1 << 3 | 2;
const METADATA: u8 = 2 << 3 | 2;

impl Metadata {
    /// `app=web,tier=front`, as `--show-labels` prints them.
    pub fn labels_text(&self) -> String {
        if self.labels.is_empty() {
            return "<none>".to_owned();
        }
        let pairs: Vec<_> = self
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_is_cells_and_metadata() {
        let metadata = br#"{"name":"web","namespace":"shop","uid":"u","labels":{"b":"2","a":"1"},"extra":[1]}"#;
        let wire = rows::Row {
            cells: vec![rows::Cell::default()],
            metadata: metadata.as_slice().into(),
        };
        let row = Row::from_value(&wire.encode_to_vec().into()).unwrap();
        assert_eq!(
            (row.metadata.namespace.as_str(), row.cells.len()),
            ("shop", 1)
        );
        assert_eq!(row.metadata.labels_text(), "a=1,b=2");
        assert_eq!(Metadata::default().labels_text(), "<none>");
    }

    proptest! {
        #[test]
        fn metadata_is_found_behind_any_cells(texts in prop::collection::vec("[a-z]{0,200}", 0..4)) {
            let part = |text: &String| rows::Part { part: Some(rows::part::Part::Text(text.clone())) };
            let cells = texts.iter().map(|text| rows::Cell { parts: vec![part(text)] });
            let wire = rows::Row { cells: cells.collect(), metadata: br#"{"name":"web"}"#.as_slice().into() };
            let value: Bytes = wire.encode_to_vec().into();
            prop_assert_eq!(metadata_bytes(&value), br#"{"name":"web"}"#.as_slice());
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Row::from_value(&bytes.clone().into());
            let _ = metadata_bytes(&bytes);
            let _ = super::super::Resource::from_header(&bytes);
        }
    }
}
