//! One reader's hold on one stream.

use super::backing::{self, Unsettled};
use super::{Informer, Snapshot, Store};
use std::sync::atomic::{AtomicBool, Ordering};

/// A reader of one stream. Dropping it leaves the stream.
pub struct Subscription {
    store: Store,
    reader: u64,
    informer: Informer,
    /// Something unsettled was taken, which may be on its way to the backing.
    taken: AtomicBool,
}

impl Subscription {
    pub(super) fn new(store: Store, reader: u64, informer: Informer) -> Self {
        Self {
            store,
            reader,
            informer,
            taken: AtomicBool::new(false),
        }
    }

    /// The copy.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What a thin copy has and its backing has not; `None` if that is nothing, or the copy is not a thin one. Whenever
    /// [`Store::versions`] ticks, there may be something.
    #[must_use]
    pub fn unsettled(&self) -> Option<Unsettled> {
        let unsettled = self.store.unsettled();
        if unsettled.is_some() {
            self.taken.store(true, Ordering::Relaxed);
        } else if !self.taken.load(Ordering::Relaxed) {
            self.let_go();
        }
        unsettled
    }

    /// Values that came and went, and are again as they are stored. Not while others are on their way to the backing,
    /// which are stored after these then.
    fn let_go(&self) {
        let snapshot = self.store.snapshot();
        let thin = snapshot.thin.as_ref();
        if thin.is_some_and(|thin| thin.held_bytes() > 0) {
            self.tell_settled(backing::settled(&snapshot));
        }
    }

    /// The backing has all of this: what did not change since then is held no longer.
    pub fn settled(&self, unsettled: &Unsettled) {
        self.taken.store(false, Ordering::Relaxed);
        self.tell_settled(unsettled.settled());
    }

    fn tell_settled(&self, settled: Snapshot) {
        self.store.settle(settled.clone());
        self.informer.settled(self.reader, settled);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.informer.leave(self.reader);
    }
}
