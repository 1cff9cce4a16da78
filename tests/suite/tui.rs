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
    let terminal = open(&scene, &["tui", "ns"]);
    shows(&terminal, "kube-system");
    scene.broker.component().kill_9().unwrap();
    shows(&terminal, "broker");
    let kept = shows(&terminal, "kube-system");
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
