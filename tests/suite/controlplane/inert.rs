//! The hub's controllers, scheduler and nodes are at work, and leave copies alone.

use super::{Controlplane, get, until};
use crate::scene::Scene;
use serde_json::{Value, json};

const WORDS: &str = "deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,services,ingresses,pods,configmaps,\
serviceaccounts,networkpolicies,poddisruptionbudgets,roles,leases";

fn workloads(namespace: &str) -> String {
    let template =
        "{metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}";
    let job = "{metadata: {labels: {app: web}}, spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}";
    let selector = "selector: {matchLabels: {app: web}}";
    let metadata = |labels: &str| {
        format!("metadata: {{name: web, namespace: {namespace}, labels: {{{labels}}}}}")
    };
    let of = |api: &str, kind: &str, spec: &str| {
        format!(
            "apiVersion: {api}\nkind: {kind}\n{}\nspec: {{{spec}}}\n",
            metadata("copied: \"\", app: web")
        )
    };
    let plain = |api: &str, kind: &str, rest: &str| {
        format!(
            "apiVersion: {api}\nkind: {kind}\n{}\n{rest}\n",
            metadata("copied: \"\"")
        )
    };
    [
        of(
            "apps/v1",
            "Deployment",
            &format!("replicas: 3, {selector}, template: {template}"),
        ),
        of(
            "apps/v1",
            "ReplicaSet",
            &format!("replicas: 0, {selector}, template: {template}"),
        ),
        of(
            "apps/v1",
            "StatefulSet",
            &format!("replicas: 2, serviceName: web, {selector}, template: {template}"),
        ),
        of(
            "apps/v1",
            "DaemonSet",
            &format!("{selector}, template: {template}"),
        ),
        of(
            "batch/v1",
            "Job",
            &format!("ttlSecondsAfterFinished: 1, template: {job}"),
        ),
        of(
            "batch/v1",
            "CronJob",
            &format!("schedule: '* * * * *', jobTemplate: {{spec: {{template: {job}}}}}"),
        ),
        of(
            "v1",
            "Service",
            "type: NodePort, selector: {app: web}, ports: [{port: 80}]",
        ),
        of(
            "networking.k8s.io/v1",
            "Ingress",
            "ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}",
        ),
        of(
            "v1",
            "Pod",
            "nodeName: node-1, containers: [{name: c, image: nginx}]",
        ),
        of("networking.k8s.io/v1", "NetworkPolicy", "podSelector: {}"),
        of(
            "policy/v1",
            "PodDisruptionBudget",
            &format!("minAvailable: 1, {selector}"),
        ),
        of("coordination.k8s.io/v1", "Lease", "holderIdentity: me"),
        plain("v1", "ConfigMap", "data: {a: b}"),
        plain(
            "v1",
            "ServiceAccount",
            "automountServiceAccountToken: false",
        ),
        plain("rbac.authorization.k8s.io/v1", "Role", "rules: []"),
    ]
    .join("---\n")
}

#[test]
fn copies_of_workloads_do_not_run() {
    let scene = Scene::new("inert");
    let cluster = scene.bed.private_cluster("inert1").unwrap();
    let hub = scene.bed.private_cluster("inert-hub").unwrap();
    hub.controllers().unwrap();
    // On the cluster nothing runs either: nobody is there who would. What stands in a status is written by hand.
    cluster.apply(&workloads("default")).unwrap();
    let path = |kind: &str| format!("/apis/apps/v1/namespaces/default/{kind}/web/status");
    let ready = json!({"status": {"replicas": 3, "readyReplicas": 3, "observedGeneration": 1}});
    cluster
        .api()
        .merge(&path("deployments"), ready.to_string())
        .unwrap()
        .success()
        .unwrap();
    let running = json!({"status": {"phase": "Running", "podIP": "10.9.8.7", "podIPs": [{"ip": "10.9.8.7"}], "conditions": [{"type": "Ready", "status": "True"}]}});
    cluster
        .api()
        .merge(
            "/api/v1/namespaces/default/pods/web/status",
            running.to_string(),
        )
        .unwrap()
        .success()
        .unwrap();
    let _syncer = scene.syncer(&cluster, &[]);
    let controlplane = Controlplane::start(
        &scene,
        &hub,
        &["--resources", WORDS, "--selector", "copied"],
    );
    for word in WORDS.split(',') {
        controlplane.until_metric("mirror_copies", word, |copies| copies == 1.0);
        assert_eq!(
            controlplane.metric("mirror_refused", word),
            0.0,
            "{word}: {}",
            controlplane.process.err()
        );
    }

    // The controllers have seen each of them.
    let apps = |kind: &str| format!("/apis/apps/v1/namespaces/inert1/{kind}/default.web");
    let seen = |copy: &Value| {
        let generation = &copy["metadata"]["generation"];
        copy["status"]["observedGeneration"] == *generation
    };
    for kind in ["deployments", "replicasets", "daemonsets"] {
        until(&hub, &apps(kind), &controlplane.process, seen);
    }
    let is_true = |object: &Value, condition: &str| {
        let conditions = object["status"]["conditions"].as_array();
        conditions
            .into_iter()
            .flatten()
            .any(|one| one["type"] == condition && one["status"] == "True")
    };
    until(
        &hub,
        "/apis/batch/v1/namespaces/inert1/jobs/default.web",
        &controlplane.process,
        |copy| is_true(copy, "Suspended"),
    );
    // A deployment of the hub's own, made after all copies: when that one runs, whoever was to act has had its turn.
    hub.kubectl_ok(&["create", "deployment", "own", "--image=nginx"])
        .unwrap();
    until(
        &hub,
        "/apis/apps/v1/namespaces/default/deployments/own",
        &controlplane.process,
        |own| own["status"]["readyReplicas"] == 1,
    );

    let list = |path: &str| {
        let list = get(&hub, path).unwrap();
        let items = list["items"].as_array().unwrap();
        let name = |item: &Value| {
            item["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        items.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(list("/api/v1/namespaces/inert1/pods"), ["default.web"]);
    assert_eq!(
        list("/apis/apps/v1/namespaces/inert1/replicasets"),
        ["default.web"]
    );
    assert_eq!(
        list("/apis/batch/v1/namespaces/inert1/jobs"),
        ["default.web"]
    );
    assert_eq!(
        list("/apis/discovery.k8s.io/v1/namespaces/inert1/endpointslices"),
        [""; 0]
    );
    let pod = get(&hub, "/api/v1/namespaces/inert1/pods/default.web").unwrap();
    assert!(pod["spec"]["nodeName"].is_null(), "{pod}");
    assert_eq!(
        pod["metadata"]["annotations"]["mqinformer.io/original-nodeName"],
        "node-1"
    );
    assert_eq!(
        pod["status"]["phase"], "Running",
        "its status is its origin's"
    );
    assert!(
        is_true(&pod, "Ready") && pod["status"]["podIP"].is_null(),
        "{pod}"
    );
    let deployment = get(&hub, &apps("deployments")).unwrap();
    assert_eq!(deployment["spec"]["replicas"], 3);
    let status = deployment["metadata"]["annotations"]["mqinformer.io/status"]
        .as_str()
        .unwrap();
    assert!(status.contains("\"readyReplicas\":3"), "{status}");
    let services = get(&hub, "/api/v1/namespaces/inert1/services").unwrap();
    let service = &services["items"][0];
    assert!(
        service["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("default-web-"),
        "{service}"
    );
    assert_eq!(
        (&service["spec"]["clusterIP"], &service["spec"]["type"]),
        (&json!("None"), &json!("ClusterIP"))
    );

    // Nobody is in a fight with anybody.
    let versions = |words: &str| {
        let list = hub.kubectl_ok(&[
            "-n",
            "inert1",
            "get",
            words,
            "-o",
            "jsonpath={.items[*].metadata.resourceVersion}",
        ]);
        list.unwrap()
    };
    let before = versions(WORDS);
    let applied = |word| controlplane.metric("mirror_applied_total", word);
    let writes: f64 = WORDS.split(',').map(applied).sum();
    hub.kubectl_ok(&["scale", "deployment", "own", "--replicas=2"])
        .unwrap();
    until(
        &hub,
        "/apis/apps/v1/namespaces/default/deployments/own",
        &controlplane.process,
        |own| own["status"]["readyReplicas"] == 2,
    );
    assert_eq!(versions(WORDS), before);
    assert_eq!(WORDS.split(',').map(applied).sum::<f64>(), writes);
}

#[test]
fn a_change_that_its_kind_does_not_allow_makes_the_copy_anew() {
    let scene = Scene::new("anew");
    let (cluster, hub) = (scene.shared(), super::hub(&scene));
    let namespace = cluster.namespace("anew").unwrap();
    let immutable = |value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nimmutable: true\nmetadata: {{name: fixed, namespace: {namespace}, labels: {{anew: \"\"}}}}\ndata: {{v: {value}}}\n"
        )
    };
    cluster.apply(&immutable("one")).unwrap();
    let kubeconfig = cluster.kubeconfig(bed::User::Admin);
    let _syncer = crate::programs::Syncer::start(&scene.options("anew1", &kubeconfig, &[]));
    let words = [
        "--cluster",
        "anew1",
        "--resources",
        "configmaps",
        "--selector",
        "anew",
    ];
    let mut controlplane = Controlplane::start(&scene, &hub, &words);
    let path = format!("/api/v1/namespaces/anew1/configmaps/{namespace}.fixed");
    until(&hub, &path, &controlplane.process, |copy| {
        copy["data"]["v"] == "one"
    });
    // While it is down: else it would see that the first one was deleted.
    assert!(controlplane.process.terminate().success());
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "configmap", "fixed"])
        .unwrap();
    cluster.apply(&immutable("two")).unwrap();
    let controlplane = Controlplane::start(&scene, &hub, &words);
    until(&hub, &path, &controlplane.process, |copy| {
        copy["data"]["v"] == "two"
    });
}
