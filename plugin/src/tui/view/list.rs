//! A short list with a cursor: what is not a resource's table but is walked through like one.

use crate::tui::grid::Step;
use crate::tui::health::Health;

/// Lines of cells, and the one with the cursor.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// What stands over the cells.
    pub heads: Vec<String>,
    /// The lines.
    pub lines: Vec<ListLine>,
    cursor: usize,
    /// A person has moved it: it follows its line from then on. Before that, what is first is what is looked at.
    is_moved: bool,
    top: usize,
    height: usize,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListLine {
    /// Tells it from others, so that the cursor can follow it.
    pub id: String,
    /// Fit for the screen.
    pub cells: Vec<String>,
    /// How what it tells of is.
    pub health: Health,
    /// It is old.
    pub is_stale: bool,
    /// It is marked.
    pub is_marked: bool,
}

impl List {
    /// An empty one.
    pub fn new(heads: &[&str]) -> Self {
        Self {
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            height: 1,
            ..Self::default()
        }
    }

    /// Other lines; the cursor stays on the one that it was on, if that is still there.
    pub fn set_lines(&mut self, lines: Vec<ListLine>) {
        let id = self
            .selected()
            .filter(|_| self.is_moved)
            .map(|line| line.id.clone());
        self.lines = lines;
        let found = self
            .lines
            .iter()
            .position(|line| Some(&line.id) == id.as_ref());
        self.put(found.unwrap_or(self.cursor));
    }

    /// Where the cursor is.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The first line on the screen.
    pub fn top(&self) -> usize {
        self.top
    }

    /// The line with the cursor.
    pub fn selected(&self) -> Option<&ListLine> {
        self.lines.get(self.cursor)
    }

    /// Moves the cursor.
    pub fn step(&mut self, step: Step) {
        self.go_to(step.from(self.cursor, self.lines.len(), self.height));
    }

    /// Puts it on a line.
    pub fn go_to(&mut self, line: usize) {
        self.is_moved = true;
        self.put(line);
    }

    fn put(&mut self, line: usize) {
        self.cursor = line.min(self.lines.len().saturating_sub(1));
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        let most = self.lines.len().saturating_sub(self.height);
        self.top = self.top.min(most).clamp(lowest, self.cursor.max(lowest));
    }

    /// Tells how many lines the screen has.
    pub fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
        self.put(self.cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_follows_its_line() {
        let line = |id: &str| ListLine {
            id: id.to_owned(),
            ..ListLine::default()
        };
        let mut list = List::new(&["A"]);
        list.set_height(2);
        list.set_lines(["b", "d"].map(line).to_vec());
        list.set_lines(["a", "b", "c", "d"].map(line).to_vec());
        assert_eq!(list.cursor(), 0, "nobody has moved it");
        list.step(Step::Lines(2));
        assert_eq!((list.selected().unwrap().id.as_str(), list.top()), ("c", 1));
        list.set_lines(["c", "a"].map(line).to_vec());
        assert_eq!((list.cursor(), list.top()), (0, 0));
        list.set_lines(Vec::new());
        assert_eq!(list.selected(), None);
    }
}
