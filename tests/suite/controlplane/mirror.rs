//! Copies in the hub's API server.

use super::{Controlplane, copy, get, hub, password, secret, until, until_gone};
use crate::programs::{Syncer, command};
use crate::scene::Scene;
use bed::{Cluster, User};
use serde_json::{Value, json};

#[test]
fn the_seeds_first_scenario_as_it_is_written() {
    let scene = Scene::new("seed");
    let (cluster1, hub) = (scene.shared(), scene.bed.cluster("hub").unwrap());
    let namespace = cluster1.namespace("seed").unwrap();
    // The hub's kubeconfig is the default one, as on the seed's machine.
    let broker = scene.broker.url();
    let start = |role: &str, words: &str, kubeconfig| {
        let mut command = command("mqtt-informer");
        command
            .arg(role)
            .args(words.split(' '))
            .env("KUBECONFIG", kubeconfig);
        let log = scene.bed.dir().join(format!("seed-{role}.log"));
        crate::programs::Background::start(command, &log)
    };
    let _syncer = start(
        "syncer",
        &format!(
            "--broker {broker} --client-id sourceId --signal-topic /signal --payload-topic /payload --cluster cluster1"
        ),
        cluster1.kubeconfig(User::Admin),
    );
    let controlplane = start(
        "controlplane",
        &format!(
            "--broker {broker} --client-id controlplaneId --signal-topic /signal --payload-topic /payload"
        ),
        hub.kubeconfig(User::Admin),
    );

    // Create.
    let demo = format!(
        "{}  owner: me\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: private, namespace: {namespace}}}\nstringData: {{password: hidden}}\n",
        secret(&namespace, "db", "one")
    );
    cluster1.apply(&demo.replace("  owner: me\n", "")).unwrap();
    let path = copy("cluster1", &namespace, "db");
    let created = until(&hub, &path, &controlplane, |copy| password(copy) == "b25l");
    let origin = get(
        &cluster1,
        &format!("/api/v1/namespaces/{namespace}/secrets/db"),
    )
    .unwrap();
    let metadata = &created["metadata"];
    let annotations = &metadata["annotations"];
    assert_eq!(annotations["mqinformer.io/cluster"], "cluster1");
    assert_eq!(annotations["mqinformer.io/namespace"], namespace.as_str());
    assert_eq!(annotations["mqinformer.io/name"], "db");
    assert_eq!(annotations["mqinformer.io/uid"], origin["metadata"]["uid"]);
    assert_eq!(metadata["labels"]["mqinformer.io/cluster"], "cluster1");
    assert_eq!(metadata["labels"]["mqtt-resource"], "");
    assert_ne!(metadata["uid"], origin["metadata"]["uid"]);

    // Update, then delete.
    cluster1.apply(&secret(&namespace, "db", "two")).unwrap();
    until(&hub, &path, &controlplane, |copy| password(copy) == "dHdv");
    cluster1
        .kubectl_ok(&["-n", &namespace, "delete", "secret", "db"])
        .unwrap();
    until_gone(&hub, &path, &controlplane);

    // What its owner did not label never came.
    assert_eq!(get(&hub, &copy("cluster1", &namespace, "private")), None);
}

#[test]
fn what_was_deleted_or_changed_while_it_was_down_is_made_good() {
    let scene = Scene::new("down");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let namespace = cluster.namespace("down").unwrap();
    for (name, value) in [("gone", "one"), ("changed", "one"), ("same", "one")] {
        cluster.apply(&secret(&namespace, name, value)).unwrap();
    }
    let _syncer = serve(&scene, &cluster, "down1");
    let mut controlplane = Controlplane::start(&scene, &hub, &["--cluster", "down*"]);
    let at = |name: &str| copy("down1", &namespace, name);
    for name in ["gone", "changed", "same"] {
        until(&hub, &at(name), &controlplane.process, |_| true);
    }
    let same = get(&hub, &at("same")).unwrap();
    assert!(controlplane.process.terminate().success());

    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "secret", "gone"])
        .unwrap();
    cluster
        .apply(&secret(&namespace, "changed", "two"))
        .unwrap();
    cluster.apply(&secret(&namespace, "new", "one")).unwrap();
    // By hand, on the hub.
    hub.kubectl_ok(&[
        "-n",
        "down1",
        "annotate",
        "secret",
        &format!("{namespace}.changed"),
        "mine=kept",
    ])
    .unwrap();

    let controlplane = Controlplane::start(&scene, &hub, &["--cluster", "down*"]);
    until_gone(&hub, &at("gone"), &controlplane.process);
    let changed = until(&hub, &at("changed"), &controlplane.process, |copy| {
        password(copy) == "dHdv"
    });
    assert_eq!(
        changed["metadata"]["annotations"]["mine"], "kept",
        "what others add stays theirs"
    );
    until(&hub, &at("new"), &controlplane.process, |_| true);
    assert_eq!(
        get(&hub, &at("same")),
        Some(same),
        "it was not even written"
    );
}

#[test]
fn what_somebody_does_to_a_copy_is_undone() {
    let scene = Scene::new("hand");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let namespace = cluster.namespace("hand").unwrap();
    cluster.apply(&secret(&namespace, "db", "one")).unwrap();
    let _syncer = serve(&scene, &cluster, "hand1");
    let controlplane = Controlplane::start(&scene, &hub, &["--cluster", "hand*"]);
    let path = copy("hand1", &namespace, "db");
    let is_right = |copy: &Value| {
        copy["data"] == json!({"password": "b25l"})
            && copy["metadata"]["labels"]["mqinformer.io/cluster"] == "hand1"
            && copy["metadata"]["annotations"]["mqinformer.io/cluster"] == "hand1"
            && copy["metadata"]["annotations"]["mqinformer.io/name"] == "db"
            && copy["metadata"]["annotations"]["mqinformer.io/uid"] != "x"
    };
    // Nothing that is still to be looked at does it by chance.
    let settled =
        || controlplane.until_metric("mirror_waiting", "secrets", |waiting| waiting == 0.0);
    let mut before = until(&hub, &path, &controlplane.process, is_right);
    for (what, patch) in [
        ("a value", json!({"data": {"password": "eA=="}})),
        ("a value more", json!({"data": {"more": "eA=="}})),
        (
            "the label by which it is found",
            json!({"metadata": {"labels": {"mqinformer.io/cluster": null}}}),
        ),
        (
            "whose it is",
            json!({"metadata": {"annotations": {"mqinformer.io/cluster": "other"}}}),
        ),
        (
            "all of it",
            json!({"data": null, "metadata": {"labels": null, "annotations": {"mqinformer.io/uid": "x", "mqinformer.io/cluster": "y"}}}),
        ),
    ] {
        settled();
        let changed = hub
            .api()
            .merge(&path, patch.to_string())
            .unwrap()
            .success()
            .unwrap()
            .json()
            .unwrap();
        assert_ne!(
            changed["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"],
            "{what}"
        );
        before = until(&hub, &path, &controlplane.process, is_right);
    }
    settled();
    hub.api().delete(&path).unwrap().success().unwrap();
    let new = until(&hub, &path, &controlplane.process, is_right);
    assert_ne!(new["metadata"]["uid"], before["metadata"]["uid"]);
    controlplane.until_metric("mirror_repaired_total", "secrets", |times| times >= 3.0);
}

#[test]
fn clusters_with_names_that_are_no_labels_have_namespaces_of_their_own() {
    let scene = Scene::new("names");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let namespace = cluster.namespace("names").unwrap();
    let long = format!("{}.{}", "a".repeat(126), "b".repeat(126));
    cluster.apply(&secret(&namespace, "db", "one")).unwrap();
    cluster.apply(&secret(&namespace, &long, "one")).unwrap();
    let weird = [
        "arn:aws:eks:eu-1:1234:cluster/Prod",
        "arn:aws:eks:eu-1:1234:cluster/prod",
        "東京 1",
    ];
    let _syncers = weird.map(|name| serve(&scene, &cluster, name));
    let controlplane = Controlplane::start(&scene, &hub, &[]);
    controlplane.until_metric("mirror_clusters_synced", "secrets", |clusters| {
        clusters == 3.0
    });
    for name in weird {
        let of_it = format!("/api/v1/secrets?labelSelector=mqinformer.io/namespace={namespace}");
        let found = hub.wait_for("both copies", || {
            let list = hub.api().get(&of_it)?.success()?.json()?;
            let items = list["items"].as_array().cloned().unwrap_or_default();
            let annotation =
                |item: &Value| item["metadata"]["annotations"]["mqinformer.io/cluster"].clone();
            let of_it: Vec<_> = items
                .into_iter()
                .filter(|item| annotation(item) == name)
                .collect();
            Ok((of_it.len() == 2).then_some(of_it))
        });
        let found = found.unwrap_or_else(|error| panic!("{error}\n{}", controlplane.process.err()));
        let space = found[0]["metadata"]["namespace"].as_str().unwrap();
        assert_eq!(found[1]["metadata"]["namespace"], space);
        let made = get(&hub, &format!("/api/v1/namespaces/{space}")).unwrap();
        assert_eq!(
            made["metadata"]["annotations"]["mqinformer.io/cluster"],
            name
        );
    }
}

#[test]
fn cluster_scoped_objects_have_their_clusters_name_before_theirs() {
    let scene = Scene::new("scoped");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let role = |verb: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: 'fleet:reader', labels: {{scoped: \"\", rbac.authorization.k8s.io/aggregate-to-view: \"true\"}}}}\nrules: [{{apiGroups: [x.example.com], resources: [things], verbs: [{verb}]}}]\n"
        )
    };
    cluster.apply(&role("get")).unwrap();
    let _syncer = serve(&scene, &cluster, "scoped1");
    // In the place of a copy, but the hub's own.
    let theirs = role("escalate")
        .replace("fleet:reader", "scoped1.fleet:admin")
        .replace("scoped: \"\", ", "");
    hub.apply(&theirs).unwrap();
    cluster
        .apply(&role("get").replace("fleet:reader", "fleet:admin"))
        .unwrap();
    // Never ready: one of its resources cannot be mirrored.
    let controlplane = Controlplane::launch(
        &scene,
        &hub,
        &[
            "--cluster",
            "scoped1",
            "--resources",
            "clusterroles,clusterrolebindings",
            "--selector",
            "scoped",
        ],
    );
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/scoped1.fleet:reader";
    let is = |verb: &'static str| move |copy: &Value| copy["rules"][0]["verbs"] == json!([verb]);
    let copy = until(&hub, path, &controlplane.process, is("get"));
    let labels = &copy["metadata"]["labels"];
    assert!(
        labels["rbac.authorization.k8s.io/aggregate-to-view"].is_null(),
        "{labels}"
    );
    cluster.apply(&role("list")).unwrap();
    until(&hub, path, &controlplane.process, is("list"));
    cluster
        .kubectl_ok(&["delete", "clusterrole", "fleet:reader"])
        .unwrap();
    until_gone(&hub, path, &controlplane.process);

    controlplane.until_metric("mirror_refused", "clusterroles", |refused| refused == 1.0);
    let theirs = get(
        &hub,
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/scoped1.fleet:admin",
    )
    .unwrap();
    assert!(is("escalate")(&theirs), "{theirs}");
    controlplane.process.wait_err("why", |log| {
        log.contains("no copy stands in its place") && log.contains("would grant rights on the hub")
    });
    let (ready, why) = controlplane.ready();
    assert!(!ready && why.contains("clusterrolebindings"), "{why}");
    cluster
        .kubectl_ok(&["delete", "clusterrole", "fleet:admin"])
        .unwrap();
}

#[test]
fn a_redacted_secret_is_refused_and_told_and_has_no_copy() {
    let scene = Scene::new("redacted");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let namespace = cluster.namespace("redacted").unwrap();
    let named =
        |label: &str| secret(&namespace, "db", "one").replace("{mqtt-resource: \"\"}", label);
    cluster.apply(&named("{redacted: \"\"}")).unwrap();
    let _syncer = serve(&scene, &cluster, "redacted1");
    let words = [
        "--cluster",
        "redacted1",
        "--resources",
        "secrets",
        "--selector",
        "redacted",
    ];
    let controlplane = Controlplane::start(&scene, &hub, &words);
    let path = copy("redacted1", &namespace, "db");
    let refused =
        |number: f64| controlplane.until_metric("mirror_refused", "secrets", |now| now == number);
    refused(1.0);
    assert_eq!(get(&hub, &path), None);
    controlplane
        .process
        .wait_err("the reason", |log| log.contains("label it mqtt-resource"));

    // Its owner lets it go, and takes that back.
    cluster
        .apply(&named("{redacted: \"\", mqtt-resource: \"\"}"))
        .unwrap();
    until(&hub, &path, &controlplane.process, |copy| {
        password(copy) == "b25l"
    });
    refused(0.0);
    cluster.apply(&named("{redacted: \"\"}")).unwrap();
    until_gone(&hub, &path, &controlplane.process);
    refused(1.0);
}

#[test]
fn a_cluster_cannot_write_into_a_namespace_that_is_not_its_own() {
    let scene = Scene::new("foreign");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let namespace = cluster.namespace("foreign").unwrap();
    cluster.apply(&secret(&namespace, "db", "one")).unwrap();
    let _syncers = ["kube-system", "foreign1"].map(|name| serve(&scene, &cluster, name));
    let controlplane = Controlplane::start(&scene, &hub, &["--cluster", "kube-system,foreign1"]);
    until(
        &hub,
        &copy("foreign1", &namespace, "db"),
        &controlplane.process,
        |_| true,
    );
    controlplane.process.wait_err("the reason", |log| {
        log.contains("the namespace kube-system of the hub is not the mirror's")
    });
    assert_eq!(get(&hub, &copy("kube-system", &namespace, "db")), None);
}

#[test]
fn only_a_cluster_that_is_forgotten_takes_its_copies_with_it() {
    let scene = Scene::new("forgotten");
    let (cluster, hub) = (scene.shared(), hub(&scene));
    let namespace = cluster.namespace("forgotten").unwrap();
    cluster.apply(&secret(&namespace, "db", "one")).unwrap();
    let mut syncer = serve(&scene, &cluster, "forgotten1");
    let controlplane = Controlplane::start(&scene, &hub, &["--cluster", "forgotten*"]);
    let path = copy("forgotten1", &namespace, "db");
    until(&hub, &path, &controlplane.process, |_| true);

    // Away, and its objects deleted meanwhile: nobody has said so.
    syncer.process.kill_9();
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "secret", "db"])
        .unwrap();
    let (said, _) = scene.until("clusters", |said| said.out.contains("offline"));
    assert!(said.out.contains("forgotten1"), "{said:?}");
    let mut controlplane = controlplane;
    assert!(controlplane.process.terminate().success());
    let controlplane = Controlplane::start(&scene, &hub, &["--cluster", "forgotten*"]);
    controlplane.until_metric("mirror_copies", "secrets", |copies| copies >= 1.0);
    assert!(get(&hub, &path).is_some());

    let said = scene.plugin("clusters forget forgotten1");
    assert_eq!(said.code(), 0, "{said:?}");
    until_gone(&hub, &path, &controlplane.process);
}

/// A syncer of `cluster` under another name.
fn serve(scene: &Scene, cluster: &Cluster, name: &str) -> Syncer {
    let kubeconfig = cluster.kubeconfig(User::Admin);
    Syncer::start(&scene.options(name, &kubeconfig, &[]))
}
