//! Copies and their ages, of one cluster and of many that come and go.

use super::{Cluster, config_maps, informer, name, settings, within};
use mqtt_informer::informer::{ForgetError, Freshness, LinkState, Store, Update, Watch};
use mqtt_informer::link::memory::MemoryBroker;
use tokio::time::Instant;

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
    let is_stale = |update: &Update| match update {
        Update::State(of, state) => *of == name("prod-east") && state.freshness == Freshness::Stale,
        _ => false,
    };
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
    east.serve().await;
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
    informer.forget(&name("prod-west")).await.unwrap();
    until(&mut watch, "west is forgotten", |update| {
        *update == Update::Left(name("prod-west"))
    })
    .await;
    assert_eq!(members(&watch), ["prod-east"]);
}

#[tokio::test]
async fn nothing_is_forgotten_without_a_broker_and_nobody_waits_for_it() {
    let broker = MemoryBroker::new();
    let informer = informer(&broker, &[]);
    let mut link = informer.link_state();
    link.wait_for(|link| *link == LinkState::Up).await.unwrap();
    broker.cut("viewer");
    link.wait_for(|link| *link != LinkState::Up).await.unwrap();
    let forgotten = informer.forget(&name("prod-west")).await;
    assert_eq!(forgotten, Err(ForgetError::Lost));
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
