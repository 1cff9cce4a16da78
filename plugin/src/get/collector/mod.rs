//! Whose answers are in, who is late, when to print, when to end.
//!
//! The caller tells what happens ([`Collector::cluster`], [`Collector::see`], ...), then calls [`Collector::step`],
//! which answers with what to print; and again at [`Collector::deadline`] at the latest.
//!
//! - **One cluster that was named**: everything is printed at once, when all of it is there, as kubectl does.
//! - **Several**: who is there is printed when all are, or [`PATIENCE`] after the first was; later ones follow when
//!   they are there. So a dead cluster delays nobody.
//! - **A wait** prints a line for each object that is as wanted, and ends when all are.
//! - **A watch** prints each cluster when it is there, then its changes, and ends when it is told to.

mod listing;
mod waiting;
mod watching;

#[cfg(test)]
mod tests;

use super::catalog::Catalogs;
use super::cluster_selector::ClusterSelector;
use super::member::{At, Circumstances, Member, Standing, StreamView, Trouble};
use super::messages::{self, Refusal};
use super::plan::{Form, Plan};
use super::printer::Printer;
use crate::print::Audience;
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use waiting::Waiting;

/// For how long the rows that are there wait for others, so that they come as one table.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// What to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Text for stdout, line breaks included.
    Out(String),
    /// A line for stderr, without its line break.
    Err(String),
    /// The end, with an exit code.
    Done(u8),
}

/// The state machine of one `get`.
#[derive(Debug)]
pub struct Collector {
    plan: Plan,
    selector: ClusterSelector,
    members: BTreeMap<ClusterName, Member>,
    /// All that are present, meant or not: for hints.
    present: BTreeSet<ClusterName>,
    wanted: Vec<ClusterName>,
    /// Those whose answers, or whose trouble, were printed.
    told: BTreeMap<ClusterName, Told>,
    /// Those whose watch has begun: all that was there at first was printed, or passed over.
    begun: BTreeSet<ClusterName>,
    printer: Printer,
    link: Link,
    discovered: bool,
    first_whole: Option<At>,
    output: Vec<Output>,
    /// What did not exist, in some clusters.
    absences: BTreeSet<(usize, Refusal)>,
    /// Targets that existed in some cluster.
    existing: BTreeSet<usize>,
    /// Every type that was read lives in namespaces.
    all_namespaced: bool,
    read_any: bool,
    /// An object of several clusters was there to be printed.
    printed_any: bool,
    unknown_type: bool,
    /// It was said that values of Secrets were left out.
    redacted: bool,
    waiting: Waiting,
    /// What was waited for in vain, to be told at the end.
    waiting_errors: Vec<String>,
    failed: bool,
    done: bool,
}

#[derive(Debug, Default)]
struct Link {
    up: Option<At>,
    was_up: bool,
    down_since: At,
    failure: Option<String>,
    permanent: bool,
}

/// What was last said of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Whole,
    Stale,
    Trouble(Trouble),
}

impl Collector {
    /// A `get` that begins now.
    pub fn new(plan: Plan, selector: &ClusterSelector, audience: Audience) -> Self {
        let printer = Printer::new(plan.clone(), selector.only().is_none(), audience);
        let mut collector = Self {
            printer,
            members: BTreeMap::new(),
            present: BTreeSet::new(),
            wanted: Vec::new(),
            told: BTreeMap::new(),
            begun: BTreeSet::new(),
            link: Link::default(),
            discovered: false,
            first_whole: None,
            output: Vec::new(),
            absences: BTreeSet::new(),
            existing: BTreeSet::new(),
            all_namespaced: true,
            read_any: false,
            printed_any: false,
            unknown_type: false,
            redacted: false,
            waiting: Waiting::default(),
            waiting_errors: Vec::new(),
            failed: false,
            done: false,
            selector: selector.clone(),
            plan,
        };
        selector
            .named()
            .for_each(|name| collector.want(name, At::ZERO));
        collector
    }

    /// Clusters to ask from now on, each for all targets: each is named once.
    pub fn take_wanted(&mut self) -> Vec<ClusterName> {
        std::mem::take(&mut self.wanted)
    }

    /// Whether it is about one cluster that was named.
    pub fn is_for_one(&self) -> bool {
        self.selector.only().is_some()
    }

    /// Whether there are clusters to ask.
    pub fn wants_more(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// A cluster's presence is known: online, or its last will; and its labels.
    pub fn cluster(
        &mut self,
        name: &ClusterName,
        labels: &[(String, String)],
        offline: bool,
        at: At,
    ) {
        self.present.insert(name.clone());
        if !self.selector.matches(name, labels) {
            return;
        }
        self.want(name, at);
        if let Some(member) = self.members.get_mut(name) {
            (member.known, member.offline) = (true, offline);
        }
    }

    /// Discovery has ended: whoever is there has said so.
    pub fn discovered(&mut self) {
        self.discovered = true;
    }

    /// The broker is connected.
    pub fn link_up(&mut self, at: At) {
        if self.link.was_up && self.link.up.is_none() && self.plan.watch.is_some() {
            self.output.push(Output::Err(messages::broker_back()));
        }
        self.link = Link {
            up: Some(self.link.up.unwrap_or(at)),
            was_up: true,
            ..Link::default()
        };
    }

    /// The broker is not connected, for a reason that may not go away by itself.
    pub fn link_down(&mut self, failure: &str, permanent: bool, at: At) {
        let first = self.link.up.take().is_some() || self.link.failure.is_none();
        if first {
            self.link.down_since = if self.link.was_up { at } else { At::ZERO };
            if self.link.was_up && self.plan.watch.is_some() {
                self.output
                    .push(Output::Err(messages::broker_away(failure)));
            }
        }
        self.link.failure = Some(failure.to_owned());
        self.link.permanent = permanent;
    }

    /// A newer view of one target's stream in a cluster.
    pub fn see(&mut self, cluster: &ClusterName, target: usize, view: StreamView) {
        if let Some(member) = self.members.get_mut(cluster) {
            member.see(target, view);
        }
    }

    /// Draws the conclusions: what to print, and whether this is the end. `wall_ms`: this machine's clock, ms since
    /// 1970.
    pub fn step(&mut self, at: At, wall_ms: i64) -> Vec<Output> {
        if !self.done {
            match (self.plan.wait.clone(), self.plan.watch) {
                (Some(wait), _) => self.wait_for(&wait, at),
                (None, None) => self.list(at, wall_ms),
                (None, Some(watch)) => self.watch(watch, at, wall_ms),
            }
            self.judge_link(at);
        }
        std::mem::take(&mut self.output)
    }

    /// When to call [`Collector::step`] again at the latest.
    pub fn deadline(&self, at: At) -> Option<At> {
        let circumstances = self.circumstances(at);
        let members = self
            .members
            .values()
            .filter(|member| !self.told.contains_key(&member.name));
        let silence = members.filter_map(|member| member.deadline(&circumstances));
        let impatient = self.link.up.is_none() && !self.waits_for_broker();
        let link = impatient.then(|| self.link.down_since + self.plan.timeout);
        let patience = self
            .first_whole
            .map(|first| first + PATIENCE)
            .filter(|end| *end > at);
        let wait = self.plan.wait.as_ref().map(|wait| wait.timeout);
        let wait = wait.filter(|end| !end.is_zero() && *end > at);
        silence
            .chain(link)
            .chain(wait)
            .chain(patience)
            .chain(circumstances.end)
            .min()
    }

    /// What the clusters have, if that was asked for and they are heard.
    pub fn catalogs(&self) -> &Catalogs {
        &self.printer.catalogs
    }

    /// A type was named that does not exist, and nothing was printed: its word may be a category.
    pub fn has_unknown_type(&self) -> bool {
        self.unknown_type
    }

    /// A line that tells how far this has come, while nothing was printed.
    pub fn progress(&self, at: At) -> Option<String> {
        if self.done || self.printer.written || self.members.is_empty() {
            return None;
        }
        let circumstances = self.circumstances(at);
        let done = self
            .members
            .values()
            .filter(|member| !is_pending(&member.standings(&circumstances)))
            .count();
        let (items, bytes) = self
            .members
            .values()
            .map(Member::progress)
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let mut words = vec![format!("{done}/{} clusters", self.members.len())];
        words.extend((items > 0).then(|| format!("{items} items listed")));
        words.extend((bytes > 0).then(|| format!("{} KiB received", bytes / 1024)));
        Some(words.join(", "))
    }

    fn want(&mut self, name: &ClusterName, at: At) {
        if !self.members.contains_key(name) {
            self.wanted.push(name.clone());
            let member = Member::new(
                name.clone(),
                self.plan.targets.len(),
                self.plan.streams(),
                at,
            );
            let headless = matches!(self.plan.form, Form::Catalog(_));
            self.members.insert(name.clone(), member.headless(headless));
        }
    }

    fn circumstances(&self, at: At) -> Circumstances {
        Circumstances {
            at,
            discovered: self.discovered,
            link_up: self.link.up,
            timeout: self.plan.timeout,
            end: self.plan.request_timeout,
        }
    }

    /// A broker that cannot be reached is the end.
    fn judge_link(&mut self, at: At) {
        if self.done || self.link.up.is_some() || self.waits_for_broker() {
            return;
        }
        if self.link.permanent || at >= self.link.down_since + self.plan.timeout {
            let line = match &self.link.failure {
                Some(failure) => messages::broker(failure),
                None => messages::broker_silent(self.plan.timeout),
            };
            self.fail(line);
            self.finish(1);
        }
    }

    /// A watch that was connected goes on when the broker comes back.
    fn waits_for_broker(&self) -> bool {
        (self.plan.watch.is_some() || self.plan.wait.is_some()) && self.link.was_up
    }

    fn line(&self, name: &ClusterName, trouble: &Trouble) -> String {
        let limit = self.plan.request_timeout.unwrap_or_default();
        match self.members.get(name) {
            Some(member) => member.line(trouble, self.plan.timeout, limit, self.plan.way),
            None => messages::malformed(name),
        }
    }

    fn fail(&mut self, line: String) {
        self.failed = true;
        self.output.push(Output::Err(line));
    }

    /// Values that were left out look as if there were none.
    fn tell_redaction(&mut self) {
        if std::mem::take(&mut self.printer.redacted)
            && !std::mem::replace(&mut self.redacted, true)
        {
            let line = messages::redacted(self.plan.way);
            self.output.push(Output::Err(line));
        }
    }

    fn finish(&mut self, code: u8) {
        self.tell_redaction();
        self.done = true;
        self.output.push(Output::Done(code));
    }
}

fn is_pending(standings: &[Standing]) -> bool {
    standings.contains(&Standing::Pending)
}
