//! Several controlplanes share the clusters: each is one's at a time, and those of one that dies are others'.

use super::{Controlplane, copy, get, hub, secret, until};
use crate::programs::Syncer;
use crate::scene::Scene;
use bed::{Cluster, User};
use mqtt_informer::protocol::message::View;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::store::{Clusters, Filter, GroupResource, List, Options, Store, Stored};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Clusters that are there.
const REAL: [&str; 3] = ["share1", "share2", "share3"];
/// Names that nobody answers to, so that each member has a share.
const NAMES: usize = 24;
const LEASE: Duration = Duration::from_secs(3);

fn put(cluster: &Cluster, namespace: &str, range: std::ops::Range<usize>, value: &str) {
    let one = |number| {
        let metadata = json!({"name": format!("c{number}"), "namespace": namespace, "labels": {"share": namespace}});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"v": value}});
        format!("{object}\n---\n")
    };
    cluster.apply(&range.map(one).collect::<String>()).unwrap();
}

/// Name to data and resourceVersion.
fn facts(object: &Value) -> (String, (Value, Value)) {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().unwrap().to_owned();
    let version = metadata["resourceVersion"].clone();
    (name, (object["data"].clone(), version))
}

fn oracle(cluster: &Cluster, namespace: &str) -> BTreeMap<String, (Value, Value)> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps?labelSelector=share={namespace}");
    let list = get(cluster, &path).unwrap();
    let items = list["items"].as_array().unwrap();
    items.iter().map(facts).collect()
}

/// All that the database has of a cluster.
fn stored(url: &str, cluster: &str) -> BTreeMap<String, (Value, Value)> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(url, Options::default()).await.unwrap();
        let filter = Filter {
            clusters: Clusters::one(ClusterName::new(cluster).unwrap()),
            resource: GroupResource {
                group: String::new(),
                plural: "configmaps".into(),
            },
            view: View::Objects,
            ..Filter::default()
        };
        let list = List {
            filter,
            ..List::default()
        };
        let items = store.list(&list).await.unwrap().items;
        store.close().await;
        let read = |it: &Stored| facts(&serde_json::from_slice(&it.value).unwrap());
        items.iter().map(read).collect()
    })
}

/// Waits until the database has what the API servers have.
fn until_agreed(url: &str, cluster: &Cluster, namespace: &str, members: &[&Controlplane]) {
    for name in REAL {
        let agreed = bed::wait_for("the database agrees", || {
            let agrees = stored(url, name) == oracle(cluster, namespace);
            Ok(agrees.then_some(()))
        });
        agreed.unwrap_or_else(|error| {
            let logs: Vec<_> = members.iter().map(|it| it.process.err()).collect();
            panic!("{error}: {name}\n{}", logs.join("\n---\n"))
        });
    }
}

fn written(member: &Controlplane) -> f64 {
    member.labelled(
        "store_clusters_synced",
        "resource=\"configmaps\",view=\"objects\"",
    )
}

/// A metric without labels.
fn figure(member: &Controlplane, name: &str) -> f64 {
    let text = member.metrics();
    let name = format!("mqinformer_controlplane_{name} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&name));
    value
        .unwrap_or_else(|| panic!("no {name}\n{text}"))
        .parse()
        .unwrap()
}

/// Waits until all have an owner, and each of the members has some.
fn until_shared(members: &[&Controlplane]) {
    let shared = bed::wait_for("the clusters are shared", || {
        let all = |name: &str| {
            members
                .iter()
                .map(|it| figure(it, name))
                .collect::<Vec<_>>()
        };
        let (there, shares) = (all("share_members"), all("share_clusters"));
        let reals: f64 = members.iter().map(|it| written(it)).sum();
        let shared = there.iter().all(|count| *count == members.len() as f64)
            && shares.iter().all(|share| *share > 0.0)
            && shares.iter().sum::<f64>() == NAMES as f64
            && reals == REAL.len() as f64;
        Ok(shared.then_some(()))
    });
    shared.unwrap_or_else(|error| {
        let logs: Vec<_> = members
            .iter()
            .map(|it| it.metrics() + &it.process.err())
            .collect();
        panic!("{error}\n{}", logs.join("\n---\n"))
    });
}

/// A write that came too late would have been refused: none was.
fn assert_no_rivals(members: &[&Controlplane]) {
    for member in members {
        for view in ["rows", "objects"] {
            let labels = format!("resource=\"configmaps\",view=\"{view}\"");
            assert_eq!(member.labelled("store_failed_total", &labels), 0.0);
        }
    }
}

#[test]
fn who_dies_is_replaced_and_who_comes_back_takes_its_share() {
    let scene = Scene::new("share");
    let cluster = scene.shared();
    let namespace = cluster.namespace("share").unwrap();
    let url = scene.bed.postgres().unwrap().database().unwrap();
    let kubeconfig = cluster.kubeconfig(User::Admin);
    let _syncers = REAL.map(|name| Syncer::start(&scene.options(name, &kubeconfig, &[])));
    put(&cluster, &namespace, 0..30, "one");
    let names: Vec<_> = (1..=NAMES).map(|n| format!("share{n}")).collect();
    let (selector, names) = (format!("share={namespace}"), names.join(","));
    let lease = format!("{}s", LEASE.as_secs());
    let start = || {
        let words = [
            "--store",
            &url,
            "--resources",
            "configmaps",
            "--selector",
            &selector,
        ];
        let more = ["--cluster", &names, "--share-lease", &lease];
        Controlplane::launch_with(&scene, &[&words[..], &more].concat())
    };
    let (mut one, mut other) = (start(), start());
    one.until_ready();
    other.until_ready();
    until_shared(&[&one, &other]);
    until_agreed(&url, &cluster, &namespace, &[&one, &other]);
    assert_no_rivals(&[&one, &other]);

    // Who writes more is killed.
    if written(&other) > written(&one) {
        std::mem::swap(&mut one, &mut other);
    }
    one.process.kill_9();
    let begin = Instant::now();
    put(&cluster, &namespace, 20..40, "two");
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/c0");
    cluster.api().delete(&path).unwrap().success().unwrap();
    until_shared(&[&other]);
    let took = begin.elapsed();
    println!("taken over after {took:?}, with a lease of {LEASE:?}");
    assert!(took < 5 * LEASE, "{took:?}");
    until_agreed(&url, &cluster, &namespace, &[&other]);

    let mut back = start();
    back.until_ready();
    put(&cluster, &namespace, 30..50, "three");
    until_shared(&[&back, &other]);
    put(&cluster, &namespace, 35..60, "four");
    until_agreed(&url, &cluster, &namespace, &[&back, &other]);
    assert_no_rivals(&[&back, &other]);

    // Who says goodbye need not be waited for.
    assert!(back.process.terminate().success());
    until_shared(&[&other]);
    put(&cluster, &namespace, 0..5, "five");
    until_agreed(&url, &cluster, &namespace, &[&other]);
    assert_no_rivals(&[&other]);
}

#[test]
fn without_a_database_they_find_each_other_by_leases() {
    let scene = Scene::new("share-leases");
    let cluster = scene.shared();
    let hub = hub(&scene);
    let namespace = cluster.namespace("share-leases").unwrap();
    let leases = hub.namespace("share-leases").unwrap();
    let kubeconfig = cluster.kubeconfig(User::Admin);
    let names = ["leases1", "leases2", "leases3", "leases4"];
    let _syncers = names.map(|name| Syncer::start(&scene.options(name, &kubeconfig, &[])));
    cluster.apply(&secret(&namespace, "first", "one")).unwrap();
    let more = [
        "--share",
        "--share-namespace",
        &leases,
        "--share-lease",
        "3s",
        "--cluster",
        "leases*",
    ];
    let start = || Controlplane::start(&scene, &hub, &more);
    let (mut one, other) = (start(), start());
    let shared = |members: &[&Controlplane]| {
        bed::wait_for("the clusters are shared", || {
            let all = |name: &str| {
                members
                    .iter()
                    .map(|it| figure(it, name))
                    .collect::<Vec<_>>()
            };
            let there = all("share_members");
            let all_there = there.iter().all(|count| *count == members.len() as f64);
            Ok((all_there && all("share_clusters").iter().sum::<f64>() == 4.0).then_some(()))
        })
        .unwrap();
    };
    shared(&[&one, &other]);
    for name in names {
        until(&hub, &copy(name, &namespace, "first"), &one.process, |_| {
            true
        });
    }
    one.process.kill_9();
    cluster.apply(&secret(&namespace, "second", "one")).unwrap();
    shared(&[&other]);
    for name in names {
        until(
            &hub,
            &copy(name, &namespace, "second"),
            &other.process,
            |_| true,
        );
    }
}

#[test]
fn a_file_is_not_shared() {
    let scene = Scene::new("share-file");
    let file = format!("sqlite://{}", scene.bed.dir().join("share.db").display());
    let mut refused = Controlplane::launch_with(&scene, &["--store", &file, "--share"]);
    let said = bed::wait_for("it says why", || {
        let said = refused.process.err();
        Ok(said.contains("a SQLite file has one process").then_some(()))
    });
    said.unwrap_or_else(|error| panic!("{error}: {}", refused.process.err()));
    refused.process.kill_9();
}
