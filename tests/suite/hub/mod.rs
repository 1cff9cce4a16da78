//! Hub and agents: work that goes down to clusters, and status that comes back.

mod acl;
mod clusters;
mod definitions;
mod documented;
mod inventories;
mod outages;
mod person;
mod removal;
mod scenario;
mod scheduling;
mod strategies;
mod unreadable;

use crate::controlplane::{get, until};
use crate::programs::{Background, command, http};
use crate::scene::Scene;
use bed::{Cluster, User};
use serde_json::{Value, json};
use std::path::Path;

/// A hub or an agent under test, and where its probes are served.
pub(super) struct Role {
    pub(super) process: Background,
    probes: String,
}

impl Role {
    fn start(scene: &Scene, role: &str, cluster: &Cluster, words: &[&str]) -> Self {
        let started = Self::launch(scene, role, cluster, words);
        started.until_ready();
        started
    }

    fn launch(scene: &Scene, role: &str, cluster: &Cluster, words: &[&str]) -> Self {
        let kubeconfig = cluster.kubeconfig(User::Admin);
        Self::at(scene.broker.url(), role, &kubeconfig, words)
    }

    /// At a broker, which may want a user, with what a kubeconfig may do.
    pub(super) fn at(broker: &str, role: &str, kubeconfig: &Path, words: &[&str]) -> Self {
        let port = bed::choose_ports(1).unwrap()[0];
        let probes = format!("127.0.0.1:{port}");
        let mut command = command("mqtt-informer");
        command.args([role, "--broker", broker, "--listen", &probes]);
        command.arg("--kubeconfig").arg(kubeconfig).args(words);
        let dir = bed::Bed::shared().unwrap().dir();
        let log = dir.join(format!("{role}-{port}.log"));
        Self {
            process: Background::start(command, &log),
            probes: format!("http://{probes}"),
        }
    }

    pub(super) fn until_ready(&self) {
        let ready = bed::wait_for("it is ready", || Ok(self.ready().0.then_some(())));
        ready.unwrap_or_else(|error| panic!("{error}: {:?}\n{}", self.ready(), self.process.err()));
    }

    /// What `/readyz` says.
    fn ready(&self) -> (bool, String) {
        match http(&format!("{}/readyz", self.probes)) {
            Some((code, words)) => (code == 200, words.trim().to_owned()),
            None => (false, "no answer".into()),
        }
    }
}

/// A hub with an API server of its own, and one cluster.
pub(super) struct Pair {
    pub(super) scene: Scene,
    pub(super) hub: Cluster,
    pub(super) cluster: std::sync::Arc<Cluster>,
    /// The name of the hub, and of the cluster: of this test only.
    pub(super) name: &'static str,
    /// In the cluster, of this test only.
    pub(super) namespace: String,
}

impl Pair {
    pub(super) fn new(name: &'static str) -> Self {
        let scene = Scene::new(name);
        let hub = scene.bed.private_cluster(name).unwrap();
        let cluster = scene.shared();
        let namespace = cluster.namespace(name).unwrap();
        Self {
            scene,
            hub,
            cluster,
            name,
            namespace,
        }
    }

    /// In the cluster are no other test's agents, definitions and objects.
    pub(super) fn alone(name: &'static str) -> Self {
        let mut pair = Self::new(name);
        let cluster = pair.scene.bed.private_cluster(&format!("{name}-edge"));
        pair.cluster = std::sync::Arc::new(cluster.unwrap());
        pair.namespace = pair.cluster.namespace(name).unwrap();
        pair
    }

    pub(super) fn start_hub(&self, more: &[&str]) -> Role {
        let words = [&["--name", self.name, "--auto-accept", "*"], more].concat();
        Role::start(&self.scene, "hub", &self.hub, &words)
    }

    pub(super) fn start_agent(&self, more: &[&str]) -> Role {
        let words = [&["--hub", self.name, "--cluster", "edge"], more].concat();
        Role::start(&self.scene, "agent", &self.cluster, &words)
    }

    /// Where a work is.
    pub(super) fn work(&self, name: &str) -> String {
        format!("{WORKS}/namespaces/edge/manifestworks/{name}")
    }

    /// Where a ConfigMap is in the cluster.
    pub(super) fn config_map(&self, name: &str) -> String {
        format!("/api/v1/namespaces/{}/configmaps/{name}", self.namespace)
    }

    /// Makes or changes a work of ConfigMaps with these names, all of one value.
    pub(super) fn put_work(&self, name: &str, maps: &[&str], value: &str) {
        let manifests: Vec<_> = maps
            .iter()
            .map(|map| {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": map, "namespace": self.namespace}, "data": {"v": value}})
            })
            .collect();
        self.put_manifests(name, &manifests);
    }

    /// Makes or changes a work.
    pub(super) fn put_manifests(&self, name: &str, manifests: &[Value]) {
        let work = json!({
            "apiVersion": "work.open-cluster-management.io/v1",
            "kind": "ManifestWork",
            "metadata": {"name": name, "namespace": "edge"},
            "spec": {"workload": {"manifests": manifests}},
        });
        self.hub.apply(&work.to_string()).unwrap();
    }

    /// Deletes a work, which stays until its agent has confirmed.
    pub(super) fn delete_work(&self, name: &str) {
        let words = ["-n", "edge", "delete", "manifestwork", name, "--wait=false"];
        self.hub.kubectl_ok(&words).unwrap();
    }

    /// Waits until the cluster is there to be given work.
    pub(super) fn until_joined(&self, hub: &Role) {
        until(&self.hub, &managed("edge"), &hub.process, |cluster| {
            condition(cluster, "ManagedClusterConditionAvailable") == "True"
        });
        until(&self.hub, "/api/v1/namespaces/edge", &hub.process, |_| true);
    }
}

/// The definition of a kind into which anything goes, and which of its versions are served; the last is stored.
pub(super) fn definition(group: &str, kind: &str, versions: &[(&str, bool)]) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    let last = versions.last().unwrap().0;
    let version = |(name, served): &(&str, bool)| {
        json!({"name": name, "served": served, "storage": *name == last, "schema": {
            "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }})
    };
    let versions: Vec<_> = versions.iter().map(version).collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": versions,
        },
    })
}

pub(super) const WORKS: &str = "/apis/work.open-cluster-management.io/v1";

/// Where a ManagedCluster is.
pub(super) fn managed(name: &str) -> String {
    format!("/apis/cluster.open-cluster-management.io/v1/managedclusters/{name}")
}

/// What a condition says.
pub(super) fn condition(object: &Value, kind: &str) -> String {
    let all = object["status"]["conditions"].as_array();
    let found = all.into_iter().flatten().find(|it| it["type"] == kind);
    found
        .map_or("none", |it| it["status"].as_str().unwrap())
        .to_owned()
}

/// The value that a ConfigMap has.
pub(super) fn value(map: &Value) -> &str {
    map["data"]["v"].as_str().unwrap_or_default()
}

pub(super) fn uid(cluster: &Cluster, path: &str) -> Option<String> {
    Some(get(cluster, path)?["metadata"]["uid"].as_str()?.to_owned())
}
