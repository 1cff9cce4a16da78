//! A query at work on many lines.

use super::letters::has_letters;
use super::{Query, Relation, Test};
use crate::filter::typed::{self, Typed};
use mqtt_informer::kubernetes::duration::human;
use mqtt_informer::protocol::selector::LabelSelector;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What is looked at of a line.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// Its cells, with [`TAB`]s between them.
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

    /// Whether a line's labels matter.
    pub fn asks_for_labels(&self) -> bool {
        matches!(self.query, Query::Labels(_))
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
                let cell = nth_cell(looked.haystack, place);
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

/// Between the cells of a haystack.
pub const TAB: char = '\t';

/// The cell of a haystack at this place; empty if there are not so many.
pub fn nth_cell(haystack: &str, place: usize) -> &str {
    let mut tabs = memchr::memchr_iter(TAB as u8, haystack.as_bytes());
    let begin = match place.checked_sub(1) {
        Some(before) => tabs.nth(before).map(|tab| tab + 1),
        None => Some(0),
    };
    let end = tabs.next().unwrap_or(haystack.len());
    begin
        .and_then(|begin| haystack.get(begin..end))
        .unwrap_or_default()
}

impl Relation {
    fn is_so(self, (cell, age): (&str, Option<i64>), value: &Typed<'_>) -> bool {
        // What is equal to an age is what is shown as it: nothing is five minutes old to the millisecond.
        let age = match self {
            Self::Equal => age.and_then(|age| typed::duration(&human(age))),
            _ => age,
        };
        let order = match value.is_text() {
            // Upper and lower case are alike; the value is in lower case.
            true => Typed::read(&cell.to_lowercase(), age).stands(value),
            false => Typed::read_for(cell, age, value).stands(value),
        };
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
