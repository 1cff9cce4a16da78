//! A place in a text that is longer than the screen.

use crate::tui::grid::Step;

/// Which lines are on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The first.
    pub top: usize,
    /// How many there are place for.
    pub height: usize,
    /// How many columns each of them has.
    pub width: usize,
    /// How many columns are hidden on the left.
    pub left: u16,
}

impl Scroll {
    /// Moves in a text of so many lines; not beyond the one that its last screen begins with.
    pub fn step(&mut self, step: Step, lines: usize, most: usize) {
        self.top = match step {
            Step::Last => most,
            step => step.from(self.top, lines, self.height).min(most),
        };
    }

    /// Brings a line onto the screen, with some around it; the last screen begins with the line `most`.
    pub fn show(&mut self, line: usize, most: usize) {
        let is_seen = (self.top..self.top + self.height).contains(&line);
        if !is_seen {
            self.top = line.saturating_sub(self.height / 3);
        }
        self.top = self.top.min(most);
    }

    /// What the last screen begins with where each line takes one.
    pub fn most(&self, lines: usize) -> usize {
        lines.saturating_sub(self.height)
    }

    /// Moves to the side.
    pub fn aside(&mut self, columns: i16) {
        self.left = self.left.saturating_add_signed(columns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(scroll: &mut Scroll, step: Step, lines: usize) {
        scroll.step(step, lines, scroll.most(lines));
    }

    #[test]
    fn it_ends_where_the_text_does() {
        let mut scroll = Scroll {
            height: 10,
            ..Scroll::default()
        };
        step(&mut scroll, Step::Lines(-1), 15);
        assert_eq!(scroll.top, 0);
        step(&mut scroll, Step::Pages(3), 15);
        assert_eq!(scroll.top, 5);
        step(&mut scroll, Step::Last, 3);
        assert_eq!(scroll.top, 0);
        scroll.show(12, 30);
        assert_eq!(scroll.top, 9);
        scroll.show(10, 30);
        assert_eq!(scroll.top, 9, "what is seen already moves nothing");
    }
}
