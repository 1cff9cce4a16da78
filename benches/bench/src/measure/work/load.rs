//! The works: what is in them, and how they are written.

use super::site::{Site, name};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Instant;

/// Where works of a namespace are.
const WORKS: &str = "/apis/work.open-cluster-management.io/v1/namespaces";
/// Requests at once when all are written.
const AT_ONCE: usize = 8;

/// A work: its number says which cluster it is for.
pub(super) fn work_name(number: usize) -> String {
    format!("work-{number:05}")
}

fn cluster(number: usize, clusters: usize) -> usize {
    number % clusters
}

/// A ConfigMap and a Deployment, whose replicas come back.
fn manifests(number: usize, clusters: usize, revision: u32) -> Value {
    let (work, namespace) = (work_name(number), name(cluster(number, clusters)));
    let metadata = json!({"name": work, "namespace": namespace, "labels": {"app": work}});
    let revision = revision.to_string();
    let containers = json!([{
        "name": "web",
        "image": "registry.example.com/shop/web:1.27.3",
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": "REVISION", "value": revision}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 5},
    }]);
    json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"revision": revision, "settings": "log: info\nworkers: 4\n"}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": work}},
                "template": {"metadata": {"labels": {"app": work}}, "spec": {"containers": containers}},
            },
        },
    ])
}

/// Makes a work, or changes it; when the request began.
fn write(site: &Site, number: usize, clusters: usize, revision: u32) -> Result<Instant> {
    let (work, namespace) = (work_name(number), name(cluster(number, clusters)));
    let collection = format!("{WORKS}/{namespace}/manifestworks");
    let workload = json!({"manifests": manifests(number, clusters, revision)});
    let begin = Instant::now();
    let answer = if revision == 1 {
        let feedback = json!([{
            "resourceIdentifier": {"group": "apps", "resource": "deployments", "name": work, "namespace": namespace},
            "feedbackRules": [{"type": "WellKnownStatus"}],
        }]);
        let work = json!({
            "apiVersion": "work.open-cluster-management.io/v1",
            "kind": "ManifestWork",
            "metadata": {"name": work, "namespace": namespace},
            "spec": {"workload": workload, "manifestConfigs": feedback},
        });
        site.home.api().post(&collection, work.to_string())?
    } else {
        let patch = json!({"spec": {"workload": workload}});
        let path = format!("{collection}/{work}");
        site.home.api().merge(&path, patch.to_string())?
    };
    answer.success()?;
    Ok(begin)
}

/// Does something for each of these numbers, several at once; when each began.
fn each(numbers: &[usize], one: impl Fn(usize) -> Result<Instant> + Sync) -> Result<Vec<Instant>> {
    let share = numbers.len().div_ceil(AT_ONCE).max(1);
    let one = &one;
    std::thread::scope(|scope| {
        let threads: Vec<_> = numbers
            .chunks(share)
            .map(|chunk| {
                scope.spawn(move || chunk.iter().map(|it| one(*it)).collect::<Result<Vec<_>>>())
            })
            .collect();
        let mut begun = Vec::new();
        for thread in threads {
            let part = thread
                .join()
                .map_err(|_| anyhow::anyhow!("a writer panicked"))?;
            begun.extend(part?);
        }
        Ok(begun)
    })
}

/// Writes all of these works.
pub(super) fn write_all(
    site: &Site,
    numbers: &[usize],
    (clusters, revision): (usize, u32),
) -> Result<Vec<Instant>> {
    each(numbers, |it| write(site, it, clusters, revision))
}

/// The Deployments of these works have so many replicas, each in its cluster; when each was said.
pub(super) fn report_all(
    site: &Site,
    numbers: &[usize],
    (clusters, replicas): (usize, i64),
) -> Result<Vec<Instant>> {
    each(numbers, |number| {
        let at = cluster(number, clusters);
        let path = deployment(number, clusters);
        let status = json!({"status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas}});
        let begin = Instant::now();
        let api = site.spoke(at).api();
        api.merge(&format!("{path}/status"), status.to_string())?
            .success()?;
        Ok(begin)
    })
}

/// The uid of a work's Deployment: another one, and it was deleted.
pub(super) fn uid(site: &Site, number: usize, clusters: usize) -> Result<Value> {
    let api = site.spoke(cluster(number, clusters)).api();
    let found = api.get(&deployment(number, clusters))?.success()?.json()?;
    Ok(found["metadata"]["uid"].clone())
}

fn deployment(number: usize, clusters: usize) -> String {
    let namespace = name(cluster(number, clusters));
    let work = work_name(number);
    format!("/apis/apps/v1/namespaces/{namespace}/deployments/{work}")
}
