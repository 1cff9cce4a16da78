//! All lines by a column, at once.
//!
//! A key that is pressed waits for this, so that of each row only the one cell is read, in the order in which the rows lie
//! in memory; a text that was met before is not looked at again; and what is sorted are numbers: keys are compared with
//! each other only where the numbers are alike.

use super::line::{self, Line};
use super::{Field, Grid};
use crate::filter::compare::{self, Key, Kind, NO_NUMBER, Reading, Tally};
use crate::table::cell_bytes;
use std::collections::HashMap;
use std::ops::Range;

/// So many cells are read before it is judged whether it pays to look for those that were met before.
const TRIAL: usize = 2048;
/// So many lines are fetched at once.
const AT_ONCE: usize = 16;
/// So few are compared with each other at once.
const FEW: usize = 8;
/// Texts that have so many words in common are.
const DEEPEST: usize = 16;

/// The cells of a column, those that are alike mostly once.
#[derive(Default)]
struct Cells {
    texts: String,
    distinct: Vec<Distinct>,
    /// Whether it pays to look for texts that were met before.
    looks: bool,
    /// By its text, a cell's number.
    met: HashMap<Box<str>, u32>,
    /// Of each line, the number of its cell.
    of_lines: Vec<u32>,
    /// Of cells that are sorted by their ages.
    aged: Reading,
}

struct Distinct {
    /// Where its text is, if it is not sorted by its age.
    text: Range<usize>,
    age: Option<i64>,
    reading: Reading,
}

impl Cells {
    fn new() -> Self {
        Self {
            looks: true,
            aged: Reading::of_text(line::AGED, Some(0)),
            ..Self::default()
        }
    }

    /// The cell of one more line, which is put behind a text, or the age that it is sorted by.
    fn add(&mut self, read: impl FnOnce(&mut String) -> Option<i64>) {
        let number = self.number(read);
        self.of_lines.push(number);
    }

    fn number(&mut self, read: impl FnOnce(&mut String) -> Option<i64>) -> u32 {
        let begin = self.texts.len();
        let age = read(&mut self.texts);
        let text = &self.texts[begin..];
        if self.of_lines.len() == TRIAL {
            // Names are all different.
            self.looks = self.met.len() * 2 < TRIAL;
        }
        let pays = self.looks && age.is_none();
        if let Some(number) = pays.then(|| self.met.get(text)).flatten() {
            self.texts.truncate(begin);
            return *number;
        }
        let number = u32::try_from(self.distinct.len()).unwrap_or(u32::MAX);
        if pays {
            self.met.insert(text.into(), number);
        }
        let reading = match age {
            Some(_) => self.aged,
            None => Reading::of_text(text, None),
        };
        self.distinct.push(Distinct {
            text: begin..self.texts.len(),
            age,
            reading,
        });
        number
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for number in &self.of_lines {
            tally.add(self.distinct[*number as usize].reading);
        }
        tally
    }

    fn text(&self, number: u32) -> &str {
        let cell = &self.distinct[number as usize];
        match cell.age {
            Some(_) => line::AGED,
            None => &self.texts[cell.text.clone()],
        }
    }

    fn key(&self, kind: Kind, number: u32) -> Key<&str> {
        kind.key_of(self.text(number), self.distinct[number as usize].age)
    }

    /// By cell, its place among all, and how many places there are; those that are equal have the same.
    fn ranks(&self, kind: Kind) -> (Vec<u32>, usize) {
        let numbers = (0..).take(self.distinct.len());
        let mut order: Vec<(u64, u32)> = numbers
            .map(|number| (self.key(kind, number).head(), number))
            .collect();
        self.sort(kind, &mut order, 0);
        let is_same = |one: u32, other: u32| {
            self.text(one) == self.text(other) && self.key(kind, one) == self.key(kind, other)
        };
        let mut ranks = vec![0; order.len()];
        let mut rank = 0;
        for (at, (_, number)) in order.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| order[before].1);
            rank += u32::from(before.is_some_and(|before| !is_same(before, *number)));
            ranks[*number as usize] = rank;
        }
        (ranks, rank as usize + 1)
    }

    /// Sorts cells with a number each that is greater only if the cell is: of texts, it is their word at this place, and
    /// those before are alike.
    fn sort(&self, kind: Kind, cells: &mut [(u64, u32)], place: usize) {
        cells.sort_unstable();
        let alike = cells.chunk_by_mut(|one, other| one.0 == other.0);
        for alike in alike.filter(|alike| alike.len() > 1) {
            let is_text = kind == Kind::Text && alike[0].0 != NO_NUMBER;
            if is_text && alike.len() > FEW && place < DEEPEST {
                for (word, number) in alike.iter_mut() {
                    *word = compare::word(self.text(*number), place + 1);
                }
                self.sort(kind, alike, place + 1);
            } else {
                let key = |number| self.key(kind, number);
                alike.sort_unstable_by(|one, other| key(one.1).cmp(&key(other.1)));
            }
        }
    }
}

/// Has the processor fetch what is going to be read of some lines, all at once: that they are scattered all over the
/// memory is most of what it costs to read them one by one.
fn fetch(lines: &[Option<Line>]) {
    let firsts = lines.iter().flatten().flat_map(|line| {
        let bytes = [0, 64, 128, 192].map(|at| line.value.get(at));
        bytes.into_iter().flatten()
    });
    std::hint::black_box(firsts.fold(0_u8, |all, byte| all ^ byte));
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
        let mut cells = Cells::new();
        for lines in self.lines.chunks(AT_ONCE) {
            fetch(lines);
            for line in lines {
                // One that has ended says nothing.
                cells.add(|text| {
                    let line = line.as_ref()?;
                    self.read(field, line, &line.value, text)
                });
            }
        }
        (self.tally, self.kind) = (cells.tally(), cells.tally().kind());
        let (ranks, many) = cells.ranks(self.kind);
        for (line, cell) in self.lines.iter_mut().zip(&cells.of_lines) {
            if let Some(line) = line {
                line.reading = cells.distinct[*cell as usize].reading;
            }
        }
        let rank = |number: u32| ranks[cells.of_lines[number as usize] as usize] as usize;
        // What is equal stays as it is: by cluster, namespace and name.
        match self.sort.descending {
            false => by_rank(&self.base, many, rank),
            true => by_rank(&self.base, many, |number| many - 1 - rank(number)),
        }
    }

    /// What a line is sorted by if that is its value.
    pub(super) fn sort_cell(&self, field: Field, line: &Line, value: &[u8]) -> compare::Cell {
        let mut text = String::new();
        let age = self.read(field, line, value, &mut text);
        if age.is_some() {
            line::AGED.clone_into(&mut text);
        }
        compare::Cell { text, age }
    }

    /// Puts it behind a text, or answers the age that it is sorted by.
    fn read(&self, field: Field, line: &Line, value: &[u8], text: &mut String) -> Option<i64> {
        let slot = &self.slots[line.cluster as usize];
        match field {
            Field::Cluster => text.push_str(slot.name.as_str()),
            Field::Namespace => {
                let end = line.key.iter().position(|byte| *byte == b'/');
                let namespace = &line.key[..end.unwrap_or_default()];
                text.push_str(&String::from_utf8_lossy(namespace));
            }
            Field::Column(column) => {
                if let Some(figure) = self.measures.sort_text(column, line) {
                    text.push_str(&figure);
                    return None;
                }
                let at = slot.places.iter().position(|place| *place == column);
                return line::read_sort_cell(at.map_or(&[], |at| cell_bytes(value, at)), text);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell() -> impl Strategy<Value = compare::Cell> {
        let text = prop_oneof![
            "a{0,20}b?",
            "a{125,140}[ab]{0,2}",
            "a{7,9}\0{0,9}b?",
            "\\PC{0,3}",
            "[0-9]{1,3}(m|h|Gi|/[0-9])?",
            Just("<none>".to_owned()),
        ];
        let aged = any::<i64>().prop_map(|age| compare::Cell {
            text: line::AGED.to_owned(),
            age: Some(age),
        });
        let still = text.prop_map(|text| compare::Cell { text, age: None });
        prop_oneof![6 => still, 1 => aged]
    }

    proptest! {
        #[test]
        fn ranks_are_as_keys_are(
            cells in prop::collection::vec(cell(), 0..80),
            looks in any::<bool>(),
            kind in prop::sample::select(vec![Kind::Age, Kind::Quantity, Kind::Fraction, Kind::Text]),
        ) {
            let mut added = Cells { looks, ..Cells::new() };
            for cell in &cells {
                added.add(|text| {
                    if cell.age.is_none() {
                        text.push_str(&cell.text);
                    }
                    cell.age
                });
            }
            prop_assert_eq!(added.tally().kind(), Kind::of(&cells));
            let (ranks, many) = added.ranks(kind);
            let ranks = added.of_lines.iter().map(|number| ranks[*number as usize]);
            let mut sorted: Vec<_> = cells.iter().map(|cell| kind.key(cell)).zip(ranks).collect();
            sorted.sort();
            for pair in sorted.windows(2) {
                prop_assert_eq!(pair[0].0.cmp(&pair[1].0), pair[0].1.cmp(&pair[1].1), "{:?}", pair);
            }
            prop_assert!(sorted.last().is_none_or(|(_, last)| *last as usize + 1 == many));
        }
    }
}
