//! Whose turn it is, and what became of it.

mod begin;
mod finish;

use super::inventories::{Written, lost};
use super::inventory::{Inventories, Whose};
use super::objects::{Objects, Told};
use super::reports::Reports;
use super::turn::Turn;
use super::works::{Works, is_current};
use super::{Plan, facts};
use crate::informer::{Changes, Progress, StreamState, Subscription};
use crate::kubernetes::{Catalog, Queue, WriteError};
use crate::ocm::crd;
use crate::ocm::exchange::ClusterReport;
use crate::ocm::work::{ManifestWorkStatus, ResourceIdentifier};
use crate::protocol::message::{Selection, View};
use k8s_openapi::jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Turns at once: what hangs at one webhook keeps others from nothing.
const AT_ONCE: usize = 8;
/// Between two tries of one work: the first pause and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// Between two looks whether a kind is there by now: the first pause and the longest.
const LEARN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));
/// What is being removed is looked at again after so long, should no watch say more.
const REMOVED_BY: Duration = Duration::from_secs(5);

/// All that an executor knows while it has the cluster's name.
pub(super) struct Cycle<'a> {
    plan: &'a Plan,
    whose: Whose,
    /// Kept: dropping it leaves the stream.
    _work: Subscription,
    changes: Changes,
    state: watch::Receiver<StreamState>,
    works: Works,
    /// Whether the copy is what the hub wants now.
    current: bool,
    inventories: Inventories,
    written: Written,
    /// Works whose inventories have to be written anew.
    lost: BTreeSet<String>,
    /// Works whose inventories cannot be read; why.
    broken: BTreeMap<String, String>,
    /// Which work an object belongs to.
    owners: BTreeMap<ResourceIdentifier, String>,
    applied: BTreeMap<String, BTreeMap<ResourceIdentifier, u64>>,
    /// By work: of which one of that name, and what was last found.
    statuses: BTreeMap<String, (String, ManifestWorkStatus)>,
    objects: Objects,
    told: mpsc::Receiver<Told>,
    catalog: Arc<Catalog>,
    /// Works of which a kind is not known.
    unknown: BTreeSet<String>,
    learning: JoinSet<Result<Arc<Catalog>, WriteError>>,
    learn_pause: Duration,
    queue: Queue<String>,
    turns: JoinSet<Turn>,
    reports: Reports,
    /// None before all nodes were seen.
    facts: watch::Receiver<Option<ClusterReport>>,
}

impl<'a> Cycle<'a> {
    /// Reads what this cluster has of the hub, and asks for what the hub wants.
    pub(super) async fn begin(plan: &'a Plan) -> Result<Self, WriteError> {
        let whose = Whose::new(&plan.hub, &plan.cluster);
        plan.kubernetes.install(&crd::of_the_agent()).await?;
        let (written, found) = Written::open(&plan.kubernetes, &whose).await?;
        let inventories = found.readable;
        let catalog = plan.kubernetes.catalog(Duration::ZERO).await?;
        let selection = Selection {
            namespace: plan.cluster.as_str().to_owned(),
            view: View::Work,
            ..Selection::default()
        };
        let work = plan.informer.subscribe(&plan.hub, selection);
        let (objects, told) = Objects::new(plan.kubernetes.clone());
        let (tell, facts) = watch::channel(None);
        tokio::spawn(facts::keep(plan.kubernetes.clone(), tell));
        let owned = inventories.iter().flat_map(|(name, inventory)| {
            let things = inventory.resources().iter();
            things.map(|it| (super::objects::identifier(it), name.clone()))
        });
        Ok(Self {
            plan,
            whose,
            changes: work.store().changes(),
            state: work.store().state(),
            _work: work,
            works: Works::default(),
            current: false,
            written,
            lost: BTreeSet::new(),
            broken: found.broken,
            owners: owned.collect(),
            inventories,
            applied: BTreeMap::new(),
            statuses: BTreeMap::new(),
            objects,
            told,
            catalog,
            unknown: BTreeSet::new(),
            learning: JoinSet::new(),
            learn_pause: LEARN.0,
            queue: Queue::new(),
            turns: JoinSet::new(),
            reports: Reports::default(),
            facts,
        })
    }

    /// Works for ever.
    pub(super) async fn run(&mut self) {
        loop {
            self.notice_current();
            // First: what nothing can be done for is said, too.
            self.begin_turns();
            let reports = self.say();
            let deadline = self.next_turn().into_iter().chain(reports).min();
            tokio::select! {
                notices = self.changes.next() => {
                    let first = !self.works.synced;
                    let mut changed = self.works.take(&notices);
                    if first || self.works.is_leaving() {
                        // Also those that are not listed any more.
                        changed.extend(self.inventories.keys().cloned());
                    }
                    if first {
                        tracing::info!(hub = %self.plan.hub, works = self.works.iter().count(), "the hub's work is here");
                    }
                    self.learn_pause = LEARN.0;
                    changed.iter().for_each(|work| self.queue.add(work, Instant::now()));
                }
                Some(told) = self.told.recv() => {
                    let now = Instant::now();
                    let look = self.objects.take(told);
                    look.iter().for_each(|work| self.queue.add_for_repair(work, now));
                }
                Some(turn) = self.turns.join_next(), if !self.turns.is_empty() => match turn {
                    Ok(turn) => self.finish(turn),
                    Err(error) => tracing::error!(%error, "a turn broke off"),
                },
                Some(learned) = self.learning.join_next(), if !self.learning.is_empty() => {
                    self.learned(learned.ok().and_then(Result::ok));
                }
                news = self.written.next() => {
                    for work in lost(&news, &self.inventories) {
                        self.queue.add(&work, Instant::now());
                        self.lost.insert(work);
                    }
                }
                Ok(()) = self.state.changed() => self.tell_refusal(),
                Ok(()) = self.facts.changed() => {}
                () = until(deadline) => {}
            }
        }
    }

    /// What was left alone while the hub's word was old has its turn when that is over.
    fn notice_current(&mut self) {
        let before = std::mem::replace(&mut self.current, is_current(&self.state.borrow()));
        if self.current && !before {
            let now = Instant::now();
            self.inventories
                .keys()
                .for_each(|it| self.queue.add(it, now));
        }
    }

    /// Says what is to be said; when more will be.
    fn say(&mut self) -> Option<Instant> {
        let left =
            !self.inventories.is_empty() || !self.broken.is_empty() || !self.queue.is_empty();
        let facts = self.facts.borrow().clone();
        let detached = self.works.is_leaving() && !left;
        if facts.is_some() || detached {
            let facts = facts.unwrap_or_default();
            self.reports.cluster(ClusterReport { detached, ..facts });
        }
        let now = Timestamp::now();
        let next = self.reports.flush(now);
        let held = self.reports.held();
        self.plan.reports.send_if_modified(|known| {
            let news = *known != held;
            *known = held;
            news
        });
        next.map(|then| in_time(then, now))
    }

    fn begin_turns(&mut self) {
        while self.takes_turns() {
            let Some(work) = self.queue.next(Instant::now()) else {
                break;
            };
            match self.turn(&work) {
                Some(turn) => _ = self.turns.spawn(turn.run()),
                None => self.queue.done(&work, Instant::now()),
            }
        }
        self.learn();
    }

    fn takes_turns(&self) -> bool {
        self.works.synced && self.turns.len() < AT_ONCE
    }

    /// When there is a turn to begin, if time is all that it waits for.
    fn next_turn(&self) -> Option<Instant> {
        self.queue.deadline().filter(|_| self.takes_turns())
    }

    /// Asks for kinds that were not there, while some work needs them.
    fn learn(&mut self) {
        if self.unknown.is_empty() || !self.learning.is_empty() {
            return;
        }
        let (kubernetes, pause) = (self.plan.kubernetes.clone(), self.learn_pause);
        self.learn_pause = (pause * 2).min(LEARN.1);
        self.learning.spawn(async move {
            tokio::time::sleep(pause).await;
            kubernetes.catalog(Duration::ZERO).await
        });
    }

    fn learned(&mut self, catalog: Option<Arc<Catalog>>) {
        let Some(catalog) = catalog.filter(|it| *it != self.catalog) else {
            return;
        };
        self.catalog = catalog;
        self.learn_pause = LEARN.0;
        let now = Instant::now();
        for work in std::mem::take(&mut self.unknown) {
            self.queue.add(&work, now);
        }
    }

    fn tell_refusal(&self) {
        if let Progress::Refused { message, .. } = &self.state.borrow().progress {
            tracing::warn!(hub = %self.plan.hub, "the hub sends no work: {message}");
        }
    }
}

/// When that is, by the clock that waits.
fn in_time(then: Timestamp, now: Timestamp) -> Instant {
    let wait = Duration::try_from(then.duration_since(now)).unwrap_or_default();
    Instant::now() + wait
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
