//! `samples/kubernetes` and the `Dockerfile`, against a real API server and the syncer's own command line.

use crate::programs::{Background, plugin, program};
use bed::{Bed, BrokerSetup, Cluster, Tls, User};
use clap::Args as _;
use mqtt_informer::syncer::SyncerArgs;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = include_str!("../../samples/kubernetes/syncer.yaml");
const DOCKERFILE: &str = include_str!("../../Dockerfile");
const NAMESPACE: &str = "mqtt-informer";
const NAME: &str = "mqtt-informer-syncer";

/// What the Secret of the manifest's comments would hold.
const USERNAME: &str = "cluster1";
const PASSWORD: &str = "correct horse";

fn documents() -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(MANIFEST);
    documents
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

fn document(kind: &str) -> Value {
    let mut of_kind = documents().into_iter().filter(|one| one["kind"] == kind);
    let found = of_kind.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(of_kind.next().is_none(), "two {kind}s");
    found
}

fn pod_spec() -> Value {
    document("Deployment")["spec"]["template"]["spec"].clone()
}

fn container() -> Value {
    let containers = pod_spec()["containers"].as_array().unwrap().clone();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"));
    items
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// The variables of the container, as the kubelet would make them from ConfigMap, Secret and pod.
fn environment() -> BTreeMap<String, String> {
    let settings = document("ConfigMap")["data"].clone();
    let value = |source: &Value| match source.as_object().unwrap().iter().next().unwrap() {
        (kind, from) if kind == "configMapKeyRef" => {
            assert_eq!(from["name"], document("ConfigMap")["metadata"]["name"]);
            settings[from["key"].as_str().unwrap()]
                .as_str()
                .unwrap()
                .to_owned()
        }
        (kind, from) if kind == "secretKeyRef" => {
            assert_eq!(
                (from["name"].as_str(), from["key"].as_str()),
                (Some("mqtt-informer-broker"), Some("username"))
            );
            USERNAME.to_owned()
        }
        (kind, from) if kind == "fieldRef" && from["fieldPath"] == "metadata.name" => {
            format!("{NAME}-7c5ddbdf54-x2kqv")
        }
        (kind, _) => panic!("where does {kind} come from?"),
    };
    let entries = container()["env"].as_array().unwrap().clone();
    entries
        .iter()
        .map(|entry| {
            (
                entry["name"].as_str().unwrap().to_owned(),
                value(&entry["valueFrom"]),
            )
        })
        .collect()
}

/// The container's arguments, each `$(VARIABLE)` replaced.
fn arguments(environment: &BTreeMap<String, String>) -> Vec<String> {
    let expanded = |argument: String| {
        environment.iter().fold(argument, |text, (name, value)| {
            text.replace(&format!("$({name})"), value)
        })
    };
    let arguments: Vec<_> = texts(&container()["args"])
        .into_iter()
        .map(expanded)
        .collect();
    assert!(
        arguments.iter().all(|argument| !argument.contains("$(")),
        "a variable that is not there: {arguments:?}"
    );
    arguments
}

#[test]
fn the_syncer_takes_the_manifests_arguments() {
    let environment = environment();
    let arguments = arguments(&environment);
    assert_eq!(arguments[0], "syncer");
    let command = SyncerArgs::augment_args(clap::Command::new("syncer"));
    let matches = command.try_get_matches_from(&arguments).unwrap();
    let value = |id: &str| matches.get_one::<String>(id).unwrap().as_str();
    assert_eq!(value("broker"), environment["BROKER"]);
    assert_eq!(value("cluster"), environment["CLUSTER"]);
    assert_eq!(
        value("client_id"),
        environment["POD_NAME"],
        "each replica its own"
    );

    // The probes ask where it listens.
    let listen = matches.get_one::<std::net::SocketAddr>("listen").unwrap();
    assert!(listen.ip().is_unspecified());
    let container = container();
    assert_eq!(
        container["ports"],
        json!([{"name": "http", "containerPort": listen.port()}])
    );
    assert_eq!(
        container["livenessProbe"]["httpGet"],
        json!({"path": "/healthz", "port": "http"})
    );
    assert_eq!(
        container["readinessProbe"]["httpGet"],
        json!({"path": "/readyz", "port": "http"})
    );
}

#[test]
fn commented_arguments_are_arguments_too() {
    let commented = MANIFEST
        .lines()
        .filter_map(|line| line.trim().strip_prefix("# - --"));
    let mut arguments = arguments(&environment());
    let before = arguments.len();
    arguments.extend(commented.map(|argument| format!("--{argument}")));
    assert!(arguments.len() > before);
    let command = SyncerArgs::augment_args(clap::Command::new("syncer"));
    command.try_get_matches_from(&arguments).unwrap();
}

#[test]
fn the_manifest_and_the_image_fit() {
    let image = container()["image"].as_str().unwrap().to_owned();
    let version = env!("CARGO_PKG_VERSION");
    assert!(image.ends_with(&format!(":{version}")), "{image}");
    assert!(DOCKERFILE.contains(&format!("ARG VERSION={version}\n")));
    let user = &pod_spec()["securityContext"]["runAsUser"];
    assert!(
        DOCKERFILE.contains(&format!("\nUSER {user}:{user}\n")),
        "{user}"
    );
    assert!(DOCKERFILE.contains("\nENTRYPOINT [\"/mqtt-informer\"]\n"));
    assert!(container()["command"].is_null(), "the image says what runs");
}

#[test]
fn no_rule_has_a_wildcard_or_lets_it_write_or_read_secrets() {
    let role = document("ClusterRole");
    for rule in role["rules"].as_array().unwrap() {
        let verbs = texts(&rule["verbs"]);
        assert!(
            verbs
                .iter()
                .all(|verb| ["get", "list", "watch"].contains(&verb.as_str())),
            "{rule}"
        );
        for field in ["apiGroups", "resources"] {
            assert!(!texts(&rule[field]).contains(&"*".to_owned()), "{rule}");
        }
        assert!(
            !texts(&rule["resources"]).contains(&"secrets".to_owned()),
            "{rule}"
        );
    }
}

/// Applies the manifest as a person would, with everything that the API server warns of taken as an error.
fn apply(cluster: &Cluster) {
    let namespace = document("Namespace").to_string();
    cluster
        .kubectl_input(&["apply", "-f", "-"], &namespace)
        .unwrap();
    let apply = |more: &[&str]| {
        let words = ["apply", "--warnings-as-errors", "--server-side", "-f", "-"];
        cluster.kubectl_input(&[&words[..], more].concat(), MANIFEST)
    };
    let dry = apply(&["--dry-run=server"]).unwrap();
    assert_eq!(
        dry.matches("serverside-applied (server dry run)").count(),
        documents().len(),
        "{dry}"
    );
    let nothing = cluster
        .kubectl(&["-n", NAMESPACE, "get", "deployment", NAME])
        .unwrap();
    assert!(!nothing.status.success(), "a dry run leaves nothing");
    let applied = apply(&[]).unwrap();
    assert_eq!(
        applied.matches("serverside-applied").count(),
        documents().len(),
        "{applied}"
    );
}

#[test]
fn a_real_api_server_takes_it_with_pod_security_restricted() {
    let cluster = Bed::shared()
        .unwrap()
        .private_cluster("restricted")
        .unwrap();
    apply(&cluster);

    // A Deployment is only warned of; its pods are what is refused. No controller makes them here.
    let pod = |spec: Value| {
        let metadata = json!({"name": "replica", "namespace": NAMESPACE});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        cluster.kubectl_input(&["create", "--dry-run=server", "-f", "-"], &pod.to_string())
    };
    pod(pod_spec()).unwrap();
    let worse = [
        (
            "seccompProfile",
            "/securityContext/seccompProfile",
            Value::Null,
        ),
        (
            "runAsNonRoot",
            "/securityContext/runAsNonRoot",
            json!(false),
        ),
        (
            "capabilities",
            "/containers/0/securityContext/capabilities",
            Value::Null,
        ),
    ];
    for (word, field, value) in worse {
        let mut spec = pod_spec();
        *spec.pointer_mut(field).unwrap() = value;
        let refused = pod(spec).unwrap_err().to_string();
        assert!(
            refused.contains("violates PodSecurity \"restricted") && refused.contains(word),
            "{refused}"
        );
    }

    // What people can list in a cluster is what the role lists, but for Secrets.
    let listable = cluster
        .kubectl_ok(&["api-resources", "--verbs=list", "-o", "name"])
        .unwrap();
    let listable: BTreeSet<_> = listable.lines().map(str::to_owned).collect();
    let role = document("ClusterRole");
    let named = role["rules"].as_array().unwrap().iter().flat_map(|rule| {
        let group = texts(&rule["apiGroups"]).remove(0);
        let name = move |resource: String| {
            if group.is_empty() {
                resource
            } else {
                format!("{resource}.{group}")
            }
        };
        texts(&rule["resources"]).into_iter().map(name)
    });
    let named: BTreeSet<_> = named.collect();
    let missing: Vec<_> = listable.difference(&named).collect();
    assert_eq!(missing, ["secrets"]);
    let unknown: Vec<_> = named.difference(&listable).collect();
    assert_eq!(unknown, ["nodes.metrics.k8s.io", "pods.metrics.k8s.io"]);
}

/// A kubeconfig with a token of the manifest's service account, as the TokenRequest API gives it.
fn kubeconfig(cluster: &Cluster, dir: &Path) -> PathBuf {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token");
    let request =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let answer = cluster.api().post(&path, request.to_string()).unwrap();
    let answer = answer.success().unwrap().json().unwrap();
    let admin = std::fs::read_to_string(cluster.kubeconfig(User::Admin)).unwrap();
    let mut config: Value = serde_json::from_str(&admin).unwrap();
    config["users"][0]["user"] = json!({"token": answer["status"]["token"]});
    let file = dir.join("service-account.kubeconfig");
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

/// The container's command on this machine: the Secret's files in `dir`, the API server through a kubeconfig, the
/// broker and the port of this test.
fn container_command(dir: &Path, broker: &str, kubeconfig: &Path, port: u16) -> Command {
    let mut environment = environment();
    environment.insert("BROKER".into(), broker.to_owned());
    let mounts = container()["volumeMounts"].as_array().unwrap().clone();
    assert_eq!(mounts.len(), 1);
    let mounted = mounts[0]["mountPath"].as_str().unwrap().to_owned();
    let here = |argument: String| {
        let argument = argument.replace(&mounted, &dir.display().to_string());
        argument.replace("--listen=:8080", &format!("--listen=127.0.0.1:{port}"))
    };
    let mut command = Command::new(program("mqtt-informer"));
    command
        .args(arguments(&environment).into_iter().map(here))
        .env_clear()
        .envs(&environment)
        .env("KUBECONFIG", kubeconfig);
    command
}

#[test]
fn the_container_serves_pods_with_its_service_account_and_no_secrets() {
    let bed = Bed::shared().unwrap();
    let cluster = bed.private_cluster("inside").unwrap();
    apply(&cluster);
    cluster.create_pods("default", "seen", 3).unwrap();
    let setup = BrokerSetup::plain()
        .tls(Tls::Server)
        .user(USERNAME, PASSWORD);
    let broker = bed.broker(&setup).unwrap();
    let secret = tempfile::tempdir_in(bed.dir()).unwrap();
    std::fs::copy(broker.ca(), secret.path().join("ca.crt")).unwrap();
    std::fs::write(secret.path().join("password"), PASSWORD).unwrap();

    let token = kubeconfig(&cluster, secret.path());
    let port = bed::choose_ports(1).unwrap()[0];
    let command = container_command(secret.path(), broker.url(), &token, port);
    let syncer = Background::start(command, &bed.dir().join("container.log"));
    let ready = format!("http://127.0.0.1:{port}/readyz");
    bed::wait_for("the container to be ready", || {
        Ok(ureq::get(&ready).call().ok().map(drop))
    })
    .unwrap_or_else(|error| panic!("{error}: {}", syncer.err()));

    let login = broker.url().replace(
        "://",
        &format!("://{USERNAME}:{}@", PASSWORD.replace(' ', "%20")),
    );
    let ca = broker.ca().display().to_string();
    let get = |what: &str| {
        plugin(
            &login,
            &["get", what, "-A", "--cluster", "cluster1", "--ca-crt", &ca],
        )
    };
    let pods = get("pods");
    assert_eq!(
        (pods.code(), pods.out.matches("seen-0000").count()),
        (0, 3),
        "{pods:?}"
    );
    let secrets = get("secrets");
    assert_eq!(secrets.code(), 1, "{secrets:?}");
    let words = format!(
        "Error from server (Forbidden): secrets is forbidden: User \"system:serviceaccount:{NAMESPACE}:{NAME}\" cannot list"
    );
    assert!(secrets.err.starts_with(&words), "{secrets:?}");
    assert!(
        !syncer.err().contains("which cluster this is stays unknown"),
        "it may read the uid of kube-system: {}",
        syncer.err()
    );
}
