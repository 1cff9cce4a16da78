//! The recent changes of what is watched: read from the store once, for all watches of a resource.
//!
//! A watch that is up to date reads from here; one that is behind reads the store's change log until it is not. So nothing
//! queues for a watch that reads slowly, and many watches cost the store what one does.

use crate::protocol::message::View;
use crate::store::{Change, Clusters, Error, Filter, GroupResource, Sequence, Store};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// So many changes are kept for each resource that is watched, and so many bytes of them.
const CHANGES: usize = 2048;
const BYTES: usize = 8 << 20;
/// So many are read at once.
const CHUNK: usize = 512;
/// The store is asked again so long after it did not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// What is watched: a resource, as rows or as objects.
type Watched = (GroupResource, View);

/// A change, and the lines that tell it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) change: Change,
    /// As JSON, alone and of all clusters: the same for all who watch without a selector.
    pub(super) lines: [OnceLock<Bytes>; 2],
}

/// How far the changes have been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// All up to here.
    pub(super) up_to: Sequence,
    /// The last one that there was.
    pub(super) last: Sequence,
}

/// The recent changes of one resource.
#[derive(Debug)]
pub(super) struct Recent {
    ring: Mutex<Ring>,
    told: watch::Sender<Told>,
    reader: OnceLock<AbortHandle>,
}

#[derive(Debug, Default)]
struct Ring {
    /// All changes after this one are here, up to [`Told::up_to`].
    after: Sequence,
    up_to: Sequence,
    changes: VecDeque<Arc<Seen>>,
    bytes: usize,
}

/// The recent changes of all that is watched.
#[derive(Debug)]
pub(super) struct Recents {
    store: Store,
    by: Mutex<HashMap<Watched, Weak<Recent>>>,
}

impl Recents {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            by: Mutex::default(),
        }
    }

    /// The recent changes of a resource; they are read for as long as anybody holds them.
    pub(super) fn of(&self, resource: GroupResource, view: View) -> Arc<Recent> {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = (resource, view);
        if let Some(recent) = by.get(&watched).and_then(Weak::upgrade) {
            return recent;
        }
        by.retain(|_, recent| recent.strong_count() > 0);
        let newest = *self.store.sequence().borrow();
        let recent = Arc::new(Recent {
            ring: Mutex::new(Ring {
                after: newest,
                up_to: newest,
                ..Ring::default()
            }),
            told: watch::Sender::new(Told {
                up_to: newest,
                last: newest,
            }),
            reader: OnceLock::new(),
        });
        let filter = Filter {
            clusters: Clusters::All,
            resource: watched.0.clone(),
            view,
            ..Filter::default()
        };
        let read = read(self.store.clone(), filter, Arc::downgrade(&recent));
        let _ = recent.reader.set(tokio::spawn(read).abort_handle());
        by.insert(watched, Arc::downgrade(&recent));
        recent
    }
}

impl Drop for Recent {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.get() {
            reader.abort();
        }
    }
}

impl Recent {
    /// How far the changes have been read, now and later.
    pub(super) fn told(&self) -> watch::Receiver<Told> {
        self.told.subscribe()
    }

    /// At most `most` changes after a number, and up to where these are all; None if not all of them are here.
    pub(super) fn after(
        &self,
        number: Sequence,
        most: usize,
    ) -> Option<(Vec<Arc<Seen>>, Sequence)> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.after(number, most)
    }

    fn push(&self, changes: Vec<Change>, up_to: Sequence) {
        let last = changes.last().map(|change| change.object.seq);
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        changes.into_iter().for_each(|change| ring.push(change));
        ring.up_to = up_to;
        drop(ring);
        self.told.send_modify(|told| {
            told.up_to = up_to;
            told.last = last.unwrap_or(told.last);
        });
    }

    /// Not all changes up to this one could be read.
    fn skip(&self, up_to: Sequence) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        *ring = Ring {
            after: up_to,
            up_to,
            ..Ring::default()
        };
        drop(ring);
        self.told.send_replace(Told { up_to, last: up_to });
    }
}

impl Ring {
    fn push(&mut self, change: Change) {
        self.bytes += size(&change);
        self.changes.push_back(Arc::new(Seen {
            change,
            lines: Default::default(),
        }));
        while self.changes.len() > CHANGES || self.bytes > BYTES {
            let Some(oldest) = self.changes.pop_front() else {
                return;
            };
            self.bytes -= size(&oldest.change);
            self.after = oldest.change.object.seq;
        }
    }

    fn after(&self, number: Sequence, most: usize) -> Option<(Vec<Arc<Seen>>, Sequence)> {
        if number < self.after {
            return None;
        }
        let begin = self
            .changes
            .partition_point(|it| it.change.object.seq <= number);
        let some: Vec<_> = self.changes.range(begin..).take(most).cloned().collect();
        let rest = self.changes.len() - begin - some.len();
        let up_to = match some.last() {
            Some(last) if rest > 0 => last.change.object.seq,
            _ => self.up_to.max(number),
        };
        Some((some, up_to))
    }
}

/// The value and the line that is made of it.
fn size(change: &Change) -> usize {
    2 * change.object.value.len() + 512
}

/// Reads the changes of a resource for as long as anybody wants them.
async fn read(store: Store, filter: Filter, recent: Weak<Recent>) {
    let mut newest = store.sequence();
    loop {
        let wanted = *newest.borrow_and_update();
        loop {
            let Some(recent) = recent.upgrade() else {
                return;
            };
            let told = recent.told.borrow().up_to;
            if told >= wanted {
                break;
            }
            match store.changes(&filter, told, CHUNK).await {
                Ok(changes) => recent.push(changes.items, changes.up_to.max(told)),
                Err(Error::Expired { .. } | Error::Future { .. }) => recent.skip(wanted),
                Err(error) => {
                    tracing::warn!(%error, "the store's changes cannot be read");
                    drop(recent);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        if newest.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::names::ClusterName;
    use crate::store::{ChangeKind, ObjectKey, Stored};
    use jiff::Timestamp;

    fn change(seq: u64, bytes: usize) -> Change {
        let key = ObjectKey {
            cluster: ClusterName::new("c").unwrap(),
            resource: GroupResource::default(),
            view: View::Objects,
            namespace: String::new(),
            name: "x".into(),
        };
        let object = Stored {
            key,
            seq,
            uid: String::new(),
            value: vec![0; bytes].into(),
            first_seen: Timestamp::UNIX_EPOCH,
            changed: Timestamp::UNIX_EPOCH,
            deleted: false,
        };
        Change {
            kind: ChangeKind::Added,
            object,
        }
    }

    fn numbers(ring: &Ring, after: u64, most: usize) -> Option<(Vec<u64>, u64)> {
        let (changes, up_to) = ring.after(after, most)?;
        Some((
            changes.iter().map(|it| it.change.object.seq).collect(),
            up_to,
        ))
    }

    #[test]
    fn whoever_is_not_behind_gets_what_came_after() {
        let mut ring = Ring {
            after: 10,
            ..Ring::default()
        };
        for seq in [12, 15, 16] {
            ring.push(change(seq, 1));
        }
        ring.up_to = 20;
        assert_eq!(numbers(&ring, 9, 9), None);
        assert_eq!(numbers(&ring, 10, 9), Some((vec![12, 15, 16], 20)));
        assert_eq!(numbers(&ring, 12, 1), Some((vec![15], 15)));
        assert_eq!(numbers(&ring, 15, 1), Some((vec![16], 20)));
        assert_eq!(numbers(&ring, 20, 9), Some((vec![], 20)));
        assert_eq!(numbers(&ring, 30, 9), Some((vec![], 30)), "ahead of it");
    }

    #[test]
    fn what_is_too_much_is_forgotten_oldest_first() {
        let mut ring = Ring::default();
        for seq in 1..=CHANGES as u64 + 2 {
            ring.push(change(seq, 1));
        }
        assert_eq!((ring.changes.len(), ring.after), (CHANGES, 2));
        for seq in 10_000..10_009 {
            ring.push(change(seq, BYTES / 8));
        }
        assert!(ring.bytes <= BYTES && ring.changes.len() < 9);
        assert_eq!(numbers(&ring, 5, 1), None);
    }
}
