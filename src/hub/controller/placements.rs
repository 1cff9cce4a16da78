//! `Placement`s, sets and bindings: what the pure half says, as requests.

use super::cache::Id;
use super::deeds::{self, Deed};
use super::world::World;
use crate::hub::placement::{Outcome, Scheduling, schedule};
use crate::hub::sets;
use crate::ocm::decision::PlacementDecisionStatus;
use crate::ocm::{ObjectMeta, PlacementDecision, name, namespace};
use k8s_openapi::jiff::Timestamp;

/// What is to be done for a placement, and when to ask again.
pub(super) fn decide(world: &World, id: &Id, now: Timestamp) -> (Vec<Deed>, Option<Timestamp>) {
    let Some(placement) = world.placements.get(&id.0, &id.1) else {
        return (Vec::new(), None);
    };
    if let Some(kind) = world.doubtful() {
        tracing::debug!(kind, "decisions stay as they are: something cannot be read");
        return (Vec::new(), None);
    }
    let outcome = schedule(&Scheduling {
        placement,
        bindings: world.bindings.all(),
        sets: world.sets.all(),
        clusters: world.clusters.all(),
        decisions: world.decisions.all(),
        scores: None,
        now,
    });
    let Some(outcome) = outcome else {
        return (Vec::new(), None);
    };
    let mut all = written(world, &outcome);
    let redundant = outcome.redundant.iter();
    let redundant = redundant.filter_map(|it| world.decisions.get(&id.0, it));
    all.extend(redundant.map(deeds::delete));
    if outcome.status != placement.status {
        all.push(deeds::status(placement, &outcome.status));
    }
    (all, outcome.recheck)
}

/// The decisions that are not there, or say something else. One that is new gets its status with the next turn, when its
/// uid is known.
fn written(world: &World, outcome: &Outcome) -> Vec<Deed> {
    let mut all = Vec::new();
    for new in &outcome.decisions {
        let Some(old) = world.decisions.get(namespace(new), name(new)) else {
            all.extend(bare(new));
            continue;
        };
        if !has_labels(&old.metadata, &new.metadata) {
            all.extend(bare(new));
        }
        if old.status != new.status {
            all.push(deeds::status(old, &new.status));
        }
    }
    all
}

fn bare(decision: &PlacementDecision) -> Option<Deed> {
    let mut deed = deeds::apply(&PlacementDecision {
        metadata: decision.metadata.clone(),
        status: PlacementDecisionStatus::default(),
    })?;
    if let deeds::Act::Apply { object, .. } = &mut deed.act
        && let Some(object) = object.as_object_mut()
    {
        object.remove("status");
    }
    Some(deed)
}

fn has_labels(old: &ObjectMeta, new: &ObjectMeta) -> bool {
    let known = old.labels.clone().unwrap_or_default();
    let mut wanted = new.labels.iter().flatten();
    wanted.all(|(key, value)| known.get(key) == Some(value))
}

/// What is to be done for a cluster set; the two that are always there are made.
pub(super) fn decide_set(world: &World, wanted: &str, now: Timestamp) -> Vec<Deed> {
    match world.sets.get("", wanted) {
        Some(set) => {
            let status = sets::status(set, world.clusters.all(), now);
            let news = status != set.status;
            news.then(|| deeds::status(set, &status))
                .into_iter()
                .collect()
        }
        None => {
            let made = sets::always_there()
                .into_iter()
                .find(|it| name(it) == wanted);
            let create = made.and_then(|it| {
                let object = crate::ocm::document(&it).ok()?;
                let act = deeds::Act::Create(object);
                Some(Deed {
                    place: deeds::place_of(&it),
                    act,
                })
            });
            create.into_iter().collect()
        }
    }
}

/// What is to be done for a binding.
pub(super) fn decide_binding(world: &World, id: &Id, now: Timestamp) -> Vec<Deed> {
    let Some(binding) = world.bindings.get(&id.0, &id.1) else {
        return Vec::new();
    };
    let status = sets::binding_status(binding, world.sets.all(), now);
    let news = status != binding.status;
    news.then(|| deeds::status(binding, &status))
        .into_iter()
        .collect()
}
