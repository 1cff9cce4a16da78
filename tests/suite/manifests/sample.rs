//! One file of `samples/kubernetes`: what is in it, and its container on this machine.

use crate::programs::{Background, program};
use bed::{Broker, Cluster, User};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the Secrets of the samples' comments would hold.
pub(super) const PASSWORD: &str = "correct horse";
pub(super) const NAMESPACE: &str = "mqtt-informer";

/// A sample: its text, and which of our programs it runs.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) text: &'static str,
    pub(super) role: &'static str,
    /// The broker's user, as the comments say.
    pub(super) user: &'static str,
}

impl Sample {
    pub(super) fn name(&self) -> String {
        format!("{NAMESPACE}-{}", self.role)
    }

    pub(super) fn documents(&self) -> Vec<Value> {
        let documents = serde_yaml::Deserializer::from_str(self.text);
        documents
            .map(|document| Value::deserialize(document).unwrap())
            .collect()
    }

    pub(super) fn named(&self, kind: &str, name: &str) -> Value {
        let mut all = self.documents().into_iter();
        all.find(|one| one["kind"] == kind && one["metadata"]["name"] == name)
            .unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    /// The one that is called as the role.
    pub(super) fn document(&self, kind: &str) -> Value {
        self.named(kind, &self.name())
    }

    pub(super) fn pod_spec(&self) -> Value {
        self.document("Deployment")["spec"]["template"]["spec"].clone()
    }

    pub(super) fn container(&self) -> Value {
        let containers = self.pod_spec()["containers"].as_array().unwrap().clone();
        assert_eq!(containers.len(), 1);
        containers[0].clone()
    }

    /// The variables of the container, as the kubelet would make them from ConfigMap, Secret and pod.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let entries = self.container()["env"].as_array().unwrap().clone();
        let variable = |entry: &Value| {
            let name = entry["name"].as_str().unwrap().to_owned();
            (name, self.value(&entry["valueFrom"]))
        };
        entries.iter().map(variable).collect()
    }

    fn value(&self, source: &Value) -> String {
        let volumes = self.pod_spec()["volumes"].clone();
        match source.as_object().unwrap().iter().next().unwrap() {
            (kind, from) if kind == "configMapKeyRef" => {
                let settings = self.document("ConfigMap");
                assert_eq!(from["name"], settings["metadata"]["name"]);
                let value = &settings["data"][from["key"].as_str().unwrap()];
                value.as_str().unwrap().to_owned()
            }
            (kind, from) if kind == "secretKeyRef" => {
                assert_eq!(from["name"], volumes[0]["secret"]["secretName"]);
                assert_eq!(from["key"], "username");
                self.user.to_owned()
            }
            (kind, from) if kind == "fieldRef" && from["fieldPath"] == "metadata.name" => {
                format!("{}-7c5ddbdf54-x2kqv", self.name())
            }
            (kind, _) => panic!("where does {kind} come from?"),
        }
    }

    /// The container's arguments, each `$(VARIABLE)` replaced.
    pub(super) fn arguments(&self) -> Vec<String> {
        let environment = self.environment();
        let expanded = |argument: String| {
            environment.iter().fold(argument, |text, (name, value)| {
                text.replace(&format!("$({name})"), value)
            })
        };
        let arguments: Vec<_> = texts(&self.container()["args"])
            .into_iter()
            .map(expanded)
            .collect();
        assert!(
            arguments.iter().all(|argument| !argument.contains("$(")),
            "a variable that is not there: {arguments:?}"
        );
        assert_eq!(arguments[0], self.role);
        arguments
    }

    /// Those that are there as comments, too.
    pub(super) fn all_arguments(&self) -> Vec<String> {
        let lines = self.text.lines();
        let commented = lines.filter_map(|line| line.trim().strip_prefix("# - --"));
        let commented: Vec<_> = commented.map(|it| format!("--{it}")).collect();
        assert!(!commented.is_empty());
        [self.arguments(), commented].concat()
    }

    /// Applies it as a person would, with everything that the API server warns of taken as an error.
    pub(super) fn apply(&self, cluster: &Cluster) {
        let namespace = self.named("Namespace", NAMESPACE).to_string();
        let first = cluster.kubectl_input(&["apply", "-f", "-"], &namespace);
        first.unwrap();
        let apply = |more: &[&str]| {
            let words = ["apply", "--warnings-as-errors", "--server-side", "-f", "-"];
            let words = [&words[..], more].concat();
            cluster.kubectl_input(&words, self.text).unwrap()
        };
        let all = self.documents().len();
        let dry = apply(&["--dry-run=server"]);
        let said = "serverside-applied (server dry run)";
        assert_eq!(dry.matches(said).count(), all, "{dry}");
        let name = self.name();
        let words = ["-n", NAMESPACE, "get", "deployment", &name];
        let nothing = cluster.kubectl(&words).unwrap();
        assert!(!nothing.status.success(), "a dry run leaves nothing");
        let applied = apply(&[]);
        assert_eq!(
            applied.matches("serverside-applied").count(),
            all,
            "{applied}"
        );
    }

    /// Whether a pod as the Deployment's would be let in, its spec changed.
    pub(super) fn admitted(
        &self,
        cluster: &Cluster,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), String> {
        let mut spec = self.pod_spec();
        change(&mut spec);
        let metadata = json!({"name": "replica", "namespace": NAMESPACE});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        let words = ["create", "--dry-run=server", "-f", "-"];
        let said = cluster.kubectl_input(&words, &pod.to_string());
        said.map(drop).map_err(|error| error.to_string())
    }

    /// A kubeconfig with a token of the pod's service account, as the TokenRequest API gives it.
    pub(super) fn kubeconfig(&self, cluster: &Cluster, dir: &Path) -> PathBuf {
        let account = self.pod_spec()["serviceAccountName"].clone();
        let account = account.as_str().unwrap();
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token");
        let request =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let answer = cluster.api().post(&path, request.to_string()).unwrap();
        let answer = answer.success().unwrap().json().unwrap();
        let admin = std::fs::read_to_string(cluster.kubeconfig(User::Admin)).unwrap();
        let mut config: Value = serde_json::from_str(&admin).unwrap();
        config["users"][0]["user"] = json!({"token": answer["status"]["token"]});
        let file = dir.join(format!("{}.kubeconfig", self.role));
        std::fs::write(&file, config.to_string()).unwrap();
        file
    }

    /// Runs the container's command on this machine, with its service account's rights, and waits until it is ready: the
    /// Secret's files in `dir`, the API server through a kubeconfig, the broker and the port of this test.
    pub(super) fn run(&self, cluster: &Cluster, broker: &Broker, dir: &Path) -> Background {
        std::fs::copy(broker.ca(), dir.join("ca.crt")).unwrap();
        std::fs::write(dir.join("password"), PASSWORD).unwrap();
        let port = bed::choose_ports(1).unwrap()[0];
        let mounts = self.container()["volumeMounts"].as_array().unwrap().clone();
        assert_eq!(mounts.len(), 1);
        let mounted = mounts[0]["mountPath"].as_str().unwrap().to_owned();
        let theirs = self.environment()["BROKER"].clone();
        let here = |argument: String| {
            let argument = argument.replace(&mounted, &dir.display().to_string());
            let argument = argument.replace(&theirs, broker.url());
            argument.replace("--listen=:8080", &format!("--listen=127.0.0.1:{port}"))
        };
        let mut command = Command::new(program("mqtt-informer"));
        command
            .args(self.arguments().into_iter().map(here))
            .env_clear()
            .envs(self.environment())
            .env("BROKER", broker.url())
            .env("KUBECONFIG", self.kubeconfig(cluster, dir));
        let log = dir.join(format!("{}-{port}.log", self.role));
        let process = Background::start(command, &log);
        let ready = format!("http://127.0.0.1:{port}/readyz");
        let waited = bed::wait_for("the container to be ready", || {
            Ok(ureq::get(&ready).call().ok().map(drop))
        });
        waited.unwrap_or_else(|error| panic!("{error}: {}", process.err()));
        process
    }
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    let items = value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"));
    let text = |item: &Value| item.as_str().unwrap().to_owned();
    items.iter().map(text).collect()
}
