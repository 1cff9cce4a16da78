//! The choice of clusters.

use super::list::{List, ListLine};
use std::collections::BTreeSet;

/// All clusters that are known, and those that are chosen.
#[derive(Clone, Debug)]
pub struct PickerView {
    /// What is on the screen.
    pub list: List,
    /// Names of clusters.
    pub chosen: BTreeSet<String>,
    /// What names have to contain.
    pub filter: String,
    all: Vec<ListLine>,
}

impl PickerView {
    /// With these chosen.
    pub fn new(chosen: BTreeSet<String>) -> Self {
        Self {
            list: List::new(&["CLUSTER", "STATE", "VERSION", "LABELS"]),
            chosen,
            filter: String::new(),
            all: Vec::new(),
        }
    }

    /// The clusters, each with what is known of it.
    pub fn set_clusters(&mut self, all: Vec<ListLine>) {
        self.all = all;
        self.refresh();
    }

    /// Chooses the one with the cursor, or no longer, and goes on to the next.
    pub fn choose(&mut self) {
        let Some(name) = self.list.selected().map(|line| line.id.clone()) else {
            return;
        };
        if !self.chosen.remove(&name) {
            self.chosen.insert(name);
        }
        self.list.step(crate::tui::grid::Step::Lines(1));
        self.refresh();
    }

    /// Those that are chosen, or else the one with the cursor.
    pub fn answer(&self) -> Vec<String> {
        match self.chosen.is_empty() {
            true => self
                .list
                .selected()
                .map(|line| line.id.clone())
                .into_iter()
                .collect(),
            false => self.chosen.iter().cloned().collect(),
        }
    }

    /// Shows what the filter lets pass.
    pub fn refresh(&mut self) {
        let wanted = self.filter.to_lowercase();
        let passes = |line: &&ListLine| {
            line.cells
                .iter()
                .any(|cell| cell.to_lowercase().contains(&wanted))
        };
        let chosen = |line: &ListLine| ListLine {
            is_marked: self.chosen.contains(&line.id),
            ..line.clone()
        };
        let lines = self.all.iter().filter(passes).map(chosen).collect();
        self.list.set_lines(lines);
    }
}
