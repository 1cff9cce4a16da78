//! Label selectors: `app=web,tier in (a,b),!legacy`.

use super::super::names::is_visible;
use super::InvalidSelector;
use super::lexer::{Token, words};
use super::validation::{key_errors, value_errors};
use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

const BINARY_OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

/// A label selector in its one form: requirements sorted, each once, `==` and a set of one printed as `=`.
///
/// Printed, it is what API servers take; empty, it selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelSelector {
    requirements: BTreeSet<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Requirement {
    key: String,
    condition: LabelCondition,
}

/// What a selector asks of one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelCondition {
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
    /// Never empty.
    In(BTreeSet<String>),
    /// Never empty; what has no such label matches.
    NotIn(BTreeSet<String>),
    /// The text is an integer.
    Greater(String),
    /// The text is an integer.
    Less(String),
}

impl LabelSelector {
    /// Reads a selector as kubectl's `-l` takes it.
    pub fn parse(text: &str) -> Result<Self, InvalidSelector> {
        let words = words(text);
        let mut parser = Parser { words: &words };
        let requirements = parser.requirements().map_err(InvalidSelector)?;
        Ok(Self { requirements })
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// What is asked, label by label: all of it has to hold.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, &LabelCondition)> {
        let requirements = self.requirements.iter();
        requirements.map(|it| (&*it.key, &it.condition))
    }

    /// Whether an object with these labels is selected; `label` finds the value of a key.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        let holds = |it: &Requirement| it.condition.holds(label(&it.key));
        self.requirements.iter().all(holds)
    }
}

impl FromStr for LabelSelector {
    type Err = InvalidSelector;
    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        Self::parse(text)
    }
}

impl LabelCondition {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = |text: &str| text.parse::<i64>().ok();
        let numbers = |bound: &str| value.and_then(number).zip(number(bound));
        match self {
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::In(values) => value.is_some_and(|it| values.contains(it)),
            Self::NotIn(values) => !value.is_some_and(|it| values.contains(it)),
            Self::Greater(bound) => numbers(bound).is_some_and(|(value, bound)| value > bound),
            Self::Less(bound) => numbers(bound).is_some_and(|(value, bound)| value < bound),
        }
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            if i > 0 {
                f.write_char(',')?;
            }
            requirement.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let set = |f: &mut fmt::Formatter<'_>, one: &str, many: &str, values: &BTreeSet<String>| {
            let texts: Vec<&str> = values.iter().map(String::as_str).collect();
            match texts.as_slice() {
                [value] => write!(f, "{key}{one}{value}"),
                texts => write!(f, "{key} {many} ({})", texts.join(",")),
            }
        };
        match &self.condition {
            LabelCondition::Exists => f.write_str(key),
            LabelCondition::Absent => write!(f, "!{key}"),
            LabelCondition::In(values) => set(f, "=", "in", values),
            LabelCondition::NotIn(values) => set(f, "!=", "notin", values),
            LabelCondition::Greater(bound) => write!(f, "{key}>{bound}"),
            LabelCondition::Less(bound) => write!(f, "{key}<{bound}"),
        }
    }
}

/// apimachinery's recursive descent; the errors are its words.
struct Parser<'a> {
    words: &'a [(Token, &'a str)],
}

impl<'a> Parser<'a> {
    fn requirements(&mut self) -> Result<BTreeSet<Requirement>, String> {
        let mut requirements = BTreeSet::new();
        match self.peek() {
            (Token::End, _) => return Ok(requirements),
            (Token::Identifier | Token::Not, _) => {}
            (_, word) => {
                return Err(format!(
                    "found '{word}', expected: !, identifier, or 'end of string'"
                ));
            }
        }
        loop {
            let requirement = self.requirement();
            let unable = |error| format!("unable to parse requirement: {error}");
            requirements.insert(requirement.map_err(unable)?);
            match self.next() {
                (Token::End, _) => return Ok(requirements),
                (Token::Comma, _) => {}
                (_, word) => {
                    return Err(format!("found '{word}', expected: ',' or 'end of string'"));
                }
            }
            let (token, word) = self.peek();
            if !matches!(token, Token::Identifier | Token::Not) {
                return Err(format!("found '{word}', expected: identifier after ','"));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut token, mut key) = self.next();
        let negated = token == Token::Not;
        if negated {
            (token, key) = self.next();
        }
        if token != Token::Identifier {
            return Err(format!("found '{key}', expected: identifier"));
        }
        if let Some(errors) = key_errors(key) {
            return Err(invalid("<nil>", key, &errors));
        }
        let condition = if negated {
            LabelCondition::Absent
        } else if matches!(self.peek().0, Token::End | Token::Comma) {
            LabelCondition::Exists
        } else {
            self.condition(key)?
        };
        let key = key.to_owned();
        Ok(Requirement { key, condition })
    }

    fn condition(&mut self, key: &str) -> Result<LabelCondition, String> {
        let (operator, word) = self.next_operator();
        match operator {
            Token::In => Ok(LabelCondition::In(self.set(key)?)),
            Token::NotIn => Ok(LabelCondition::NotIn(self.set(key)?)),
            Token::Equals | Token::DoubleEquals => {
                Ok(LabelCondition::In(checked(key, [self.value()?].into())?))
            }
            Token::NotEquals => Ok(LabelCondition::NotIn(checked(key, [self.value()?].into())?)),
            Token::Greater => Ok(LabelCondition::Greater(integer(key, self.value()?)?)),
            Token::Less => Ok(LabelCondition::Less(integer(key, self.value()?)?)),
            _ => Err(format!("found '{word}', expected: {BINARY_OPERATORS}")),
        }
    }

    fn value(&mut self) -> Result<&'a str, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok("");
        }
        match self.next() {
            (Token::Identifier, value) => Ok(value),
            (_, word) => Err(format!("found '{word}', expected: identifier")),
        }
    }

    fn set(&mut self, key: &str) -> Result<BTreeSet<String>, String> {
        match self.next() {
            (Token::Open, _) => {}
            (_, word) => return Err(format!("found '{word}' expected: '('")),
        }
        let values = match self.peek() {
            (Token::Identifier | Token::Comma, _) => self.values()?,
            (Token::Close, _) => [""].into(),
            (_, word) => {
                return Err(format!("found '{word}', expected: ',', ')' or identifier"));
            }
        };
        // Both ways end before the closing parenthesis.
        self.next();
        checked(key, values)
    }

    /// `a,b`, with nothing standing for the empty value: `(,a)`, `(a,)`, `(a,,b)`.
    fn values(&mut self) -> Result<BTreeSet<&'a str>, String> {
        let mut values = BTreeSet::new();
        loop {
            match self.next() {
                (Token::Identifier, value) => {
                    values.insert(value);
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(values),
                        (_, word) => return Err(format!("found '{word}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    let next = self.peek().0;
                    if values.is_empty() || matches!(next, Token::Close | Token::Comma) {
                        values.insert("");
                    }
                    if next == Token::Close {
                        return Ok(values);
                    }
                }
                (_, word) => return Err(format!("found '{word}', expected: ',', or identifier")),
            }
        }
    }

    /// The next word, where `in` and `notin` are words like any other.
    fn peek(&self) -> (Token, &'a str) {
        match self.words.first() {
            Some((Token::In | Token::NotIn, word)) => (Token::Identifier, word),
            Some(word) => *word,
            None => (Token::End, ""),
        }
    }

    fn next(&mut self) -> (Token, &'a str) {
        let word = self.peek();
        self.next_operator();
        word
    }

    fn next_operator(&mut self) -> (Token, &'a str) {
        match self.words.split_first() {
            Some((word, rest)) => {
                self.words = rest;
                *word
            }
            None => (Token::End, ""),
        }
    }
}

fn checked(key: &str, values: BTreeSet<&str>) -> Result<BTreeSet<String>, String> {
    let value_error = |(i, value): (usize, &&str)| {
        let errors = value_errors(value)?;
        Some(invalid(&format!("values[{i}][{key}]"), value, &errors))
    };
    let errors: Vec<String> = values.iter().enumerate().filter_map(value_error).collect();
    aggregate(errors)?;
    Ok(values.into_iter().map(str::to_owned).collect())
}

fn integer(key: &str, value: &str) -> Result<String, String> {
    const DETAIL: &str = "for 'Gt', 'Lt' operators, the value must be an integer";
    let mut errors = Vec::new();
    if value.parse::<i64>().is_err() {
        errors.push(invalid("values[0]", value, DETAIL));
    }
    if let Some(detail) = value_errors(value) {
        errors.push(invalid(&format!("values[0][{key}]"), value, &detail));
    }
    aggregate(errors)?;
    Ok(value.to_owned())
}

fn aggregate(mut errors: Vec<String>) -> Result<(), String> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(format!("[{}]", errors.join(", "))),
    }
}

/// A `field.Invalid` of apimachinery.
fn invalid(path: &str, value: &str, detail: &str) -> String {
    format!("{path}: Invalid value: {}: {detail}", quoted(value))
}

/// Go's `%q`.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if is_visible(c) && !c.is_whitespace() => out.push(c),
            c if u32::from(c) < 0x80 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
