//! The copy of the hub's stream: works, and what the hub says of itself.

use crate::agent::plan::elsewhere::{Named, names};
use crate::informer::{Freshness, Notice, Progress, StreamState};
use crate::ocm::exchange::{HUB_KEY, HubNotice, work_of_key};
use crate::ocm::{AppliedResource, ManifestWork, is_deleting};
use std::collections::{BTreeMap, BTreeSet};

/// Whether the copy is what the hub wants now: whole, fresh, and not refused.
pub(super) fn is_current(state: &StreamState) -> bool {
    let refused = matches!(state.progress, Progress::Refused { .. });
    let fresh = state.freshness == Freshness::Fresh && state.upstream_down.is_none();
    state.synced && fresh && !refused
}

/// What the hub wants.
#[derive(Debug, Default)]
pub(super) struct Works {
    all: BTreeMap<String, ManifestWork>,
    /// Listed, and not to be read by us: what they put here stays as it is.
    unreadable: BTreeSet<String>,
    /// By the names of objects: the readable works that speak of one.
    about: BTreeMap<Named, BTreeSet<String>>,
    notice: HubNotice,
    /// The stream was whole once; from then on the copy always is what the hub had at some moment.
    pub(super) synced: bool,
}

impl Works {
    /// Takes what changed; answers which works did.
    pub(super) fn take(&mut self, notices: &[Notice]) -> BTreeSet<String> {
        self.synced = true;
        notices.iter().filter_map(|it| self.take_one(it)).collect()
    }

    fn take_one(&mut self, notice: &Notice) -> Option<String> {
        if notice.key == HUB_KEY.as_bytes() {
            let said = notice.new.as_ref();
            let read = said.and_then(|it| serde_json::from_slice(it).ok());
            self.notice = read.unwrap_or_default();
            return None;
        }
        let name = work_of_key(&notice.key)?.to_owned();
        self.unreadable.remove(&name);
        match notice.new.as_ref().map(|it| serde_json::from_slice(it)) {
            Some(Ok(work)) => self.put(&name, Some(work)),
            Some(Err(error)) => {
                tracing::warn!(work = name, %error, "a work of the hub cannot be read: what it put here stays");
                self.unreadable.insert(name.clone());
            }
            None => self.put(&name, None),
        }
        Some(name)
    }

    fn put(&mut self, name: &str, new: Option<ManifestWork>) {
        if let Some(old) = self.all.remove(name) {
            for named in names(&old.spec) {
                if let Some(works) = self.about.get_mut(&named) {
                    works.remove(name);
                    if works.is_empty() {
                        self.about.remove(&named);
                    }
                }
            }
        }
        if let Some(new) = new {
            for named in names(&new.spec) {
                self.about.entry(named).or_default().insert(name.to_owned());
            }
            self.all.insert(name.to_owned(), new);
        }
    }

    /// The other works that are not being deleted, and speak of an object of that name.
    pub(super) fn about(&self, thing: &AppliedResource, but: &str) -> Vec<&ManifestWork> {
        let (group, name) = (&thing.group, &thing.name);
        let first = (group.clone(), name.clone(), thing.namespace.clone());
        let of_name = self.about.range(first..);
        let of_name = of_name.take_while(|((g, n, _), _)| (g, n) == (group, name));
        // What is in no namespace may say one all the same.
        let same =
            of_name.filter(|((.., it), _)| *it == thing.namespace || thing.namespace.is_empty());
        let others = same.flat_map(|(_, works)| works).filter(|it| *it != but);
        let works = others.filter_map(|it| self.all.get(it));
        works.filter(|it| !is_deleting(&it.metadata)).collect()
    }

    /// Another work that is listed, and of which nobody here knows what it wants.
    pub(super) fn unreadable(&self, but: &str) -> Option<&str> {
        let mut all = self.unreadable.iter().filter(|it| *it != but);
        all.next().map(String::as_str)
    }

    /// A work, as it was last readable.
    pub(super) fn get(&self, name: &str) -> Option<&ManifestWork> {
        self.all.get(name)
    }

    /// Whether the hub lists a work, readable or not, or cannot know whether it would.
    pub(super) fn lists(&self, name: &str) -> bool {
        self.all.contains_key(name) || self.unreadable.contains(name) || !self.notice.misses(name)
    }

    /// All that are readable.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &ManifestWork)> {
        self.all.iter()
    }

    /// Whether the hub lets this cluster go.
    pub(super) fn is_leaving(&self) -> bool {
        self.synced && self.notice.leaving
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn notice(key: &'static str, new: Option<&'static str>) -> Notice {
        Notice {
            key: key.into(),
            old: None,
            new: new.map(Bytes::from),
        }
    }

    #[test]
    fn an_old_copy_is_not_what_the_hub_wants_now() {
        let good = StreamState {
            synced: true,
            progress: Progress::Synced,
            freshness: Freshness::Fresh,
            ..StreamState::default()
        };
        assert!(is_current(&good));
        let refused = Progress::Refused {
            code: 403,
            reason: "Forbidden".to_owned(),
            message: "no".to_owned(),
        };
        let down = crate::informer::UpstreamDown {
            since: std::time::Duration::ZERO,
            message: String::new(),
        };
        let bad = [
            StreamState {
                synced: false,
                ..good.clone()
            },
            StreamState {
                freshness: Freshness::Stale,
                ..good.clone()
            },
            StreamState {
                progress: refused,
                ..good.clone()
            },
            StreamState {
                upstream_down: Some(down),
                ..good
            },
        ];
        for state in bad {
            assert!(!is_current(&state), "{state:?}");
        }
    }

    #[test]
    fn a_work_that_cannot_be_read_is_still_listed() {
        let mut works = Works::default();
        let good = notice("work/a", Some(r#"{"metadata": {"name": "a", "uid": "1"}}"#));
        assert!(works.take(&[good]).contains("a"));
        works.take(&[notice("work/a", Some(r#"{"spec": 7}"#))]);
        assert!(works.lists("a"));
        assert_eq!(works.get("a").unwrap().metadata.uid.as_deref(), Some("1"));
        works.take(&[
            notice("work/a", None),
            notice("hub", Some(r#"{"leaving": true}"#)),
        ]);
        assert!(!works.lists("a") && works.is_leaving());
    }

    #[test]
    fn who_speaks_of_an_object_is_known_before_anybodys_turn() {
        let work = |named: &str, more: &str| {
            let text = format!(
                r#"{{"metadata": {{"name": "w"{more}}}, "spec": {{"workload": {{"manifests": [
                {{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"namespace": "n", "name": "{named}"}}}}]}}}}}}"#
            );
            Bytes::from(text)
        };
        let mut works = Works::default();
        let put = |works: &mut Works, key: &'static str, new| {
            let (key, old) = (key.into(), None);
            works.take(&[Notice { key, old, new }]);
        };
        let map = |name: &str| AppliedResource {
            namespace: "n".to_owned(),
            name: name.to_owned(),
            ..AppliedResource::default()
        };
        put(&mut works, "work/a", Some(work("x", "")));
        put(&mut works, "work/b", Some(work("x", "")));
        assert_eq!(works.about(&map("x"), "a").len(), 1);
        assert!(works.about(&map("y"), "a").is_empty());
        put(&mut works, "work/b", Some(work("y", "")));
        assert!(works.about(&map("x"), "a").is_empty());
        assert_eq!(works.about(&map("y"), "a").len(), 1);
        let going = r#", "deletionTimestamp": "2026-01-01T00:00:00Z""#;
        put(&mut works, "work/b", Some(work("y", going)));
        assert!(works.about(&map("y"), "a").is_empty(), "it goes");
        put(&mut works, "work/b", None);
        put(&mut works, "work/a", None);
        assert!(works.about.is_empty() && works.unreadable("a").is_none());
        put(&mut works, "work/b", Some(Bytes::from("7")));
        assert_eq!(works.unreadable("a"), Some("b"));
        assert_eq!(works.unreadable("b"), None);
    }
}
