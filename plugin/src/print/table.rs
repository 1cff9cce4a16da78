//! Tables exactly as kubectl prints them, and with a CLUSTER column where several clusters are in one.
//!
//! `HumanReadablePrinter` of `k8s.io/cli-runtime/pkg/printers` (tableprinter.go): headers come with the first rows, and
//! again when the columns change; cells end at their first line break.

use super::sanitize;
use super::tabwriter::TabWriter;
use crate::table::{Column, Columns, Row};

/// What is shown beside the API server's own columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// Columns of wide output too.
    pub wide: bool,
    /// No line of headers.
    pub no_headers: bool,
    /// A LABELS column.
    pub show_labels: bool,
    /// A column for each of these labels.
    pub label_columns: Vec<String>,
    /// A NAMESPACE column.
    pub with_namespace: bool,
    /// A CLUSTER column, the first.
    pub with_cluster: bool,
    /// An EVENT column before all but that.
    pub with_event: bool,
    /// Names as `pod/web`: the kind that goes before them.
    pub kind: Option<String>,
}

/// Rows of one table: whose they are, and how they are to be read.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The cluster, for the CLUSTER column.
    pub cluster: &'a str,
    /// The clock of the cluster's API server, ms since 1970.
    pub now_ms: i64,
    /// The columns of the rows.
    pub columns: &'a [Column],
    /// In the order in which they are shown.
    pub rows: &'a [Row],
    /// What became of them, for the EVENT column.
    pub event: &'a str,
}

/// Prints tables, each of which may consist of several clusters' rows; widths are remembered from one to the next.
#[derive(Debug)]
pub struct TablePrinter {
    options: TableOptions,
    writer: TabWriter,
    columns: Columns,
    /// The columns that were printed last.
    headed: Option<Vec<Column>>,
}

impl TablePrinter {
    /// A printer of one kind of objects.
    pub fn new(options: TableOptions) -> Self {
        Self {
            options,
            writer: TabWriter::new(),
            columns: Columns::default(),
            headed: None,
        }
    }

    /// The text of these rows, as one table. Its columns are all that were ever seen by this printer.
    pub fn print(&mut self, tables: &[Rows<'_>]) -> String {
        let places: Vec<_> = tables
            .iter()
            .map(|table| self.columns.add(table.columns))
            .collect();
        if tables.iter().all(|table| table.rows.is_empty()) {
            return String::new();
        }
        self.print_headers();
        for (table, places) in tables.iter().zip(&places) {
            for row in table.rows {
                let line = self.line(table, row, places);
                self.writer.write(&line);
            }
        }
        self.writer.flush();
        self.writer.take()
    }

    /// Whether these columns fit under the headers that were printed.
    pub fn fits(&self, columns: &[Column]) -> bool {
        let mut union = self.columns.clone();
        union.add(columns);
        self.headed.as_deref() == Some(union.as_slice())
    }

    fn print_headers(&mut self) {
        if self.options.no_headers || self.headed.as_deref() == Some(self.columns.as_slice()) {
            return;
        }
        self.headed = Some(self.columns.as_slice().to_vec());
        let mut headers = Vec::new();
        headers.extend(self.options.with_cluster.then(|| "CLUSTER".to_owned()));
        headers.extend(self.options.with_event.then(|| "EVENT".to_owned()));
        headers.extend(self.options.with_namespace.then(|| "NAMESPACE".to_owned()));
        let shown = self
            .columns
            .as_slice()
            .iter()
            .filter(|column| self.shows(column));
        headers.extend(shown.map(|column| upper(&column.name)));
        let label = |label: &String| upper(label.rsplit('/').next().unwrap_or_default());
        headers.extend(self.options.label_columns.iter().map(label));
        headers.extend(self.options.show_labels.then(|| "LABELS".to_owned()));
        let safe: Vec<_> = headers
            .iter()
            .map(|header| sanitize::word(header))
            .collect();
        self.writer.write(&(safe.join("\t") + "\n"));
    }

    fn line(&self, table: &Rows<'_>, row: &Row, places: &[usize]) -> String {
        let mut line = Line::default();
        if self.options.with_cluster {
            line.add(table.cluster);
        }
        if self.options.with_event {
            // kubectl makes all of them equally wide.
            line.add(&format!("{:8}", table.event));
        }
        if self.options.with_namespace {
            line.add(&row.metadata.namespace);
        }
        let named = table.columns.iter().position(|column| column.names_objects);
        for (place, column) in self.columns.as_slice().iter().enumerate() {
            if !self.shows(column) {
                continue;
            }
            let at = places.iter().position(|known| *known == place);
            let text = at
                .and_then(|at| row.cells.get(at))
                .map(|cell| cell.text(table.now_ms));
            match (&self.options.kind, text) {
                (Some(kind), Some(text)) if at.is_some() && at == named => {
                    line.add(&format!("{kind}/{text}"));
                }
                (_, text) => line.add(&text.unwrap_or_default()),
            }
        }
        for label in &self.options.label_columns {
            line.add(row.metadata.labels.get(label).map_or("", String::as_str));
        }
        if self.options.show_labels {
            line.add(&row.metadata.labels_text());
        }
        line.text + "\n"
    }

    fn shows(&self, column: &Column) -> bool {
        self.options.wide || !column.wide_only
    }
}

#[derive(Default)]
struct Line {
    text: String,
    cells: usize,
}

impl Line {
    fn add(&mut self, cell: &str) {
        if self.cells > 0 {
            self.text.push('\t');
        }
        self.cells += 1;
        self.text.push_str(&sanitize::cell(cell));
    }
}

/// Go's `strings.ToUpper`: one character for one.
fn upper(text: &str) -> String {
    let one = |c: char| {
        let mut upper = c.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, Metadata};
    use std::collections::BTreeMap;

    fn columns(names: &[&str]) -> Vec<Column> {
        let column = |name: &&str| Column {
            name: name.trim_end_matches('+').to_owned(),
            names_objects: *name == "Name",
            wide_only: name.ends_with('+'),
        };
        names.iter().map(column).collect()
    }

    fn row(cells: &[&str]) -> Row {
        Row {
            cells: cells.iter().map(|cell| Cell::of_text(*cell)).collect(),
            metadata: Metadata {
                name: cells[0].to_owned(),
                namespace: "shop".to_owned(),
                labels: BTreeMap::from([("app".to_owned(), cells[0].to_owned())]),
                uid: String::new(),
            },
        }
    }

    fn rows<'a>(cluster: &'a str, columns: &'a [Column], rows: &'a [Row]) -> Rows<'a> {
        Rows {
            cluster,
            now_ms: 0,
            columns,
            rows,
            event: "ADDED",
        }
    }

    fn check(options: TableOptions, want: &str) {
        let columns = columns(&["Name", "Ready", "Node+", "Age"]);
        let two = [
            row(&["web", "1/1", "n1", "5m"]),
            row(&["database", "0/1", "", "7d"]),
        ];
        let got = TablePrinter::new(options).print(&[rows("c1", &columns, &two)]);
        assert_eq!(got, want);
    }

    #[test]
    fn as_kubectl_prints_them() {
        let plain = TableOptions::default();
        check(
            plain.clone(),
            "NAME       READY   AGE\nweb        1/1     5m\ndatabase   0/1     7d\n",
        );
        let no_headers = TableOptions {
            no_headers: true,
            ..plain.clone()
        };
        check(no_headers, "web        1/1   5m\ndatabase   0/1   7d\n");
        let wide = TableOptions {
            wide: true,
            ..plain.clone()
        };
        check(
            wide,
            "NAME       READY   NODE   AGE\nweb        1/1     n1     5m\ndatabase   0/1            7d\n",
        );
        let labelled = TableOptions {
            show_labels: true,
            label_columns: vec!["x.io/app".to_owned()],
            ..plain.clone()
        };
        check(
            labelled,
            "NAME       READY   AGE   APP   LABELS\nweb        1/1     5m          app=web\ndatabase   0/1     7d          app=database\n",
        );
        let events = TableOptions {
            with_event: true,
            ..plain.clone()
        };
        check(
            events,
            "EVENT      NAME       READY   AGE\nADDED      web        1/1     5m\nADDED      database   0/1     7d\n",
        );
        let all = TableOptions {
            with_cluster: true,
            with_namespace: true,
            kind: Some("pod".to_owned()),
            ..plain
        };
        check(
            all,
            "CLUSTER   NAMESPACE   NAME           READY   AGE\n\
             c1        shop        pod/web        1/1     5m\n\
             c1        shop        pod/database   0/1     7d\n",
        );
    }

    #[test]
    fn cells_end_at_their_first_line_break_and_nothing_hostile_is_printed() {
        let columns = columns(&["Name", "Mes\u{1b}sage"]);
        let hostile = [
            row(&["a\x1b[2J", "one\ntwo"]),
            row(&["b", "x\u{9b}y\u{202e}z"]),
        ];
        let got =
            TablePrinter::new(TableOptions::default()).print(&[rows("c", &columns, &hostile)]);
        assert_eq!(
            got,
            "NAME     MES^[SAGE\na^[[2J   one...\nb        x\\u009by\\u202ez\n"
        );
    }

    #[test]
    fn clusters_with_other_columns_share_one_table() {
        let (old, new) = (
            columns(&["Name", "Age"]),
            columns(&["Name", "Phase", "Age"]),
        );
        let (a, b) = ([row(&["web", "5m"])], [row(&["web", "Ready", "7d"])]);
        let options = TableOptions {
            with_cluster: true,
            ..TableOptions::default()
        };
        let mut printer = TablePrinter::new(options);
        let got = printer.print(&[rows("east", &old, &a), rows("west", &new, &b)]);
        assert_eq!(
            got,
            "CLUSTER   NAME   AGE   PHASE\neast      web    5m    \nwest      web    7d    Ready\n"
        );
        assert!(printer.fits(&old) && !printer.fits(&columns(&["Name", "Other"])));
    }

    #[test]
    fn headers_come_once_and_again_when_columns_change() {
        let (one, other) = (
            columns(&["Name", "Age"]),
            columns(&["Name", "Age", "Phase"]),
        );
        let mut printer = TablePrinter::new(TableOptions::default());
        assert_eq!(printer.print(&[rows("", &one, &[])]), "");
        assert_eq!(
            printer.print(&[rows("", &one, &[row(&["a-long-name", "5m"])])]),
            "NAME          AGE\na-long-name   5m\n"
        );
        assert_eq!(
            printer.print(&[rows("", &one, &[row(&["b", "6m"])])]),
            "b             6m\n"
        );
        let changed = printer.print(&[rows("", &other, &[row(&["b", "6m", "Ready"])])]);
        assert_eq!(
            changed,
            "NAME          AGE   PHASE\nb             6m    Ready\n"
        );
    }

    /// What kubectl's printer makes of tables full of nasty text; made by tests/golden/generate.
    const GOLDEN: &str = include_str!("../../tests/golden/tables.jsonl");

    #[derive(serde::Deserialize)]
    struct Case {
        case: Description,
        out: String,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Description {
        wide: bool,
        no_headers: bool,
        labels: bool,
        namespace: bool,
        kind: String,
        columns: Vec<ColumnOf>,
        tables: Vec<Vec<RowOf>>,
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct ColumnOf {
        name: String,
        format: String,
        priority: i32,
    }

    #[derive(serde::Deserialize)]
    struct RowOf {
        #[serde(rename = "Cells")]
        cells: Vec<String>,
        #[serde(rename = "NS")]
        namespace: String,
        #[serde(rename = "Labels")]
        labels: BTreeMap<String, String>,
    }

    fn printed(case: Description) -> String {
        let mut printer = TablePrinter::new(TableOptions {
            wide: case.wide,
            no_headers: case.no_headers,
            show_labels: case.labels,
            with_namespace: case.namespace,
            kind: (!case.kind.is_empty()).then(|| case.kind.to_lowercase()),
            ..TableOptions::default()
        });
        let column = |column: ColumnOf| Column {
            name: column.name,
            names_objects: column.format == "name",
            wide_only: column.priority != 0,
        };
        let columns: Vec<_> = case.columns.into_iter().map(column).collect();
        let row = |row: RowOf| Row {
            cells: row.cells.into_iter().map(Cell::of_text).collect(),
            metadata: Metadata {
                namespace: row.namespace,
                labels: row.labels,
                ..Metadata::default()
            },
        };
        let tables = case.tables.into_iter().map(|table| {
            let table: Vec<_> = table.into_iter().map(row).collect();
            printer.print(&[rows("", &columns, &table)])
        });
        tables.collect()
    }

    #[test]
    fn as_kubectl_s_own_printer_does() {
        let cases = GOLDEN
            .lines()
            .map(|line| serde_json::from_str::<Case>(line).unwrap());
        let mut count = 0;
        for Case { case, out } in cases {
            count += 1;
            assert_eq!(printed(case), out);
        }
        assert_eq!(count, 60);
    }
}
