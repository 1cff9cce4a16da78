//! One value of the file changed, and everything else left as it is: comments, order, quotes.
//!
//! The change is made to lines, as a person would make it. What comes out is read again: where it does not say exactly
//! what the old text said plus the change (an anchor, a key over several lines, a document that is one flow), the file is
//! written anew, and its comments are lost.

use serde_yaml::{Mapping, Value};
use std::ops::Range;

/// A text with a change in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// What was not changed is as it was; otherwise comments and order are lost.
    pub is_kept: bool,
}

/// What to do at a path of keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It has this value from now on.
    Set(Value),
    /// It is not there any more. Nor is what would be empty without it.
    Remove,
}

/// Makes a change at a path of keys. None: the text is no mapping, or something on the path is none.
pub fn edit(text: &str, path: &[&str], change: &Change) -> Option<Edited> {
    let before: Value = serde_yaml::from_str(text).ok()?;
    let mut wanted = match before {
        Value::Null => Mapping::new(),
        Value::Mapping(mapping) => mapping,
        _ => return None,
    };
    let before = wanted.clone();
    apply(&mut wanted, path, change)?;
    if wanted == before {
        return Some(Edited {
            text: text.to_owned(),
            is_kept: true,
        });
    }
    let by_line = match change {
        Change::Set(value) => set(text, path, value),
        Change::Remove => remove(text, path),
    };
    let says = |text: &String| match serde_yaml::from_str(text) {
        Ok(Value::Mapping(mapping)) => mapping == wanted,
        Ok(Value::Null) => wanted.is_empty(),
        _ => false,
    };
    if let Some(text) = by_line.filter(says) {
        return Some(Edited {
            text,
            is_kept: true,
        });
    }
    let had_comments = text.lines().any(|line| line.trim_start().starts_with('#'));
    Some(Edited {
        text: serde_yaml::to_string(&wanted).ok()?,
        is_kept: !had_comments && !text.contains(" #"),
    })
}

fn apply(mapping: &mut Mapping, path: &[&str], change: &Change) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let key = Value::from(*first);
    match (rest, change) {
        ([], Change::Set(value)) => _ = mapping.insert(key, value.clone()),
        ([], Change::Remove) => _ = mapping.remove(&key),
        (rest, change) => {
            let inner = mapping.entry(key.clone()).or_insert(Value::Null);
            if inner.is_null() {
                *inner = Mapping::new().into();
            }
            apply(inner.as_mapping_mut()?, rest, change)?;
            if *change == Change::Remove && inner.as_mapping().is_some_and(Mapping::is_empty) {
                mapping.remove(&key);
            }
        }
    }
    Some(())
}

/// Where an entry of a block mapping is.
struct Entry {
    /// Its line.
    line: usize,
    indent: usize,
    /// The lines of its value below it.
    below: Range<usize>,
}

/// Whether a line says something: it is not empty, a comment, or a document's mark.
fn is_said(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && line != "---"
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The key of a line `key: ...`, and what stands behind the colon.
fn key_of(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start();
    let (key, rest) = match line.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = line.get(1..)?.find(quote)? + 2;
            let key = serde_yaml::from_str(line.get(..end)?).ok()?;
            (key, line.get(end..)?.trim_start().strip_prefix(':')?)
        }
        _ => {
            let (key, rest) = line
                .split_once(": ")
                .or_else(|| Some((line.trim_end().strip_suffix(':')?, "")))?;
            (key.trim_end().to_owned(), rest)
        }
    };
    Some((key, rest))
}

fn find(lines: &[&str], within: Range<usize>, key: &str) -> Option<Entry> {
    let first = within.clone().find(|at| is_said(lines[*at]))?;
    let indent = indent_of(lines[first]);
    let at = within.clone().find(|at| {
        let line = lines[*at];
        let is_entry = is_said(line) && indent_of(line) == indent;
        is_entry && key_of(line).is_some_and(|(known, _)| known == key)
    })?;
    let belongs = |line: &str| {
        let is_item = indent_of(line) == indent && line.trim_start().starts_with("- ");
        !is_said(line) || indent_of(line) > indent || is_item
    };
    let rest = at + 1..within.end;
    let end = rest
        .clone()
        .find(|at| !belongs(lines[*at]))
        .unwrap_or(rest.end);
    // Comments and empty lines before the next entry are the next one's.
    let last = (rest.start..end).rev().find(|at| is_said(lines[*at]));
    Some(Entry {
        line: at,
        indent,
        below: rest.start..last.map_or(rest.start, |at| at + 1),
    })
}

/// The deepest entry of the path that is there, and how many keys of the path lead to it.
fn deepest(lines: &[&str], path: &[&str]) -> Option<(Entry, usize)> {
    let mut within = 0..lines.len();
    let mut found = None;
    for (depth, key) in path.iter().enumerate() {
        let Some(entry) = find(lines, within, key) else {
            break;
        };
        within = entry.below.clone();
        found = Some((entry, depth + 1));
    }
    found
}

fn set(text: &str, path: &[&str], value: &Value) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let Some((entry, depth)) = deepest(&lines, path) else {
        let added = block(path, value, 0)?;
        return Some(joined(&lines) + &added);
    };
    let rest = &path[depth..];
    let key = path[depth - 1];
    let (_, inline) = key_of(lines[entry.line])?;
    let comment = inline.get(code(inline).len()..).unwrap_or_default().trim();
    let added = match (rest, code(inline)) {
        ([], _) => block(&[key], value, entry.indent)?,
        // Something below it: one entry more there.
        (rest, "") => {
            let deeper = entry.below.clone().find(|at| is_said(lines[*at]));
            let indent = deeper.map_or(entry.indent + 2, |at| indent_of(lines[at]));
            let added = block(rest, value, indent)?;
            let after = entry.below.end.max(entry.line + 1);
            let (head, tail) = lines.split_at(after);
            return Some(joined(head) + &added + &joined(tail));
        }
        (rest, flow) => reflowed(key, flow, rest, &Change::Set(value.clone()), entry.indent)?,
    };
    let added = with_comment(added, comment);
    lines.drain(entry.below.clone());
    let (head, tail) = (&lines[..entry.line], &lines[entry.line + 1..]);
    Some(joined(head) + &added + &joined(tail))
}

/// Puts the comment of the line that was there at the end of the first one.
fn with_comment(added: String, comment: &str) -> String {
    match (comment, added.split_once('\n')) {
        ("", _) | (_, None) => added,
        (comment, Some((first, rest))) => format!("{first} {comment}\n{rest}"),
    }
}

/// A flow as a block, with a change in it; nothing if it is empty then.
fn reflowed(
    key: &str,
    flow: &str,
    path: &[&str],
    change: &Change,
    indent: usize,
) -> Option<String> {
    let mut mapping: Mapping = serde_yaml::from_str(flow).ok()?;
    apply(&mut mapping, path, change)?;
    match mapping.is_empty() {
        true => Some(String::new()),
        false => block(&[key], &mapping.into(), indent),
    }
}

fn remove(text: &str, path: &[&str]) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let (entry, depth) = deepest(&lines, path)?;
    let (key, rest) = (path[depth - 1], &path[depth..]);
    let instead = match rest {
        [] => String::new(),
        rest => {
            let (_, inline) = key_of(lines[entry.line])?;
            let comment = inline.get(code(inline).len()..).unwrap_or_default().trim();
            let left = reflowed(key, code(inline), rest, &Change::Remove, entry.indent)?;
            with_comment(left, comment)
        }
    };
    let end = entry.below.end.max(entry.line + 1);
    let text = joined(&lines[..entry.line]) + &instead + &joined(&lines[end..]);
    let above = &path[..depth - 1];
    let is_empty = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        let (entry, depth) = deepest(&lines, above)?;
        let says = entry.below.clone().any(|at| is_said(lines[at]));
        let (_, inline) = key_of(lines[entry.line])?;
        Some(depth == above.len() && !says && code(inline).is_empty())
    };
    if instead.is_empty() && !above.is_empty() && is_empty(&text)? {
        return remove(&text, above);
    }
    Some(text)
}

fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What stands before a comment. A `#` in quotes after a space is taken for one, which is noticed when it is read again.
fn code(inline: &str) -> &str {
    let inline = match inline.trim_start().starts_with('#') {
        true => "",
        false => inline.split(" #").next().unwrap_or_default(),
    };
    inline.trim_end()
}

/// Nested keys with a value, as a block: a mapping has a line for each of its entries, a list is a flow.
fn block(path: &[&str], value: &Value, indent: usize) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let margin = " ".repeat(indent);
    let key = word(first)?;
    if !rest.is_empty() {
        let inner = block(rest, value, indent + 2)?;
        return Some(format!("{margin}{key}:\n{inner}"));
    }
    let shown = match value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            let mut inner = String::new();
            for (key, value) in mapping {
                inner += &block(&[key.as_str()?], value, indent + 2)?;
            }
            return Some(format!("{margin}{key}:\n{inner}"));
        }
        Value::String(text) => word(text)?,
        Value::Sequence(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| word(item.as_str()?)).collect();
            format!("[{}]", items?.join(", "))
        }
        other => serde_json::to_string(other).ok()?,
    };
    Some(format!("{margin}{key}: {shown}\n"))
}

/// A text that is read as that text wherever it stands: plain, or in quotes.
fn word(text: &str) -> Option<String> {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '~' | '@');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let is_text = matches!(serde_yaml::from_str(text), Ok(Value::String(same)) if same == text);
    // `10s`, `256Mi`: a number with a unit is no number.
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let measured = unit.len() < text.len() && unit.chars().all(|c| c.is_ascii_alphabetic());
    let plain =
        (begins || measured) && is_text && text.chars().all(is_plain) && !text.ends_with(':');
    match plain {
        true => Some(text.to_owned()),
        false => serde_json::to_string(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "\
# Mine.
broker: mqtts://broker.example.com # the big one

current-profile: prod
profiles:
  # For work.
  prod: {cluster: [\"@eu\", us-1], timeout: 10s}
  lab:
    broker: tcp://127.0.0.1:1883

# Who is where.
groups:
  eu: [\"eu-*\", \"!eu-old\"]
";

    fn set_in(text: &str, path: &[&str], value: impl Into<Value>) -> Edited {
        edit(text, path, &Change::Set(value.into())).unwrap()
    }

    /// The lines that are new, and those that are gone.
    fn difference(path: &[&str], change: Change) -> (String, String) {
        let edited = edit(FILE, path, &change).unwrap();
        assert!(edited.is_kept, "{}", edited.text);
        let only = |these: &str, those: &str| {
            let lines = these
                .lines()
                .filter(|line| !those.lines().any(|it| it == *line));
            lines.collect::<Vec<_>>().join("|")
        };
        (only(&edited.text, FILE), only(FILE, &edited.text))
    }

    #[track_caller]
    fn check(path: &[&str], value: impl Into<Value>, new: &str, gone: &str) {
        let (added, removed) = difference(path, Change::Set(value.into()));
        assert_eq!((added.as_str(), removed.as_str()), (new, gone));
    }

    #[test]
    fn one_line_is_changed_and_its_comment_stays() {
        check(
            &["broker"],
            "mqtts://other",
            "broker: mqtts://other # the big one",
            "broker: mqtts://broker.example.com # the big one",
        );
        check(
            &["current-profile"],
            "lab",
            "current-profile: lab",
            "current-profile: prod",
        );
    }

    #[test]
    fn a_key_that_was_not_there_is_added_where_it_belongs() {
        check(&["timeout"], "3s", "timeout: 3s", "");
        check(
            &["profiles", "lab", "username"],
            "me",
            "    username: me",
            "",
        );
        check(
            &["profiles", "new", "broker"],
            "tcp://h",
            "  new:|    broker: tcp://h",
            "",
        );
        let us: Value = vec!["us-*", "!us-old"].into();
        check(&["groups", "us"], us, "  us: [\"us-*\", \"!us-old\"]", "");
        let text = set_in(FILE, &["profiles", "lab", "username"], "me").text;
        let place = text.find("    username").unwrap();
        assert!(place < text.find("# Who is where").unwrap(), "{text}");
    }

    #[test]
    fn a_flow_becomes_a_block_when_something_in_it_changes() {
        check(
            &["profiles", "prod", "timeout"],
            "3s",
            "  prod:|    cluster: [\"@eu\", us-1]|    timeout: 3s",
            "  prod: {cluster: [\"@eu\", us-1], timeout: 10s}",
        );
    }

    #[test]
    fn what_is_removed_leaves_the_rest_alone() {
        let (added, gone) = difference(&["profiles", "prod"], Change::Remove);
        assert_eq!(added, "");
        assert_eq!(gone, "  prod: {cluster: [\"@eu\", us-1], timeout: 10s}");
        let (_, gone) = difference(&["broker"], Change::Remove);
        assert_eq!(gone, "broker: mqtts://broker.example.com # the big one");
        let edited = edit(FILE, &["groups", "eu"], &Change::Remove).unwrap();
        assert!(
            edited.is_kept && edited.text.contains("# For work."),
            "{}",
            edited.text
        );
        assert!(
            !edited.text.contains("groups:"),
            "an empty section goes too: {}",
            edited.text
        );
    }

    #[test]
    fn a_flow_loses_an_entry_and_goes_with_its_last_one() {
        let text = "# mine\ngroups: {a: [x], b: [y]} # two\ntimeout: 1s\n";
        let edited = edit(text, &["groups", "a"], &Change::Remove).unwrap();
        assert_eq!(
            edited.text,
            "# mine\ngroups: # two\n  b: [y]\ntimeout: 1s\n"
        );
        let edited = edit(&edited.text, &["groups", "b"], &Change::Remove).unwrap();
        assert_eq!(edited.text, "# mine\ntimeout: 1s\n");
    }

    #[test]
    fn an_empty_file_gets_its_first_line() {
        for text in ["", "# nothing yet\n", "---\n"] {
            let edited = set_in(text, &["profiles", "lab", "broker"], "tcp://h:1");
            let want = format!("{text}profiles:\n  lab:\n    broker: tcp://h:1\n");
            assert_eq!(edited.text, want);
        }
    }

    #[test]
    fn what_cannot_be_edited_by_lines_is_written_anew_and_that_is_told() {
        let text = "# mine\nprofiles: &all\n  lab: {broker: x}\nextra: *all\n";
        let edited = set_in(text, &["profiles", "lab", "username"], "me");
        assert!(!edited.is_kept, "{}", edited.text);
        let flow = "{broker: tcp://a, timeout: 1s}\n";
        let edited = set_in(flow, &["broker"], "tcp://b");
        let said: Mapping = serde_yaml::from_str(&edited.text).unwrap();
        assert_eq!(said.get("broker").unwrap(), "tcp://b");
        assert!(edited.is_kept, "nothing was lost");
        assert_eq!(edit("- a\n", &["broker"], &Change::Remove), None);
    }

    #[test]
    fn words_are_read_as_they_were_meant() {
        for text in [
            "yes", "1_000", "a: b", "#x", "", " x ", "null", "*", "!x", "@eu", "é", "a#b", "12:30",
        ] {
            let edited = set_in("", &["key"], text);
            let said: Mapping = serde_yaml::from_str(&edited.text).unwrap();
            assert_eq!(said.get("key").unwrap(), text, "{}", edited.text);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_layout_the_change_is_made_and_nothing_else(
            gaps in prop::collection::vec(0..3_usize, 4),
            key in prop::sample::select(vec!["broker", "timeout", "new"]),
            within in prop::sample::select(vec![None, Some("lab"), Some("prod"), Some("more")]),
            value in "[a-z:#'\" {}-]{0,8}",
        ) {
            let gap = |at: usize| ["", "\n", "  # between\n"][gaps[at]];
            let text = format!(
                "broker: a\n{}profiles:\n{}  lab:\n      timeout: 1s\n{}  prod: {{broker: b}}\n{}timeout: 2s\n",
                gap(0), gap(1), gap(2), gap(3)
            );
            let path: Vec<_> = match within {
                None => vec![key],
                Some(profile) => vec!["profiles", profile, key],
            };
            let edited = set_in(&text, &path, value.as_str());
            let mut wanted: Mapping = serde_yaml::from_str(&text).unwrap();
            apply(&mut wanted, &path, &Change::Set(value.into())).unwrap();
            let said: Mapping = serde_yaml::from_str(&edited.text).unwrap();
            prop_assert_eq!(said, wanted);
            prop_assert!(edited.is_kept, "{}", edited.text);
        }
    }
}
