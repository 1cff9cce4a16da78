//! Pods as a fleet has them: some 7 kB of JSON each, managedFields included, and no two alike where real ones differ.

use serde_json::{Value, json};

/// Where they live.
pub(crate) const NAMESPACE: &str = "load";

const APPLICATIONS: [&str; 24] = [
    "checkout", "cart", "catalog", "search", "ledger", "payments", "shipping", "identity",
    "gateway", "mailer", "metrics", "billing", "reviews", "pricing", "stock", "images", "session",
    "audit", "export", "notify", "quota", "router", "cache", "worker",
];

/// A pod's name: `application-template hash-suffix`.
pub(crate) fn name(number: usize) -> String {
    let application = APPLICATIONS[number % APPLICATIONS.len()];
    format!("{application}-{}-{number:05x}", template_hash(number))
}

/// Its key in a stream.
pub(crate) fn key(number: usize) -> String {
    format!("{NAMESPACE}/{}", name(number))
}

/// The pod `number`, restarted `revision` times: what changes when a container does crash and come back.
pub(crate) fn pod(number: usize, revision: u32) -> Value {
    let application = APPLICATIONS[number % APPLICATIONS.len()];
    let hash = template_hash(number);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name(number),
            "generateName": format!("{application}-{hash}-"),
            "namespace": NAMESPACE,
            "uid": uid(number as u64),
            "creationTimestamp": time(number as u64 % 20_000),
            "labels": {
                "app.kubernetes.io/name": application, "app.kubernetes.io/instance": "production",
                "app.kubernetes.io/part-of": "shop", "pod-template-hash": hash,
            },
            "annotations": {
                "prometheus.io/scrape": "true", "prometheus.io/port": "9090",
                "kubectl.kubernetes.io/restartedAt": time(number as u64 / 24 % 20_000),
                "checksum/config": hex(&[number as u64 % 24, 1, 2, 3]),
            },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{application}-{hash}"),
                "uid": uid(1_000_000 + (number % 240) as u64), "controller": true, "blockOwnerDeletion": true,
            }],
            "managedFields": managed_fields(number, revision),
        },
        "spec": spec(application, number),
        "status": status(application, number, revision),
    })
}

fn spec(application: &str, number: usize) -> Value {
    json!({
        "volumes": [
            {"name": "config", "configMap": {"name": format!("{application}-config"), "defaultMode": 420}},
            {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            ]}},
        ],
        "containers": [{
            "name": application,
            "image": format!("registry.example.com/shop/{application}:2024.11.{}", number % 24),
            "args": ["--listen=:8080", "--metrics=:9090", "--log-level=info"],
            "ports": [
                {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
            ],
            "env": [
                {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
                {"name": "REGION", "value": "eu-central-1"},
                {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": format!("{application}-db"), "key": "url"}}},
            ],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/app", "readOnly": true},
                {"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true},
            ],
            "livenessProbe": probe("/healthz"),
            "readinessProbe": probe("/readyz"),
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        }],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": application,
        "serviceAccount": application,
        "nodeName": node(number),
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532},
        "schedulerName": "default-scheduler",
        "tolerations": [
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        ],
        "priority": 0,
        "enableServiceLinks": true,
        "preemptionPolicy": "PreemptLowerPriority",
    })
}

fn probe(path: &str) -> Value {
    json!({
        "httpGet": {"path": path, "port": "http", "scheme": "HTTP"},
        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
    })
}

fn status(application: &str, number: usize, revision: u32) -> Value {
    let begin = number as u64 % 20_000;
    let restarted = begin + u64::from(revision) * 300;
    let condition = |kind: &str, since: u64| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": time(since)});
    let address = format!(
        "10.{}.{}.{}",
        number >> 16 & 255,
        number >> 8 & 255,
        number & 255
    );
    let mut container = json!({
        "name": application,
        "state": {"running": {"startedAt": time(restarted)}},
        "lastState": {},
        "ready": true,
        "started": true,
        "restartCount": revision,
        "image": format!("registry.example.com/shop/{application}:2024.11.{}", number % 24),
        "imageID": format!("registry.example.com/shop/{application}@sha256:{}", hex(&[number as u64 % 24, 5, 6, 7])),
        "containerID": container_id(number, revision),
    });
    if let Some(before) = revision.checked_sub(1) {
        container["lastState"] = json!({"terminated": {
            "exitCode": 137, "reason": "OOMKilled", "containerID": container_id(number, before),
            "startedAt": time(restarted - 300), "finishedAt": time(restarted - 10),
        }});
    }
    json!({
        "phase": "Running",
        "conditions": [
            condition("PodReadyToStartContainers", begin), condition("Initialized", begin),
            condition("Ready", restarted), condition("ContainersReady", restarted), condition("PodScheduled", begin),
        ],
        "hostIP": format!("192.168.0.{}", number % 100),
        "hostIPs": [{"ip": format!("192.168.0.{}", number % 100)}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": time(begin),
        "containerStatuses": [container],
        "qosClass": "Burstable",
    })
}

/// Which field is whose: a third of a real pod.
fn managed_fields(number: usize, revision: u32) -> Value {
    let field = |name: &str| json!({name: {}});
    let container = format!(
        "k:{{\"name\":\"{}\"}}",
        APPLICATIONS[number % APPLICATIONS.len()]
    );
    let condition = |kind: &str| {
        let of_condition = json!({".": {}, "f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}});
        (format!("k:{{\"type\":\"{kind}\"}}"), of_condition)
    };
    let conditions: serde_json::Map<String, Value> = [
        "ContainersReady",
        "Initialized",
        "PodReadyToStartContainers",
        "Ready",
    ]
    .map(condition)
    .into_iter()
    .collect();
    let probe = json!({
        ".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}, "f:scheme": {}},
        "f:periodSeconds": {}, "f:successThreshold": {}, "f:timeoutSeconds": {},
    });
    let spec = json!({"f:metadata": {
        "f:annotations": {".": {}, "f:checksum/config": {}, "f:prometheus.io/port": {}, "f:prometheus.io/scrape": {}},
        "f:generateName": {},
        "f:labels": {".": {}, "f:app.kubernetes.io/instance": {}, "f:app.kubernetes.io/name": {}, "f:pod-template-hash": {}},
        "f:ownerReferences": {".": {}, format!("k:{{\"uid\":\"{}\"}}", uid(1_000_000 + (number % 240) as u64)): {}},
    }, "f:spec": {
        "f:containers": {container: {
            ".": {}, "f:args": {}, "f:env": {".": {}, "k:{\"name\":\"POD_IP\"}": {".": {}, "f:name": {}, "f:valueFrom": field("f:fieldRef")}},
            "f:image": {}, "f:imagePullPolicy": {}, "f:livenessProbe": probe, "f:name": {}, "f:ports": {},
            "f:readinessProbe": probe, "f:resources": {".": {}, "f:limits": field("f:memory"), "f:requests": {".": {}, "f:cpu": {}, "f:memory": {}}},
            "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}, "f:volumeMounts": {},
        }},
        "f:dnsPolicy": {}, "f:enableServiceLinks": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
        "f:serviceAccount": {}, "f:serviceAccountName": {}, "f:terminationGracePeriodSeconds": {}, "f:volumes": {},
    }});
    let status = json!({"f:status": {
        "f:conditions": conditions, "f:containerStatuses": {}, "f:hostIP": {}, "f:hostIPs": {}, "f:phase": {}, "f:podIP": {},
        "f:podIPs": {}, "f:startTime": {},
    }});
    let begin = number as u64 % 20_000;
    json!([
        {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": time(begin),
         "fieldsType": "FieldsV1", "fieldsV1": spec},
        {"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": time(begin + u64::from(revision) * 300),
         "fieldsType": "FieldsV1", "fieldsV1": status, "subresource": "status"},
    ])
}

fn node(number: usize) -> String {
    format!(
        "ip-192-168-0-{}.eu-central-1.compute.internal",
        number % 100
    )
}

/// Ten letters, the same for the pods of one application's one version.
fn template_hash(number: usize) -> String {
    hex(&[number as u64 % 240])[..10].to_owned()
}

fn container_id(number: usize, revision: u32) -> String {
    let seed = (number as u64) << 20 | u64::from(revision);
    format!(
        "containerd://{}",
        hex(&[seed, seed + 1, seed + 2, seed + 3])
    )
}

fn uid(seed: u64) -> String {
    let (a, b) = (scattered(seed), scattered(seed ^ 0x5bd1_e995));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

fn hex(seeds: &[u64]) -> String {
    seeds
        .iter()
        .map(|seed| format!("{:016x}", scattered(*seed)))
        .collect()
}

/// Looks random and is not: SplitMix64's finish.
fn scattered(seed: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A moment, `seconds` after a day in November 2024, at most 27 days later.
fn time(seconds: u64) -> String {
    let (day, rest) = (1 + seconds / 86_400 % 27, seconds % 86_400);
    format!(
        "2024-11-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn pods_have_a_real_ones_size_and_differ() {
        let size = pod(7, 1).to_string().len();
        assert!((5_500..9_000).contains(&size), "{size}");
        let pods = |field: &dyn Fn(&Value) -> String| {
            (0..500)
                .map(|number| field(&pod(number, 0)))
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(pods(&|pod| pod["metadata"]["name"].to_string()).len(), 500);
        assert_eq!(pods(&|pod| pod["metadata"]["uid"].to_string()).len(), 500);
        assert_eq!(pods(&|pod| pod["status"]["podIP"].to_string()).len(), 500);
        assert_ne!(pod(7, 1)["status"], pod(7, 2)["status"]);
    }
}
