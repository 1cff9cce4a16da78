//! Source and informer over an in-process link: the drivers' own tests, without broker or cluster.

use bytes::Bytes;
use mqtt_informer::informer::{
    Freshness, Informer, Keeper, Kept, LinkState, Progress, Subscription,
};
use mqtt_informer::link::LastWill;
use mqtt_informer::link::memory::{Fate, MemoryBroker};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::{self, Saved, Settings};
use mqtt_informer::source::{
    BoxFuture, Event, Health, Identity, Options, Refusal, Resolved, Source, Upstream, UpstreamError,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

mod thin;

/// An API server whose objects the test writes.
#[derive(Default)]
struct Fake {
    entries: Mutex<BTreeMap<Bytes, Bytes>>,
    watchers: Mutex<Vec<mpsc::Sender<Event>>>,
    opened: Mutex<usize>,
}

impl Fake {
    async fn put(&self, key: &'static str, value: &'static str) {
        self.entries
            .lock()
            .unwrap()
            .insert(key.into(), value.into());
        self.tell(|| Event::Put(key.into(), value.into(), 0)).await;
    }

    async fn delete(&self, key: &'static str) {
        self.entries.lock().unwrap().remove(key.as_bytes());
        self.tell(|| Event::Delete(key.into(), 0)).await;
    }

    async fn tell(&self, event: impl Fn() -> Event) {
        let watchers = self.watchers.lock().unwrap().clone();
        for watcher in watchers {
            // One that is gone needs to be told nothing.
            let _ = watcher.send(event()).await;
        }
    }
}

impl Upstream for Fake {
    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        Box::pin(async move {
            if selection.resource == "secrets" {
                let message = "secrets is forbidden".to_owned();
                return Err(Refusal {
                    code: 403,
                    reason: "Forbidden".into(),
                    message,
                }
                .into());
            }
            Ok(Resolved {
                group: String::new(),
                version: "v1".into(),
                plural: selection.resource.replace("short", "things"),
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
        _selection: &'a Resolved,
        events: mpsc::Sender<Event>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            *self.opened.lock().unwrap() += 1;
            let entries = self.entries.lock().unwrap().clone().into_iter().collect();
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

struct Bench {
    broker: MemoryBroker,
    fake: Arc<Fake>,
    stop: watch::Sender<bool>,
    informer: Informer,
}

fn topics() -> Topics {
    Topics::default()
}

/// Everything ten times as fast: H is 200 ms.
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

fn serve(broker: &MemoryBroker, fake: &Arc<Fake>) -> watch::Sender<bool> {
    let options = Options {
        cluster: east(),
        role: "syncer",
        labels: vec![],
        retained: true,
        topics: topics(),
        settings: settings(),
    };
    let source = Source::new(options);
    let (topic, payload) = source.last_will();
    let control = broker.connect(
        "source",
        "east",
        Some(LastWill {
            topic,
            payload,
            retain: true,
        }),
    );
    let bulk = broker.connect("source-bulk", "east", None);
    let (stop, stopped) = watch::channel(false);
    let upstream: Arc<dyn Upstream> = Arc::clone(fake) as _;
    tokio::spawn(source.run(
        control,
        bulk,
        upstream,
        watch::Sender::new(Health::default()),
        stopped,
    ));
    stop
}

fn bench() -> Bench {
    let (broker, fake) = (MemoryBroker::new(), Arc::new(Fake::default()));
    let stop = serve(&broker, &fake);
    let informer =
        Informer::start(broker.connect("viewer", "-", None), topics(), settings()).unwrap();
    Bench {
        broker,
        fake,
        stop,
        informer,
    }
}

fn things() -> Selection {
    Selection {
        resource: "things".into(),
        view: View::Objects,
        ..Selection::default()
    }
}

/// Waits until the copy is as wanted.
async fn until(subscription: &Subscription, wanted: &[(&str, &str)]) {
    let mut versions = subscription.store().versions();
    let wanted: BTreeMap<_, _> = wanted
        .iter()
        .map(|(key, value)| {
            (
                Bytes::copy_from_slice(key.as_bytes()),
                Bytes::copy_from_slice(value.as_bytes()),
            )
        })
        .collect();
    let agreed = async {
        loop {
            let snapshot = subscription.store().snapshot();
            if snapshot.seq > 0
                && snapshot
                    .entries
                    .clone()
                    .into_iter()
                    .collect::<BTreeMap<_, _>>()
                    == wanted
            {
                return;
            }
            versions.changed().await.unwrap();
        }
    };
    let agreed = tokio::time::timeout(Duration::from_secs(20), agreed).await;
    agreed.unwrap_or_else(|_| {
        panic!(
            "{:?} instead of {wanted:?}, {:?}",
            subscription.store().snapshot(),
            subscription.store().state().borrow()
        )
    });
}

#[tokio::test]
async fn a_copy_is_what_the_source_has_and_follows_it() {
    let bench = bench();
    bench.fake.put("a", "1").await;
    let subscription = bench.informer.subscribe(&east(), things());
    until(&subscription, &[("a", "1")]).await;
    bench.fake.put("b", "2").await;
    bench.fake.put("a", "3").await;
    until(&subscription, &[("a", "3"), ("b", "2")]).await;
    bench.fake.delete("a").await;
    until(&subscription, &[("b", "2")]).await;
    let mut state = subscription.store().state();
    let fresh = state.wait_for(|state| {
        state.freshness == Freshness::Fresh && state.progress == Progress::Synced
    });
    tokio::time::timeout(Duration::from_secs(5), fresh)
        .await
        .unwrap()
        .unwrap();
}

/// Whoever never answers takes no room from those who do, however many streams of it are asked for.
#[tokio::test]
async fn who_is_not_there_is_not_waited_for() {
    let bench = bench();
    bench.fake.put("a", "1").await;
    let nobody = ClusterName::new("nobody").unwrap();
    let in_vain = |number| Selection {
        labels: format!("number={number}"),
        ..things()
    };
    let _vain: Vec<_> = (0..100)
        .map(|number| bench.informer.subscribe(&nobody, in_vain(number)))
        .collect();
    let subscription = bench.informer.subscribe(&east(), things());
    until(&subscription, &[("a", "1")]).await;
}

/// A name may have 253 bytes, and so may a namespace: an answer is cut anywhere among them.
#[tokio::test]
async fn an_answer_of_many_pages_comes_whole_however_long_its_keys_are() {
    let bench = bench();
    let entries = (0..600_u32).map(|number| {
        let hash = number.wrapping_mul(2_654_435_761);
        let key = format!("{}/{hash:0253}", "n".repeat(253));
        (key, format!("{hash:x}").repeat(100))
    });
    let entries: Vec<(String, String)> = entries.collect();
    for (key, value) in entries.clone() {
        let mut held = bench.fake.entries.lock().unwrap();
        held.insert(key.into(), value.into());
    }
    let subscription = bench.informer.subscribe(&east(), things());
    let wanted: Vec<_> = entries.iter().map(|(k, v)| (&**k, &**v)).collect();
    until(&subscription, &wanted).await;
}

#[tokio::test]
async fn a_copy_survives_lost_messages_and_lost_links() {
    let bench = bench();
    bench.fake.put("a", "1").await;
    let subscription = bench.informer.subscribe(&east(), things());
    until(&subscription, &[("a", "1")]).await;
    let mut count = 0;
    bench.broker.set_fate(move |_, _| {
        count += 1;
        if count % 3 == 0 {
            Fate::Lost
        } else {
            Fate::Delivered
        }
    });
    for value in ["2", "3", "4"] {
        bench.fake.put("a", value).await;
    }
    until(&subscription, &[("a", "4")]).await;
    for client in ["viewer", "source", "source-bulk"] {
        bench.broker.cut(client);
        bench.fake.put("b", client).await;
        bench.broker.restore(client);
        until(&subscription, &[("a", "4"), ("b", client)]).await;
    }
}

#[tokio::test]
async fn a_source_that_starts_anew_is_followed() {
    let bench = bench();
    bench.fake.put("a", "1").await;
    let subscription = bench.informer.subscribe(&east(), things());
    until(&subscription, &[("a", "1")]).await;
    bench.stop.send_replace(true);
    bench.fake.put("a", "2").await;
    let _stop = serve(&bench.broker, &bench.fake);
    until(&subscription, &[("a", "2")]).await;
}

#[tokio::test]
async fn readers_of_one_stream_share_one_watch_and_one_copy() {
    let bench = bench();
    bench.fake.put("a", "1").await;
    let first = bench.informer.subscribe(&east(), things());
    until(&first, &[("a", "1")]).await;
    let second = bench.informer.subscribe(&east(), things());
    until(&second, &[("a", "1")]).await;
    assert_eq!(second.store().notices().len(), 1);
    drop(first);
    bench.fake.put("a", "2").await;
    until(&second, &[("a", "2")]).await;
    assert_eq!(*bench.fake.opened.lock().unwrap(), 1);
}

#[tokio::test]
async fn two_words_for_one_stream_share_its_copy() {
    let bench = bench();
    bench.fake.put("a", "1").await;
    let long = bench.informer.subscribe(&east(), things());
    let short = bench.informer.subscribe(
        &east(),
        Selection {
            resource: "short".into(),
            ..things()
        },
    );
    until(&long, &[("a", "1")]).await;
    until(&short, &[("a", "1")]).await;
    drop(long);
    bench.fake.put("a", "2").await;
    until(&short, &[("a", "2")]).await;
    assert_eq!(*bench.fake.opened.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_refusal_is_words() {
    let bench = bench();
    let subscription = bench.informer.subscribe(
        &east(),
        Selection {
            resource: "secrets".into(),
            ..things()
        },
    );
    let mut state = subscription.store().state();
    let refused =
        state.wait_for(|state| matches!(&state.progress, Progress::Refused { code: 403, .. }));
    tokio::time::timeout(Duration::from_secs(5), refused)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_cluster_is_found_and_its_last_will_is_heard() {
    let bench = bench();
    let mut clusters = bench.informer.clusters();
    let found = clusters.wait_for(|clusters| {
        clusters
            .get(&east())
            .is_some_and(|cluster| !cluster.offline)
    });
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(5), found)
            .await
            .unwrap()
            .unwrap()[&east()]
            .presence
            .cluster_uid,
        "uid"
    );
    tokio::time::timeout(Duration::from_secs(5), bench.informer.discovered())
        .await
        .unwrap();
    bench.broker.cut("source");
    let gone =
        clusters.wait_for(|clusters| clusters.get(&east()).is_some_and(|cluster| cluster.offline));
    tokio::time::timeout(Duration::from_secs(5), gone)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*bench.informer.link_state().borrow(), LinkState::Up);
}

/// Keeps in memory what a disk would keep, as the same bytes.
#[derive(Default)]
struct Shelf {
    kept: Mutex<Vec<Vec<u8>>>,
    loaded: Mutex<usize>,
}

impl Keeper for Shelf {
    fn load(&self, cluster: &ClusterName, _: &Selection) -> Option<replica::Copy> {
        assert_eq!(*cluster, east());
        *self.loaded.lock().unwrap() += 1;
        let bytes = self.kept.lock().unwrap().last()?.clone();
        Some(Saved::from_bytes(bytes.into()).unwrap().copy)
    }

    fn keep(&self, kept: Kept) {
        let saved = Saved {
            label: Bytes::new(),
            copy: kept.copy,
        };
        self.kept.lock().unwrap().push(saved.to_bytes());
    }

    fn missing(&self, selection: &Selection) -> String {
        format!("nothing is kept of {}", selection.resource)
    }
}

fn with(broker: &MemoryBroker, shelf: &Arc<Shelf>) -> Informer {
    let keeper: Arc<dyn Keeper> = Arc::clone(shelf) as _;
    let builder = Informer::builder().topics(topics()).settings(settings());
    builder
        .connection(broker.connect("viewer", "-", None))
        .keeper(keeper)
        .start()
        .unwrap()
}

/// Bytes of answers since the last look.
fn counted(broker: &MemoryBroker) -> impl Fn() -> usize + use<> {
    let bytes = Arc::new(Mutex::new(0));
    let count = Arc::clone(&bytes);
    broker.set_fate(move |_, message| {
        if message.topic.contains("/reply/") {
            *count.lock().unwrap() += message.payload.len();
        }
        Fate::Delivered
    });
    move || std::mem::take(&mut *bytes.lock().unwrap())
}

#[tokio::test]
async fn what_was_kept_saves_bytes_and_is_shown_when_it_is_proven() {
    let bench = bench();
    let entries: Vec<(String, String)> = (0..500_u32)
        .map(|number| {
            (
                format!("n/{number:04}"),
                format!("{:x}", number.wrapping_mul(2_654_435_761)).repeat(9),
            )
        })
        .collect();
    let all = |more: &[(&str, &str)]| {
        let mut wanted: BTreeMap<String, String> = entries.iter().cloned().collect();
        wanted.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        wanted
    };
    for (key, value) in entries.clone() {
        bench
            .fake
            .entries
            .lock()
            .unwrap()
            .insert(key.into(), value.into());
    }
    let holds = async |subscription: &Subscription, wanted: BTreeMap<String, String>| {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        until(subscription, &wanted).await;
    };
    let shelf = Arc::new(Shelf::default());
    let bytes = counted(&bench.broker);
    let informer = with(&bench.broker, &shelf);
    let subscription = informer.subscribe(&east(), things());
    holds(&subscription, all(&[])).await;
    let cold = bytes();
    drop(subscription);
    informer.close().await;
    assert_eq!(shelf.kept.lock().unwrap().len(), 1);
    // It has asked, and nobody answers: what was kept is not shown.
    let (asked, mut was_asked) = watch::channel(false);
    bench.broker.set_fate(move |_, message| {
        if message.topic.starts_with("/signal/east") {
            asked.send_replace(true);
        }
        Fate::Lost
    });
    let informer = with(&bench.broker, &shelf);
    let subscription = informer.subscribe(&east(), things());
    was_asked.wait_for(|asked| *asked).await.unwrap();
    assert!(!subscription.store().state().borrow().synced);
    assert!(!subscription.store().snapshot().is_whole());
    bench.fake.put("n/0007", "new").await;
    let bytes = counted(&bench.broker);
    holds(&subscription, all(&[("n/0007", "new")])).await;
    let warm = bytes();
    assert!(warm * 5 < cold, "{warm} bytes instead of {cold}");
    assert_eq!(*shelf.loaded.lock().unwrap(), 2);
}

#[tokio::test]
async fn what_nobody_has_proven_is_not_kept_again() {
    let (broker, shelf) = (MemoryBroker::new(), Arc::new(Shelf::default()));
    let mut copy = replica::Copy {
        seq: 3,
        ..replica::Copy::default()
    };
    copy.entries.insert("a".into(), "1".into());
    let saved = Saved {
        label: Bytes::new(),
        copy,
    };
    shelf.kept.lock().unwrap().push(saved.to_bytes());
    let informer = with(&broker, &shelf);
    let subscription = informer.subscribe(&east(), things());
    informer.discovered().await;
    drop(subscription);
    informer.close().await;
    assert_eq!(shelf.kept.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_broker_what_was_kept_is_there_and_nothing_else() {
    let shelf = Arc::new(Shelf::default());
    let offline = || {
        let keeper: Arc<dyn Keeper> = Arc::clone(&shelf) as _;
        Informer::builder().offline(keeper, []).start().unwrap()
    };
    let informer = offline();
    informer.discovered().await;
    let subscription = informer.subscribe(&east(), things());
    let mut state = subscription.store().state();
    let refused = state
        .wait_for(|state| matches!(state.progress, Progress::Refused { .. }))
        .await;
    let message = format!("{:?}", refused.unwrap().progress);
    assert!(message.contains("nothing is kept of things"), "{message}");
    let copy = replica::Copy {
        seq: 3,
        entries: [(Bytes::from("a"), Bytes::from("1"))].into_iter().collect(),
        ..replica::Copy::default()
    };
    let saved = Saved {
        label: Bytes::new(),
        copy,
    };
    shelf.kept.lock().unwrap().push(saved.to_bytes());
    let informer = offline();
    let subscription = informer.subscribe(&east(), things());
    until(&subscription, &[("a", "1")]).await;
    assert_eq!(subscription.store().age().freshness, Freshness::Unknown);
    drop(subscription);
    informer.close().await;
    assert_eq!(
        shelf.kept.lock().unwrap().len(),
        1,
        "and is not kept as if it were new"
    );
}
