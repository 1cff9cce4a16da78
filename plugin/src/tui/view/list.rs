//! A short list with a cursor: what is not a resource's table but is walked through like one.

use crate::tui::grid::Step;
use crate::tui::health::Health;
use crate::tui::query::Pattern;

/// Lines of cells, and the one with the cursor.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// What stands over the cells.
    pub heads: Vec<String>,
    /// The lines that pass the filter.
    pub lines: Vec<ListLine>,
    /// The filter, as it was typed.
    pub filter: String,
    pattern: Option<Pattern>,
    /// All lines, while there is a filter.
    all: Vec<ListLine>,
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
        let lines = match self.pattern {
            Some(_) => {
                self.all = lines;
                self.passing()
            }
            None => lines,
        };
        self.show(lines);
    }

    /// Shows what passes another filter: a regular expression anywhere in a line; `!` before it turns it round.
    ///
    /// # Errors
    /// When it is none; then what was understood last counts.
    pub fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.filter = text.to_owned();
        let pattern = Pattern::parse(text)?;
        if self.pattern.is_none() {
            self.all = std::mem::take(&mut self.lines);
        }
        self.pattern = pattern;
        let lines = self.passing();
        self.show(lines);
        if self.pattern.is_none() {
            self.all = Vec::new();
        }
        Ok(())
    }

    fn passing(&self) -> Vec<ListLine> {
        let passes = |line: &&ListLine| {
            let pattern = self.pattern.as_ref();
            pattern.is_none_or(|it| it.takes(line.cells.iter().map(String::as_str)))
        };
        self.all.iter().filter(passes).cloned().collect()
    }

    fn show(&mut self, lines: Vec<ListLine>) {
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
    fn a_filter_holds_for_what_comes_later() {
        let line = |text: &str| ListLine {
            id: text.to_owned(),
            cells: text.split(' ').map(str::to_owned).collect(),
            ..ListLine::default()
        };
        let ids = |list: &List| {
            let ids: Vec<_> = list.lines.iter().map(|line| line.id.clone()).collect();
            ids.join(", ")
        };
        let mut list = List::new(&["A"]);
        list.set_height(9);
        list.set_lines(["east Pod", "west pod", "west node"].map(line).to_vec());
        list.go_to(1);
        list.set_filter("pod").unwrap();
        assert_eq!(
            (ids(&list).as_str(), list.cursor()),
            ("east Pod, west pod", 1)
        );
        list.set_lines(["west pod", "north pod", "north job"].map(line).to_vec());
        assert_eq!(
            (ids(&list).as_str(), list.cursor()),
            ("west pod, north pod", 0)
        );
        list.set_filter("!pod").unwrap();
        assert_eq!(ids(&list), "north job");
        assert!(list.set_filter("(").is_err());
        assert_eq!(ids(&list), "north job", "what was understood last counts");
        list.set_filter("").unwrap();
        assert_eq!(ids(&list), "west pod, north pod, north job");
    }

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
