//! Rows chosen, and put in order, by what their columns say.
//!
//! ```text
//! STATUS!=Running,RESTARTS>5      every condition has to hold
//! NAME=~^web-,AGE>2h              =~ and !~ take a regular expression
//! MESSAGE="a, b",NODE=~/^n[1,2]$/ quotes and slashes hold a comma together
//! /BackOff/                       any cell of the row but CLUSTER and NAMESPACE; !/BackOff/ none
//! ```
//!
//! Columns are named as tables head them, in any case, those of wide output and CLUSTER and NAMESPACE among them.
//! Cells are compared as what they are: numbers (`12 (2m ago)` is 12), quantities (`250m`, `1Gi`), ages, `1/2`; else
//! as text.
//!
//! | module | what it is |
//! |---|---|
//! | [`expression`] | the text of a filter, and where it is wrong |
//! | [`typed`] | what a cell's text is |
//! | [`quantity`] | Kubernetes' quantities |
//! | [`comparable`] | values that a column cannot be compared with |
//! | [`compare`] | cells of one column in order |
//! | [`sort_column`] | which column `--sort-by` means, and a row's cell in it |
//!
//! **Architecture invariant:** pure; knows rows and columns, and nothing of where they came from.

pub mod comparable;
pub mod compare;
pub mod expression;
pub mod quantity;
pub mod sort_column;
pub mod typed;

use crate::table::{Column, Row};
use expression::{Condition, Operator, Subject, Test};
pub use expression::{InvalidFilter, parse};
use typed::Typed;

/// The conditions that a row has to meet, all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    conditions: Vec<Condition>,
}

/// A column that is in none of the tables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted}: there are {known}")]
pub struct NoColumn {
    /// By which flag, and where in it.
    wanted: String,
    known: String,
}

impl NoColumn {
    fn new(wanted: String, tables: &[Vec<Column>]) -> Self {
        let known = headers(tables).join(", ");
        Self { wanted, known }
    }
}

/// Where the columns of one table are that a filter speaks of.
#[derive(Clone, Debug)]
pub struct Bound<'a> {
    filter: &'a Filter,
    places: Vec<Option<Place>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Cluster,
    Namespace,
    Column(usize),
}

/// One row, with what its table says of it.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// Whose it is.
    pub cluster: &'a str,
    /// The API server's clock, ms since 1970.
    pub now_ms: i64,
    /// The row.
    pub row: &'a Row,
}

impl Filter {
    /// Finds the columns of a table.
    pub fn bind(&self, columns: &[Column]) -> Bound<'_> {
        let place = |condition: &Condition| match &condition.subject {
            Subject::Row => None,
            Subject::Column(name) => place(name, columns),
        };
        Bound {
            filter: self,
            places: self.conditions.iter().map(place).collect(),
        }
    }

    /// The first column that no table has; `tables` are the columns of each. None if there is no table at all.
    pub fn unknown(&self, tables: &[Vec<Column>]) -> Option<NoColumn> {
        let is_known = |name: &str| tables.iter().any(|columns| place(name, columns).is_some());
        let unknown = |condition: &Condition| match &condition.subject {
            Subject::Column(name) if !is_known(name) => {
                let at = condition.at;
                let wanted = format!("--filter: no column {name:?} at column {at}");
                Some(NoColumn::new(wanted, tables))
            }
            _ => None,
        };
        let mut conditions = self.conditions.iter().filter(|_| !tables.is_empty());
        conditions.find_map(unknown)
    }
}

impl Bound<'_> {
    /// Whether a row of that table meets every condition. One whose table lacks a column meets none about it.
    pub fn takes(&self, looked: Looked<'_>) -> bool {
        let conditions = self.filter.conditions.iter().zip(&self.places);
        conditions
            .into_iter()
            .all(|(condition, place)| match (&condition.subject, place) {
                (Subject::Row, _) => row_meets(&condition.test, looked),
                (Subject::Column(_), None) => false,
                (Subject::Column(_), Some(place)) => cell_meets(&condition.test, *place, looked),
            })
    }
}

fn place(name: &str, columns: &[Column]) -> Option<Place> {
    let is_it = |header: &str| plain(header) == plain(name);
    let own = columns.iter().position(|column| is_it(&column.name));
    let added = || match () {
        () if is_it("CLUSTER") => Some(Place::Cluster),
        () if is_it("NAMESPACE") => Some(Place::Namespace),
        () => None,
    };
    own.map(Place::Column).or_else(added)
}

/// `Nominated Node`, `NOMINATED-NODE` and `nominated node` are one column.
fn plain(header: &str) -> String {
    header
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '_'))
        .flat_map(char::to_uppercase)
        .collect()
}

fn headers(tables: &[Vec<Column>]) -> Vec<String> {
    let mut headers = vec!["CLUSTER".to_owned(), "NAMESPACE".to_owned()];
    for column in tables.iter().flatten() {
        let header = column.name.to_uppercase();
        if !headers.contains(&header) {
            headers.push(header);
        }
    }
    headers
}

fn row_meets(test: &Test, looked: Looked<'_>) -> bool {
    let Test::Matches(pattern, wanted) = test else {
        return false;
    };
    let cells = looked.row.cells.iter();
    let found = cells
        .map(|cell| cell.text(looked.now_ms))
        .any(|text| pattern.is_match(&text));
    found == *wanted
}

impl Looked<'_> {
    fn cell(self, place: Place) -> compare::Cell {
        let text = |text: &str| compare::Cell {
            text: text.to_owned(),
            age: None,
        };
        match place {
            Place::Cluster => text(self.cluster),
            Place::Namespace => text(&self.row.metadata.namespace),
            Place::Column(at) => match self.row.cells.get(at) {
                Some(cell) => compare::Cell {
                    text: cell.text(self.now_ms),
                    age: cell.age(self.now_ms),
                },
                None => text(""),
            },
        }
    }
}

fn cell_meets(test: &Test, place: Place, looked: Looked<'_>) -> bool {
    let compare::Cell { text, age } = looked.cell(place);
    match test {
        Test::Matches(pattern, wanted) => pattern.is_match(&text) == *wanted,
        Test::Compares(operator, value) => compares(*operator, value, &text, age),
    }
}

/// Whether `text` (or the instant behind it, of this age in ms) stands in that relation to a value.
fn compares(operator: Operator, value: &str, text: &str, age: Option<i64>) -> bool {
    // What is written as it is printed is equal, whatever it is.
    let same = || text == value || Typed::order(text, age, value).is_some_and(|it| it.is_eq());
    match operator {
        Operator::Equal => same(),
        Operator::NotEqual => !same(),
        Operator::Greater => Typed::order(text, age, value).is_some_and(|it| it.is_gt()),
        Operator::AtLeast => Typed::order(text, age, value).is_some_and(|it| it.is_ge()),
        Operator::Less => Typed::order(text, age, value).is_some_and(|it| it.is_lt()),
        Operator::AtMost => Typed::order(text, age, value).is_some_and(|it| it.is_le()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, Metadata};
    use mqtt_informer::protocol::rows;
    use rows::part::Part as Wire;

    const NOW: i64 = 100_000_000_000;
    const HOUR: i64 = 3_600_000;

    fn columns() -> Vec<Column> {
        let column = |name: &str| Column {
            name: name.to_owned(),
            names_objects: name == "Name",
            wide_only: name == "Nominated Node",
        };
        [
            "Name",
            "Ready",
            "Status",
            "Restarts",
            "Memory",
            "Age",
            "Nominated Node",
        ]
        .map(column)
        .into()
    }

    fn cell(parts: Vec<Wire>) -> Cell {
        let parts = parts
            .into_iter()
            .map(|part| rows::Part { part: Some(part) });
        rows::Cell {
            parts: parts.collect(),
        }
        .into()
    }

    fn row(cells: [&str; 3], restarts: Cell, memory: &str, hours: i64) -> Row {
        let mut row = Row {
            cells: cells.map(Cell::of_text).into(),
            metadata: Metadata {
                name: cells[0].to_owned(),
                namespace: "shop".to_owned(),
                ..Metadata::default()
            },
        };
        let age = cell(vec![Wire::SinceMs(NOW - hours * HOUR)]);
        row.cells.extend([
            restarts,
            Cell::of_text(memory),
            age,
            Cell::of_text("<none>"),
        ]);
        row
    }

    fn rows() -> Vec<Row> {
        let twelve = vec![
            Wire::Text("12 (".into()),
            Wire::SinceMs(NOW - 120_000),
            Wire::Text(" ago)".into()),
        ];
        vec![
            row(
                ["web-1", "1/1", "Running"],
                cell(vec![Wire::Integer(0)]),
                "512Mi",
                50,
            ),
            row(["web-2", "0/1", "CrashLoopBackOff"], cell(twelve), "2Gi", 3),
            row(
                ["db", "1/2", "Running"],
                cell(vec![Wire::Text("9".into())]),
                "<none>",
                1,
            ),
        ]
    }

    /// The names of the rows that a filter takes.
    fn taken(text: &str) -> String {
        let (filter, columns) = (parse(text).unwrap(), columns());
        let bound = filter.bind(&columns);
        let looked = |row| Looked {
            cluster: "east",
            now_ms: NOW,
            row,
        };
        let rows = rows();
        let names = rows.iter().filter(|row| bound.takes(looked(row)));
        let names: Vec<_> = names.map(|row| row.metadata.name.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn cells_are_compared_as_what_they_are() {
        for (filter, want) in [
            ("STATUS=Running", "web-1 db"),
            ("status==Running", "web-1 db"),
            ("STATUS!=Running", "web-2"),
            ("RESTARTS>5", "web-2 db"),
            ("RESTARTS>=12", "web-2"),
            ("RESTARTS=12", "web-2"),
            ("RESTARTS<10", "web-1 db"),
            ("RESTARTS=0", "web-1"),
            ("MEMORY>1Gi", "web-2"),
            ("MEMORY<=512Mi", "web-1"),
            ("MEMORY=2048Mi", "web-2"),
            ("MEMORY!=2Gi", "web-1 db"),
            ("AGE>2h", "web-1 web-2"),
            ("AGE<1d", "web-2 db"),
            ("AGE=60m", "db"),
            ("AGE>=2d2h", "web-1"),
            ("READY<1/1", "web-2"),
            ("READY=1/2", "db"),
            ("NAME>web", "web-1 web-2"),
            ("CLUSTER=east", "web-1 web-2 db"),
            ("namespace!=shop", ""),
            ("nominated-node=<none>", "web-1 web-2 db"),
            ("Nominated Node!=<none>", ""),
        ] {
            assert_eq!(taken(filter), want, "{filter}");
        }
    }

    #[test]
    fn several_conditions_and_regular_expressions() {
        for (filter, want) in [
            ("STATUS=Running,RESTARTS>5", "db"),
            (" STATUS = Running , RESTARTS > 5 ", "db"),
            ("NAME=~^web-", "web-1 web-2"),
            ("NAME!~^web-", "db"),
            ("NAME=~/^web-[0-9]{1,2}$/,RESTARTS=0", "web-1"),
            ("/BackOff/", "web-2"),
            ("!/BackOff/", "web-1 db"),
            ("/^east$/", ""),
            ("/^(db|0.1)$/", "web-2 db"),
            ("NAME=~'b-1|d'", "web-1 db"),
        ] {
            assert_eq!(taken(filter), want, "{filter}");
        }
    }

    #[test]
    fn a_column_that_is_nowhere_is_told_with_those_that_are() {
        let filter = parse("NAME=a,STATSU=b").unwrap();
        assert_eq!(
            filter.unknown(&[columns()]).unwrap().to_string(),
            "--filter: no column \"STATSU\" at column 8: there are \
             CLUSTER, NAMESPACE, NAME, READY, STATUS, RESTARTS, MEMORY, AGE, NOMINATED NODE"
        );
        assert_eq!(filter.unknown(&[]), None, "nothing was there to look into");
        let other = vec![Column {
            name: "Statsu".to_owned(),
            names_objects: false,
            wide_only: false,
        }];
        assert_eq!(
            filter.unknown(&[columns(), other]),
            None,
            "one of the tables has it"
        );
        let bound_to = columns();
        let bound = filter.bind(&bound_to);
        let rows = rows();
        let looked = Looked {
            cluster: "east",
            now_ms: NOW,
            row: &rows[0],
        };
        assert!(
            !bound.takes(looked),
            "a row without the column meets nothing about it"
        );
    }
}
