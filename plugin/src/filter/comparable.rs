//! Whether a condition's value is something that its column can be compared with: `AGE<1x` is a slip, not a table
//! without rows.

use super::compare::{Cell, Kind, is_nothing};
use super::expression::{Operator, Test};
use super::typed::Typed;
use super::{Filter, Looked, Subject, place};
use crate::table::Column;

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

impl Filter {
    /// Whether some condition asks for more or for less: only those can be incomparable.
    pub fn is_ordering(&self) -> bool {
        let is_ordering = |test: &Test| matches!(test, Test::Compares(operator, _) if !matches!(operator, Operator::Equal | Operator::NotEqual));
        let mut conditions = self.conditions.iter();
        conditions.any(|condition| is_ordering(&condition.test))
    }

    /// The first value that none of these rows, all of one table, can be compared with.
    pub fn incomparable(&self, columns: &[Column], rows: &[Looked<'_>]) -> Option<Incomparable> {
        self.conditions.iter().find_map(|condition| {
            let (Subject::Column(name), Test::Compares(operator, value)) =
                (&condition.subject, &condition.test)
            else {
                return None;
            };
            if matches!(operator, Operator::Equal | Operator::NotEqual) {
                return None;
            }
            let place = place(name, columns)?;
            let cells: Vec<Cell> = rows.iter().map(|row| row.cell(place)).collect();
            let holds = held(&cells, value)?;
            Some(Incomparable {
                column: name.to_uppercase(),
                holds,
                value: value.clone(),
                at: condition.at,
            })
        })
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
        let rows: Vec<Row> = cells.split_whitespace().map(row).collect();
        let looked = |row| Looked {
            cluster: "east",
            now_ms: 0,
            row,
        };
        let rows: Vec<_> = rows.iter().map(looked).collect();
        let filter = parse(filter).unwrap();
        let wrong = filter.incomparable(&columns, &rows);
        assert!(wrong.is_none() || filter.is_ordering());
        wrong.map(|wrong| wrong.to_string())
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
        for (filter, cells) in [
            ("RESTARTS>5", "1 2"),
            ("RESTARTS>5", "<none>"),
            ("RESTARTS>5", ""),
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
