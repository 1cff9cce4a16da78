//! Two clusters on one broker, and a controlplane that serves what it stores of them.

use super::super::Controlplane;
use crate::differential::stage;
use crate::programs::{Said, Syncer, run};
use crate::scene::Scene;
use bed::{Cluster, User};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// What is kept.
const RESOURCES: &str = "pods,deployments.apps,replicasets.apps,configmaps,namespaces,events";

/// An answer to a GET.
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) warnings: Vec<String>,
    pub(super) body: Value,
}

pub(super) struct Fleet {
    pub(super) scene: Scene,
    /// By these names: `cluster1` has controllers, `cluster2` has none.
    pub(super) clusters: [Arc<Cluster>; 2],
    pub(super) namespace: String,
    _syncers: [Syncer; 2],
    dir: PathBuf,
    /// HOST:PORT of what is served.
    pub(super) address: String,
}

impl Fleet {
    pub(super) fn new(name: &'static str) -> Self {
        let scene = Scene::new(name);
        let clusters = [
            Arc::clone(&stage().cluster),
            scene.bed.cluster("cluster2").unwrap(),
        ];
        let namespace = clusters[0].namespace(name).unwrap();
        let there = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n");
        clusters[1].apply(&there).unwrap();
        let syncers = [
            scene.syncer(&clusters[0], &[]),
            scene.syncer(&clusters[1], &[]),
        ];
        let dir = scene.bed.dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let port = bed::choose_ports(1).unwrap()[0];
        Self {
            scene,
            clusters,
            namespace,
            _syncers: syncers,
            dir,
            address: format!("127.0.0.1:{port}"),
        }
    }

    /// Starts the controlplane, and waits until it serves all of both clusters.
    pub(super) fn controlplane(&self) -> Controlplane {
        let store = format!("sqlite://{}", self.dir.join("fleet.db").display());
        let url = self.url("");
        let words = [
            "--store",
            &store,
            "--resources",
            RESOURCES,
            "--serve",
            &self.address,
            "--serve-url",
            &url,
        ];
        let controlplane = Controlplane::launch_with(&self.scene, &words);
        controlplane.until_ready();
        for resource in RESOURCES.split(',') {
            for view in ["rows", "objects"] {
                let labels = format!("resource=\"{resource}\",view=\"{view}\"");
                controlplane.until_labelled("store_clusters_synced", &labels, |it| it == 2.0);
            }
        }
        controlplane
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn get(&self, path: &str) -> Option<Answer> {
        self.get_from(path, None)
    }

    /// As a web page of that origin would.
    pub(super) fn get_from(&self, path: &str, origin: Option<&str>) -> Option<Answer> {
        let agent = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = ureq::Agent::new_with_config(agent.build());
        let mut asking = agent.get(self.url(path));
        if let Some(origin) = origin {
            asking = asking.header("origin", origin);
        }
        let mut answer = asking.call().ok()?;
        let warnings = answer.headers().get_all("warning").iter();
        Some(Answer {
            code: answer.status().as_u16(),
            warnings: warnings.map(|it| it.to_str().unwrap().to_owned()).collect(),
            body: serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?,
        })
    }

    /// Waits until what is served at a path is as wanted.
    pub(super) fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let last = std::cell::RefCell::new(Value::Null);
        let found = bed::wait_for(path, || {
            let Some(answer) = self.get(path) else {
                return Ok(None);
            };
            last.replace(answer.body.clone());
            Ok(Some(answer.body).filter(&wanted))
        });
        found.unwrap_or_else(|error| panic!("{error}: {}", last.borrow()))
    }

    /// A kubeconfig for what is served of `clusters`, a cluster's name or `*`.
    pub(super) fn kubeconfig(&self, clusters: &str) -> PathBuf {
        let server = self.url(&format!("/clusters/{clusters}"));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "served",
            "clusters": [{"name": "served", "cluster": {"server": server}}],
            "contexts": [{"name": "served", "context": {"cluster": "served", "user": ""}}],
        });
        let name = clusters.replace('*', "all");
        let path = self.dir.join(format!("{name}.kubeconfig"));
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    pub(super) fn command(&self, clusters: &str, args: &[&str]) -> Command {
        let mut command = self.clusters[0].kubectl_command();
        command
            .env("KUBECONFIG", self.kubeconfig(clusters))
            .env("KUBECACHEDIR", self.dir.join("cache"))
            .args(args);
        command
    }

    pub(super) fn kubectl(&self, clusters: &str, args: &[&str]) -> Said {
        run(self.command(clusters, args))
    }

    /// kubectl at the API server itself.
    pub(super) fn itself(&self, cluster: usize, args: &[&str]) -> Said {
        let mut command = self.clusters[cluster].kubectl_command();
        command.args(args);
        run(command)
    }

    /// A ConfigMap of a cluster.
    pub(super) fn put(&self, cluster: usize, name: &str, value: &str) {
        let metadata =
            json!({"name": name, "namespace": self.namespace, "labels": {"app": "whole"}});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"v": value}});
        self.clusters[cluster].apply(&object.to_string()).unwrap();
    }

    pub(super) fn remove(&self, cluster: usize, name: &str) {
        let path = format!("/api/v1/namespaces/{}/configmaps/{name}", self.namespace);
        let answer = self.clusters[cluster].api().delete(&path).unwrap();
        answer.success().unwrap();
    }

    /// A client-go informer's kubeconfig of a cluster itself.
    pub(super) fn own_kubeconfig(&self, cluster: usize) -> PathBuf {
        self.clusters[cluster].kubeconfig(User::Admin)
    }
}
