//! Objects, lists and watch events as bytes, in the form that was asked for. Pure.

use super::accept::Form;
use super::metadata::{self, Malformed, Marks};
use super::query::Include;
use super::table::Columns;
use crate::kubernetes::json::{ObjectWriter, push_string};
use crate::protocol::message::View;
use crate::store::{ChangeKind, Stored};
use serde_json::{Value, json};

/// The annotation of the bookmark that ends the initial events (KEP-3157).
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// How the objects of one resource are written for one request.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    pub(super) form: Form,
    pub(super) include: Include,
    /// Of all clusters together: each object says whose it is.
    pub(super) of_all: bool,
    /// `apps/v1`.
    pub(super) api_version: String,
    /// `Deployment`.
    pub(super) kind: String,
    /// Of tables.
    pub(super) columns: Columns,
}

/// One object, and what else of it a row may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) stored: &'a Stored,
    /// The object, where `stored` is its row.
    pub(super) whole: Option<&'a [u8]>,
}

impl Encoder {
    /// What is read from the store.
    pub(super) fn view(&self) -> View {
        match self.form {
            Form::Table => View::Rows,
            Form::Json | Form::Metadata => View::Objects,
        }
    }

    /// Whether rows are written with the objects that they are of.
    pub(super) fn needs_whole(&self) -> bool {
        self.form == Form::Table && self.include == Include::Object
    }

    /// Appends an object as lists have it; nothing if it is malformed. Times are as of `now`, ms since 1970.
    fn item(&self, out: &mut Vec<u8>, item: Item<'_>, now: i64) -> Result<(), Malformed> {
        let stored = item.stored;
        let marks = Marks {
            version: stored.seq,
            cluster: self.of_all.then(|| stored.key.cluster.as_str()),
        };
        let begin = out.len();
        let written = match self.form {
            Form::Json => metadata::object(out, &stored.value, marks),
            Form::Metadata => metadata::partial(out, &stored.value, marks),
            Form::Table => {
                let row = (stored.key.cluster.as_str(), &*stored.value, item.whole);
                self.columns.row(out, row, (self.include, now), marks)
            }
        };
        if written.is_err() {
            out.truncate(begin);
            // Whose, but not what: an object's content is nobody's affair.
            let (cluster, resource) = (&stored.key.cluster, &stored.key.resource.plural);
            tracing::warn!(%cluster, %resource, "a stored object is malformed and is left out");
        }
        written
    }

    /// Appends items of a list, each but the first of all after a comma; tells how many.
    pub(super) fn items<'a>(
        &self,
        out: &mut Vec<u8>,
        items: impl Iterator<Item = Item<'a>>,
        (mut first, now): (bool, i64),
    ) -> bool {
        for item in items {
            let begin = out.len();
            if !first {
                out.push(b',');
            }
            match self.item(out, item, now) {
                Ok(()) => first = false,
                Err(Malformed) => out.truncate(begin),
            }
        }
        first
    }

    /// An object by itself: what a `get` answers.
    pub(super) fn one(&self, item: Item<'_>, now: i64) -> Result<Vec<u8>, Malformed> {
        let mut out = Vec::with_capacity(item.stored.value.len() + 256);
        match self.form {
            Form::Json | Form::Metadata => self.item(&mut out, item, now)?,
            Form::Table => self.table(&mut out, item, (true, now))?,
        }
        Ok(out)
    }

    /// A table of one row, with or without the columns' definitions.
    fn table(
        &self,
        out: &mut Vec<u8>,
        item: Item<'_>,
        (headed, now): (bool, i64),
    ) -> Result<(), Malformed> {
        let mut writer = ObjectWriter::open(out);
        writer.text("kind", "Table");
        writer.text("apiVersion", "meta.k8s.io/v1");
        let metadata = json!({"resourceVersion": item.stored.seq.to_string()});
        writer.raw("metadata", &metadata.to_string());
        writer.raw("columnDefinitions", &self.definitions(headed));
        let rows = writer.value("rows");
        rows.push(b'[');
        self.item(rows, item, now)?;
        rows.push(b']');
        writer.close();
        Ok(())
    }

    fn definitions(&self, headed: bool) -> String {
        match headed {
            true => self.columns.definitions().to_string(),
            false => "null".to_owned(),
        }
    }

    /// The beginning of a list up to its items. Without metadata these follow the items.
    pub(super) fn begin(&self, metadata: Option<&Value>) -> Vec<u8> {
        let (kind, version, items) = match self.form {
            Form::Json => (
                format!("{}List", self.kind),
                self.api_version.as_str(),
                "items",
            ),
            Form::Metadata => (
                "PartialObjectMetadataList".into(),
                "meta.k8s.io/v1",
                "items",
            ),
            Form::Table => ("Table".into(), "meta.k8s.io/v1", "rows"),
        };
        let mut out = Vec::with_capacity(512);
        let mut writer = ObjectWriter::open(&mut out);
        writer.text("kind", &kind);
        writer.text("apiVersion", version);
        if let Some(metadata) = metadata {
            writer.raw("metadata", &metadata.to_string());
        }
        if self.form == Form::Table {
            writer.raw("columnDefinitions", &self.definitions(true));
        }
        writer.value(items).push(b'[');
        out
    }

    /// The end of a list behind its items, with the metadata if the beginning had none.
    pub(super) fn end(metadata: Option<&Value>) -> Vec<u8> {
        match metadata {
            None => b"]}".to_vec(),
            Some(metadata) => format!("],\"metadata\":{metadata}}}").into_bytes(),
        }
    }

    /// Appends a line of a watch. A table has its columns' definitions only if it is `headed`.
    pub(super) fn event(
        &self,
        out: &mut Vec<u8>,
        kind: ChangeKind,
        item: Item<'_>,
        (headed, now): (bool, i64),
    ) -> Result<(), Malformed> {
        let begin = out.len();
        let mut writer = ObjectWriter::open(out);
        writer.text("type", word(kind));
        let object = writer.value("object");
        let written = match self.form {
            Form::Json | Form::Metadata => self.item(object, item, now),
            Form::Table => self.table(object, item, (headed, now)),
        };
        match written {
            Ok(()) => {
                writer.close();
                out.push(b'\n');
            }
            Err(Malformed) => out.truncate(begin),
        }
        written
    }

    /// Appends the line that says how far a watch has come; `initial`: that these were the objects to begin with.
    pub(super) fn bookmark(
        &self,
        out: &mut Vec<u8>,
        version: u64,
        (initial, headed): (bool, bool),
    ) {
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if initial {
            metadata["annotations"] = json!({INITIAL_EVENTS_END: "true"});
        }
        let mut writer = ObjectWriter::open(out);
        writer.text("type", "BOOKMARK");
        let object = match self.form {
            Form::Json => {
                json!({"kind": self.kind, "apiVersion": self.api_version, "metadata": metadata})
            }
            Form::Metadata => json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            }),
            // The row's object has the annotation: where clients that know tables look for it.
            Form::Table => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": version.to_string()},
                "columnDefinitions": if headed { self.columns.definitions() } else { Value::Null },
                "rows": [{
                    "cells": self.columns.no_cells(),
                    "object": {
                        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                    },
                }],
            }),
        };
        writer.raw("object", &object.to_string());
        writer.close();
        out.push(b'\n');
    }
}

/// The line that ends a watch with a failure.
pub(super) fn error(status: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    push_string(writer.value("type"), "ERROR");
    writer.raw("object", &status.to_string());
    writer.close();
    out.push(b'\n');
    out
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "ADDED",
        ChangeKind::Modified => "MODIFIED",
        ChangeKind::Deleted => "DELETED",
    }
}
