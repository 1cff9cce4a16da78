//! The lines of logs: as many as there is memory for, by when they were written, and which of them pass a filter.

use crate::tui::query::Pattern;
use std::collections::VecDeque;

/// Lines that are kept at most: what is older is forgotten.
pub(super) const MOST: usize = 20_000;

/// So many bytes they have at most: a line may be as long as its writer likes.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose: a place among the sources. None for what is told about them.
    pub source: Option<usize>,
    /// When it was written, as its node's clock has it; empty if nobody knows.
    pub stamp: String,
    /// Fit for the screen, without colours.
    pub text: String,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: VecDeque<Line>,
    /// Of all of them.
    bytes: usize,
    /// The number of the first line, of all that ever came.
    first: u64,
    /// The numbers of those that pass.
    shown: VecDeque<u64>,
    pattern: Option<Pattern>,
}

impl Lines {
    /// How many pass.
    pub(super) fn shown(&self) -> usize {
        self.shown.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Those that pass, from a place among them on.
    pub(super) fn from(&self, place: usize) -> impl DoubleEndedIterator<Item = &Line> {
        let numbers = self.shown.range(place.min(self.shown.len())..);
        numbers.filter_map(|number| self.line(*number))
    }

    /// Those before a place, the nearest first.
    pub(super) fn before(&self, place: usize) -> impl Iterator<Item = &Line> {
        let numbers = self.shown.range(..place.min(self.shown.len())).rev();
        numbers.filter_map(|number| self.line(*number))
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.first = self.next();
        self.bytes = 0;
        self.lines.clear();
        self.shown.clear();
    }

    /// Asks every line anew whether it passes.
    pub(super) fn sift(&mut self, pattern: Option<Pattern>) {
        self.pattern = pattern;
        let numbered = self.lines.iter().zip(self.first..);
        let passing = numbered.filter(|(line, _)| self.passes(line));
        self.shown = passing.map(|(_, number)| number).collect();
    }

    /// One more; answers how many of those that passed are forgotten for it.
    pub(super) fn push(&mut self, line: Line) -> usize {
        self.add(line);
        self.forget()
    }

    /// Whether lines of one log were written before what other logs have told already, by a second or more: as those
    /// are that were there when one began to read.
    pub(super) fn are_late(&self, lines: &[Line]) -> bool {
        let known = self.lines.iter().rev().find(|line| !line.stamp.is_empty());
        match (lines.first(), known) {
            (Some(first), Some(known)) => second(first) < second(known),
            _ => false,
        }
    }

    /// Puts lines of one log between those of others, by when they were written. Answers where the line is now that was
    /// at this place among those that pass.
    ///
    /// Where a node's clock is behind, this is done for all that comes from it: only what was written since is touched.
    pub(super) fn merge(&mut self, lines: Vec<Line>, place: usize) -> usize {
        let Some(first) = lines.first().map(|line| line.stamp.clone()) else {
            return place;
        };
        let is_before = |line: &Line| !line.stamp.is_empty() && line.stamp <= first;
        let stay = self.lines.iter().rposition(is_before);
        let stay = stay.map_or(0, |last| last + 1);
        let mut at_place = self.shown.get(place).copied();
        let tail = self.split_off(stay);
        let from = self.next();
        let mut moved = None;
        let mut new = lines.into_iter().peekable();
        for (line, number) in tail.into_iter().zip(from..) {
            // What is told about the logs stays behind what it was told after.
            while !line.stamp.is_empty() && new.peek().is_some_and(|new| new.stamp < line.stamp) {
                new.next().into_iter().for_each(|line| self.add(line));
            }
            if at_place == Some(number) {
                moved = Some(self.next());
            }
            self.add(line);
        }
        new.for_each(|line| self.add(line));
        self.forget();
        at_place = moved.or(at_place);
        at_place.map_or(place, |number| {
            self.shown.partition_point(|shown| *shown < number)
        })
    }

    fn split_off(&mut self, at: usize) -> VecDeque<Line> {
        let from = self.first + at as u64;
        let stay = self.shown.partition_point(|number| *number < from);
        self.shown.truncate(stay);
        let tail = self.lines.split_off(at);
        self.bytes -= tail.iter().map(bytes).sum::<usize>();
        tail
    }

    fn add(&mut self, line: Line) {
        if self.passes(&line) {
            self.shown.push_back(self.next());
        }
        self.bytes += bytes(&line);
        self.lines.push_back(line);
    }

    /// Forgets what there is no memory for; answers how many of those passed.
    fn forget(&mut self) -> usize {
        let before = self.shown.len();
        while self.lines.len() > MOST || (self.bytes > MOST_BYTES && self.lines.len() > 1) {
            let gone = self.lines.pop_front();
            self.bytes -= gone.iter().map(bytes).sum::<usize>();
            self.shown.pop_front_if(|number| *number == self.first);
            self.first += 1;
        }
        before - self.shown.len()
    }

    /// The number of the line that comes next.
    fn next(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    fn line(&self, number: u64) -> Option<&Line> {
        self.lines.get(usize::try_from(number - self.first).ok()?)
    }

    fn passes(&self, line: &Line) -> bool {
        let pattern = self.pattern.as_ref();
        line.source.is_none() || pattern.is_none_or(|it| it.takes([line.text.as_str()]))
    }
}

/// When a line was written, to the second.
fn second(line: &Line) -> &str {
    line.stamp.get(..19).unwrap_or(&line.stamp)
}

fn bytes(line: &Line) -> usize {
    line.text.len() + line.stamp.len()
}
