//! What a playground's cluster holds: objects, their versions, and what changed.
//!
//! Like etcd behind an API server: one counter of versions for all, a history that reaches back some way, and old
//! states for lists in pages. Pure.

use super::kind::Kind;
use imbl::OrdMap;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Namespace (empty for cluster-scoped ones) and name.
pub(super) type ObjectKey = (String, String);
/// The objects of one resource.
pub(super) type Objects = OrdMap<ObjectKey, Arc<Value>>;

/// How many old states lists in pages may go on with.
const SNAPSHOTS: usize = 64;

/// A change, as a watch sees it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) resource: String,
    pub(super) before: Option<Arc<Value>>,
    pub(super) after: Option<Arc<Value>>,
}

/// The state of one cluster.
#[derive(Debug)]
pub(super) struct Store {
    seed: u64,
    version: u64,
    created: u64,
    kinds: Vec<Kind>,
    objects: BTreeMap<String, Objects>,
    history: VecDeque<Change>,
    longest_history: usize,
    /// Watches may start at or after this version.
    since: u64,
    snapshots: VecDeque<(u64, String, Objects)>,
}

impl Store {
    pub(super) fn new(seed: u64, kinds: Vec<Kind>, longest_history: usize) -> Self {
        Self {
            seed,
            // Real ones do not start at 1 either.
            version: 1_000,
            created: 0,
            kinds,
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            longest_history,
            since: 0,
            snapshots: VecDeque::new(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    pub(super) fn kind(&self, group: &str, version: &str, plural: &str) -> Option<&Kind> {
        let is = |k: &&Kind| k.group == group && k.version == version && k.plural == plural;
        self.kinds.iter().find(is)
    }

    /// Serves one more resource, or another shape of one.
    pub(super) fn install(&mut self, kind: Kind) {
        self.kinds.retain(|k| k.name() != kind.name());
        self.kinds.push(kind);
        self.version += 1;
    }

    /// Serves a resource no more; its objects go.
    pub(super) fn uninstall(&mut self, resource: &str) {
        let keys: Vec<ObjectKey> = self.objects(resource).keys().cloned().collect();
        for (namespace, name) in keys {
            self.delete(resource, &namespace, &name);
        }
        self.kinds.retain(|k| k.name() != resource);
        self.version += 1;
    }

    /// All objects of a resource; a clone costs nothing.
    pub(super) fn objects(&self, resource: &str) -> Objects {
        self.objects.get(resource).cloned().unwrap_or_default()
    }

    pub(super) fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.objects
            .get(resource)?
            .get(&(namespace.into(), name.into()))
            .cloned()
    }

    /// Creates or replaces an object. The server's own fields are filled in; equal content makes no new version.
    pub(super) fn put(&mut self, resource: &str, mut object: Value, now: &str) {
        let Some(kind) = self.kinds.iter().find(|k| k.name() == resource) else {
            return;
        };
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = kind.kind.clone().into();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = (
            text(&object["metadata"]["namespace"]),
            text(&object["metadata"]["name"]),
        );
        let before = self
            .objects
            .get(resource)
            .and_then(|objects| objects.get(&key))
            .cloned();
        if let Some(before) = &before {
            for field in ["uid", "creationTimestamp", "resourceVersion"] {
                object["metadata"][field] = before["metadata"][field].clone();
            }
            if **before == object {
                return;
            }
        } else {
            self.created += 1;
            object["metadata"]["uid"] = uid(self.seed, self.created).into();
            if object["metadata"]["creationTimestamp"].is_null() {
                object["metadata"]["creationTimestamp"] = now.into();
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(object);
        self.objects
            .entry(resource.into())
            .or_default()
            .insert(key, object.clone());
        self.remember(resource, before, Some(object));
    }

    /// Deletes an object; a namespace takes what is in it along.
    pub(super) fn delete(&mut self, resource: &str, namespace: &str, name: &str) {
        if resource == "namespaces" {
            let inside: Vec<(String, ObjectKey)> = self
                .objects
                .iter()
                .flat_map(|(resource, objects)| {
                    objects.keys().map(|key| (resource.clone(), key.clone()))
                })
                .filter(|(_, (namespace, _))| namespace == name)
                .collect();
            for (resource, (namespace, name)) in inside {
                self.delete(&resource, &namespace, &name);
            }
        }
        let objects = self.objects.get_mut(resource);
        if let Some(object) =
            objects.and_then(|objects| objects.remove(&(namespace.into(), name.into())))
        {
            self.version += 1;
            // The last state carries the version of its deletion.
            let mut last = (*object).clone();
            last["metadata"]["resourceVersion"] = self.version.to_string().into();
            self.remember(resource, Some(Arc::new(last)), None);
        }
    }

    /// The changes after `version`, or none if the history does not reach back there.
    pub(super) fn changes_after(&self, version: u64) -> Option<impl Iterator<Item = &Change>> {
        let from = self
            .history
            .partition_point(|change| change.version <= version);
        (version >= self.since).then(|| self.history.range(from..))
    }

    /// Forgets the history: every watch and every list in pages has to start over.
    pub(super) fn expire(&mut self) {
        self.version += 1;
        self.since = self.version;
        self.history.clear();
        self.snapshots.clear();
    }

    /// Keeps the present state of a resource for the pages of a list that began now.
    pub(super) fn keep_snapshot(&mut self, resource: &str) {
        let version = self.version;
        if self.snapshot(version, resource).is_none() {
            let objects = self.objects(resource);
            self.snapshots
                .push_back((version, resource.into(), objects));
            if self.snapshots.len() > SNAPSHOTS {
                self.snapshots.pop_front();
            }
        }
    }

    /// A kept state.
    pub(super) fn snapshot(&self, version: u64, resource: &str) -> Option<Objects> {
        let kept = self
            .snapshots
            .iter()
            .find(|(v, r, _)| *v == version && r == resource);
        kept.map(|(_, _, objects)| objects.clone())
    }

    fn remember(&mut self, resource: &str, before: Option<Arc<Value>>, after: Option<Arc<Value>>) {
        let (version, resource) = (self.version, resource.into());
        self.history.push_back(Change {
            version,
            resource,
            before,
            after,
        });
        if self.history.len() > self.longest_history
            && let Some(forgotten) = self.history.pop_front()
        {
            self.since = forgotten.version;
        }
    }
}

/// The same for the same seed and count, and unlike any other.
fn uid(seed: u64, count: u64) -> String {
    let hash = xxhash_rust::xxh3::xxh3_128_with_seed(&count.to_le_bytes(), seed);
    let hex = format!("{hash:032x}");
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}

/// A Kubernetes Status.
pub(super) fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        Store::new(1, super::super::kind::built_in(), 3)
    }

    fn pod(name: &str, phase: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "shop"}, "status": {"phase": phase}})
    }

    fn put(store: &mut Store, name: &str, phase: &str) {
        store.put("pods", pod(name, phase), "2026-11-24T00:00:00Z");
    }

    #[test]
    fn equal_content_makes_no_new_version() {
        let mut store = store();
        put(&mut store, "a", "Running");
        let version = store.version();
        put(&mut store, "a", "Running");
        assert_eq!(store.version(), version);
        let uid = store.get("pods", "shop", "a").unwrap()["metadata"]["uid"].clone();
        put(&mut store, "a", "Failed");
        assert_eq!(store.version(), version + 1);
        assert_eq!(
            store.get("pods", "shop", "a").unwrap()["metadata"]["uid"],
            uid
        );
        // Made again, it is another object.
        store.delete("pods", "shop", "a");
        put(&mut store, "a", "Failed");
        assert_ne!(
            store.get("pods", "shop", "a").unwrap()["metadata"]["uid"],
            uid
        );
    }

    #[test]
    fn a_history_reaches_back_only_so_far() {
        let mut store = store();
        let start = store.version();
        for phase in ["1", "2", "3"] {
            put(&mut store, "a", phase);
        }
        assert_eq!(store.changes_after(start).unwrap().count(), 3);
        put(&mut store, "a", "4");
        assert!(store.changes_after(start).is_none());
        assert_eq!(store.changes_after(start + 1).unwrap().count(), 3);
        assert_eq!(store.changes_after(store.version()).unwrap().count(), 0);
        store.expire();
        assert!(store.changes_after(start + 3).is_none());
        assert_eq!(store.changes_after(store.version()).unwrap().count(), 0);
    }

    #[test]
    fn a_namespace_takes_its_objects_along() {
        let mut store = store();
        put(&mut store, "a", "Running");
        store.put("namespaces", json!({"metadata": {"name": "shop"}}), "");
        store.delete("namespaces", "", "shop");
        assert!(store.objects("pods").is_empty() && store.objects("namespaces").is_empty());
    }

    #[test]
    fn snapshots_stay_as_they_were() {
        let mut store = store();
        put(&mut store, "a", "Running");
        let version = store.version();
        store.keep_snapshot("pods");
        put(&mut store, "b", "Running");
        assert_eq!(store.snapshot(version, "pods").unwrap().len(), 1);
        assert!(store.snapshot(version, "events").is_none());
        store.expire();
        assert!(store.snapshot(version, "pods").is_none());
    }
}
