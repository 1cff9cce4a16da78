//! Field paths as kubectl writes them: `.status.phase`, `.metadata.labels["app.kubernetes.io/name"]`,
//! `.spec.containers[*].image`. Pure.

use serde_json::Value;
use std::fmt;

/// A path may have so many steps: no object of Kubernetes is that deep.
const MAX_STEPS: usize = 32;

/// Where in an object a field is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FieldPath(pub(super) Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    /// `.name`
    Field(String),
    /// `[0]`
    Index(usize),
    /// `[*]`: every element.
    Each,
}

impl FieldPath {
    /// Reads a path from the beginning of a text; answers with what stands behind it.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub(super) fn begin(text: &str) -> Result<(Self, &str), String> {
        let wrong = |what: &str| format!("{text:?} is no field path: {what}");
        if !text.starts_with(['.', '[']) {
            return Err(wrong("it begins with a dot, as .status.phase does"));
        }
        let (mut steps, mut rest) = (Vec::new(), text);
        loop {
            let (step, after) = match rest.chars().next() {
                Some('.') => field(&rest[1..]).map_err(wrong)?,
                Some('[') => bracket(&rest[1..]).map_err(wrong)?,
                _ => break,
            };
            steps.push(step);
            rest = after;
            if steps.len() > MAX_STEPS {
                return Err(wrong("it has more steps than any object"));
            }
        }
        Ok((Self(steps), rest))
    }

    /// Reads a whole text as a path.
    ///
    /// # Errors
    /// As [`FieldPath::begin`].
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match Self::begin(text)? {
            (path, "") => Ok(path),
            (_, rest) => Err(format!("{text:?} is no field path: {rest:?} is too much")),
        }
    }

    /// What is there, in an object; several values behind a `[*]`.
    pub(super) fn all<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![object];
        for step in &self.0 {
            found = found.into_iter().flat_map(|it| step.of(it)).collect();
        }
        found
    }

    /// What is there as one value: a list behind a `[*]`; none if it is absent.
    pub(super) fn one(&self, object: &Value) -> Option<Value> {
        let all = self.all(object);
        match self.0.contains(&Step::Each) {
            true => (!all.is_empty()).then(|| all.into_iter().cloned().collect()),
            false => all.first().map(|it| (*it).clone()),
        }
    }
}

impl Step {
    pub(super) fn of<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::Index(at) => value.get(at).into_iter().collect(),
            Self::Each => match value {
                Value::Array(items) => items.iter().collect(),
                Value::Object(fields) => fields.values().collect(),
                _ => Vec::new(),
            },
        }
    }
}

/// What ends a name that is not quoted.
fn is_special(c: char) -> bool {
    c.is_whitespace() || c.is_control() || ".[]=!<>~,'\"(){}*".contains(c)
}

/// A name behind a dot. A backslash before a character takes it as it is: `.labels.a\.b`.
fn field(text: &str) -> Result<(Step, &str), &'static str> {
    let mut name = String::new();
    let mut rest = text.char_indices();
    let mut end = text.len();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some((_, c)) if !c.is_control() => name.push(c),
                _ => return Err("a backslash stands before a character"),
            },
            c if is_special(c) => {
                end = at;
                break;
            }
            c => name.push(c),
        }
    }
    if name.is_empty() {
        return Err("a dot stands before a name");
    }
    Ok((Step::Field(name), &text[end..]))
}

/// What stands in brackets: a number, a star, a quoted name.
fn bracket(text: &str) -> Result<(Step, &str), &'static str> {
    const UNCLOSED: &str = "a bracket is not closed";
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let inner = &text[1..];
        let end = inner.find(quote).ok_or("a quote is not closed")?;
        let rest = inner[end + 1..].strip_prefix(']').ok_or(UNCLOSED)?;
        let name = &inner[..end];
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err("in quotes stands a name");
        }
        return Ok((Step::Field(name.to_owned()), rest));
    }
    let (inner, rest) = text.split_once(']').ok_or(UNCLOSED)?;
    let step = match inner {
        "*" => Step::Each,
        digits => Step::Index(
            digits
                .parse()
                .ok()
                .filter(|at| *at < 100_000)
                .ok_or("in brackets stands a number, a star or a quoted name")?,
        ),
    };
    Ok((step, rest))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) if name.contains(|c| is_special(c) || c == '\\') => {
                // A name has no quote of both kinds in any object that Kubernetes takes.
                match name.contains('"') {
                    true => write!(f, "['{name}']"),
                    false => write!(f, "[\"{name}\"]"),
                }
            }
            Self::Field(name) => write!(f, ".{name}"),
            Self::Index(at) => write!(f, "[{at}]"),
            Self::Each => f.write_str("[*]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn paths_are_read_as_kubectl_writes_them() {
        for (text, printed) in [
            (".status.phase", ".status.phase"),
            (".spec.containers[*].image", ".spec.containers[*].image"),
            (".spec.containers[0].image", ".spec.containers[0].image"),
            (r".metadata.labels.a\.b/c", r#".metadata.labels["a.b/c"]"#),
            (
                r#".metadata.labels["a.b/c"]"#,
                r#".metadata.labels["a.b/c"]"#,
            ),
            ("['x y'].z", r#"["x y"].z"#),
        ] {
            assert_eq!(FieldPath::parse(text).unwrap().to_string(), printed);
        }
        for text in [
            "",
            ".",
            "status",
            ".a.",
            ".a..b",
            ".a[",
            ".a[b]",
            ".a[-1]",
            ".a[\"b]",
            ".a[\"\"]",
            ".a b",
            ".a=",
            ".a\\",
            "$",
            ".a[999999999999999999999]",
            &".a".repeat(40),
        ] {
            assert!(FieldPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_there_is_found() {
        let object = json!({"a": {"b.c": [{"d": 1}, {"d": 2}, {}]}});
        let one = |path: &str| FieldPath::parse(path).unwrap().one(&object);
        assert_eq!(one(r#".a["b.c"][1].d"#), Some(json!(2)));
        assert_eq!(one(r#".a["b.c"][*].d"#), Some(json!([1, 2])));
        assert_eq!(one(".a.b"), None);
        assert_eq!(one(".a[*].x"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_is_refused(text in ".{0,40}", path in r#"(\.[a-z\\\["'\]*0-9.]{1,6}){0,5}"#) {
            for text in [text, path] {
                if let Ok(path) = FieldPath::parse(&text) {
                    prop_assert_eq!(FieldPath::parse(&path.to_string()), Ok(path.clone()), "{}", path);
                }
            }
        }
    }
}
