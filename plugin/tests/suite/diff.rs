//! `diff` between two clusters, without a broker.

use super::cli::plugin;
use mqtt_informer::playground::{Playground, Spec};
use serde_json::{Value, json};
use snapbox::cmd::OutputAssert;
use snapbox::str;
use std::fs;
use tempfile::TempDir;
use tokio::runtime::Runtime;

struct Scene {
    clusters: Vec<Playground>,
    home: TempDir,
    _runtime: Runtime,
}

/// Clusters of these names, each a context.
fn scene(names: &[&str]) -> Scene {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let start = || runtime.block_on(Playground::start(Spec::empty())).unwrap();
    let clusters: Vec<_> = names.iter().map(|_| start()).collect();
    let home = TempDir::new().unwrap();
    let mut config = json!({"users": [{"name": "me", "user": {}}], "clusters": [], "contexts": []});
    for (name, cluster) in names.iter().zip(&clusters) {
        let of = |list: &mut Value, item: Value| list.as_array_mut().unwrap().push(item);
        of(
            &mut config["clusters"],
            json!({"name": name, "cluster": {"server": cluster.url()}}),
        );
        of(
            &mut config["contexts"],
            json!({"name": name, "context": {"cluster": name, "user": "me"}}),
        );
    }
    fs::write(home.path().join("config"), config.to_string()).unwrap();
    Scene {
        clusters,
        home,
        _runtime: runtime,
    }
}

fn deployment(name: &str, image: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": "web", "image": image}]}},
        },
        "status": {"readyReplicas": replicas},
    })
}

impl Scene {
    fn put(&self, cluster: usize, object: Value) {
        self.clusters[cluster].put("deployments.apps", object);
    }

    fn diff(&self, words: &str) -> OutputAssert {
        let words = words.split(' ').filter(|word| !word.is_empty());
        let words: Vec<_> = std::iter::once("diff").chain(words).collect();
        let config = self.home.path().join("config");
        plugin(&words)
            .env("KUBECONFIG", config)
            .env("MQINFORMER_CONTEXT", "all")
            .assert()
    }
}

#[test]
fn what_differs_is_shown_and_what_does_not_is_not() {
    let scene = scene(&["east", "north", "west"]);
    for cluster in 0..3 {
        scene.put(cluster, deployment("same", "a:1", 1));
    }
    scene.put(0, deployment("web", "nginx:1.25", 3));
    scene.put(1, deployment("web", "nginx:1.25", 3));
    scene.put(2, deployment("web", "nginx:1.26", 5));
    scene
        .diff("deploy same")
        .success()
        .stdout_eq("")
        .stderr_eq("");
    scene
        .diff("deploy")
        .code(1)
        .stderr_eq("")
        .stdout_eq(str![[r#"
deployment.apps/web -n default
--- east, north (2 clusters)
+++ west
@@ -4,9 +4,9 @@
   name: web
   namespace: default
 spec:
-  replicas: 3
+  replicas: 5
   template:
     spec:
       containers:
-      - image: nginx:1.25
+      - image: nginx:1.26
         name: web

"#]]);
    scene.put(1, deployment("only-here", "b", 1));
    scene
        .diff("--all")
        .code(1)
        .stderr_eq("")
        .stdout_eq(str![[r#"
NAMESPACE   NAME                        DIFFERS     WHERE
default     deployment.apps/only-here   missing     east, west
default     deployment.apps/web         replicas    3 (east, north); 5 (west)
default     deployment.apps/web         image web   nginx:1.25 (east, north); nginx:1.26 (west)

"#]]);
    let json = scene.diff("--all -o json").code(1).get_output().clone();
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    let differences = document["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 2);
    assert_eq!(differences[0]["missing"], json!(["east", "west"]));
    assert_eq!(differences[1]["fields"][0]["path"], ".spec.replicas");
}

#[test]
fn mistakes_end_with_two() {
    let scene = scene(&["east", "west"]);
    for cluster in [0, 1] {
        scene.put(cluster, deployment("web", "nginx:1.25", 3));
    }
    scene
        .diff("")
        .code(2)
        .stdout_eq("")
        .stderr_eq("error: what is to be compared? Name a type, or say --all for all workloads\n");
    scene
        .diff("nosuch")
        .code(2)
        .stdout_eq("")
        .stderr_eq("error: the server doesn't have a resource type \"nosuch\"\n");
    scene
        .diff("deploy nosuch")
        .code(2)
        .stdout_eq("")
        .stderr_eq("Error from server (NotFound): deployments.apps \"nosuch\" not found\n");
    // Beside one that is there, too.
    scene
        .diff("deploy web nosuch")
        .code(2)
        .stderr_eq("Error from server (NotFound): deployments.apps \"nosuch\" not found\n");
    scene
        .diff("deploy --context east")
        .code(2)
        .stdout_eq("")
        .stderr_eq("error: \"east\" alone differs from nothing: name two clusters or more\n");
    scene.diff("deploy a -l b=c").code(2).stdout_eq("");
}

#[test]
fn a_cluster_that_cannot_be_read_is_told_and_the_others_are_compared() {
    let scene = scene(&["east", "north", "west"]);
    scene.put(0, deployment("web", "a:1", 1));
    scene.put(1, deployment("web", "a:2", 1));
    let config = scene.home.path().join("config");
    let text = fs::read_to_string(&config).unwrap();
    let away = text.replace(scene.clusters[2].url(), "http://127.0.0.1:1");
    fs::write(&config, away).unwrap();
    let said = |words: &str, code: i32| {
        let output = scene.diff(words).code(code).get_output().clone();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            err.starts_with("error: cluster \"west\": ") && err.lines().count() == 1,
            "{err}"
        );
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(
            out.contains("-      - image: a:1\n+      - image: a:2\n"),
            "{out}"
        );
    };
    said("deploy", 2);
    said("deploy --allow-partial", 1);
}
