//! Differences for people: unified as `kubectl diff` has them, or a table of what differs where.

use super::fields::Field;
use super::{Difference, Version};
use crate::print::{Audience, sanitize, yaml};
use crate::table::{Cell, Column, Row};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Lines before and after what differs.
const CONTEXT: usize = 3;
/// A value in the table is no longer than this.
const LONGEST: usize = 60;

/// How differences are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Who reads it.
    pub audience: Audience,
    /// In colours.
    pub colour: bool,
}

/// One object: what it is, where it is missing, and how each other version differs from the first.
pub fn unified(difference: &Difference, style: Style) -> String {
    let mut text = style.bold(&title(difference));
    if !difference.missing.is_empty() {
        text += &style.paint(RED, &format!("missing in {}", list(&difference.missing)));
    }
    let Some((base, others)) = difference.versions.split_first() else {
        return text;
    };
    let document = |version: &Version| yaml::document(&version.object, style.audience);
    let before = document(base);
    for other in others {
        let after = document(other);
        text += &style.paint(RED, &format!("--- {}", whose(base)));
        text += &style.paint(GREEN, &format!("+++ {}", whose(other)));
        text += &hunks(&before, &after, style);
    }
    text
}

fn hunks(before: &str, after: &str, style: Style) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    let mut text = String::new();
    for hunk in unified.context_radius(CONTEXT).iter_hunks() {
        text += &style.paint(CYAN, &hunk.header().to_string());
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            text += &match change.tag() {
                ChangeTag::Equal => format!(" {line}\n"),
                ChangeTag::Delete => style.paint(RED, &format!("-{line}")),
                ChangeTag::Insert => style.paint(GREEN, &format!("+{line}")),
            };
        }
    }
    text
}

/// `deployment.apps/web -n shop`
fn title(difference: &Difference) -> String {
    let identity = &difference.identity;
    let namespace = match identity.namespace.as_str() {
        "" => String::new(),
        namespace => format!(" -n {namespace}"),
    };
    let title = format!("{}/{}{namespace}", difference.kind, identity.name);
    sanitize::word(&title).into_owned()
}

/// `east, north (2 clusters)`
fn whose(version: &Version) -> String {
    match version.clusters.len() {
        1 => list(&version.clusters),
        several => format!("{} ({several} clusters)", list(&version.clusters)),
    }
}

fn list(clusters: &[ClusterName]) -> String {
    let names: Vec<_> = clusters.iter().map(ClusterName::as_str).collect();
    sanitize::word(&names.join(", ")).into_owned()
}

const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

impl Style {
    fn paint(self, colour: &str, line: &str) -> String {
        match self.colour {
            true => format!("\x1b[{colour}m{line}\x1b[0m\n"),
            false => format!("{line}\n"),
        }
    }

    fn bold(self, line: &str) -> String {
        self.paint("1", line)
    }
}

/// The columns of the table of what differs where.
pub fn columns() -> Vec<Column> {
    let column = |name: &str| Column {
        name: name.to_owned(),
        names_objects: name == "Name",
        wide_only: false,
    };
    ["Name", "Differs", "Where"].map(column).into()
}

/// Its rows: a line for each image, for replicas, for where it is missing, and one for all the rest.
pub fn rows(difference: &Difference) -> Vec<Row> {
    let name = format!("{}/{}", difference.kind, difference.identity.name);
    let row = |what: String, place: String| {
        let mut row = Row {
            cells: [name.clone(), what, place].map(Cell::of_text).into(),
            ..Row::default()
        };
        row.metadata
            .namespace
            .clone_from(&difference.identity.namespace);
        row
    };
    let mut rows = Vec::new();
    if !difference.missing.is_empty() {
        rows.push(row("missing".to_owned(), list(&difference.missing)));
    }
    let (told, rest): (Vec<_>, Vec<_>) = difference
        .fields
        .iter()
        .partition(|field| field.container().is_some() || field.is_replicas());
    rows.extend(
        told.into_iter()
            .map(|field| row(field.shown(), by_value(field, difference))),
    );
    if !rest.is_empty() {
        let mut parts: Vec<&str> = rest.iter().map(|field| part(&field.path)).collect();
        parts.dedup();
        let versions: Vec<_> = difference
            .versions
            .iter()
            .map(|it| list(&it.clusters))
            .collect();
        rows.push(row(parts.join(", "), versions.join(" | ")));
    }
    rows
}

/// `.spec.template.spec...` → `spec`; what is in metadata is called by its field.
fn part(path: &str) -> &str {
    let rest = path.trim_start_matches('.');
    let rest = rest.strip_prefix("metadata.").unwrap_or(rest);
    rest.split(['.', '[']).next().unwrap_or(rest)
}

/// `3 (east, north); 5 (west)`: equal values once.
fn by_value(field: &Field, difference: &Difference) -> String {
    let mut groups: Vec<(Option<&Value>, Vec<ClusterName>)> = Vec::new();
    for (value, version) in field.values.iter().zip(&difference.versions) {
        match groups
            .iter_mut()
            .find(|(known, _)| *known == value.as_ref())
        {
            Some((_, clusters)) => clusters.extend(version.clusters.iter().cloned()),
            None => groups.push((value.as_ref(), version.clusters.clone())),
        }
    }
    let group = |(value, clusters): &(Option<&Value>, Vec<ClusterName>)| {
        format!("{} ({})", shown(*value), list(clusters))
    };
    groups.iter().map(group).collect::<Vec<_>>().join("; ")
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None => "<none>".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let length = text.chars().count();
    if length <= LONGEST {
        return text;
    }
    // The ends of images say more than their middles.
    let head = text.chars().take(LONGEST / 2);
    let tail = text.chars().skip(length - LONGEST / 2);
    head.chain("...".chars()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::{compared, web};

    fn three() -> Difference {
        let of = [
            ("east", Some(web("nginx:1.25", 3))),
            ("north", Some(web("nginx:1.25", 3))),
            ("west", Some(web("nginx:1.26", 5))),
            ("south", None),
        ];
        compared(&of).remove(0)
    }

    #[test]
    fn a_version_is_compared_with_the_one_of_the_most() {
        let style = Style::default();
        assert_eq!(
            unified(&three(), style),
            "\
deployment.apps/web -n shop
missing in south
--- east, north (2 clusters)
+++ west
@@ -4,9 +4,9 @@
   name: web
   namespace: shop
 spec:
-  replicas: 3
+  replicas: 5
   template:
     spec:
       containers:
-      - image: nginx:1.25
+      - image: nginx:1.26
         name: web
"
        );
    }

    #[test]
    fn colours_are_for_terminals_and_nothing_hostile_is_painted() {
        let of = [
            ("east", Some(web("a\x1b[2J", 1))),
            ("west", Some(web("b", 1))),
        ];
        let style = Style {
            audience: Audience::Terminal,
            colour: true,
        };
        let text = unified(&compared(&of)[0], style);
        assert!(
            text.contains("\x1b[31m-") && text.contains("\x1b[32m+"),
            "{text:?}"
        );
        assert!(!text.contains("\x1b[2J"), "{text:?}");
    }

    #[test]
    fn a_table_says_what_differs_where() {
        let shown = |row: Row| {
            let cells = row.cells.iter().map(|cell| cell.text(0));
            cells.collect::<Vec<_>>().join(" / ")
        };
        let rows: Vec<_> = rows(&three()).into_iter().map(shown).collect();
        assert_eq!(
            rows,
            [
                "deployment.apps/web / missing / south",
                "deployment.apps/web / replicas / 3 (east, north); 5 (west)",
                "deployment.apps/web / image web / nginx:1.25 (east, north); nginx:1.26 (west)",
            ]
        );
    }

    #[test]
    fn values_that_differ_in_their_last_letter_are_not_one() {
        let image = |tag| format!("registry.example.com/{}:{tag}", "team/".repeat(12));
        let of = [
            ("a", Some(web(&image("v1"), 1))),
            ("b", Some(web(&image("v2"), 1))),
        ];
        let rows = rows(&compared(&of).remove(0));
        let shown = rows[0].cells[2].text(0);
        assert!(
            shown.contains(":v1 (a); ") && shown.ends_with(":v2 (b)"),
            "{shown}"
        );
        assert!(shown.len() < 2 * image("v1").len(), "{shown}");
    }

    #[test]
    fn the_rest_of_an_object_is_one_line() {
        let mut other = web("a", 1);
        other["spec"]["paused"] = true.into();
        other["spec"]["minReadySeconds"] = 3.into();
        other["metadata"]["labels"] = serde_json::json!({"x": "y"});
        let difference = compared(&[("a", Some(web("a", 1))), ("b", Some(other))]).remove(0);
        let rows = rows(&difference);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].cells[1].text(0), "labels, spec");
        assert_eq!(rows[0].cells[2].text(0), "a | b");
    }
}
