//! A copy as its readers see it: written by one reflector, read by any number of handles.

use super::{Notice, Snapshot, StreamState};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::time::Instant;

/// One reader's view of one stream's copy. Cheap to clone; clones share what was already drained.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    held: Mutex<Held>,
    state: watch::Sender<StreamState>,
    /// Counts changes of the copy, so that a reader can wait for the next one.
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Held {
    snapshot: Snapshot,
    /// Keys that changed since the reader last drained, with what they were then.
    dirty: BTreeMap<Bytes, Option<Bytes>>,
    signs: Signs,
}

/// When what was last heard of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    /// The moment of the copy's last proof.
    pub(super) current_at: Option<Instant>,
    /// When the source last answered, if only with words.
    pub(super) heard_at: Option<Instant>,
    /// The API server's clock (ms since 1970), and when that arrived.
    pub(super) clock: Option<(u64, Instant)>,
}

impl Default for Store {
    fn default() -> Self {
        let shared = Shared {
            held: Mutex::default(),
            state: watch::Sender::new(StreamState::default()),
            version: watch::Sender::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl Store {
    /// The whole copy at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.held().snapshot.clone()
    }

    /// What changed since the last call: each key once, from what it was then to what it is now, in key order.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        let mut held = self.held();
        let dirty = std::mem::take(&mut held.dirty);
        let now = |key: &Bytes| held.snapshot.entries.get(key).cloned();
        let notice = |(key, old)| Notice {
            new: now(&key),
            key,
            old,
        };
        dirty
            .into_iter()
            .map(notice)
            .filter(|notice| notice.old != notice.new)
            .collect()
    }

    /// The moment of the copy's last proof: its age is the time since then (promise P6). `None` while nothing is held.
    #[must_use]
    pub fn current_at(&self) -> Option<Instant> {
        self.held().signs.current_at
    }

    /// When the source last answered this stream, if only with words: a `Status` is not silence. `None` if it never did.
    #[must_use]
    pub fn heard_at(&self) -> Option<Instant> {
        self.held().signs.heard_at
    }

    /// What the API server's clock shows now, in ms since 1970: ages are told by it. `None` before the first answer.
    #[must_use]
    pub fn server_now_ms(&self) -> Option<u64> {
        let (then, arrived) = self.held().signs.clock?;
        let since = u64::try_from(arrived.elapsed().as_millis()).ok()?;
        then.checked_add(since)
    }

    /// What the stream is doing; changes only when that does, not with each heartbeat.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<StreamState> {
        self.shared.state.subscribe()
    }

    /// Counts changes of the copy.
    #[must_use]
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// Whether the copy held is the one at this epoch and sequence number.
    pub(super) fn holds(&self, snapshot: &Snapshot) -> bool {
        let held = self.held();
        (held.snapshot.epoch, held.snapshot.seq) == (snapshot.epoch, snapshot.seq)
    }

    /// Takes a step of the reflector: the new copy, and each key that it changed with the value before.
    pub(super) fn write(&self, snapshot: Snapshot, changes: &[(Bytes, Option<Bytes>)]) {
        {
            let mut held = self.held();
            held.snapshot = snapshot;
            for (key, old) in changes {
                held.dirty.entry(key.clone()).or_insert_with(|| old.clone());
            }
        }
        self.shared.version.send_modify(|version| *version += 1);
    }

    /// Notes when what was last heard.
    pub(super) fn note(&self, signs: Signs) {
        self.held().signs = signs;
    }

    /// Tells readers what the stream does, if that is news.
    pub(super) fn tell(&self, state: &StreamState) {
        self.shared.state.send_if_modified(|known| {
            let news = known != state;
            if news {
                known.clone_from(state);
            }
            news
        });
    }

    /// Nobody panics while holding the lock; were it so, the copy is still whole.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.shared
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imbl::OrdMap;

    fn snapshot(entries: &[(&'static str, &'static str)]) -> Snapshot {
        let entries: OrdMap<_, _> = entries
            .iter()
            .map(|(key, value)| (Bytes::from(*key), Bytes::from(*value)))
            .collect();
        Snapshot {
            entries,
            ..Snapshot::default()
        }
    }

    fn changed(key: &'static str, old: Option<&'static str>) -> (Bytes, Option<Bytes>) {
        (Bytes::from(key), old.map(Bytes::from))
    }

    #[test]
    fn changes_between_two_looks_are_one_notice() {
        let store = Store::default();
        store.write(snapshot(&[("a", "1")]), &[changed("a", None)]);
        store.write(snapshot(&[("a", "2")]), &[changed("a", Some("1"))]);
        let notices = store.notices();
        assert_eq!(notices.len(), 1);
        assert_eq!(
            (notices[0].old.clone(), notices[0].new.as_deref()),
            (None, Some(&b"2"[..]))
        );
        assert!(store.notices().is_empty());
    }

    #[test]
    fn what_came_and_went_between_two_looks_was_never_there() {
        let store = Store::default();
        store.write(snapshot(&[("a", "1")]), &[changed("a", None)]);
        store.write(snapshot(&[]), &[changed("a", Some("1"))]);
        assert!(store.notices().is_empty());
    }

    #[test]
    fn a_state_told_twice_wakes_once() {
        let store = Store::default();
        let mut state = store.state();
        state.mark_unchanged();
        store.tell(&StreamState::default());
        assert!(!state.has_changed().unwrap());
        store.tell(&StreamState {
            synced: true,
            ..StreamState::default()
        });
        assert!(state.has_changed().unwrap());
    }
}
