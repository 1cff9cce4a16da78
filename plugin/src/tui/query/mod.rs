//! The `/` filter: which lines of a table are shown.
//!
//! ```text
//! web-[0-9]         a regular expression, upper and lower case alike, anywhere in the row
//! !Running          every row that it is not in
//! -l app=web        by label
//! -f wbfrnt         fuzzy: these letters, in this order
//! status:crash      in this column only
//! restarts:>5       numbers, quantities and fractions are compared
//! ```
//!
//! **Architecture invariant:** pure, and never panics: what is typed is not yet right most of the time.

mod letters;
mod pattern;
mod sieve;

pub use pattern::Pattern;
pub use sieve::{Looked, Sieve, TAB, nth_cell};

use crate::filter::typed::Typed;
use mqtt_informer::protocol::selector::LabelSelector;
use regex::Regex;
use std::borrow::Cow;

/// A filter as it is typed, understood.
#[derive(Clone, Debug, Default)]
pub enum Query {
    /// Every line.
    #[default]
    All,
    /// Those in which it is found, or, if inverse, those in which it is not.
    Text {
        /// What is looked for.
        sought: Sought,
        /// Those without it.
        inverse: bool,
    },
    /// Those with such labels.
    Labels(LabelSelector),
    /// Those that have the letters of each of these words in its order.
    Fuzzy(Vec<String>),
    /// Those whose cell in this column passes.
    Column {
        /// As it was typed.
        column: String,
        /// What the cell has to be.
        test: Test,
    },
}

/// What is looked for in a text, upper and lower case alike.
#[derive(Clone, Debug)]
pub enum Sought {
    /// A word, in lower case. Most of what is typed is one, and it is found some times faster than an expression.
    Word(String),
    /// A regular expression.
    Regex(Regex),
}

/// What is asked of one cell.
#[derive(Clone, Debug)]
pub enum Test {
    /// It is found in it.
    Text(Sought),
    /// It stands so to a value.
    Compares(Relation, String),
}

/// How a cell is to stand to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
}

/// The longer first, where one begins like another.
const RELATIONS: [(&str, Relation); 5] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    (">", Relation::Greater),
    ("<", Relation::Less),
    ("=", Relation::Equal),
];

impl Query {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A line that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "!" {
            return Ok(Self::All);
        }
        match text.split_once(' ').unwrap_or((text, "")) {
            ("-l", labels) => return by_labels(labels.trim()),
            ("-f", letters) => return Ok(by_letters(letters.trim())),
            _ => {}
        }
        if let Some(rest) = text.strip_prefix('!') {
            return Ok(Self::Text {
                sought: Sought::parse(rest)?,
                inverse: true,
            });
        }
        match text.split_once(':') {
            Some((column, rest)) if is_column(column) => Ok(Self::Column {
                column: column.to_owned(),
                test: Test::parse(rest)?,
            }),
            _ => Ok(Self::Text {
                sought: Sought::parse(text)?,
                inverse: false,
            }),
        }
    }

    /// The column that it speaks of.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Column { column, .. } => Some(column),
            _ => None,
        }
    }

    /// Whether cells are compared with an age.
    pub fn compares_ages(&self) -> bool {
        Sieve::new(self).compares_ages()
    }

    /// Whether no line passes this that did not pass that one: while a word is typed, only what is left of the lines
    /// has to be asked again. No, if it is not certain.
    pub fn narrows(&self, before: &Self) -> bool {
        match (before, self) {
            (
                Self::Text {
                    sought: before,
                    inverse: false,
                },
                Self::Text {
                    sought: now,
                    inverse: false,
                },
            ) => now.narrows(before),
            (Self::Fuzzy(before), Self::Fuzzy(now)) => {
                let mut now = now.iter();
                let mut goes_on =
                    |word: &String| now.next().is_some_and(|now| now.starts_with(word));
                before.iter().all(&mut goes_on)
            }
            (
                Self::Column {
                    column: one,
                    test: Test::Text(before),
                },
                Self::Column {
                    column: other,
                    test: Test::Text(now),
                },
            ) => one == other && now.narrows(before),
            _ => false,
        }
    }
}

impl Sought {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A line that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_/=:,%@ ".contains(c);
        match text.chars().all(is_plain) {
            true => Ok(Self::Word(text.to_ascii_lowercase())),
            false => Ok(Self::Regex(regex(text)?)),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Word(word) => letters::has_word(text, word),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    fn narrows(&self, before: &Self) -> bool {
        matches!((before, self), (Self::Word(before), Self::Word(now)) if now.contains(before))
    }
}

impl Test {
    fn parse(text: &str) -> Result<Self, String> {
        let found = RELATIONS.iter().find_map(|(sign, relation)| {
            let value = text.strip_prefix(sign)?.trim();
            let value = capitals(value);
            let value = match Typed::read(&value, None).is_text() {
                true => value.to_lowercase(),
                false => value.into_owned(),
            };
            (!value.is_empty()).then_some((*relation, value))
        });
        match found {
            Some((relation, value)) => Ok(Self::Compares(relation, value)),
            None => Ok(Self::Text(Sought::parse(text)?)),
        }
    }
}

/// `1gi` as Kubernetes writes it, `1Gi`; anything else as it is: `5m` is not `5M`.
fn capitals(text: &str) -> Cow<'_, str> {
    let is_unit = |unit: &str| {
        let unit = unit.to_ascii_lowercase();
        matches!(
            unit.as_str(),
            "ki" | "mi" | "gi" | "ti" | "pi" | "ei" | "g" | "t"
        )
    };
    let digits = text.len()
        - text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    let (number, unit) = text.split_at(digits);
    match is_unit(unit) && !number.is_empty() {
        true => Cow::Owned(format!(
            "{number}{}{}",
            unit[..1].to_uppercase(),
            unit[1..].to_lowercase()
        )),
        false => Cow::Borrowed(text),
    }
}

/// `status`, `nominated-node`: and not `https` of a URL or `system` of a role's name, which stand before a word with a
/// slash or are followed by another colon.
fn is_column(text: &str) -> bool {
    !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '%')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_()%/".contains(c))
}

/// A regular expression that takes upper and lower case alike.
///
/// # Errors
/// A line that says what is wrong with it.
pub fn regex(text: &str) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(1 << 20)
        .build();
    built.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().next_back().unwrap_or_default();
        format!(
            "no regular expression: {}",
            last.trim_start_matches("error: ")
        )
    })
}

fn by_labels(text: &str) -> Result<Query, String> {
    match text {
        "" => Ok(Query::All),
        text => LabelSelector::parse(text)
            .map(Query::Labels)
            .map_err(|error| error.to_string()),
    }
}

fn by_letters(text: &str) -> Query {
    match text {
        "" => Query::All,
        text => Query::Fuzzy(text.to_lowercase().split(' ').map(str::to_owned).collect()),
    }
}

#[cfg(test)]
mod tests;
