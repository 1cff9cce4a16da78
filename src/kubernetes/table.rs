//! The view `rows`: the API server's own Table, so the columns are kubectl's, those of custom resources too.
//!
//! An update that changes nothing visible makes equal bytes: times are instants, and the metadata is without
//! managedFields, resourceVersion and the last-applied annotation, its members sorted.

use super::cell::{Context, cell};
use super::instants::Timed;
use super::json::{ListMetadata, Members, Metadata, ObjectWriter, Text, instant};
use super::secret::LAST_APPLIED;
use super::view::{Change, Entry, Malformed};
use crate::protocol::rows::{Cell, Column, Part, Row, part};
use crate::source::Resolved;
use bytes::Bytes;
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

type Guesses = Vec<(usize, i64)>;

/// How the tables of one stream are turned into rows.
#[derive(Debug, Default)]
pub(super) struct Rows {
    timed: Option<Timed>,
    columns: Vec<Column>,
    /// The server makes no tables of this resource: rows are NAME and AGE, as in kubectl.
    plain: bool,
    /// Instants that were guessed from a text: (column, instant) by key.
    guesses: HashMap<Bytes, Guesses>,
    /// The same as of the list before.
    guesses_before: HashMap<Bytes, Guesses>,
}

impl Rows {
    pub(super) fn new(selection: &Resolved) -> Self {
        let timed = Timed::of(&selection.group, &selection.plural);
        Self {
            timed,
            ..Default::default()
        }
    }

    /// Query parameters: the whole object only where a cell shows more than its age.
    pub(super) fn parameters(&self) -> &'static str {
        match self.timed {
            Some(_) => "&includeObject=Object",
            None => "&includeObject=Metadata",
        }
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        self.columns.clone()
    }

    pub(super) fn start_list(&mut self) {
        self.columns.clear();
        self.guesses_before = std::mem::take(&mut self.guesses);
    }

    pub(super) fn page(&mut self, body: &[u8], now: i64) -> Result<Vec<Entry>, Malformed> {
        let table: Table<'_> = serde_json::from_slice(body)?;
        self.plain = !table.is_table();
        let columns = table.column_definitions.unwrap_or_default();
        if self.plain {
            self.columns = name_and_age();
        } else if !columns.is_empty() {
            self.columns = columns.into_iter().map(Into::into).collect();
        }
        let rows = table.rows.unwrap_or_default().into_iter();
        let rows = rows.map(|row| self.row(row.cells, &row.object, now));
        let mut entries = rows.collect::<Result<Vec<_>, _>>()?;
        for item in table.items.unwrap_or_default() {
            entries.push(plain_row(&Members::of(item)?)?);
        }
        Ok(entries)
    }

    /// An event of a watch: its object is a Table of one row.
    pub(super) fn event(
        &mut self,
        kind: &str,
        object: &RawValue,
        now: i64,
    ) -> Result<Change, Malformed> {
        let mut table = Table::deserialize(object)?;
        let columns: Vec<Column> = table
            .column_definitions
            .take()
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect();
        let row = table.rows.take().unwrap_or_default().into_iter().next();
        let of_row = row.as_ref().map(|row| read(&row.object)).transpose()?;
        let version = match of_row.and_then(|of| of.resource_version) {
            Some(version) => version.to_string(),
            None => table.metadata.resource_version.clone(),
        };
        if kind == "BOOKMARK" {
            return Ok(Change::Bookmark(version));
        }
        // The first event of a watch has the columns, later ones need not.
        let other_columns = !columns.is_empty() && columns != self.columns;
        if table.is_table() == self.plain || other_columns {
            return Ok(Change::Relist);
        }
        match (kind, row) {
            ("ADDED" | "MODIFIED", Some(row)) => {
                Ok(Change::Put(self.row(row.cells, &row.object, now)?, version))
            }
            ("ADDED" | "MODIFIED", None) if self.plain => {
                Ok(Change::Put(plain_row(&Members::of(object)?)?, version))
            }
            ("DELETED", row) => {
                let key = match row {
                    Some(row) => read(&row.object)?.key(),
                    None => super::view::read_metadata(object)?.key(),
                };
                self.guesses.remove(&key);
                Ok(Change::Delete(key, version))
            }
            _ => Ok(Change::Nothing),
        }
    }

    fn row(
        &mut self,
        cells: Vec<&RawValue>,
        object: &Members<'_>,
        now: i64,
    ) -> Result<Entry, Malformed> {
        let metadata = metadata(object)?;
        let read = Metadata::of(&metadata)?;
        let key = read.key();
        let created = read.creation_timestamp.as_deref().and_then(instant);
        let instants = self
            .timed
            .map(|timed| timed.read(object))
            .unwrap_or_default();
        let before = self
            .guesses
            .get(&key)
            .or_else(|| self.guesses_before.get(&key));
        let before = before.cloned().unwrap_or_default();
        let mut guesses = Guesses::new();
        let mut row = Row {
            cells: Vec::with_capacity(cells.len()),
            metadata: kept(metadata)?,
        };
        // More cells than columns: kubectl prints none of the rest.
        for (index, (raw, column)) in cells.into_iter().zip(&self.columns).enumerate() {
            let known = instants.iter().find(|(name, _)| *name == column.name);
            let known = known.map_or(&[][..], |(_, known)| known);
            let before = before
                .iter()
                .find(|(of, _)| *of == index)
                .map(|(_, at)| *at);
            let (cell, guess) = cell(
                raw,
                column,
                Context {
                    now,
                    created,
                    known,
                    before,
                },
            );
            guesses.extend(guess.map(|at| (index, at)));
            row.cells.push(cell);
        }
        match guesses.is_empty() {
            true => self.guesses.remove(&key),
            false => self.guesses.insert(key.clone(), guesses),
        };
        Ok((key, row.encode_to_vec().into()))
    }
}

/// kubectl's row for an object that the server makes no table of.
fn plain_row(object: &Members<'_>) -> Result<Entry, Malformed> {
    let metadata = metadata(object)?;
    let read = Metadata::of(&metadata)?;
    let age = match read.creation_timestamp.as_deref().and_then(instant) {
        Some(at) => part::Part::SinceMs(at),
        None => part::Part::Text("<unknown>".into()),
    };
    let cells = [part::Part::Text(read.name.to_string()), age];
    let cells = cells.map(|part| Cell {
        parts: vec![Part { part: Some(part) }],
    });
    let key = read.key();
    let row = Row {
        cells: cells.into(),
        metadata: kept(metadata)?,
    };
    Ok((key, row.encode_to_vec().into()))
}

fn name_and_age() -> Vec<Column> {
    let column = |name: &str, format: &str| Column {
        name: name.into(),
        r#type: "string".into(),
        format: format.into(),
        priority: 0,
    };
    vec![column("Name", "name"), column("Age", "")]
}

fn metadata<'a>(object: &Members<'a>) -> Result<Members<'a>, Malformed> {
    let raw = object.get("metadata").ok_or(Malformed::NoMetadata)?;
    Ok(Members::of(raw)?)
}

fn read<'a>(object: &Members<'a>) -> Result<Metadata<'a>, Malformed> {
    Ok(Metadata::of(&metadata(object)?)?)
}

/// What a row keeps of its object's metadata.
fn kept(mut members: Members<'_>) -> Result<Bytes, Malformed> {
    members.remove("managedFields");
    members.remove("resourceVersion");
    members.0.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut out = Vec::new();
    let mut writer = ObjectWriter::open(&mut out);
    for (name, value) in &members.0 {
        match &**name {
            "annotations" => annotations(&mut writer, value)?,
            _ => writer.raw(name, value.get()),
        }
    }
    writer.close();
    Ok(out.into())
}

fn annotations(writer: &mut ObjectWriter<'_>, raw: &RawValue) -> Result<(), Malformed> {
    let mut annotations = Option::<Members<'_>>::deserialize(raw)?.unwrap_or_default();
    annotations.remove(LAST_APPLIED);
    if annotations.0.is_empty() {
        return Ok(());
    }
    let mut inner = ObjectWriter::open(writer.value("annotations"));
    for (name, value) in &annotations.0 {
        inner.raw(name, value.get());
    }
    inner.close();
    Ok(())
}

/// A `meta.k8s.io/v1` Table, or the plain list or object that a server without tables answers with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table<'a> {
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(default)]
    metadata: ListMetadata,
    #[serde(borrow, default)]
    column_definitions: Option<Vec<ColumnDefinition<'a>>>,
    #[serde(borrow, default)]
    rows: Option<Vec<TableRow<'a>>>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

impl Table<'_> {
    fn is_table(&self) -> bool {
        &*self.kind == "Table"
    }
}

#[derive(Deserialize)]
struct TableRow<'a> {
    #[serde(borrow)]
    cells: Vec<&'a RawValue>,
    #[serde(borrow)]
    object: Members<'a>,
}

#[derive(Deserialize)]
struct ColumnDefinition<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    format: Text<'a>,
    #[serde(default)]
    priority: i32,
}

impl From<ColumnDefinition<'_>> for Column {
    fn from(definition: ColumnDefinition<'_>) -> Self {
        Self {
            name: definition.name.to_string(),
            r#type: definition.kind.to_string(),
            format: definition.format.to_string(),
            priority: definition.priority,
        }
    }
}

#[cfg(test)]
mod tests;
