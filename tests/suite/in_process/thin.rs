//! Thin copies: a database in memory holds the values, and the informer what is not stored.

use super::*;
use mqtt_informer::informer::{Backing, Unsettled, Update, Watch};
use mqtt_informer::replica::{Copy, Thin};

/// What is stored, as it would be in a database.
#[derive(Default)]
struct Database {
    rows: Mutex<BTreeMap<Bytes, (Bytes, u64)>>,
    position: Mutex<Option<(mqtt_informer::protocol::message::Epoch, u64)>>,
    fetched: watch::Sender<usize>,
}

impl Database {
    /// What a writer does with a batch, in one transaction.
    fn store(&self, unsettled: &Unsettled) {
        let mut rows = self.rows.lock().unwrap();
        if unsettled.is_everything() {
            rows.clear();
        }
        for (key, value) in unsettled.changes() {
            match value {
                Some(value) => drop(rows.insert(key, (value.bytes, value.digest))),
                None => drop(rows.remove(&key)),
            }
        }
        assert!(rows.keys().eq(unsettled.keys()));
        *self.position.lock().unwrap() = Some(unsettled.position());
    }

    fn has(&self, wanted: &[(&str, &str)]) -> bool {
        let rows = self.rows.lock().unwrap();
        let rows = rows.iter().map(|(key, (value, _))| (&key[..], &value[..]));
        rows.eq(wanted.iter().map(|(k, v)| (k.as_bytes(), v.as_bytes())))
    }
}

impl Backing for Database {
    fn load(&self, _: &ClusterName, _: &Selection) -> BoxFuture<'static, Option<Copy>> {
        let rows = self.rows.lock().unwrap();
        let digests = rows.iter().map(|(key, (_, digest))| (key.clone(), *digest));
        let thin = Thin::away(digests);
        let position = *self.position.lock().unwrap();
        let copy = position.map(|position| Copy::of_backing(position, None, thin));
        Box::pin(async { copy })
    }

    fn fetch(
        &self,
        _: &ClusterName,
        _: &Selection,
        keys: Vec<Bytes>,
    ) -> BoxFuture<'static, Option<Vec<(Bytes, Bytes)>>> {
        self.fetched.send_modify(|count| *count += 1);
        let rows = self.rows.lock().unwrap();
        let found = |key: Bytes| rows.get(&key).map(|(value, _)| (key, value.clone()));
        let values = keys.into_iter().filter_map(found).collect();
        Box::pin(async { Some(values) })
    }
}

fn thin(broker: &MemoryBroker, database: &Arc<Database>) -> Informer {
    let builder = Informer::builder().topics(topics()).settings(settings());
    builder
        .connection(broker.connect("viewer", "-", None))
        .thin(Arc::clone(database) as _)
        .start()
        .unwrap()
}

/// Stores whatever there is until the database has this.
async fn stored(subscription: &Subscription, database: &Database, wanted: &[(&str, &str)]) {
    let mut versions = subscription.store().versions();
    let all = async {
        loop {
            versions.mark_unchanged();
            if let Some(unsettled) = subscription.unsettled() {
                database.store(&unsettled);
                subscription.settled(&unsettled);
            }
            if database.has(wanted) {
                break;
            }
            versions.changed().await.unwrap();
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(10), all).await;
    assert!(done.is_ok(), "{:?}", database.rows.lock().unwrap());
}

fn long(letter: &str) -> &'static str {
    let text: String = (0..600).map(|n| format!("{letter}{n};")).collect();
    text.leak()
}

#[tokio::test]
async fn values_are_in_the_database_and_deltas_find_them_there() {
    let bench = bench();
    let (one, two) = (long("a"), long("b"));
    let changed: &'static str = one.replace("a7;", "a7!").leak();
    for (key, value) in [("n/a", one), ("n/b", two)] {
        let entry = (key.into(), value.into());
        bench.fake.entries.lock().unwrap().extend([entry]);
    }
    let database = Arc::new(Database::default());
    let informer = thin(&bench.broker, &database);
    let subscription = informer.subscribe(&east(), things());
    stored(&subscription, &database, &[("n/a", one), ("n/b", two)]).await;
    let snapshot = subscription.store().snapshot();
    assert!(snapshot.is_whole() && snapshot.entries.is_empty());
    assert!(subscription.unsettled().is_none());
    bench.fake.put("n/a", changed).await;
    stored(&subscription, &database, &[("n/a", changed), ("n/b", two)]).await;
    assert!(*database.fetched.borrow() > 0, "it was a delta");
    // Another life begins with what is stored, and is told only what differs.
    drop(subscription);
    informer.close().await;
    bench.fake.delete("n/b").await;
    let informer = thin(&bench.broker, &database);
    let mut watch = informer.watch_all(things());
    let unsettled = loop {
        let next = tokio::time::timeout(Duration::from_secs(10), watch.next());
        if let Some(Update::Unsettled(cluster)) = next.await.unwrap() {
            break watch.members()[&cluster].unsettled().unwrap();
        }
    };
    assert!(!unsettled.is_everything());
    let changes: Vec<_> = unsettled.changes().collect();
    assert_eq!(changes, [("n/b".into(), None)]);
}

#[tokio::test]
async fn what_the_database_lost_is_stored_again() {
    let bench = bench();
    let (one, database) = (long("a"), Arc::new(Database::default()));
    let changed: &'static str = one.replace("a7;", "a7!").leak();
    bench
        .fake
        .entries
        .lock()
        .unwrap()
        .extend([("n/a".into(), one.into())]);
    let informer = thin(&bench.broker, &database);
    let subscription = informer.subscribe(&east(), things());
    stored(&subscription, &database, &[("n/a", one)]).await;
    database.rows.lock().unwrap().clear();
    bench.fake.put("n/a", changed).await;
    stored(&subscription, &database, &[("n/a", changed)]).await;
}

/// A value that is as it was before, while what it was meanwhile is being stored.
#[tokio::test]
async fn what_comes_back_while_something_is_stored_is_stored_again() {
    let bench = bench();
    let (one, two) = (long("a"), long("b"));
    let entry = ("n/a".into(), one.into());
    bench.fake.entries.lock().unwrap().extend([entry]);
    let database = Arc::new(Database::default());
    let informer = thin(&bench.broker, &database);
    let mut watch = informer.watch_all(things());
    let told = async |watch: &mut Watch| {
        let next = tokio::time::timeout(Duration::from_secs(10), async {
            while !matches!(watch.next().await, Some(Update::Unsettled(_))) {}
        });
        next.await.unwrap();
    };
    told(&mut watch).await;
    let store = |watch: &Watch| {
        let member = &watch.members()[&east()];
        let unsettled = member.unsettled().unwrap();
        database.store(&unsettled);
        member.settled(&unsettled);
    };
    store(&watch);
    let mut versions = watch.members()[&east()].store().versions();
    versions.mark_unchanged();
    bench.fake.put("n/a", two).await;
    versions.changed().await.unwrap();
    let under_way = watch.members()[&east()].unsettled().unwrap();
    versions.mark_unchanged();
    bench.fake.put("n/a", one).await;
    versions.changed().await.unwrap();
    // Whoever looks meanwhile, by whatever way, takes nothing away.
    told(&mut watch).await;
    assert!(watch.members()[&east()].unsettled().is_none());
    database.store(&under_way);
    watch.members()[&east()].settled(&under_way);
    assert!(database.has(&[("n/a", two)]));
    store(&watch);
    assert!(database.has(&[("n/a", one)]));
}
