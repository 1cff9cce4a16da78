//! Field selectors: `metadata.name=web,status.phase!=Running`.

use super::InvalidSelector;
use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

/// A field selector in its one form: terms sorted, each once, `==` printed as `=`.
///
/// Printed, it is what API servers take; empty, it selects everything. Which fields there are only they know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector {
    terms: BTreeSet<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Term {
    field: String,
    differs: bool,
    value: String,
}

impl FieldSelector {
    /// Reads a selector as kubectl's `--field-selector` takes it.
    pub fn parse(text: &str) -> Result<Self, InvalidSelector> {
        let mut parts = split_terms(text);
        // Sorted before they are read, as in apimachinery: which error comes first depends on it.
        parts.sort_unstable();
        let mut terms = BTreeSet::new();
        for part in parts.into_iter().filter(|it| !it.is_empty()) {
            let (field, differs, value) = split_term(part).ok_or_else(|| {
                InvalidSelector(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                ))
            })?;
            let value = unescape(value)
                .map_err(|error| InvalidSelector(format!("invalid field selector: {error}")))?;
            let field = field.to_owned();
            if !(field.is_empty() && value.is_empty()) {
                terms.insert(Term {
                    field,
                    differs,
                    value,
                });
            }
        }
        Ok(Self { terms })
    }

    /// Field, whether it must differ, and value: all of it has to hold.
    pub fn terms(&self) -> impl Iterator<Item = (&str, bool, &str)> {
        let terms = self.terms.iter();
        terms.map(|it| (&*it.field, it.differs, &*it.value))
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether an object with these fields is selected; `field` finds a field's value, which is empty for one that is
    /// not there.
    pub fn matches(&self, mut field: impl FnMut(&str) -> String) -> bool {
        let mut holds = |term: &Term| (field(&term.field) == term.value) != term.differs;
        self.terms.iter().all(&mut holds)
    }

    /// What both select.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            terms: self.terms.union(&other.terms).cloned().collect(),
        }
    }

    /// Another selector, made of what becomes of each term, (field, differs, value): None leaves it out.
    #[must_use]
    pub fn rewritten(
        &self,
        mut rewrite: impl FnMut(&str, bool, &str) -> Option<(String, bool, String)>,
    ) -> Self {
        let rewritten = self.terms.iter().filter_map(|term| {
            let (field, differs, value) = rewrite(&term.field, term.differs, &term.value)?;
            Some(Term {
                field,
                differs,
                value,
            })
        });
        Self {
            terms: rewritten.collect(),
        }
    }
}

impl FromStr for FieldSelector {
    type Err = InvalidSelector;
    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        Self::parse(text)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_char(',')?;
            }
            let operator = if term.differs { "!=" } else { "=" };
            write!(f, "{}{operator}", term.field)?;
            for c in term.value.chars() {
                if matches!(c, '\\' | ',' | '=') {
                    f.write_char('\\')?;
                }
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// At each comma that has no backslash before it.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    let at_comma = |c: char| {
        let split = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        split
    };
    text.split(at_comma).collect()
}

/// At the first operator: nothing escapes in a field's name.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    let (at, operator) = term.char_indices().find_map(|(at, _)| {
        let operators = ["!=", "==", "="].into_iter();
        let rest = term.get(at..)?;
        let operator = operators.clone().find(|it| rest.starts_with(it))?;
        Some((at, operator))
    })?;
    let value = term.get(at + operator.len()..)?;
    Some((term.get(..at)?, operator == "!=", value))
}

fn unescape(value: &str) -> Result<String, String> {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                Some(c) => return Err(format!("invalid escape sequence: \\{c}")),
                None => return Err("invalid escape sequence: \\".to_owned()),
            },
            // apimachinery prints the character's number.
            ',' | '=' => return Err(format!("unescaped character in value: {}", u32::from(c))),
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(text: &str) -> String {
        FieldSelector::parse(text).unwrap().to_string()
    }

    #[test]
    fn selectors_that_mean_the_same_are_printed_alike() {
        let cases = [
            ("", ""),
            (",,", ""),
            ("=", ""),
            ("x=a,y=b,z=c", "x=a,y=b,z=c"),
            ("z=c,x==a,y!=b,x=a,", "x=a,y!=b,z=c"),
            (r"x=a||y\=b", r"x=a||y\=b"),
            (r"x=a\=\=b", r"x=a\=\=b"),
            (
                r"complex=\=value\\\,\\,foo=bar",
                r"complex=\=value\\\,\\,foo=bar",
            ),
            (r"k=\\,k2=v2", r"k=\\,k2=v2"),
            ("x=", "x="),
            ("함=수,목=록", "목=록,함=수"),
            ("x = a", "x = a"),
        ];
        for (text, expected) in cases {
            assert_eq!(printed(text), expected, "{text}");
        }
        assert!(FieldSelector::parse(",").unwrap().is_empty());
        assert!(!FieldSelector::parse("x=").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_there_is_empty() {
        let selects = |selector: &str| {
            FieldSelector::parse(selector).unwrap().matches(|field| {
                if field == "a" {
                    "1".into()
                } else {
                    String::new()
                }
            })
        };
        for (selector, expected) in [
            ("", true),
            ("a=1", true),
            ("a!=1", false),
            ("a=1,b=", true),
            ("a=1,b!=2", true),
            ("a=1,b=2", false),
            ("b!=", false),
        ] {
            assert_eq!(selects(selector), expected, "{selector}");
        }
        let selector = FieldSelector::parse("a=1,b!=2").unwrap();
        let terms: Vec<_> = selector.terms().collect();
        assert_eq!(terms, [("a", false, "1"), ("b", true, "2")]);
        let other = selector.rewritten(|field, differs, value| {
            (field == "b").then(|| ("c".to_owned(), !differs, format!("{value}0")))
        });
        assert_eq!(other.to_string(), "c=20");
        assert_eq!(selector.and(&other).to_string(), "a=1,b!=2,c=20");
    }

    #[test]
    fn errors_are_apimachinery_s() {
        let cases = [
            ("x", "invalid selector: 'x'; can't understand 'x'"),
            ("x=a,b", "invalid selector: 'x=a,b'; can't understand 'b'"),
            (
                "x in (a,b)",
                "invalid selector: 'x in (a,b)'; can't understand 'b)'",
            ),
            (
                "x==a==b",
                "invalid field selector: unescaped character in value: 61",
            ),
            (
                "x=a||y=b",
                "invalid field selector: unescaped character in value: 61",
            ),
            (
                r"x=\a",
                r"invalid field selector: invalid escape sequence: \a",
            ),
            (
                r"x=\",
                r"invalid field selector: invalid escape sequence: \",
            ),
        ];
        for (text, expected) in cases {
            let error = FieldSelector::parse(text).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_printed_is_read_as_the_same(text in r"[a-c=!,\\é ]{0,20}") {
            if let Ok(selector) = FieldSelector::parse(&text) {
                prop_assert_eq!(FieldSelector::parse(&selector.to_string()), Ok(selector));
            }
        }
    }
}
