//! The text of a filter, and where it is wrong.

use super::Filter;
use regex::Regex;
use std::iter::Peekable;
use std::str::CharIndices;

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--filter {text:?}: {what} at column {at}")]
pub struct InvalidFilter {
    text: String,
    what: String,
    /// Counted in characters, from 1.
    at: usize,
}

/// One condition.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) subject: Subject,
    pub(super) test: Test,
    /// Where it stands, counted in characters from 1.
    pub(super) at: usize,
}

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Any of the row's cells.
    Row,
    /// The cell of this column.
    Column(String),
}

/// What has to hold.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// It matches, or it does not.
    Matches(Regex, bool),
    /// It stands in this relation to a value.
    Compares(Operator, String),
}

/// How a cell is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    AtLeast,
    Less,
    AtMost,
}

impl Operator {
    /// It asks for more or for less.
    pub(super) fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// An operator as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Compares(Operator),
    Matches(bool),
}

/// The longer first, where one begins like another.
const OPERATORS: [(&str, Written); 9] = [
    ("=~", Written::Matches(true)),
    ("!~", Written::Matches(false)),
    ("==", Written::Compares(Operator::Equal)),
    ("!=", Written::Compares(Operator::NotEqual)),
    (">=", Written::Compares(Operator::AtLeast)),
    ("<=", Written::Compares(Operator::AtMost)),
    ("=", Written::Compares(Operator::Equal)),
    (">", Written::Compares(Operator::Greater)),
    ("<", Written::Compares(Operator::Less)),
];

/// Reads a filter.
///
/// # Errors
/// What is wrong first, and at which character.
pub fn parse(text: &str) -> Result<Filter, InvalidFilter> {
    let mut reader = Reader::new(text);
    let mut conditions = Vec::new();
    loop {
        conditions.push(reader.condition()?);
        reader.spaces();
        match reader.next() {
            None => return Ok(Filter { conditions }),
            Some((_, ',')) => {}
            Some((at, other)) => {
                return Err(
                    reader.wrong(at, format!("{other:?} where a comma or the end should be"))
                );
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text.char_indices().peekable(),
        }
    }

    fn next(&mut self) -> Option<(usize, char)> {
        self.rest.next()
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, c)| *c)
    }

    /// The byte at which the rest begins.
    fn at(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn skip(&mut self, bytes: usize) {
        let end = self.at() + bytes;
        while self.rest.next_if(|(at, _)| *at < end).is_some() {}
    }

    fn spaces(&mut self) {
        while self.rest.next_if(|(_, c)| *c == ' ').is_some() {}
    }

    /// The column, counted in characters, of a byte.
    fn column(&self, at: usize) -> usize {
        self.text
            .get(..at)
            .map_or(0, |before| before.chars().count())
            + 1
    }

    fn wrong(&self, at: usize, what: impl Into<String>) -> InvalidFilter {
        InvalidFilter {
            text: self.text.to_owned(),
            what: what.into(),
            at: self.column(at),
        }
    }

    fn condition(&mut self) -> Result<Condition, InvalidFilter> {
        self.spaces();
        let start = self.at();
        let at = self.column(start);
        let negated = self
            .text
            .get(start..)
            .is_some_and(|rest| rest.starts_with("!/"));
        if negated || self.peek() == Some('/') {
            self.skip(usize::from(negated));
            let pattern = self.enclosed('/')?;
            return Ok(Condition {
                subject: Subject::Row,
                test: Test::Matches(self.regex(&pattern)?, !negated),
                at,
            });
        }
        let name = self.name()?;
        let written = self.operator(&name)?;
        self.spaces();
        let value = self.value(written)?;
        let test = match written {
            Written::Compares(operator) => Test::Compares(operator, value.text),
            Written::Matches(wanted) => Test::Matches(self.regex(&value)?, wanted),
        };
        Ok(Condition {
            subject: Subject::Column(name),
            test,
            at,
        })
    }

    /// A column's name: up to an operator, or in quotes.
    fn name(&mut self) -> Result<String, InvalidFilter> {
        let start = self.at();
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            let name = self.enclosed(quote)?;
            self.spaces();
            return Ok(name.text);
        }
        let is_name = |c: char| !matches!(c, '=' | '!' | '<' | '>' | '~' | ',');
        let mut name = String::new();
        while let Some((_, c)) = self.rest.next_if(|(_, c)| is_name(*c)) {
            name.push(c);
        }
        match name.trim() {
            "" => Err(self.wrong(start, "a column's name is missing")),
            name => Ok(name.to_owned()),
        }
    }

    fn operator(&mut self, name: &str) -> Result<Written, InvalidFilter> {
        let start = self.at();
        let rest = self.text.get(start..).unwrap_or_default();
        let found = OPERATORS.iter().find(|(text, _)| rest.starts_with(text));
        let Some((text, written)) = found else {
            let expected = "=, !=, >, >=, <, <=, =~ or !~";
            return Err(self.wrong(start, format!("{expected} is missing after {name:?}")));
        };
        self.skip(text.len());
        // `>>` or `=!` is a slip, and no value begins so.
        if let Some(c @ ('=' | '!' | '~' | '>')) = self.peek() {
            let at = self.at();
            return Err(self.wrong(
                at,
                format!("{text:?} is followed by {c:?}: quote a value that begins so"),
            ));
        }
        Ok(*written)
    }

    /// A value: in quotes, or between slashes where it is a regular expression; else up to the comma.
    fn value(&mut self, written: Written) -> Result<Enclosed, InvalidFilter> {
        let start = self.at();
        match (self.peek(), written) {
            (Some(quote @ ('"' | '\'')), _) => return self.enclosed(quote),
            (Some('/'), Written::Matches(_)) => return self.enclosed('/'),
            _ => {}
        }
        let mut text = String::new();
        while let Some((_, c)) = self.rest.next_if(|(_, c)| *c != ',') {
            text.push(c);
        }
        let text = text.trim_end().to_owned();
        if text.is_empty() {
            return Err(self.wrong(start, "a value is missing; write \"\" for none"));
        }
        Ok(Enclosed { text, at: start })
    }

    /// What stands between two of these; a backslash before one makes it part of that.
    fn enclosed(&mut self, quote: char) -> Result<Enclosed, InvalidFilter> {
        let start = self.at();
        self.next();
        let inside = self.at();
        let mut text = String::new();
        while let Some((_, c)) = self.next() {
            match c {
                c if c == quote => return Ok(Enclosed { text, at: inside }),
                '\\' if self.peek() == Some(quote) => {
                    text.push(quote);
                    self.next();
                }
                c => text.push(c),
            }
        }
        Err(self.wrong(start, format!("{quote} is not closed")))
    }

    fn regex(&self, pattern: &Enclosed) -> Result<Regex, InvalidFilter> {
        regex::RegexBuilder::new(&pattern.text)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| {
                let (what, within) = explain(&error, &pattern.text);
                self.wrong(
                    pattern.at + within,
                    format!("no regular expression: {what}"),
                )
            })
    }
}

/// Text, and the byte of the whole at which it begins.
struct Enclosed {
    text: String,
    at: usize,
}

/// What the regex engine says, in a line, and at which byte of the pattern. Its own text draws a line of carets.
fn explain(error: &regex::Error, pattern: &str) -> (String, usize) {
    let text = error.to_string();
    let mut lines = text.lines();
    let carets = lines
        .clone()
        .find(|line| line.trim_start().starts_with('^'));
    let drawn = lines
        .clone()
        .find(|line| line.trim_start() == pattern.trim_start());
    let within = match (carets, drawn) {
        (Some(carets), Some(drawn)) => {
            let at = carets.find('^').unwrap_or_default();
            let from = drawn.len() - drawn.trim_start().len();
            at.saturating_sub(from).min(pattern.len())
        }
        _ => 0,
    };
    let what = lines.next_back().unwrap_or_default();
    (what.trim_start_matches("error: ").to_owned(), within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(text: &str, at: usize, why: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.what.contains(why), "{error}");
        assert_eq!(error.at, at, "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }

    #[test]
    fn the_place_of_a_mistake_is_told() {
        refuses("", 1, "a column's name is missing");
        refuses("STATUS", 7, "is missing after \"STATUS\"");
        refuses("STATUS=Running,", 16, "a column's name is missing");
        refuses("STATUS=Running,,A=b", 16, "a column's name is missing");
        refuses("STATUS!Running", 7, "is missing after");
        refuses("STATUS=", 8, "a value is missing");
        refuses("A>,B=c", 3, "a value is missing");
        refuses("A>>5", 3, "is followed by");
        refuses("A=!b", 3, "is followed by");
        refuses("A=\"x", 3, "\" is not closed");
        refuses("A=\"x\"y", 6, "where a comma or the end should be");
        refuses("/abc", 1, "/ is not closed");
        refuses("NAME=~web(", 10, "unclosed group");
        refuses("é=~[a", 4, "unclosed character class");
        refuses("A=b,/x{2,1}/", 7, "no regular expression");
        refuses("=5", 1, "a column's name is missing");
    }

    #[test]
    fn the_whole_message_is_one_line() {
        assert_eq!(
            parse("RESTARTS 5").unwrap_err().to_string(),
            "--filter \"RESTARTS 5\": =, !=, >, >=, <, <=, =~ or !~ is missing after \"RESTARTS 5\" at column 11"
        );
    }

    #[test]
    fn quotes_hold_commas_and_operators_together() {
        let filter = parse("'A=B'=\"x, \\\"y\\\"\",C='>5'").unwrap();
        let shown: Vec<_> = filter
            .conditions
            .iter()
            .map(|condition| match (&condition.subject, &condition.test) {
                (Subject::Column(name), Test::Compares(_, value)) => format!("{name}|{value}"),
                _ => String::new(),
            })
            .collect();
        assert_eq!(shown, ["A=B|x, \"y\"", "C|>5"]);
    }

    #[test]
    fn a_pattern_that_would_take_all_memory_is_refused() {
        refuses("/(a{1000}){1000}/", 2, "");
    }
}
