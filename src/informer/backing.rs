//! Copies that hold no values: a database holds them, and this is what an informer and the database's writer say to
//! each other.
//!
//! A thin informer ([`super::Builder::thin`]) holds of each object a digest, and its value only until it is stored. Its
//! reader takes what is [`Unsettled`], stores it, and says so ([`super::Subscription::settled`]); then the values are let
//! go. What a delta from the source was made from is fetched from the backing. If that is slow, lacks something, or has
//! something else, the source is asked: the copy is right whatever the backing does.
//!
//! - A batch that failed is no loss: what is unsettled is unsettled still, and is told again with what came meanwhile.
//!   So it has to be stored in one transaction, and be known to have failed. Where it is too large for one, or the
//!   connection broke while it was committed, either the very same batch is tried until all of it is in, or the
//!   subscription is made anew ([`super::Watch::rejoin`]) and loads what is there.
//! - While nothing is stored, what is held is bounded: with more than [`Settings::unsettled_bytes`] waiting a stream
//!   takes nothing in, its age says so, and it asks for what differs when it is settled.
//! - The header, under the empty key, is in the copy as always.
//!
//! [`Settings::unsettled_bytes`]: crate::replica::Settings::unsettled_bytes

use super::Snapshot;
use crate::protocol::message::{Epoch, Selection};
use crate::protocol::names::ClusterName;
use crate::replica::{Copy, Thin};
use bytes::Bytes;
use futures::future::BoxFuture;

/// Holds the values of thin copies.
pub trait Backing: Send + Sync + 'static {
    /// What is stored of a stream ([`Copy::of_backing`]), if anything is: each key and the digest of its value, and the
    /// state that was last stored as a whole. `None`, too, while it cannot be read: everything comes anew then.
    fn load(
        &self,
        cluster: &ClusterName,
        selection: &Selection,
    ) -> BoxFuture<'static, Option<Copy>>;

    /// The values of these keys, as they are stored: those that are not are left out. `None` if it cannot say.
    ///
    /// Asked while a delta waits, and of no more than a few thousand keys; nothing bad comes of a wrong answer.
    fn fetch(
        &self,
        cluster: &ClusterName,
        selection: &Selection,
        keys: Vec<Bytes>,
    ) -> BoxFuture<'static, Option<Vec<(Bytes, Bytes)>>>;
}

/// What a thin copy has and its backing has not: what leads from the state that was stored to a later one.
#[derive(Clone, Debug)]
pub struct Unsettled {
    stored: Snapshot,
    now: Snapshot,
}

/// A value to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// It.
    pub bytes: Bytes,
    /// The digest of key and value, to be loaded again ([`Backing::load`]).
    pub digest: u64,
}

impl Unsettled {
    /// What leads from one to the other; none if nothing does.
    pub(super) fn between(stored: &Snapshot, now: Snapshot) -> Option<Self> {
        let unsettled = Self {
            stored: stored.clone(),
            now,
        };
        let differs = unsettled.header().is_some() || unsettled.differing().next().is_some();
        (unsettled.now.is_whole() && differs).then_some(unsettled)
    }

    /// The state that is stored with it.
    #[must_use]
    pub fn position(&self) -> (Epoch, u64) {
        (self.now.epoch, self.now.seq)
    }

    /// Nothing was loaded: these are all objects that there are, and others, should any be stored, are gone.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        let loaded = self.stored.thin.as_ref();
        loaded.is_none_or(Thin::is_empty)
    }

    /// The stream's header, if it differs.
    #[must_use]
    pub fn header(&self) -> Option<&Bytes> {
        let header = self.now.entries.get(&b""[..]);
        header.filter(|header| self.stored.entries.get(&b""[..]) != Some(header))
    }

    /// What became of each key that differs, in byte order of the keys: its value now, or none if it is gone. Each value
    /// is unpacked when it is reached, so that they are never in memory all at once.
    pub fn changes(&self) -> impl Iterator<Item = (Bytes, Option<Value>)> {
        self.differing().filter_map(|(key, digest)| {
            let Some(digest) = digest else {
                return Some((key.clone(), None));
            };
            // What is not held any more was said to be stored.
            let bytes = self.now.thin.as_ref()?.value(key)?;
            Some((key.clone(), Some(Value { bytes, digest })))
        })
    }

    /// How many keys differ.
    #[must_use]
    pub fn len(&self) -> usize {
        self.differing().count()
    }

    /// Only the header does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differing().next().is_none()
    }

    /// What there will be when this is stored: every key.
    pub fn keys(&self) -> impl Iterator<Item = &Bytes> {
        let marks = self.now.thin.iter().flat_map(Thin::marks);
        marks.map(|(key, _)| key)
    }

    /// The same with nothing held.
    pub(super) fn settled(&self) -> Snapshot {
        settled(&self.now)
    }

    fn differing(&self) -> impl Iterator<Item = (&Bytes, Option<u64>)> {
        let pair = self.stored.thin.as_ref().zip(self.now.thin.as_ref());
        let since = pair.into_iter().flat_map(|(stored, now)| now.since(stored));
        since.map(|(key, mark)| (key, mark.map(|mark| mark.digest)))
    }
}

/// A snapshot as it is when all of it is stored.
pub(super) fn settled(snapshot: &Snapshot) -> Snapshot {
    Snapshot {
        thin: snapshot.thin.as_ref().map(Thin::stored),
        ..snapshot.clone()
    }
}
