//! What of an object's value is read here: its labels and its uid, and nothing after them.

use crate::protocol::selector::LabelSelector;
use bytes::Bytes;
use prost::Message;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Whether a value's labels are what a selector says. A value without readable metadata has no labels.
pub(super) fn is_selected(value: &Bytes, selector: &LabelSelector) -> bool {
    with_metadata(value, |metadata| {
        let labels = metadata.labels.unwrap_or_default();
        selector.matches(|key| labels.get(key).map(|value| &*value.0))
    })
}

/// The uid of the object: another one under the same name has another uid. Empty if it cannot be read.
pub(super) fn uid(value: &Bytes) -> String {
    with_metadata(value, |metadata| {
        metadata.uid.unwrap_or_default().0.into_owned()
    })
}

/// Reads the metadata of a value of the view `objects` (JSON) or `rows` (a message that cannot begin as JSON does).
fn with_metadata<T>(value: &Bytes, read: impl FnOnce(Metadata<'_>) -> T) -> T {
    if value.first() == Some(&b'{') {
        return read(of_object(value).unwrap_or_default());
    }
    let row = RowMetadata::decode(value.clone()).unwrap_or_default();
    read(serde_json::from_slice(&row.metadata).unwrap_or_default())
}

/// The one field of [`crate::protocol::rows::Row`] that is wanted: the cells are skipped.
#[derive(Clone, PartialEq, Message)]
struct RowMetadata {
    #[prost(bytes = "bytes", tag = "2")]
    metadata: Bytes,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    uid: Option<Text<'a>>,
    #[serde(borrow)]
    labels: Option<BTreeMap<Text<'a>, Text<'a>>>,
}

/// A JSON string, borrowed unless it has escapes.
#[derive(Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The metadata of an object. What stands after it, which is most of an object, is not read.
fn of_object(json: &[u8]) -> Option<Metadata<'_>> {
    let mut found = None;
    // It ends with an error as soon as the metadata is found: what is left over is no matter.
    let _ = UntilMetadata(&mut found).deserialize(&mut serde_json::Deserializer::from_slice(json));
    found
}

struct UntilMetadata<'f, 'a>(&'f mut Option<Metadata<'a>>);

impl<'de> DeserializeSeed<'de> for UntilMetadata<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for UntilMetadata<'_, 'de> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            if name == "metadata" {
                *self.0 = Some(map.next_value()?);
                return Err(A::Error::custom("that was all"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::rows::Row;
    use proptest::prelude::*;

    const METADATA: &str = r#"{"name":"web","uid":"u1","labels":{"app":"web","a\"b":"c"}}"#;

    fn object() -> Bytes {
        format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{METADATA},"spec":{{"x":[1]}}}}"#)
            .into()
    }

    fn row() -> Bytes {
        let row = Row {
            cells: vec![Default::default(); 3],
            metadata: METADATA.as_bytes().into(),
        };
        row.encode_to_vec().into()
    }

    fn selected(value: &Bytes, selector: &str) -> bool {
        is_selected(value, &LabelSelector::parse(selector).unwrap())
    }

    #[test]
    fn labels_and_uid_are_read_from_both_views() {
        for value in [object(), row()] {
            assert!(selected(&value, "app=web"));
            assert!(selected(&value, "app in (web,api),!tier"));
            assert!(!selected(&value, "app!=web"));
            assert_eq!(uid(&value), "u1");
        }
    }

    #[test]
    fn nothing_after_the_metadata_is_read() {
        let cut = format!(r#"{{"metadata":{METADATA},"spec":"#);
        assert!(selected(&cut.into(), "app=web"));
    }

    #[test]
    fn what_has_no_metadata_has_no_labels() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"metadata":null}"#,
            r#"{"metadata":{"labels":null}}"#,
        ] {
            let value = Bytes::from(text);
            assert!(selected(&value, "!app") && uid(&value).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_have_no_labels(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(!selected(&bytes.into(), "app=web"));
        }
    }
}
