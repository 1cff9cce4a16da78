//! What lines are measured to use, beside their rows: columns that no row has.
//!
//! Figures change by the ten thousand at once and are looked at by the screenful: they are put into a line's cells when
//! it is looked at, and into what it is sorted or filtered by only while it is by one of them.

use super::Grid;
use super::line::{self, Field, Line};
use crate::tui::usage::{self, Amount, Bounds, Figure, Measured, UNKNOWN};
use bytes::Bytes;
use mqtt_informer::informer::Notice;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::HashMap;

/// What measurements tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// What is used.
    Used,
    /// What that is measured by: the objects themselves.
    Bounds,
}

/// All figures of a grid.
#[derive(Debug, Default)]
pub(super) struct Measures {
    /// The columns of the union that they stand in.
    columns: Vec<(usize, Figure)>,
    used: HashMap<(u32, Bytes), Amount>,
    bounds: HashMap<(u32, Bytes), Bounds>,
}

impl Measures {
    fn figure(&self, column: usize) -> Option<Figure> {
        let mut columns = self.columns.iter();
        columns.find(|(at, _)| *at == column).map(|(_, it)| *it)
    }

    fn value(&self, figure: Figure, line: &Line) -> Option<u64> {
        let key = (line.cluster, line.key.clone());
        figure.value(self.used.get(&key).copied(), self.bounds.get(&key).copied())
    }

    /// A line's cell in a column, if that is one of figures.
    pub(super) fn text(&self, column: usize, line: &Line) -> Option<String> {
        let value = self.value(self.figure(column)?, line);
        Some(value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string()))
    }

    /// What a line is sorted by in a column, if that is one of figures: what is not known is less than nothing.
    pub(super) fn sort_text(&self, column: usize, line: &Line) -> Option<String> {
        let value = self.value(self.figure(column)?, line);
        Some(value.map_or_else(|| "-1".to_owned(), |value| value.to_string()))
    }

    /// Puts a line's figures among its cells.
    pub(super) fn fill(&self, cells: &mut [String], line: &Line) {
        for (column, _) in &self.columns {
            if let (Some(cell), Some(text)) = (cells.get_mut(*column), self.text(*column, line)) {
                *cell = text;
            }
        }
    }

    pub(super) fn forget(&mut self, cluster: u32) {
        self.used.retain(|(its, _), _| *its != cluster);
        self.bounds.retain(|(its, _), _| *its != cluster);
    }

    fn take(&mut self, cluster: u32, measure: Measure, notice: &Notice) {
        let key = (cluster, notice.key.clone());
        let new = notice.new.as_ref();
        match measure {
            Measure::Used => put(&mut self.used, key, new.and_then(|it| usage::used(it))),
            Measure::Bounds => put(&mut self.bounds, key, new.and_then(|it| usage::bounds(it))),
        }
    }
}

fn put<V>(map: &mut HashMap<(u32, Bytes), V>, key: (u32, Bytes), value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

impl Grid {
    /// Takes what was measured in a cluster.
    pub fn measure(&mut self, cluster: &ClusterName, measure: Measure, notices: &[Notice]) {
        let number = self.slot(cluster);
        let objects = || notices.iter().filter(|notice| !notice.key.is_empty());
        objects().for_each(|notice| self.measures.take(number, measure, notice));
        self.show_figures();
        objects().for_each(|notice| self.widen(number, notice));
        self.figures_changed();
    }

    /// Of what is not looked at any more nothing is kept.
    pub fn forget_bounds(&mut self) {
        self.measures.bounds = HashMap::new();
        self.figures_changed();
    }

    /// What is measured of the objects that are shown.
    pub fn measured(&self) -> Option<Measured> {
        Measured::of(self.resource()?)
    }

    /// Whether anything was measured anywhere.
    pub fn has_figures(&self) -> bool {
        !self.measures.used.is_empty()
    }

    /// Whether a column is one of figures.
    pub fn is_figure(&self, column: usize) -> bool {
        self.measures.figure(column).is_some()
    }

    /// The first figures make their columns.
    fn show_figures(&mut self) {
        let Some(measured) = self.measured() else {
            return;
        };
        if self.measures.columns.is_empty() && self.has_figures() {
            let places = self.columns.add(&measured.columns());
            let figures = measured.figures().iter().map(|(_, figure)| *figure);
            self.measures.columns = places.into_iter().zip(figures).collect();
            self.widths.resize(self.columns().len(), 0);
        }
    }

    /// What lines are sorted or filtered by may be different now.
    fn figures_changed(&mut self) {
        let is_figure = |field| matches!(field, Field::Column(at) if self.is_figure(at));
        if self.sort.by.is_some_and(is_figure) {
            self.sort_all();
        }
        let place = self.place_for(&self.query);
        let column = place.and_then(|place| place.checked_sub(2));
        if column.is_some_and(|column| self.is_figure(column)) {
            self.sift_all();
        }
    }

    /// Columns are as wide as the widest figure that was ever in them.
    fn widen(&mut self, cluster: u32, notice: &Notice) {
        let key = (cluster, notice.key.clone());
        let (used, bounds) = (
            self.measures.used.get(&key).copied(),
            self.measures.bounds.get(&key).copied(),
        );
        for (column, figure) in &self.measures.columns {
            let value = figure.value(used, bounds);
            let text = value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string());
            if let Some(known) = self.widths.get_mut(*column) {
                *known = line::text_width(&text).max(*known);
            }
        }
    }
}
