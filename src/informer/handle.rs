//! The handle on the driver, and what it hands out.

use super::driver::{Command, Driver, Keeping, Shown};
use super::log::{LogReader, LogRequest};
use super::stream::StreamKey;
use super::{
    Age, Backing, Builder, Cluster, Clusters, ForgetError, Keeper, LinkState, Snapshot, Store,
    Subscription, Watch,
};
use crate::link::Connection;
use crate::protocol::message::{Epoch, Selection};
use crate::protocol::names::{ClusterName, InvalidName, SessionId, UserName};
use crate::protocol::topics::{Consumer, Topics};
use crate::replica::{Copy, Settings, Thin};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

/// One connection to a broker, and all that is copied over it. Cheap to clone.
#[derive(Clone)]
pub struct Informer {
    inner: Arc<Inner>,
}

struct Inner {
    commands: mpsc::UnboundedSender<Command>,
    shown: Arc<Shown>,
    clusters: Clusters,
    settings: Settings,
    next_reader: AtomicU64,
    /// What is copied, by reader: for the age of a whole cluster.
    copies: Mutex<BTreeMap<u64, (ClusterName, Store)>>,
    /// Who keeps copies, and where what blocks is run.
    keeper: Option<(Arc<dyn Keeper>, Handle)>,
    backing: Option<(Arc<dyn Backing>, Handle)>,
}

impl Informer {
    /// Says where the broker is, and what else is not as usual.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use mqtt_informer::informer::{Clusters, Informer};
    ///
    /// let informer = Informer::builder()
    ///     .broker("mqtts://broker.example.com")
    ///     .credentials("viewer", std::env::var("BROKER_PASSWORD")?)
    ///     .clusters(Clusters::new(["prod-*"])?)
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Takes over a connection that was just made.
    ///
    /// # Errors
    /// When the connected user's name cannot be a segment of a topic.
    ///
    /// # Panics
    /// Outside of a tokio runtime; [`Informer::builder`] answers with an error instead.
    pub fn start(
        connection: Connection,
        topics: Topics,
        settings: Settings,
    ) -> Result<Self, InvalidName> {
        let keeping = (Keeping::default(), BTreeMap::new());
        Self::begin(connection, (topics, settings), Clusters::all(), keeping)
    }

    pub(super) fn begin(
        connection: Connection,
        (topics, settings): (Topics, Settings),
        clusters: Clusters,
        (keeping, known): (Keeping, BTreeMap<ClusterName, Cluster>),
    ) -> Result<Self, InvalidName> {
        let user = match connection.link.user() {
            "-" => UserName::anonymous(),
            name => UserName::new(name)?,
        };
        let (commands, received) = mpsc::unbounded_channel();
        let shown = Arc::new(Shown {
            fleet: watch::Sender::new(Arc::new(known)),
            controlplanes: watch::Sender::default(),
            link: watch::Sender::default(),
        });
        let identity = (
            Consumer::new(&user, SessionId::new(rand::random())),
            settings.clone(),
            keeping.clone(),
        );
        let driver = Driver::new(connection, topics, identity, received, Arc::clone(&shown));
        tokio::spawn(driver.run());
        Ok(Self {
            inner: Arc::new(Inner {
                commands,
                shown,
                clusters,
                settings,
                next_reader: AtomicU64::new(1),
                copies: Mutex::default(),
                keeper: keeping.keeper.map(|keeper| (keeper, Handle::current())),
                backing: keeping.backing.map(|backing| (backing, Handle::current())),
            }),
        })
    }

    /// The clusters known by their presence, and each later change of them: all, whichever this informer follows.
    #[must_use]
    pub fn clusters(&self) -> watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>> {
        self.inner.shown.fleet.subscribe()
    }

    /// The controlplanes known by their presence, and each later change of them. They keep copies of clusters, are none
    /// themselves, and are read over HTTP: see [`Cluster::url`].
    #[must_use]
    pub fn controlplanes(&self) -> watch::Receiver<Arc<BTreeMap<ClusterName, Cluster>>> {
        self.inner.shown.controlplanes.subscribe()
    }

    /// Whether the broker can be reached, and each later change of that.
    #[must_use]
    pub fn link_state(&self) -> watch::Receiver<LinkState> {
        self.inner.shown.link.subscribe()
    }

    /// Asks every source who it is, and waits until it was quiet for max(150 ms, 3 round trips). Waits for the link
    /// too.
    pub async fn discovered(&self) {
        let (done, end) = oneshot::channel();
        self.send(Command::Discover(done));
        // An error means that the driver is gone; so is whoever could have been discovered.
        let _ = end.await;
    }

    /// Copies a stream from now on. Subscriptions to one selection of one cluster share one copy.
    ///
    /// A cluster that nobody knows yet is asked all the same, and answers when it comes.
    #[must_use]
    pub fn subscribe(&self, cluster: &ClusterName, selection: Selection) -> Subscription {
        let reader = self.inner.next_reader.fetch_add(1, Ordering::Relaxed);
        let store = Store::default();
        let key = StreamKey {
            cluster: cluster.clone(),
            selection,
        };
        let copy = (cluster.clone(), store.clone());
        self.copies().insert(reader, copy);
        match (&self.inner.backing, &self.inner.keeper) {
            (None, None) => self.ask_for(reader, key, store.clone(), None),
            (Some((backing, runtime)), _) => {
                let (informer, store) = (self.clone(), store.clone());
                let load = backing.load(&key.cluster, &key.selection);
                runtime.spawn(async move {
                    let empty = || Copy::of_backing((Epoch::default(), 0), None, Thin::default());
                    let loaded = load.await.filter(|copy| copy.thin.is_some());
                    informer.ask_for(reader, key, store, Some(loaded.unwrap_or_else(empty)));
                });
            }
            (None, Some((keeper, runtime))) => {
                let (informer, keeper) = (self.clone(), Arc::clone(keeper));
                let store = store.clone();
                runtime.spawn_blocking(move || {
                    let cached = keeper.load(&key.cluster, &key.selection);
                    informer.ask_for(reader, key, store, cached);
                });
            }
        }
        Subscription::new(store, reader, self.clone())
    }

    fn ask_for(&self, reader: u64, key: StreamKey, store: Store, cached: Option<Copy>) {
        self.send(Command::Subscribe {
            reader,
            key,
            store,
            cached,
        });
        // It may have gone while what was kept was read: its own word to leave came too early then.
        if !self.copies().contains_key(&reader) {
            self.send(Command::Leave { reader });
        }
    }

    /// Copies one selection from every cluster that this informer was told to follow ([`Builder::clusters`]), those
    /// that come later included.
    #[must_use]
    pub fn watch_all(&self, selection: Selection) -> Watch {
        self.watch(self.inner.clusters.clone(), selection)
    }

    /// Copies one selection from each of these clusters, those that come later included.
    #[must_use]
    pub fn watch(&self, clusters: Clusters, selection: Selection) -> Watch {
        Watch::new(self.clone(), clusters, selection)
    }

    /// Reads a container's log from now on. A source that serves no logs refuses it.
    #[must_use]
    pub fn log(&self, cluster: &ClusterName, request: LogRequest) -> LogReader {
        let number = self.inner.next_reader.fetch_add(1, Ordering::Relaxed);
        let (events, received) = mpsc::unbounded_channel();
        self.send(Command::OpenLog {
            number,
            cluster: cluster.clone(),
            request,
            events,
        });
        LogReader::new(number, received, self.clone())
    }

    pub(super) fn log_taken(&self, number: u64) {
        self.send(Command::LogTaken { number });
    }

    pub(super) fn close_log(&self, number: u64) {
        self.send(Command::CloseLog { number });
    }

    /// How old what is copied from a cluster may be: the worst of its streams. `None` while nothing is copied from it.
    #[must_use]
    pub fn age(&self, cluster: &ClusterName) -> Option<Age> {
        let copies = self.copies();
        let ages = copies.values().filter(|(of, _)| of == cluster);
        ages.map(|(_, store)| store.age()).reduce(Age::or_worse)
    }

    /// Clears a cluster's retained presence on the broker; done when the broker took it.
    ///
    /// # Errors
    /// When the broker refuses it, or the link broke before the broker took it.
    pub async fn forget(&self, cluster: &ClusterName) -> Result<(), ForgetError> {
        let (done, end) = oneshot::channel();
        self.send(Command::Forget {
            cluster: cluster.clone(),
            done,
        });
        end.await.unwrap_or(Err(ForgetError::Lost))
    }

    /// Leaves all streams and says goodbye to the broker, whoever still has a handle; done when that was sent. Who ends
    /// without it leaves the clusters to serve for nobody until their leases are over, after a minute.
    pub async fn close(&self) {
        self.send(Command::Close);
        self.ended().await;
    }

    /// Waits until the link has ended for good, after which nothing changes any more. No broker's failure does that:
    /// they are tried again.
    pub async fn ended(&self) {
        self.inner.commands.closed().await;
    }

    /// The protocol's numbers that it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(super) fn leave(&self, reader: u64) {
        self.copies().remove(&reader);
        self.send(Command::Leave { reader });
    }

    pub(super) fn settled(&self, reader: u64, settled: Snapshot) {
        self.send(Command::Settled { reader, settled });
    }

    /// Nobody panics while holding it; were it so, the map is still whole.
    fn copies(&self) -> MutexGuard<'_, BTreeMap<u64, (ClusterName, Store)>> {
        self.inner
            .copies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver lives as long as a handle does, or until the link ended: then there is nothing left to command.
    fn send(&self, command: Command) {
        let _ = self.inner.commands.send(command);
    }
}
