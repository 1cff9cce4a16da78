//! `Placement`s, sets and bindings: what the pure half says, as requests.

use super::cache::Id;
use super::deeds::{self, Act, Deed};
use super::world::World;
use crate::hub::placement::{Event, Outcome, Scheduling, schedule};
use crate::hub::sets;
use crate::ocm::decision::PlacementDecisionStatus;
use crate::ocm::{ObjectMeta, Placement, PlacementDecision, name, namespace};
use k8s_openapi::Resource;
use k8s_openapi::api::events::v1 as events;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// What is to be done for a placement, and when to ask again.
pub(super) fn decide(world: &World, id: &Id, now: Timestamp) -> (Vec<Deed>, Option<Timestamp>) {
    let Some(placement) = world.placements.get(&id.0, &id.1) else {
        return (Vec::new(), None);
    };
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
    let news = outcome.events.iter().filter(|it| is_news(world, &id.0, it));
    all.extend(news.map(|it| tell(placement, it, now)));
    (all, outcome.recheck)
}

/// Whether an event was not told before: a decision that was made a turn ago gets its clusters only now.
fn is_news(world: &World, namespace: &str, event: &Event) -> bool {
    let found = world.decisions.get(namespace, &event.decision);
    found.is_none_or(|it| it.status.decisions.is_some())
}

/// As OCM's scheduler tells it.
fn tell(placement: &Placement, event: &Event, now: Timestamp) -> Deed {
    let (here, of) = (namespace(placement), name(placement));
    let mut regarding = reference::<Placement>(here, of);
    regarding["uid"] = json!(placement.metadata.uid);
    let object = json!({
        "apiVersion": events::Event::API_VERSION,
        "kind": events::Event::KIND,
        "metadata": {"generateName": format!("{of}."), "namespace": here},
        "eventTime": MicroTime(now),
        "reportingController": deeds::MANAGER,
        "reportingInstance": deeds::MANAGER,
        "type": "Normal",
        "reason": event.reason,
        "action": event.action,
        "note": event.note,
        "regarding": regarding,
        "related": reference::<PlacementDecision>(here, &event.decision),
    });
    Deed {
        place: deeds::place::<events::Event>(here, ""),
        act: Act::Tell(object),
    }
}

fn reference<K: Resource>(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": K::API_VERSION, "kind": K::KIND, "namespace": namespace, "name": name})
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
    if let Act::Apply { object, .. } = &mut deed.act
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
                let act = Act::Create(object);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::controller::world::tests::put;

    fn events(world: &World) -> Vec<String> {
        let id = ("default".to_owned(), "p".to_owned());
        let deeds = decide(world, &id, Timestamp::UNIX_EPOCH).0;
        let reason = |it: Deed| match it.act {
            Act::Tell(event) => Some(event["reason"].as_str().unwrap().to_owned()),
            _ => None,
        };
        deeds.into_iter().filter_map(reason).collect()
    }

    fn world() -> World {
        let mut world = World::default();
        let placement = json!({"metadata": {"name": "p", "namespace": "default", "uid": "1"}});
        world.placements.take(put("default/p", &placement));
        let global = json!({"metadata": {"name": "global"}, "spec": {"clusterSelector": {"selectorType": "LabelSelector", "labelSelector": {}}}});
        world.sets.take(put("global", &global));
        let binding = json!({"metadata": {"name": "global", "namespace": "default"}, "spec": {"clusterSet": "global"}});
        world.bindings.take(put("default/global", &binding));
        let cluster = json!({"metadata": {"name": "c"}, "spec": {"hubAcceptsClient": true}});
        world.clusters.take(put("c", &cluster));
        world
    }

    #[test]
    fn a_decision_is_told_once_though_it_takes_two_turns() {
        let mut world = world();
        assert_eq!(events(&world), ["DecisionCreate", "ScoreUpdate"]);
        let mut made = json!({"metadata": {
            "name": "p-decision-1", "namespace": "default",
            "labels": {"cluster.open-cluster-management.io/placement": "p"},
        }});
        world.decisions.take(put("default/p-decision-1", &made));
        assert_eq!(events(&world), [""; 0]);
        made["status"] = json!({"decisions": [{"clusterName": "gone", "reason": ""}]});
        world.decisions.take(put("default/p-decision-1", &made));
        assert_eq!(events(&world), ["DecisionUpdate", "ScoreUpdate"]);
    }
}
