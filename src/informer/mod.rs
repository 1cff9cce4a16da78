//! Copies streams over a link into stores: the driver around [`crate::replica::Reflector`].
//!
//! An [`Informer`] is one connection to a broker. It knows the clusters by their presence, and copies any number of
//! their streams, each into a [`Store`]. Dropping a [`Subscription`] leaves its stream; dropping the last handle of an
//! [`Informer`] says goodbye to the broker.
//!
//! **Architecture invariant:** knows nothing of Kubernetes and prints nothing.

mod discovery;
mod driver;
mod fleet;
mod store;
mod stream;

pub use store::Store;

use crate::link::{Connection, Failure};
use crate::protocol::message::{Epoch, Presence, Selection};
use crate::protocol::names::{ClusterName, InvalidName, SessionId, UserName};
use crate::protocol::topics::{Consumer, Topics};
use crate::replica::Settings;
use bytes::Bytes;
use driver::{Command, Driver, Shown};
use imbl::OrdMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stream::StreamKey;
use tokio::sync::{mpsc, oneshot, watch};

/// One connection to a broker, and all that is copied over it. Cheap to clone.
#[derive(Clone)]
pub struct Informer {
    inner: Arc<Inner>,
}

struct Inner {
    commands: mpsc::UnboundedSender<Command>,
    shown: Arc<Shown>,
    next_reader: AtomicU64,
}

/// Whether the broker can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// Not yet.
    #[default]
    Connecting,
    /// Connected.
    Up,
    /// Not now; it is tried again.
    Down(Failure),
}

impl Informer {
    /// Takes over a connection that was just made.
    ///
    /// # Errors
    /// When the connected user's name cannot be a segment of a topic.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(
        connection: Connection,
        topics: Topics,
        settings: Settings,
    ) -> Result<Self, InvalidName> {
        let user = match connection.link.user() {
            "-" => UserName::anonymous(),
            name => UserName::new(name)?,
        };
        let (commands, received) = mpsc::unbounded_channel();
        let shown = Arc::new(Shown {
            fleet: watch::Sender::default(),
            link: watch::Sender::default(),
        });
        let identity = (
            Consumer::new(&user, SessionId::new(rand::random())),
            settings,
        );
        let driver = Driver::new(connection, topics, identity, received, Arc::clone(&shown));
        tokio::spawn(driver.run());
        Ok(Self {
            inner: Arc::new(Inner {
                commands,
                shown,
                next_reader: AtomicU64::new(1),
            }),
        })
    }

    /// The clusters known by their presence, and each later change of them.
    #[must_use]
    pub fn clusters(&self) -> watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>> {
        self.inner.shown.fleet.subscribe()
    }

    /// Whether the broker can be reached, and each later change of that.
    #[must_use]
    pub fn link_state(&self) -> watch::Receiver<LinkState> {
        self.inner.shown.link.subscribe()
    }

    /// Asks every source who it is, and waits until it was quiet for max(150 ms, 3 round trips). Waits for the link too.
    pub async fn discovered(&self) {
        let (done, end) = oneshot::channel();
        self.send(Command::Discover(done));
        // An error means that the driver is gone; so is whoever could have been discovered.
        let _ = end.await;
    }

    /// Copies a stream from now on. Subscriptions to one selection of one cluster share one copy.
    #[must_use]
    pub fn subscribe(&self, cluster: &ClusterName, selection: Selection) -> Subscription {
        let reader = self.inner.next_reader.fetch_add(1, Ordering::Relaxed);
        let store = Store::default();
        let key = StreamKey {
            cluster: cluster.clone(),
            selection,
        };
        self.send(Command::Subscribe {
            reader,
            key,
            store: store.clone(),
        });
        Subscription {
            store,
            reader,
            informer: self.clone(),
        }
    }

    /// Clears a cluster's retained presence on the broker; done when the broker took it. False if the link ended first.
    pub async fn forget(&self, cluster: &ClusterName) -> bool {
        let (done, end) = oneshot::channel();
        self.send(Command::Forget {
            cluster: cluster.clone(),
            done,
        });
        end.await.is_ok()
    }

    /// The driver lives as long as a handle does, or until the link ended: then there is nothing left to command.
    fn send(&self, command: Command) {
        let _ = self.inner.commands.send(command);
    }
}

/// A reader of one stream. Dropping it leaves the stream.
pub struct Subscription {
    store: Store,
    reader: u64,
    informer: Informer,
}

impl Subscription {
    /// The copy.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.informer.send(Command::Leave {
            reader: self.reader,
        });
    }
}

/// Every entry of a copy at one moment: cheap to clone, never changes.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The epoch and sequence number at which the source had exactly this; seq 0 = nothing was received yet.
    pub epoch: Epoch,
    /// See `epoch`.
    pub seq: u64,
    /// Key to unpacked value, in byte order of the keys. The empty key holds the header.
    pub entries: OrdMap<Bytes, Bytes>,
}

/// A change of one key, for readers that print each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The key.
    pub key: Bytes,
    /// What it was when the reader last looked.
    pub old: Option<Bytes>,
    /// What it is now. An object that was deleted and made again comes as two notices.
    pub new: Option<Bytes>,
}

/// What a stream is doing, for progress and for errors. Old data is never dressed up as new: see `freshness`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamState {
    /// A whole copy is held.
    pub synced: bool,
    /// What was last heard while there is no (new) answer.
    pub progress: Progress,
    /// What the user's word was resolved to: `deployments.v1.apps`; empty until known.
    pub resource: String,
    /// The source's API server is away since so long (milliseconds when heard), with its words. Rows are old then.
    pub upstream_down: Option<UpstreamDown>,
    /// How old the copy may be.
    pub freshness: Freshness,
}

/// The source's API server does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamDown {
    /// For how long, as of the last word.
    pub since: Duration,
    /// What happened, one line; empty when only the age is known.
    pub message: String,
}

/// How far a stream that is not synced has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was heard from the source.
    #[default]
    Silent,
    /// The source is listing, so many items so far.
    Listing(u64),
    /// The answer is on its way, so many bytes so far.
    Receiving(u64),
    /// Refused: a Kubernetes Status in short.
    Refused {
        /// HTTP code.
        code: u32,
        /// `Forbidden`, `NotFound`, ...
        reason: String,
        /// The message.
        message: String,
    },
    /// The copy is whole.
    Synced,
}

/// How old a copy may be, by this process' monotonic clock; never less than the truth but for the transit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing is held.
    #[default]
    Unknown,
    /// At most 2.5 heartbeats old.
    Fresh,
    /// Older.
    Stale,
}

/// What is known of a cluster's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its last presence.
    pub presence: Presence,
    /// The presence was a last will or a goodbye: nobody serves it now.
    pub offline: bool,
}
