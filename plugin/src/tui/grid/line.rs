//! One line of a grid, and how a row becomes one.

use super::super::health::{Health, Signs};
use crate::print::sanitize;
use crate::table::{Cell, Row};
use crate::tui::query::TAB;
use bytes::Bytes;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Ages are read at a moment that no row lives to see (2100), so that none of them is negative and their order stays.
const READ_AT_MS: i64 = 4_102_444_800_000;

/// What became of a line lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It came.
    New,
    /// Some of its cells did: a bit for each column, the first being the lowest. Columns beyond the 64th are not told.
    Cells(u64),
    /// It went, and is still shown.
    Gone,
}

/// A change, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// As the grid is told the time.
    pub at: Duration,
    /// What.
    pub change: Change,
}

/// One object of one cluster.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The number of its cluster.
    pub(super) cluster: u32,
    pub(super) key: Bytes,
    /// As the store holds it.
    pub(super) value: Bytes,
    pub(super) health: Health,
    /// The number of its group.
    pub(super) group: u32,
}

/// What is shown or sorted by: a column of the union, or what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The cluster's name.
    Cluster,
    /// The namespace.
    Namespace,
    /// A column of the union.
    Column(usize),
}

impl Field {
    /// Which cell of a haystack it is.
    pub(super) fn place(self) -> usize {
        match self {
            Self::Cluster => 0,
            Self::Namespace => 1,
            Self::Column(column) => column + 2,
        }
    }
}

/// A row's cells in the order of the union's columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    pub(super) row: &'a Row,
    /// Where the union has each of the row's cells.
    pub(super) places: &'a [usize],
}

impl<'a> Placed<'a> {
    pub(super) fn cell(&self, column: usize) -> Option<&'a Cell> {
        let at = self.places.iter().position(|place| *place == column)?;
        self.row.cells.get(at)
    }
}

/// `namespace/name`, taken apart; the namespace is empty for what lives in none.
pub(super) fn names(key: &[u8]) -> (String, String) {
    let key = String::from_utf8_lossy(key);
    let (namespace, name) = key.split_once('/').unwrap_or(("", &key));
    (namespace.to_owned(), name.to_owned())
}

/// The key of an object: what [`names`] takes apart.
pub(super) fn key(namespace: &str, name: &str) -> Bytes {
    match namespace {
        "" => Bytes::copy_from_slice(name.as_bytes()),
        namespace => format!("{namespace}/{name}").into(),
    }
}

/// Text from a cluster as a cell of the screen may have it.
pub(super) fn fit(text: &str) -> String {
    sanitize::word(&sanitize::cell(text)).into_owned()
}

/// What is read of a row's cells.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Cluster, namespace and cells between tabs, without what moves: what a line is searched and sorted by.
    pub(super) haystack: String,
    /// By column, the instant that its cell is, in ms since 1970, if it is one and nothing else.
    pub(super) instants: Vec<Option<i64>>,
    /// The width that each of them needs.
    pub(super) widths: Vec<u16>,
}

impl Cells {
    /// Of a row, in so many columns.
    pub(super) fn read(
        (cluster, namespace): (&str, &str),
        placed: Placed<'_>,
        columns: usize,
        now_ms: i64,
    ) -> Self {
        let mut read = Self {
            haystack: fit(cluster),
            instants: vec![None; columns],
            widths: vec![0; columns],
        };
        read.haystack.push(TAB);
        read.haystack.push_str(&fit(namespace));
        for column in 0..columns {
            read.haystack.push(TAB);
            let Some(cell) = placed.cell(column) else {
                continue;
            };
            let text = fit(&cell.still_text());
            read.widths[column] = match cell.moves() {
                true => moving_width(cell, now_ms),
                // What stays as it is, is all of it.
                false => u16::try_from(text.width()).unwrap_or(u16::MAX),
            };
            read.instants[column] = cell.instant();
            read.haystack.push_str(&text);
        }
        read
    }
}

/// The age that a cell is sorted by which is an instant and nothing else. Of times since an instant only that says
/// anything: beside a number, as in `12 (2m ago)`, they are left out.
pub(super) fn sort_age(instant: i64) -> i64 {
    READ_AT_MS.saturating_sub(instant)
}

/// The text of every cell that is sorted by its age.
pub(super) const AGED: &str = "0s";

/// How a row is, by the columns that tell.
pub(super) fn health(plural: &str, names: &[(usize, String)], placed: Placed<'_>) -> Health {
    let told: Vec<_> = names
        .iter()
        .filter_map(|(column, name)| Some((name, placed.cell(*column)?.still_text())))
        .collect();
    let mut signs = Signs::default();
    for (name, text) in &told {
        signs.take(name, text);
    }
    signs.health(plural)
}

/// The cells that differ, as bits.
pub(super) fn differing(old: Placed<'_>, new: Placed<'_>, columns: usize) -> u64 {
    (0..columns.min(64))
        .filter(|column| old.cell(*column) != new.cell(*column))
        .fold(0, |bits, column| bits | 1 << column)
}

/// How many columns of the screen a cell needs, now and while its age grows.
fn moving_width(cell: &Cell, now_ms: i64) -> u16 {
    // `4d23h` is as wide as ages become within a look, and `5m` may become `10m`.
    text_width(&cell.text(now_ms)).saturating_add(2)
}

/// How many columns of the screen a text needs.
pub(super) fn text_width(text: &str) -> u16 {
    u16::try_from(fit(text).width()).unwrap_or(u16::MAX)
}
