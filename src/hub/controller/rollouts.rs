//! `ManifestWorkReplicaSet`s, as [`crate::hub::rollout`] decides.

use super::cache::Id;
use super::deeds::{self, Act, Deed};
use super::world::World;
use crate::hub::rollout;
use crate::ocm::replicaset::FINALIZER;
use crate::ocm::{ManifestWork, is_deleting, name};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// What is to be done for a set, and when to ask again.
pub(super) fn decide(world: &World, id: &Id, now: Timestamp) -> (Vec<Deed>, Option<Timestamp>) {
    let Some(set) = world.replica_sets.get(&id.0, &id.1) else {
        return (Vec::new(), None);
    };
    let place = deeds::place_of(set);
    if !is_deleting(&set.metadata)
        && let Some(hold) = deeds::hold(place.clone(), &set.metadata, FINALIZER)
    {
        // Before it has works, so that none can be left behind.
        return (vec![hold], None);
    }
    let works = world.owners.of(&set.key(), name(set));
    let works = works
        .iter()
        .filter_map(|(namespace, name)| world.works.get(namespace, name));
    let works: Vec<_> = works.collect();
    let plan = rollout::plan(&rollout::World {
        set,
        placements: world.placements.all(),
        decisions: world.decisions.all(),
        works: &works,
        now,
    });
    let mut all: Vec<_> = plan.write.into_iter().map(write).collect();
    let gone = plan
        .delete
        .iter()
        .filter_map(|(namespace, name)| world.works.get(namespace, name));
    all.extend(
        gone.filter(|it| !is_deleting(&it.metadata))
            .map(deeds::delete),
    );
    if plan.finished {
        all.extend(deeds::let_go(place, &set.metadata, FINALIZER));
    } else if plan.status != set.status {
        all.push(deeds::status(set, &plan.status));
    }
    (all, plan.recheck)
}

fn write(work: Value) -> Deed {
    let word = |key: &str| {
        work["metadata"][key]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let place = deeds::place::<ManifestWork>(&word("namespace"), &word("name"));
    Deed {
        place,
        act: Act::Apply {
            subresource: "",
            object: work,
        },
    }
}
