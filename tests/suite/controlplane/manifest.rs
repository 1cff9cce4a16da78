//! `samples/kubernetes/controlplane.yaml`, against a real API server and the controlplane's own command line.

use super::{copy, password, secret, until, until_gone};
use crate::programs::{Background, command};
use crate::scene::Scene;
use bed::{Cluster, User};
use clap::Args as _;
use mqtt_informer::controlplane::ControlplaneArgs;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const MANIFEST: &str = include_str!("../../../samples/kubernetes/controlplane.yaml");
const NAMESPACE: &str = "mqtt-informer";
const NAME: &str = "mqtt-informer-controlplane";

fn documents() -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(MANIFEST);
    documents
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

fn pod_spec() -> Value {
    let deployment = documents()
        .into_iter()
        .find(|one| one["kind"] == "Deployment")
        .unwrap();
    deployment["spec"]["template"]["spec"].clone()
}

fn arguments() -> Vec<String> {
    let arguments = pod_spec()["containers"][0]["args"]
        .as_array()
        .unwrap()
        .clone();
    arguments
        .iter()
        .map(|argument| argument.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_controlplane_takes_the_manifests_arguments() {
    let commented = MANIFEST
        .lines()
        .filter_map(|line| line.trim().strip_prefix("# - --"));
    let commented: Vec<_> = commented.map(|argument| format!("--{argument}")).collect();
    assert!(commented.len() >= 3);
    let parse = |arguments: &[String]| {
        let command = ControlplaneArgs::augment_args(clap::Command::new("controlplane"));
        command.try_get_matches_from(arguments).unwrap()
    };
    let matches = parse(&arguments());
    let listen = matches.get_one::<std::net::SocketAddr>("listen").unwrap();
    let container = &pod_spec()["containers"][0];
    assert_eq!(
        container["ports"],
        json!([{"name": "http", "containerPort": listen.port()}])
    );
    parse(&[arguments(), commented].concat());
}

/// A kubeconfig with a token of the manifest's service account, as the TokenRequest API gives it.
fn kubeconfig(hub: &Cluster, dir: &Path) -> PathBuf {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token");
    let request =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let answer = hub
        .api()
        .post(&path, request.to_string())
        .unwrap()
        .success()
        .unwrap()
        .json()
        .unwrap();
    let admin = std::fs::read_to_string(hub.kubeconfig(User::Admin)).unwrap();
    let mut config: Value = serde_json::from_str(&admin).unwrap();
    config["users"][0]["user"] = json!({"token": answer["status"]["token"]});
    let file = dir.join("controlplane.kubeconfig");
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

#[test]
fn its_service_account_may_do_what_it_has_to_and_no_more() {
    let scene = Scene::new("manifest");
    let cluster = scene.shared();
    let hub = scene.bed.private_cluster("controlplane-manifest").unwrap();
    let first = documents().remove(0).to_string();
    hub.kubectl_input(&["apply", "-f", "-"], &first).unwrap();
    hub.kubectl_input(
        &["apply", "--warnings-as-errors", "--server-side", "-f", "-"],
        MANIFEST,
    )
    .unwrap();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": NAMESPACE}, "spec": pod_spec()});
    hub.kubectl_input(&["create", "--dry-run=server", "-f", "-"], &pod.to_string())
        .unwrap();

    let namespace = cluster.namespace("manifest").unwrap();
    cluster.apply(&secret(&namespace, "db", "one")).unwrap();
    let kubeconfig_of_cluster = cluster.kubeconfig(User::Admin);
    let _syncer =
        crate::programs::Syncer::start(&scene.options("manifest1", &kubeconfig_of_cluster, &[]));
    let mut command = command("mqtt-informer");
    let own = |argument: &String| {
        let of_the_pod = [
            "--broker",
            "--client-id",
            "--username",
            "--password",
            "--ca-crt",
            "--listen",
        ];
        !of_the_pod.iter().any(|word| argument.starts_with(word))
    };
    command
        .args(arguments().iter().filter(|argument| own(argument)))
        .args(["--broker", scene.broker.url()]);
    command
        .arg("--kubeconfig")
        .arg(kubeconfig(&hub, scene.bed.dir()));
    let controlplane =
        Background::start(command, &scene.bed.dir().join("controlplane-manifest.log"));
    let path = copy("manifest1", &namespace, "db");
    until(&hub, &path, &controlplane, |copy| password(copy) == "b25l");
    cluster.apply(&secret(&namespace, "db", "two")).unwrap();
    until(&hub, &path, &controlplane, |copy| password(copy) == "dHdv");
    cluster
        .kubectl_ok(&["-n", &namespace, "delete", "secret", "db"])
        .unwrap();
    until_gone(&hub, &path, &controlplane);
    assert!(
        !controlplane.err().contains("WARN"),
        "{}",
        controlplane.err()
    );
}
