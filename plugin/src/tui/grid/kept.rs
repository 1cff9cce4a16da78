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
