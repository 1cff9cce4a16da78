//! Orders by columns that were looked at before: who goes back to one finds it mended, not made.
//!
//! Of 100,000 lines a few hundred have changed since; these are put where they belong, and the others stay.

use super::{Field, Grid, Group, Sort};
use crate::filter::compare::{Kind, Reading, Tally};
use std::collections::VecDeque;

/// So many orders are kept beside the one that is shown.
const MOST: usize = 4;
/// So many lines may have changed, and an eighth of all: beyond that it is no slower to sort all of them.
const CHANGED: usize = 64;

/// Orders, the last one first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    orders: VecDeque<Order>,
}

/// An order, as it was when another one was wanted.
#[derive(Debug)]
struct Order {
    sort: Sort,
    numbers: Vec<u32>,
    readings: Vec<Reading>,
    tally: Tally,
    kind: Kind,
    /// Lines that came, went or changed since.
    changed: Vec<u32>,
}

impl Kept {
    /// Notes that a line, one of so many, is another one now.
    pub(super) fn changed(&mut self, number: u32, of: usize) {
        for order in &mut self.orders {
            order.changed.push(number);
        }
        self.orders
            .retain(|order| order.changed.len() <= CHANGED + of / 8);
    }

    fn put(&mut self, order: Order) {
        self.orders.push_front(order);
        self.orders.truncate(MOST);
    }

    fn take(&mut self, sort: Sort) -> Option<Order> {
        let at = self.orders.iter().position(|order| order.sort == sort)?;
        self.orders.remove(at)
    }
}

impl Grid {
    /// Sorts otherwise.
    pub fn set_sort(&mut self, sort: Sort) {
        if sort != self.sort {
            self.keep();
        }
        self.sort = sort;
        match self.kept.take(sort) {
            Some(order) if self.group == Group::None => self.mend(order),
            _ => self.sort_all(),
        }
    }

    /// Keeps the order that lines are in. Figures change all the time, and groups are not what lines are sorted by.
    fn keep(&mut self) {
        let is_figure = |field| matches!(field, Field::Column(at) if self.is_figure(at));
        let lasts = self.sort.by.is_some_and(|field| !is_figure(field));
        if !lasts || self.group != Group::None {
            return;
        }
        let readings = vec![Reading::default(); self.lines.len()];
        self.kept.put(Order {
            sort: self.sort,
            numbers: std::mem::take(&mut self.order),
            readings: std::mem::replace(&mut self.readings, readings),
            tally: std::mem::take(&mut self.tally),
            kind: self.kind,
            changed: Vec::new(),
        });
    }

    /// Puts the lines that have changed where they belong; if the column is another kind of column now, all of them.
    fn mend(&mut self, order: Order) {
        let mut changed = order.changed;
        changed.sort_unstable();
        changed.dedup();
        (self.kind, self.tally, self.readings) = (order.kind, order.tally, order.readings);
        self.readings.resize(self.lines.len(), Reading::default());
        let mut is_changed = vec![false; self.lines.len()];
        for number in &changed {
            is_changed[*number as usize] = true;
            self.read_again(*number);
        }
        if self.tally.kind() != self.kind {
            return self.sort_all();
        }
        let mut stays = order.numbers;
        stays.retain(|number| !is_changed[*number as usize]);
        self.order = self.joined(&stays, &changed);
        self.show_passing();
    }

    /// Those that stand in order already, and the others that are there among them.
    fn joined(&self, stays: &[u32], changed: &[u32]) -> Vec<u32> {
        let probes = changed.iter().filter_map(|number| self.probe(*number));
        let mut places: Vec<_> = probes
            .map(|probe| (self.place_among(stays, &probe), probe))
            .collect();
        places.sort_by(|(at, one), (other_at, other)| {
            let order = || self.against(one.number, other);
            at.cmp(other_at).then_with(order)
        });
        let mut joined = Vec::with_capacity(stays.len() + places.len());
        let mut from = 0;
        for (at, probe) in places {
            joined.extend_from_slice(&stays[from..at]);
            joined.push(probe.number);
            from = at;
        }
        joined.extend_from_slice(&stays[from..]);
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::grid::Novelty;
    use crate::tui::grid::tests::{Bed, at};
    use proptest::prelude::*;

    fn changes() -> impl Strategy<Value = Vec<(usize, Option<(usize, u32)>)>> {
        prop::collection::vec(
            (
                0..12_usize,
                prop::option::weighted(0.8, (0..4_usize, 0..9_u32)),
            ),
            0..6,
        )
    }

    fn tell(bed: &mut Bed, changes: &[(usize, Option<(usize, u32)>)]) {
        for (n, change) in changes {
            let text = match change {
                Some((word, since)) => {
                    let word = ["Running", "Pending", "12", "5m"][*word];
                    format!("n{n} {}/1 {word} {since}", since % 2)
                }
                None => format!("-n{n}"),
            };
            bed.tell("west", &[&text], Novelty::News, at(0));
        }
        // What went is out of the order.
        bed.grid.tick(at(10_000));
    }

    proptest! {
        #[test]
        fn an_order_that_was_kept_is_as_one_that_is_made(
            sorts in (0..4_usize, any::<bool>(), prop::option::of(0..4_usize)),
            told in [changes(), changes(), changes()],
        ) {
            let (by, descending, then) = sorts;
            let mut bed = Bed::of(&[("west", "n0 1/1 Running 1"), ("west", "n5 0/1 Running 2")]);
            let sort = Sort { by: Some(Field::Column(by)), descending };
            tell(&mut bed, &told[0]);
            bed.grid.set_sort(sort);
            tell(&mut bed, &told[1]);
            bed.grid.set_sort(Sort { by: then.map(Field::Column), descending: !descending });
            tell(&mut bed, &told[2]);
            bed.grid.set_sort(sort);
            let (mended, kind) = (bed.shown(), bed.grid.kind);
            // The same again is made anew.
            bed.grid.set_sort(sort);
            prop_assert_eq!((mended, kind), (bed.shown(), bed.grid.kind));
            tell(&mut bed, &told[1]);
            let moved = bed.shown();
            bed.grid.set_sort(sort);
            prop_assert_eq!(moved, bed.shown());
        }
    }
}
