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

use crate::filter::typed::Typed;
use bytes::Bytes;
use mqtt_informer::informer::is_selected;
use mqtt_informer::protocol::selector::LabelSelector;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use regex::Regex;
use std::cmp::Ordering;

/// A filter as it is typed, understood.
#[derive(Clone, Debug, Default)]
pub enum Query {
    /// Every line.
    #[default]
    All,
    /// Those in which it is found, or, if inverse, those in which it is not.
    Text {
        /// What is looked for.
        regex: Regex,
        /// Those without it.
        inverse: bool,
    },
    /// Those with such labels.
    Labels(LabelSelector),
    /// Those that have these letters in this order.
    Fuzzy(Pattern),
    /// Those whose cell in this column passes.
    Column {
        /// As it was typed.
        column: String,
        /// What the cell has to be.
        test: Test,
    },
}

/// What is asked of one cell.
#[derive(Clone, Debug)]
pub enum Test {
    /// It is found in it.
    Text(Regex),
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

/// What is looked at of a line.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// Its cells in lower case, between tabs.
    pub haystack: &'a str,
    /// Its value, with its labels.
    pub value: &'a Bytes,
    /// Which of the cells is the column's that the query names; none if the table has no such column.
    pub place: Option<usize>,
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
            let regex = regex(rest)?;
            return Ok(Self::Text {
                regex,
                inverse: true,
            });
        }
        match text.split_once(':') {
            Some((column, rest)) if is_column(column) => Ok(Self::Column {
                column: column.to_owned(),
                test: Test::parse(rest)?,
            }),
            _ => Ok(Self::Text {
                regex: regex(text)?,
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

    /// Whether every line passes.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }
}

/// A query at work: it has room to think.
#[derive(Debug)]
pub struct Sieve<'a> {
    query: &'a Query,
    matcher: Option<Box<Matcher>>,
    letters: Vec<char>,
}

impl<'a> Sieve<'a> {
    /// For many lines.
    pub fn new(query: &'a Query) -> Self {
        let fuzzy = matches!(query, Query::Fuzzy(_));
        Self {
            query,
            matcher: fuzzy.then(|| Box::new(Matcher::new(Config::DEFAULT))),
            letters: Vec::new(),
        }
    }

    /// Whether a line is shown.
    pub fn takes(&mut self, looked: Looked<'_>) -> bool {
        match self.query {
            Query::All => true,
            Query::Text { regex, inverse } => regex.is_match(looked.haystack) != *inverse,
            Query::Labels(selector) => is_selected(looked.value, selector),
            Query::Column { test, .. } => {
                let cell = looked
                    .place
                    .map(|place| looked.haystack.split('\t').nth(place));
                cell.is_some_and(|cell| test.holds(cell.unwrap_or_default()))
            }
            Query::Fuzzy(pattern) => {
                let Some(matcher) = &mut self.matcher else {
                    return false;
                };
                let haystack = Utf32Str::new(looked.haystack, &mut self.letters);
                pattern.score(haystack, matcher).is_some()
            }
        }
    }
}

impl Test {
    fn parse(text: &str) -> Result<Self, String> {
        let found = RELATIONS.iter().find_map(|(sign, relation)| {
            let value = text.strip_prefix(sign)?.trim();
            (!value.is_empty()).then(|| (*relation, value.to_lowercase()))
        });
        match found {
            Some((relation, value)) => Ok(Self::Compares(relation, value)),
            None => Ok(Self::Text(regex(text)?)),
        }
    }

    fn holds(&self, cell: &str) -> bool {
        match self {
            Self::Text(regex) => regex.is_match(cell),
            // Quantities have capitals, which the haystack has not: the value has none either, so both are read alike.
            Self::Compares(relation, value) => {
                let order = Typed::order(&capitals(cell), None, &capitals(value));
                order.is_some_and(|order| relation.holds(order))
            }
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
        }
    }
}

/// `1gi` as Kubernetes writes it, `1Gi`; anything else as it is.
fn capitals(text: &str) -> String {
    let is_unit = |unit: &str| matches!(unit, "ki" | "mi" | "gi" | "ti" | "pi" | "ei" | "g" | "t");
    let digits = text.len()
        - text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    let (number, unit) = text.split_at(digits);
    match is_unit(unit) && !number.is_empty() {
        true => format!("{number}{}{}", unit[..1].to_uppercase(), &unit[1..]),
        false => text.to_owned(),
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
        text => Query::Fuzzy(Pattern::parse(
            text,
            CaseMatching::Ignore,
            Normalization::Smart,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_informer::protocol::rows;
    use proptest::prelude::*;
    use prost::Message;

    const LINES: [(&str, &str); 4] = [
        ("berlin\tshop\tweb-1\t1/1\trunning\t0", "app=web"),
        ("berlin\tshop\tweb-2\t0/1\tcrashloopbackoff\t12", "app=web"),
        ("osaka\tpay\tdb-0\t1/2\trunning\t7", "app=db"),
        ("osaka\tpay\tcache\t1/1\trunning\t1gi", "app=cache"),
    ];
    const COLUMNS: [&str; 6] = [
        "cluster",
        "namespace",
        "name",
        "ready",
        "status",
        "restarts",
    ];

    fn value(label: &str) -> Bytes {
        let (key, value) = label.split_once('=').unwrap();
        let metadata = format!(r#"{{"name":"x","labels":{{"{key}":"{value}"}}}}"#);
        let row = rows::Row {
            cells: Vec::new(),
            metadata: metadata.into_bytes().into(),
        };
        row.encode_to_vec().into()
    }

    fn taken(text: &str) -> String {
        let query = Query::parse(text).unwrap();
        let place = query
            .column()
            .and_then(|name| COLUMNS.iter().position(|it| *it == name));
        let mut sieve = Sieve::new(&query);
        let lines = LINES.iter().filter(|(haystack, label)| {
            let value = value(label);
            sieve.takes(Looked {
                haystack,
                value: &value,
                place,
            })
        });
        let names = lines.map(|(line, _)| line.split('\t').nth(2).unwrap());
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_are_chosen() {
        for (text, want) in [
            ("", "web-1 web-2 db-0 cache"),
            ("!", "web-1 web-2 db-0 cache"),
            ("WEB", "web-1 web-2"),
            ("web-[12]", "web-1 web-2"),
            ("web-1|db", "web-1 db-0"),
            ("osaka", "db-0 cache"),
            ("!running", "web-2"),
            ("!BackOff", "web-1 db-0 cache"),
            ("-l app=web", "web-1 web-2"),
            ("-l app in (db,cache)", "db-0 cache"),
            ("-l", "web-1 web-2 db-0 cache"),
            ("-f cshlp", "web-2"),
            ("-f wb1", "web-1 web-2"),
            ("status:crash", "web-2"),
            ("name:^db", "db-0"),
            ("restarts:>5", "web-2 db-0 cache"),
            ("restarts:>=12", "web-2 cache"),
            ("restarts:<7", "web-1"),
            ("restarts:=1Gi", "cache"),
            ("ready:<1/1", "web-2"),
            ("nosuch:x", ""),
        ] {
            assert_eq!(taken(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_a_line() {
        for (text, why) in [
            ("web-[", "unclosed character class"),
            ("status:(", "unclosed group"),
            ("!*", "repetition operator missing expression"),
            ("-l app in", "unable to parse"),
        ] {
            let error = Query::parse(text).unwrap_err();
            assert!(
                error.contains(why) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_panics(text in "\\PC{0,16}", haystack in "\\PC{0,24}", place in prop::option::of(0..4_usize)) {
            if let Ok(query) = Query::parse(&text) {
                let value = Bytes::from_static(b"x");
                Sieve::new(&query).takes(Looked { haystack: &haystack, value: &value, place });
            }
        }
    }
}
