//! Paths to fields: `.status.phase`, `.spec.containers[*].image`, `.metadata.labels['app.kubernetes.io/name']`. Pure.

use super::error::Error;
use std::fmt;
use std::str::FromStr;

/// The longest path that is read, in bytes.
const MAX_PATH: usize = 1024;
/// The most steps.
const MAX_STEPS: usize = 32;
/// The most steps that are each element of an array.
const MAX_EACH: usize = 3;

/// A path into an object, checked. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// A member of an object: no quotation mark, no backslash, no control character in it.
    Member(String),
    /// An element of an array, from 0.
    Element(u32),
    /// Each element of an array.
    Each,
}

impl FieldPath {
    /// The members of a path, one after the other: as field selectors have them.
    pub(super) fn of_members<'a>(members: impl Iterator<Item = &'a str>) -> Option<Self> {
        let steps = members.map(|it| is_member(it).then(|| Step::Member(it.to_owned())));
        let steps: Vec<_> = steps.collect::<Option<_>>()?;
        (!steps.is_empty() && steps.len() <= MAX_STEPS).then_some(Self(steps))
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }
}

fn is_member(text: &str) -> bool {
    let odd = |c: char| c == '"' || c == '\\' || c.is_control();
    !text.is_empty() && !text.contains(odd)
}

impl FromStr for FieldPath {
    type Err = Error;

    /// Reads a path: members after dots, `[0]`, `[*]`, `['any.name']`; the first dot may be missing.
    fn from_str(text: &str) -> Result<Self, Error> {
        // The text itself is not repeated: it may be as long as a request.
        let malformed = || {
            let what = "this is no path of a field: write it as .status.phase, .spec.containers[*].image or .metadata.labels['a.b/c']";
            Error::Invalid(what.into())
        };
        if text.len() > MAX_PATH {
            return Err(malformed());
        }
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (step, after) = if let Some(bracket) = rest.strip_prefix('[') {
                bracketed(bracket)
            } else {
                member(rest.strip_prefix('.').or(steps.is_empty().then_some(rest)))
            }
            .ok_or_else(malformed)?;
            steps.push(step);
            rest = after;
        }
        let each = steps.iter().filter(|step| **step == Step::Each).count();
        let fits = !steps.is_empty() && steps.len() <= MAX_STEPS && each <= MAX_EACH;
        fits.then_some(Self(steps)).ok_or_else(malformed)
    }
}

fn member(rest: Option<&str>) -> Option<(Step, &str)> {
    let rest = rest?;
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(end)?;
    is_member(name).then(|| (Step::Member(name.to_owned()), after))
}

/// What stands behind an opening bracket.
fn bracketed(rest: &str) -> Option<(Step, &str)> {
    if let Some(after) = rest.strip_prefix("*]") {
        return Some((Step::Each, after));
    }
    for quote in ['\'', '"'] {
        if let Some(name) = rest.strip_prefix(quote) {
            let (name, after) = name.split_once(quote)?;
            let after = after.strip_prefix(']')?;
            return is_member(name).then(|| (Step::Member(name.to_owned()), after));
        }
    }
    let (number, after) = rest.split_once(']')?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| number.parse().ok()).flatten()?;
    Some((Step::Element(number), after))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Member(name) if name.contains(['.', '[', ']', '\'']) => {
                    let quote = if name.contains('\'') { '"' } else { '\'' };
                    write!(f, "[{quote}{name}{quote}]")?;
                }
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Element(number) => write!(f, "[{number}]")?,
                Step::Each => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_printed_in_one_form() {
        let cases = [
            ("status.phase", ".status.phase"),
            (".status.phase", ".status.phase"),
            (".spec.containers[0].image", ".spec.containers[0].image"),
            (".spec.containers[*].image", ".spec.containers[*].image"),
            (
                ".metadata.labels['app.kubernetes.io/name']",
                ".metadata.labels['app.kubernetes.io/name']",
            ),
            ("[\"a'b\"].c", "[\"a'b\"].c"),
            (".a-b/c", ".a-b/c"),
        ];
        for (text, printed) in cases {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn what_could_end_a_quoted_name_is_refused() {
        for text in [
            "",
            ".",
            "..a",
            "a.",
            "a[",
            "a[]",
            "a[-1]",
            "a[x]",
            "a['b]",
            "a['b'",
            "a[99999999999]",
            "a\"b",
            "a\\b",
            "['a\"b']",
            "a\0",
            "[*][*][*][*]",
        ] {
            assert!(text.parse::<FieldPath>().is_err(), "{text}");
        }
        assert!("a".repeat(MAX_PATH + 1).parse::<FieldPath>().is_err());
        assert!(".a".repeat(MAX_STEPS + 1).parse::<FieldPath>().is_err());
    }

    proptest! {
        #[test]
        fn a_printed_path_is_read_as_the_same(text in r#"[a.\[\]'"*0-9]{0,12}"#) {
            if let Ok(path) = text.parse::<FieldPath>() {
                prop_assert_eq!(path.to_string().parse::<FieldPath>().unwrap(), path);
            }
        }
    }
}
