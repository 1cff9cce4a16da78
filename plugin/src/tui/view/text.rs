//! A text about an object: its description, its YAML, or how it differs between clusters.

use super::scroll::Scroll;
use super::target::Target;
use crate::tui::event::{Age, FeedId, RequestId};
use crate::tui::grid::Step;
use mqtt_informer::informer::Clusters;
use mqtt_informer::protocol::names::ClusterName;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use unicode_width::UnicodeWidthChar;

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// As `kubectl describe` writes it.
    Describe,
    /// As `kubectl get -o yaml` does.
    Yaml,
    /// What differs between clusters.
    Diff,
}

/// See the module. It is live: the object is watched, and the text is made anew when it changes.
#[derive(Debug)]
pub struct TextView {
    /// Which text.
    pub kind: TextKind,
    /// Of what.
    pub target: Target,
    /// Of a difference: between which clusters, as words; all that are meant, if there are none.
    pub compared: Vec<String>,
    /// The clusters that are watched for that.
    pub watched: Clusters,
    /// By what the object is watched.
    pub feed: FeedId,
    /// What each cluster has of it.
    pub objects: BTreeMap<ClusterName, Option<Value>>,
    /// How fresh that is.
    pub ages: BTreeMap<ClusterName, Age>,
    /// Why clusters tell nothing of it.
    pub refusals: BTreeMap<ClusterName, String>,
    /// Why it could not be described when that was asked last.
    pub undescribed: Option<String>,
    /// The description that is under way, and since when.
    pub asked: Option<(RequestId, Duration)>,
    /// The object has changed since it was asked for.
    pub is_outdated: bool,
    /// When the last description came.
    pub made: Duration,
    /// The lines; none while there are none.
    pub lines: Option<Vec<String>>,
    /// Where one is in it.
    pub scroll: Scroll,
    /// Long lines go on in the next one.
    pub wraps: bool,
    /// What is searched for.
    pub search: String,
    regex: Option<Regex>,
    /// The lines in which it is found.
    pub found: Vec<usize>,
    /// Which of them was gone to last.
    pub at: usize,
}

impl TextView {
    /// One whose text has to come.
    pub fn new(kind: TextKind, target: Target, feed: FeedId) -> Self {
        Self {
            kind,
            target,
            compared: Vec::new(),
            watched: Clusters::default(),
            feed,
            objects: BTreeMap::new(),
            ages: BTreeMap::new(),
            refusals: BTreeMap::new(),
            undescribed: None,
            asked: None,
            is_outdated: false,
            made: Duration::ZERO,
            lines: None,
            scroll: Scroll::default(),
            wraps: false,
            search: String::new(),
            regex: None,
            found: Vec::new(),
            at: 0,
        }
    }

    /// Another text, at the same place.
    pub fn set_text(&mut self, text: &str) {
        self.lines = Some(text.lines().map(str::to_owned).collect());
        self.find();
        self.step(Step::Lines(0));
    }

    /// Moves; not beyond the last screen.
    pub fn step(&mut self, step: Step) {
        let most = self.most();
        self.scroll.step(step, self.len(), most);
    }

    /// Long lines go on in the next one, or are cut.
    pub fn toggle_wrap(&mut self) {
        self.wraps = !self.wraps;
        self.step(Step::Lines(0));
    }

    /// The line that the last screen begins with.
    fn most(&self) -> usize {
        let (Some(lines), true) = (&self.lines, self.wraps) else {
            return self.scroll.most(self.len());
        };
        let mut room = self.scroll.height;
        let rows = lines.iter().rev().map(|line| rows(line, self.scroll.width));
        let last = rows.take_while(|rows| {
            let has_room = *rows <= room;
            room = room.saturating_sub(*rows);
            has_room
        });
        // Of a line that is longer than the screen, the beginning is shown.
        self.len().saturating_sub(last.count().max(1))
    }

    /// Why there is no text, or none that is new.
    pub fn refused(&self) -> Option<&str> {
        let refusals = self.undescribed.iter().chain(self.refusals.values());
        refusals.map(String::as_str).next()
    }

    /// A cluster is followed no longer: what it had of the object is nobody's word any more.
    pub fn leave(&mut self, cluster: &ClusterName) {
        self.objects.remove(cluster);
        self.ages.remove(cluster);
        self.refusals.remove(cluster);
        self.is_outdated = true;
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.as_ref().map_or(0, Vec::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Searches for something else, from where one is.
    ///
    /// # Errors
    /// When it is no regular expression; what was searched for before still is.
    pub fn search_for(&mut self, text: &str) -> Result<(), String> {
        let regex = match text {
            "" => None,
            text => Some(crate::tui::query::regex(text)?),
        };
        self.search = text.to_owned();
        self.regex = regex;
        self.find();
        let next = self.found.iter().position(|line| *line >= self.scroll.top);
        self.go_to(next.unwrap_or_default());
        Ok(())
    }

    /// To the next place where it is found, or the one before; at the end from the beginning.
    pub fn go_on(&mut self, forward: bool) {
        let many = self.found.len();
        if many > 0 {
            self.go_to((self.at + if forward { 1 } else { many - 1 }) % many);
        }
    }

    /// Where in a line it is found: bytes.
    pub fn found_in(&self, line: &str) -> Vec<std::ops::Range<usize>> {
        let regex = self.regex.iter();
        regex
            .flat_map(|regex| regex.find_iter(line).map(|it| it.range()))
            .filter(|it| !it.is_empty())
            .collect()
    }

    fn go_to(&mut self, at: usize) {
        self.at = at;
        let most = self.most();
        match self.found.get(at).copied() {
            // How many of the lines before it there is room for is not known without drawing them.
            Some(line) if self.wraps => self.scroll.top = line.min(most),
            Some(line) => self.scroll.show(line, most),
            None => {}
        }
    }

    fn find(&mut self) {
        let lines = self.lines.iter().flatten().enumerate();
        self.found = match &self.regex {
            Some(regex) => lines
                .filter(|(_, line)| regex.is_match(line))
                .map(|(at, _)| at)
                .collect(),
            None => Vec::new(),
        };
        self.at = self.at.min(self.found.len().saturating_sub(1));
    }
}

/// How many lines of the screen a line takes that goes on in the next one.
fn rows(line: &str, width: usize) -> usize {
    let mut room = width;
    let mut rows = 1;
    for width_of in line.chars().filter_map(UnicodeWidthChar::width) {
        if room < width_of {
            rows += 1;
            room = width;
        }
        room = room.saturating_sub(width_of);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_goes_on_in_the_next_line_is_reached() {
        let mut text = TextView::new(TextKind::Yaml, Target::default(), FeedId(1));
        (text.scroll.height, text.scroll.width) = (3, 4);
        text.set_text("a\nb\n123456789\nc\nend\n");
        text.step(Step::Last);
        assert_eq!(text.scroll.top, 2, "each line takes one");
        text.toggle_wrap();
        text.step(Step::Last);
        assert_eq!(text.scroll.top, 3, "the one before them takes three");
        text.step(Step::Lines(-1));
        assert_eq!(text.scroll.top, 2);
        text.search_for("b").unwrap();
        assert_eq!(text.scroll.top, 1, "what is found is at the top");
        text.search_for("end").unwrap();
        assert_eq!(text.scroll.top, 3);
        assert_eq!((rows("", 4), rows("abcd", 4), rows("漢字a", 3)), (1, 1, 2));
    }

    #[test]
    fn what_is_found_is_gone_through_in_a_ring() {
        let mut text = TextView::new(TextKind::Yaml, Target::default(), FeedId(1));
        text.scroll.height = 2;
        text.set_text("a\nb\nAb\nc\nbab\n");
        text.search_for("^a?b$").unwrap();
        assert_eq!(text.found, [1, 2]);
        text.search_for("b$").unwrap();
        assert_eq!((text.found.as_slice(), text.at), (&[1, 2, 4][..], 0));
        for want in [1, 2, 0] {
            text.go_on(true);
            assert_eq!(text.at, want);
        }
        text.go_on(false);
        assert_eq!((text.at, text.scroll.top), (2, 3));
        assert!(text.search_for("[").is_err());
        assert_eq!(text.found_in("bab"), vec![2..3]);
        text.set_text("x");
        assert_eq!((text.found.len(), text.scroll.top), (0, 0));
    }
}
