//! What a person sees of a hub, without any way to it but the broker.

use super::{Role, WORKS, condition, managed};
use crate::controlplane::until;
use crate::programs::{command, plugin_command, run};
use crate::scene::Scene;
use bed::{Cluster, Terminal};
use serde_json::{Value, json};
use std::sync::Arc;

const SECRET: &str = "not-for-people";

/// A hub, its only cluster, and a work of each sort in it.
struct Stage {
    /// The cluster's name: of one test only, since they share an API server.
    name: &'static str,
    scene: Scene,
    hub: Cluster,
    process: Role,
    agent: Role,
    _cluster: Arc<Cluster>,
}

impl Stage {
    fn new(name: &'static str, called: &str) -> Self {
        let scene = Scene::new(name);
        let hub = scene.bed.private_cluster(name).unwrap();
        let cluster = scene.shared();
        let namespace = cluster.namespace(name).unwrap();
        let process = Role::start(
            &scene,
            "hub",
            &hub,
            &["--auto-accept", "*", "--name", called],
        );
        let words = ["--cluster", name, "--hub", called];
        let agent = Role::start(&scene, "agent", &cluster, &words);
        let stage = Self {
            name,
            scene,
            hub,
            process,
            agent,
            _cluster: cluster,
        };
        stage.until(&managed(name), |it| {
            condition(it, "ManagedClusterConditionAvailable") == "True"
        });
        stage.until(&format!("/api/v1/namespaces/{name}"), |_| true);
        let map = |namespace: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": namespace}});
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "namespace": namespace}, "stringData": {"p": SECRET},
        });
        stage.put("good", &[map(&namespace)]);
        stage.put("stuck", &[map("nowhere"), secret]);
        stage
    }

    fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(&self.hub, path, &self.process.process, wanted)
    }

    fn put(&self, name: &str, manifests: &[Value]) {
        let work = json!({
            "apiVersion": "work.open-cluster-management.io/v1",
            "kind": "ManifestWork",
            "metadata": {"name": name, "namespace": self.name},
            "spec": {"workload": {"manifests": manifests}},
        });
        self.hub.apply(&work.to_string()).unwrap();
        let path = format!("{WORKS}/namespaces/{}/manifestworks/{name}", self.name);
        self.until(&path, |work| !condition(work, "Applied").is_empty());
    }
}

#[test]
fn works_and_what_they_are_stuck_on_are_seen_through_the_broker() {
    let stage = Stage::new("person-works", "hub");
    let scene = &stage.scene;
    let (works, _) = scene.until("get works", |said| {
        said.out.contains("nowhere") && said.out.lines().count() == 3
    });
    let line = |name: &str| {
        let found = works.out.lines().find(|line| line.contains(name)).unwrap();
        found
            .split_whitespace()
            .take(5)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("good"), "person-works good True True 1/1");
    assert_eq!(line("stuck"), "person-works stuck False False 1/2");
    assert!(works.out.contains("ConfigMap nowhere/m: "), "{works:?}");

    let missing = scene.plugin("get work nosuch");
    assert_eq!(missing.code(), 1);
    assert!(missing.err.contains("\"nosuch\" not found"), "{missing:?}");
    let watched = scene.plugin("get work nosuch -w --request-timeout 20s");
    assert!(
        watched.code() == 1 && watched.err.contains("\"nosuch\" not found"),
        "{watched:?}"
    );
    let watched = scene.plugin("get works -w --request-timeout 2s");
    assert!(
        watched.code() == 0 && watched.out.contains("nowhere"),
        "it ends in time: {watched:?}"
    );
    assert_eq!(
        scene.plugin("get works -n elsewhere").err.trim(),
        "No works found"
    );

    for form in ["yaml", "json"] {
        let whole = scene.plugin(&format!("get work stuck --cluster person-works -o {form}"));
        assert!(whole.out.contains("nowhere"), "{whole:?}");
        assert!(!whole.out.contains(SECRET), "{whole:?}");
    }
    let clusters = scene.plugin("get managedclusters --cluster hub");
    assert!(clusters.out.contains("person-works "), "{clusters:?}");
    let pods = scene.plugin("get pods --cluster hub");
    assert!(pods.err.contains("this is a hub"), "{pods:?}");
    let listed = scene.plugin("clusters --no-headers");
    assert!(listed.out.starts_with("person-works "), "{listed:?}");
    assert_eq!(
        listed.out.lines().count(),
        1,
        "a hub is no cluster: {listed:?}"
    );
}

#[test]
fn works_of_a_hub_with_another_name_are_followed_through_the_broker() {
    let mut stage = Stage::new("person-rollout", "hq");
    let scene = &stage.scene;
    let good = scene.plugin("rollout status work/good --hub hq -n person-rollout");
    assert_eq!(
        (good.code(), good.out.as_str()),
        (0, "manifestwork \"good\" successfully rolled out\n")
    );
    let stuck = scene.plugin("rollout status work/stuck --hub hq -n person-rollout --timeout 1s");
    assert_eq!(stuck.code(), 1);
    assert!(
        stuck.out.contains("1 of 2 manifests have been applied"),
        "{stuck:?}"
    );
    assert!(
        stuck.err.contains("timed out waiting for the condition"),
        "{stuck:?}"
    );
    let missing = scene.plugin("rollout status work/nosuch --hub hq -n person-rollout");
    assert!(
        missing.code() == 1 && missing.err.contains("NotFound"),
        "{missing:?}"
    );

    // A completion has a tenth of a second: a busy machine may need more than one.
    for (words, name) in [
        ("get works --hub hq st", "stuck"),
        ("get --hub hq work/st", "work/stuck"),
        ("rollout status --hub hq work/go", "work/good"),
        ("rollout status --hub hq work -n person-rollout go", "good"),
    ] {
        let words: Vec<_> = words.split(' ').collect();
        let completed = || {
            let mut command = command("kubectl-mqinformer");
            command.arg("__complete").args(&words);
            command.env("BROKER", scene.broker.url());
            Ok(run(command)
                .out
                .lines()
                .any(|line| line == name)
                .then_some(()))
        };
        bed::wait_for(name, completed).unwrap();
    }

    let none = scene.plugin("get works --timeout 1s");
    assert!(
        none.err.contains("no hub called \"hub\" answered"),
        "{none:?}"
    );

    let mut terminal = Terminal::start(
        &plugin_command(scene.broker.url(), &["tui", "pods", "--hub", "hq"]),
        (30, 140),
    )
    .unwrap();
    let shows = |terminal: &Terminal, text: &str| {
        let shown = terminal.until(text, |screen| screen.contains(text));
        shown.unwrap_or_else(|error| panic!("{error}"))
    };
    shows(&terminal, "person-rollout");
    terminal.keys(":works\r").unwrap();
    shows(&terminal, "1 stuck");
    shows(&terminal, "ConfigMap nowhere/m");
    let words = ["get", "works", "-w", "--hub", "hq"];
    let command = plugin_command(scene.broker.url(), &words);
    let watch = Terminal::start(&command, (30, 140)).unwrap();
    shows(&watch, "ConfigMap nowhere/m");
    let map = |namespace: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": namespace}});
    stage.put("good", &[map("elsewhere")]);
    shows(&watch, "ConfigMap elsewhere/m");
    assert!(stage.process.process.terminate().success());
    stage.process = Role::start(scene, "hub", &stage.hub, &["--name", "hq"]);
    stage.put("good", &[map("afterwards")]);
    shows(&watch, "ConfigMap afterwards/m");
    drop(stage.agent);
    shows(&terminal, "the cluster is offline; before:");
}
