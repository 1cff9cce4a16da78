//! Which works a `ManifestWorkReplicaSet` has to look at: its own, and those that have its name.

use super::cache::Id;
use crate::ocm::replicaset::REPLICA_SET_LABEL;
use crate::ocm::{ManifestWork, label};
use std::collections::{BTreeMap, BTreeSet};

/// An index of the works; told of each that changes.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// Of a work, the key of its set.
    sets: BTreeMap<Id, String>,
    /// Of a set, its works.
    works: BTreeMap<String, BTreeSet<Id>>,
    /// Of a name, the namespaces.
    named: BTreeMap<String, BTreeSet<String>>,
}

impl Owners {
    /// A work changed, came or went; answers the sets that it was and is of, `namespace.name`.
    pub(super) fn update(&mut self, id: &Id, work: Option<&ManifestWork>) -> BTreeSet<String> {
        let now = work.and_then(|it| label(&it.metadata, REPLICA_SET_LABEL).map(str::to_owned));
        let before = self.sets.remove(id);
        if let Some(before) = &before {
            take(&mut self.works, before, id);
        }
        if let Some(now) = &now {
            self.sets.insert(id.clone(), now.clone());
            self.works
                .entry(now.clone())
                .or_default()
                .insert(id.clone());
        }
        match work {
            Some(_) => {
                let here = self.named.entry(id.1.clone()).or_default();
                here.insert(id.0.clone());
            }
            None => take(&mut self.named, &id.1, &id.0),
        }
        before.into_iter().chain(now).collect()
    }

    /// The works of a set, and those of its name.
    pub(super) fn of<'a>(&'a self, set: &str, name: &'a str) -> BTreeSet<Id> {
        let own = self.works.get(set).into_iter().flatten().cloned();
        let named = self.named.get(name).into_iter().flatten();
        let named = named.map(|namespace| (namespace.clone(), name.to_owned()));
        own.chain(named).collect()
    }
}

fn take<V: Ord>(index: &mut BTreeMap<String, BTreeSet<V>>, key: &str, value: &V) {
    if let Some(all) = index.get_mut(key) {
        all.remove(value);
        if all.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn work(set: Option<&str>) -> ManifestWork {
        let labels = set.map(|it| json!({REPLICA_SET_LABEL: it}));
        serde_json::from_value(json!({"metadata": {"labels": labels}})).unwrap()
    }

    fn id(namespace: &str, name: &str) -> Id {
        (namespace.to_owned(), name.to_owned())
    }

    #[test]
    fn a_set_looks_at_its_own_works_and_those_of_its_name() {
        let mut owners = Owners::default();
        let mut told = |id: &Id, work: Option<&ManifestWork>| {
            let of = owners.update(id, work);
            let seen = owners.of("default.web", "web");
            (of.into_iter().collect::<Vec<_>>(), seen.len())
        };
        let (set, other) = ("default.web".to_owned(), "default.db".to_owned());
        assert_eq!(
            told(&id("a", "web"), Some(&work(Some(&set)))),
            (vec![set.clone()], 1)
        );
        assert_eq!(told(&id("b", "web"), Some(&work(None))), (vec![], 2));
        assert_eq!(
            told(&id("b", "x"), Some(&work(Some(&other)))),
            (vec![other.clone()], 2)
        );
        // It changes hands: both have to look.
        assert_eq!(
            told(&id("b", "x"), Some(&work(Some(&set)))),
            (vec![other, set.clone()], 3)
        );
        assert_eq!(told(&id("b", "x"), None), (vec![set.clone()], 2));
        assert_eq!(told(&id("b", "web"), None), (vec![], 1));
        assert_eq!(told(&id("a", "web"), None), (vec![set], 0));
    }
}
