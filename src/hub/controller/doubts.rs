//! What cannot be read holds up whom it could move, and nobody else.
//!
//! An object that is there and could never be read is not missing, so nobody may lose a cluster, or get one, because of
//! what it does not say. One that could be read before counts as it was then.

use super::cache::Id;
use super::cycle::{Cycle, Key};
use super::world::{Kind, World};
use crate::ocm::{PlacementDecision, name};

impl World {
    /// Why the decisions of a placement have to stay as they are, if they have to.
    pub(super) fn doubt_of_placement(&self, placement: &Id) -> Option<String> {
        let (here, of) = placement;
        let bound = |set: &Id| {
            let mut bindings = self.bindings.of_namespace(here);
            bindings.any(|it| name(it) == set.1)
        };
        let has = |cluster: &Id| {
            let own = self.decisions.of_namespace(here);
            let mut clusters = own
                .filter(|it| it.is_of(here, of))
                .flat_map(PlacementDecision::clusters);
            clusters.any(|it| it == cluster.1)
        };
        let within = |it: &Id| it.0 == *here;
        let first = self.decisions.unknown().find(|it| within(it));
        let first = first.map(|it| (Kind::Decision, it));
        let binding = || self.bindings.unknown().find(|it| within(it));
        let set = || self.sets.unknown().find(|it| bound(it));
        let cluster = || self.clusters.unknown().find(|it| has(it));
        first
            .or_else(|| binding().map(|it| (Kind::Binding, it)))
            .or_else(|| set().map(|it| (Kind::Set, it)))
            .or_else(|| cluster().map(|it| (Kind::Cluster, it)))
            .map(told)
    }

    /// Why the works of a set have to stay as they are, if they have to.
    pub(super) fn doubt_of_set(&self, (here, _): &Id) -> Option<String> {
        let within = |it: &&Id| it.0 == *here;
        let decision = self.decisions.unknown().find(within);
        let placement = || self.placements.unknown().find(within);
        decision
            .map(|it| (Kind::Decision, it))
            .or_else(|| placement().map(|it| (Kind::Placement, it)))
            .map(told)
    }
}

fn told((kind, (namespace, name)): (Kind, &Id)) -> String {
    let of = if namespace.is_empty() { "" } else { "/" };
    format!("{} {namespace}{of}{name} cannot be read", kind.plural())
}

impl Cycle<'_> {
    /// Whether nothing may be decided for a key now; who asks is looked at again when something is known anew.
    pub(super) fn is_held_up(&mut self, key: &Key) -> bool {
        let world = &self.world;
        let doubt = match key {
            Key::Placement(id) if world.placements.has(&id.0, &id.1) => {
                world.doubt_of_placement(id)
            }
            Key::ReplicaSet(id) if world.replica_sets.has(&id.0, &id.1) => world.doubt_of_set(id),
            _ => None,
        };
        let Some(why) = doubt else {
            self.doubts.remove(key);
            return false;
        };
        if self.doubts.get(key) != Some(&why) {
            tracing::warn!(
                ?key,
                "what was decided stays as it is: {why}; repair it or delete it"
            );
        }
        self.doubts.insert(key.clone(), why);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::controller::world::tests::put;
    use serde_json::{Value, json};

    fn id(namespace: &str, name: &str) -> Id {
        (namespace.to_owned(), name.to_owned())
    }

    fn broken(namespace: &str, name: &str) -> Value {
        json!({"metadata": {"namespace": namespace, "name": name}, "spec": 7, "status": 7})
    }

    fn doubts(world: &World) -> [bool; 4] {
        [
            world.doubt_of_placement(&id("shop", "web")).is_some(),
            world.doubt_of_placement(&id("bank", "web")).is_some(),
            world.doubt_of_set(&id("shop", "web")).is_some(),
            world.doubt_of_set(&id("bank", "web")).is_some(),
        ]
    }

    #[test]
    fn each_object_that_cannot_be_read_holds_up_whom_it_could_move() {
        let bound = json!({"metadata": {"namespace": "shop", "name": "east"}, "spec": {"clusterSet": "east"}});
        let decision = json!({
            "metadata": {"namespace": "shop", "name": "web-decision-1", "labels": {
                "cluster.open-cluster-management.io/placement": "web",
            }},
            "status": {"decisions": [{"clusterName": "c", "reason": ""}]},
        });
        let world = || {
            let mut world = World::default();
            world.take(Kind::Binding, put("shop/east", &bound));
            world.take(Kind::Decision, put("shop/web-decision-1", &decision));
            world
        };
        assert_eq!(doubts(&world()), [false; 4]);
        for (kind, namespace, name, held_up) in [
            (Kind::Decision, "shop", "d", [true, false, true, false]),
            (Kind::Binding, "bank", "b", [false, true, false, false]),
            (Kind::Set, "", "east", [true, false, false, false]),
            (Kind::Set, "", "west", [false; 4]),
            (Kind::Cluster, "", "c", [true, false, false, false]),
            (Kind::Cluster, "", "new", [false; 4]),
            (Kind::Placement, "bank", "p", [false, false, false, true]),
            // It could be read before.
            (Kind::Binding, "shop", "east", [false; 4]),
        ] {
            let mut world = world();
            let key = match namespace {
                "" => name.to_owned(),
                _ => format!("{namespace}/{name}"),
            };
            world.take(kind, put(&key, &broken(namespace, name)));
            assert_eq!(doubts(&world), held_up, "{kind:?} {key}");
            world.take(kind, gone(&key));
            assert_eq!(doubts(&world), [false; 4], "{kind:?} {key}");
        }
    }

    fn gone(key: &str) -> crate::kubernetes::Heard {
        crate::kubernetes::Heard::Event(crate::source::Event::Delete(key.to_owned().into(), 9))
    }

    #[test]
    fn it_is_told_what_cannot_be_read() {
        let mut world = World::default();
        world.take(Kind::Decision, put("shop/d", &broken("shop", "d")));
        assert_eq!(
            world.doubt_of_set(&id("shop", "web")).as_deref(),
            Some("placementdecisions shop/d cannot be read")
        );
    }
}
