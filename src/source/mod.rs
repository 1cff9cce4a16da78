//! Serves feeds over a link: the driver around [`crate::replica`]'s source side.
//!
//! **Architecture invariant:** knows nothing of Kubernetes. What is served comes from an [`Upstream`].

mod driver;
mod held;
mod incoming;
mod logs;
mod outgoing;
mod report;
mod requests;
mod streams;

pub use driver::{Options, Source, SourceError};
pub use held::Held;
pub use report::{Health, StreamReport};

use crate::protocol::message::{LogSelection, Selection, View};
use crate::protocol::stream::CanonicalSelection;
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

/// A future behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A selection whose words were resolved: equal collections are equal values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resolved {
    /// `apps`, or empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// `Deployment`.
    pub kind: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether the resource can be watched; if not it is listed again and again, at least every 15 s.
    pub watchable: bool,
    /// One namespace, or empty for all; always empty for cluster-scoped resources.
    pub namespace: String,
    /// The label selector, parsed, sorted, printed again.
    pub labels: String,
    /// The field selector, likewise.
    pub fields: String,
    /// What of each object.
    pub view: View,
    /// Keep managedFields.
    pub managed_fields: bool,
    /// Values of Secrets that allow it.
    pub secret_values: bool,
}

impl Resolved {
    /// A collection of the source itself, and of no API server; `of` is whose, where other collections have a namespace.
    #[must_use]
    pub fn own(view: View, plural: &str, kind: &str, of: &str) -> Self {
        Self {
            group: String::new(),
            version: String::new(),
            plural: plural.to_owned(),
            kind: kind.to_owned(),
            namespaced: false,
            watchable: true,
            namespace: of.to_owned(),
            labels: String::new(),
            fields: String::new(),
            view,
            managed_fields: false,
            secret_values: false,
        }
    }

    /// What the user's word was resolved to, as `plural.version.group`: `deployments.v1.apps`, `pods.v1`.
    #[must_use]
    pub fn resource(&self) -> String {
        match self.group.as_str() {
            "" if self.version.is_empty() => self.plural.clone(),
            "" => format!("{}.{}", self.plural, self.version),
            group => format!("{}.{}.{group}", self.plural, self.version),
        }
    }

    /// What makes this collection another one than others.
    #[must_use]
    pub fn canonical(&self) -> CanonicalSelection<'_> {
        CanonicalSelection {
            group: &self.group,
            version: &self.version,
            plural: &self.plural,
            namespace: &self.namespace,
            labels: &self.labels,
            fields: &self.fields,
            view: self.view,
            managed_fields: self.managed_fields,
            secret_values: self.secret_values,
        }
    }
}

/// Why a selection is not served: a Kubernetes Status in short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The HTTP code.
    pub code: u32,
    /// `Forbidden`, `NotFound`, `BadRequest`.
    pub reason: String,
    /// kubectl's wording where kubectl has one.
    pub message: String,
}

/// Why a selection could not be resolved, or a stream ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It was refused; asking again soon gives the same answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The API server does not answer.
    #[error("{0}")]
    Down(String),
}

/// What an upstream tells about one open stream, in order.
#[derive(Debug)]
pub enum Event {
    /// A list begins; its age counts from here. What came of one before is forgotten.
    Listing,
    /// A part of the list that is under way.
    Part(Vec<(Bytes, Bytes)>),
    /// Its last part: with those before it is complete and consistent (the first list, or a relist, which is diffed),
    /// the header under the empty key included. What is never watched is listed again and again, and is as old as its
    /// last list's beginning. With the list's resourceVersion; here and below 0 = not known, or not comparable.
    Listed(Vec<(Bytes, Bytes)>, u64),
    /// A key has this value since that resourceVersion.
    Put(Bytes, Bytes, u64),
    /// A key is gone since that resourceVersion.
    Delete(Bytes, u64),
    /// A watch is open that goes on where the list, or the watch before, ended.
    Watching,
    /// Bytes came on the watch, and all that they said is told.
    Alive,
    /// The same; and all is told that changed up to that resourceVersion.
    Bookmark(u64),
    /// The watch ended, as watches do; another one follows, or a list.
    Ended,
    /// The API server does not answer (the stream goes on trying).
    Down(String),
    /// The API server refuses (the stream goes on trying, slowly).
    Refused(Refusal),
}

/// Which cluster an API server belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The uid of the namespace `kube-system`; empty if it may not be read.
    pub cluster_uid: String,
    /// The API server's version: `v1.36.3`.
    pub kubernetes_version: String,
}

/// Where a source's collections come from. The stream of [`Upstream::run`] ends when its receiver is dropped.
pub trait Upstream: Send + Sync + 'static {
    /// Whether somebody may have what a selection means; `user` is spelled as topics spell it. Asked for each request,
    /// also of a selection that was resolved for another user before.
    ///
    /// # Errors
    /// Why not.
    fn admit(&self, user: &str, selection: &Selection) -> Result<(), Refusal> {
        let _ = (user, selection);
        Ok(())
    }
    /// Resolves the words of a selection.
    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>>;
    /// Lists and watches until `events` is closed. Never ends by itself.
    fn run<'a>(&'a self, selection: &'a Resolved, events: mpsc::Sender<Event>)
    -> BoxFuture<'a, ()>;
    /// Reads a container's log, each line behind its time, in pieces as they come, until it ends or `pieces` is closed.
    fn log<'a>(
        &'a self,
        log: &'a LogSelection,
        pieces: mpsc::Sender<Bytes>,
    ) -> BoxFuture<'a, Result<(), UpstreamError>> {
        drop((log, pieces));
        Box::pin(async {
            Err(UpstreamError::Refused(Refusal {
                code: 405,
                reason: String::new(),
                message: "there are no logs here".into(),
            }))
        })
    }
    /// Asks the API server for a sign of life.
    fn probe(&self) -> BoxFuture<'_, Result<(), String>>;
    /// Asks which cluster this is.
    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>>;
    /// The API server's clock, in ms since 1970 (this machine's until it was heard).
    fn now_ms(&self) -> u64;
}
