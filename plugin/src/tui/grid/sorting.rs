//! All lines by a column, at once.
//!
//! A key that is pressed waits for this, so that of each row only the one cell is read, a cell that was met before is
//! not read again, and what is sorted are numbers: keys are compared with each other only once for each that there is.

use super::line::{self, Line};
use super::{Field, Grid, measures};
use crate::filter::compare::{self, Reading, Tally};
use crate::table::{self, cell_bytes};
use crate::tui::usage::Figure;
use std::collections::HashMap;
use std::hash::Hash;

/// So many cells are read before it is judged whether it pays to look for those that were met before.
const TRIAL: usize = 2048;

/// The cells of a column, those that are alike mostly once.
#[derive(Default)]
struct Cells {
    distinct: Vec<(compare::Cell, Reading)>,
    /// Of each line, the number of its cell.
    of_lines: Vec<u32>,
}

impl Cells {
    /// Of lines that have these behind their cells.
    fn of<B: Copy + Eq + Hash>(
        lines: impl ExactSizeIterator<Item = B>,
        read: impl Fn(B) -> compare::Cell,
    ) -> Self {
        let mut cells = Self::default();
        cells.of_lines.reserve(lines.len());
        // By what is behind it, a cell's number.
        let mut met = HashMap::new();
        lines.for_each(|behind| cells.add(behind, &mut met, &read));
        cells
    }

    fn add<B: Copy + Eq + Hash>(
        &mut self,
        behind: B,
        met: &mut HashMap<B, u32>,
        read: impl Fn(B) -> compare::Cell,
    ) {
        // Names and ages are all different.
        let pays = self.of_lines.len() < TRIAL || met.len() * 2 < self.of_lines.len();
        let known = pays.then(|| met.get(&behind).copied()).flatten();
        let number = known.unwrap_or_else(|| {
            let number = u32::try_from(self.distinct.len()).unwrap_or(u32::MAX);
            let cell = read(behind);
            let reading = Reading::of(&cell);
            self.distinct.push((cell, reading));
            if pays {
                met.insert(behind, number);
            }
            number
        });
        self.of_lines.push(number);
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for number in &self.of_lines {
            tally.add(self.distinct[*number as usize].1);
        }
        tally
    }

    /// By cell, its place among all; those that are equal have the same.
    fn ranks(&self, kind: compare::Kind) -> Vec<u32> {
        let keys: Vec<_> = self
            .distinct
            .iter()
            .map(|(cell, _)| kind.key(cell))
            .collect();
        let heads = keys.iter().map(compare::Key::head);
        let mut order: Vec<(u64, u32)> = heads.zip(0..).collect();
        let key = |number: u32| &keys[number as usize];
        order.sort_by(|one, other| {
            let by_head = one.0.cmp(&other.0);
            by_head.then_with(|| key(one.1).cmp(key(other.1)))
        });
        let mut ranks = vec![0; keys.len()];
        let mut rank = 0;
        for (at, (_, number)) in order.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| order[before].1);
            rank += u32::from(before.is_some_and(|before| key(before) != key(*number)));
            ranks[*number as usize] = rank;
        }
        ranks
    }
}

impl Grid {
    /// All lines, sorted by a column; and what that column is is known from now on.
    pub(super) fn by_column(&mut self, field: Field) -> Vec<u32> {
        let lines = self.base.iter().map(|number| self.line(*number));
        let cells = match self.figure(field) {
            Some(figure) => Cells::of(
                lines.map(|line| line.and_then(|line| self.measures.value(figure, line))),
                measures::sort_cell,
            ),
            None => Cells::of(
                lines.map(|line| line.map_or(&[][..], |it| self.behind(field, it, &it.value))),
                |behind| read(field, behind),
            ),
        };
        let tally = cells.tally();
        let kind = tally.kind();
        let ranks = cells.ranks(kind);
        let rank = |cell: &u32| ranks[*cell as usize];
        let numbers = self.base.iter().copied();
        let mut order: Vec<(u32, u32)> = cells.of_lines.iter().map(rank).zip(numbers).collect();
        let readings: Vec<_> = cells
            .of_lines
            .iter()
            .map(|cell| cells.distinct[*cell as usize].1)
            .collect();
        // Both leave what is equal as it is: by cluster, namespace and name.
        match self.sort.descending {
            false => order.sort_by_key(|(rank, _)| *rank),
            true => order.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank)),
        }
        (self.tally, self.kind) = (tally, kind);
        for (at, reading) in readings.into_iter().enumerate() {
            if let Some(line) = self.line_mut(self.base[at]) {
                line.reading = reading;
            }
        }
        order.into_iter().map(|(_, number)| number).collect()
    }

    /// What a line is sorted by if that is its value.
    pub(super) fn sort_cell(&self, field: Field, line: &Line, value: &[u8]) -> compare::Cell {
        match self.figure(field) {
            Some(figure) => measures::sort_cell(self.measures.value(figure, line)),
            None => read(field, self.behind(field, line, value)),
        }
    }

    /// The figure that stands in a column; none if that is one of the rows'.
    fn figure(&self, field: Field) -> Option<Figure> {
        match field {
            Field::Column(column) => self.measures.figure(column),
            Field::Cluster | Field::Namespace => None,
        }
    }

    /// The bytes of it, if it is no figure.
    fn behind<'a>(&'a self, field: Field, line: &'a Line, value: &'a [u8]) -> &'a [u8] {
        let (slot, key) = (&self.slots[line.cluster as usize], &line.key);
        match field {
            Field::Cluster => slot.name.as_str().as_bytes(),
            Field::Namespace => {
                let end = key.iter().position(|byte| *byte == b'/');
                &key[..end.unwrap_or_default()]
            }
            Field::Column(column) => {
                let at = slot.places.iter().position(|place| *place == column);
                at.map_or(&[], |at| cell_bytes(value, at))
            }
        }
    }
}

fn read(field: Field, behind: &[u8]) -> compare::Cell {
    match field {
        Field::Cluster | Field::Namespace => compare::Cell {
            text: String::from_utf8_lossy(behind).into_owned(),
            age: None,
        },
        Field::Column(_) => line::sort_cell(&table::Cell::from_bytes(behind)),
    }
}
