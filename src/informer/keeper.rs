//! Copies that outlive their informer: who keeps them, and what is given to be kept.
//!
//! Nothing that was kept is shown as current. A reflector that begins with a kept copy sends its digests, and readers
//! see nothing of it before the source has said that it is what it has, or has sent what differs: so what is kept only
//! saves bytes. An informer without a broker ([`super::Builder::offline`]) is the exception, and says so: its copies
//! are of unknown age ([`super::Freshness::Unknown`]), for ever.

use super::Cluster;
use crate::protocol::message::Selection;
use crate::protocol::names::ClusterName;
use crate::replica::Copy;
use tokio::time::Instant;

/// Keeps copies between the lives of an informer: on a disk, or wherever.
pub trait Keeper: Send + Sync + 'static {
    /// The copy of a stream that was kept last, if it may still be used. Called where blocking is allowed.
    ///
    /// It has to be exactly what [`Keeper::keep`] was given: see [`crate::replica::Saved`].
    fn load(&self, cluster: &ClusterName, selection: &Selection) -> Option<Copy>;

    /// Takes a copy whose last reader has left. Never blocks: the informer waits for it.
    fn keep(&self, kept: Kept);

    /// What an informer without a broker says of a stream of which nothing is kept: one line.
    fn missing(&self, selection: &Selection) -> String;
}

/// A copy to be kept: whole, and proven to be what its source had.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Whose.
    pub cluster: ClusterName,
    /// Of what, as the reader asked for it.
    pub selection: Selection,
    /// What the cluster's source says of itself, if it was heard.
    pub source: Option<Cluster>,
    /// The copy.
    pub copy: Copy,
    /// When it was proven last: it was what the API server had then.
    pub proven: Instant,
}
