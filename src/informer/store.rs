//! A copy as its readers see it: written by one reflector, read by any number of handles.

use super::{Age, Freshness, Notice, Snapshot, StreamState, Unsettled};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// One reader's view of one stream's copy. Cheap to clone; no reader ever waits for the writer, nor the writer for one.
///
/// A copy replaces the one before in one step: what is read together belongs together. Objects are looked up in a
/// [`Snapshot`]; what changed comes as [`Notice`]s, either by [`Store::changes`] or by [`Store::notices`].
///
/// Changes are not queued. They are the difference between what the reader saw last and what is there now, made when
/// it asks: who never asks costs nothing, and who asks rarely keeps one older snapshot alive, which shares what did not
/// change with the newest one.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    held: ArcSwap<Held>,
    /// What [`Store::notices`] last drained to. The writer never takes it.
    drained: Mutex<Snapshot>,
    /// Of a thin copy: what its backing has.
    settled: Mutex<Snapshot>,
    state: watch::Sender<StreamState>,
    /// Counts changes of the copy, so that a reader can wait for the next one.
    version: watch::Sender<u64>,
    since: Instant,
}

/// Replaced as a whole, so that a copy is never seen with another one's age.
#[derive(Clone, Debug, Default)]
struct Held {
    snapshot: Snapshot,
    signs: Signs,
    /// Since when the copy is fresh, if it is.
    fresh_since: Option<Instant>,
}

/// When what was last heard of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    /// The moment of the copy's last proof.
    pub(super) current_at: Option<Instant>,
    /// When the source last answered, if only with words.
    pub(super) heard_at: Option<Instant>,
    /// When anything came of the source, a heartbeat included.
    pub(super) lived_at: Option<Instant>,
    /// The API server's clock (ms since 1970), and when that arrived.
    pub(super) clock: Option<(u64, Instant)>,
    /// The age at which a copy is stale.
    pub(super) stale_after: Duration,
}

impl Default for Store {
    fn default() -> Self {
        let shared = Shared {
            held: ArcSwap::default(),
            drained: Mutex::default(),
            settled: Mutex::default(),
            state: watch::Sender::new(StreamState::default()),
            version: watch::Sender::new(0),
            since: Instant::now(),
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
        self.shared.held.load().snapshot.clone()
    }

    /// The whole copy, and how old it is: the two belong together.
    #[must_use]
    pub fn read(&self) -> (Snapshot, Age) {
        let held = self.shared.held.load_full();
        (held.snapshot.clone(), self.age_of(&held, Instant::now()))
    }

    /// How fresh the copy is, since when, and how old it may be: at this moment, not when something was last heard.
    #[must_use]
    pub fn age(&self) -> Age {
        self.age_of(&self.shared.held.load(), Instant::now())
    }

    /// The changes from now on, for one reader; what is there already comes first.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes {
            version: self.versions(),
            store: self.clone(),
            seen: Snapshot::default(),
        }
    }

    /// What changed since the last call: each key once, from what it was then to what it is now, in key order.
    ///
    /// All clones of this handle drain the same changes: readers that should not take them from each other use
    /// [`Store::changes`].
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        let mut drained = self
            .shared
            .drained
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.snapshot();
        let notices = now.since(&drained);
        *drained = now;
        notices
    }

    /// What a thin copy has that its backing does not; none for others.
    pub(super) fn unsettled(&self) -> Option<Unsettled> {
        let settled = self.shared.settled.lock();
        let settled = settled.unwrap_or_else(PoisonError::into_inner).clone();
        Unsettled::between(&settled, self.snapshot())
    }

    /// The backing has this.
    pub(super) fn settle(&self, settled: Snapshot) {
        let held = self.shared.settled.lock();
        *held.unwrap_or_else(PoisonError::into_inner) = settled;
    }

    /// The moment of the copy's last proof: its age is the time since then (promise P6). `None` while nothing is held.
    #[must_use]
    pub fn current_at(&self) -> Option<Instant> {
        self.signs().current_at
    }

    /// When the source last answered this stream, if only with words: a `Status` is not silence. `None` if it never
    /// did.
    #[must_use]
    pub fn heard_at(&self) -> Option<Instant> {
        self.signs().heard_at
    }

    /// When anything came of the source last, heartbeats included: it lives, whatever is with its API server. `None` if
    /// nothing ever did.
    #[must_use]
    pub fn lived_at(&self) -> Option<Instant> {
        self.signs().lived_at
    }

    /// What the API server's clock shows now, in ms since 1970: ages are told by it. `None` before the first answer.
    #[must_use]
    pub fn server_now_ms(&self) -> Option<u64> {
        let (then, arrived) = self.signs().clock?;
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

    fn signs(&self) -> Signs {
        self.shared.held.load().signs
    }

    fn age_of(&self, held: &Held, now: Instant) -> Age {
        let Signs {
            current_at,
            stale_after,
            ..
        } = held.signs;
        let Some(current_at) = current_at else {
            return Age {
                freshness: Freshness::Unknown,
                since: self.shared.since,
                at_most: None,
            };
        };
        let old = now.saturating_duration_since(current_at);
        let (freshness, since) = if old > stale_after {
            (Freshness::Stale, current_at + stale_after)
        } else {
            (Freshness::Fresh, held.fresh_since.unwrap_or(current_at))
        };
        Age {
            freshness,
            since,
            at_most: Some(old),
        }
    }

    /// Whether the copy held is the one at this epoch and sequence number.
    pub(super) fn holds(&self, snapshot: &Snapshot) -> bool {
        let held = self.shared.held.load();
        (held.snapshot.epoch, held.snapshot.seq) == (snapshot.epoch, snapshot.seq)
    }

    /// Takes a step of the reflector: the new copy. There is one writer, the driver's task.
    pub(super) fn write(&self, snapshot: Snapshot, signs: Signs) {
        self.replace(Some(snapshot), signs, Instant::now());
        self.shared.version.send_modify(|version| *version += 1);
    }

    /// The same copy, with fewer values: nothing changed for a reader.
    pub(super) fn let_go(&self, snapshot: Snapshot) {
        let signs = self.signs();
        self.replace(Some(snapshot), signs, Instant::now());
    }

    /// Notes when what was last heard.
    pub(super) fn note(&self, signs: Signs) {
        self.replace(None, signs, Instant::now());
    }

    fn replace(&self, snapshot: Option<Snapshot>, signs: Signs, now: Instant) {
        let held = self.shared.held.load_full();
        let is_fresh = |signs: &Signs| {
            let proof = signs.current_at;
            proof.is_some_and(|at| now.saturating_duration_since(at) <= signs.stale_after)
        };
        let still = held.fresh_since.filter(|_| is_fresh(&held.signs));
        self.shared.held.store(Arc::new(Held {
            snapshot: snapshot.unwrap_or_else(|| held.snapshot.clone()),
            signs,
            fresh_since: is_fresh(&signs).then(|| still.unwrap_or(now)),
        }));
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
}

/// What changes in a [`Store`], for one reader: keys with what they were and what they are.
///
/// Coalesced: a key that changed ten times between two looks is one [`Notice`], and one that came and went is none.
#[derive(Debug)]
pub struct Changes {
    store: Store,
    seen: Snapshot,
    version: watch::Receiver<u64>,
}

impl Changes {
    /// Waits until something differs from what was last taken, and takes it: never empty. Cancel-safe.
    ///
    /// It waits for as long as nothing changes. When the informer has ended ([`super::Informer::ended`]) nothing will.
    pub async fn next(&mut self) -> Vec<Notice> {
        loop {
            self.version.mark_unchanged();
            let notices = self.take();
            if !notices.is_empty() {
                return notices;
            }
            if self.version.changed().await.is_err() {
                // The store itself keeps the writer's end, so this cannot be.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes what differs from what was last taken, which may be nothing.
    pub fn take(&mut self) -> Vec<Notice> {
        let now = self.store.snapshot();
        let notices = now.since(&self.seen);
        self.seen = now;
        notices
    }

    /// The snapshot that the last notices led to.
    #[must_use]
    pub fn seen(&self) -> &Snapshot {
        &self.seen
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
