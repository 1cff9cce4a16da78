//! `--sort-by COLUMN`.
//!
//! A word in capitals, as tables head their columns, is a column; anything else is kubectl's path to a field, in which
//! no field's name is all capitals.

use super::compare::{Cell, Kind};
use super::{Looked, NoColumn, place};
use crate::table::Column;

/// The column that rows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortColumn {
    header: String,
}

impl SortColumn {
    /// None if the text is a path to a field.
    pub fn parse(text: &str) -> Option<Self> {
        let is_header = text.starts_with(|c: char| c.is_ascii_uppercase())
            && text
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || " -_()%/".contains(c));
        is_header.then(|| Self {
            header: text.to_owned(),
        })
    }

    /// As it was written.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// A row's cell; an empty one if its table has no such column.
    pub fn cell(&self, columns: &[Column], looked: Looked<'_>) -> Cell {
        let place = place(&self.header, columns);
        place.map_or_else(Cell::default, |place| looked.cell(place))
    }

    /// Sorts what goes with these cells. Equal ones stay as they are.
    pub fn sort<T>(&self, rows: &mut [(Cell, T)]) {
        let kind = Kind::of(rows.iter().map(|(cell, _)| cell));
        rows.sort_by_cached_key(|(cell, _)| kind.key(cell));
    }

    /// What is wrong if none of these tables has it.
    pub fn unknown(&self, tables: &[Vec<Column>]) -> Option<NoColumn> {
        let is_known = |columns: &Vec<Column>| place(&self.header, columns).is_some();
        let wanted = format!("--sort-by: no column {:?}", self.header);
        (!tables.is_empty() && !tables.iter().any(is_known)).then(|| NoColumn::new(wanted, tables))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_a_column_and_anything_else_is_a_path() {
        for header in [
            "AGE",
            "NOMINATED-NODE",
            "NOMINATED NODE",
            "CPU%",
            "PORT(S)",
            "UP-TO-DATE",
        ] {
            assert!(SortColumn::parse(header).is_some(), "{header}");
        }
        for path in [
            "",
            ".metadata.name",
            "{.spec}",
            "metadata.name",
            "kind",
            "Age",
            "[0]",
            "-A",
        ] {
            assert!(SortColumn::parse(path).is_none(), "{path}");
        }
    }
}
