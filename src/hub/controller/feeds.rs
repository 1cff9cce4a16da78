//! The streams of work, by cluster.

use crate::source::{Held, Refusal};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

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
    entries: BTreeMap<String, BTreeMap<Bytes, Bytes>>,
    services: BTreeMap<String, Service>,
}

impl Shelves {
    /// An entry of a cluster's stream is this from now on, or is none.
    pub(super) fn put(&mut self, cluster: &str, key: &str, value: Option<Bytes>) {
        let key = Bytes::copy_from_slice(key.as_bytes());
        match value {
            Some(value) => {
                let shelf = self.entries.entry(cluster.to_owned()).or_default();
                shelf.insert(key, value);
            }
            None => {
                if let Some(shelf) = self.entries.get_mut(cluster) {
                    shelf.remove(&key);
                }
            }
        }
    }

    /// Whether the cluster may have its work.
    pub(super) fn serve(&mut self, cluster: &str, service: Service) {
        self.services.insert(cluster.to_owned(), service);
    }

    /// The cluster is none any more.
    pub(super) fn forget(&mut self, cluster: &str) {
        self.services.remove(cluster);
    }

    /// Gives a cluster what is there for it; `away`: why that may be old.
    pub(super) fn show(&self, cluster: &str, feeds: &Feeds, away: Option<&str>) {
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
                Held::Whole(Arc::new(entries.unwrap_or_default()))
            }
        };
        feeds.set(cluster, held);
    }

    /// Gives all clusters what is there for them, those that only ask included.
    pub(super) fn show_all(&self, feeds: &Feeds, away: Option<&str>) {
        let mut names = feeds.names();
        names.extend(self.services.keys().cloned());
        names.sort();
        names.dedup();
        names.iter().for_each(|it| self.show(it, feeds, away));
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
        shelves.serve("a", Service::Serves);
        shelves.show_all(&feeds, Some("the API server is away"));
        assert!(matches!(&*feed.borrow(), Held::Away(_)));
        shelves.show_all(&feeds, None);
        assert!(matches!(&*feed.borrow(), Held::Whole(all) if all.len() == 1));
        feeds.forget();
        assert_eq!(*feed.borrow(), Held::Unknown);
    }
}
