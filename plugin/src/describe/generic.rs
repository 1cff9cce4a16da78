//! Any object, field by field: for kinds that have no describer of their own, custom ones above all.
//!
//! `genericDescriber`, `printUnstructuredContent` and `smartLabelFor` of kubectl's describe.go; words are split as
//! `github.com/fatih/camelcase` does.

use super::Subject;
use super::events;
use super::writer::{Writer, put};
use crate::print::number;
use serde_json::Value;

/// Shown at the top already, or never.
const SKIPPED: [&str; 5] = [
    ".metadata.managedFields",
    ".metadata.name",
    ".metadata.namespace",
    ".metadata.labels",
    ".metadata.annotations",
];
/// Written in capitals.
const ACRONYMS: [&str; 4] = ["API", "URL", "UID", "GUID"];

pub(super) fn describe(w: &mut Writer, subject: &Subject<'_>) {
    let object = subject.object;
    w.field(0, "Name", object.name());
    w.field(0, "Namespace", object.namespace());
    w.labels("Labels", object.at("metadata.labels"));
    w.annotations("Annotations", object.at("metadata.annotations"));
    if let Some(value) = object.value() {
        content(w, 0, value, "");
    }
    events::describe(w, subject);
}

fn content(w: &mut Writer, level: usize, object: &Value, path: &str) {
    let mut members: Vec<_> = object.as_object().into_iter().flatten().collect();
    members.sort_unstable_by_key(|(name, _)| name.as_str());
    for (name, value) in members {
        let path = format!("{path}.{name}");
        if SKIPPED.contains(&path.as_str()) {
            continue;
        }
        let label = label(name);
        match value {
            Value::Object(_) => {
                put!(w, level, "{label}:\n");
                content(w, level + 1, value, &path);
            }
            Value::Array(items) => {
                put!(w, level, "{label}:\n");
                for item in items {
                    match item {
                        Value::Object(_) => content(w, level + 1, item, &path),
                        item => put!(w, level + 1, "{}\n", plain(item)),
                    }
                }
            }
            value => w.field(level, &label, plain(value)),
        }
    }
}

/// A value as Go's `%v` prints it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number::plain_text(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(plain).collect::<Vec<_>>().join(" ")
        ),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            let members = members
                .into_iter()
                .map(|(name, value)| format!("{name}:{}", plain(value)));
            format!("map[{}]", members.collect::<Vec<_>>().join(" "))
        }
    }
}

/// `podCIDRs` is `Pod CIDRs`. What has other characters than letters stays as it is.
fn label(field: &str) -> String {
    if field.contains(|c: char| !c.is_alphabetic() && c != '-') {
        return field.to_owned();
    }
    let words = merged(split(field));
    let words = words.into_iter().map(|word| {
        let upper = word.to_uppercase();
        match () {
            () if ACRONYMS.contains(&upper.as_str()) => upper,
            () if word.to_lowercase() == word => titled(&word),
            () => word,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Between characters of different classes; the last capital belongs to the small letters after it.
fn split(text: &str) -> Vec<String> {
    let class = |c: char| match c {
        c if c.is_lowercase() => 1,
        c if c.is_uppercase() => 2,
        c if c.is_numeric() => 3,
        _ => 4,
    };
    let mut words: Vec<Vec<char>> = Vec::new();
    let mut before = 0;
    for c in text.chars() {
        let now = class(c);
        match words.last_mut() {
            Some(word) if now == before => word.push(c),
            _ => words.push(vec![c]),
        }
        before = now;
    }
    for at in 1..words.len() {
        let starts = |word: &Vec<char>, is: fn(char) -> bool| word.first().is_some_and(|c| is(*c));
        if starts(&words[at - 1], char::is_uppercase)
            && starts(&words[at], char::is_lowercase)
            && let Some(last) = words[at - 1].pop()
        {
            words[at].insert(0, last);
        }
    }
    let words = words.into_iter().filter(|word| !word.is_empty());
    words.map(|word| word.into_iter().collect()).collect()
}

/// Capitals and what begins with one are one word: `CID`, `Rs`.
fn merged(words: Vec<String>) -> Vec<String> {
    let mut merged: Vec<String> = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(mut word) = words.next() {
        let capitals =
            word.len() >= 2 && word.chars().all(|c| !c.is_alphabetic() || c.is_uppercase());
        // Go looks at the first byte here.
        let next =
            words.next_if(|next| capitals && next.starts_with(|c: char| c.is_ascii_uppercase()));
        word.extend(next);
        merged.push(word);
    }
    merged
}

fn titled(word: &str) -> String {
    let mut rest = word.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_of_fields() {
        for (field, want) in [
            ("creationTimestamp", "Creation Timestamp"),
            ("apiVersion", "API Version"),
            ("uid", "UID"),
            ("podCIDRs", "Pod CIDRs"),
            ("podCIDR", "Pod CIDR"),
            ("clusterIPs", "Cluster I Ps"),
            ("externalURL", "External URL"),
            ("HTTPSProxy", "HTTPSProxy"),
            ("with-dash", "With - Dash"),
            ("v1", "v1"),
            ("f:spec", "f:spec"),
            ("IDs", "I Ds"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
            ("größe", "Größe"),
        ] {
            assert_eq!(label(field), want, "{field}");
        }
    }

    #[test]
    fn values_as_go_prints_them() {
        let value = json!({"a": [1, 2.5, null, true, "on", [1, {"z": 1, "b": "x"}]], "f": 1e21, "i": 1000000, "m": {}});
        let mut w = Writer::new();
        content(&mut w, 0, &value, "");
        let want = "A:\n  1\n  2.5\n  <nil>\n  true\n  on\n  [1 map[b:x z:1]]\nF:  1e+21\nI:  1000000\nM:\n";
        assert_eq!(w.finish(), want);
    }
}
