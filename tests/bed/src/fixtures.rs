//! What tests look at: a small, odd world of some forty kinds, and, on demand, thousands of pods.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::Cluster;

/// The value that no test may ever see outside of the cluster.
pub const CANARY: &str = "CANARY-7f3a9c51";

const CRDS: &str = include_str!("../fixtures/crds.yaml");

const CLUSTER: &str = include_str!("../fixtures/cluster.yaml");

/// Applied by the client, so that the annotation with the last applied configuration holds each Secret's values once
/// more, where a careless redaction overlooks them; and because the API server reads what is applied on its side as
/// YAML, which has no place for the control characters in there.
const CONFIG: &str = include_str!("../fixtures/config.yaml");

const MANIFESTS: [&str; 5] = [
    include_str!("../fixtures/workloads.yaml"),
    include_str!("../fixtures/pods.yaml"),
    include_str!("../fixtures/network.yaml"),
    include_str!("../fixtures/custom.yaml"),
    include_str!("../fixtures/described.yaml"),
];

const EVENTS: &str = include_str!("../fixtures/events.yaml");

const STATUSES: &str = include_str!("../fixtures/statuses.json");

/// Pods that have a finalizer and are deleted, so that they are seen Terminating.
const DELETED: [&str; 2] = [
    "/api/v1/namespaces/shop/pods/terminating",
    "/api/v1/namespaces/shop/pods/lost",
];

/// What must have come about in a cluster with controllers: quiet alone may be the quiet before the storm.
const OUTCOMES: [(&str, &str, &str); 7] = [
    (
        "/apis/apps/v1/namespaces/shop/deployments/web",
        "/status/availableReplicas",
        "3",
    ),
    (
        "/apis/apps/v1/namespaces/shop/statefulsets/db",
        "/status/availableReplicas",
        "2",
    ),
    (
        "/apis/apps/v1/namespaces/ops/daemonsets/agent",
        "/status/numberAvailable",
        "3",
    ),
    (
        "/apis/batch/v1/namespaces/shop/jobs/complete",
        "/status/succeeded",
        "2",
    ),
    (
        "/apis/batch/v1/namespaces/shop/jobs/running",
        "/status/active",
        "1",
    ),
    (
        "/apis/batch/v1/namespaces/shop/jobs/failed",
        "/status/failed",
        "1",
    ),
    (
        "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web",
        "/status/disruptionsAllowed",
        "1",
    ),
];

/// What is compared to say that a cluster is quiet. Not nodes and leases: they have a heartbeat.
const WATCHED: [&str; 12] = [
    "/api/v1/pods",
    "/api/v1/services",
    "/api/v1/endpoints",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/configmaps",
    "/api/v1/events",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/daemonsets",
    "/apis/batch/v1/jobs",
    "/apis/discovery.k8s.io/v1/endpointslices",
];

/// For how long nothing may change. Jobs and endpoint slices take up to a second between what happened and what they
/// say.
const QUIET: Duration = Duration::from_millis(1500);

/// How many connections write at once.
const WRITERS: usize = 12;

#[derive(Deserialize)]
struct StatusPatch {
    path: String,
    status: Value,
}

impl Cluster {
    /// Fills it with the fixtures (namespaces `shop`, `ops`, `detail` and `empty`) and waits until it is quiet. Again is
    /// harmless.
    ///
    /// In a cluster without controllers the objects are there, and what controllers would make of them is not.
    ///
    /// # Errors
    /// When something is refused, or does not come about within two minutes.
    pub fn seed(&self) -> Result<()> {
        self.apply(CRDS)?;
        for crd in CRDS
            .lines()
            .filter_map(|line| line.strip_prefix("  name: "))
        {
            self.wait_for(crd, || self.established(crd))?;
        }
        self.apply(CLUSTER)?;
        self.kubectl_input(&["apply", "-f", "-"], CONFIG)?;
        let now = SystemTime::now();
        self.apply(&MANIFESTS.join("\n---\n"))?;
        // The time of an event is immutable: those of an earlier seeding make room.
        let events = resolve_times(EVENTS, now)?;
        self.kubectl_input(&["delete", "--ignore-not-found", "-f", "-"], &events)?;
        self.apply(&events)?;
        let statuses: Vec<StatusPatch> =
            serde_json::from_str(&resolve_times(STATUSES, now)?).context("statuses.json")?;
        for patch in statuses {
            let path = format!("{}/status", patch.path);
            self.api()
                .merge(&path, json!({"status": patch.status}).to_string())?
                .success()
                .context(path)?;
        }
        for path in DELETED {
            self.api().delete(path)?.success().context(path)?;
        }
        if self.has_controllers() {
            for (path, pointer, expected) in OUTCOMES {
                self.wait_for(path, || self.came_about(path, pointer, expected))?;
            }
        }
        self.wait_quiet()
    }

    /// Waits until nothing has changed for a moment, heartbeats of nodes aside.
    ///
    /// # Errors
    /// When it does not become quiet within two minutes.
    pub fn wait_quiet(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut seen = self.versions()?;
        let mut since = Instant::now();
        while since.elapsed() < QUIET {
            if Instant::now() > deadline {
                bail!("{} does not become quiet", self.name());
            }
            thread::sleep(QUIET / 10);
            let now = self.versions()?;
            if now != seen {
                seen = now;
                since = Instant::now();
            }
        }
        Ok(())
    }

    /// Creates `count` pods `<prefix>-00000` ... in `namespace`, and says how long it took.
    ///
    /// They are bound to a node that nobody serves: no scheduler is needed, and they stay Pending. The API server makes
    /// the first; the others are copies of it, put into etcd one by one, which costs a third of what as many POSTs do.
    /// It reads its storage in JSON as well as in its own form, and shows them to lists and watches like any other.
    ///
    /// # Errors
    /// With the first refusal.
    pub fn create_pods(&self, namespace: &str, prefix: &str, count: usize) -> Result<Duration> {
        self.create_node("still", false)?;
        let begin = Instant::now();
        match count {
            0 => return Ok(begin.elapsed()),
            1..=100_000 => {}
            _ => bail!("names have five digits: {count} pods are too many"),
        }
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let first = self
            .api()
            .post(&path, pod(&format!("{prefix}-00000")).to_string())?
            .success()?
            .json()?;
        let stamp = Stamp::new(first)?;
        let write = |number: usize| {
            let name = format!("{prefix}-{number:05}");
            self.put_base64(
                &format!("/registry/pods/{namespace}/{name}"),
                &stamp.copy(number)?,
            )
        };
        by_many_hands(1..count, &write)?;
        Ok(begin.elapsed())
    }

    /// Stores pods past the API server, one for each number, whole: `make` gives status and managedFields, too, and a
    /// resourceVersion is not looked at. What is there already is overwritten, and whoever watches is told. Says how
    /// long it took.
    ///
    /// # Errors
    /// With the first refusal of etcd, or when a pod has no name or namespace.
    pub fn store_pods(
        &self,
        numbers: Range<usize>,
        make: &(dyn Fn(usize) -> Value + Sync),
    ) -> Result<Duration> {
        let begin = Instant::now();
        let write = |number: usize| {
            let pod = make(number);
            let of = |field: &str| {
                let text = pod["metadata"][field].as_str();
                text.with_context(|| format!("pod {number} has no {field}"))
            };
            let key = format!("/registry/pods/{}/{}", of("namespace")?, of("name")?);
            self.put_base64(&key, &BASE64.encode(pod.to_string()))
        };
        by_many_hands(numbers, &write)?;
        Ok(begin.elapsed())
    }

    fn established(&self, crd: &str) -> Result<Option<()>> {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}");
        let crd = self.api().get(&path)?.success()?.json()?;
        let conditions = crd["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        Ok(conditions
            .iter()
            .any(|one| one["type"] == "Established" && one["status"] == "True")
            .then_some(()))
    }

    fn came_about(&self, path: &str, pointer: &str, expected: &str) -> Result<Option<()>> {
        let object = self.api().get(path)?.success()?.json()?;
        let found = object.pointer(pointer).map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        });
        if found.as_deref() == Some(expected) {
            return Ok(Some(()));
        }
        bail!("{pointer} is {found:?}, not {expected}")
    }

    /// The resource version of every object that is watched for quiet.
    fn versions(&self) -> Result<BTreeMap<String, String>> {
        let form = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        let mut versions = BTreeMap::new();
        for path in WATCHED {
            let list = self.api().get_as(path, form)?.success()?.json()?;
            for item in list["items"].as_array().into_iter().flatten() {
                let metadata = &item["metadata"];
                versions.insert(
                    format!("{path} {}", metadata["uid"]),
                    metadata["resourceVersion"].to_string(),
                );
            }
        }
        Ok(versions)
    }
}

/// Does `write` for each number, on as many connections as there are writers.
fn by_many_hands(
    numbers: Range<usize>,
    write: &(dyn Fn(usize) -> Result<()> + Sync),
) -> Result<()> {
    let writers = WRITERS.min(numbers.len());
    if writers < 2 {
        return numbers.into_iter().try_for_each(write);
    }
    let next = AtomicUsize::new(numbers.start);
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= numbers.end {
                return Ok(());
            }
            write(number)?;
        }
    };
    thread::scope(|scope| {
        let writers: Vec<_> = (0..writers).map(|_| scope.spawn(work)).collect();
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().map_err(|_| anyhow!("a writer panicked"))?)
    })
}

/// A pod of a realistic size.
fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"app": "load", "tier": "back", "pod-template-hash": "7c5ddbdf54"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
        },
        "spec": {
            "nodeName": "still",
            "containers": [{
                "name": "main",
                "image": "registry.example.com/load/main:2024.11.25",
                "args": ["--listen=:8080", "--log-level=info"],
                "ports": [{"name": "http", "containerPort": 8080}],
                "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
            }],
        },
    })
}

/// Makes copies of a stored object, each with its own number in its name and its uid, as etcd's gateway wants them: in
/// base64. Only the few groups with a number in them are encoded for each copy: in a debug build, encoding is dear.
struct Stamp {
    text: Vec<u8>,
    encoded: Vec<u8>,
    name: Range<usize>,
    uid: Range<usize>,
}

impl Stamp {
    /// From an object whose name ends in five digits.
    fn new(mut object: Value) -> Result<Self> {
        let metadata = object["metadata"]
            .as_object_mut()
            .context("an object without metadata")?;
        // Not stored: it is the revision at which etcd got the object.
        metadata.remove("resourceVersion");
        let digits = |text: &str, key: &str, value: &Value, count: usize| {
            let field = format!("\"{key}\":{value}");
            let end = text.find(&field).map(|at| at + field.len() - 1);
            end.map(|end| end - count..end)
                .with_context(|| format!("no {field}"))
        };
        let (name, uid) = (metadata["name"].clone(), metadata["uid"].clone());
        let text = object.to_string();
        // The rest of the uid stays: it is random, so that no other object has it.
        let (name, uid) = (
            digits(&text, "name", &name, 5)?,
            digits(&text, "uid", &uid, 12)?,
        );
        Ok(Self {
            encoded: BASE64.encode(&text).into(),
            text: text.into(),
            name,
            uid,
        })
    }

    /// The object with `number`, in base64.
    fn copy(&self, number: usize) -> Result<String> {
        let mut text = self.text.clone();
        text[self.name.clone()].copy_from_slice(format!("{number:05}").as_bytes());
        text[self.uid.clone()].copy_from_slice(format!("{number:012x}").as_bytes());
        let mut encoded = self.encoded.clone();
        for digits in [&self.name, &self.uid] {
            let (first, last) = (digits.start / 3, digits.end.div_ceil(3));
            let groups = BASE64.encode(&text[first * 3..text.len().min(last * 3)]);
            encoded[first * 4..first * 4 + groups.len()].copy_from_slice(groups.as_bytes());
        }
        Ok(String::from_utf8(encoded)?)
    }
}

/// Replaces `@-90s@` by the time 90 seconds before `now`; `@-90.000000s@` has microseconds.
fn resolve_times(text: &str, now: SystemTime) -> Result<String> {
    let mut parts = text.split("@-");
    let mut resolved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (ago, rest) = part
            .split_once("s@")
            .with_context(|| format!("no time: @-{part}"))?;
        let micros = ago.strip_suffix(".000000");
        let seconds: u64 = micros
            .unwrap_or(ago)
            .parse()
            .with_context(|| format!("no time: @-{ago}s@"))?;
        let then = now
            .checked_sub(Duration::from_secs(seconds))
            .context("before the epoch")?;
        resolved.push_str(&rfc3339(
            then,
            if micros.is_some() { ".000000" } else { "" },
        )?);
        resolved.push_str(rest);
    }
    Ok(resolved)
}

/// The civil date by Howard Hinnant's `civil_from_days`: years begin in March, so that leap days come last.
fn rfc3339(time: SystemTime, fraction: &str) -> Result<String> {
    let seconds = time.duration_since(UNIX_EPOCH)?.as_secs();
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Ok(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_back_from_now() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_600, "2025-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(resolve_times("@-90s@", at(seconds + 90)).unwrap(), expected);
        }
        assert_eq!(
            resolve_times("a @-1.000000s@ @", at(1)).unwrap(),
            "a 1970-01-01T00:00:00.000000Z @"
        );
        assert!(resolve_times("@-soon", at(0)).is_err() && resolve_times("@-xs@", at(0)).is_err());
    }

    #[test]
    fn every_status_has_a_path_and_every_time_in_the_fixtures_resolves() {
        let now = SystemTime::now();
        let statuses: Vec<StatusPatch> =
            serde_json::from_str(&resolve_times(STATUSES, now).unwrap()).unwrap();
        assert!(statuses.len() > 25);
        assert!(statuses.iter().all(|patch| patch.path.starts_with("/api")));
        assert!(!resolve_times(EVENTS, now).unwrap().contains("@-"));
    }

    #[test]
    fn the_canary_is_in_the_fixtures() {
        assert!(CONFIG.matches(CANARY).count() >= 7);
    }

    #[test]
    fn copies_differ_in_name_and_uid_only() {
        // Different lengths: the numbers fall on every place in a group of base64.
        for prefix in ["a", "ab", "abc", "load"] {
            let mut first = pod(&format!("{prefix}-00000"));
            first["metadata"]["uid"] = json!("0a1b2c3d-0000-4000-8000-ffffffffffff");
            first["metadata"]["resourceVersion"] = json!("17");
            let copy = Stamp::new(first.clone()).unwrap().copy(31).unwrap();
            let copy: Value = serde_json::from_slice(&BASE64.decode(copy).unwrap()).unwrap();
            first["metadata"]["name"] = json!(format!("{prefix}-00031"));
            first["metadata"]["uid"] = json!("0a1b2c3d-0000-4000-8000-00000000001f");
            first["metadata"]
                .as_object_mut()
                .unwrap()
                .remove("resourceVersion");
            assert_eq!(copy, first);
        }
    }
}
