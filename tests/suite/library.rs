//! The library's face over an in-process link: builder, stores, many clusters, and kube-rs's events.

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::controller::Action;
use kube::runtime::watcher::{Error, Event};
use kube::runtime::{Controller, WatchStreamExt, reflector};
use mqtt_informer::informer::{
    Clusters, Freshness, Informer, Scope, Store, Unavailable, Update, Watch,
};
use mqtt_informer::link::memory::MemoryBroker;
use mqtt_informer::playground::{Playground, Served, Spec};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::replica::Settings;
use serde_json::json;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// How long anything may take; nothing waits for it in vain when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything ten times as fast: H is 200 ms.
fn settings() -> Settings {
    Settings {
        heartbeat: Duration::from_millis(200),
        first_timeout: Duration::from_millis(200),
        lease: Duration::from_secs(6),
        linger: Duration::from_millis(500),
        settle: Duration::from_millis(20),
        ..Settings::default()
    }
}

fn name(name: &str) -> ClusterName {
    ClusterName::new(name).unwrap()
}

/// A cluster in this process, and its syncer.
struct Cluster {
    playground: Playground,
    served: Option<Served>,
    broker: MemoryBroker,
    name: ClusterName,
}

impl Cluster {
    async fn start(broker: &MemoryBroker, called: &str) -> Self {
        let mut cluster = Self {
            playground: Playground::start(Spec::empty()).await.unwrap(),
            served: None,
            broker: broker.clone(),
            name: name(called),
        };
        cluster.serve();
        cluster
    }

    fn serve(&mut self) {
        let served = self
            .playground
            .serve_with(&self.broker, &self.name, settings());
        self.served = Some(served.unwrap());
    }

    fn put(&self, name: &str, value: &str) {
        self.playground.put(
            "configmaps",
            json!({"metadata": {"name": name, "namespace": "shop"}, "data": {"v": value}}),
        );
    }

    fn delete(&self, name: &str) {
        self.playground.delete("configmaps", "shop", name);
    }
}

fn informer(broker: &MemoryBroker, clusters: &[&str]) -> Informer {
    Informer::builder()
        .connection(broker.connect("viewer", "-", None))
        .settings(settings())
        .clusters(Clusters::new(clusters).unwrap())
        .start()
        .unwrap()
}

fn config_maps() -> Selection {
    Selection {
        resource: "configmaps".into(),
        namespace: "shop".into(),
        view: View::Objects,
        ..Selection::default()
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// Waits for an update that is as wanted; others are passed over.
async fn until(watch: &mut Watch, what: &str, wanted: impl Fn(&Update) -> bool) {
    let found = async {
        loop {
            let update = watch.next().await.unwrap();
            if wanted(&update) {
                return;
            }
        }
    };
    within(what, found).await;
}

/// Whether an update tells of this key in this cluster, and whether it is there.
fn tells<'a>(cluster: &'a str, key: &'a str, there: bool) -> impl Fn(&Update) -> bool + 'a {
    move |update| {
        let Update::Changed(of, notices) = update else {
            return false;
        };
        of.as_str() == cluster
            && notices
                .iter()
                .any(|notice| notice.key == key && notice.new.is_some() == there)
    }
}

#[tokio::test]
async fn clusters_that_come_and_go_are_followed() {
    let broker = MemoryBroker::new();
    let mut east = Cluster::start(&broker, "prod-east").await;
    let _other = Cluster::start(&broker, "test").await;
    east.put("a", "1");
    let informer = informer(&broker, &["prod-*"]);
    let mut watch = informer.watch_all(config_maps());
    until(
        &mut watch,
        "east's copy",
        tells("prod-east", "shop/a", true),
    )
    .await;
    let west = Cluster::start(&broker, "prod-west").await;
    west.put("b", "1");
    until(
        &mut watch,
        "west's copy",
        tells("prod-west", "shop/b", true),
    )
    .await;
    let members = |watch: &Watch| {
        watch
            .members()
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        members(&watch),
        ["prod-east", "prod-west"],
        "and not `test`"
    );

    // One whose source is gone stays, with what was last known, and grows old.
    east.served = None;
    let is_stale = |update: &Update| matches!(update, Update::State(of, state) if *of == name("prod-east") && state.freshness == Freshness::Stale);
    until(&mut watch, "east is stale", is_stale).await;
    let member = &watch.members()[&name("prod-east")];
    let (snapshot, age) = member.store().read();
    assert!(snapshot.get("shop", "a").is_some() && member.cluster().unwrap().offline);
    assert!(age.freshness == Freshness::Stale && age.at_most.unwrap() > settings().stale_after());
    assert_eq!(
        informer.age(&name("prod-east")).unwrap().freshness,
        Freshness::Stale
    );
    assert_eq!(
        informer.age(&name("prod-west")).unwrap().freshness,
        Freshness::Fresh
    );
    assert!(informer.age(&name("test")).is_none());

    east.put("a", "2");
    east.serve();
    until(
        &mut watch,
        "east is back",
        tells("prod-east", "shop/a", true),
    )
    .await;

    drop(west);
    until(
        &mut watch,
        "west is offline",
        |update| matches!(update, Update::Presence(of) if *of == name("prod-west")),
    )
    .await;
    assert!(informer.forget(&name("prod-west")).await);
    until(&mut watch, "west is forgotten", |update| {
        *update == Update::Left(name("prod-west"))
    })
    .await;
    assert_eq!(members(&watch), ["prod-east"]);
}

#[tokio::test]
async fn a_cluster_that_was_named_is_asked_before_it_is_there() {
    let broker = MemoryBroker::new();
    let informer = informer(&broker, &["east"]);
    let mut watch = informer.watch_all(config_maps());
    until(&mut watch, "it has joined", |update| {
        *update == Update::Joined(name("east"))
    })
    .await;
    until(&mut watch, "nobody is there", |update| {
        *update == Update::Discovered
    })
    .await;
    assert!(watch.members()[&name("east")].cluster().is_none());
    let east = Cluster::start(&broker, "east").await;
    east.put("a", "1");
    until(&mut watch, "its copy", tells("east", "shop/a", true)).await;
}

/// The age that a store tells, and the truth: when its API server began to hang.
#[tokio::test]
async fn an_age_is_never_less_than_the_truth() {
    let broker = MemoryBroker::new();
    let east = Cluster::start(&broker, "east").await;
    east.put("a", "1");
    let informer = informer(&broker, &[]);
    let subscription = informer.subscribe(&name("east"), config_maps());
    let store: Store = subscription.store().clone();
    within("a copy", store.changes().next()).await;
    east.playground.faults().hang();
    let hung = Instant::now();
    // Nothing that the API server does from now on can be in the copy.
    east.put("a", "2");
    let mut state = store.state();
    let stale = state.wait_for(|state| {
        let age = store.age();
        assert!(
            age.at_most.unwrap() + settings().heartbeat > hung.elapsed(),
            "{age:?}"
        );
        state.freshness == Freshness::Stale
    });
    within("it is stale", stale).await.unwrap();
    let (snapshot, age) = store.read();
    assert!(age.at_most.unwrap() > settings().stale_after(), "{age:?}");
    assert!(age.since <= Instant::now() && snapshot.len() == 1);
}

/// The next event as one word and a name.
async fn event<S>(events: &mut S) -> String
where
    S: Stream<Item = Result<Event<ConfigMap>, Error>> + Unpin,
{
    match within("an event", events.next()).await.unwrap() {
        Ok(Event::Init) => "init".into(),
        Ok(Event::InitDone) => "done".into(),
        Ok(Event::InitApply(object)) => format!("first {}", object.name_any()),
        Ok(Event::Apply(object)) => {
            format!("apply {} {}", object.name_any(), object.data.unwrap()["v"])
        }
        Ok(Event::Delete(object)) => {
            format!("delete {} {}", object.name_any(), object.data.unwrap()["v"])
        }
        Err(error) => match Unavailable::of(&error).unwrap() {
            Unavailable::Refused { code, .. } => format!("refused {code}"),
            Unavailable::Broker { .. } => "no broker".into(),
            Unavailable::Offline { cluster } => format!("{cluster} is offline"),
            Unavailable::ApiServer { .. } => "no API server".into(),
            Unavailable::Stale { .. } => "stale".into(),
            Unavailable::Silent { cluster } => format!("{cluster} is silent"),
        },
    }
}

#[tokio::test]
async fn an_outage_is_told_once_and_nothing_is_told_twice() {
    let broker = MemoryBroker::new();
    let mut east = Cluster::start(&broker, "east").await;
    east.put("a", "1");
    east.put("b", "1");
    let informer = informer(&broker, &[]);
    let mut events = informer
        .watcher::<ConfigMap>(&name("east"), Scope::all().namespace("shop"))
        .boxed();
    for wanted in ["init", "first a", "first b", "done"] {
        assert_eq!(event(&mut events).await, wanted);
    }
    east.put("a", "2");
    assert_eq!(event(&mut events).await, "apply a 2");
    broker.cut("viewer");
    assert_eq!(event(&mut events).await, "no broker");
    east.put("a", "3");
    east.delete("b");
    broker.restore("viewer");
    assert_eq!(event(&mut events).await, "apply a 3");
    assert_eq!(event(&mut events).await, "delete b 1");
    east.served = None;
    assert_eq!(event(&mut events).await, "east is offline");
    east.delete("a");
    east.put("a", "4");
    east.serve();
    assert_eq!(event(&mut events).await, "delete a 3", "another object");
    assert_eq!(event(&mut events).await, "apply a 4");
    east.playground.faults().hang();
    let told = event(&mut events).await;
    assert!(
        ["no API server", "stale"].contains(&told.as_str()),
        "{told}"
    );
}

#[tokio::test]
async fn a_cluster_that_is_not_there_and_one_that_refuses_are_told() {
    let broker = MemoryBroker::new();
    let informer = informer(&broker, &[]);
    let mut events = informer
        .watcher::<ConfigMap>(&name("nowhere"), Scope::all())
        .boxed();
    assert_eq!(event(&mut events).await, "nowhere is silent");
    let east = Cluster::start(&broker, "east").await;
    east.playground.faults().refuse("configmaps");
    let mut events = informer
        .watcher::<ConfigMap>(&name("east"), Scope::all())
        .boxed();
    assert_eq!(event(&mut events).await, "refused 403");
    east.playground.faults().allow("configmaps");
    let wrong = Scope::all().labels("a=b=c");
    let mut events = informer.watcher::<ConfigMap>(&name("east"), wrong).boxed();
    assert_eq!(event(&mut events).await, "refused 400");
}

#[tokio::test]
async fn kinds_known_at_run_time_and_scopes_are_watched() {
    let broker = MemoryBroker::new();
    let east = Cluster::start(&broker, "east").await;
    for (resource, name, tier) in [
        ("deployments.apps", "web", "front"),
        ("deployments.apps", "db", "back"),
    ] {
        let object =
            json!({"metadata": {"name": name, "namespace": "shop", "labels": {"tier": tier}}});
        east.playground.put(resource, object);
    }
    let informer = informer(&broker, &[]);
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", "Deployment"));
    let scope = Scope::all().labels("tier=front");
    let events = informer.watcher_with::<DynamicObject>(&name("east"), scope, &kind);
    let mut applied = pin!(events.applied_objects());
    let object = within("an object", applied.try_next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            object.name_any().as_str(),
            object.types.unwrap().kind.as_str()
        ),
        ("web", "Deployment")
    );
}

#[tokio::test]
async fn values_of_secrets_do_not_come() {
    let broker = MemoryBroker::new();
    let east = Cluster::start(&broker, "east").await;
    let object =
        json!({"metadata": {"name": "key", "namespace": "shop"}, "data": {"k": "czNjcjN0"}});
    east.playground.put("secrets", object);
    let informer = informer(&broker, &[]);
    let events = informer.watcher::<Secret>(&name("east"), Scope::all().namespace("shop"));
    let mut applied = pin!(events.applied_objects());
    let secret = within("a secret", applied.try_next())
        .await
        .unwrap()
        .unwrap();
    assert!(secret.data.unwrap()["k"].0.is_empty());
}

#[tokio::test]
async fn a_stream_ends_with_its_link() {
    let broker = MemoryBroker::new();
    let connection = broker.connect("viewer", "-", None);
    let link = Arc::clone(&connection.link);
    let informer = Informer::builder().connection(connection).start().unwrap();
    let mut events = informer
        .watcher::<ConfigMap>(&name("east"), Scope::all())
        .boxed();
    let mut watch = informer.watch_all(config_maps());
    link.close();
    assert!(
        within("the end of the stream", events.next())
            .await
            .is_none()
    );
    let end = async { while watch.next().await.is_some() {} };
    within("the end of the watch", end).await;
}

/// kube-rs's own controller, with the back-off that it has inside.
#[tokio::test]
async fn a_controller_goes_on_after_an_outage() {
    let broker = MemoryBroker::new();
    let mut east = Cluster::start(&broker, "east").await;
    east.put("a", "1");
    let informer = informer(&broker, &[]);
    let (reader, writer) = reflector::store();
    let (told, mut seen) = mpsc::unbounded_channel();
    let (deleted, troubles) = (told.clone(), told.clone());
    let changes = informer
        .watcher::<ConfigMap>(&name("east"), Scope::all().namespace("shop"))
        .inspect(move |event| match event {
            Ok(Event::Delete(object)) => {
                deleted.send(format!("gone {}", object.name_any())).unwrap()
            }
            Err(_) => troubles.send("trouble".to_owned()).unwrap(),
            Ok(_) => {}
        })
        .reflect(writer)
        .applied_objects();
    let reconcile = move |object: Arc<ConfigMap>, _: Arc<()>| {
        let value = &object.data.as_ref().unwrap()["v"];
        told.send(format!("{} is {value}", object.name_any()))
            .unwrap();
        std::future::ready(Ok::<_, Infallible>(Action::await_change()))
    };
    let controller = Controller::for_stream(changes, reader).run(
        reconcile,
        |_, error: &Infallible, _| match *error {},
        Arc::new(()),
    );
    let running = tokio::spawn(controller.for_each(|_| std::future::ready(())));
    assert_eq!(within("a", seen.recv()).await.unwrap(), "a is 1");
    east.served = None;
    assert_eq!(within("the outage", seen.recv()).await.unwrap(), "trouble");
    east.put("b", "1");
    east.put("a", "2");
    east.delete("a");
    east.serve();
    let mut rest = BTreeSet::new();
    while rest.len() < 2 {
        rest.insert(within("the rest", seen.recv()).await.unwrap());
    }
    assert_eq!(
        rest,
        BTreeSet::from(["b is 1".to_owned(), "gone a".to_owned()])
    );
    running.abort();
}
