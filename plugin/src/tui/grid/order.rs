//! Which line stands where, and which are shown.
//!
//! The order is total (no two lines have both cluster and key in common), so a line that is asked for is found by binary
//! search, and a single change moves one number. Many changes at once are sorted anew.

use super::fresh::Fresh;
use super::line::{self, Line, names};
use super::sorting::SortCell;
use super::{Field, Grid, Group, Health, Now, Query};
use crate::filter::compare::Key;
use crate::tui::object;
use crate::tui::query::{Looked, Sieve};
use bytes::Bytes;
use std::cmp::Ordering;

/// By what a line has its place: others are compared with it, whatever the line becomes meanwhile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Probe {
    group: u32,
    key: Option<Key>,
    pub(super) number: u32,
}

impl Grid {
    /// Groups otherwise.
    pub fn set_group(&mut self, group: Group) {
        self.group = group;
        self.groups = super::Groups::default();
        for line in self.lines.iter_mut().flatten() {
            line.group = 0;
        }
        for at in 0..self.base.len() {
            self.note_group(self.base[at]);
        }
        self.sort_all();
    }

    /// Shows what passes this, now.
    pub fn set_query(&mut self, query: Query, now: Now) {
        let narrows = query.narrows(&self.query);
        self.sifted = now;
        self.query = query;
        match narrows {
            true => self.sift_shown(),
            false => self.sift_all(),
        }
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
        let first = self.line(self.shown[place])?.group;
        let is_before = |number: &u32| {
            let line = self.line(*number);
            line.is_some_and(|line| self.groups.compare(line.group, first).is_le())
        };
        let many = rest.partition_point(is_before);
        Some((group.to_owned(), many))
    }

    /// The group of the line at a place, if lines are grouped.
    pub fn group_at(&self, place: usize) -> Option<&str> {
        self.group_of(*self.shown.get(place)?)
    }

    fn group_of(&self, number: u32) -> Option<&str> {
        let line = self.line(number).filter(|_| self.group != Group::None);
        line.map(|line| self.groups.name(line.group))
    }

    /// Notes what a line is grouped by.
    pub(super) fn note_group(&mut self, number: u32) {
        let Some(group) = self
            .line(number)
            .map(|line| self.group_for(line, &line.value))
        else {
            return;
        };
        let group = group.map_or(0, |group| self.groups.join(&group));
        if let Some(line) = self.line_mut(number) {
            let before = std::mem::replace(&mut line.group, group);
            self.groups.leave(before);
        }
    }

    /// What a line is grouped by if that is its value.
    fn group_for(&self, line: &Line, value: &Bytes) -> Option<String> {
        let group = match self.group {
            Group::None => return None,
            Group::Cluster => self.slots[line.cluster as usize].name.as_str().to_owned(),
            Group::Namespace => names(&line.key).0,
            Group::Owner => object::owner(value).map_or_else(String::new, |owner| owner.label()),
        };
        Some(line::fit(&group))
    }

    /// After cells changed: if the column is another kind of column now, the order is another one. Answers whether.
    pub(super) fn recognise(&mut self) -> bool {
        let is_other = self.sort.by.is_some() && self.tally.kind() != self.kind;
        if is_other {
            self.sort_all();
        }
        is_other
    }

    pub(super) fn sort_all(&mut self) {
        let mut order = match (self.sort.by, self.sort.descending) {
            (Some(field), _) => self.by_column(field),
            (None, false) => self.base.clone(),
            (None, true) => self.base.iter().rev().copied().collect(),
        };
        if self.group != Group::None {
            self.groups.rank_all();
            // Within a group, lines stand as they did.
            order.sort_by_cached_key(|number| self.group_rank(*number));
        }
        self.order = order;
        self.show_passing();
    }

    /// After many lines came at its end.
    pub(super) fn sort_base(&mut self) {
        let mut base = std::mem::take(&mut self.base);
        base.sort_by(|one, other| self.places(*one, *other));
        self.base = base;
    }

    fn group_rank(&self, number: u32) -> u32 {
        self.line(number)
            .map_or(0, |line| self.groups.rank(line.group))
    }

    /// Asks every line anew whether it is shown.
    pub(super) fn sift_all(&mut self) {
        self.ask(|_| true);
        self.show_passing();
    }

    /// Asks only those that are shown: the others do not pass now either.
    fn sift_shown(&mut self) {
        self.ask(|passes| passes);
        let mut shown = std::mem::take(&mut self.shown);
        shown.retain(|number| self.passes(*number));
        self.shown = shown;
        self.follow();
    }

    /// Asks lines, those of which it matters by whether they passed, in the order in which they lie in memory.
    fn ask(&mut self, matters: impl Fn(bool) -> bool) {
        let query = std::mem::take(&mut self.query);
        let place = self.place_for(&query);
        let mut sieve = Sieve::new(&query);
        for number in (0..).take(self.lines.len()) {
            let passes = matters(self.passes(number)) && self.lets(number, place, &mut sieve);
            self.passes[number as usize] = passes;
        }
        self.query = query;
    }

    /// Asks one.
    pub(super) fn sift(&mut self, number: u32) {
        let query = std::mem::take(&mut self.query);
        let place = self.place_for(&query);
        let lets = self.lets(number, place, &mut Sieve::new(&query));
        if let Some(passes) = self.passes.get_mut(number as usize) {
            *passes = lets;
        }
        self.query = query;
    }

    fn lets(&self, number: u32, place: Option<usize>, sieve: &mut Sieve<'_>) -> bool {
        let haystack = self.haystacks.of(number);
        // That of a line which is there has its cluster's name at least.
        if haystack.is_empty() || self.faults_only && !self.is_unwell(number) {
            return false;
        }
        // Figures are in no haystack: they change all the time.
        let column = place.and_then(|place| place.checked_sub(2));
        let figure = column.and_then(|column| self.figure(column, number));
        // Nor are ages: they are read only for a query that compares some.
        let compares = column.filter(|_| figure.is_none() && sieve.compares_ages());
        let labels = match sieve.asks_for_labels() {
            true => self.label_sets[number as usize],
            false => 0,
        };
        sieve.takes(Looked {
            age: compares.and_then(|column| self.age(column, number)),
            haystack: figure.as_deref().unwrap_or(haystack),
            labels: self.labels.get(labels),
            label_set: labels,
            place: figure.as_ref().map_or(place, |_| Some(0)),
        })
    }

    fn is_unwell(&self, number: u32) -> bool {
        self.line(number)
            .is_some_and(|line| line.health >= Health::Warn)
    }

    /// A line's figure in a column, if that is one of figures.
    fn figure(&self, column: usize, number: u32) -> Option<String> {
        let line = self.is_figure(column).then(|| self.line(number))?;
        self.measures.text(column, line?)
    }

    /// How old a line is by a column, if that is an instant and nothing else.
    fn age(&self, column: usize, number: u32) -> Option<i64> {
        let since = self.instants.of(column, number)?;
        let slot = self.slots.get(self.line(number)?.cluster as usize)?;
        let now_ms = self.sifted.wall_ms.saturating_add(slot.ahead_ms);
        Some(now_ms.saturating_sub(since))
    }

    /// Time alone changes what passes.
    pub(super) fn sifts_by_age(&self) -> bool {
        let is_column = |place: usize| place.checked_sub(2).is_some_and(|at| !self.is_figure(at));
        self.query.compares_ages() && self.place_for(&self.query).is_some_and(is_column)
    }

    /// Which cell of the haystack the query speaks of.
    pub(super) fn place_for(&self, query: &Query) -> Option<usize> {
        Some(self.field_named(query.column()?)?.place())
    }

    pub(super) fn show_passing(&mut self) {
        let order = self.order.iter().copied();
        self.shown = order.filter(|number| self.passes(*number)).collect();
        self.follow();
    }

    /// Whether a line passed when it was asked last.
    pub(super) fn passes(&self, number: u32) -> bool {
        self.passes
            .get(number as usize)
            .is_some_and(|passes| *passes)
    }

    /// Puts a line that is new where it belongs.
    pub(super) fn put_new(&mut self, number: u32) {
        let at = self
            .base
            .partition_point(|it| self.places(*it, number).is_lt());
        self.base.insert(at, number);
        self.put(number);
    }

    /// Takes a line out that ends.
    pub(super) fn pull_for_good(&mut self, number: u32) {
        let at = self.base.binary_search_by(|it| self.places(*it, number));
        if let Ok(at) = at {
            self.base.remove(at);
        }
        self.pull(number);
    }

    /// Puts a line where it belongs.
    pub(super) fn put(&mut self, number: u32) {
        let Some(probe) = self.probe(number) else {
            return;
        };
        if let Err(at) = self.search(&self.order, &probe) {
            self.order.insert(at, number);
        }
        if self.passes(number)
            && let Err(at) = self.search(&self.shown, &probe)
        {
            self.shown.insert(at, number);
        }
    }

    /// Takes a line out, which still is as it was when it was put there.
    pub(super) fn pull(&mut self, number: u32) {
        let Some(probe) = self.probe(number) else {
            return;
        };
        if let Ok(at) = self.search(&self.order, &probe) {
            self.order.remove(at);
        }
        if let Ok(at) = self.search(&self.shown, &probe) {
            self.shown.remove(at);
        }
    }

    /// Of a line that stays where it is, and may pass otherwise than before.
    pub(super) fn show_or_hide(&mut self, number: u32, passed: bool) {
        let passes = self.passes(number);
        let Some(probe) = self.probe(number).filter(|_| passes != passed) else {
            return;
        };
        match self.search(&self.shown, &probe) {
            Ok(at) => drop(self.shown.remove(at)),
            Err(at) => self.shown.insert(at, number),
        }
    }

    /// Where a line is shown.
    pub(super) fn place_of(&self, number: u32) -> Option<usize> {
        let probe = self.probe(number)?;
        self.search(&self.shown, &probe).ok()
    }

    /// By what a line has its place.
    pub(super) fn probe(&self, number: u32) -> Option<Probe> {
        let line = self.line(number)?;
        Some(Probe {
            group: line.group,
            key: self.cell(number).map(|cell| self.key(&cell).boxed()),
            number,
        })
    }

    /// By what it has it once it is told this; none if it will be in another group.
    pub(super) fn probe_of(&self, number: u32, fresh: &Fresh) -> Option<Probe> {
        let line = self.line(number)?;
        if let Some(group) = self.group_for(line, &fresh.value)
            && group != self.groups.name(line.group)
        {
            return None;
        }
        let instant = |column: usize| fresh.cells.instants.get(column).copied().flatten();
        let cell = |field| self.cell_of(field, number, &fresh.cells.haystack, instant);
        Some(Probe {
            group: line.group,
            key: self.sort.by.map(|field| self.key(&cell(field)).boxed()),
            number,
        })
    }

    /// The cell by which lines are sorted.
    fn cell(&self, number: u32) -> Option<SortCell<'_>> {
        Some(self.sort_cell(self.sort.by?, number))
    }

    fn key<'a>(&self, cell: &'a SortCell<'_>) -> Key<&'a str> {
        cell.key(self.kind)
    }

    fn search(&self, among: &[u32], probe: &Probe) -> Result<usize, usize> {
        among.binary_search_by(|it| self.against(*it, probe))
    }

    /// Where it belongs among lines that stand in order, if it is none of them.
    pub(super) fn place_among(&self, among: &[u32], probe: &Probe) -> usize {
        self.search(among, probe).unwrap_or_else(|at| at)
    }

    pub(super) fn against(&self, number: u32, probe: &Probe) -> Ordering {
        let (Some(line), Some(other)) = (self.line(number), self.line(probe.number)) else {
            return number.cmp(&probe.number);
        };
        let groups = self.groups.compare(line.group, probe.group);
        let keys = || {
            let keys = match &probe.key {
                Some(key) => {
                    let cell = self.cell(number);
                    cell.as_ref()
                        .map(|cell| self.key(cell))
                        .cmp(&Some(key.borrowed()))
                }
                None => self.places_of(line, other),
            };
            match self.sort.descending {
                true => keys.reverse(),
                false => keys,
            }
        };
        groups
            .then_with(keys)
            .then_with(|| self.places_of(line, other))
    }

    /// By cluster, namespace and name.
    pub(super) fn places(&self, one: u32, other: u32) -> Ordering {
        match (self.line(one), self.line(other)) {
            (Some(one), Some(other)) => self.places_of(one, other),
            _ => one.cmp(&other),
        }
    }

    fn places_of(&self, one: &Line, other: &Line) -> Ordering {
        let rank = |line: &Line| self.slots[line.cluster as usize].rank;
        rank(one)
            .cmp(&rank(other))
            .then_with(|| one.key.cmp(&other.key))
    }
}
