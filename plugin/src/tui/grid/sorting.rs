//! All lines by a column, at once.
//!
//! A key that is pressed waits for this. Cells are read where they lie one behind the other; one that was met a moment ago is
//! not looked at again; and what is sorted are numbers: keys are compared with each other only where the numbers are
//! alike.

use super::line;
use super::{Field, Grid};
use crate::filter::compare::{self, Key, Kind, NO_NUMBER, Reading, Tally};
use crate::tui::query::nth_cell;
use std::borrow::Cow;

/// So few are compared with each other at once.
const FEW: usize = 8;
/// Texts that have so many words in common are.
const DEEPEST: usize = 16;
/// So many cells are remembered, each in a place that its first word gives it.
const REMEMBERED: usize = 256;
/// No cell.
const NONE: u32 = u32::MAX;

/// The cells of a column, those that are alike mostly once.
struct Cells<'a> {
    distinct: Vec<Distinct<'a>>,
    /// The numbers of those that were met last.
    met: [u32; REMEMBERED],
    /// Of each line, the number of its cell.
    of_lines: Vec<u32>,
    /// Of cells that are sorted by their ages.
    aged: Reading,
}

struct Distinct<'a> {
    cell: SortCell<'a>,
    reading: Reading,
}

/// What a line is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SortCell<'a> {
    text: Cow<'a, str>,
    age: Option<i64>,
}

impl<'a> SortCell<'a> {
    /// Of a text.
    pub(super) fn of(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        Self { text, age: None }
    }

    /// Of an instant, by its age.
    pub(super) fn since(instant: i64) -> Self {
        Self {
            text: Cow::Borrowed(line::AGED),
            age: Some(line::sort_age(instant)),
        }
    }

    pub(super) fn reading(&self) -> Reading {
        Reading::of_text(&self.text, self.age)
    }

    /// Ready to be compared with others of its column.
    pub(super) fn key(&self, kind: Kind) -> Key<&str> {
        kind.key_of(&self.text, self.age)
    }
}

impl<'a> Cells<'a> {
    fn new(lines: usize) -> Self {
        Self {
            distinct: Vec::with_capacity(lines),
            met: [NONE; REMEMBERED],
            of_lines: Vec::with_capacity(lines),
            aged: Reading::of_text(line::AGED, Some(0)),
        }
    }

    /// The cell of one more line.
    fn add(&mut self, cell: SortCell<'a>) {
        let number = match cell.age {
            Some(_) => self.put(cell, self.aged),
            None => self.number(cell),
        };
        self.of_lines.push(number);
    }

    fn number(&mut self, cell: SortCell<'a>) -> u32 {
        let place = place(&cell.text);
        let met = self.met[place];
        let is_met = |met: &Distinct<'_>| met.cell == cell;
        if self.distinct.get(met as usize).is_some_and(is_met) {
            return met;
        }
        let reading = cell.reading();
        let number = self.put(cell, reading);
        self.met[place] = number;
        number
    }

    fn put(&mut self, cell: SortCell<'a>, reading: Reading) -> u32 {
        self.distinct.push(Distinct { cell, reading });
        u32::try_from(self.distinct.len() - 1).unwrap_or(NONE)
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for number in &self.of_lines {
            tally.add(self.distinct[*number as usize].reading);
        }
        tally
    }

    fn cell(&self, number: u32) -> &SortCell<'a> {
        &self.distinct[number as usize].cell
    }

    /// By cell, its place among all, and how many places there are; those that are equal have the same.
    fn ranks(&self, kind: Kind) -> (Vec<u32>, usize) {
        let cells = (0..).zip(&self.distinct);
        let mut order: Vec<(u64, u32)> = cells
            .map(|(number, it)| (it.cell.key(kind).head(), number))
            .collect();
        self.sort(kind, &mut order, 0);
        let is_same = |one: u32, other: u32| {
            let (one, other) = (self.cell(one), self.cell(other));
            one == other || (one.text == other.text && one.key(kind) == other.key(kind))
        };
        let mut ranks = vec![0; order.len()];
        let mut rank = 0;
        for (at, (word, number)) in order.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| order[before]);
            let is_other = |(before, its): (u64, u32)| before != *word || !is_same(its, *number);
            rank += u32::from(before.is_some_and(is_other));
            ranks[*number as usize] = rank;
        }
        (ranks, rank as usize + 1)
    }

    /// Sorts cells with a number each that is greater only if the cell is: of texts, it is their word at this place, and
    /// those before are alike.
    fn sort(&self, kind: Kind, cells: &mut [(u64, u32)], place: usize) {
        cells.sort_unstable_by_key(|(word, _)| *word);
        let alike = cells.chunk_by_mut(|one, other| one.0 == other.0);
        for alike in alike.filter(|alike| alike.len() > 1) {
            let is_text = kind == Kind::Text && alike[0].0 != NO_NUMBER;
            if is_text && alike.len() > FEW && place < DEEPEST {
                for (word, number) in alike.iter_mut() {
                    *word = compare::word(&self.cell(*number).text, place + 1);
                }
                self.sort(kind, alike, place + 1);
            } else if is_text {
                alike.sort_unstable_by_key(|(_, number)| &*self.cell(*number).text);
            } else {
                alike.sort_unstable_by_key(|(_, number)| self.cell(*number).key(kind));
            }
        }
    }
}

/// Where a cell of such a text is remembered: by how it begins and ends.
fn place(text: &str) -> usize {
    let end = text
        .as_bytes()
        .last_chunk()
        .map_or(0, |end| u64::from_le_bytes(*end));
    // Fibonacci hashing: 2^64 over the golden ratio. Its upper bits depend on all others.
    let mixed = (compare::word(text, 0) ^ end).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as usize % REMEMBERED
}

/// Numbers sorted by their ranks, of which there are so many; those that have the same stay as they are.
fn by_rank(numbers: &[u32], ranks: usize, rank: impl Fn(u32) -> usize) -> Vec<u32> {
    let mut places = vec![0; ranks + 1];
    for number in numbers {
        places[rank(*number) + 1] += 1;
    }
    for at in 0..ranks {
        places[at + 1] += places[at];
    }
    let mut sorted = vec![0; numbers.len()];
    for number in numbers {
        let place = &mut places[rank(*number)];
        sorted[*place] = *number;
        *place += 1;
    }
    sorted
}

impl Grid {
    /// All lines, sorted by a column; and what that column is is known from now on.
    pub(super) fn by_column(&mut self, field: Field) -> Vec<u32> {
        let mut cells = Cells::new(self.lines.len());
        for number in (0..).take(self.lines.len()) {
            // One that has ended says nothing.
            cells.add(self.sort_cell(field, number));
        }
        let tally = cells.tally();
        let (ranks, many) = cells.ranks(tally.kind());
        let rank = |number: u32| ranks[cells.of_lines[number as usize] as usize] as usize;
        // What is equal stays as it is: by cluster, namespace and name.
        let order = match self.sort.descending {
            false => by_rank(&self.base, many, rank),
            true => by_rank(&self.base, many, |number| many - 1 - rank(number)),
        };
        let numbers = cells.of_lines.iter().map(|number| *number as usize);
        let readings: Vec<_> = numbers
            .map(|number| cells.distinct[number].reading)
            .collect();
        self.readings = readings;
        (self.tally, self.kind) = (tally, tally.kind());
        order
    }

    /// What a line is sorted by. The line itself is looked at only for a figure.
    pub(super) fn sort_cell(&self, field: Field, number: u32) -> SortCell<'_> {
        let instant = |column| self.instants.of(column, number);
        self.cell_of(field, number, self.haystacks.of(number), instant)
    }

    /// What a line is sorted by that has such cells.
    pub(super) fn cell_of<'a>(
        &self,
        field: Field,
        number: u32,
        haystack: &'a str,
        instant: impl Fn(usize) -> Option<i64>,
    ) -> SortCell<'a> {
        if let Field::Column(column) = field {
            if self.is_figure(column)
                && let Some(line) = self.line(number)
                && let Some(figure) = self.measures.sort_text(column, line)
            {
                return SortCell::of(figure);
            }
            if let Some(instant) = instant(column) {
                return SortCell::since(instant);
            }
        }
        SortCell::of(nth_cell(haystack, field.place()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell() -> impl Strategy<Value = SortCell<'static>> {
        let text = prop_oneof![
            "a{0,20}b?",
            "a{125,140}[ab]{0,2}",
            "a{7,9}\0{0,9}b?",
            "\\PC{0,3}",
            "[0-9]{1,3}(m|h|Gi|/[0-9])?",
            Just("<none>".to_owned()),
        ];
        let aged = any::<i64>().prop_map(SortCell::since);
        prop_oneof![6 => text.prop_map(SortCell::of), 1 => aged]
    }

    proptest! {
        #[test]
        fn ranks_are_as_keys_are(
            cells in prop::collection::vec(cell(), 0..80),
            kind in prop::sample::select(vec![Kind::Age, Kind::Quantity, Kind::Fraction, Kind::Text]),
        ) {
            let mut added = Cells::new(cells.len());
            cells.iter().cloned().for_each(|cell| added.add(cell));
            let plain: Vec<_> = cells
                .iter()
                .map(|cell| compare::Cell { text: cell.text.clone().into_owned(), age: cell.age })
                .collect();
            prop_assert_eq!(added.tally().kind(), Kind::of(&plain));
            let (ranks, many) = added.ranks(kind);
            let ranks = added.of_lines.iter().map(|number| ranks[*number as usize]);
            let mut sorted: Vec<_> = plain.iter().map(|cell| kind.key(cell)).zip(ranks).collect();
            sorted.sort();
            for pair in sorted.windows(2) {
                prop_assert_eq!(pair[0].0.cmp(&pair[1].0), pair[0].1.cmp(&pair[1].1), "{:?}", pair);
            }
            prop_assert!(sorted.last().is_none_or(|(_, last)| *last as usize + 1 == many));
        }
    }
}
