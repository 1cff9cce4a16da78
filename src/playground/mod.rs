//! A Kubernetes API server in this process, on loopback: for the demo, and for faults that a real one cannot be made to
//! show.
//!
//! ```text
//! simulation (fleet, workload, render) ──> store <── server (discovery, list, watch, table) <── HTTP
//!                       put, delete ─────────┘          faults ───┘
//! ```
//!
//! It serves discovery (aggregated and legacy), lists in pages, watches with bookmarks, 410, selectors, tables with
//! kubectl's columns, and what simulated pods and nodes use (metrics.k8s.io). Nothing can be written over HTTP: the world moves by itself, or by [`Playground::put`] and
//! [`Playground::delete`].

mod faults;
mod kind;
mod logs;
mod metrics;
mod selector;
mod server;
mod serving;
mod simulation;
mod store;
mod table;

pub use faults::Faults;
pub use kind::{CustomColumn, Kind};
pub use serving::{ServeError, Served};

use serde_json::Value;
use simulation::Simulation;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How a playground is.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Everything that is random follows from it.
    pub seed: u64,
    /// How large the simulated fleet is: 0 for an empty cluster, 1 for about a hundred pods.
    pub scale: u32,
    /// Time between two steps of the simulation; none for a world that stands still until [`Playground::step`].
    pub pace: Option<Duration>,
    /// The version that the API server says it has.
    pub version: String,
    /// Answers discovery as servers before 1.26 do.
    pub legacy_discovery: bool,
    /// How many changes a watch may lag behind.
    pub history: usize,
    /// Time between two bookmarks of a watch.
    pub bookmarks: Duration,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            seed: 1,
            scale: 1,
            pace: Some(Duration::from_millis(500)),
            version: "v1.36.3".into(),
            legacy_discovery: false,
            history: 10_000,
            bookmarks: Duration::from_secs(60),
        }
    }
}

impl Spec {
    /// An empty cluster that stands still: for tests.
    pub fn empty() -> Self {
        Self {
            scale: 0,
            pace: None,
            ..Self::default()
        }
    }
}

/// How often a playground was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Pages of lists.
    pub lists: u64,
    /// Watches opened so far.
    pub watches: u64,
    /// Watches open now.
    pub open_watches: u64,
    /// The resourceVersion that the last watch started from.
    pub watched_from: u64,
    /// Logs that are being read now.
    pub open_logs: u64,
}

/// A running playground; it ends when this is dropped.
pub struct Playground {
    shared: Arc<Shared>,
    simulation: Arc<Mutex<Simulation>>,
    url: String,
    // Aborted with it.
    _tasks: JoinSet<()>,
}

/// What the server and its owner share.
pub(in crate::playground) struct Shared {
    spec: Spec,
    store: Mutex<Store>,
    /// The newest version: watches wait for it.
    version: watch::Sender<u64>,
    faults: Faults,
    lists: AtomicU64,
    watches: AtomicU64,
    open_watches: AtomicU64,
    watched_from: AtomicU64,
    logs: logs::Logs,
}

impl Playground {
    /// Starts a cluster on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start(spec: Spec) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut kinds = kind::built_in();
        if spec.scale > 0 {
            kinds.extend(metrics::kinds());
        }
        let mut store = Store::new(spec.seed, kinds, spec.history);
        let mut simulation = Simulation::new(spec.seed, spec.scale, now());
        simulation.settle(&mut store);
        let shared = Arc::new(Shared {
            version: watch::Sender::new(store.version()),
            store: Mutex::new(store),
            faults: Faults::default(),
            lists: AtomicU64::new(0),
            watches: AtomicU64::new(0),
            open_watches: AtomicU64::new(0),
            watched_from: AtomicU64::new(0),
            logs: logs::Logs::default(),
            spec: spec.clone(),
        });
        let simulation = Arc::new(Mutex::new(simulation));
        let mut tasks = JoinSet::new();
        let router = server::router(shared.clone());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "a playground's server ended");
            }
        });
        if let Some(pace) = spec.pace {
            let (shared, simulation) = (shared.clone(), simulation.clone());
            tasks.spawn(async move {
                let mut ticks = tokio::time::interval(pace);
                loop {
                    ticks.tick().await;
                    step(&shared, &simulation);
                }
            });
        }
        Ok(Self {
            shared,
            simulation,
            url,
            _tasks: tasks,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig for it, as YAML.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: playground\n\
             clusters: [{{name: playground, cluster: {{server: \"{}\"}}}}]\n\
             contexts: [{{name: playground, context: {{cluster: playground, user: nobody}}}}]\n\
             users: [{{name: nobody, user: {{}}}}]\n",
            self.url
        )
    }

    /// Creates or replaces an object of a resource: `pods`, `deployments.apps`. Unknown resources are ignored.
    pub fn put(&self, resource: &str, object: Value) {
        self.shared
            .change(|store| store.put(resource, object, &rfc3339(now())));
    }

    /// Deletes an object; `namespace` is empty for cluster-scoped ones. A namespace takes what is in it along.
    pub fn delete(&self, resource: &str, namespace: &str, name: &str) {
        self.shared
            .change(|store| store.delete(resource, namespace, name));
    }

    /// An object as it is now.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let object = self.shared.store().get(resource, namespace, name)?;
        Some((*object).clone())
    }

    /// A container writes a line to its log.
    pub fn log(&self, namespace: &str, pod: &str, container: &str, line: &str) {
        self.shared.logs.write((namespace, pod, container), line);
    }

    /// A container ends, and another instance of it begins: those who follow its log come to the end of it.
    pub fn restart_log(&self, namespace: &str, pod: &str, container: &str) {
        self.shared.logs.restart((namespace, pod, container));
    }

    /// What a container has written so far is thrown away, as by the rotation of its log.
    pub fn rotate_log(&self, namespace: &str, pod: &str, container: &str) {
        self.shared.logs.rotate((namespace, pod, container));
    }

    /// A container writes lines without end, as fast as they are read.
    pub fn flood_log(&self, namespace: &str, pod: &str, container: &str) {
        self.shared.logs.flood((namespace, pod, container));
    }

    /// Serves one more resource, as a CRD does, or changes its columns.
    pub fn install(&self, kind: Kind) {
        self.shared.change(|store| store.install(kind));
    }

    /// Serves a resource no more; its objects go.
    pub fn uninstall(&self, resource: &str) {
        self.shared.change(|store| store.uninstall(resource));
    }

    /// Lets the simulated world take one step.
    pub fn step(&self) {
        step(&self.shared, &self.simulation);
    }

    /// Makes every resourceVersion and continue token so far too old (410).
    pub fn expire(&self) {
        self.shared.change(Store::expire);
    }

    /// The newest resourceVersion.
    pub fn version(&self) -> u64 {
        self.shared.store().version()
    }

    /// The faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// How often it was asked.
    pub fn requests(&self) -> Requests {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Requests {
            lists: count(&self.shared.lists),
            watches: count(&self.shared.watches),
            open_watches: count(&self.shared.open_watches),
            watched_from: count(&self.shared.watched_from),
            open_logs: self.shared.logs.open(),
        }
    }
}

impl Shared {
    /// The store; never held across an await.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn change(&self, change: impl FnOnce(&mut Store)) {
        let mut store = self.store();
        change(&mut store);
        self.version.send_replace(store.version());
    }
}

fn step(shared: &Shared, simulation: &Mutex<Simulation>) {
    let mut simulation = simulation.lock().unwrap_or_else(PoisonError::into_inner);
    shared.change(|store| simulation.step(store, now()));
}

/// Ms since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// As Kubernetes writes times: whole seconds.
fn rfc3339(ms: i64) -> String {
    let whole = jiff::Timestamp::from_second(ms.div_euclid(1000)).unwrap_or_default();
    whole.to_string()
}

#[cfg(test)]
mod tests;
