//! Objects as tables: the API server's own rows, their times as of now. Pure.
//!
//! The columns are those that the clusters printed; where several clusters are served together and do not agree (other
//! versions, other definitions), they are united by name, and the first column says the cluster. What a column means
//! (`description`) does not cross the broker: it is empty.

use super::metadata::{self, Malformed, Marks};
use super::query::Include;
use crate::kubernetes::duration;
use crate::kubernetes::json::{ObjectWriter, push_string};
use crate::protocol::rows::{Cell, Column, Row, part};
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The columns of a table, and where in it each cluster's cells go.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    columns: Vec<Column>,
    /// By cluster: the place of each of its own columns.
    places: BTreeMap<String, Vec<usize>>,
    /// The first column is the cluster's name.
    of_clusters: bool,
}

impl Columns {
    /// The columns of one cluster's table.
    pub(super) fn of_one(cluster: &str, columns: &[Column]) -> Self {
        let mut one = Self::default();
        one.add(cluster, columns);
        one
    }

    /// The columns of all clusters' tables: the union by name, in the order in which they are first seen.
    pub(super) fn of_all<'a>(tables: impl Iterator<Item = (&'a str, &'a [Column])>) -> Self {
        let mut all = Self {
            of_clusters: true,
            ..Self::default()
        };
        tables.for_each(|(cluster, columns)| all.add(cluster, columns));
        all
    }

    fn add(&mut self, cluster: &str, columns: &[Column]) {
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let free = |(place, known): (usize, &Column)| {
                (known.name == column.name && !places.contains(&place)).then_some(place)
            };
            let place = self.columns.iter().enumerate().find_map(free);
            places.push(place.unwrap_or(self.columns.len()));
            if place.is_none() {
                self.columns.push(column.clone());
            }
        }
        self.places.insert(cluster.to_owned(), places);
    }

    /// As `columnDefinitions`.
    pub(super) fn definitions(&self) -> Value {
        let define = |name: &str, of: &str, format: &str, priority: i32| json!({"name": name, "type": of, "format": format, "description": "", "priority": priority});
        let first = self.of_clusters.then(|| define("Cluster", "string", "", 0));
        let own = self
            .columns
            .iter()
            .map(|it| define(&it.name, &it.r#type, &it.format, it.priority));
        first.into_iter().chain(own).collect()
    }

    /// The cells of a row about nothing.
    pub(super) fn no_cells(&self) -> Value {
        let count = self.columns.len() + usize::from(self.of_clusters);
        vec![Value::Null; count].into()
    }

    /// Appends a row of `cluster`: `row` is a value of the view `rows`, `whole` the object if rows have it. Times are as
    /// of `now`, ms since 1970.
    pub(super) fn row(
        &self,
        out: &mut Vec<u8>,
        (cluster, row, whole): (&str, &[u8], Option<&[u8]>),
        (include, now): (Include, i64),
        marks: Marks<'_>,
    ) -> Result<(), Malformed> {
        let row = Row::decode(row).map_err(|_| Malformed)?;
        let begin = out.len();
        let mut writer = ObjectWriter::open(out);
        self.cells(writer.value("cells"), cluster, &row.cells, now);
        let object = writer.value("object");
        let written = match (include, whole) {
            (Include::None, _) => {
                object.extend_from_slice(b"null");
                Ok(())
            }
            (Include::Object, Some(whole)) => metadata::object(object, whole, marks),
            // An object whose bytes are not here yet is its metadata.
            (Include::Object | Include::Metadata, _) => serde_json::from_slice(&row.metadata)
                .map_err(Malformed::from)
                .and_then(|it| metadata::of_metadata(object, it, marks)),
        };
        match written {
            Ok(()) => writer.close(),
            Err(_) => out.truncate(begin),
        }
        written
    }

    fn cells(&self, out: &mut Vec<u8>, cluster: &str, cells: &[Cell], now: i64) {
        let places = self.places.get(cluster).map_or(&[][..], Vec::as_slice);
        let mut by_place = vec![None; self.columns.len()];
        for (cell, place) in cells.iter().zip(places) {
            if let Some(slot) = by_place.get_mut(*place) {
                *slot = Some(cell);
            }
        }
        out.push(b'[');
        if self.of_clusters {
            push_string(out, cluster);
        }
        for (index, (cell, column)) in by_place.iter().zip(&self.columns).enumerate() {
            if index > 0 || self.of_clusters {
                out.push(b',');
            }
            match cell {
                Some(cell) => push_cell(out, cell, column, now),
                None => out.extend_from_slice(b"null"),
            }
        }
        out.push(b']');
    }
}

fn push_cell(out: &mut Vec<u8>, cell: &Cell, column: &Column, now: i64) {
    use part::Part::{Integer, Null, SinceMs, Text};
    let parts: Vec<_> = cell
        .parts
        .iter()
        .filter_map(|it| it.part.as_ref())
        .collect();
    match parts.as_slice() {
        [Integer(number)] => out.extend_from_slice(number.to_string().as_bytes()),
        [] | [Null(_)] => out.extend_from_slice(b"null"),
        // Rows have such values as texts; in tables they are what they are.
        [Text(text)] if is_json_of(&column.r#type, text) => out.extend_from_slice(text.as_bytes()),
        parts => {
            let text = parts.iter().map(|part| match part {
                Text(text) => text.clone(),
                Integer(number) => number.to_string(),
                SinceMs(at) => duration::human(now.saturating_sub(*at)),
                Null(_) => String::new(),
            });
            push_string(out, &text.collect::<String>());
        }
    }
}

fn is_json_of(kind: &str, text: &str) -> bool {
    match kind {
        "boolean" => matches!(text, "true" | "false"),
        "number" | "integer" => serde_json::from_str::<serde_json::Number>(text).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::rows::Part;
    use part::Part::{Integer, Null, SinceMs, Text};

    fn column(name: &str, kind: &str) -> Column {
        Column {
            name: name.into(),
            r#type: kind.into(),
            ..Column::default()
        }
    }

    fn row(cells: Vec<Vec<part::Part>>) -> Vec<u8> {
        let part = |part| Part { part: Some(part) };
        let cell = |parts: Vec<_>| Cell {
            parts: parts.into_iter().map(part).collect(),
        };
        let row = Row {
            cells: cells.into_iter().map(cell).collect(),
            metadata: br#"{"name":"web","uid":"u"}"#.as_slice().into(),
        };
        row.encode_to_vec()
    }

    const MARKS: Marks<'static> = Marks {
        version: 9,
        cluster: None,
    };

    fn served(columns: &Columns, cluster: &str, row: &[u8], include: Include) -> Value {
        let mut out = Vec::new();
        let whole = br#"{"metadata":{"name":"web"},"spec":1}"#.as_slice();
        columns
            .row(
                &mut out,
                (cluster, row, Some(whole)),
                (include, 600_000),
                MARKS,
            )
            .unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn times_are_read_when_they_are_asked_for() {
        let columns = Columns::of_one(
            "c",
            &[
                column("Name", "string"),
                column("Restarts", "string"),
                column("Ready", "integer"),
                column("On", "boolean"),
                column("Size", "number"),
                column("Gone", "string"),
                column("Age", "string"),
            ],
        );
        let row = row(vec![
            vec![Text("web".into())],
            vec![Text("3 (".into()), SinceMs(300_000), Text(" ago)".into())],
            vec![Integer(2)],
            vec![Text("true".into())],
            vec![Text("1.5".into())],
            vec![Null(true)],
            vec![SinceMs(0)],
        ]);
        let served = served(&columns, "c", &row, Include::Metadata);
        assert_eq!(
            served["cells"],
            json!(["web", "3 (5m ago)", 2, true, 1.5, null, "10m"])
        );
        assert_eq!(served["object"]["kind"], "PartialObjectMetadata");
        assert_eq!(served["object"]["metadata"]["resourceVersion"], "9");
    }

    #[test]
    fn rows_have_of_the_object_what_is_asked_for() {
        let columns = Columns::of_one("c", &[column("Name", "string")]);
        let row = row(vec![vec![Text("web".into())]]);
        assert_eq!(
            served(&columns, "c", &row, Include::None)["object"],
            Value::Null
        );
        assert_eq!(
            served(&columns, "c", &row, Include::Object)["object"]["spec"],
            1
        );
        let mut out = Vec::new();
        columns
            .row(&mut out, ("c", &row, None), (Include::Object, 0), MARKS)
            .unwrap();
        let without: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(without["object"]["kind"], "PartialObjectMetadata");
    }

    #[test]
    fn clusters_that_do_not_agree_are_united_by_the_columns_names() {
        let old = [column("Name", "string"), column("Age", "string")];
        let new = [
            column("Name", "string"),
            column("Phase", "string"),
            column("Age", "string"),
        ];
        let columns = Columns::of_all([("a", old.as_slice()), ("b", new.as_slice())].into_iter());
        let names = columns.definitions();
        let names: Vec<_> = names
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["name"])
            .collect();
        assert_eq!(names, ["Cluster", "Name", "Age", "Phase"]);
        let text = |text: &str| vec![Text(text.into())];
        let a = row(vec![text("web"), text("1m")]);
        let b = row(vec![text("web"), text("Bound"), text("2m")]);
        let cells =
            |cluster, row: &[u8]| served(&columns, cluster, row, Include::None)["cells"].clone();
        assert_eq!(cells("a", &a), json!(["a", "web", "1m", null]));
        assert_eq!(cells("b", &b), json!(["b", "web", "2m", "Bound"]));
    }

    #[test]
    fn a_malformed_row_leaves_nothing_behind() {
        let columns = Columns::of_one("c", &[]);
        let bad = Row {
            metadata: b"no".as_slice().into(),
            ..Row::default()
        };
        for row in [vec![0xff], bad.encode_to_vec()] {
            let mut out = b"x".to_vec();
            let refused = columns.row(&mut out, ("c", &row, None), (Include::Metadata, 0), MARKS);
            assert_eq!((refused, out.as_slice()), (Err(Malformed), b"x".as_slice()));
        }
    }
}
