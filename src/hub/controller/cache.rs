//! One kind of the hub's API server, as its watch shows it.

use crate::kubernetes::{Collector, Heard, News};
use crate::ocm::{ObjectMeta, name, namespace};
use bytes::Bytes;
use k8s_openapi::Metadata;
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, VecDeque};

/// Namespace and name; the namespace of what has none is empty.
pub(super) type Id = (String, String);

/// How many of those that went are remembered; a write takes no longer than it takes so many to go.
const REMEMBERED: usize = 1024;

/// All objects of one kind.
#[derive(Debug)]
pub(super) struct Cache<K> {
    /// Sorted by namespace and name.
    all: Vec<K>,
    /// The uids of the last that went: an answer to a write may come after the watch has said that.
    gone: VecDeque<String>,
    whole: bool,
    away: Option<String>,
    collector: Collector,
}

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            gone: VecDeque::new(),
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

    /// Takes what its watch says; answers what changed.
    pub(super) fn take(&mut self, heard: Heard) -> BTreeSet<Id> {
        match self.collector.take(heard) {
            Some(News::Whole(all)) => self.replace(&all),
            Some(News::Put(_, value)) => self.put(&value).into_iter().collect(),
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

    fn replace(&mut self, all: &[(Bytes, Bytes)]) -> BTreeSet<Id> {
        let mut changed: BTreeSet<Id> = self.all.iter().map(id).collect();
        let before: Vec<_> = self
            .all
            .iter()
            .map(|it| it.metadata().uid.clone())
            .collect();
        self.all = all.iter().filter_map(|(_, value)| read(value)).collect();
        self.all.sort_by_cached_key(id);
        let left: BTreeSet<_> = self
            .all
            .iter()
            .map(|it| it.metadata().uid.clone())
            .collect();
        before
            .into_iter()
            .filter(|it| !left.contains(it))
            .for_each(|it| self.went(it));
        changed.extend(self.all.iter().map(id));
        self.whole = true;
        self.away = None;
        changed
    }

    /// Takes the answer to a write; one of an object that went meanwhile is no news.
    pub(super) fn wrote(&mut self, value: &Bytes) -> Option<Id> {
        let new: K = read(value)?;
        let uid = new.metadata().uid.clone().unwrap_or_default();
        if self.gone.contains(&uid) {
            return None;
        }
        self.put(value)
    }

    /// Takes an object; one that is older than what is known is no news.
    fn put(&mut self, value: &Bytes) -> Option<Id> {
        let new: K = read(value)?;
        let id = id(&new);
        match self.position(&id.0, &id.1) {
            Ok(at) if is_older(new.metadata(), self.all[at].metadata()) => return None,
            Ok(at) => self.all[at] = new,
            Err(at) => self.all.insert(at, new),
        }
        Some(id)
    }

    fn remove(&mut self, key: &Bytes) -> Option<Id> {
        let key = std::str::from_utf8(key).ok()?;
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        let at = self.position(namespace, name).ok()?;
        let gone = self.all.remove(at).metadata().uid.clone();
        self.went(gone);
        Some((namespace.to_owned(), name.to_owned()))
    }

    fn went(&mut self, uid: Option<String>) {
        self.gone.extend(uid);
        if self.gone.len() > REMEMBERED {
            self.gone.pop_front();
        }
    }

    fn position(&self, wanted_namespace: &str, wanted_name: &str) -> Result<usize, usize> {
        self.all
            .binary_search_by(|it| (namespace(it), name(it)).cmp(&(wanted_namespace, wanted_name)))
    }
}

fn id<K: Metadata<Ty = ObjectMeta>>(object: &K) -> Id {
    (namespace(object).to_owned(), name(object).to_owned())
}

fn read<K: DeserializeOwned>(value: &Bytes) -> Option<K> {
    let read = serde_json::from_slice(value);
    read.inspect_err(
        |error| tracing::warn!(%error, "an object of the hub cannot be read: it is passed over"),
    )
    .ok()
}

fn is_older(new: &ObjectMeta, known: &ObjectMeta) -> bool {
    let version = |it: &ObjectMeta| it.resource_version.as_ref()?.parse::<u64>().ok();
    let both = version(new).zip(version(known));
    new.uid == known.uid && both.is_some_and(|(new, known)| new < known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocm::ManifestWork;
    use crate::source::Event;

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

    #[test]
    fn what_a_write_answered_is_not_undone_by_an_older_word() {
        let mut cache: Cache<ManifestWork> = Cache::default();
        let listed = vec![
            ("b/y".into(), work("b", "y", 1)),
            ("a/x".into(), work("a", "x", 1)),
        ];
        assert!(!cache.is_whole());
        assert_eq!(cache.take(Heard::Event(Event::Listed(listed, 1))).len(), 2);
        assert!(cache.is_whole());
        cache.wrote(&work("a", "w", 2));
        assert_eq!(names(&cache, "a"), ["w", "x"]);
        assert_eq!(names(&cache, "b"), ["y"]);
        cache.wrote(&work("a", "x", 5));
        assert_eq!(cache.wrote(&work("a", "x", 4)), None);
        let gone = cache.take(Heard::Event(Event::Delete("a/x".into(), 6)));
        assert!(gone.contains(&("a".to_owned(), "x".to_owned())));
        assert_eq!(
            cache.wrote(&work("a", "x", 7)),
            None,
            "it went before the answer came"
        );
        assert_eq!(
            (names(&cache, "a"), names(&cache, "c").len()),
            (vec!["w".to_owned()], 0)
        );
    }
}
