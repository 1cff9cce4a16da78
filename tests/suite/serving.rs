//! What a syncer does to its API server, and what it lets out.

use crate::scene::Scene;
use bed::{CANARY, User};
use std::time::{Duration, Instant};

#[test]
fn fifty_viewers_are_one_watch_and_none_when_they_are_gone() {
    let scene = Scene::new("viewers");
    let cluster = scene.bed.private_cluster("watched").unwrap();
    let _syncer = scene.syncer(&cluster, &["--linger", "1s"]);
    let resource = "priorityclasses";
    let before = cluster.watches(resource).unwrap();
    let viewers: Vec<_> = (0..50)
        .map(|_| scene.watch("get priorityclasses --cluster watched -w"))
        .collect();
    for viewer in &viewers {
        viewer.wait_out("rows", |out| out.contains("system-node-critical"));
    }
    assert_eq!(cluster.watches(resource).unwrap(), before + 1.0);
    for mut viewer in viewers {
        viewer.terminate();
    }
    bed::wait_for("no watch", || {
        Ok((cluster.watches(resource)? == before).then_some(()))
    })
    .unwrap();
}

#[test]
fn ten_thousand_pods_are_whole_and_quick() {
    let scene = Scene::new("scale");
    let cluster = scene.bed.private_cluster("large").unwrap();
    let prefix = "checkout-with-a-name-as-deployments-give-it-5d8f7c9b6";
    let took = cluster.create_pods("default", prefix, 10_000).unwrap();
    eprintln!("10,000 pods created in {took:?}");
    let _syncer = scene.syncer(&cluster, &[]);
    let direct = kubectl(&cluster);
    let same_form = list_as_the_syncer_does(&cluster);
    let cold = scene.plugin("get pods -A --cluster large --no-headers");
    let warm = scene.plugin("get pods -A --cluster large --no-headers");
    eprintln!(
        "kubectl {:?}, a list in the same form {same_form:?}, cold {:?}, warm {:?}",
        direct.took, cold.took, warm.took
    );
    // Ages move on meanwhile; and kubectl lists page by page, ours in the order of the keys, which is the same.
    let rows = |out: &str| {
        let rows = out.lines().map(|line| {
            line.split_whitespace()
                .take(5)
                .collect::<Vec<_>>()
                .join(" ")
        });
        rows.collect::<Vec<_>>()
    };
    let (direct, cold, warm) = (rows(&direct.out), rows(&cold.out), rows(&warm.out));
    assert_eq!(direct.len(), 10_000);
    let first_difference = |ours: &[String]| {
        direct
            .iter()
            .zip(ours)
            .find(|(theirs, ours)| theirs != ours)
            .map(|(a, b)| format!("{a} / {b}"))
    };
    assert_eq!((cold.len(), first_difference(&cold)), (10_000, None));
    assert_eq!((warm.len(), first_difference(&warm)), (10_000, None));
}

/// How long the API server takes to say the pods in the form in which the syncer asks, page after page.
fn list_as_the_syncer_does(cluster: &bed::Cluster) -> Duration {
    let began = Instant::now();
    let (mut rows, mut next) = (0, String::new());
    loop {
        let path = format!("/api/v1/pods?includeObject=Object&limit=500&continue={next}");
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let page = cluster.api().get_as(&path, table).unwrap().json().unwrap();
        rows += page["rows"].as_array().unwrap().len();
        match page["metadata"]["continue"].as_str() {
            Some(more) => next = more.to_owned(),
            None => break,
        }
    }
    assert_eq!(rows, 10_000);
    began.elapsed()
}

fn kubectl(cluster: &bed::Cluster) -> crate::programs::Said {
    let mut command = cluster.kubectl_command();
    command.args(["get", "pods", "-A", "--no-headers"]);
    crate::programs::run(command)
}

#[test]
fn a_secrets_value_never_leaves_its_cluster() {
    let scene = Scene::new("secrets");
    let cluster = scene.shared();
    let namespace = cluster.namespace("secrets").unwrap();
    let yaml = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: hidden, namespace: {namespace}}}\nstringData: {{password: {CANARY}}}\n"
    );
    cluster.apply(&yaml).unwrap();
    let _syncer = scene.syncer(&cluster, &[]);
    for form in ["", " -o wide", " -o json", " -o yaml", " --show-labels"] {
        let said = scene.plugin(&format!(
            "get secrets -n {namespace} --cluster cluster1{form}"
        ));
        assert_eq!(said.code(), 0, "{said:?}");
        assert!(said.out.contains("hidden"), "{said:?}");
        assert!(!leaks(&said.out), "{form}: {}", said.out);
    }
    let said = scene.plugin(&format!(
        "get secret hidden -n {namespace} --cluster cluster1 -o json"
    ));
    assert!(
        said.out.contains("mqinformer.io/redacted") && said.out.contains("secret-lengths"),
        "{}",
        said.out
    );
}

/// The canary as it is, or as base64.
fn leaks(text: &str) -> bool {
    text.contains(CANARY) || text.contains(&base64(CANARY.as_bytes())[..CANARY.len() / 3 * 4 - 4])
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0u32, |word, byte| (word << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        let letter = |at: usize| char::from(LETTERS[(word >> (18 - 6 * at)) as usize & 63]);
        out.extend((0..4).map(|at| if at <= chunk.len() { letter(at) } else { '=' }));
    }
    out
}

#[test]
fn what_the_syncer_may_not_read_is_a_message() {
    let scene = Scene::new("forbidden");
    let cluster = scene.shared();
    let kubeconfig = cluster.kubeconfig(User::ViewerWithoutSecrets);
    let _syncer = crate::programs::Syncer::start(&scene.options("cluster1", &kubeconfig, &[]));
    let said = scene.plugin("get secrets --cluster cluster1");
    assert_eq!(said.code(), 1, "{said:?}");
    assert!(
        said.err
            .starts_with("Error from server (Forbidden): secrets is forbidden"),
        "{said:?}"
    );
    assert_eq!(
        scene
            .plugin("get cm -n kube-system --cluster cluster1")
            .code(),
        0
    );
}

#[test]
fn odd_but_legal_things_are_shown() {
    let scene = Scene::new("edges");
    let cluster = scene.shared();
    let namespace = cluster.namespace("edges").unwrap();
    let _syncer = scene.syncer(&cluster, &[]);
    let get = |words: &str| scene.plugin(&format!("get {words} -n {namespace} --cluster cluster1"));

    // Nothing yet.
    let said = get("cm -l nothing=here");
    assert_eq!(
        (said.code(), said.err.as_str()),
        (
            0,
            format!("No resources found in {namespace} namespace.\n").as_str()
        )
    );

    // Deleted and made again at once: another object under the same name.
    cluster
        .kubectl_ok(&["-n", &namespace, "create", "cm", "twin"])
        .unwrap();
    let watch = scene.watch(&format!(
        "get cm twin -n {namespace} --cluster cluster1 -w --no-headers"
    ));
    watch.wait_out("the twin", |out| out.contains("twin   0"));
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "cm", "twin"])
        .unwrap();
    cluster
        .kubectl_ok(&[
            "-n",
            &namespace,
            "create",
            "cm",
            "twin",
            "--from-literal=a=b",
        ])
        .unwrap();
    watch.wait_out("the other twin", |out| out.contains("twin   1"));

    // A kind that is installed while the syncer runs.
    let crd = include_str!("late-crd.yaml");
    let late = scene.plugin("get lates.edges.mqinformer.io --cluster cluster1");
    assert_eq!(late.code(), 1);
    cluster.apply(crd).unwrap();
    scene.until("get lates.edges.mqinformer.io --cluster cluster1", |said| {
        said.code() == 0
    });

    // An object as large as etcd takes.
    let blob = "x".repeat(1_500_000);
    let body = format!(
        r#"{{"apiVersion":"edges.mqinformer.io/v1","kind":"Late","metadata":{{"name":"large"}},"blob":"{blob}"}}"#
    );
    let path = format!("/apis/edges.mqinformer.io/v1/namespaces/{namespace}/lates");
    cluster.api().post(&path, body).unwrap().success().unwrap();
    let said = get("late large -o json");
    assert!(said.code() == 0 && said.out.contains(&blob), "{}", said.err);

    // A namespace that goes while it is watched.
    let watch = scene.watch(&format!(
        "get cm -n {namespace} --cluster cluster1 -w --no-headers"
    ));
    watch.wait_out("rows", |out| out.contains("twin"));
    cluster
        .kubectl_ok(&["delete", "cm", "--all", "-n", &namespace])
        .unwrap();
    cluster
        .kubectl_ok(&["delete", "ns", &namespace, "--wait=false"])
        .unwrap();
    scene.until(
        &format!("get cm -n {namespace} --cluster cluster1 -o name"),
        |said| !said.out.contains("twin"),
    );
    // It is still watched: who makes the namespace anew is seen. (No controller runs here that would finalize it.)
    let finalized = format!(
        r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{namespace}"}},"spec":{{"finalizers":[]}}}}"#
    );
    let path = format!("/api/v1/namespaces/{namespace}/finalize");
    cluster
        .kubectl_input(&["replace", "--raw", &path, "-f", "-"], &finalized)
        .unwrap();
    cluster.kubectl_ok(&["create", "ns", &namespace]).unwrap();
    cluster
        .kubectl_ok(&["-n", &namespace, "create", "cm", "again"])
        .unwrap();
    watch.wait_out("what is in the new one", |out| out.contains("again"));
}
