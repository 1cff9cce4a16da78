//! A cluster whose objects the test writes, and a database of it.

use super::*;
use crate::informer::Subscription;
use crate::link::LastWill;
use crate::link::memory::{Fate, MemoryBroker};
use crate::protocol::names::ClusterName;
use crate::protocol::rows::Header;
use crate::protocol::topics::Topics;
use crate::replica::Settings;
use crate::source::{
    BoxFuture, Event, Health, Identity, Options, Resolved, Source, Upstream, UpstreamError,
};
use crate::store::{self, Filter, GroupResource, List};
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// The objects of an API server, by name.
#[derive(Default)]
struct Fake {
    objects: Mutex<BTreeMap<String, String>>,
    watchers: Mutex<Vec<mpsc::Sender<Event>>>,
}

fn object(name: &str, value: &str) -> Bytes {
    // Long enough for deltas, and not to be packed into nothing.
    let mut state = name
        .bytes()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{state:08x}")
    };
    let long: String = (0..400).map(|_| next()).collect();
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"n","uid":"u-{name}"}},"long":"{long}","value":"{value}"}}"#
    )
    .into()
}

fn key(name: &str) -> Bytes {
    format!("n/{name}").into()
}

impl Fake {
    async fn put(&self, name: &str, value: &str) {
        let before = |objects: &mut BTreeMap<String, String>| {
            objects.insert(name.to_owned(), value.to_owned())
        };
        before(&mut self.objects.lock().unwrap());
        self.tell(|| Event::Put(key(name), object(name, value), 0))
            .await;
    }

    async fn delete(&self, name: &str) {
        self.objects.lock().unwrap().remove(name);
        self.tell(|| Event::Delete(key(name), 0)).await;
    }

    async fn tell(&self, event: impl Fn() -> Event) {
        let watchers = self.watchers.lock().unwrap().clone();
        for watcher in watchers {
            // One that is gone needs to be told nothing.
            let _ = watcher.send(event()).await;
        }
    }

    fn wanted(&self) -> BTreeMap<String, Bytes> {
        let objects = self.objects.lock().unwrap();
        let all = objects.iter();
        all.map(|(name, value)| (name.clone(), object(name, value)))
            .collect()
    }
}

impl Upstream for Fake {
    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        Box::pin(async move {
            Ok(Resolved {
                group: String::new(),
                version: "v1".into(),
                plural: selection.resource.replace("thg", "things"),
                kind: "Thing".into(),
                namespaced: true,
                watchable: true,
                namespace: selection.namespace.clone(),
                labels: String::new(),
                fields: String::new(),
                view: selection.view,
                managed_fields: false,
                secret_values: false,
            })
        })
    }

    fn run<'a>(
        &'a self,
        selection: &'a Resolved,
        events: mpsc::Sender<Event>,
    ) -> BoxFuture<'a, ()> {
        let header = Header {
            plural: selection.plural.clone(),
            version: selection.version.clone(),
            kind: selection.kind.clone(),
            singular: "thing".into(),
            ..Header::default()
        };
        Box::pin(async move {
            let objects = self.wanted().into_iter();
            let objects = objects.map(|(name, value)| (key(&name), value));
            let header = (Bytes::new(), Bytes::from(header.encode_to_vec()));
            let entries = objects.chain([header]).collect();
            self.watchers.lock().unwrap().push(events.clone());
            let _ = events.send(Event::Listed(entries, 0)).await;
            let _ = events.send(Event::Watching).await;
            events.closed().await;
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>> {
        Box::pin(async {
            Ok(Identity {
                cluster_uid: "uid".into(),
                kubernetes_version: "v1.36.3".into(),
            })
        })
    }

    fn now_ms(&self) -> u64 {
        0
    }
}

fn settings() -> Settings {
    Settings {
        heartbeat: Duration::from_millis(200),
        lease: Duration::from_secs(6),
        linger: Duration::from_millis(500),
        settle: Duration::from_millis(20),
        ..Settings::default()
    }
}

fn east() -> ClusterName {
    ClusterName::new("east").unwrap()
}

/// The cluster, the broker, and the file that the database is in.
struct World {
    broker: MemoryBroker,
    fake: Arc<Fake>,
    source: watch::Sender<bool>,
    folder: tempfile::TempDir,
    /// Bytes of payloads that went to readers.
    sent: Arc<AtomicUsize>,
}

impl World {
    fn new() -> Self {
        let (broker, fake) = (MemoryBroker::new(), Arc::new(Fake::default()));
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        broker.set_fate(move |_, publish| {
            if publish.topic.starts_with("/payload") {
                count.fetch_add(publish.payload.len(), Ordering::Relaxed);
            }
            Fate::Delivered
        });
        Self {
            source: serve(&broker, &fake),
            broker,
            fake,
            folder: tempfile::tempdir().unwrap(),
            sent,
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("fleet.db")
    }

    async fn intake(&self, words: &[&str], clusters: &[&str]) -> Running {
        let store = open(&self.file()).await;
        let backing = StoreBacking::new(store.clone());
        let clusters = Clusters::new(clusters).unwrap();
        let informer = Informer::builder()
            .connection(self.broker.connect("controlplane", "-", None))
            .settings(settings())
            .clusters(clusters.clone())
            .thin(Arc::new(backing.clone()))
            .start()
            .unwrap();
        let plan = Plan {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            labels: String::new(),
            clusters,
            history: Duration::from_secs(3600),
            share: None,
        };
        let (stop, stopped) = watch::channel(false);
        let intake = Intake::start(&plan, &store, (&informer, Some(&backing)), &stopped);
        Running {
            store,
            informer,
            intake,
            stop,
        }
    }

    /// Waits until the database has what the cluster has.
    async fn agreed(&self, running: &Running) {
        let mut ticks = running.store.sequence();
        let agreed = async {
            while running.objects().await != self.fake.wanted() {
                ticks.changed().await.unwrap();
            }
        };
        let agreed = tokio::time::timeout(Duration::from_secs(20), agreed).await;
        if agreed.is_err() {
            let has = running.objects().await;
            let names: Vec<_> = has.keys().collect();
            panic!("{names:?}: {:?}", running.reports());
        }
    }
}

async fn open(file: &Path) -> Store {
    let url = format!("sqlite://{}", file.display());
    let opened = async {
        loop {
            match Store::open(&url, store::Options::default()).await {
                // What ended lets go of it when its last task has.
                Err(store::OpenError::InUse(_)) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
    };
    let opened = tokio::time::timeout(Duration::from_secs(10), opened).await;
    opened.unwrap()
}

fn serve(broker: &MemoryBroker, fake: &Arc<Fake>) -> watch::Sender<bool> {
    let options = Options {
        cluster: east(),
        role: "syncer",
        labels: vec![],
        retained: true,
        topics: Topics::default(),
        settings: settings(),
    };
    let source = Source::new(options);
    let (topic, payload) = source.last_will();
    let will = LastWill {
        topic,
        payload,
        retain: true,
    };
    let control = broker.connect("source", "east", Some(will));
    let bulk = broker.connect("source-bulk", "east", None);
    let (stop, stopped) = watch::channel(false);
    let upstream: Arc<dyn Upstream> = Arc::clone(fake) as _;
    let health = watch::Sender::new(Health::default());
    tokio::spawn(source.run(control, bulk, upstream, health, stopped));
    stop
}

/// An intake at work.
struct Running {
    store: Store,
    informer: Informer,
    intake: Intake,
    stop: watch::Sender<bool>,
}

impl Running {
    async fn objects(&self) -> BTreeMap<String, Bytes> {
        let filter = Filter {
            resource: GroupResource {
                group: String::new(),
                plural: "things".into(),
            },
            view: View::Objects,
            ..Filter::default()
        };
        let list = List {
            filter,
            ..List::default()
        };
        let items = self.store.list(&list).await.unwrap().items.into_iter();
        items.map(|item| (item.key.name, item.value)).collect()
    }

    fn reports(&self) -> Vec<Report> {
        let all = self.intake.reports.iter();
        all.map(|report| report.borrow().clone()).collect()
    }

    /// Waits until the report of a view's intake is as wanted.
    async fn until(&self, view: &str, wanted: impl Fn(&Report) -> bool) -> Report {
        let of_it = |report: &&watch::Receiver<Report>| report.borrow().view == view;
        let mut report = self.intake.reports.iter().find(of_it).unwrap().clone();
        let found = tokio::time::timeout(Duration::from_secs(20), report.wait_for(|it| wanted(it)));
        let found = found.await.map(|found| found.unwrap().clone());
        found.unwrap_or_else(|_| panic!("{:?}", self.reports()))
    }

    /// Waits until everything is written, rows included; what the objects' intake did.
    async fn caught_up(&self) -> Report {
        for view in ["rows", "objects"] {
            self.until(view, |report| report.whole == 1 && report.behind == 0)
                .await;
        }
        self.until("objects", |_| true).await
    }

    /// Another reader of the very same copy.
    fn beside(&self, word: &str) -> Subscription {
        let selection = Selection {
            resource: word.into(),
            view: View::Objects,
            secret_values: true,
            ..Selection::default()
        };
        self.informer.subscribe(&east(), selection)
    }

    async fn end(mut self) {
        self.stop.send_replace(true);
        self.intake.ended(Duration::from_secs(10)).await;
        self.informer.close().await;
        self.store.close().await;
    }
}

#[tokio::test]
async fn what_is_stored_is_not_in_memory() {
    let world = World::new();
    for number in 0..50 {
        world.fake.put(&format!("a{number}"), "one").await;
    }
    let running = world.intake(&["things"], &["*"]).await;
    world.agreed(&running).await;
    let copy = running.beside("things");
    let mut versions = copy.store().versions();
    for round in 0..20 {
        for number in 0..50 {
            let value = format!("round{round}");
            world.fake.put(&format!("a{number}"), &value).await;
        }
    }
    world.agreed(&running).await;
    running.caught_up().await;
    let light = async {
        loop {
            let snapshot = copy.store().snapshot();
            let held = snapshot
                .thin
                .as_ref()
                .map(|thin| (thin.len(), thin.held_bytes()));
            if held == Some((50, 0)) {
                return snapshot.entries.len();
            }
            // It is not told when values go.
            let _ = tokio::time::timeout(Duration::from_millis(20), versions.changed()).await;
        }
    };
    let entries = tokio::time::timeout(Duration::from_secs(10), light).await;
    assert_eq!(entries.ok(), Some(1), "the header");
    running.end().await;
}

#[tokio::test]
async fn a_restart_fetches_and_writes_what_changed_and_nothing_else() {
    let world = World::new();
    for number in 0..50 {
        world.fake.put(&format!("a{number}"), "one").await;
    }
    let running = world.intake(&["things"], &["*"]).await;
    world.agreed(&running).await;
    let first = running.caught_up().await;
    assert_eq!(first.changes, 51, "the header is one");
    running.end().await;
    let all = world.sent.swap(0, Ordering::Relaxed);

    world.fake.put("a7", "two").await;
    world.fake.delete("a8").await;
    let running = world.intake(&["things"], &["*"]).await;
    world.agreed(&running).await;
    assert_eq!(running.caught_up().await.changes, 2);
    let sent = world.sent.swap(0, Ordering::Relaxed);
    assert!(sent < all / 2, "{sent} bytes after {all}");
    let seq = *running.store.sequence().borrow();
    running.end().await;

    // Nothing changed: that it is so is written all the same.
    let running = world.intake(&["things"], &["*"]).await;
    let last = running.caught_up().await;
    assert_eq!((last.changes, last.batches), (0, 1));
    assert_eq!(*running.store.sequence().borrow(), seq);
    running.end().await;
}

#[tokio::test]
async fn what_somebody_changed_in_the_database_is_repaired_when_it_changes() {
    let world = World::new();
    for name in ["a", "b"] {
        world.fake.put(name, "one").await;
    }
    let running = world.intake(&["things"], &["*"]).await;
    world.agreed(&running).await;
    running.caught_up().await;
    running.end().await;

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.file());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    // Each object is what one of them is.
    let tamper =
        "UPDATE bodies SET bytes = (SELECT b.bytes FROM bodies b ORDER BY b.seq DESC LIMIT 1)";
    sqlx::query(tamper).execute(&pool).await.unwrap();
    pool.close().await;

    let running = world.intake(&["things"], &["*"]).await;
    running.caught_up().await;
    assert_ne!(running.objects().await, world.fake.wanted());
    for name in ["a", "b"] {
        world.fake.put(name, "two").await;
    }
    world.agreed(&running).await;
    running.end().await;
}

#[tokio::test]
async fn two_words_for_one_resource_are_one_stream() {
    let world = World::new();
    world.fake.put("a", "one").await;
    let running = world.intake(&["things", "thg"], &["*"]).await;
    world.agreed(&running).await;
    for value in ["two", "three"] {
        world.fake.put("a", value).await;
        world.fake.put(value, value).await;
        world.agreed(&running).await;
    }
    world.fake.delete("two").await;
    world.agreed(&running).await;
    let objects = running.reports().into_iter();
    let objects = objects.filter(|report| report.view == "objects");
    assert_eq!(objects.map(|report| report.clusters).sum::<usize>(), 1);
    running.end().await;
}

#[tokio::test]
async fn a_cluster_that_was_forgotten_and_comes_back_is_stored_again() {
    let world = World::new();
    world.fake.put("a", "one").await;
    // One that is named is followed on.
    let running = world.intake(&["things"], &["east"]).await;
    world.agreed(&running).await;
    running.caught_up().await;
    let before = *running.store.sequence().borrow();
    running.informer.forget(&east()).await.unwrap();
    let mut ticks = running.store.sequence();
    let gone = ticks.wait_for(|seq| *seq > before);
    let gone = tokio::time::timeout(Duration::from_secs(20), gone).await;
    assert!(gone.is_ok(), "{:?}", running.reports());
    drop(gone);
    world.source.send_replace(true);
    world.fake.put("b", "one").await;
    let _source = serve(&world.broker, &world.fake);
    world.agreed(&running).await;
    running.end().await;
}

#[tokio::test]
async fn what_was_cut_in_the_middle_is_made_whole() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.fake.put(name, "one").await;
    }
    let running = world.intake(&["things"], &["*"]).await;
    world.agreed(&running).await;
    running.caught_up().await;
    running.end().await;

    // As if the first of several batches had been all.
    let store = open(&world.file()).await;
    let stream = store::StreamKey {
        cluster: east(),
        resource: "things.v1".parse().unwrap(),
        view: View::Objects,
    };
    let batch = store::Batch {
        changes: vec![
            (key("a"), Some(object("a", "never"))),
            (key("b"), None),
            (key("x"), Some(object("x", "gone"))),
        ],
        ..store::Batch::new(stream)
    };
    store.write(batch).await.unwrap();
    store.close().await;
    drop(store);

    let running = world.intake(&["things"], &["*"]).await;
    world.agreed(&running).await;
    running.end().await;
}
