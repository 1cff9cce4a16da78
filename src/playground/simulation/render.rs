//! The simulated world as Kubernetes objects.

use super::super::rfc3339;
use super::fleet::Blueprint;
use super::job::{CronJob, Job};
use super::node::Node;
use super::pod::{Phase, Pod};
use super::workload::{Controller, Workload};
use serde_json::{Value, json};

/// A resource's name and an object of it.
type Rendered = (&'static str, Value);

fn metadata(namespace: &str, name: &str, created: i64, labels: &Value) -> Value {
    let mut metadata =
        json!({"name": name, "creationTimestamp": rfc3339(created), "labels": labels});
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.into();
    }
    metadata
}

pub(super) fn namespace(name: &str, created: i64) -> Value {
    let labels = json!({"kubernetes.io/metadata.name": name});
    json!({
        "metadata": metadata("", name, created, &labels),
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    })
}

pub(super) fn node(node: &Node) -> Value {
    let mut labels = json!({
        "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": format!("eu-central-1{}", node.zone),
    });
    if node.control_plane {
        labels["node-role.kubernetes.io/control-plane"] = "".into();
    }
    let (ready, reason) = match node.ready {
        true => ("True", "KubeletReady"),
        false => ("Unknown", "NodeStatusUnknown"),
    };
    json!({
        "metadata": metadata("", &node.name, node.created, &labels),
        "spec": {"podCIDR": "10.42.0.0/24"},
        "status": {
            "conditions": [{
                "type": "Ready", "status": ready, "reason": reason, "lastTransitionTime": rfc3339(node.changed_at),
            }],
            "addresses": [
                {"type": "InternalIP", "address": node.address}, {"type": "Hostname", "address": node.name},
            ],
            "capacity": {"cpu": "16", "memory": "65536000Ki", "pods": "110"},
            "allocatable": {"cpu": "15890m", "memory": "64000000Ki", "pods": "110"},
            "nodeInfo": {
                "kubeletVersion": "v1.36.3", "osImage": "Bottlerocket OS 1.48.0", "kernelVersion": "6.12.40",
                "containerRuntimeVersion": "containerd://2.1.4", "architecture": "amd64", "operatingSystem": "linux",
            },
        },
    })
}

pub(super) fn pod(pod: &Pod, node: &Node) -> Value {
    let mut labels = labels(pod.app);
    if pod.controller.0 == "ReplicaSet" {
        labels["pod-template-hash"] = pod.hash.clone().into();
    }
    if pod.controller.0 == "Job" {
        labels["batch.kubernetes.io/job-name"] = pod.controller.1.clone().into();
    }
    let mut object = json!({
        "metadata": metadata(pod.namespace, &pod.name, pod.created, &labels),
        "spec": {"containers": [{
            "name": pod.app, "image": pod.image,
            "resources": {
                "requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"},
            },
        }]},
        "status": status(pod),
    });
    object["metadata"]["ownerReferences"] =
        json!([{"kind": pod.controller.0, "name": pod.controller.1, "controller": true}]);
    if let Some(ended) = pod.ended {
        object["metadata"]["deletionTimestamp"] = rfc3339(ended).into();
    }
    if pod.phase != Phase::Pending {
        object["spec"]["nodeName"] = node.name.clone().into();
        object["status"]["hostIP"] = node.address.clone().into();
    }
    object
}

fn status(pod: &Pod) -> Value {
    let (phase, state) = match pod.phase {
        Phase::Pending => return json!({"phase": "Pending"}),
        Phase::Creating => (
            "Pending",
            json!({"waiting": {"reason": "ContainerCreating"}}),
        ),
        Phase::CrashLoop => (
            "Running",
            json!({"waiting": {"reason": "CrashLoopBackOff"}}),
        ),
        Phase::Succeeded => (
            "Succeeded",
            json!({"terminated": {"exitCode": 0, "reason": "Completed"}}),
        ),
        Phase::Running | Phase::Terminating | Phase::Gone => (
            "Running",
            json!({"running": {"startedAt": rfc3339(pod.started)}}),
        ),
    };
    let ready = matches!(pod.phase, Phase::Running | Phase::Terminating);
    let last = pod.last_end.map_or(json!({}), |end| {
        json!({"terminated": {"exitCode": end.code, "reason": end.reason, "finishedAt": rfc3339(end.at)}})
    });
    let mut status = json!({
        "phase": phase, "startTime": rfc3339(pod.created),
        "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
        "containerStatuses": [{
            "name": pod.app, "image": pod.image, "ready": ready, "started": ready, "restartCount": pod.restarts,
            "state": state, "lastState": last,
        }],
    });
    if pod.phase != Phase::Creating {
        let ip = format!(
            "10.42.{}.{}",
            pod.address / 250 % 250,
            pod.address % 250 + 2
        );
        status["podIP"] = ip.into();
    }
    status
}

fn labels(app: &str) -> Value {
    json!({"app.kubernetes.io/name": app})
}

/// The workload itself, and a Deployment's ReplicaSets.
pub(super) fn workload(workload: &Workload, pods: &[&Pod]) -> Vec<Rendered> {
    let Blueprint {
        namespace,
        name,
        controller,
        ..
    } = workload.blueprint;
    let pods: Vec<&&Pod> = pods.iter().filter(|pod| pod.is_wanted()).collect();
    let ready = pods.iter().filter(|pod| pod.is_ready()).count();
    let updated = pods
        .iter()
        .filter(|pod| pod.revision == workload.revision)
        .count();
    let head = metadata(namespace, name, workload.created, &labels(name));
    let spec = json!({
        "replicas": workload.replicas, "selector": {"matchLabels": labels(name)},
        "template": template(name, &workload.image()),
    });
    let status = json!({
        "replicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": updated,
    });
    match controller {
        Controller::Deployment => {
            let mut rendered = replica_sets(workload, &pods);
            let mut status = status;
            // A quarter may be missing: RollingUpdate's default.
            let available = ready * 4 >= pods.len() * 3;
            status["conditions"] = json!([{
                "type": "Available", "status": if available { "True" } else { "False" },
                "reason": if available { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" },
                "message": if available {
                    "Deployment has minimum availability."
                } else {
                    "Deployment does not have minimum availability."
                },
            }]);
            rendered.push((
                "deployments.apps",
                json!({"metadata": head, "spec": spec, "status": status}),
            ));
            rendered
        }
        Controller::StatefulSet => {
            vec![(
                "statefulsets.apps",
                json!({"metadata": head, "spec": spec, "status": status}),
            )]
        }
        Controller::DaemonSet => {
            let status = json!({
                "desiredNumberScheduled": workload.replicas, "currentNumberScheduled": pods.len(),
                "numberReady": ready, "updatedNumberScheduled": updated, "numberAvailable": ready,
            });
            vec![(
                "daemonsets.apps",
                json!({"metadata": head, "spec": spec, "status": status}),
            )]
        }
    }
}

fn replica_sets(workload: &Workload, pods: &[&&Pod]) -> Vec<Rendered> {
    let Blueprint {
        namespace, name, ..
    } = workload.blueprint;
    let set = |revision: u32| {
        let pods: Vec<_> = pods.iter().filter(|pod| pod.revision == revision).collect();
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        let current = revision == workload.revision;
        let mut labels = labels(name);
        labels["pod-template-hash"] = workload.hash(revision).into();
        let created = if current {
            workload.released
        } else {
            workload.created
        };
        let desired = if current {
            workload.replicas as usize
        } else {
            pods.len()
        };
        let mut head = metadata(namespace, &workload.replica_set(revision), created, &labels);
        head["ownerReferences"] = json!([{"kind": "Deployment", "name": name, "controller": true}]);
        head["annotations"] = json!({"deployment.kubernetes.io/revision": revision.to_string()});
        let object = json!({
            "metadata": head,
            "spec": {
                "replicas": desired, "selector": {"matchLabels": labels},
                "template": template(name, &workload.image_of(revision)),
            },
            "status": {"replicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready},
        });
        ("replicasets.apps", object)
    };
    workload.kept_revisions().map(set).collect()
}

fn template(name: &str, image: &str) -> Value {
    json!({"metadata": {"labels": labels(name)}, "spec": {"containers": [{"name": name, "image": image}]}})
}

/// What belongs to a workload and never changes.
pub(super) fn surroundings(workload: &Workload) -> Vec<Rendered> {
    let Blueprint {
        namespace,
        name,
        port,
        host,
        ..
    } = workload.blueprint;
    let head = |name: &str| {
        metadata(
            namespace,
            name,
            workload.created,
            &labels(workload.blueprint.name),
        )
    };
    let mut rendered = vec![
        (
            "configmaps",
            json!({"metadata": head(name), "data": {"LOG_LEVEL": "info", "REGION": "eu-central-1"}}),
        ),
        (
            "secrets",
            json!({
                "metadata": head(name), "type": "Opaque",
                // "not a real password", "token"
                "data": {"password": "bm90IGEgcmVhbCBwYXNzd29yZA==", "token": "dG9rZW4="},
            }),
        ),
    ];
    if *port > 0 {
        let public = workload.blueprint.namespace == "ingress-nginx";
        rendered.push(("services", service(&head(name), name, *port, public)));
    }
    if !host.is_empty() {
        let backend = json!({"service": {"name": name, "port": {"number": port}}});
        rendered.push(("ingresses.networking.k8s.io", json!({
            "metadata": head(name),
            "spec": {
                "ingressClassName": "nginx", "tls": [{"hosts": [host], "secretName": format!("{name}-tls")}],
                "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.10"}]}},
        })));
    }
    if workload.blueprint.controller == Controller::StatefulSet {
        let claims = (0..workload.replicas)
            .map(|ordinal| claim(&head(&format!("data-{name}-{ordinal}")), ordinal));
        rendered.extend(claims.map(|claim| ("persistentvolumeclaims", claim)));
    }
    rendered
}

fn service(head: &Value, name: &str, port: u16, public: bool) -> Value {
    let hash = xxhash_rust::xxh3::xxh3_64(head.to_string().as_bytes());
    let address = format!("10.96.{}.{}", hash % 256, hash / 256 % 256);
    let (kind, status) = match public {
        true => (
            "LoadBalancer",
            json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.10"}]}}),
        ),
        false => ("ClusterIP", json!({"loadBalancer": {}})),
    };
    json!({
        "metadata": head,
        "spec": {
            "type": kind, "clusterIP": address, "clusterIPs": [address], "selector": labels(name),
            "ports": [{"name": "main", "port": port, "protocol": "TCP", "targetPort": port}],
        },
        "status": status,
    })
}

fn claim(head: &Value, ordinal: u32) -> Value {
    let hash = xxhash_rust::xxh3::xxh3_64(head.to_string().as_bytes());
    let size = format!("{}Gi", [20, 50, 100][ordinal as usize % 3]);
    json!({
        "metadata": head,
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "volumeMode": "Filesystem",
            "volumeName": format!("pvc-{hash:016x}"), "resources": {"requests": {"storage": size}},
        },
        "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}},
    })
}

pub(super) fn cron_job(cron_job: &CronJob, jobs: &[Job]) -> Value {
    let blueprint = cron_job.blueprint;
    let running = jobs
        .iter()
        .filter(|job| job.cron_job == blueprint.name && job.completed.is_none());
    let active: Vec<Value> = running
        .map(|job| json!({"kind": "Job", "name": job.name}))
        .collect();
    let template = json!({"spec": {"template": template(blueprint.name, blueprint.image)}});
    let mut status = json!({"active": active});
    if let Some(at) = cron_job.last_schedule {
        status["lastScheduleTime"] = rfc3339(at).into();
    }
    json!({
        "metadata": metadata(blueprint.namespace, blueprint.name, cron_job.created, &labels(blueprint.name)),
        "spec": {"schedule": blueprint.schedule, "suspend": false, "jobTemplate": template},
        "status": status,
    })
}

pub(super) fn job(job: &Job) -> Value {
    let mut head = metadata(job.namespace, &job.name, job.started, &labels(job.cron_job));
    head["ownerReferences"] =
        json!([{"kind": "CronJob", "name": job.cron_job, "controller": true}]);
    let mut status = json!({"startTime": rfc3339(job.started)});
    match job.completed {
        Some(at) => {
            status["completionTime"] = rfc3339(at).into();
            status["succeeded"] = 1.into();
            status["conditions"] = json!([{"type": "Complete", "status": "True"}]);
        }
        None => status["active"] = 1.into(),
    }
    json!({
        "metadata": head,
        "spec": {
            "completions": 1, "parallelism": 1,
            "selector": {"matchLabels": {"batch.kubernetes.io/job-name": job.name}},
            "template": template(job.cron_job, job.image),
        },
        "status": status,
    })
}
