//! The database has what the clusters have, whatever was killed meanwhile.

use super::{Controlplane, get, hub, until};
use crate::programs::Syncer;
use crate::scene::Scene;
use bed::{Cluster, User};
use mqtt_informer::protocol::message::View;
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::store::{Clusters, Filter, GroupResource, List, Options, Store, Stored};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

fn put(cluster: &Cluster, namespace: &str, range: std::ops::Range<usize>, value: &str) {
    let one = |number| {
        let metadata = json!({"name": format!("c{number}"), "namespace": namespace, "labels": {"intake": namespace}});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"v": value}});
        format!("{object}\n---\n")
    };
    cluster.apply(&range.map(one).collect::<String>()).unwrap();
}

fn remove(cluster: &Cluster, namespace: &str, name: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
    cluster.api().delete(&path).unwrap().success().unwrap();
}

/// Name to data and resourceVersion, as the API server has it.
fn oracle(cluster: &Cluster, namespace: &str) -> BTreeMap<String, (Value, Value)> {
    let path =
        format!("/api/v1/namespaces/{namespace}/configmaps?labelSelector=intake={namespace}");
    let list = get(cluster, &path).unwrap();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(facts)
        .collect()
}

fn facts(object: &Value) -> (String, (Value, Value)) {
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    (
        name,
        (
            object["data"].clone(),
            object["metadata"]["resourceVersion"].clone(),
        ),
    )
}

/// All that a store has of ConfigMaps, and its newest number.
fn stored(file: &Path, cluster: &str, view: View) -> (Vec<Stored>, u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&format!("sqlite://{}", file.display()), Options::default())
            .await
            .unwrap();
        let filter = Filter {
            clusters: Clusters::one(ClusterName::new(cluster).unwrap()),
            resource: GroupResource {
                group: String::new(),
                plural: "configmaps".into(),
            },
            view,
            ..Filter::default()
        };
        let page = store
            .list(&List {
                filter,
                ..List::default()
            })
            .await
            .unwrap();
        store.close().await;
        (page.items, page.at)
    })
}

fn check(file: &Path, cluster: &Cluster, namespace: &str, name: &str) -> u64 {
    let wanted = oracle(cluster, namespace);
    let (objects, at) = stored(file, name, View::Objects);
    let read = |stored: &Stored| facts(&serde_json::from_slice::<Value>(&stored.value).unwrap());
    let has: BTreeMap<_, _> = objects.iter().map(read).collect();
    assert_eq!(has, wanted);
    let (rows, _) = stored(file, name, View::Rows);
    let names: Vec<_> = rows.iter().map(|row| row.key.name.clone()).collect();
    assert_eq!(names, wanted.keys().cloned().collect::<Vec<_>>());
    at
}

#[test]
fn the_database_has_what_the_cluster_has_after_all_that_happens() {
    let scene = Scene::new("intake");
    let cluster = scene.shared();
    let namespace = cluster.namespace("intake").unwrap();
    let selector = format!("intake={namespace}");
    let file = scene.bed.dir().join("intake.db");
    let url = format!("sqlite://{}", file.display());
    let kubeconfig = cluster.kubeconfig(User::Admin);
    let serve = || Syncer::start(&scene.options("intake1", &kubeconfig, &[]));
    let start_with = |more: &[&str]| {
        let words = [
            "--store",
            &url,
            "--resources",
            "configmaps",
            "--selector",
            &selector,
            "--cluster",
            "intake*",
        ];
        let controlplane = Controlplane::launch_with(&scene, &[&words, more].concat());
        controlplane.until_ready();
        controlplane
    };
    let start = || start_with(&[]);
    let caught_up = |controlplane: &Controlplane| {
        let newest = oracle(&cluster, &namespace).len();
        let both =
            ["rows", "objects"].map(|view| format!("resource=\"configmaps\",view=\"{view}\""));
        for labels in both {
            controlplane
                .until_labelled("store_clusters_synced", &labels, |clusters| clusters == 1.0);
            controlplane
                .until_labelled("store_clusters_behind", &labels, |clusters| clusters == 0.0);
        }
        newest
    };
    put(&cluster, &namespace, 0..40, "one");
    let mut syncer = serve();

    let mut controlplane = start();
    assert_eq!(caught_up(&controlplane), 40);
    assert!(controlplane.process.terminate().success());
    let first = check(&file, &cluster, &namespace, "intake1");

    // Nothing has changed: nothing is written. Whole copies are compared by writing them, header included.
    for (more, compared) in [(&[][..], 0.0), (&["--local-cache"][..], 41.0)] {
        let mut controlplane = start_with(more);
        caught_up(&controlplane);
        let objects = "resource=\"configmaps\",view=\"objects\"";
        assert_eq!(
            controlplane.labelled("store_changes_total", objects),
            compared
        );
        assert!(controlplane.process.terminate().success());
        assert_eq!(check(&file, &cluster, &namespace, "intake1"), first);
    }

    // While it is down, and killed while it is at work.
    put(&cluster, &namespace, 30..60, "two");
    remove(&cluster, &namespace, "c0");
    let mut controlplane = start();
    put(&cluster, &namespace, 0..60, "three");
    remove(&cluster, &namespace, "c1");
    controlplane.process.kill_9();
    remove(&cluster, &namespace, "c2");
    syncer.process.kill_9();
    let _syncer = serve();
    put(&cluster, &namespace, 5..9, "four");
    let mut controlplane = start();
    caught_up(&controlplane);
    // What is written last is written before it ends.
    put(&cluster, &namespace, 70..71, "last");
    controlplane.until_labelled(
        "store_changes_total",
        "resource=\"configmaps\",view=\"objects\"",
        |changes| changes >= 1.0,
    );
    bed::wait_for("the last one", || {
        let text = controlplane.metrics();
        Ok(text
            .contains("store_clusters_behind{resource=\"configmaps\",view=\"objects\"} 0")
            .then_some(()))
    })
    .unwrap();
    assert!(controlplane.process.terminate().success());
    check_in_the_end(&file, &cluster, &namespace);
}

/// The very last change may still have been on its way when it was asked to stop: then it is there after the next start.
fn check_in_the_end(file: &Path, cluster: &Cluster, namespace: &str) {
    let wanted: BTreeMap<_, _> = oracle(cluster, namespace)
        .into_iter()
        .filter(|(name, _)| name != "c70")
        .collect();
    let (objects, _) = stored(file, "intake1", View::Objects);
    let read = |stored: &Stored| facts(&serde_json::from_slice::<Value>(&stored.value).unwrap());
    let has: BTreeMap<_, _> = objects
        .iter()
        .map(read)
        .filter(|(name, _)| name != "c70")
        .collect();
    assert_eq!(has, wanted);
}

#[test]
fn a_cluster_that_is_forgotten_takes_its_objects_with_it() {
    let scene = Scene::new("intake-forgotten");
    let cluster = scene.shared();
    let namespace = cluster.namespace("intake-forgotten").unwrap();
    put(&cluster, &namespace, 0..3, "one");
    let kubeconfig = cluster.kubeconfig(User::Admin);
    let [mut leaves, _stays] =
        ["leaves1", "stays1"].map(|name| Syncer::start(&scene.options(name, &kubeconfig, &[])));
    let selector = format!("intake={namespace}");
    let file = scene.bed.dir().join("intake-forgotten.db");
    let url = format!("sqlite://{}", file.display());
    let words = [
        "--store",
        &url,
        "--resources",
        "configmaps",
        "--selector",
        &selector,
    ];
    let mut controlplane = Controlplane::launch_with(&scene, &words);
    controlplane.until_ready();
    let both = ["rows", "objects"].map(|view| format!("resource=\"configmaps\",view=\"{view}\""));
    for labels in &both {
        controlplane.until_labelled("store_clusters_synced", labels, |clusters| clusters == 2.0);
    }
    leaves.process.kill_9();
    scene.until("clusters", |said| said.out.contains("offline"));
    let said = scene.plugin("clusters forget leaves1");
    assert_eq!(said.code(), 0, "{said:?}");
    for labels in &both {
        controlplane.until_labelled("store_clusters", labels, |clusters| clusters == 1.0);
        controlplane.until_labelled("store_clusters_behind", labels, |clusters| clusters == 0.0);
    }
    assert!(controlplane.process.terminate().success());
    for view in [View::Rows, View::Objects] {
        assert_eq!(stored(&file, "leaves1", view).0, []);
        assert!(stored(&file, "stays1", view).0.len() == 3);
    }
}

#[test]
fn copies_and_a_database_are_kept_by_one_process() {
    let scene = Scene::new("intake-and-mirror");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let namespace = cluster.namespace("both").unwrap();
    put(&cluster, &namespace, 0..3, "one");
    let kubeconfig = cluster.kubeconfig(User::Admin);
    let _syncer = Syncer::start(&scene.options("both1", &kubeconfig, &[]));
    let selector = format!("intake={namespace}");
    let file = scene.bed.dir().join("both.db");
    let url = format!("sqlite://{}", file.display());
    let mut words = vec!["--store", &url, "--resources", "configmaps"];
    words.extend(["--selector", &selector]);
    for (round, more) in [("two", None), ("three", Some("--local-cache"))] {
        words.extend(more);
        let mut controlplane = Controlplane::start(&scene, &hub, &words);
        put(&cluster, &namespace, 0..3, round);
        let copy = format!("/api/v1/namespaces/both1/configmaps/{namespace}.c2");
        until(&hub, &copy, &controlplane.process, |copy| {
            copy["data"]["v"] == round
        });
        for view in ["rows", "objects"] {
            let labels = format!("resource=\"configmaps\",view=\"{view}\"");
            controlplane.until_labelled("store_clusters_synced", &labels, |it| it == 1.0);
            controlplane.until_labelled("store_clusters_behind", &labels, |it| it == 0.0);
        }
        assert!(controlplane.process.terminate().success());
        check(&file, &cluster, &namespace, "both1");
    }
}
