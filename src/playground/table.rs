//! Tables with kubectl's columns, as `k8s.io/kubernetes/pkg/printers/internalversion` makes them.

use super::kind::Kind;
use crate::kubernetes::duration;
use serde_json::{Value, json};

/// (name, type, priority).
type Column = (&'static str, &'static str, i32);

/// A `meta.k8s.io/v1` Table of these objects; `include` is the request's `includeObject`.
pub(super) fn of<'a>(
    kind: &Kind,
    include: &str,
    objects: impl Iterator<Item = &'a Value>,
    metadata: &Value,
    now: i64,
) -> Value {
    let rows: Vec<Value> = objects
        .map(|object| {
            let shown = match include {
                "Object" => object.clone(),
                _ => json!({
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
                }),
            };
            json!({"cells": cells(kind, &Reading { object, now }), "object": shown})
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": definitions(kind), "rows": rows,
    })
}

fn definitions(kind: &Kind) -> Vec<Value> {
    let definition = |name: &str, of: &str, priority: i32| {
        let format = if name == "Name" { "name" } else { "" };
        json!({"name": name, "type": of, "format": format, "description": "", "priority": priority})
    };
    let built_in = columns(&kind.name());
    if !built_in.is_empty() {
        return built_in
            .iter()
            .map(|(name, of, priority)| definition(name, of, *priority))
            .collect();
    }
    let mut definitions = vec![definition("Name", "string", 0)];
    definitions.extend(
        kind.columns
            .iter()
            .map(|column| definition(&column.name, &column.kind, 0)),
    );
    if kind.columns.is_empty() {
        definitions.push(definition("Age", "date", 0));
    }
    definitions
}

fn columns(resource: &str) -> &'static [Column] {
    const S: &str = "string";
    const I: &str = "integer";
    match resource {
        "pods" => &[
            ("Name", S, 0),
            ("Ready", S, 0),
            ("Status", S, 0),
            ("Restarts", S, 0),
            ("Age", S, 0),
            ("IP", S, 1),
            ("Node", S, 1),
            ("Nominated Node", S, 1),
            ("Readiness Gates", S, 1),
        ],
        "nodes" => &[
            ("Name", S, 0),
            ("Status", S, 0),
            ("Roles", S, 0),
            ("Age", S, 0),
            ("Version", S, 0),
            ("Internal-IP", S, 1),
            ("External-IP", S, 1),
            ("OS-Image", S, 1),
            ("Kernel-Version", S, 1),
            ("Container-Runtime", S, 1),
        ],
        "namespaces" => &[("Name", S, 0), ("Status", S, 0), ("Age", S, 0)],
        "deployments.apps" => &[
            ("Name", S, 0),
            ("Ready", S, 0),
            ("Up-to-date", S, 0),
            ("Available", S, 0),
            ("Age", S, 0),
            ("Containers", S, 1),
            ("Images", S, 1),
            ("Selector", S, 1),
        ],
        "replicasets.apps" => &[
            ("Name", S, 0),
            ("Desired", I, 0),
            ("Current", I, 0),
            ("Ready", I, 0),
            ("Age", S, 0),
            ("Containers", S, 1),
            ("Images", S, 1),
            ("Selector", S, 1),
        ],
        "statefulsets.apps" => &[
            ("Name", S, 0),
            ("Ready", S, 0),
            ("Age", S, 0),
            ("Containers", S, 1),
            ("Images", S, 1),
        ],
        "daemonsets.apps" => &[
            ("Name", S, 0),
            ("Desired", I, 0),
            ("Current", I, 0),
            ("Ready", I, 0),
            ("Up-to-date", I, 0),
            ("Available", I, 0),
            ("Node Selector", S, 0),
            ("Age", S, 0),
            ("Containers", S, 1),
            ("Images", S, 1),
            ("Selector", S, 1),
        ],
        "jobs.batch" => &[
            ("Name", S, 0),
            ("Status", S, 0),
            ("Completions", S, 0),
            ("Duration", S, 0),
            ("Age", S, 0),
            ("Containers", S, 1),
            ("Images", S, 1),
            ("Selector", S, 1),
        ],
        "cronjobs.batch" => &[
            ("Name", S, 0),
            ("Schedule", S, 0),
            ("Timezone", S, 0),
            ("Suspend", "boolean", 0),
            ("Active", I, 0),
            ("Last Schedule", S, 0),
            ("Age", S, 0),
            ("Containers", S, 1),
            ("Images", S, 1),
            ("Selector", S, 1),
        ],
        "services" => &[
            ("Name", S, 0),
            ("Type", S, 0),
            ("Cluster-IP", S, 0),
            ("External-IP", S, 0),
            ("Port(s)", S, 0),
            ("Age", S, 0),
            ("Selector", S, 1),
        ],
        "configmaps" => &[("Name", S, 0), ("Data", S, 0), ("Age", S, 0)],
        "secrets" => &[
            ("Name", S, 0),
            ("Type", S, 0),
            ("Data", S, 0),
            ("Age", S, 0),
        ],
        "events" => &[
            ("Last Seen", S, 0),
            ("Type", S, 0),
            ("Reason", S, 0),
            ("Object", S, 0),
            ("Subobject", S, 1),
            ("Source", S, 1),
            ("Message", S, 0),
            ("First Seen", S, 1),
            ("Count", S, 1),
            ("Name", S, 1),
        ],
        "ingresses.networking.k8s.io" => &[
            ("Name", S, 0),
            ("Class", S, 0),
            ("Hosts", S, 0),
            ("Address", S, 0),
            ("Ports", S, 0),
            ("Age", S, 0),
        ],
        "persistentvolumeclaims" => &[
            ("Name", S, 0),
            ("Status", S, 0),
            ("Volume", S, 0),
            ("Capacity", S, 0),
            ("Access Modes", S, 0),
            ("StorageClass", S, 0),
            ("VolumeAttributesClass", S, 0),
            ("Age", S, 0),
            ("VolumeMode", S, 1),
        ],
        "leases.coordination.k8s.io" => &[("Name", S, 0), ("Holder", S, 0), ("Age", S, 0)],
        _ => &[],
    }
}

fn cells(kind: &Kind, o: &Reading<'_>) -> Vec<Value> {
    let name = o.text("/metadata/name");
    match kind.name().as_str() {
        "pods" => pod(o, name),
        "nodes" => node(o, name),
        "namespaces" => vec![name, o.text("/status/phase"), o.age()],
        "deployments.apps" => {
            let ready = format!(
                "{}/{}",
                o.number("/status/readyReplicas"),
                o.number("/spec/replicas")
            );
            let (updated, available) = (
                o.number("/status/updatedReplicas"),
                o.number("/status/availableReplicas"),
            );
            let mut cells = vec![
                name,
                ready.into(),
                updated.into(),
                available.into(),
                o.age(),
            ];
            cells.extend(o.containers("/spec/template/spec"));
            cells.push(o.pairs("/spec/selector/matchLabels").into());
            cells
        }
        "replicasets.apps" => {
            let numbers = [
                "/spec/replicas",
                "/status/replicas",
                "/status/readyReplicas",
            ];
            let mut cells = vec![name];
            cells.extend(numbers.map(|path| o.number(path).into()));
            cells.push(o.age());
            cells.extend(o.containers("/spec/template/spec"));
            cells.push(o.pairs("/spec/selector/matchLabels").into());
            cells
        }
        "statefulsets.apps" => {
            let ready = format!(
                "{}/{}",
                o.number("/status/readyReplicas"),
                o.number("/spec/replicas")
            );
            let mut cells = vec![name, ready.into(), o.age()];
            cells.extend(o.containers("/spec/template/spec"));
            cells
        }
        "daemonsets.apps" => daemon_set(o, name),
        "jobs.batch" => job(o, name),
        "cronjobs.batch" => cron_job(o, name),
        "services" => service(o, name),
        "configmaps" => {
            let values = o.size("/data") + o.size("/binaryData");
            vec![name, values.into(), o.age()]
        }
        "secrets" => vec![name, o.text("/type"), o.size("/data").into(), o.age()],
        "events" => event(o, name),
        "ingresses.networking.k8s.io" => ingress(o, name),
        "persistentvolumeclaims" => claim(o, name),
        "leases.coordination.k8s.io" => vec![name, o.text("/spec/holderIdentity"), o.age()],
        _ => custom(kind, o, name),
    }
}

fn custom(kind: &Kind, o: &Reading<'_>, name: Value) -> Vec<Value> {
    let mut cells = vec![name];
    cells.extend(kind.columns.iter().map(|column| {
        match (column.kind.as_str(), o.at(&column.path)) {
            ("date", Some(at)) => o.since(at.as_str().unwrap_or_default()).into(),
            (_, value) => value.cloned().unwrap_or_default(),
        }
    }));
    if kind.columns.is_empty() {
        cells.push(o.age());
    }
    cells
}

/// An object, read at some time.
struct Reading<'a> {
    object: &'a Value,
    now: i64,
}

impl<'a> Reading<'a> {
    fn at(&self, path: &str) -> Option<&'a Value> {
        self.object.pointer(path).filter(|value| !value.is_null())
    }
    fn str(&self, path: &str) -> &'a str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }
    fn text(&self, path: &str) -> Value {
        self.str(path).into()
    }
    fn or(&self, path: &str, otherwise: &str) -> Value {
        match self.str(path) {
            "" => otherwise.into(),
            text => text.into(),
        }
    }
    fn number(&self, path: &str) -> i64 {
        self.at(path).and_then(Value::as_i64).unwrap_or_default()
    }
    fn array(&self, path: &str) -> &'a [Value] {
        self.at(path)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
    fn size(&self, path: &str) -> usize {
        self.at(path)
            .and_then(Value::as_object)
            .map_or(0, serde_json::Map::len)
    }
    fn since(&self, at: &str) -> String {
        match at.parse::<jiff::Timestamp>() {
            Ok(at) => duration::human(self.now - at.as_millisecond()),
            Err(_) => "<unknown>".into(),
        }
    }
    fn age(&self) -> Value {
        self.since(self.str("/metadata/creationTimestamp")).into()
    }
    /// `a=b,c=d`, or `<none>`.
    fn pairs(&self, path: &str) -> String {
        let pairs = self.at(path).and_then(Value::as_object);
        let pair = |(key, value): (&String, &Value)| {
            format!("{key}={}", value.as_str().unwrap_or_default())
        };
        match pairs {
            Some(pairs) if !pairs.is_empty() => {
                pairs.iter().map(pair).collect::<Vec<_>>().join(",")
            }
            _ => "<none>".into(),
        }
    }
    /// The names and images of the containers of a pod's spec.
    fn containers(&self, spec: &str) -> [Value; 2] {
        let containers = self.array(&format!("{spec}/containers"));
        ["name", "image"].map(|field| {
            let values: Vec<&str> = containers
                .iter()
                .filter_map(|c| c[field].as_str())
                .collect();
            values.join(",").into()
        })
    }
    fn condition(&self, kind: &str) -> Option<&'a str> {
        let found = self
            .array("/status/conditions")
            .iter()
            .find(|c| c["type"] == kind)?;
        found["status"].as_str()
    }
}

fn pod(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let statuses = o.array("/status/containerStatuses");
    let ready = statuses
        .iter()
        .filter(|s| s["ready"] == true && s["state"]["running"].is_object())
        .count();
    let restarts: i64 = statuses
        .iter()
        .filter_map(|s| s["restartCount"].as_i64())
        .sum();
    let ends = statuses
        .iter()
        .filter_map(|s| s["lastState"]["terminated"]["finishedAt"].as_str());
    let restarts = match ends.max() {
        Some(last) if restarts > 0 => format!("{restarts} ({} ago)", o.since(last)),
        _ => restarts.to_string(),
    };
    let mut reason = match o.str("/status/reason") {
        "" => o.str("/status/phase"),
        reason => reason,
    };
    for status in statuses.iter().rev() {
        let state = &status["state"];
        let waiting = state["waiting"]["reason"].as_str();
        reason = waiting
            .or(state["terminated"]["reason"].as_str())
            .unwrap_or(reason);
    }
    let finished = ["Succeeded", "Failed"].contains(&o.str("/status/phase"));
    if o.at("/metadata/deletionTimestamp").is_some() && !finished {
        reason = "Terminating";
    }
    let containers = o.array("/spec/containers").len();
    vec![
        name,
        format!("{ready}/{containers}").into(),
        reason.into(),
        restarts.into(),
        o.age(),
        o.or("/status/podIP", "<none>"),
        o.or("/spec/nodeName", "<none>"),
        "<none>".into(),
        "<none>".into(),
    ]
}

fn node(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let mut status = match o.condition("Ready") {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".into(),
        None => "Unknown".into(),
    };
    if o.at("/spec/unschedulable").is_some_and(|v| v == true) {
        status += ",SchedulingDisabled";
    }
    let labels = o.at("/metadata/labels").and_then(Value::as_object);
    let roles = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/"));
    let roles = match roles.collect::<Vec<_>>().join(",") {
        roles if roles.is_empty() => "<none>".into(),
        roles => roles,
    };
    let address = |kind: &str| {
        let found = o
            .array("/status/addresses")
            .iter()
            .find(|a| a["type"] == kind);
        found.map_or_else(|| "<none>".into(), |a| a["address"].clone())
    };
    let info = |field: &str| o.str(&format!("/status/nodeInfo/{field}"));
    let kernel = format!("{} ({})", info("kernelVersion"), info("architecture"));
    vec![
        name,
        status.into(),
        roles.into(),
        o.age(),
        info("kubeletVersion").into(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage").into(),
        kernel.into(),
        info("containerRuntimeVersion").into(),
    ]
}

fn daemon_set(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let counts = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let mut cells = vec![name];
    cells.extend(counts.map(|field| o.number(&format!("/status/{field}")).into()));
    cells.push(o.pairs("/spec/template/spec/nodeSelector").into());
    cells.push(o.age());
    cells.extend(o.containers("/spec/template/spec"));
    cells.push(o.pairs("/spec/selector/matchLabels").into());
    cells
}

fn job(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let status = match (o.condition("Complete"), o.condition("Failed")) {
        (Some("True"), _) => "Complete",
        (_, Some("True")) => "Failed",
        _ => "Running",
    };
    let completions = format!(
        "{}/{}",
        o.number("/status/succeeded"),
        o.number("/spec/completions")
    );
    let (start, end) = (o.str("/status/startTime"), o.str("/status/completionTime"));
    let duration = match (
        start.parse::<jiff::Timestamp>(),
        end.parse::<jiff::Timestamp>(),
    ) {
        (Err(_), _) => String::new(),
        (Ok(_), Err(_)) => o.since(start),
        (Ok(start), Ok(end)) => duration::human(end.as_millisecond() - start.as_millisecond()),
    };
    let mut cells = vec![
        name,
        status.into(),
        completions.into(),
        duration.into(),
        o.age(),
    ];
    cells.extend(o.containers("/spec/template/spec"));
    cells.push(o.pairs("/spec/selector/matchLabels").into());
    cells
}

fn cron_job(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let last = match o.str("/status/lastScheduleTime") {
        "" => "<none>".into(),
        at => o.since(at),
    };
    let suspended = o.at("/spec/suspend").is_some_and(|v| v == true);
    let mut cells = vec![
        name,
        o.text("/spec/schedule"),
        o.or("/spec/timeZone", "<none>"),
        if suspended { "True" } else { "False" }.into(),
        o.array("/status/active").len().into(),
        last.into(),
        o.age(),
    ];
    cells.extend(o.containers("/spec/jobTemplate/spec/template/spec"));
    cells.push("<none>".into());
    cells
}

fn service(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let external = match o.str("/spec/type") {
        "LoadBalancer" => addresses(o).unwrap_or_else(|| "<pending>".into()),
        _ => "<none>".into(),
    };
    let ports = o.array("/spec/ports").iter().map(|port| {
        let node_port = port["nodePort"]
            .as_i64()
            .map(|p| format!(":{p}"))
            .unwrap_or_default();
        format!(
            "{}{node_port}/{}",
            port["port"],
            port["protocol"].as_str().unwrap_or("TCP")
        )
    });
    vec![
        name,
        o.text("/spec/type"),
        o.or("/spec/clusterIPs/0", "<none>"),
        external.into(),
        ports.collect::<Vec<_>>().join(",").into(),
        o.age(),
        o.pairs("/spec/selector").into(),
    ]
}

fn addresses(o: &Reading<'_>) -> Option<String> {
    let ingress = o.array("/status/loadBalancer/ingress").iter();
    let addresses: Vec<&str> = ingress
        .filter_map(|i| i["ip"].as_str().or(i["hostname"].as_str()))
        .collect();
    (!addresses.is_empty()).then(|| addresses.join(","))
}

fn event(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let involved = "/involvedObject";
    let object = format!(
        "{}/{}",
        o.str(&format!("{involved}/kind")).to_lowercase(),
        o.str(&format!("{involved}/name"))
    );
    vec![
        o.since(o.str("/lastTimestamp")).into(),
        o.text("/type"),
        o.text("/reason"),
        object.into(),
        o.text("/involvedObject/fieldPath"),
        o.text("/source/component"),
        o.str("/message").trim().into(),
        o.since(o.str("/firstTimestamp")).into(),
        o.number("/count").into(),
        name,
    ]
}

fn ingress(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let hosts: Vec<&str> = o
        .array("/spec/rules")
        .iter()
        .filter_map(|rule| rule["host"].as_str())
        .collect();
    let hosts = if hosts.is_empty() {
        "*".into()
    } else {
        hosts.join(",")
    };
    let ports = if o.array("/spec/tls").is_empty() {
        "80"
    } else {
        "80, 443"
    };
    vec![
        name,
        o.or("/spec/ingressClassName", "<none>"),
        hosts.into(),
        addresses(o).unwrap_or_default().into(),
        ports.into(),
        o.age(),
    ]
}

fn claim(o: &Reading<'_>, name: Value) -> Vec<Value> {
    let modes = o
        .array("/status/accessModes")
        .iter()
        .filter_map(Value::as_str)
        .map(|mode| match mode {
            "ReadWriteOnce" => "RWO",
            "ReadOnlyMany" => "ROX",
            "ReadWriteMany" => "RWX",
            other => other,
        });
    vec![
        name,
        o.text("/status/phase"),
        o.text("/spec/volumeName"),
        o.text("/status/capacity/storage"),
        modes.collect::<Vec<_>>().join(",").into(),
        o.text("/spec/storageClassName"),
        "<unset>".into(),
        o.age(),
        o.or("/spec/volumeMode", "<unset>"),
    ]
}
