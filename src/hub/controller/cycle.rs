//! Whose turn it is, and what became of it.

use super::agents::Agents;
use super::cache::Id;
use super::clusters::{self, View};
use super::deeds::{Act, Deed};
use super::feeds::Shelves;
use super::plain::{self, PlainObjects};
use super::world::{KINDS, Kind, World};
use super::{Plan, Report, placements, rollouts, works};
use crate::kubernetes::{Catalog, Heard, Place, Queue, WriteError};
use crate::ocm::exchange::{HUB_KEY, HubNotice, WorkReport};
use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// Turns at once.
const AT_ONCE: usize = 32;
/// Between two tries of one object: the first pause and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// After somebody else has changed an object meanwhile: its watch shows it soon.
const CONFLICT: Duration = Duration::from_millis(50);
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

/// A turn that is over.
struct Done {
    key: Key,
    written: Vec<(Place, Bytes)>,
    looked: Option<(Place, Bytes)>,
    writes: u64,
    /// What the plain form's status was written from.
    back: Option<WorkReport>,
    error: Option<WriteError>,
}

/// All that a controller knows while it has the hub's name.
pub(super) struct Cycle<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World,
    pub(super) plain: PlainObjects,
    pub(super) agents: Agents,
    pub(super) shelves: Shelves,
    pub(super) queue: Queue<Key>,
    pub(super) listening: Timestamp,
    heard: mpsc::Receiver<(Kind, Heard)>,
    told: mpsc::Receiver<plain::Told>,
    catalogs: mpsc::Receiver<Arc<Catalog>>,
    /// Ends with the cycle.
    _watches: JoinSet<()>,
    turns: JoinSet<Done>,
    /// All was read whole.
    pub(super) whole: bool,
    /// What could not be read when the streams were last shown.
    pub(super) was_away: bool,
    report: Report,
    /// Clusters whose names cannot be, and who were told so.
    warned: BTreeSet<String>,
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
        let kubernetes = plan.kubernetes.clone();
        watches.spawn(async move {
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
        });
        let (plain, told) = PlainObjects::new();
        Self {
            plan,
            world: World::default(),
            plain,
            agents: Agents::follow(&plan.informer, &plan.name),
            shelves: Shelves::default(),
            queue: Queue::new(),
            listening: Timestamp::now(),
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

    /// Works until the connection to the broker has ended for good.
    pub(super) async fn run(&mut self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.begin_turns();
            self.tell();
            let deadline = self.queue.deadline();
            tokio::select! {
                Some((kind, heard)) = self.heard.recv() => {
                    let changed = self.world.take(kind, heard);
                    self.changed(kind, changed);
                    self.is_whole_now();
                }
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
                    None => return,
                },
                Some(done) = self.turns.join_next(), if !self.turns.is_empty() => match done {
                    Ok(done) => self.finish(done),
                    Err(error) => tracing::error!(%error, "a turn broke off"),
                },
                _ = look.tick() => self.look_at_clusters(),
                () = until(deadline) => {}
            }
        }
    }

    fn begin_turns(&mut self) {
        while self.whole && self.turns.len() < AT_ONCE {
            let Some(key) = self.queue.next(Instant::now()) else {
                return;
            };
            let (deeds, recheck, back) = self.decide(&key);
            if deeds.is_empty() {
                self.queue.done(&key, Instant::now());
            } else {
                let kubernetes = self.plan.kubernetes.clone();
                self.turns.spawn(turn(kubernetes, key.clone(), deeds, back));
            }
            if let Some(then) = recheck {
                self.queue.add_later(&key, in_time(then));
            }
        }
    }

    fn decide(&mut self, key: &Key) -> (Vec<Deed>, Option<Timestamp>, Option<WorkReport>) {
        let (world, now) = (&self.world, Timestamp::now());
        let (deeds, recheck) = match key {
            Key::Cluster(name) => self.decide_cluster(&name.clone()),
            Key::Set(name) => (placements::decide_set(world, name, now), None),
            Key::Binding(id) => (placements::decide_binding(world, id, now), None),
            Key::Placement(id) => placements::decide(world, id, now),
            Key::ReplicaSet(id) => rollouts::decide(world, id, now),
            Key::Work((cluster, name)) => match world.works.get(cluster, name) {
                Some(work) => works::decide(world, work, self.agents.report(cluster, name), now),
                None => (self.suspect(cluster, name), None),
            },
            Key::Plain((cluster, name)) => {
                let Some(object) = self.plain.get(cluster, name) else {
                    return (self.suspect(cluster, name), None, None);
                };
                let known = world.clusters.get("", cluster);
                let joins = known.is_some_and(|it| {
                    it.spec.hub_accepts_client && it.metadata.deletion_timestamp.is_none()
                });
                let report = self.agents.report(cluster, name);
                return (object.decide(report, joins), None, report.cloned());
            }
        };
        (deeds, recheck, None)
    }

    /// An agent has something of a work that nobody knows here: its object may have lost its label.
    fn suspect(&self, cluster: &str, work: &str) -> Vec<Deed> {
        let report = self.agents.report(cluster, work);
        let place = report.and_then(|it| plain::place_of(cluster, work, it));
        let act = Act::Look;
        place.map(|place| Deed { place, act }).into_iter().collect()
    }

    fn decide_cluster(&mut self, name: &str) -> (Vec<Deed>, Option<Timestamp>) {
        let own_namespace = self.plan.own_namespace.as_deref();
        if let Some(why) = clusters::impossible(name, own_namespace)
            && self.agents.names().any(|it| it == name)
            && self.warned.insert(name.to_owned())
        {
            tracing::warn!(cluster = name, "an agent is not let in: {why}");
        }
        let view = View {
            world: &self.world,
            plain: &self.plain,
            agents: &self.agents,
            auto_accept: &self.plan.auto_accept,
            own_namespace,
            listening: self.listening,
        };
        let outcome = clusters::decide(&view, name);
        match outcome.service {
            Some(service) => self.shelves.serve(name, service),
            None => self.shelves.forget(name),
        }
        let notice = HubNotice {
            leaving: outcome.leaving,
        };
        let notice = serde_json::to_vec(&notice).ok().map(Bytes::from);
        self.shelves.put(name, HUB_KEY, notice);
        self.show(name);
        (outcome.deeds, outcome.recheck)
    }

    fn finish(&mut self, done: Done) {
        let Done {
            key,
            written,
            looked,
            writes,
            back,
            error,
        } = done;
        if let Some((place, object)) = looked {
            let strays = self.plain.stray(&place, &object);
            self.plain_changed(strays);
        }
        if let Key::Plain(id) = &key
            && writes > 0
            && self.plain.let_go(id)
        {
            // Let go, or changed by somebody meanwhile: then it is found again.
            self.plain_changed([id.clone()].into());
        }
        self.report.writes += writes;
        for (place, object) in written {
            if let Some((kind, id)) = self.world.wrote(&place, &object) {
                self.changed(kind, [id].into());
            }
        }
        if let (Key::Plain((cluster, work)), Some(report), None) = (&key, &back, &error) {
            self.plain.wrote_back(cluster, work, report);
        }
        let now = Instant::now();
        match error {
            None => self.queue.done(&key, now),
            Some(WriteError::Refused(refusal)) if refusal.code == 409 => {
                self.queue.done(&key, now);
                self.queue.add_later(&key, now + CONFLICT);
            }
            Some(error) => {
                self.report.failures += 1;
                if self.queue.retry(&key, PAUSES, now) == 1 {
                    tracing::warn!(
                        ?key,
                        "the hub cannot write what shall be: {error}; trying again"
                    );
                }
            }
        }
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

async fn turn(
    kubernetes: crate::kubernetes::Kubernetes,
    key: Key,
    deeds: Vec<Deed>,
    back: Option<WorkReport>,
) -> Done {
    let mut done = Done {
        key,
        written: Vec::new(),
        looked: None,
        writes: 0,
        back,
        error: None,
    };
    for deed in deeds {
        let looks = deed.act == Act::Look;
        done.writes += u64::from(!looks);
        match deed.run(&kubernetes).await {
            Ok(Some(object)) if looks => done.looked = Some((deed.place.clone(), object)),
            Ok(Some(object)) => done
                .written
                .push((deed.place.clone(), without_managers(&object))),
            Ok(None) => {}
            Err(error) => {
                // What comes after it may rely on it.
                done.error = Some(error);
                break;
            }
        }
    }
    done
}

/// As watches show it.
fn without_managers(object: &Bytes) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(object) else {
        return object.clone();
    };
    if let Some(metadata) = value.get_mut("metadata").and_then(|it| it.as_object_mut()) {
        metadata.remove("managedFields");
    }
    value.to_string().into()
}

fn in_time(then: Timestamp) -> Instant {
    let wait = then.duration_since(Timestamp::now());
    Instant::now() + Duration::try_from(wait).unwrap_or_default()
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
