//! What is heard, in one place: watches, agents, definitions; what that changes is in `news`, what it leads to in
//! `turns`.

use super::agents::Agents;
use super::cache::Id;
use super::definitions::{Definition, Saved};
use super::feeds::Shelves;
use super::fights::Fights;
use super::gate::Gate;
use super::plain::{PlainObjects, Told};
use super::turns::Done;
use super::world::{KINDS, Kind, World};
use super::{Plan, Report};
use crate::kubernetes::{Catalog, Heard, Kubernetes, Queue};
use k8s_openapi::jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// How often clusters are looked at though nothing was heard: silence is news, too.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is asked which kinds there are.
const KINDS_EVERY: Duration = Duration::from_secs(5);
/// How many words of watches may wait.
const WAITING: usize = 256;

/// What has a turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    Cluster(String),
    Set(String),
    Binding(Id),
    Placement(Id),
    ReplicaSet(Id),
    Work(Id),
    /// Its cluster, and the name of its work.
    Plain(Id),
}

/// All that a controller knows while it has the hub's name.
pub(super) struct Cycle<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World,
    pub(super) plain: PlainObjects,
    pub(super) agents: Agents,
    pub(super) shelves: Shelves,
    pub(super) queue: Queue<Key>,
    pub(super) fights: Fights,
    /// Who is held up, and why.
    pub(super) doubts: BTreeMap<Key, String>,
    pub(super) listening: Timestamp,
    gate: Gate,
    heard: mpsc::Receiver<(Kind, Heard)>,
    told: mpsc::Receiver<Told>,
    catalogs: mpsc::Receiver<Arc<Catalog>>,
    /// Ends with the cycle.
    _watches: JoinSet<()>,
    pub(super) turns: JoinSet<Done>,
    /// All was read whole.
    pub(super) whole: bool,
    /// What could not be read when the streams were last shown.
    pub(super) was_away: bool,
    pub(super) report: Report,
    /// Clusters whose names cannot be, and who were told so.
    pub(super) warned: BTreeSet<String>,
}

impl<'a> Cycle<'a> {
    /// Begins to read what there is.
    pub(super) fn begin(plan: &'a Plan) -> Self {
        let (tell, heard) = mpsc::channel(WAITING);
        let mut watches = JoinSet::new();
        for kind in KINDS {
            watches.spawn(kind.follow(plan.kubernetes.clone(), tell.clone()));
        }
        let (say, catalogs) = mpsc::channel(1);
        watches.spawn(ask_for_kinds(plan.kubernetes.clone(), say));
        let (plain, told) = PlainObjects::new();
        Self {
            plan,
            world: World {
                own_namespace: plan.own_namespace.clone(),
                ..World::default()
            },
            plain,
            agents: Agents::follow(&plan.informer, &plan.name),
            shelves: Shelves::default(),
            queue: Queue::new(),
            fights: Fights::default(),
            doubts: BTreeMap::new(),
            listening: Timestamp::now(),
            gate: Gate::new(plan.kubernetes.clone()),
            heard,
            told,
            catalogs,
            _watches: watches,
            turns: JoinSet::new(),
            whole: false,
            was_away: false,
            report: Report::default(),
            warned: BTreeSet::new(),
        }
    }

    /// Works until a definition of the hub's kinds is not there any more, and answers what there was; or until the
    /// connection to the broker has ended for good.
    pub(super) async fn run(mut self) -> Option<Saved> {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.begin_turns();
            self.tell();
            let deadline = self.next_turn();
            let due = self.shelves.due().filter(|_| self.whole);
            tokio::select! {
                Some((kind, heard)) = self.heard.recv() => {
                    let whole = self.world.is_whole(kind);
                    let admitted = self.gate.admit(kind, heard, whole);
                    admitted.into_iter().for_each(|heard| self.take(kind, heard));
                }
                (kind, definition) = self.gate.next() => match definition {
                    Definition::Stands => {
                        let counts = self.gate.stands(kind);
                        counts.into_iter().for_each(|heard| self.take(kind, heard));
                    }
                    Definition::Unknown(why) => {
                        let whole = self.world.is_whole(kind);
                        let counts = self.gate.ask_again(kind, &why, whole);
                        counts.into_iter().for_each(|heard| self.take(kind, heard));
                    }
                    Definition::Going | Definition::Missing => return Some(self.undefined(kind)),
                },
                Some(told) = self.told.recv() => {
                    let changed = self.plain.take(told);
                    self.plain_changed(changed);
                    self.is_whole_now();
                }
                Some(catalog) = self.catalogs.recv() => {
                    self.plain.kinds(&self.plan.kubernetes, &catalog.resources);
                    self.is_whole_now();
                }
                changed = self.agents.next() => match changed {
                    Some(changed) => self.agents_changed(changed),
                    None => return None,
                },
                Some(done) = self.turns.join_next(), if !self.turns.is_empty() => match done {
                    Ok(done) => self.finish(done),
                    Err(error) => tracing::error!(%error, "a turn broke off"),
                },
                _ = look.tick() => self.look_at_clusters(),
                () = until(due) => self.shelves.show(&self.plan.feeds, self.world.works.away()),
                () = until(deadline) => {}
            }
        }
    }

    fn take(&mut self, kind: Kind, heard: Heard) {
        let changed = self.world.take(kind, heard);
        self.changed(kind, changed);
        self.is_whole_now();
    }

    /// What there was until now, since what is there goes with its definition. Agents keep what they have.
    fn undefined(&mut self, kind: Kind) -> Saved {
        let kind = kind.definition();
        tracing::warn!(
            kind,
            "a definition was deleted under the hub, and with it go its objects: they are brought back"
        );
        let why = format!("the definition {kind} was deleted on the hub: it is being brought back");
        self.shelves.show_all(&self.plan.feeds, Some(&why));
        Saved::of(&self.world)
    }

    /// The moment from which on anything is decided.
    fn is_whole_now(&mut self) {
        if !self.whole && self.world.waits_for().is_none() && self.plain.is_whole() {
            self.whole = true;
            tracing::info!(
                clusters = self.world.clusters.all().len(),
                works = self.world.works.all().len(),
                "the hub is read whole: its work is served"
            );
            self.begin_all();
        }
        self.show_whether_away();
    }

    fn tell(&mut self) {
        let number = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
        let plain = (!self.plain.is_whole()).then_some("labelled objects");
        self.report = Report {
            waits_for: self.world.waits_for().or(plain).filter(|_| !self.whole),
            clusters: number(self.world.clusters.all().len()),
            works: number(self.world.works.all().len()),
            plain: number(self.plain.len()),
            queue: number(self.queue.len()),
            ..self.report.clone()
        };
        self.plan.told.send_if_modified(|known| {
            let news = *known != self.report;
            known.clone_from(&self.report);
            news
        });
    }
}

/// Asks which kinds there are, until nobody listens.
async fn ask_for_kinds(kubernetes: Kubernetes, say: mpsc::Sender<Arc<Catalog>>) {
    let mut every = tokio::time::interval(KINDS_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Ok(catalog) = kubernetes.catalog(Duration::ZERO).await
            && say.send(catalog).await.is_err()
        {
            return;
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
