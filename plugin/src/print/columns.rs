//! `-o custom-columns` and `custom-columns-file`: `NAME:.metadata.name,IMAGE:.spec.containers[*].image`.
//!
//! kubectl's customcolumn.go and customcolumn_flags.go.

use super::jsonpath::{SyntaxError, Template};
use super::tabwriter::TabWriter;
use super::{Audience, sanitize};
use serde_json::Value;

/// Columns as a person chose them.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    columns: Vec<(String, Template)>,
    headers: bool,
}

impl Columns {
    /// Reads `HEADER:path,HEADER:path`.
    ///
    /// # Errors
    /// In kubectl's words, and where the mistake is.
    pub fn parse(spec: &str, headers: bool) -> Result<Self, SyntaxError> {
        if spec.is_empty() {
            return Err(nothing_given());
        }
        let mut columns = Vec::new();
        let mut begin = 0;
        for part in spec.split(',') {
            let Some((header, path)) = part.split_once(':') else {
                let message = format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                );
                return Err(SyntaxError { message, at: begin });
            };
            let at = begin + header.len() + 1;
            columns.push((header.to_owned(), template(path, at)?));
            begin += part.len() + 1;
        }
        Ok(Self { columns, headers })
    }

    /// Reads a file: one line of headers, one of paths.
    ///
    /// # Errors
    /// In kubectl's words.
    pub fn parse_file(text: &str) -> Result<Self, SyntaxError> {
        let mut lines = text.lines();
        let mut line = |what: &str| {
            lines.next().ok_or_else(|| SyntaxError {
                message: format!(
                    "invalid template, missing {what} line. Expected format is one line of space separated headers, one \
                     line of space separated column specs."
                ),
                at: text.len(),
            })
        };
        let headers: Vec<_> = line("header")?.split_whitespace().collect();
        let specs = line("spec")?;
        let begin = text.find('\n').map_or(0, |end| end + 1);
        let paths: Vec<_> = specs.split_whitespace().collect();
        if headers.len() != paths.len() {
            let (headers, paths) = (headers.len(), paths.len());
            return Err(SyntaxError {
                message: format!(
                    "number of headers ({headers}) and field specifications ({paths}) don't match"
                ),
                at: begin,
            });
        }
        let columns = headers.into_iter().zip(paths).map(|(header, path)| {
            let at = begin + specs.find(path).unwrap_or(0);
            Ok((header.to_owned(), template(path, at)?))
        });
        Ok(Self {
            columns: columns.collect::<Result<_, SyntaxError>>()?,
            headers: true,
        })
    }

    /// The cells of an object.
    fn row(&self, object: &Value, audience: Audience) -> Result<Vec<String>, String> {
        let cell = |(_, template): &(String, Template)| {
            let found = template.find(object)?;
            let none = found.first().is_none_or(Vec::is_empty);
            let values = found
                .iter()
                .flatten()
                .map(|item| escaped(&item.plain(), audience));
            let texts: Vec<_> = none
                .then(|| "<none>".to_owned())
                .into_iter()
                .chain(values)
                .collect();
            Ok(texts.join(","))
        };
        self.columns.iter().map(cell).collect()
    }
}

/// kubectl's own words.
pub fn nothing_given() -> SyntaxError {
    SyntaxError {
        message: "custom-columns format specified but no custom columns given".to_owned(),
        at: 0,
    }
}

fn template(path: &str, at: usize) -> Result<Template, SyntaxError> {
    Template::parse_relaxed(path).map_err(|error| SyntaxError {
        at: at + error.at,
        ..error
    })
}

/// kubectl's `EscapeTerminal`; for a terminal all that it could obey.
fn escaped(text: &str, audience: Audience) -> String {
    match audience {
        Audience::Program => text.replace('\u{1b}', "^[").replace('\r', "\\r"),
        Audience::Terminal => sanitize::text(text).into_owned(),
    }
}

/// Prints objects as rows; widths are remembered from one batch to the next.
#[derive(Debug)]
pub struct ColumnsPrinter {
    columns: std::sync::Arc<Columns>,
    audience: Audience,
    writer: TabWriter,
    headed: bool,
}

impl ColumnsPrinter {
    /// A printer that has printed nothing yet.
    pub fn new(columns: std::sync::Arc<Columns>, audience: Audience) -> Self {
        Self {
            headed: !columns.headers,
            columns,
            audience,
            writer: TabWriter::new(),
        }
    }

    /// Adds an object's row; `cluster` is a column before all others.
    ///
    /// # Errors
    /// In client-go's words.
    pub fn add(&mut self, object: &Value, cluster: Option<&str>) -> Result<(), String> {
        self.head(cluster.is_some());
        let mut row = self.columns.row(object, self.audience)?;
        if cluster.is_some() {
            // No cluster writes a line that looks like another's.
            row.iter_mut()
                .for_each(|cell| *cell = sanitize::word(cell).into_owned());
        }
        self.line(
            cluster.map(|cluster| sanitize::word(cluster).into_owned()),
            row,
        );
        Ok(())
    }

    /// The rows since this was last called, aligned.
    pub fn batch(&mut self) -> String {
        self.writer.flush();
        self.writer.take()
    }

    /// The end: the headers, if there was no row.
    pub fn end(&mut self, with_cluster: bool) -> String {
        self.head(with_cluster);
        self.batch()
    }

    fn head(&mut self, with_cluster: bool) {
        if !std::mem::replace(&mut self.headed, true) {
            let headers = self
                .columns
                .columns
                .iter()
                .map(|(header, _)| header.clone())
                .collect();
            self.line(with_cluster.then(|| "CLUSTER".to_owned()), headers);
        }
    }

    fn line(&mut self, first: Option<String>, cells: Vec<String>) {
        let cells: Vec<_> = first.into_iter().chain(cells).collect();
        self.writer.write(&(cells.join("\t") + "\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn printed(spec: &str, cluster: Option<&str>) -> String {
        let columns = Arc::new(Columns::parse(spec, true).unwrap());
        let mut printer = ColumnsPrinter::new(columns, Audience::Program);
        for object in [
            json!({"metadata": {"name": "web", "labels": {"a": "1", "b": "2"}}, "spec": {"n": 3, "l": ["x", null, 1.5]}}),
            json!({"metadata": {"name": "a\u{1b}longer-name"}}),
        ] {
            printer.add(&object, cluster).unwrap();
        }
        printer.batch() + &printer.end(cluster.is_some())
    }

    #[test]
    fn as_kubectl_prints_them() {
        assert_eq!(
            printed(
                "NAME:.metadata.name,N:{spec.n},LABELS:metadata.labels,L:.spec.l[*],ALL:.spec.l",
                None
            ),
            "NAME              N        LABELS         L             ALL\n\
             web               3        map[a:1 b:2]   x,<nil>,1.5   [x <nil> 1.5]\n\
             a^[longer-name    <none>   <none>         <none>        <none>\n"
                .replace("NAME              N", "NAME             N")
                .replace("web               3", "web              3")
                .replace("a^[longer-name    <", "a^[longer-name   <")
        );
        assert_eq!(
            printed("NAME:.metadata.name", Some("east")),
            "CLUSTER   NAME\neast      web\neast      a^[longer-name\n"
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_kubectl_s_words() {
        for (spec, message, at) in [
            (
                "",
                "custom-columns format specified but no custom columns given",
                0,
            ),
            (
                "A:.a,B",
                "unexpected custom-columns spec: B, expected <header>:<json-path-expr>",
                5,
            ),
            (
                "A:.a,B:{x",
                "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
                7,
            ),
            ("A:.a[x]", "invalid array index x", 5),
            ("A:a[x]", "invalid array index x", 4),
            ("A:{.a[x]}", "invalid array index x", 6),
        ] {
            let error = Columns::parse(spec, true).unwrap_err();
            assert_eq!((error.message.as_str(), error.at), (message, at), "{spec}");
        }
    }

    #[test]
    fn files() {
        let columns = Columns::parse_file("NAME  N\n metadata.name   .spec.n\nmore").unwrap();
        assert_eq!(
            columns,
            Columns::parse("NAME:metadata.name,N:.spec.n", true).unwrap()
        );
        for (file, why) in [
            ("", "invalid template, missing header line"),
            ("A B\n", "invalid template, missing spec line"),
            (
                "A B\n.a",
                "number of headers (2) and field specifications (1) don't match",
            ),
        ] {
            let message = Columns::parse_file(file).unwrap_err().message;
            assert!(message.starts_with(why), "{message}");
        }
    }

    #[test]
    fn no_cluster_writes_a_line_that_looks_like_another_s() {
        let columns = Arc::new(Columns::parse("A:.a", false).unwrap());
        let mut printer = ColumnsPrinter::new(columns, Audience::Program);
        let forged = json!({"a": "x\nprod\ty"});
        printer.add(&forged, Some("lab")).unwrap();
        assert_eq!(printer.batch(), "lab   x^Jprod^Iy\n");
    }

    #[test]
    fn an_error_of_an_object_leaves_what_came_before() {
        let columns = Arc::new(Columns::parse("A:.a[1]", true).unwrap());
        let mut printer = ColumnsPrinter::new(columns, Audience::Program);
        printer.add(&json!({"a": [1, 2]}), None).unwrap();
        let error = printer.add(&json!({"a": [1]}), None).unwrap_err();
        assert_eq!(error, "array index out of bounds: index 1, length 1");
        assert_eq!(printer.batch(), "A\n2\n");
    }
}
