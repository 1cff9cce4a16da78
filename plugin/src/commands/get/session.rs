//! One `get` that runs: what happens is told to the collector, and what that says is told to the terminal.

use super::super::wakes::{Wake, Wakes};
use super::finish;
use crate::clock::{ahead_ms, wall_ms};
use crate::error::Failure;
use crate::get::{ClusterSelector, Collector, Output, Plan, StreamView};
use crate::scope::Attached;
use crate::terminal::Terminal;
use mqtt_informer::informer::{Freshness, Informer, LinkState, Progress, Subscription};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How often the line of progress is looked at.
const PROGRESS: Duration = Duration::from_millis(200);
/// As good as for ever.
const LONG: Duration = Duration::from_secs(3600);
/// Rows of one moment are written together: no more often than this.
const PACE: Duration = Duration::from_millis(10);

pub(super) struct Session {
    informer: Informer,
    plan: Plan,
    pub(super) collector: Collector,
    subscriptions: BTreeMap<(ClusterName, usize), Subscription>,
    /// Those of them that have never answered.
    unanswered: BTreeSet<(ClusterName, usize)>,
    /// Those that are not whole, or were in doubt when last looked at.
    doubtful: BTreeSet<(ClusterName, usize)>,
    /// Whoever is there has said so.
    discovered: bool,
    wakes: Wakes,
    start: Instant,
}

impl Session {
    pub(super) fn new(attached: &Attached, plan: Plan, selector: &ClusterSelector) -> Self {
        let informer = attached.informer().clone();
        let collector = Collector::new(plan.clone(), selector, Terminal::audience());
        Self {
            wakes: Wakes::of(&informer),
            informer,
            plan,
            collector,
            subscriptions: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            discovered: false,
            start: Instant::now(),
        }
    }

    pub(super) async fn run(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        loop {
            let outputs = self.step();
            let done = outputs
                .iter()
                .any(|output| matches!(output, Output::Done(_)));
            finish(outputs, terminal)?;
            if done {
                return Ok(());
            }
            self.wait(terminal).await?;
        }
    }

    /// Gathers what there is to say; what is to be printed is printed as soon as there is any, since nobody can take it
    /// back then.
    pub(super) async fn outputs(
        &mut self,
        terminal: &mut Terminal,
        waiting: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        loop {
            waiting.extend(self.step());
            if waiting
                .iter()
                .any(|output| matches!(output, Output::Done(_)))
            {
                return Ok(());
            }
            let printed = waiting
                .iter()
                .any(|output| matches!(output, Output::Out(_)));
            if printed {
                finish(std::mem::take(waiting), terminal)?;
            }
            self.wait(terminal).await?;
        }
    }

    pub(super) fn step(&mut self) -> Vec<Output> {
        self.subscribe();
        self.look_at_silent_ones();
        if self.is_complete() {
            // So that what is kept is written to the disk while the rows are printed.
            self.subscriptions.clear();
        }
        self.collector.step(self.start.elapsed(), wall_ms())
    }

    /// Waits for something to happen, then takes all that has.
    pub(super) async fn wait(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        let at = self.start.elapsed();
        let progress = self.collector.progress(at);
        let most = progress.as_ref().map_or(Duration::MAX, |_| PROGRESS);
        terminal.progress(progress)?;
        let deadline = self
            .collector
            .deadline(at)
            .map(|deadline| deadline.saturating_sub(at).max(PACE));
        let wait = deadline.unwrap_or(LONG).min(most).min(LONG);
        let Some(wake) = self.wakes.next(Instant::now() + wait).await else {
            return Ok(());
        };
        let mut waited_for = self.take(wake);
        let until = Instant::now() + PACE;
        while !waited_for && let Some(wake) = self.wakes.next(until).await {
            waited_for = self.take(wake);
        }
        Ok(())
    }

    /// Whether this is what the next step was waiting for: more need not be gathered.
    fn take(&mut self, wake: Wake) -> bool {
        let at = self.start.elapsed();
        match wake {
            Wake::Link(LinkState::Connecting) => {}
            Wake::Link(LinkState::Up) => self.collector.link_up(at),
            Wake::Link(LinkState::Down(failure)) => {
                self.collector
                    .link_down(&failure.message, failure.permanent, at);
            }
            Wake::Clusters(clusters) => {
                for (name, cluster) in clusters.iter() {
                    let labels = &cluster.presence.labels;
                    self.collector.cluster(name, labels, cluster.offline, at);
                }
            }
            Wake::Discovered => {
                self.discovered = true;
                self.collector.discovered();
                return true;
            }
            Wake::Stream(cluster, target) => return self.look(cluster, target),
        }
        self.collector.wants_more()
    }

    fn subscribe(&mut self) {
        for cluster in self.collector.take_wanted() {
            for index in 0..self.plan.streams() {
                let Some(selection) = self.plan.stream(index, &cluster) else {
                    continue;
                };
                let subscription = self.informer.subscribe(&cluster, selection);
                self.wakes.watch(&cluster, index, subscription.store());
                let key = (cluster.clone(), index);
                self.unanswered.insert(key.clone());
                self.doubtful.insert(key.clone());
                self.subscriptions.insert(key, subscription);
            }
        }
    }

    /// Words that repeat themselves change no state, and still are no silence.
    fn look_at_silent_ones(&mut self) {
        let unsynced = self.subscriptions.iter().filter(|(_, subscription)| {
            let state = subscription.store().state();
            !state.borrow().synced
        });
        for (cluster, target) in unsynced.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.look(cluster, target);
        }
    }

    /// Whether it was the last of all streams that had not answered yet.
    fn look(&mut self, cluster: ClusterName, target: usize) -> bool {
        let key = (cluster, target);
        let Some(subscription) = self.subscriptions.get(&key) else {
            return false;
        };
        let store = subscription.store();
        // The state goes first: what it says is whole is in the snapshot that is taken after it.
        let state = store.state().borrow().clone();
        let view = StreamView {
            state,
            heard: store
                .heard_at()
                .map(|at| at.saturating_duration_since(self.start)),
            changes: if self.plan.watch.is_some() {
                store.notices()
            } else {
                Vec::new()
            },
            snapshot: store.snapshot(),
            clock_ahead_ms: ahead_ms(store.server_now_ms()),
        };
        let state = &view.state;
        let has_answered = state.synced || matches!(state.progress, Progress::Refused { .. });
        let is_sound =
            state.synced && state.freshness == Freshness::Fresh && state.upstream_down.is_none();
        match is_sound {
            true => self.doubtful.remove(&key),
            false => self.doubtful.insert(key.clone()),
        };
        self.collector.see(&key.0, target, view);
        has_answered && self.unanswered.remove(&key) && self.unanswered.is_empty()
    }

    /// Whether a list has all that it will print, none of it in doubt.
    fn is_complete(&self) -> bool {
        self.plan.watch.is_none()
            && self.plan.wait.is_none()
            && (self.collector.is_for_one() || self.discovered)
            && self.doubtful.is_empty()
    }
}
