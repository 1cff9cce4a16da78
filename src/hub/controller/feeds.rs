//! The streams of work, by cluster.

use crate::source::{Held, Refusal};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a change waits for others that come with it.
const TOGETHER: Duration = Duration::from_millis(10);

/// What each cluster may have: written by the controller, read by whoever serves it.
#[derive(Default)]
pub(in crate::hub) struct Feeds {
    by_cluster: Mutex<BTreeMap<String, watch::Sender<Held>>>,
}

impl Feeds {
    /// A cluster's work, now and whenever it changes.
    pub(in crate::hub) fn of(&self, cluster: &str) -> watch::Receiver<Held> {
        let mut all = self.lock();
        // Those that nobody reads and nobody has written to were asked for by mistake.
        all.retain(|_, it| it.receiver_count() > 0 || !matches!(*it.borrow(), Held::Unknown));
        all.entry(cluster.to_owned()).or_default().subscribe()
    }

    /// Why a cluster may not have its work now, if that is so.
    pub(in crate::hub) fn refusal(&self, cluster: &str) -> Option<Refusal> {
        let all = self.lock();
        match &*all.get(cluster)?.borrow() {
            Held::Refused(refusal) => Some(refusal.clone()),
            _ => None,
        }
    }

    fn set(&self, cluster: &str, held: Held) {
        let mut all = self.lock();
        all.entry(cluster.to_owned())
            .or_default()
            .send_if_modified(|known| {
                let news = *known != held;
                *known = held;
                news
            });
    }

    /// All of them, by name.
    fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Nobody knows any more what they are: another process is the hub.
    pub(super) fn forget(&self) {
        for one in self.lock().values() {
            one.send_replace(Held::Unknown);
        }
    }

    /// Nobody panics while holding it; were it so, the map is still whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, watch::Sender<Held>>> {
        self.by_cluster
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a cluster is told of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// It may have it.
    Serves,
    /// It may not, and why.
    Refuses(&'static str),
}

/// What is in each cluster's stream, as the controller makes it.
#[derive(Default)]
pub(super) struct Shelves {
    entries: BTreeMap<String, Arc<BTreeMap<Bytes, Bytes>>>,
    services: BTreeMap<String, Service>,
    /// Clusters whose streams are to be shown anew, and since when.
    changed: BTreeSet<String>,
    since: Option<Instant>,
}

impl Shelves {
    /// An entry of a cluster's stream is this from now on, or is none.
    pub(super) fn put(&mut self, cluster: &str, key: &str, value: Option<Bytes>) {
        let shelf = self.entries.get(cluster);
        let known = shelf.and_then(|it| it.get(key.as_bytes()));
        if known == value.as_ref() {
            return;
        }
        let shelf = Arc::make_mut(self.entries.entry(cluster.to_owned()).or_default());
        match value {
            Some(value) => _ = shelf.insert(Bytes::copy_from_slice(key.as_bytes()), value),
            None => _ = shelf.remove(key.as_bytes()),
        }
        self.change(cluster);
    }

    /// Whether the cluster may have its work.
    pub(super) fn serve(&mut self, cluster: &str, service: Service) {
        if self.services.insert(cluster.to_owned(), service) != Some(service) {
            self.change(cluster);
        }
    }

    /// The cluster is none any more.
    pub(super) fn forget(&mut self, cluster: &str) {
        if self.services.remove(cluster).is_some() {
            self.change(cluster);
        }
    }

    fn change(&mut self, cluster: &str) {
        self.changed.insert(cluster.to_owned());
        self.since.get_or_insert_with(Instant::now);
    }

    /// When what has changed is to be shown: many changes at once, since each copies all of a cluster's.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|it| it + TOGETHER)
    }

    /// Gives the clusters whose work has changed what is there for them; `away`: why that may be old.
    pub(super) fn show(&mut self, feeds: &Feeds, away: Option<&str>) {
        self.since = None;
        for cluster in std::mem::take(&mut self.changed) {
            self.give(&cluster, feeds, away);
        }
    }

    fn give(&self, cluster: &str, feeds: &Feeds, away: Option<&str>) {
        let unknown = Service::Refuses("there is no such ManagedCluster on the hub (yet)");
        let held = match (self.services.get(cluster).copied().unwrap_or(unknown), away) {
            (Service::Refuses(why), _) => Held::Refused(Refusal {
                code: 403,
                reason: "Forbidden".into(),
                message: format!("{why}: {cluster}"),
            }),
            (Service::Serves, Some(away)) => Held::Away(away.to_owned()),
            (Service::Serves, None) => {
                let entries = self.entries.get(cluster).cloned();
                Held::Whole(entries.unwrap_or_default())
            }
        };
        feeds.set(cluster, held);
    }

    /// Gives all clusters what is there for them, those that only ask included.
    pub(super) fn show_all(&mut self, feeds: &Feeds, away: Option<&str>) {
        self.changed.extend(feeds.names());
        self.changed.extend(self.services.keys().cloned());
        self.show(feeds, away);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_gets_nothing_before_it_is_accepted() {
        let (feeds, mut shelves) = (Feeds::default(), Shelves::default());
        let feed = feeds.of("a");
        shelves.put("a", "work/w", Some("{}".into()));
        assert_eq!(*feed.borrow(), Held::Unknown);
        shelves.show_all(&feeds, None);
        assert!(matches!(&*feed.borrow(), Held::Refused(_)));
        assert_eq!(feeds.refusal("a").map(|it| it.code), Some(403));
        assert_eq!(feeds.refusal("b"), None);
        shelves.serve("a", Service::Serves);
        shelves.show_all(&feeds, Some("the API server is away"));
        assert!(matches!(&*feed.borrow(), Held::Away(_)));
        shelves.show_all(&feeds, None);
        assert!(matches!(&*feed.borrow(), Held::Whole(all) if all.len() == 1));
        assert_eq!(feeds.refusal("a"), None);
        feeds.forget();
        assert_eq!(*feed.borrow(), Held::Unknown);
    }

    #[test]
    fn many_changes_are_shown_as_one_and_what_does_not_change_is_not_shown() {
        let (feeds, mut shelves) = (Feeds::default(), Shelves::default());
        let mut feed = feeds.of("a");
        shelves.serve("a", Service::Serves);
        let first = shelves.due();
        shelves.put("a", "work/v", Some("1".into()));
        shelves.put("a", "work/w", Some("1".into()));
        assert!(first.is_some() && shelves.due() == first);
        shelves.show(&feeds, None);
        assert!(feed.has_changed().unwrap() && shelves.due().is_none());
        let shown = feed.borrow_and_update().clone();
        assert!(matches!(&shown, Held::Whole(all) if all.len() == 2));
        shelves.serve("a", Service::Serves);
        shelves.put("a", "work/w", Some("1".into()));
        shelves.put("a", "work/x", None);
        assert_eq!(shelves.due(), None);
        shelves.put("a", "work/w", None);
        assert!(shelves.due().is_some());
        assert_eq!(*feed.borrow(), shown, "what was shown is not changed");
    }
}
