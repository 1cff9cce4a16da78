//! A query at work on many lines.

use super::{Query, Relation, Test, capitals};
use crate::filter::typed::{self, Typed};
use mqtt_informer::kubernetes::duration::human;
use mqtt_informer::protocol::selector::LabelSelector;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What is looked at of a line.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// Its cells in lower case, between tabs.
    pub haystack: &'a str,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    /// The same number for lines with the same labels.
    pub label_set: u32,
    /// How old what the cell of that column tells of is, in ms, if that is all that it tells.
    pub age: Option<i64>,
    /// Which of the cells is the column's that the query names; none if the table has no such column.
    pub place: Option<usize>,
}

/// A query at work on many lines: what can be found out once, it finds out once.
#[derive(Debug)]
pub struct Sieve<'a> {
    query: &'a Query,
    /// The value that cells are compared with.
    value: Option<Typed<'a>>,
    /// By the labels' number: whether they pass.
    label_sets: Vec<Option<bool>>,
}

impl<'a> Sieve<'a> {
    /// For many lines.
    pub fn new(query: &'a Query) -> Self {
        let value = match query {
            Query::Column {
                test: Test::Compares(_, value),
                ..
            } => Some(Typed::read(value, None)),
            _ => None,
        };
        Self {
            query,
            value,
            label_sets: Vec::new(),
        }
    }

    /// Whether cells are compared with an age.
    pub fn compares_ages(&self) -> bool {
        self.value.is_some_and(|value| value.age.is_some())
    }

    /// Whether a line is shown.
    pub fn takes(&mut self, looked: Looked<'_>) -> bool {
        match self.query {
            Query::All => true,
            Query::Text { sought, inverse } => sought.is_in(looked.haystack) != *inverse,
            Query::Labels(selector) => self.takes_labels(selector, looked),
            Query::Fuzzy(words) => words.iter().all(|word| has_letters(looked.haystack, word)),
            Query::Column { test, .. } => {
                let Some(place) = looked.place else {
                    return false;
                };
                let cell = looked.haystack.split('\t').nth(place).unwrap_or_default();
                match (test, &self.value) {
                    (Test::Text(sought), _) => sought.is_in(cell),
                    (Test::Compares(relation, _), Some(value)) => {
                        relation.is_so((cell, looked.age), value)
                    }
                    (Test::Compares(..), None) => false,
                }
            }
        }
    }

    fn takes_labels(&mut self, selector: &LabelSelector, looked: Looked<'_>) -> bool {
        let at = looked.label_set as usize;
        if self.label_sets.len() <= at {
            self.label_sets.resize(at + 1, None);
        }
        *self.label_sets[at].get_or_insert_with(|| {
            selector.matches(|key| looked.labels.get(key).map(String::as_str))
        })
    }
}

/// Whether these letters are found one after the other, whatever is between them.
fn has_letters(text: &str, letters: &str) -> bool {
    let mut rest = text;
    letters.chars().all(|letter| {
        let found = rest.find(letter);
        rest = found.map_or("", |at| &rest[at + letter.len_utf8()..]);
        found.is_some()
    })
}

impl Relation {
    fn is_so(self, (cell, age): (&str, Option<i64>), value: &Typed<'_>) -> bool {
        let cell = capitals(cell);
        // What is equal to an age is what is shown as it: nothing is five minutes old to the millisecond.
        let age = match self {
            Self::Equal => age.and_then(|age| typed::duration(&human(age))),
            _ => age,
        };
        let order = Typed::read(&cell, age).stands(value);
        order.is_some_and(|order| self.holds(order))
    }

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
