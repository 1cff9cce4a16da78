//! From what the API server says about one collection to the entries of one stream.

use super::failure::Failure;
use super::json::{self, ListMetadata, Members, Metadata, Text};
use super::object::Objects;
use super::table::Rows;
use crate::protocol::rows::Header;
use crate::source::Resolved;
use bytes::Bytes;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::ControlFlow;

/// A key and its value.
pub(super) type Entry = (Bytes, Bytes);

/// Why an answer cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    /// It is no JSON, or its shape is another.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A good answer that is no list. Taken for an empty one it would delete everything.
    #[error("the answer is no list")]
    NoList,
    /// An object without metadata.
    #[error("an object has no metadata")]
    NoMetadata,
}

/// What a watch's line means for the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The key has this value, as of that resourceVersion.
    Put(Entry, String),
    /// The key is gone, as of that resourceVersion.
    Delete(Bytes, String),
    /// Nothing changed up to that resourceVersion.
    Bookmark(String),
    /// The stream's header changed: everything has to be listed anew.
    Relist,
    /// The server ended the watch with an error.
    Error(Failure),
    /// A kind of event that we do not know.
    Nothing,
}

/// How one stream's answers are read.
#[derive(Debug)]
pub(super) enum Projection {
    /// View `rows`.
    Rows(Box<Rows>),
    /// View `objects`.
    Objects(Objects),
}

impl Projection {
    /// For a selection of the view `rows` or `objects`.
    pub(super) fn new(selection: &Resolved, show_secrets: bool) -> Self {
        match selection.view {
            crate::protocol::message::View::Objects => {
                Self::Objects(Objects::new(selection, show_secrets))
            }
            _ => Self::Rows(Box::new(Rows::new(selection))),
        }
    }

    /// The media type to ask for.
    pub(super) fn accept(&self) -> &'static str {
        match self {
            Self::Rows(_) => "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
            Self::Objects(_) => super::client::JSON,
        }
    }

    /// The query parameters that the view needs.
    pub(super) fn parameters(&self) -> &'static str {
        match self {
            Self::Rows(rows) => rows.parameters(),
            Self::Objects(_) => "",
        }
    }

    /// Forgets what was true of the list before.
    pub(super) fn start_list(&mut self) {
        if let Self::Rows(rows) = self {
            rows.start_list();
        }
    }

    /// Reads the entries of a page; `now` is the API server's clock.
    pub(super) fn page(&mut self, body: &[u8], now: i64) -> Result<Vec<Entry>, Malformed> {
        match self {
            Self::Rows(rows) => rows.page(body, now),
            Self::Objects(objects) => {
                let list: List<'_> = serde_json::from_slice(body)?;
                let items = list.items.unwrap_or_default().into_iter();
                items.map(|item| objects.entry(item)).collect()
            }
        }
    }

    /// The header's entry, once a list is read: under the empty key.
    pub(super) fn header(&self, selection: &Resolved, singular: &str) -> Entry {
        let columns = match self {
            Self::Rows(rows) => rows.columns(),
            Self::Objects(_) => Vec::new(),
        };
        let header = Header {
            group: selection.group.clone(),
            version: selection.version.clone(),
            plural: selection.plural.clone(),
            singular: singular.into(),
            kind: selection.kind.clone(),
            namespaced: selection.namespaced,
            columns,
        };
        (Bytes::new(), header.encode_to_vec().into())
    }

    /// Reads a line of a watch.
    pub(super) fn line(&mut self, line: &[u8], now: i64) -> Result<Change, Malformed> {
        let event: WatchEvent<'_> = serde_json::from_slice(line)?;
        match (&*event.kind, self) {
            ("ERROR", _) => Ok(Change::Error(Failure::of_error_event(event.object.get()))),
            (_, Self::Rows(rows)) => rows.event(&event.kind, event.object, now),
            ("ADDED" | "MODIFIED", Self::Objects(objects)) => Ok(Change::Put(
                objects.entry(Members::of(event.object)?)?,
                resource_version(event.object)?,
            )),
            ("DELETED", Self::Objects(_)) => {
                let metadata = read_metadata(event.object)?;
                let key = metadata.key();
                let version = metadata.resource_version.map(|v| v.to_string());
                Ok(Change::Delete(key, version.unwrap_or_default()))
            }
            ("BOOKMARK", Self::Objects(_)) => Ok(Change::Bookmark(resource_version(event.object)?)),
            _ => Ok(Change::Nothing),
        }
    }
}

/// Where a page stands, read before its items: so that the next one can be asked for.
pub(super) fn head(body: &[u8]) -> Result<ListMetadata, Malformed> {
    let (mut kind, mut metadata) = (None, None);
    json::members_until(body, |name, value| {
        match name {
            "kind" => kind = Some(value),
            "metadata" => metadata = Some(value),
            _ => {}
        }
        match (kind, metadata) {
            (Some(_), Some(_)) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })?;
    let kind = kind.map(Text::deserialize).transpose()?.unwrap_or_default();
    if &*kind != "Table" && !kind.ends_with("List") {
        return Err(Malformed::NoList);
    }
    Ok(metadata
        .map(ListMetadata::deserialize)
        .transpose()?
        .unwrap_or_default())
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    items: Option<Vec<Members<'a>>>,
}

#[derive(Deserialize)]
struct WatchEvent<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    object: &'a RawValue,
}

fn resource_version(object: &RawValue) -> Result<String, Malformed> {
    let version = read_metadata(object)?.resource_version;
    Ok(version.map(|v| v.to_string()).unwrap_or_default())
}

/// The metadata of an object.
pub(super) fn read_metadata(object: &RawValue) -> Result<Metadata<'_>, Malformed> {
    let mut metadata = None;
    json::members_until(object.get().as_bytes(), |name, value| match name {
        "metadata" => {
            metadata = Some(value);
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })?;
    Ok(Metadata::deserialize(
        metadata.ok_or(Malformed::NoMetadata)?,
    )?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::protocol::message::View;

    /// All pods.
    pub(in crate::kubernetes) fn pods() -> Resolved {
        Resolved {
            group: String::new(),
            version: "v1".into(),
            plural: "pods".into(),
            kind: "Pod".into(),
            namespaced: true,
            watchable: true,
            namespace: String::new(),
            labels: String::new(),
            fields: String::new(),
            view: View::Objects,
            managed_fields: false,
            secret_values: false,
        }
    }

    fn objects() -> Projection {
        Projection::new(&pods(), false)
    }

    #[test]
    fn lists_of_objects_are_read() {
        let body = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"10","continue":"tok","remainingItemCount":3},
            "items":[{"metadata":{"name":"a","namespace":"x"}}]}"#;
        let head = head(body).unwrap();
        assert_eq!((&*head.resource_version, &*head.next), ("10", "tok"));
        assert_eq!(objects().page(body, 0).unwrap()[0].0, "x/a");
        assert!(
            objects()
                .page(br#"{"kind":"PodList","items":null}"#, 0)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        for body in ["", "<html>", "{}", "[]", r#"{"kind":"Status","code":200}"#] {
            assert!(head(body.as_bytes()).is_err(), "{body}");
        }
        assert!(head(br#"{"kind":"Table","metadata":{}}"#).is_ok());
    }

    #[test]
    fn lines_of_objects_are_read() {
        let object = r#"{"metadata":{"name":"a","namespace":"x","resourceVersion":"11"}}"#;
        let line = |kind: &str| {
            objects().line(
                format!(r#"{{"type":"{kind}","object":{object}}}"#).as_bytes(),
                0,
            )
        };
        assert!(
            matches!(line("ADDED").unwrap(), Change::Put((key, _), version) if key == "x/a" && version == "11")
        );
        assert_eq!(
            line("DELETED").unwrap(),
            Change::Delete("x/a".into(), "11".into())
        );
        assert_eq!(line("BOOKMARK").unwrap(), Change::Bookmark("11".into()));
        assert_eq!(line("SOMETHING").unwrap(), Change::Nothing);
        assert!(matches!(line("ERROR").unwrap(), Change::Error(_)));
        assert!(objects().line(b"{", 0).is_err());
    }
}
