//! The seed's second scenario, as it is written.

use super::{WORKS, condition, managed};
use crate::controlplane::{get, until, until_gone};
use crate::programs::{Background, command};
use crate::scene::Scene;
use bed::User;
use serde_json::{Value, json};

/// A deployment whose number of available replicas comes back.
fn work(namespace: &str) -> String {
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx"}]},
            },
        },
    });
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let config = json!({
        "resourceIdentifier": {"group": "apps", "resource": "deployments", "namespace": namespace["metadata"]["name"], "name": "web"},
        "feedbackRules": [{"type": "WellKnownStatus"}],
    });
    let work = json!({
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {"name": "web", "namespace": "cluster1"},
        // What needs the namespace stands before it.
        "spec": {"workload": {"manifests": [deployment, namespace]}, "manifestConfigs": [config]},
    });
    work.to_string()
}

fn feedback(work: &Value, name: &str) -> Option<i64> {
    let manifests = work["status"]["resourceStatus"]["manifests"].as_array()?;
    let values = manifests
        .iter()
        .flat_map(|it| it["statusFeedback"]["values"].as_array());
    let mut all = values.flatten();
    all.find(|it| it["name"] == name)?["fieldValue"]["integer"].as_i64()
}

#[test]
fn the_seeds_second_scenario_as_it_is_written() {
    let scene = Scene::new("deploy");
    let hub = scene.bed.private_cluster("deploy-hub").unwrap();
    let clusters = ["cluster1", "cluster2"].map(|name| scene.bed.cluster(name).unwrap());
    clusters[0].controllers().unwrap();
    let broker = scene.broker.url();
    let start = |role: &str, words: &str, kubeconfig| {
        let mut command = command("mqtt-informer");
        command
            .arg(role)
            .args(words.split(' '))
            .env("KUBECONFIG", kubeconfig);
        let words = words.replace(['/', ' ', ':'], "-");
        let log = scene.bed.dir().join(format!("deploy-{role}{words}.log"));
        Background::start(command, &log)
    };
    let common = format!("--broker {broker} --signal-topic /signal --payload-topic /payload");
    let process = start(
        "hub",
        &format!("{common} --client-id hubId --auto-accept *"),
        hub.kubeconfig(User::Admin),
    );
    let _agents: Vec<_> = clusters
        .iter()
        .map(|cluster| {
            let name = cluster.name();
            let words = format!("{common} --client-id {name}Id --cluster {name}");
            start("agent", &words, cluster.kubeconfig(User::Admin))
        })
        .collect();

    // Both join; the hub is no cluster.
    for name in ["cluster1", "cluster2"] {
        let joined = until(&hub, &managed(name), &process, |cluster| {
            condition(cluster, "ManagedClusterConditionAvailable") == "True"
        });
        assert_eq!(condition(&joined, "HubAcceptedManagedCluster"), "True");
        until(
            &hub,
            &format!("/api/v1/namespaces/{name}"),
            &process,
            |_| true,
        );
    }
    let capacity = until(&hub, &managed("cluster1"), &process, |it| {
        it["status"]["capacity"]["cpu"].is_string()
    });
    let version = &capacity["status"]["version"]["kubernetes"];
    assert!(version.as_str().unwrap().starts_with('v'));
    let claim = json!({"name": "kubeversion.open-cluster-management.io", "value": version});
    let claims = capacity["status"]["clusterClaims"].as_array().unwrap();
    assert!(claims.contains(&claim), "{claims:?}");
    let (listed, _) = scene.until("clusters", |said| {
        said.out.contains("cluster1") && said.out.contains("cluster2")
    });
    assert!(
        listed.out.lines().all(|line| !line.starts_with("hub")),
        "{}",
        listed.out
    );
    let (pods, _) = scene.until("get namespaces -A", |said| said.code() == 0);
    assert!(
        pods.out.contains("cluster1") && pods.out.contains("cluster2"),
        "{}",
        pods.out
    );

    // Deploy.
    let namespace = format!("deploy-{:x}", std::process::id());
    hub.apply(&work(&namespace)).unwrap();
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/web");
    let first = until(&clusters[0], &path, &process, |_| true);
    assert_eq!(get(&clusters[1], &path), None, "it is cluster1's work");
    // Its status is seen on the hub.
    let at = format!("{WORKS}/namespaces/cluster1/manifestworks/web");
    let done = until(&hub, &at, &process, |work| {
        feedback(work, "AvailableReplicas") == Some(2)
    });
    assert_eq!(condition(&done, "Applied"), "True");
    assert_eq!(condition(&done, "Available"), "True");

    // What is deleted on the cluster comes back, and what is changed.
    clusters[0]
        .kubectl_ok(&["-n", &namespace, "delete", "deployment", "web"])
        .unwrap();
    until(&clusters[0], &path, &process, |it| {
        it["metadata"]["uid"] != first["metadata"]["uid"]
    });
    clusters[0]
        .kubectl_ok(&[
            "-n",
            &namespace,
            "scale",
            "deployment",
            "web",
            "--replicas=5",
        ])
        .unwrap();
    until(&clusters[0], &path, &process, |it| {
        it["spec"]["replicas"] == 2
    });

    // The plain form.
    let plain = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\n  namespace: cluster2\n  labels: {{mqinformer.io/distribute: \"\"}}\n  annotations: {{mqinformer.io/namespace: kube-public}}\ndata: {{v: {namespace}}}\n"
    );
    hub.apply(&plain).unwrap();
    let there = "/api/v1/namespaces/kube-public/configmaps/plain";
    until(&clusters[1], there, &process, |map| {
        map["data"]["v"] == namespace.as_str()
    });
    let here = "/api/v1/namespaces/cluster2/configmaps/plain";
    until(&hub, here, &process, |map| {
        map["metadata"]["annotations"]["mqinformer.io/applied"] == "True"
    });
    hub.kubectl_ok(&[
        "-n",
        "cluster2",
        "delete",
        "configmap",
        "plain",
        "--wait=false",
    ])
    .unwrap();
    until_gone(&clusters[1], there, &process);
    until_gone(&hub, here, &process);

    // What the hub deletes goes, and then the work does.
    hub.kubectl_ok(&[
        "-n",
        "cluster1",
        "delete",
        "manifestwork",
        "web",
        "--wait=false",
    ])
    .unwrap();
    until_gone(&clusters[0], &path, &process);
    until_gone(&hub, &at, &process);
    let left = get(&clusters[0], &format!("{WORKS}/appliedmanifestworks")).unwrap();
    let left = left["items"].as_array().unwrap();
    assert!(
        left.iter()
            .all(|it| it["spec"]["manifestWorkName"] != "web"),
        "{left:?}"
    );
}
