//! The hub's API server goes away, and the database does.

use super::{Controlplane, copy, password, secret, until, until_gone};
use crate::scene::Scene;
use mqtt_informer::protocol::message::View;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::store::{Clusters, Filter, GroupResource, List, Options, Store};
use std::collections::BTreeMap;

#[test]
fn copies_catch_up_when_the_hub_is_back() {
    let scene = Scene::new("hub-away");
    let cluster = scene.shared();
    let hub = scene.bed.private_cluster("hub-away").unwrap();
    let namespace = cluster.namespace("hub-away").unwrap();
    for name in ["changed", "gone"] {
        cluster.apply(&secret(&namespace, name, "one")).unwrap();
    }
    let _syncer = scene.syncer(&cluster, &[]);
    let controlplane = Controlplane::start(&scene, &hub, &[]);
    let at = |name: &str| copy("cluster1", &namespace, name);
    for name in ["changed", "gone"] {
        until(&hub, &at(name), &controlplane.process, |_| true);
    }

    hub.apiserver().kill_9().unwrap();
    cluster
        .apply(&secret(&namespace, "changed", "two"))
        .unwrap();
    cluster.apply(&secret(&namespace, "new", "one")).unwrap();
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "secret", "gone"])
        .unwrap();
    bed::wait_for("it says that the hub is away", || {
        let (ready, why) = controlplane.ready();
        Ok((!ready && why.contains("secrets are not mirrored")).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", controlplane.process.err()));

    hub.apiserver().restart().unwrap();
    until(&hub, &at("changed"), &controlplane.process, |copy| {
        password(copy) == "dHdv"
    });
    until(&hub, &at("new"), &controlplane.process, |_| true);
    until_gone(&hub, &at("gone"), &controlplane.process);
    controlplane.until_ready();
}

#[test]
fn the_database_catches_up_when_it_is_back() {
    let scene = Scene::new("database-away");
    let cluster = scene.shared();
    let namespace = cluster.namespace("database-away").unwrap();
    let postgres = scene.bed.private_postgres().unwrap();
    let url = postgres.database().unwrap();
    for name in ["changed", "gone"] {
        cluster.apply(&secret(&namespace, name, "one")).unwrap();
    }
    let _syncer = scene.syncer(&cluster, &[]);
    let mut controlplane = Controlplane::launch_with(&scene, &["--store", &url]);
    controlplane.until_ready();
    let objects = "resource=\"secrets\",view=\"objects\"";
    let synced = |controlplane: &Controlplane| {
        controlplane.until_labelled("store_clusters_synced", objects, |clusters| clusters == 1.0);
        controlplane.until_labelled("store_clusters_behind", objects, |clusters| clusters == 0.0);
    };
    synced(&controlplane);

    postgres.component().kill_9().unwrap();
    cluster
        .apply(&secret(&namespace, "changed", "two"))
        .unwrap();
    cluster.apply(&secret(&namespace, "new", "one")).unwrap();
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "secret", "gone"])
        .unwrap();
    bed::wait_for("it says that the database is away", || {
        let (ready, why) = controlplane.ready();
        Ok((!ready && why.contains("the database takes nothing")).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", controlplane.process.err()));

    postgres.restart().unwrap();
    controlplane.until_ready();
    synced(&controlplane);
    assert!(controlplane.process.terminate().success());
    let has = values(&url, &namespace);
    let wanted = [("changed", "dHdv"), ("new", "b25l")];
    assert_eq!(
        has,
        wanted
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
}

/// Name to value of the Secrets that a store has.
fn values(url: &str, namespace: &str) -> BTreeMap<String, String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page = runtime.block_on(async {
        let store = Store::open(url, Options::default()).await.unwrap();
        let filter = Filter {
            clusters: Clusters::one(ClusterName::new("cluster1").unwrap()),
            resource: GroupResource {
                group: String::new(),
                plural: "secrets".into(),
            },
            view: View::Objects,
            namespace: Some(namespace.to_owned()),
            ..Filter::default()
        };
        let list = List {
            filter,
            ..List::default()
        };
        store.list(&list).await.unwrap()
    });
    let read = |value: &[u8]| password(&serde_json::from_slice(value).unwrap()).to_owned();
    page.items
        .iter()
        .map(|it| (it.key.name.clone(), read(&it.value)))
        .collect()
}
