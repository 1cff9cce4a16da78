//! Whose turn it is, and what became of it.

use super::clusters::{self, View};
use super::cycle::{Cycle, Key};
use super::deeds::{Act, Deed};
use super::fights::Mark;
use super::{placements, rollouts, works};
use crate::kubernetes::{Kubernetes, Place, WriteError};
use crate::ocm::exchange::{HUB_KEY, HubNotice, WorkReport};
use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// Turns at once.
const AT_ONCE: usize = 32;
/// Between two tries of one object: the first pause and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// The same after somebody else has changed an object meanwhile: its watch shows it soon.
const CONFLICTS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// No object asks for a turn more often than that by itself.
const SHORTEST: Duration = Duration::from_millis(100);

/// A turn that is over.
pub(super) struct Done {
    key: Key,
    /// What was to be written, and was if there is no error.
    mark: Mark,
    written: Vec<(Place, Bytes)>,
    /// What an object is that no watch showed any more, if that was asked.
    found: Option<Option<Bytes>>,
    writes: u64,
    /// What the plain form's status was written from.
    back: Option<WorkReport>,
    error: Option<WriteError>,
}

impl Done {
    fn begin(key: Key, mark: Mark, back: Option<WorkReport>) -> Self {
        Self {
            key,
            mark,
            written: Vec::new(),
            found: None,
            writes: 0,
            back,
            error: None,
        }
    }
}

impl Cycle<'_> {
    pub(super) fn begin_turns(&mut self) {
        while self.takes_turns() {
            let Some(key) = self.queue.next(Instant::now()) else {
                return;
            };
            let (deeds, recheck, back) = self.decide(&key);
            let (now, mark) = (Instant::now(), Mark::of(&deeds));
            if deeds.is_empty() {
                self.queue.done(&key, now);
            } else if let Some(then) = self.fights.pause(&key, mark, now) {
                self.queue.add_later(&key, then);
                self.queue.done(&key, now);
            } else {
                let done = Done::begin(key.clone(), mark, back);
                self.turns
                    .spawn(turn(self.plan.kubernetes.clone(), deeds, done));
            }
            if let Some(then) = recheck {
                let wait = then.duration_since(Timestamp::now());
                let wait = Duration::try_from(wait).unwrap_or_default();
                self.queue
                    .add_later(&key, Instant::now() + wait.max(SHORTEST));
            }
        }
    }

    fn takes_turns(&self) -> bool {
        self.whole && self.turns.len() < AT_ONCE
    }

    /// When there is a turn to begin, if time is all that it waits for.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        self.queue.deadline().filter(|_| self.takes_turns())
    }

    fn decide(&mut self, key: &Key) -> (Vec<Deed>, Option<Timestamp>, Option<WorkReport>) {
        if self.is_held_up(key) {
            return (Vec::new(), None, None);
        }
        let (world, now) = (&self.world, Timestamp::now());
        let (deeds, recheck) = match key {
            Key::Cluster(name) => self.decide_cluster(&name.clone()),
            Key::Set(name) => (placements::decide_set(world, name, now), None),
            Key::Binding(id) => (placements::decide_binding(world, id, now), None),
            Key::Placement(id) => placements::decide(world, id, now),
            Key::ReplicaSet(id) => rollouts::decide(world, id, now),
            Key::Work((cluster, name)) => match world.works.get(cluster, name) {
                Some(work) => works::decide(world, work, self.agents.report(cluster, name), now),
                None => (Vec::new(), None),
            },
            Key::Plain((cluster, name)) => {
                let Some(object) = self.plain.get(cluster, name) else {
                    return (Vec::new(), None, None);
                };
                let report = self.agents.report(cluster, name);
                let deeds = object.decide(report, world.standing(cluster));
                return (deeds, None, report.cloned());
            }
        };
        (deeds, recheck, None)
    }

    fn decide_cluster(&mut self, name: &str) -> (Vec<Deed>, Option<Timestamp>) {
        let own = self.world.own_namespace.as_deref();
        if let Some(why) = clusters::impossible(name, own)
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
            listening: self.listening,
        };
        let outcome = clusters::decide(&view, name);
        match outcome.service {
            Some(service) => self.shelves.serve(name, service),
            None => self.shelves.forget(name),
        }
        let notice = HubNotice {
            leaving: outcome.leaving,
            known_kinds: self.plain.known_kinds(),
        };
        let notice = serde_json::to_vec(&notice).ok().map(Bytes::from);
        self.shelves.put(name, HUB_KEY, notice);
        (outcome.deeds, outcome.recheck)
    }

    pub(super) fn finish(&mut self, done: Done) {
        let Done {
            key,
            mark,
            written,
            found,
            writes,
            back,
            error,
        } = done;
        self.report.writes += writes;
        for (place, object) in written {
            if let Some((kind, id)) = self.world.wrote(&place, &object) {
                self.changed(kind, [id].into());
            }
        }
        if let (Key::Plain((cluster, work)), Some(report), None) = (&key, &back, &error) {
            self.plain.wrote_back(cluster, work, report);
        }
        if let (Key::Plain(id), Some(found)) = (&key, found)
            && self.plain.found(id, found.as_ref())
        {
            self.plain_changed([id.clone()].into());
        }
        let now = Instant::now();
        match error {
            None => {
                if self.fights.wrote(&key, mark, now) {
                    tracing::warn!(
                        ?key,
                        "somebody undoes what the hub writes, again and again: it is written more and more slowly"
                    );
                }
                self.queue.done(&key, now);
            }
            Some(WriteError::Refused(refusal)) if refusal.code == 409 => {
                self.queue.retry(&key, CONFLICTS, now);
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
}

async fn turn(kubernetes: Kubernetes, deeds: Vec<Deed>, mut done: Done) -> Done {
    for deed in deeds {
        done.writes += 1;
        match deed.run(&kubernetes).await {
            Ok(answer) if matches!(deed.act, Act::Recover(_)) => done.found = Some(answer),
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
