//! Who has to look when something changed, and what becomes of the streams of work.

use super::agents::Changed;
use super::cache::Id;
use super::cycle::{Cycle, Key};
use super::works;
use super::world::Kind;
use crate::hub::sets;
use crate::ocm::decision::PLACEMENT_LABEL;
use crate::ocm::exchange::work_key;
use crate::ocm::{document, label, name, namespace};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long a set waits for more news of its works.
const TOGETHER: Duration = Duration::from_millis(100);

impl Cycle<'_> {
    /// Objects of a kind changed, came or went.
    pub(super) fn changed(&mut self, kind: Kind, ids: BTreeSet<Id>) {
        if !ids.is_empty() && kind != Kind::Work {
            // What could not be read is known now, or gone.
            let held_up: Vec<_> = self.doubts.keys().cloned().collect();
            held_up.into_iter().for_each(|key| self.add(key));
        }
        for id in ids {
            match kind {
                Kind::Namespace => self.add(Key::Cluster(id.1)),
                Kind::Cluster => {
                    let works: Vec<_> = self.works_of(&id.1);
                    works.into_iter().for_each(|key| self.add(key));
                    self.add(Key::Cluster(id.1));
                    self.all_sets();
                    self.all_placements();
                }
                Kind::Set | Kind::Binding => {
                    self.all_sets();
                    self.all_placements();
                }
                Kind::Placement => {
                    self.replica_sets_of(&id.0);
                    self.add(Key::Placement(id));
                }
                Kind::Decision => {
                    let found = self.world.decisions.get(&id.0, &id.1);
                    let of = found
                        .and_then(|it| label(&it.metadata, PLACEMENT_LABEL).map(str::to_owned));
                    match of {
                        Some(placement) => self.add(Key::Placement((id.0.clone(), placement))),
                        // It is gone: of which placement it was nobody knows.
                        None => self.placements_of(&id.0),
                    }
                    self.replica_sets_of(&id.0);
                }
                Kind::Work => self.work_changed(id),
                Kind::ReplicaSet => self.add(Key::ReplicaSet(id)),
            }
        }
    }

    fn work_changed(&mut self, id: Id) {
        let works = &self.world.works;
        let sets = self.world.owners.update(&id, works.get(&id.0, &id.1));
        let entry = works::entry(works, &id.0, &id.1);
        self.shelves.put(&id.0, &work_key(&id.1), entry);
        for (namespace, name) in sets.iter().filter_map(|it| it.split_once('.')) {
            // All of a set's works are looked at, so many of them are waited for.
            let set = Key::ReplicaSet((namespace.to_owned(), name.to_owned()));
            self.queue.add_later(&set, Instant::now() + TOGETHER);
        }
        let leaving = self
            .world
            .clusters
            .get("", &id.0)
            .filter(|it| it.metadata.deletion_timestamp.is_some());
        if leaving.is_some() {
            self.add(Key::Cluster(id.0.clone()));
        }
        self.add(Key::Work(id));
    }

    /// Labelled objects changed, came or went.
    pub(super) fn plain_changed(&mut self, ids: BTreeSet<Id>) {
        for id in ids {
            let work = self
                .plain
                .get(&id.0, &id.1)
                .and_then(|it| it.travelling(&id.1));
            let entry = work
                .and_then(|it| document(&it).ok())
                .map(|it| it.to_string().into());
            self.shelves.put(&id.0, &work_key(&id.1), entry);
            self.add(Key::Cluster(id.0.clone()));
            self.add(Key::Plain(id));
        }
    }

    /// Agents said something.
    pub(super) fn agents_changed(&mut self, changed: Changed) {
        changed
            .clusters
            .into_iter()
            .for_each(|it| self.add(Key::Cluster(it)));
        for id in changed.works {
            match self.plain.get(&id.0, &id.1) {
                Some(_) => self.add(Key::Plain(id)),
                None => self.add(Key::Work(id)),
            }
        }
    }

    /// All was read: everything is looked at once.
    pub(super) fn begin_all(&mut self) {
        let ids = |all: Vec<Id>| all.into_iter();
        let works = self
            .world
            .works
            .all()
            .iter()
            .map(|it| (namespace(it).to_owned(), name(it).to_owned()));
        for id in ids(works.collect()) {
            self.work_changed(id);
        }
        let plain: BTreeSet<_> = self.plain.ids().cloned().collect();
        self.plain_changed(plain);
        self.look_at_clusters();
        self.all_sets();
        self.all_placements();
        self.all_replica_sets();
        self.shelves
            .show_all(&self.plan.feeds, self.world.works.away());
    }

    /// Looks at all clusters, and at all agents that may become some.
    pub(super) fn look_at_clusters(&mut self) {
        let known = self.world.clusters.all().iter().map(name);
        let all: BTreeSet<_> = known
            .chain(self.agents.names())
            .map(str::to_owned)
            .collect();
        all.into_iter().for_each(|it| self.add(Key::Cluster(it)));
        if self.whole {
            self.shelves
                .show_all(&self.plan.feeds, self.world.works.away());
        }
    }

    /// What cannot be read now may be old: all clusters are told, and are told when it can be again.
    pub(super) fn show_whether_away(&mut self) {
        let away = self.world.works.away().is_some();
        if self.whole && away != self.was_away {
            self.was_away = away;
            self.shelves
                .show_all(&self.plan.feeds, self.world.works.away());
        }
    }

    fn add(&mut self, key: Key) {
        self.queue.add(&key, Instant::now());
    }

    fn works_of(&self, cluster: &str) -> Vec<Key> {
        let works = self.world.works.of_namespace(cluster);
        let works = works.map(|it| Key::Work((cluster.to_owned(), name(it).to_owned())));
        let plain = self.plain.names_of(cluster);
        let plain = plain.map(|it| Key::Plain((cluster.to_owned(), it.to_owned())));
        works.chain(plain).collect()
    }

    fn all_sets(&mut self) {
        let sets = self.world.sets.all().iter().map(name);
        let sets: BTreeSet<_> = sets
            .chain([sets::DEFAULT, sets::GLOBAL])
            .map(str::to_owned)
            .collect();
        sets.into_iter().for_each(|it| self.add(Key::Set(it)));
        let bindings = self.world.bindings.all().iter();
        let bindings: Vec<_> = bindings
            .map(|it| (namespace(it).to_owned(), name(it).to_owned()))
            .collect();
        bindings
            .into_iter()
            .for_each(|it| self.add(Key::Binding(it)));
    }

    fn all_placements(&mut self) {
        let all = self.world.placements.all().iter();
        let all: Vec<_> = all
            .map(|it| (namespace(it).to_owned(), name(it).to_owned()))
            .collect();
        all.into_iter().for_each(|it| self.add(Key::Placement(it)));
    }

    fn placements_of(&mut self, here: &str) {
        let all = self.world.placements.of_namespace(here);
        let all: Vec<_> = all
            .map(|it| (here.to_owned(), name(it).to_owned()))
            .collect();
        all.into_iter().for_each(|it| self.add(Key::Placement(it)));
    }

    fn replica_sets_of(&mut self, here: &str) {
        let all = self.world.replica_sets.of_namespace(here);
        let all: Vec<_> = all
            .map(|it| (here.to_owned(), name(it).to_owned()))
            .collect();
        all.into_iter().for_each(|it| self.add(Key::ReplicaSet(it)));
    }

    fn all_replica_sets(&mut self) {
        let all = self.world.replica_sets.all().iter();
        let all: Vec<_> = all
            .map(|it| (namespace(it).to_owned(), name(it).to_owned()))
            .collect();
        all.into_iter().for_each(|it| self.add(Key::ReplicaSet(it)));
    }
}
