//! The controlplane: what it keeps of real clusters, and what becomes of that when anything breaks.

mod inert;
mod intake;
mod manifest;
mod mirror;
mod outages;
mod share;
mod whole;

use crate::programs::{Background, command, http};
use crate::scene::Scene;
use bed::{Cluster, User};
use serde_json::Value;
use std::sync::Arc;

/// A controlplane under test, and where its probes are served.
pub(super) struct Controlplane {
    pub(super) process: Background,
    probes: String,
}

impl Controlplane {
    /// Starts one that copies into `hub`; does not wait.
    pub(super) fn launch(scene: &Scene, hub: &Cluster, more: &[&str]) -> Self {
        let kubeconfig = hub.kubeconfig(User::Admin);
        let kubeconfig = kubeconfig.to_str().unwrap();
        Self::launch_with(scene, &[&["--kubeconfig", kubeconfig], more].concat())
    }

    pub(super) fn launch_with(scene: &Scene, more: &[&str]) -> Self {
        let port = bed::choose_ports(1).unwrap()[0];
        let probes = format!("127.0.0.1:{port}");
        let mut command = command("mqtt-informer");
        let broker = scene.broker.url();
        command.args(["controlplane", "--broker", broker, "--listen", &probes]);
        command.args(more);
        let log = scene.bed.dir().join(format!("controlplane-{port}.log"));
        Self {
            process: Background::start(command, &log),
            probes: format!("http://{probes}"),
        }
    }

    /// Starts one and waits until it is ready.
    pub(super) fn start(scene: &Scene, hub: &Cluster, more: &[&str]) -> Self {
        let started = Self::launch(scene, hub, more);
        started.until_ready();
        started
    }

    pub(super) fn until_ready(&self) {
        let ready = bed::wait_for("the controlplane is ready", || {
            Ok(self.ready().0.then_some(()))
        });
        ready.unwrap_or_else(|error| panic!("{error}: {:?}\n{}", self.ready(), self.process.err()));
    }

    /// What `/readyz` says.
    pub(super) fn ready(&self) -> (bool, String) {
        match http(&format!("{}/readyz", self.probes)) {
            Some((code, words)) => (code == 200, words.trim().to_owned()),
            None => (false, "no answer".into()),
        }
    }

    /// All metrics, as text.
    pub(super) fn metrics(&self) -> String {
        http(&format!("{}/metrics", self.probes)).unwrap().1
    }

    /// The value of a metric with these labels, `mqinformer_controlplane_` left out.
    pub(super) fn labelled(&self, name: &str, labels: &str) -> f64 {
        let text = self.metrics();
        let wanted = format!("mqinformer_controlplane_{name}{{{labels}}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&wanted));
        let value = value.unwrap_or_else(|| panic!("no metric {wanted}:\n{text}"));
        value.parse().unwrap()
    }

    /// The value of a metric of one resource's mirror.
    pub(super) fn metric(&self, name: &str, resource: &str) -> f64 {
        self.labelled(name, &format!("resource=\"{resource}\""))
    }

    /// Waits until a metric is as wanted.
    pub(super) fn until_metric(&self, name: &str, resource: &str, wanted: impl Fn(f64) -> bool) {
        self.until_labelled(name, &format!("resource=\"{resource}\""), wanted);
    }

    /// Waits until a metric is as wanted.
    pub(super) fn until_labelled(&self, name: &str, labels: &str, wanted: impl Fn(f64) -> bool) {
        let waited = bed::wait_for(name, || {
            Ok(wanted(self.labelled(name, labels)).then_some(()))
        });
        waited.unwrap_or_else(|error| {
            let is = self.labelled(name, labels);
            panic!(
                "{error}: {name} of {labels} is {is}\n{}",
                self.process.err()
            )
        });
    }
}

/// The API server that copies go to; all tests share it, each with clusters of other names.
pub(super) fn hub(scene: &Scene) -> Arc<Cluster> {
    scene.bed.cluster("hub").unwrap()
}

/// An object, if it is there.
pub(super) fn get(cluster: &Cluster, path: &str) -> Option<Value> {
    let answer = cluster.api().get(path).unwrap();
    match answer.status {
        404 => None,
        _ => Some(answer.success().unwrap().json().unwrap()),
    }
}

/// Waits for an object to be as wanted.
pub(super) fn until(
    cluster: &Cluster,
    path: &str,
    process: &Background,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let found = cluster.wait_for(path, || Ok(get(cluster, path).filter(&wanted)));
    found.unwrap_or_else(|error| {
        panic!("{error}: it is {:?}\n{}", get(cluster, path), process.err())
    })
}

/// Waits until there is nothing there.
pub(super) fn until_gone(cluster: &Cluster, path: &str, process: &Background) {
    let gone = cluster.wait_for(path, || Ok(get(cluster, path).is_none().then_some(())));
    gone.unwrap_or_else(|error| panic!("{error}: {path} is still there\n{}", process.err()));
}

/// A Secret of the seed's demo.
pub(super) fn secret(namespace: &str, name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{mqtt-resource: \"\"}}}}\nstringData: {{password: {value}}}\n"
    )
}

/// Where its copy is.
pub(super) fn copy(cluster: &str, namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{cluster}/secrets/{namespace}.{name}")
}

/// A value of a Secret, as base64.
pub(super) fn password(secret: &Value) -> &str {
    secret["data"]["password"].as_str().unwrap_or_default()
}
