//! The copy of the hub's stream: works, and what the hub says of itself.

use crate::informer::{Freshness, Notice, Progress, StreamState};
use crate::ocm::ManifestWork;
use crate::ocm::exchange::{HUB_KEY, HubNotice, work_of_key};
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
            Some(Ok(work)) => _ = self.all.insert(name.clone(), work),
            Some(Err(error)) => {
                tracing::warn!(work = name, %error, "a work of the hub cannot be read: what it put here stays");
                self.unreadable.insert(name.clone());
            }
            None => _ = self.all.remove(&name),
        }
        Some(name)
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
}
