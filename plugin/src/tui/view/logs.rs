//! Logs of containers, followed.

use super::target::Target;
use crate::print::sanitize;
use crate::tui::event::{FeedId, RequestId};
use crate::tui::grid::Step;
use crate::tui::query::regex;
use mqtt_informer::informer::log::{LogEnd, LogEvent, LogLine, LogPosition};
use mqtt_informer::protocol::logs::LogSelection;
use regex::Regex;
use std::collections::VecDeque;

/// Lines that are kept at most: what is older is forgotten.
const MOST: usize = 20_000;

/// From when on a log is read; the place is the digit that chooses it, as in k9s.
pub const RANGES: [(&str, Option<u64>, Option<u64>); 7] = [
    ("tail", Some(1000), None),
    ("head", None, None),
    ("1m", None, Some(60)),
    ("5m", None, Some(300)),
    ("15m", None, Some(900)),
    ("30m", None, Some(1800)),
    ("1h", None, Some(3600)),
];

/// One log that is read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Which reading of it.
    pub request: RequestId,
    /// Whose.
    pub container: String,
    /// Its end, if there was one, and how far it was read.
    pub ended: Option<Option<LogPosition>>,
}

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
#[derive(Debug)]
pub struct LogsView {
    /// The pod.
    pub target: Target,
    /// The containers that are meant; none until the pod has said which it has.
    pub containers: Option<Vec<String>>,
    /// By what the pod is watched: what starts anew is read anew.
    pub feed: FeedId,
    /// What is read.
    pub sources: Vec<Source>,
    /// Which of [`RANGES`].
    pub range: usize,
    /// New lines are scrolled to.
    pub follows: bool,
    /// Long lines go on in the next one.
    pub wraps: bool,
    /// Each line says when it was written.
    pub stamps: bool,
    /// The filter, as it was typed.
    pub filter: String,
    /// What is wrong with it.
    pub wrong: Option<String>,
    /// The first line on the screen, among those that pass.
    pub top: usize,
    /// How many lines there are place for.
    pub height: usize,
    /// How many columns are hidden on the left.
    pub left: u16,
    regex: Option<(Regex, bool)>,
    lines: VecDeque<Line>,
    /// The number of the first line, of all that ever came.
    first: u64,
    /// The numbers of those that pass.
    shown: VecDeque<u64>,
}

impl LogsView {
    /// Of a pod; of these containers, if they are known.
    pub fn new(target: Target, containers: Option<Vec<String>>, feed: FeedId) -> Self {
        Self {
            target,
            containers,
            feed,
            sources: Vec::new(),
            range: 0,
            follows: true,
            wraps: false,
            stamps: false,
            filter: String::new(),
            wrong: None,
            top: 0,
            height: 1,
            left: 0,
            regex: None,
            lines: VecDeque::new(),
            first: 0,
            shown: VecDeque::new(),
        }
    }

    /// Which part of a container's log is read.
    pub fn selection(&self, container: &str) -> LogSelection {
        let (_, tail, since_s) = RANGES[self.range.min(RANGES.len() - 1)];
        let id = self.target.id.clone();
        let (namespace, pod) = id.map(|id| (id.namespace, id.name)).unwrap_or_default();
        LogSelection {
            namespace,
            pod,
            container: container.to_owned(),
            follow: true,
            tail,
            since_s,
            ..LogSelection::default()
        }
    }

    /// Takes news of a log.
    pub fn take(&mut self, request: RequestId, event: LogEvent) {
        let Some(source) = self
            .sources
            .iter()
            .position(|source| source.request == request)
        else {
            return;
        };
        let container = self.sources[source].container.clone();
        match event {
            LogEvent::Lines(lines) => lines.iter().for_each(|line| self.push(read(source, line))),
            LogEvent::Gap(gap) => self.remark(&format!(
                "{container}: lines may be missing after {}",
                gap.after
            )),
            LogEvent::Broken(why) => self.remark(&format!("{container}: {why}; trying again")),
            LogEvent::Silent => self.remark(&format!(
                "{container}: the cluster has not been heard lately; trying again"
            )),
            LogEvent::Heard => self.remark(&format!("{container}: heard again")),
            LogEvent::Ended(end, position) => {
                self.sources[source].ended = Some(position);
                match end {
                    LogEnd::Refused { message, .. } => {
                        self.remark(&format!("{container}: {message}"));
                    }
                    LogEnd::Broken(why) => self.remark(&format!("{container}: {why}")),
                    LogEnd::Finished | LogEnd::NotOpen => {
                        self.remark(&format!("{container}: the log has ended"));
                    }
                }
            }
        }
    }

    /// Forgets all lines: another part is read now.
    pub fn clear(&mut self) {
        self.first += self.lines.len() as u64;
        self.lines.clear();
        self.shown.clear();
        (self.top, self.follows) = (0, true);
    }

    /// Shows what passes another filter; `!` before it turns it round. What cannot be understood changes nothing.
    pub fn set_filter(&mut self, text: &str) {
        self.filter = text.to_owned();
        let (pattern, inverse) = text
            .strip_prefix('!')
            .map_or((text, false), |rest| (rest, true));
        match (pattern, regex(pattern)) {
            ("", _) => (self.regex, self.wrong) = (None, None),
            (_, Ok(regex)) => (self.regex, self.wrong) = (Some((regex, inverse)), None),
            (_, Err(wrong)) => {
                self.wrong = Some(wrong);
                return;
            }
        }
        let passes = self
            .lines
            .iter()
            .zip(self.first..)
            .filter(|(line, _)| self.passes(line));
        self.shown = passes.map(|(_, number)| number).collect();
        self.top = self.top.min(self.most());
        self.catch_up();
    }

    /// How many lines pass.
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines from a place on, among those that pass.
    pub fn lines_from(&self, place: usize) -> impl DoubleEndedIterator<Item = &Line> {
        let numbers = self.shown.range(place.min(self.shown.len())..);
        numbers.filter_map(|number| self.lines.get(usize::try_from(number - self.first).ok()?))
    }

    /// The lines before a place, the nearest first.
    pub fn lines_before(&self, place: usize) -> impl Iterator<Item = &Line> {
        let numbers = self.shown.range(..place.min(self.shown.len())).rev();
        numbers.filter_map(|number| self.lines.get(usize::try_from(number - self.first).ok()?))
    }

    /// Moves; who goes up no longer follows, who goes to the end does again.
    pub fn step(&mut self, step: Step) {
        let most = self.most();
        self.top = match step {
            Step::Last => most,
            step => step.from(self.top, self.shown.len(), self.height).min(most),
        };
        self.follows = self.top == most && !matches!(step, Step::First);
    }

    /// Follows, or no longer.
    pub fn toggle_follow(&mut self) {
        self.follows = !self.follows;
        self.catch_up();
    }

    /// Tells how many lines the screen has.
    pub fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
        self.top = self.top.min(self.most());
        self.catch_up();
    }

    /// The whole text, as far as it passes.
    pub fn text(&self) -> String {
        let lines = self.lines_from(0).map(|line| match line.source {
            Some(source) if self.sources.len() > 1 => {
                format!("[{}] {}\n", self.name(source), line.text)
            }
            _ => format!("{}\n", line.text),
        });
        lines.collect()
    }

    /// The name of a source.
    pub fn name(&self, source: usize) -> &str {
        self.sources
            .get(source)
            .map_or("", |source| &source.container)
    }

    /// Something about the logs, between their lines.
    pub fn remark(&mut self, text: &str) {
        let line = Line {
            source: None,
            stamp: String::new(),
            text: sanitize::word(text).into_owned(),
        };
        self.push(line);
    }

    fn most(&self) -> usize {
        self.shown.len().saturating_sub(self.height)
    }

    fn catch_up(&mut self) {
        if self.follows {
            self.top = self.most();
        }
    }

    fn push(&mut self, line: Line) {
        let number = self.first + self.lines.len() as u64;
        if self.passes(&line) {
            self.shown.push_back(number);
        }
        self.lines.push_back(line);
        if self.lines.len() > MOST {
            self.lines.pop_front();
            if self.shown.front() == Some(&self.first) {
                self.shown.pop_front();
                self.top = self.top.saturating_sub(1);
            }
            self.first += 1;
        }
        self.catch_up();
    }

    fn passes(&self, line: &Line) -> bool {
        let Some((regex, inverse)) = &self.regex else {
            return true;
        };
        line.source.is_none() || regex.is_match(&line.text) != *inverse
    }
}

/// A line as it is shown: colours of its own are left out, since what a container writes may not look like the screen's.
fn read(source: usize, line: &LogLine) -> Line {
    let text = String::from_utf8_lossy(&line.text);
    let plain = without_colours(&text);
    let plain = plain.replace('\t', "    ");
    let cut = if line.cut {
        " [cut: the line is longer than 1 MiB]"
    } else {
        ""
    };
    Line {
        source: Some(source),
        stamp: String::from_utf8_lossy(&line.stamp).into_owned(),
        text: sanitize::word(&plain).into_owned() + cut,
    }
}

/// Without the sequences that choose colours (SGR), which most programs write.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(at);
        plain.push_str(before);
        let parameters = &sequence[2..];
        let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';');
        match end {
            Some(end) if parameters[end..].starts_with('m') => rest = &parameters[end + 1..],
            _ => {
                plain.push_str(&sequence[..2]);
                rest = parameters;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(texts: &[&str]) -> LogsView {
        let mut view = LogsView::new(Target::default(), None, FeedId(1));
        view.sources.push(Source {
            request: RequestId(1),
            container: "app".to_owned(),
            ended: None,
        });
        view.set_height(2);
        tell(&mut view, texts);
        view
    }

    fn tell(view: &mut LogsView, texts: &[&str]) {
        let line = |text: &&str| LogLine {
            time: None,
            stamp: Default::default(),
            text: (*text).to_owned().into(),
            cut: false,
        };
        view.take(
            RequestId(1),
            LogEvent::Lines(texts.iter().map(line).collect()),
        );
    }

    fn seen(view: &LogsView) -> Vec<&str> {
        view.lines_from(view.top)
            .take(view.height)
            .map(|line| line.text.as_str())
            .collect()
    }

    #[test]
    fn the_end_is_followed_until_somebody_goes_up() {
        let mut view = view(&["a", "b", "c"]);
        assert_eq!(seen(&view), ["b", "c"]);
        view.step(Step::Lines(-1));
        tell(&mut view, &["d"]);
        assert_eq!(seen(&view), ["a", "b"]);
        view.step(Step::Last);
        tell(&mut view, &["e"]);
        assert_eq!(seen(&view), ["d", "e"]);
    }

    #[test]
    fn filters_and_remarks() {
        let mut view = view(&["GET /", "POST /", "GET /x"]);
        view.set_filter("get");
        assert_eq!(seen(&view), ["GET /", "GET /x"]);
        view.set_filter("!get");
        tell(&mut view, &["GET /y", "PUT"]);
        assert_eq!(seen(&view), ["POST /", "PUT"]);
        view.set_filter("(");
        assert!(view.wrong.is_some());
        assert_eq!(
            seen(&view),
            ["POST /", "PUT"],
            "what was understood last counts"
        );
        view.take(RequestId(1), LogEvent::Broken("reset".to_owned()));
        assert_eq!(
            seen(&view)[1],
            "app: reset; trying again",
            "and is never filtered out"
        );
        view.take(RequestId(9), LogEvent::Heard);
        assert_eq!(
            view.len(),
            6,
            "news of a log that is not read any more are none"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut view = view(&[]);
        view.set_filter("!x");
        for _ in 0..MOST {
            tell(&mut view, &["x", "y"]);
        }
        assert_eq!((view.len(), view.shown()), (MOST, MOST / 2));
        assert_eq!(seen(&view), ["y", "y"]);
    }

    #[test]
    fn colours_of_the_container_are_left_out() {
        let view = view(&["\u{1b}[1;31merror\u{1b}[0m: x\u{1b}[2J\u{1b}[", "a\tb"]);
        assert_eq!(seen(&view), ["error: x^[[2J^[[", "a    b"]);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(\\x1b\\[|[0-9;m]|\\PC){0,12}") {
            let _ = without_colours(&text);
        }
    }
}
