//! Logs of containers, followed: of one pod, or of all pods that something selects.

mod lines;

pub use lines::Line;

use super::pod;
use super::target::Target;
use crate::print::sanitize;
use crate::tui::event::{FeedId, RequestId};
use crate::tui::grid::Step;
use crate::tui::query::Pattern;
use lines::Lines;
use mqtt_informer::informer::log::{LogEnd, LogEvent, LogLine, LogPosition};
use mqtt_informer::protocol::logs::LogSelection;
use serde_json::Value;
use std::collections::BTreeMap;

/// So many logs are read at once at most.
pub const MOST_LOGS: usize = 50;

/// Whose logs are those of the pods that they select.
pub const SELECTING: [&str; 7] = [
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
    "jobs",
    "services",
    "replicationcontrollers",
];

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
    /// Of which pod.
    pub pod: String,
    /// Of which of its containers.
    pub container: String,
    /// Its end, if there was one, and how far it was read.
    pub ended: Option<Option<LogPosition>>,
}

/// See the module.
#[derive(Debug)]
pub struct LogsView {
    /// The pod, or what selects pods.
    pub target: Target,
    /// The containers that are meant; none if that is for the pods to say.
    pub containers: Option<Vec<String>>,
    /// All containers are meant, those of a pod's beginning and for debugging included.
    pub is_all: bool,
    /// By what it is watched: what starts anew is read anew.
    pub feed: FeedId,
    /// By what the pods that it selects are watched, and which these are.
    pub selected: Option<(FeedId, String)>,
    /// The pods, as they are now.
    pub pods: BTreeMap<String, Value>,
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
    /// What was told last of why there is nothing.
    pub told: Option<String>,
    lines: Lines,
}

impl LogsView {
    /// Of a pod or of what selects pods; of these containers, if they are known.
    pub fn new(target: Target, containers: Option<Vec<String>>, feed: FeedId) -> Self {
        Self {
            target,
            containers,
            is_all: false,
            feed,
            selected: None,
            pods: BTreeMap::new(),
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
            told: None,
            lines: Lines::default(),
        }
    }

    /// By what it is fed.
    pub fn feeds(&self) -> Vec<FeedId> {
        let selected = self.selected.iter().map(|(feed, _)| *feed);
        std::iter::once(self.feed).chain(selected).collect()
    }

    /// Whether it is of all pods that something selects.
    pub fn is_of_many(&self) -> bool {
        SELECTING.contains(&self.target.plural.as_str())
    }

    /// The containers of a pod whose logs are meant.
    pub fn meant(&self, pod: &Value) -> Vec<String> {
        match &self.containers {
            _ if self.is_all => {
                let all = pod::containers(pod).into_iter();
                all.map(|container| container.name).collect()
            }
            Some(named) => named.clone(),
            None => pod::with_logs(pod),
        }
    }

    /// Which part of a container's log is read.
    pub fn selection(&self, pod: &str, container: &str) -> LogSelection {
        let (_, tail, since_s) = RANGES[self.range.min(RANGES.len() - 1)];
        let id = self.target.id.as_ref();
        LogSelection {
            namespace: id.map_or_else(String::new, |id| id.namespace.clone()),
            pod: pod.to_owned(),
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
        let container = self.name(source);
        match event {
            LogEvent::Lines(lines) => {
                let lines: Vec<_> = lines.iter().map(|line| read(source, line)).collect();
                // Of one log, nothing is late.
                let is_late = self.sources.len() > 1 && self.lines.are_late(&lines);
                match is_late {
                    true => self.top = self.lines.merge(lines, self.top),
                    false => lines.into_iter().for_each(|line| self.push(line)),
                }
                self.catch_up();
            }
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
        self.lines.clear();
        (self.top, self.follows) = (0, true);
    }

    /// Shows what passes another filter; `!` before it turns it round. What cannot be understood changes nothing.
    pub fn set_filter(&mut self, text: &str) {
        self.filter = text.to_owned();
        match Pattern::parse(text) {
            Ok(pattern) => {
                self.wrong = None;
                self.lines.sift(pattern);
                self.top = self.top.min(self.most());
                self.catch_up();
            }
            Err(wrong) => self.wrong = Some(wrong),
        }
    }

    /// How many lines pass.
    pub fn shown(&self) -> usize {
        self.lines.shown()
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
        self.lines.from(place)
    }

    /// The lines before a place, the nearest first.
    pub fn lines_before(&self, place: usize) -> impl Iterator<Item = &Line> {
        self.lines.before(place)
    }

    /// Moves; who goes up no longer follows, who goes to the end does again.
    pub fn step(&mut self, step: Step) {
        let most = self.most();
        self.top = match step {
            Step::Last => most,
            step => step.from(self.top, self.shown(), self.height).min(most),
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
            Some(source) if self.names_sources() => {
                format!("[{}] {}\n", self.name(source), line.text)
            }
            _ => format!("{}\n", line.text),
        });
        lines.collect()
    }

    /// The name of a source, as far as it has to be told from others.
    pub fn name(&self, source: usize) -> String {
        let Some(Source { pod, container, .. }) = self.sources.get(source) else {
            return String::new();
        };
        if !self.is_of_many() {
            return container.clone();
        }
        let mut others = self.sources.iter().filter(|other| other.pod == *pod);
        match others.any(|other| other.container != *container) {
            true => format!("{pod}/{container}"),
            false => pod.clone(),
        }
    }

    /// Lines say whose they are.
    pub fn names_sources(&self) -> bool {
        self.is_of_many() || self.sources.len() > 1
    }

    /// Why there is nothing: once, however often it is heard.
    pub fn remark_once(&mut self, text: &str) {
        if self.told.as_deref() != Some(text) {
            self.told = Some(text.to_owned());
            self.remark(text);
        }
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
        self.shown().saturating_sub(self.height)
    }

    fn catch_up(&mut self) {
        if self.follows {
            self.top = self.most();
        }
    }

    fn push(&mut self, line: Line) {
        // What is forgotten at the beginning moves nothing under the eye.
        let gone = self.lines.push(line);
        self.top = self.top.saturating_sub(gone);
        self.catch_up();
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
mod tests;
