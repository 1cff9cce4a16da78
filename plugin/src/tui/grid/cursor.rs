//! The line that is selected, and the part of all that is on the screen.
//!
//! What is selected is an object, not a place: it is followed when lines come, go and change places. While the filter
//! hides it another one has the cursor, and it gets it back with the filter's end, unless a person has moved.

use super::{Grid, ObjectId};

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many lines down, or up if negative.
    Lines(isize),
    /// So many screens.
    Pages(isize),
    /// To the first line.
    First,
    /// To the last.
    Last,
}

impl Step {
    /// From a place among `len`, `height` of which are on the screen.
    pub fn from(self, place: usize, len: usize, height: usize) -> usize {
        let last = len.saturating_sub(1);
        let by = |by: isize| place.saturating_add_signed(by).min(last);
        match self {
            Self::Lines(lines) => by(lines),
            Self::Pages(pages) => {
                let page = isize::try_from(height.max(2) - 1).unwrap_or(isize::MAX);
                by(pages.saturating_mul(page))
            }
            Self::First => 0,
            Self::Last => last,
        }
    }
}

impl Grid {
    /// The place of the selected line among those that are shown.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The place of the first line on the screen.
    pub fn top(&self) -> usize {
        self.top
    }

    /// How many lines are on the screen.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The lines on the screen.
    pub(super) fn window(&self) -> &[u32] {
        let end = self.shown.len().min(self.top.saturating_add(self.height));
        self.shown.get(self.top..end).unwrap_or_default()
    }

    /// The object that is selected, unless there is none.
    pub fn selected(&self) -> Option<ObjectId> {
        self.object_at(self.cursor)
    }

    /// Tells how many lines the screen has.
    pub fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
        self.keep_in_sight();
    }

    /// Moves the cursor.
    pub fn step(&mut self, step: Step) {
        self.go_to(step.from(self.cursor, self.shown.len(), self.height));
    }

    /// Selects the line at a place, or the last one.
    pub fn go_to(&mut self, place: usize) {
        self.cursor = place.min(self.shown.len().saturating_sub(1));
        self.selected = self.shown.get(self.cursor).copied();
        self.keep_in_sight();
    }

    /// What has the cursor is what is selected from now on.
    pub fn settle(&mut self) {
        self.go_to(self.cursor);
    }

    /// Marks the selected line, or no longer, and goes on to the next.
    pub fn mark(&mut self) {
        let Some(number) = self.shown.get(self.cursor).copied() else {
            return;
        };
        if !self.marked.remove(&number) {
            self.marked.insert(number);
        }
        self.step(Step::Lines(1));
    }

    /// Marks nothing any more; answers whether anything was.
    pub fn unmark(&mut self) -> bool {
        let any = !self.marked.is_empty();
        self.marked.clear();
        any
    }

    /// After lines came, went or moved: the cursor is where the selected object is now.
    pub(super) fn follow(&mut self) {
        let before = self.cursor;
        let last = self.shown.len().saturating_sub(1);
        let place = |number| match self.shown.get(before) {
            Some(there) if *there == number => Some(before),
            _ => self.place_of(number),
        };
        let found = self.selected.and_then(place);
        self.cursor = found.unwrap_or(before.min(last));
        // The line under the eye stays under it; at the top new lines are let in.
        if self.top > 0 {
            self.top = (self.top + self.cursor).saturating_sub(before);
        }
        self.keep_in_sight();
    }

    fn keep_in_sight(&mut self) {
        let most = self.shown.len().saturating_sub(self.height);
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        self.top = self.top.min(most).clamp(lowest, self.cursor.max(lowest));
    }
}
