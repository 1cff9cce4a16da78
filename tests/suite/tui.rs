//! The screen, in a terminal of its own, on real clusters: keys are typed, and what is drawn is read.

use crate::programs::plugin_command;
use crate::scene::Scene;
use bed::{Cluster, Signal, Terminal};
use std::time::Duration;

const SIZE: (u16, u16) = (30, 140);

/// Opens the screen.
fn open(scene: &Scene, words: &[&str]) -> Terminal {
    let mut command = plugin_command(scene.broker.url(), words);
    command.env("COLORTERM", "truecolor");
    Terminal::start(&command, SIZE).unwrap()
}

/// Waits until this is on the screen.
fn shows(terminal: &Terminal, text: &str) -> String {
    terminal
        .until(text, |screen| screen.contains(text))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Waits until this is no longer on the screen.
fn hides(terminal: &Terminal, text: &str) -> String {
    terminal
        .until(&format!("no {text}"), |screen| !screen.contains(text))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn types(terminal: &mut Terminal, keys: &str) {
    terminal.keys(keys).unwrap();
}

fn deployed(cluster: &Cluster, namespace: &str, name: &str) {
    let words = [
        "-n",
        namespace,
        "create",
        "deployment",
        name,
        "--image=i",
        "--replicas=2",
    ];
    cluster.kubectl_ok(&words).unwrap();
}

#[test]
fn keys_are_typed_and_the_screen_follows_the_clusters() {
    let scene = Scene::new("tui-keys");
    let cluster = scene.shared();
    cluster.controllers().unwrap();
    let namespace = cluster.namespace("tuikeys").unwrap();
    deployed(&cluster, &namespace, "web");
    let _syncer = scene.syncer(&cluster, &[]);
    let mut terminal = open(&scene, &["tui", "deploy", "-n", &namespace]);
    shows(&terminal, "web");
    shows(&terminal, "2/2");
    deployed(&cluster, &namespace, "api");
    shows(&terminal, "api");
    // A filter, and out of it.
    types(&mut terminal, "/^we\r");
    hides(&terminal, "api");
    types(&mut terminal, "\x1b");
    shows(&terminal, "api");
    // Into a deployment: its replica sets, then its pods.
    types(&mut terminal, "G");
    types(&mut terminal, "\r");
    shows(&terminal, "replicasets");
    shows(&terminal, "web-");
    types(&mut terminal, "\r");
    shows(&terminal, "Running");
    types(&mut terminal, "d");
    shows(&terminal, "Controlled By");
    types(&mut terminal, "\x1b\x1b");
    // A word of k9s.
    types(&mut terminal, ":nodes\r");
    shows(&terminal, "VERSION");
    types(&mut terminal, "?");
    shows(&terminal, "In a table");
    types(&mut terminal, "\x1b");
    let words = ["-n", &namespace, "delete", "deployment", "api"];
    cluster.kubectl_ok(&words).unwrap();
    types(&mut terminal, &format!(":deploy {namespace}\r"));
    shows(&terminal, "web");
    hides(&terminal, "api");
    types(&mut terminal, "\x03");
    assert!(terminal.ended().unwrap().success());
    terminal.restored().unwrap();
}

#[test]
fn a_broker_that_goes_and_comes_is_seen() {
    let scene = Scene::new("tui-broker");
    let cluster = scene.shared();
    let _syncer = scene.syncer(&cluster, &[]);
    let terminal = open(&scene, &["tui", "svc", "-n", "default"]);
    shows(&terminal, "443/TCP");
    scene.broker.component().kill_9().unwrap();
    shows(&terminal, "broker");
    let kept = shows(&terminal, "443/TCP");
    assert!(!kept.contains("● cluster1"), "shown as fresh:\n{kept}");
    scene.broker.component().restart().unwrap();
    shows(&terminal, "● cluster1");
}

#[test]
fn signals_and_sizes_leave_a_terminal_that_works() {
    let scene = Scene::new("tui-signals");
    let cluster = scene.shared();
    let _syncer = scene.syncer(&cluster, &[]);
    let mut terminal = open(&scene, &["tui", "ns"]);
    types(&mut terminal, "/^kube-system\r");
    shows(&terminal, "kube-system");
    for size in [(10, 40), (60, 200), (3, 12), SIZE] {
        terminal.resize(size).unwrap();
        if size.0 >= 10 {
            shows(&terminal, "kube-sys");
        }
    }
    terminal.signal(Signal::TSTP).unwrap();
    terminal.restored().unwrap();
    terminal.signal(Signal::CONT).unwrap();
    shows(&terminal, "kube-system");
    terminal.signal(Signal::TERM).unwrap();
    terminal.ended().unwrap();
    terminal.restored().unwrap();
}

#[test]
fn ten_thousand_pods_are_scrolled_and_filtered() {
    let scene = Scene::new("tui-many");
    let cluster = scene.bed.private_cluster("many").unwrap();
    cluster.create_pods("default", "bulk", 10_000).unwrap();
    let _syncer = scene.syncer(&cluster, &[]);
    let mut terminal = open(&scene, &["tui", "pods", "-A"]);
    shows(&terminal, "[10,000]");
    types(&mut terminal, "G");
    shows(&terminal, "10,000/10,000");
    types(&mut terminal, "/09999\r");
    shows(&terminal, "[1/10,000]");
}

/// What a pod uses, as a metrics server would tell it.
fn uses(cluster: &Cluster, pod: &str, cpu: &str, memory: &str) {
    let metrics = serde_json::json!({
        "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics",
        "metadata": {"name": pod, "namespace": "default"}, "window": "15s", "timestamp": "2026-11-27T00:00:00Z",
        "containers": [{"name": "app", "usage": {"cpu": cpu, "memory": memory}}],
    });
    cluster.apply(&metrics.to_string()).unwrap();
}

#[test]
fn what_pods_and_nodes_use_is_shown_where_a_cluster_tells_it() {
    let scene = Scene::new("tui-metrics");
    let cluster = scene.bed.private_cluster("metrics").unwrap();
    cluster.create_node("n1", true).unwrap();
    cluster.create_pods("default", "busy", 2).unwrap();
    let _syncer = scene.syncer(&cluster, &[]);
    let mut terminal = open(&scene, &["tui", "pods", "-n", "default"]);
    let bare = shows(&terminal, "busy-");
    assert!(!bare.contains("CPU"), "{bare}");
    types(&mut terminal, "\x03");
    terminal.ended().unwrap();
    cluster.apply(include_str!("metrics-crds.yaml")).unwrap();
    let words = ["-n", "default", "get", "pods", "-o", "name"];
    let pods = cluster.kubectl_ok(&words).unwrap();
    let pods: Vec<_> = pods
        .lines()
        .filter_map(|line| line.strip_prefix("pod/"))
        .collect();
    cluster
        .wait_for("the metrics API", || {
            let served = cluster.kubectl(&["get", "pods.metrics.k8s.io"]).unwrap();
            Ok(served.status.success().then_some(()))
        })
        .unwrap();
    uses(&cluster, pods[0], "12345678n", "64Mi");
    let mut terminal = open(&scene, &["tui", "pods", "-n", "default"]);
    shows(&terminal, "CPU");
    let screen = shows(&terminal, "n/a");
    assert!(screen.contains("13") && screen.contains("64"), "{screen}");
    uses(&cluster, pods[1], "4100m", "3Gi");
    shows(&terminal, "4100");
    types(&mut terminal, "/CPU:>500\r");
    let screen = hides(&terminal, pods[0]);
    assert!(screen.contains("3072"), "{screen}");
    types(&mut terminal, "\x17");
    shows(&terminal, "%CPU/R");
    let node = r#"{"apiVersion":"metrics.k8s.io/v1beta1","kind":"NodeMetrics","metadata":{"name":"n1"},"usage":{"cpu":"777m","memory":"1Gi"}}"#;
    cluster.apply(node).unwrap();
    types(&mut terminal, ":no\r");
    shows(&terminal, "777");
}

#[test]
fn the_last_screen_is_shown_before_the_broker_is_there_and_says_how_old_it_is() {
    let scene = Scene::new("tui-kept");
    let cluster = scene.shared();
    let _syncer = scene.syncer(&cluster, &[]);
    let cache = scene.bed.dir().join("tui-kept-cache");
    let open = || {
        let mut command = plugin_command(scene.broker.url(), &["tui", "svc", "-n", "default"]);
        command.env("XDG_CACHE_HOME", &cache);
        Terminal::start(&command, SIZE).unwrap()
    };
    let mut first = open();
    shows(&first, "443/TCP");
    types(&mut first, "\x03");
    assert!(first.ended().unwrap().success());
    scene.broker.component().kill_9().unwrap();
    let second = open();
    let kept = shows(&second, "443/TCP");
    assert!(kept.contains("cluster1 stale"), "{kept}");
    shows(&second, "no broker");
    scene.broker.component().restart().unwrap();
    shows(&second, "● cluster1");
}

/// Nobody is left with a broken terminal by words that make no sense, or a pipe.
#[test]
fn without_a_terminal_it_is_refused_in_a_line() {
    let scene = Scene::new("tui-pipe");
    let said = scene.plugin("tui");
    assert_eq!(said.code(), 1, "{said:?}");
    assert!(
        said.err.starts_with("error: ") && said.err.lines().count() == 1,
        "{said:?}"
    );
    assert!(said.took < Duration::from_secs(5), "{said:?}");
}
