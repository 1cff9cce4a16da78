//! What describers write to: lines at levels, whose tabs become columns.
//!
//! kubectl's `PrefixWriter` over Go's own tabwriter (no least width, 2 spaces between columns), and the blocks that
//! many describers share: labels, annotations, tolerations, taints.

use super::field::Field;
use crate::print::sanitize;
use crate::print::tabwriter::TabWriter;
use std::fmt;

/// An annotation longer than this, in bytes, stands on lines of its own, cut.
const LONGEST: usize = 140;
/// Annotations that are never shown: what `kubectl apply` and the redaction of Secrets leave.
const HIDDEN: [&str; 3] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    super::config::REDACTED,
    super::config::LENGTHS,
];

/// Writes formatted text at a level.
macro_rules! put {
    ($writer:expr, $level:expr, $($format:tt)*) => {
        $writer.write($level, format_args!($($format)*))
    };
}
pub(super) use put;

/// Gathers lines and aligns them.
#[derive(Debug)]
pub(super) struct Writer {
    tabs: TabWriter,
    /// Levels that are added to each.
    nested: usize,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            tabs: TabWriter::plain(),
            nested: 0,
        }
    }

    /// Text at a level, two spaces each. Line breaks in it are lines, tabs are columns, everything else that a terminal
    /// could obey is made visible.
    pub(super) fn write(&mut self, level: usize, text: fmt::Arguments<'_>) {
        let text = format!("{}{text}", "  ".repeat(level + self.nested));
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.tabs.write("\n");
            }
            self.tabs.write(&sanitize::line(line));
        }
    }

    /// `name:`, a column, a value.
    pub(super) fn field(&mut self, level: usize, name: &str, value: impl fmt::Display) {
        put!(self, level, "{name}:\t{value}\n");
    }

    /// Deeper by some levels while `write` is at it.
    pub(super) fn nest(&mut self, levels: usize, write: impl FnOnce(&mut Self)) {
        self.nested += levels;
        write(self);
        self.nested -= levels;
    }

    /// Everything, aligned.
    pub(super) fn finish(mut self) -> String {
        self.tabs.flush();
        self.tabs.take()
    }

    /// The labels of an object, one a line.
    pub(super) fn labels(&mut self, title: &str, labels: Field<'_>) {
        self.labels_indented("", title, labels);
    }

    /// Labels whose title is not at the beginning of the line.
    pub(super) fn labels_indented(&mut self, indent: &str, title: &str, labels: Field<'_>) {
        let lines = labels.map().into_iter();
        let lines = lines.map(|(key, value)| format!("{key}={value}")).collect();
        self.column(indent, title, lines);
    }

    /// A title, and beside it one line below the other.
    pub(super) fn column(&mut self, indent: &str, title: &str, lines: Vec<String>) {
        put!(self, 0, "{indent}{title}:\t");
        if lines.is_empty() {
            put!(self, 0, "<none>\n");
        }
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                put!(self, 0, "{indent}");
                put!(self, 0, "\t");
            }
            put!(self, 0, "{line}\n");
        }
    }

    /// The annotations of an object; long ones and those of several lines on lines of their own.
    pub(super) fn annotations(&mut self, title: &str, annotations: Field<'_>) {
        put!(self, 0, "{title}:\t");
        let shown = annotations.map().into_iter();
        let shown: Vec<_> = shown.filter(|(key, _)| !HIDDEN.contains(key)).collect();
        if shown.is_empty() {
            put!(self, 0, "<none>\n");
        }
        for (index, (key, value)) in shown.into_iter().enumerate() {
            if index > 0 {
                put!(self, 0, "\t");
            }
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 > LONGEST || value.contains('\n') {
                put!(self, 0, "{key}:\n");
                for line in value.split('\n') {
                    put!(self, 0, "\t  {}\n", shortened(line, LONGEST - 2));
                }
            } else {
                put!(self, 0, "{key}: {value}\n");
            }
        }
    }

    /// What a pod tolerates, in the order of the keys.
    pub(super) fn tolerations(&mut self, title: &str, tolerations: Field<'_>) {
        let mut sorted: Vec<_> = tolerations.items().collect();
        sorted.sort_by_key(|toleration| toleration.member("key").text());
        self.column("", title, sorted.into_iter().map(toleration).collect());
    }

    /// What keeps pods from a node, by effect and key.
    pub(super) fn taints(&mut self, title: &str, taints: Field<'_>) {
        let mut sorted: Vec<_> = taints.items().collect();
        sorted.sort_by_key(|taint| {
            format!(
                "{},{}",
                taint.member("effect").text(),
                taint.member("key").text()
            )
        });
        self.column("", title, sorted.into_iter().map(taint).collect());
    }
}

/// `a=1,b=2`, or `<none>`.
pub(super) fn joined(map: Field<'_>) -> String {
    let pairs = map.map().into_iter();
    let pairs = pairs.map(|(key, value)| format!("{key}={value}"));
    match pairs.collect::<Vec<_>>().join(",") {
        none if none.is_empty() => "<none>".to_owned(),
        pairs => pairs,
    }
}

/// At most so many bytes, and dots for the rest. kubectl cuts a character in two; here it is left out.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}...", &text[..text.floor_char_boundary(most)])
}

fn toleration(toleration: Field<'_>) -> String {
    let [key, value, effect] =
        ["key", "value", "effect"].map(|name| toleration.member(name).text());
    let mut line = key.to_owned();
    if !value.is_empty() {
        line += &format!("={value}");
    }
    if !effect.is_empty() {
        line += &format!(":{effect}");
    }
    if toleration.member("operator").text() == "Exists" && value.is_empty() {
        let everything = key.is_empty() && effect.is_empty();
        line += if everything {
            "op=Exists"
        } else {
            " op=Exists"
        };
    }
    if let Some(seconds) = toleration.member("tolerationSeconds").some() {
        line += &format!(" for {}s", seconds.int());
    }
    line
}

fn taint(taint: Field<'_>) -> String {
    let [key, value, effect] = ["key", "value", "effect"].map(|name| taint.member(name).text());
    match (value, effect) {
        ("", "") => key.to_owned(),
        (value, "") => format!("{key}={value}:"),
        ("", effect) => format!("{key}:{effect}"),
        (value, effect) => format!("{key}={value}:{effect}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new();
        write(&mut writer);
        writer.finish()
    }

    fn check(value: &Value, write: impl FnOnce(&mut Writer, Field<'_>), want: &str) {
        assert_eq!(written(|writer| write(writer, Field::of(value))), want);
    }

    #[test]
    fn columns_are_two_apart_and_no_wider_than_they_must() {
        let text = written(|writer| {
            writer.field(0, "Name", "x");
            writer.field(0, "Long Name", "y");
            writer.field(1, "In", "z");
        });
        assert_eq!(text, "Name:       x\nLong Name:  y\n  In:       z\n");
    }

    #[test]
    fn labels_stand_below_each_other() {
        check(
            &json!({"b": "2", "a": "1"}),
            |w, f| w.labels("Labels", f),
            "Labels:  a=1\n         b=2\n",
        );
        check(
            &json!({}),
            |w, f| w.labels("Labels", f),
            "Labels:  <none>\n",
        );
    }

    #[test]
    fn long_annotations_are_cut_and_some_are_hidden() {
        let long = "x".repeat(200);
        let value =
            json!({"a": "1", "b": "one\ntwo\n", "c": long, HIDDEN[0]: "{}", HIDDEN[1]: "true"});
        let want = format!(
            "Annotations:  a: 1\n              b:\n                one\n                two\n              c:\n\
             \x20               \
             {}...\n",
            "x".repeat(138)
        );
        check(&value, |w, f| w.annotations("Annotations", f), &want);
        check(
            &json!({HIDDEN[0]: "{}"}),
            |w, f| w.annotations("Annotations", f),
            "Annotations:  <none>\n",
        );
    }

    #[test]
    fn tolerations_and_taints() {
        let tolerations = json!([
            {"key": "b", "operator": "Equal", "value": "1", "effect": "NoSchedule"},
            {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"operator": "Exists"},
        ]);
        let want = "T:  op=Exists\n    a:NoExecute op=Exists for 300s\n    b=1:NoSchedule\n";
        check(&tolerations, |w, f| w.tolerations("T", f), want);
        let taints = json!([{"key": "k", "effect": "NoSchedule"}, {"key": "d", "value": "gpu", "effect": "NoExecute"}]);
        check(
            &taints,
            |w, f| w.taints("T", f),
            "T:  d=gpu:NoExecute\n    k:NoSchedule\n",
        );
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_and_lines_stay() {
        assert_eq!(
            written(|w| w.field(0, "A", "\x1b[2J\r\x07x\ny")),
            "A:  ^[[2J\\r^Gx\ny\n"
        );
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(shortened("aé", 2), "a...");
        assert_eq!(shortened("aé", 3), "aé");
    }
}
