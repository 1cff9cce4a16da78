//! Which line stands where, and which are shown.
//!
//! The order is total (no two lines have both cluster and key in common), so a line that is asked for is found by binary
//! search, and a single change moves one number. Many changes at once are sorted anew.

use super::line::{self, Field, Line, Placed, names};
use super::measures::Measures;
use super::{Grid, Group, Health, Query, Sort};
use crate::filter::compare::{Cell, Kind, Reading, Tally};
use crate::tui::object;
use crate::tui::query::{Looked, Sieve};
use std::cmp::Ordering;

impl Grid {
    /// Sorts otherwise.
    pub fn set_sort(&mut self, sort: Sort) {
        let same_column = self.sort.by == sort.by;
        self.sort = sort;
        if !same_column {
            self.read_sort_cells();
        }
        self.sort_all();
    }

    /// Groups otherwise.
    pub fn set_group(&mut self, group: Group) {
        self.group = group;
        self.groups.clear();
        for number in self.order.clone() {
            self.note_group(number);
        }
        self.sort_all();
    }

    /// Shows what passes this.
    pub fn set_query(&mut self, query: Query) {
        self.query = query;
        self.sift_all();
    }

    /// Shows only what is unwell, or all.
    pub fn set_faults_only(&mut self, only: bool) {
        self.faults_only = only;
        self.sift_all();
    }

    /// The column that a name means: as it is headed, whatever the case, or as what it begins with.
    pub fn field_named(&self, name: &str) -> Option<Field> {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(|c| !matches!(c, ' ' | '-' | '_'));
            letters.flat_map(char::to_lowercase).collect()
        };
        let wanted = plain(name);
        let columns = self.columns().iter().enumerate();
        let heads = [
            (Field::Cluster, "cluster".to_owned()),
            (Field::Namespace, "namespace".to_owned()),
        ];
        let columns = columns.map(|(at, column)| (Field::Column(at), plain(&column.name)));
        let heads: Vec<_> = columns.chain(heads).collect();
        let exact = heads.iter().find(|(_, head)| *head == wanted);
        let found = exact.or_else(|| heads.iter().find(|(_, head)| head.starts_with(&wanted)));
        found.map(|(field, _)| *field)
    }

    /// The group that begins at this place, and how many lines it has.
    pub(super) fn heading(&self, place: usize) -> Option<(String, usize)> {
        let group = self.group_of(*self.shown.get(place)?)?;
        let before = place.checked_sub(1).map(|before| self.shown[before]);
        if before.and_then(|number| self.group_of(number)) == Some(group) {
            return None;
        }
        let rest = &self.shown[place..];
        let many = rest.partition_point(|number| self.group_of(*number) <= Some(group));
        Some((group.to_owned(), many))
    }

    /// The group of the line at a place, if lines are grouped.
    pub fn group_at(&self, place: usize) -> Option<&str> {
        self.group_of(*self.shown.get(place)?)
    }

    fn group_of(&self, number: u32) -> Option<&str> {
        self.groups.get(&number).map(String::as_str)
    }

    /// Notes what a line is grouped by.
    pub(super) fn note_group(&mut self, number: u32) {
        let Some(line) = self.line(number) else {
            return;
        };
        let group = match self.group {
            Group::None => return,
            Group::Cluster => self.slots[line.cluster as usize].name.as_str().to_owned(),
            Group::Namespace => names(&line.key).0,
            Group::Owner => {
                object::owner(&line.value).map_or_else(String::new, |owner| owner.label())
            }
        };
        let group = line::fit(&group);
        self.groups.insert(number, group);
    }

    /// Reads by what each line is sorted, of all of them.
    pub(super) fn read_sort_cells(&mut self) {
        let numbers = self.order.clone();
        let cells: Vec<_> = match self.sort.by {
            None => vec![Cell::default(); numbers.len()],
            Some(field) => {
                let cell = |number: &u32| self.sort_cell(field, *number);
                numbers.iter().map(cell).collect()
            }
        };
        self.tally = Tally::default();
        cells
            .iter()
            .for_each(|cell| self.tally.add(Reading::of(cell)));
        self.kind = self.tally.kind();
        let kind = self.kind;
        for (number, cell) in numbers.into_iter().zip(&cells) {
            if let Some(line) = self.line_mut(number) {
                (line.sort, line.reading) = line::sort_key(cell, kind);
            }
        }
    }

    fn sort_cell(&self, field: Field, number: u32) -> Cell {
        let Some(line) = self.line(number) else {
            return Cell::default();
        };
        if let Some(cell) = self.measured_cell(field, line) {
            return cell;
        }
        let slot = &self.slots[line.cluster as usize];
        let row = match field {
            Field::Column(_) => self.decode(&line.value).unwrap_or_default(),
            Field::Cluster | Field::Namespace => crate::table::Row::default(),
        };
        let placed = Placed {
            row: &row,
            places: &slot.places,
        };
        line::sort_cell(field, slot.name.as_str(), &names(&line.key).0, placed)
    }

    /// What a line is sorted by, if that is a figure.
    pub(super) fn measured_cell(&self, field: Field, line: &Line) -> Option<Cell> {
        match field {
            Field::Column(at) => self.measures.sort_cell(at, line),
            Field::Cluster | Field::Namespace => None,
        }
    }

    /// After cells changed: if the column is another kind of column now, every key is another one. Answers whether.
    pub(super) fn recognise(&mut self) -> bool {
        let is_other = self.sort.by.is_some() && self.tally.kind() != self.kind;
        if is_other {
            self.read_sort_cells();
            self.sort_all();
        }
        is_other
    }

    /// What the column is that lines are sorted by.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn sort_all(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        order.sort_unstable_by(|one, other| self.compare(*one, *other));
        self.order = order;
        self.show_passing();
    }

    /// Asks every line anew whether it is shown.
    pub(super) fn sift_all(&mut self) {
        let query = std::mem::take(&mut self.query);
        let place = self.place_for(&query);
        let mut sieve = Sieve::new(&query);
        let faults_only = self.faults_only;
        for line in self.lines.iter_mut().flatten() {
            line.passes = passes(line, place, faults_only, (&self.measures, &mut sieve));
        }
        self.query = query;
        self.show_passing();
    }

    /// Asks one.
    pub(super) fn sift(&mut self, number: u32) {
        let query = std::mem::take(&mut self.query);
        let place = self.place_for(&query);
        let faults_only = self.faults_only;
        let mut sieve = Sieve::new(&query);
        let line = self.lines.get_mut(number as usize);
        if let Some(line) = line.and_then(Option::as_mut) {
            line.passes = passes(line, place, faults_only, (&self.measures, &mut sieve));
        }
        self.query = query;
    }

    /// Which cell of the haystack the query speaks of.
    pub(super) fn place_for(&self, query: &Query) -> Option<usize> {
        match self.field_named(query.column()?)? {
            Field::Cluster => Some(0),
            Field::Namespace => Some(1),
            Field::Column(column) => Some(column + 2),
        }
    }

    fn show_passing(&mut self) {
        let passes = |number: &u32| self.line(*number).is_some_and(|line| line.passes);
        self.shown = self.order.iter().copied().filter(passes).collect();
        self.follow();
    }

    /// Puts a line where it belongs.
    pub(super) fn put(&mut self, number: u32) {
        let at = self
            .order
            .partition_point(|it| self.compare(*it, number).is_lt());
        self.order.insert(at, number);
        if self.line(number).is_some_and(|line| line.passes) {
            let at = self
                .shown
                .partition_point(|it| self.compare(*it, number).is_lt());
            self.shown.insert(at, number);
        }
    }

    /// Takes a line out, which still is as it was when it was put there.
    pub(super) fn pull(&mut self, number: u32) {
        if let Some(at) = self.find(&self.order, number) {
            self.order.remove(at);
        }
        if let Some(at) = self.find(&self.shown, number) {
            self.shown.remove(at);
        }
    }

    /// Where a line is shown.
    pub(super) fn place_of(&self, number: u32) -> Option<usize> {
        self.line(number)?;
        self.find(&self.shown, number)
    }

    fn find(&self, among: &[u32], number: u32) -> Option<usize> {
        among.binary_search_by(|it| self.compare(*it, number)).ok()
    }

    fn compare(&self, one: u32, other: u32) -> Ordering {
        let (Some(a), Some(b)) = (self.line(one), self.line(other)) else {
            return one.cmp(&other);
        };
        let groups = match self.group {
            Group::None => Ordering::Equal,
            _ => self.group_of(one).cmp(&self.group_of(other)),
        };
        let keys = || match (self.sort.by, self.sort.descending) {
            (None, false) => Ordering::Equal,
            (None, true) => self.places(a, b).reverse(),
            (Some(_), false) => a.sort.cmp(&b.sort),
            (Some(_), true) => b.sort.cmp(&a.sort),
        };
        groups.then_with(keys).then_with(|| self.places(a, b))
    }

    fn places(&self, one: &Line, other: &Line) -> Ordering {
        let rank = |line: &Line| self.slots[line.cluster as usize].rank;
        rank(one)
            .cmp(&rank(other))
            .then_with(|| one.key.cmp(&other.key))
    }
}

fn passes(
    line: &Line,
    place: Option<usize>,
    faults_only: bool,
    (measures, sieve): (&Measures, &mut Sieve<'_>),
) -> bool {
    if faults_only && line.health < Health::Warn {
        return false;
    }
    // Figures are in no haystack: they change all the time.
    let column = place.and_then(|place| place.checked_sub(2));
    if let Some(text) = column.and_then(|column| measures.text(column, line)) {
        return sieve.takes(Looked {
            haystack: &text,
            value: &line.value,
            place: Some(0),
        });
    }
    sieve.takes(Looked {
        haystack: &line.haystack,
        value: &line.value,
        place,
    })
}
