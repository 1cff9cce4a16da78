//! kube-rs's events: what its reflectors and controllers get, in peace and in an outage.

use super::{Cluster, config_maps, informer, name, within};
use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::controller::Action;
use kube::runtime::watcher::{Error, Event};
use kube::runtime::{Controller, WatchStreamExt, reflector};
use mqtt_informer::informer::{Informer, Scope, Unavailable};
use mqtt_informer::link::Link;
use mqtt_informer::link::memory::MemoryBroker;
use serde_json::json;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

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
    east.serve().await;
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

/// Waits for the end of all that an informer hands out, after `end` ended it.
async fn ends_all<F: Future<Output = ()>>(end: impl FnOnce(Informer, Arc<dyn Link>) -> F) {
    let broker = MemoryBroker::new();
    let connection = broker.connect("viewer", "-", None);
    let link = Arc::clone(&connection.link);
    let informer = Informer::builder().connection(connection).start().unwrap();
    let mut events = informer
        .watcher::<ConfigMap>(&name("east"), Scope::all())
        .boxed();
    let mut watch = informer.watch_all(config_maps());
    end(informer, link).await;
    assert!(within("the stream's end", events.next()).await.is_none());
    let end = async { while watch.next().await.is_some() {} };
    within("the watch's end", end).await;
}

#[tokio::test]
async fn streams_end_with_their_link() {
    ends_all(|_, link| async move { link.close() }).await;
}

#[tokio::test]
async fn streams_end_with_a_goodbye() {
    ends_all(|informer, _| async move { within("the goodbye", informer.close()).await }).await;
}

#[tokio::test]
async fn a_goodbye_ends_the_clusters_work() {
    let broker = MemoryBroker::new();
    let east = Cluster::start(&broker, "east").await;
    east.put("a", "1");
    let informer = informer(&broker, &[]);
    let mut events = informer
        .watcher::<ConfigMap>(&name("east"), Scope::all())
        .boxed();
    assert_eq!(event(&mut events).await, "init");
    informer.close().await;
    let quiet = async {
        while east.playground.requests().open_watches > 0 {
            tokio::task::yield_now().await;
        }
    };
    // The lease alone would take 6 s.
    timeout(Duration::from_secs(4), quiet).await.unwrap();
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
                deleted.send(format!("gone {}", object.name_any())).unwrap();
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
    east.serve().await;
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
