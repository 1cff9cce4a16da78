//! One kind of the hub's API server, as its watch shows it.

use crate::kubernetes::{Collector, Heard, News};
use crate::ocm::{ObjectMeta, is_deleting, name, namespace};
use crate::source::Event;
use bytes::Bytes;
use k8s_openapi::Metadata;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Namespace and name; the namespace of what has none is empty.
pub(super) type Id = (String, String);

/// All objects of one kind.
#[derive(Debug)]
pub(super) struct Cache<K> {
    /// Sorted by namespace and name.
    all: Vec<K>,
    /// Those that are there and cannot be read: as long as one could be read before, that is what is known of it.
    unreadable: BTreeSet<Id>,
    /// The resourceVersion up to which the watch has told everything: what a write answered before that is no news,
    /// above all not of an object that went meanwhile.
    told: u64,
    whole: bool,
    away: Option<String>,
    collector: Collector,
}

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            unreadable: BTreeSet::new(),
            told: 0,
            whole: false,
            away: None,
            collector: Collector::default(),
        }
    }
}

impl<K: DeserializeOwned + Metadata<Ty = ObjectMeta>> Cache<K> {
    /// All of them, in order.
    pub(super) fn all(&self) -> &[K] {
        &self.all
    }

    /// Whether it was read whole once; it is kept true by its watch from then on.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Why it cannot be read now.
    pub(super) fn away(&self) -> Option<&str> {
        self.away.as_deref()
    }

    /// One of them.
    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<&K> {
        let at = self.position(namespace, name).ok()?;
        self.all.get(at)
    }

    /// Those of one namespace.
    pub(super) fn of_namespace<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a K> {
        let from = self.position(namespace, "").unwrap_or_else(|at| at);
        let here = self.all[from.min(self.all.len())..].iter();
        here.take_while(move |it| crate::ocm::namespace(*it) == namespace)
    }

    /// Whether it is there, readable or not.
    pub(super) fn has(&self, namespace: &str, name: &str) -> bool {
        self.get(namespace, name).is_some() || self.is_unreadable(namespace, name)
    }

    /// Whether it is there, and nobody knows what it says.
    pub(super) fn is_unreadable(&self, namespace: &str, name: &str) -> bool {
        let id = (namespace.to_owned(), name.to_owned());
        self.unreadable.contains(&id)
    }

    /// How many of one namespace are there and could never be read.
    pub(super) fn unreadable_of(&self, namespace: &str) -> usize {
        self.unknown().filter(|it| it.0 == namespace).count()
    }

    /// Those that are there and could never be read.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &Id> {
        let unread = self.unreadable.iter();
        unread.filter(|it| self.get(&it.0, &it.1).is_none())
    }

    /// Takes what its watch says; answers what changed.
    pub(super) fn take(&mut self, heard: Heard) -> BTreeSet<Id> {
        self.hear(&heard);
        match self.collector.take(heard) {
            Some(News::Whole(all)) => self.replace(&all),
            Some(News::Put(key, value)) => self.put(&key, &value).into_iter().collect(),
            Some(News::Gone(key)) => self.remove(&key).into_iter().collect(),
            Some(News::Away(why) | News::Refused(why)) => {
                self.away = Some(why);
                BTreeSet::new()
            }
            Some(News::Alive) => {
                self.away = None;
                BTreeSet::new()
            }
            None => BTreeSet::new(),
        }
    }

    /// Up to where everything is told.
    fn hear(&mut self, heard: &Heard) {
        match heard {
            // A server that was restored begins below what it said before.
            Heard::Event(Event::Listed(_, version)) => self.told = *version,
            Heard::Event(
                Event::Put(_, _, version) | Event::Delete(_, version) | Event::Bookmark(version),
            ) => self.told = self.told.max(*version),
            Heard::Event(_) | Heard::Kind(_) | Heard::Trouble(_) => {}
        }
    }

    fn replace(&mut self, all: &[(Bytes, Bytes)]) -> BTreeSet<Id> {
        let mut changed: BTreeSet<Id> = self.all.iter().map(id).collect();
        changed.append(&mut self.unreadable);
        let mut before = std::mem::take(&mut self.all);
        for (key, value) in all {
            match read(key, value) {
                Some(new) => self.all.push(new),
                None => {
                    let Some(id) = id_of(key) else { continue };
                    let known = before
                        .iter()
                        .position(|it| (namespace(it), name(it)) == (&id.0, &id.1));
                    self.all.extend(known.map(|at| before.swap_remove(at)));
                    self.unreadable.insert(id);
                }
            }
        }
        self.all.sort_by_cached_key(id);
        changed.extend(self.all.iter().map(id));
        changed.extend(self.unreadable.iter().cloned());
        self.whole = true;
        self.away = None;
        changed
    }

    /// Takes the answer to a write; what the watch has told of already, be it that it went, is no news.
    pub(super) fn wrote(&mut self, value: &Bytes) -> Option<Id> {
        let new: K = read(b"", value)?;
        let known = self.get(namespace(&new), name(&new));
        // That it goes is for the watch to say, at which it is asked whether it goes with its definition.
        if is_deleting(new.metadata()) && !known.is_some_and(|it| is_deleting(it.metadata())) {
            return None;
        }
        match version(new.metadata()) {
            Some(version) if version <= self.told => None,
            _ => self.set(new),
        }
    }

    fn put(&mut self, key: &Bytes, value: &Bytes) -> Option<Id> {
        let id = id_of(key)?;
        match read(key, value) {
            Some(new) => {
                let again = self.unreadable.remove(&id);
                self.set(new).or(again.then_some(id))
            }
            None => {
                self.unreadable.insert(id.clone());
                Some(id)
            }
        }
    }

    /// Takes an object; one that is older than what is known is no news.
    fn set(&mut self, new: K) -> Option<Id> {
        let id = id(&new);
        match self.position(&id.0, &id.1) {
            Ok(at) if is_older(new.metadata(), self.all[at].metadata()) => return None,
            Ok(at) => self.all[at] = new,
            Err(at) => self.all.insert(at, new),
        }
        Some(id)
    }

    fn remove(&mut self, key: &Bytes) -> Option<Id> {
        let id = id_of(key)?;
        let unread = self.unreadable.remove(&id);
        match self.position(&id.0, &id.1) {
            Ok(at) => _ = self.all.remove(at),
            Err(_) if unread => {}
            Err(_) => return None,
        }
        Some(id)
    }

    fn position(&self, wanted_namespace: &str, wanted_name: &str) -> Result<usize, usize> {
        self.all
            .binary_search_by(|it| (namespace(it), name(it)).cmp(&(wanted_namespace, wanted_name)))
    }
}

fn id<K: Metadata<Ty = ObjectMeta>>(object: &K) -> Id {
    (namespace(object).to_owned(), name(object).to_owned())
}

/// By the key of its entry.
fn id_of(key: &Bytes) -> Option<Id> {
    let key = std::str::from_utf8(key).ok()?;
    let (namespace, name) = key.split_once('/').unwrap_or(("", key));
    Some((namespace.to_owned(), name.to_owned()))
}

fn read<K: DeserializeOwned>(key: &[u8], value: &Bytes) -> Option<K> {
    let read = serde_json::from_slice(value);
    read.inspect_err(|error| {
        let object = String::from_utf8_lossy(key);
        let kind = std::any::type_name::<K>().rsplit("::").next();
        tracing::warn!(%object, kind, %error, "an object of the hub cannot be read: nothing is done about it");
    })
    .ok()
}

/// Of one kind they are comparable, whichever the object.
fn version(of: &ObjectMeta) -> Option<u64> {
    of.resource_version.as_ref()?.parse().ok()
}

fn is_older(new: &ObjectMeta, known: &ObjectMeta) -> bool {
    let both = version(new).zip(version(known));
    both.is_some_and(|(new, known)| new < known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocm::ManifestWork;

    fn work(namespace: &str, name: &str, version: u64) -> Bytes {
        let text = format!(
            r#"{{"metadata": {{"namespace": "{namespace}", "name": "{name}", "uid": "1", "resourceVersion": "{version}"}}}}"#
        );
        text.into()
    }

    fn names(cache: &Cache<ManifestWork>, namespace: &str) -> Vec<String> {
        cache
            .of_namespace(namespace)
            .map(|it| name(it).to_owned())
            .collect()
    }

    fn listed(entries: &[(&'static str, Bytes)], version: u64) -> Heard {
        let entries = entries.iter().map(|(k, v)| ((*k).into(), v.clone()));
        Heard::Event(Event::Listed(entries.collect(), version))
    }

    fn holding(entries: &[(&'static str, Bytes)], version: u64) -> Cache<ManifestWork> {
        let mut cache = Cache::default();
        assert!(!cache.is_whole());
        cache.take(listed(entries, version));
        assert!(cache.is_whole());
        cache
    }

    #[test]
    fn what_a_write_answered_is_not_undone_by_an_older_word() {
        let mut cache = holding(&[("b/y", work("b", "y", 1)), ("a/x", work("a", "x", 1))], 1);
        cache.wrote(&work("a", "w", 2));
        assert_eq!(names(&cache, "a"), ["w", "x"]);
        assert_eq!(names(&cache, "b"), ["y"]);
        cache.wrote(&work("a", "x", 5));
        assert_eq!(cache.wrote(&work("a", "x", 4)), None);
        let older = Event::Put("a/x".into(), work("a", "x", 3), 3);
        assert!(cache.take(Heard::Event(older)).is_empty());
        let gone = cache.take(Heard::Event(Event::Delete("a/x".into(), 6)));
        assert!(gone.contains(&("a".to_owned(), "x".to_owned())));
        assert_eq!(names(&cache, "a"), ["w"]);
    }

    /// However many others went meanwhile, and whatever its uid was.
    #[test]
    fn what_a_write_answered_brings_nothing_back_that_went_since() {
        let mut cache = holding(&[("a/x", work("a", "x", 1))], 1);
        for version in 10..3_000 {
            let put = Event::Put("a/z".into(), work("a", "z", version), version);
            cache.take(Heard::Event(put));
            cache.take(Heard::Event(Event::Delete("a/z".into(), version)));
        }
        cache.take(Heard::Event(Event::Delete("a/x".into(), 3_000)));
        assert_eq!(cache.wrote(&work("a", "x", 7)), None);
        // Nor of one that came and went before the answer did.
        assert_eq!(cache.wrote(&work("a", "new", 2_999)), None);
        assert_eq!(names(&cache, "a"), [""; 0]);
        assert!(cache.wrote(&work("a", "new", 3_001)).is_some());
        // Not listed: it went while nobody watched.
        cache.take(listed(&[], 4_000));
        assert_eq!(cache.wrote(&work("a", "new", 3_500)), None);
    }

    #[test]
    fn what_cannot_be_read_keeps_its_place() {
        let broken = || Bytes::from(r#"{"metadata": {"namespace": "a", "name": "x"}, "spec": 7}"#);
        let mut cache = holding(&[("a/x", broken())], 1);
        assert!(cache.has("a", "x") && cache.is_unreadable("a", "x"));
        let put = |value, version| Heard::Event(Event::Put("a/x".into(), value, version));
        assert_eq!(cache.take(put(work("a", "x", 2), 2)).len(), 1);
        assert!(!cache.is_unreadable("a", "x"));
        // What was read last is what is known of it.
        assert_eq!(cache.take(put(broken(), 3)).len(), 1);
        assert_eq!((names(&cache, "a").len(), cache.unknown().count()), (1, 0));
        cache.take(listed(&[("a/x", broken())], 4));
        assert_eq!((names(&cache, "a").len(), cache.unknown().count()), (1, 0));
        cache.take(Heard::Event(Event::Delete("a/x".into(), 5)));
        assert!(!cache.has("a", "x"));
    }

    /// A write may be answered with an object that goes with its definition, and nobody has deleted.
    #[test]
    fn that_an_object_goes_is_not_for_an_answer_to_say() {
        let mut cache = holding(&[("a/x", work("a", "x", 1))], 1);
        let text = r#"{"metadata": {"namespace": "a", "name": "x", "uid": "1", "resourceVersion": "2", "deletionTimestamp": "2026-01-01T00:00:00Z"}}"#;
        let going = Bytes::from(text);
        assert_eq!(cache.wrote(&going), None);
        assert!(!is_deleting(cache.get("a", "x").unwrap().metadata()));
        cache.take(Heard::Event(Event::Put("a/x".into(), going, 2)));
        assert!(is_deleting(cache.get("a", "x").unwrap().metadata()));
    }
}
