//! Whether a condition's value is something that its column can be compared with: `AGE<1x` is a slip, not a table
//! without rows.

use super::compare::{Cell, Kind, is_nothing};
use super::expression::Test;
use super::typed::Typed;
use super::{Filter, Looked, Subject, place};
use crate::table::Column;
use std::collections::BTreeMap;

/// A value that no cell of its column can be compared with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--filter: {column} holds {holds}, and {value:?} is none, at column {at}")]
pub struct Incomparable {
    column: String,
    holds: &'static str,
    value: String,
    /// Of the filter's text, in characters, from 1.
    at: usize,
}

/// What tables said of a filter's values so far: by the place of the condition, whether one could be compared, and what
/// is to be said if none could.
#[derive(Clone, Debug, Default)]
pub struct Comparisons(BTreeMap<usize, Option<Incomparable>>);

impl Comparisons {
    /// The first value that no table's cells could be compared with, though there were some.
    pub fn incomparable(&self) -> Option<&Incomparable> {
        self.0.values().find_map(Option::as_ref)
    }

    /// Looks at the rows of one table.
    pub fn note(&mut self, filter: &Filter, columns: &[Column], rows: &[Looked<'_>]) {
        for condition in &filter.conditions {
            let (Subject::Column(name), Test::Compares(operator, value)) =
                (&condition.subject, &condition.test)
            else {
                continue;
            };
            let Some(place) = place(name, columns).filter(|_| operator.is_ordering()) else {
                continue;
            };
            let cells: Vec<Cell> = rows.iter().map(|row| row.cell(place)).collect();
            if cells.iter().all(|cell| is_nothing(&cell.text)) {
                continue;
            }
            let said = held(&cells, value).map(|holds| Incomparable {
                column: name.to_uppercase(),
                holds,
                value: value.clone(),
                at: condition.at,
            });
            let known = self.0.entry(condition.at).or_insert_with(|| said.clone());
            *known = known.take().and(said);
        }
    }
}

impl Filter {
    /// Whether some condition asks for more or for less: only those can be incomparable.
    pub fn is_ordering(&self) -> bool {
        let mut conditions = self.conditions.iter();
        conditions
            .any(|it| matches!(&it.test, Test::Compares(operator, _) if operator.is_ordering()))
    }
}

/// What the cells are, if they are something and none can be compared with the value.
fn held(cells: &[Cell], value: &str) -> Option<&'static str> {
    let holds = match Kind::of(cells) {
        Kind::Age => "ages",
        Kind::Quantity => "numbers",
        Kind::Fraction => "fractions",
        Kind::Text => return None,
    };
    let mut said = cells.iter().filter(|cell| !is_nothing(&cell.text));
    let is_comparable = |cell: &Cell| Typed::order(&cell.text, cell.age, value).is_some();
    (!said.any(is_comparable)).then_some(holds)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::table::{Cell as TableCell, Metadata, Row};

    fn said(filter: &str, cells: &str) -> Option<String> {
        let columns = [Column {
            name: "Restarts".to_owned(),
            names_objects: false,
            wide_only: false,
        }];
        let row = |text: &str| Row {
            cells: vec![TableCell::of_text(text)],
            metadata: Metadata::default(),
        };
        let filter = parse(filter).unwrap();
        let mut comparisons = Comparisons::default();
        // A table for each cluster.
        for cells in cells.split('|') {
            let rows: Vec<Row> = cells.split_whitespace().map(row).collect();
            let looked = |row| Looked {
                cluster: "east",
                now_ms: 0,
                row,
            };
            let rows: Vec<_> = rows.iter().map(looked).collect();
            comparisons.note(&filter, &columns, &rows);
        }
        let wrong = comparisons.incomparable();
        assert!(wrong.is_none() || filter.is_ordering());
        wrong.map(ToString::to_string)
    }

    #[test]
    fn a_slip_is_told_and_a_choice_that_takes_nothing_is_none() {
        assert_eq!(
            said("NAME=a,RESTARTS>abc", "1 2 <none>").unwrap(),
            "--filter: RESTARTS holds numbers, and \"abc\" is none, at column 8"
        );
        assert_eq!(
            said("restarts<1x", "5m3s 2h").unwrap(),
            "--filter: RESTARTS holds ages, and \"1x\" is none, at column 1"
        );
        assert!(said("RESTARTS<1", "0/1 1/1").unwrap().contains("fractions"));
        assert!(said("RESTARTS>x", "1 2 | <none> | | 3").is_some());
        for (filter, cells) in [
            ("RESTARTS>5", "1 2"),
            ("RESTARTS>5", "<none>"),
            ("RESTARTS>5", ""),
            ("RESTARTS>=2", "0/1 1/1 | 3 4"),
            ("RESTARTS>=2", "3 4 | 0/1 1/1"),
            ("RESTARTS>v1.29", "1.30 | v1.30.2"),
            ("RESTARTS>abc", "web db"),
            ("RESTARTS>abc", "web 5"),
            ("RESTARTS=abc", "1 2"),
            ("RESTARTS>1h", "5m 10m"),
            ("RESTARTS>/x/", "1/2 web"),
            ("RESTARTS=~abc", "1 2"),
        ] {
            assert_eq!(said(filter, cells), None, "{filter} of {cells}");
        }
    }
}
